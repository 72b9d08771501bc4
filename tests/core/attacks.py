"""Traces made to be slow or hungry, each of any size. What they attack is in their docstrings."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable, Iterator

from gotrace.spec.trace_events import NONE, header
from gotrace.wire import encode_batch
from gotrace.wire import uvarint as u

FREQUENCY = b"\x08" + u(15_625_000)
THREAD = 5
#: Proc 0 runs on the thread, and goroutine 1.
RUNNING = (b"\x0d\0\0\1", b"\x19\0\1\5\2")
GO_CREATE, GO_START, GO_DESTROY, GO_STOP, GO_BLOCK, GO_STATUS = 14, 16, 17, 19, 20, 25
STW_BEGIN, STW_END, TASK_BEGIN, REGION_BEGIN, REGION_END, LOG = 26, 27, 40, 42, 43, 44

ATTACKS: dict[str, tuple[Callable[[int], bytes], int]] = {}


def attack(
    size: int,
) -> Callable[[Callable[[int], bytes]], Callable[[int], bytes]]:
    """List a function under its name, with a size at which it takes some hundredths of a second."""

    def listed(make: Callable[[int], bytes]) -> Callable[[int], bytes]:
        ATTACKS[make.__name__] = make, size
        return make

    return listed


# --- parts ----------------------------------------------------------------------------------------


def event(type_: int, *args: int) -> bytes:
    return bytes((type_, 0)) + b"".join(map(u, args))


def trace(*parts: bytes, minor: int = 22) -> bytes:
    return header(minor) + b"".join(parts)


def clock(generation: int = 1, minor: int = 22) -> bytes:
    if minor < 25:
        return encode_batch(generation, NONE, 1, FREQUENCY)
    return encode_batch(generation, NONE, 1, b"\x32" + FREQUENCY + b"\x33\0\1\1\1")


def pieces(items: Iterable[bytes], first: bytes = b"") -> Iterator[bytes]:
    """Payloads of 60,000 bytes or fewer, each with `first` in front."""
    part: list[bytes] = []
    size = 0
    for item in items:
        if size + len(item) > 60_000:
            yield first + b"".join(part)
            part, size = [], 0
        part.append(item)
        size += len(item)
    yield first + b"".join(part)


def thread(events: Iterable[bytes], id_: int = THREAD, generation: int = 1) -> bytes:
    return b"".join(encode_batch(generation, id_, 1, payload) for payload in pieces(events))


def running(*events: bytes) -> bytes:
    return thread((*RUNNING, *events))


def table(first: int, records: Iterable[bytes], generation: int = 1) -> bytes:
    payloads = pieces(records, bytes((first,)))
    return b"".join(encode_batch(generation, NONE, 1, payload) for payload in payloads)


def strings(texts: Iterable[bytes], generation: int = 1) -> bytes:
    records = (b"\5" + u(i) + u(len(text)) + text for i, text in enumerate(texts, 1))
    return table(4, records, generation)


def words(count: int) -> list[bytes]:
    return [struct.pack(">I", i) for i in range(count)]


# --- many of something ----------------------------------------------------------------------------


@attack(30_000)
def goroutines(n: int) -> bytes:
    return trace(clock(), thread((event(GO_STATUS, i, NONE, 4) for i in range(1, n)), NONE))


@attack(30_000)
def goroutines_far_apart(n: int) -> bytes:
    """Each has a page of its own."""
    ids = range(1, n * 1_000_003, 1_000_003)
    return trace(clock(), running(*(event(GO_CREATE, i, 0, 0) for i in ids)))


@attack(100_000)
def batches_of_one_event(n: int) -> bytes:
    start = encode_batch(1, THREAD, 1, b"".join(RUNNING))
    return trace(clock(), start, encode_batch(1, THREAD, 1, b"\x25\0\1") * n)


@attack(200_000)
def batches_of_nothing(n: int) -> bytes:
    return trace(clock(), encode_batch(1, THREAD, 1, b"") * n)


@attack(40_000)
def threads(n: int) -> bytes:
    return trace(clock(), b"".join(encode_batch(1, i, 1, b"\x82\0\5") for i in range(n)))


@attack(150)
def stacks_of_128_frames(n: int) -> bytes:
    """Each row of `stacks` is two hundred times as long as the bytes that say it."""
    texts = [word + b"x" * 1020 for word in words(200)]
    rng = random.Random(1)
    frames = [u(pc) + u(1 + pc % 200) + u(1 + pc % 199) + u(pc) for pc in range(1, 1 << 14)]
    records = (b"\3" + u(i) + u(128) + b"".join(rng.choices(frames, k=128)) for i in range(1, n))
    return trace(clock(), strings(texts), table(2, records))


@attack(60_000)
def strings_far_apart(n: int) -> bytes:
    ids = (0x9E3779B97F4A7C15 * i % 2**64 for i in range(1, n))
    return trace(clock(), table(4, (b"\5" + u(i) + b"\1a" for i in ids)))


@attack(60_000)
def samples_in_reverse(n: int) -> bytes:
    return trace(clock(), table(6, (b"\7" + u(n - i) + b"\5\0\1\0" for i in range(n))))


@attack(60_000)
def samples_of_two_times(n: int) -> bytes:
    return trace(clock(), table(6, (b"\7" + u(i & 1) + b"\5\0\1\0" for i in range(n))))


@attack(50_000)
def heap_types(n: int) -> bytes:
    """The alloc/free experiment names types as long as it likes."""
    payloads = pieces((u(i) + b"\0\1\0\1x" for i in range(n)), b"\0")
    experiment = b"".join(encode_batch(1, NONE, 1, p, experiment=1) for p in payloads)
    return trace(clock(), experiment, minor=23)


# --- texts and frames that collide ----------------------------------------------------------------


def _mixed(x: int) -> int:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        x = (x ^ x >> 33) * factor % 2**64
    return x ^ x >> 33


def _unmixed(x: int) -> int:
    x ^= x >> 33
    for factor in (0xC4CEB9FE1A85EC53, 0xFF51AFD7ED558CCD):
        x = x * pow(factor, -1, 2**64) % 2**64
        x ^= x >> 33
    return x


@attack(2_000)
def frames_of_one_hash(n: int) -> bytes:
    """All frames hash alike where the hash has no secret: function numbers count from 0."""
    records = []
    for i in range(n):
        function = i if i == 0 else i + 1  # the empty file is text 1
        line = _unmixed(12345) ^ _mixed(_mixed(function) ^ 1)
        if line < 2**63:  # else it would be cut
            records.append(b"\3" + u(i + 1) + b"\1" + u(i + 1) + u(i + 1) + b"\0" + u(line))
    return trace(clock(), strings(words(n)), table(2, records))


# --- what is open, and for how long ---------------------------------------------------------------


@attack(10_000)
def stops_of_the_world(n: int) -> bytes:
    """One goroutine begins them all; each has a name of its own."""
    return trace(
        clock(), strings(words(n)), running(*(event(STW_BEGIN, i, 0) for i in range(1, n)))
    )


@attack(40_000)
def regions_that_stay_open(n: int) -> bytes:
    return trace(
        clock(), strings([b"a"]), running(*(event(REGION_BEGIN, i, 1, 0) for i in range(1, n)))
    )


@attack(20_000)
def regions_of_a_goroutine_that_dies(n: int) -> bytes:
    begins = (event(REGION_BEGIN, i, 1, 0) for i in range(1, n))
    return trace(clock(), strings([b"a"]), running(*begins, event(GO_DESTROY)))


@attack(5_000)
def regions_that_end_as_others(n: int) -> bytes:
    """Under salvage each end looks for its begin."""
    begin, end = event(REGION_BEGIN, 1, 1, 0), event(REGION_END, 1, 2, 0)
    return trace(clock(), strings([b"a", b"b"]), running(begin * n, *[end] * n))


@attack(5_000)
def regions_that_end_in_the_order_of_their_begins(n: int) -> bytes:
    begins = (event(REGION_BEGIN, i, 1, 0) for i in range(1, n))
    ends = (event(REGION_END, i, 1, 0) for i in range(1, n))
    return trace(clock(), strings([b"a"]), running(*begins, *ends))


@attack(20_000)
def tasks_that_stay_open(n: int) -> bytes:
    begins = (event(TASK_BEGIN, i, 0, 1, 0) for i in range(1, n))
    return trace(clock(), strings([b"a"]), running(*begins))


@attack(20_000)
def logs_of_many_tasks(n: int) -> bytes:
    logs = (event(LOG, i, 1, 1, 0) for i in range(1, n))
    return trace(clock(), strings([b"a"]), running(*logs))


@attack(10_000)
def goroutines_of_one_task(n: int) -> bytes:
    events = [event(GO_CREATE, i, 0, 0) for i in range(2, n)]
    for i in range(2, n):
        events += [event(GO_STOP, 0, 0), event(GO_START, i, 1), event(LOG, 7, 1, 1, 0)]
    return trace(clock(), strings([b"a"]), running(*events))


@attack(4_000)
def workers_of_the_collector(n: int) -> bytes:
    """Each on a thread of its own, and none of them stops."""
    label = event(39, 1)
    threads = (
        encode_batch(1, i, 1, event(13, i, 1) + event(GO_STATUS, i, i, 2) + label)
        for i in range(1, n)
    )
    return trace(clock(), strings([b"GC (idle)"]), *threads)


# --- many generations -----------------------------------------------------------------------------


@attack(600)
def generations_of_nothing(n: int) -> bytes:
    return trace(*(clock(i) for i in range(1, n)))


@attack(600)
def generations_of_nothing_with_ends(n: int) -> bytes:
    return trace(*(clock(i, 26) + b"\x34" for i in range(1, n)), minor=26)


@attack(300)
def generations_with_a_reason_each(n: int) -> bytes:
    """The dictionary of reasons grows from batch to batch."""
    parts = []
    for i in range(1, n):
        stop = event(GO_BLOCK, 1, 0)
        start = b"".join(RUNNING[: 2 if i == 1 else 1])
        parts += [clock(i), strings([struct.pack(">I", i)], i)]
        parts.append(encode_batch(i, THREAD, 1, start + stop if i == 1 else start))
    return trace(*parts)


@attack(600)
def generations_of_many_threads(n: int) -> bytes:
    """In each a goroutine ends; to free its memory all threads are looked at."""
    first = clock() + running() + b"".join(encode_batch(1, i, 1, b"\x82\0\5") for i in range(9, n))
    parts = [first]
    for i in range(2, n):
        life = (GO_CREATE, 100 * i, 0, 0), (GO_STOP, 0, 0), (GO_START, 100 * i, 1), (GO_DESTROY,)
        events = (event(*one) for one in (*life, (GO_START, 1, 1)))
        parts += [clock(i), thread((*RUNNING, *events), generation=i)]
    return trace(*parts)


@attack(500)
def generations_that_break(n: int) -> bytes:
    broken = (clock(i, 26) + encode_batch(i, 5, 1, b"\xc8") + b"\x34" for i in range(1, n))
    return trace(*broken, minor=26)


@attack(100_000)
def ends_of_generations(n: int) -> bytes:
    return trace(b"\x34" * n, minor=26)


@attack(2_000)
def generation_zero(n: int) -> bytes:
    return trace(encode_batch(0, 1, 1, b"") * n)


@attack(2_000)
def generations_in_turns(n: int) -> bytes:
    return trace(*(encode_batch(5 + i % 2 * 3, 1, 1, b"") for i in range(n)), minor=26)


# --- lost framing ---------------------------------------------------------------------------------


@attack(2_000_000)
def noise(n: int) -> bytes:
    return trace(clock(1, 26), random.Random(2).randbytes(n), minor=26)


@attack(500_000)
def begins_of_long_batches(n: int) -> bytes:
    """Each promises 65,533 bytes, and is known for none only then."""
    return trace(clock(1, 26), b"?" + b"\1\2\2\2\xfd\xff\3" * (n // 7), minor=26)


@attack(500_000)
def begins_of_batches(n: int) -> bytes:
    return trace(clock(1, 26), b"?" + b"\1\1\1\1\xff\xff\3\1\1\1" * (n // 10), minor=26)
