"""Bad input, cut, flipped, glued, foreign, hostile: typed errors, salvage, no hang, no hunger."""

from __future__ import annotations

import faulthandler
import gzip
import io
import itertools
import json
import random
import resource
import sys
import time
from collections.abc import Iterator

import pytest

from gotrace.errors import (
    FormatError,
    GotraceError,
    LimitError,
    TruncatedError,
    UnsupportedVersionError,
)
from gotrace.spec.trace_events import HEADERS, NONE, header
from gotrace.testing import GoStatus, ProcStatus, TraceWriter
from gotrace.wire import WireReader, encode_batch, uvarint
from tests.core.decoding import OF_EACH_HEADER, TABLES, decode, real, real_names

#: A trace of seven generations of each header.
SEVEN = {
    22: "syscalls-go1.22",
    23: "syscalls-go1.24",
    25: "syscalls-go1.25",
    26: "syscalls-go1.27",
}
FEW = ("events", "generations", "notes")
HANG_SECONDS = 120


@pytest.fixture(autouse=True)
def nothing_hangs() -> Iterator[None]:
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def boundaries(data: bytes) -> list[int]:
    """Where batches begin, and the end."""
    return [batch.offset for batch in WireReader(data).batches()] + [len(data)]


def tables_only(data: bytes) -> set[int]:
    """Cuts behind tables that no event has followed yet: to Go the end of the trace, since 26."""
    found, empty = {16}, True
    for batch in WireReader(data).batches():
        if batch.spec.name == "EndOfGeneration":
            empty = True
        elif batch.kind is batch.spec:
            empty = False
        elif empty:
            found.add(batch.payload_offset + len(batch.payload))
    return found


def cuts(data: bytes, count: int) -> list[int]:
    rng = random.Random(len(data))
    inside = rng.sample(range(len(data)), min(count, len(data)))
    return sorted({*boundaries(data), *inside})


# --- cut ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("minor", SEVEN)
def test_a_cut_trace_under_fail(minor: int) -> None:
    """Either it ends where a generation does, or: a prefix of the events and a typed error."""
    data = real(SEVEN[minor])
    whole = decode(data, FEW)
    generations = whole.rows("generations")
    ends = {row["offset"] + row["bytes"] for row in generations}
    events = whole.table("events")
    for cut in cuts(data, 1000):
        decoded = decode(data[:cut], FEW)
        rows = decoded.table("events").num_rows
        if decoded.error is None:
            # Before 26 the end of a trace is not marked: a cut between batches may go unseen.
            unmarked = set(boundaries(data)) if minor < 26 else tables_only(data)
            assert cut in ends or cut in unmarked, cut
        else:
            assert isinstance(decoded.error, FormatError), cut
            assert decoded.error.reason
            assert decoded.error.offset is not None
            assert 0 <= decoded.error.offset <= cut
        done = [row for row in generations if row["offset"] + row["bytes"] <= cut]
        if done:
            assert rows >= done[-1]["last_seq"] + 1, cut
            last = done[-1]["last_seq"] + 1
            assert decoded.table("events").slice(0, last).equals(events.slice(0, last)), cut


@pytest.mark.parametrize("minor", SEVEN)
def test_a_cut_trace_under_salvage(minor: int) -> None:
    """Every whole generation is delivered, the one that was cut is noted, nothing raises."""
    data = real(SEVEN[minor])
    whole = decode(data, FEW)
    generations = whole.rows("generations")
    events = whole.table("events")
    for cut in cuts(data, 1000):
        decoded = decode(data[:cut], FEW, salvage=True)
        if cut < 16:
            assert isinstance(decoded.error, FormatError)
            continue
        assert decoded.error is None, cut
        done = [row for row in generations if row["offset"] + row["bytes"] <= cut]
        got = decoded.rows("generations")
        assert [row["number"] for row in got][: len(done)] == [row["number"] for row in done], cut
        assert len(got) <= len(done) + 1
        if done:
            last = done[-1]["last_seq"] + 1
            assert decoded.table("events").slice(0, last).equals(events.slice(0, last)), cut
        ends_well = cut == 16 or (done and done[-1]["offset"] + done[-1]["bytes"] == cut)
        errors = [note for note in decoded.rows("notes") if note["severity"] == "error"]
        if ends_well and cut != 16:
            assert errors == [], cut
        elif cut not in (boundaries(data) if minor < 26 else tables_only(data)):
            assert errors, cut
        assert len(errors) <= 2


@pytest.mark.parametrize("minor", SEVEN)
def test_a_cut_inside_a_batch_is_a_truncation(minor: int) -> None:
    data = real(SEVEN[minor])
    first, second = boundaries(data)[-3:-1]
    for cut in (first + 1, (first + second) // 2, second - 1):
        notes = decode(data[:cut], FEW, salvage=True).rows("notes")
        assert "ends inside" in " ".join(str(note["text"]) for note in notes)
    error = decode(data[: boundaries(data)[1] + 3]).error
    assert isinstance(error, FormatError)


def test_a_cut_header_is_named() -> None:
    for size in range(16):
        error = decode(b"go 1.26 trace\0\0\0"[:size]).error
        assert isinstance(error, FormatError)
        assert "not a Go execution trace" in error.reason


def test_a_cut_behind_the_tables_of_a_generation_is_noted_under_salvage() -> None:
    data = real(SEVEN[26])
    fourth = decode(data, FEW).rows("generations")[3]["offset"]
    cut = min(place for place in tables_only(data) if place > fourth)
    decoded = decode(data[:cut], FEW, salvage=True)
    assert [row["number"] for row in decoded.rows("generations")] == [1, 2, 3]
    assert decoded.rows("notes") != []


# --- flipped ------------------------------------------------------------------------------------


@pytest.mark.parametrize("minor", SEVEN)
def test_flipped_bytes_under_salvage_cost_their_neighbourhood_at_most(minor: int) -> None:
    """A byte of a payload that is wrong costs its generation and its neighbours', and is noted.

    One in the header of a batch may be its size, and swallow the next 64 KiB.
    """
    data = real(SEVEN[minor])
    whole = {row["number"]: row for row in decode(data, FEW).rows("generations")}
    payloads = [
        range(batch.payload_offset, batch.payload_offset + len(batch.payload))
        for batch in WireReader(data).batches()
    ]
    rng = random.Random(minor)
    failures = []
    for _ in range(400):
        at = rng.randrange(16, len(data))
        flipped = data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]
        decoded = decode(flipped, FEW, salvage=True)
        if isinstance(decoded.error, LimitError):
            continue  # an id beyond all limits
        hit = next(n for n, row in whole.items() if at < row["offset"] + row["bytes"])
        got = {row["number"]: row["events"] for row in decoded.rows("generations")}
        lost = [n for n, row in whole.items() if got.get(n) != row["events"]]
        far = [n for n in lost if abs(n - hit) > 1]
        if decoded.error is not None:
            failures.append((at, decoded.error))
        elif far and any(at in payload for payload in payloads):
            failures.append((at, hit, far, decoded.rows("notes")[:2]))
        elif lost and not decoded.rows("notes"):
            failures.append((at, hit, lost, "lost without a note"))
    assert failures == []


def test_an_absurd_id_costs_its_generation_under_salvage() -> None:
    file = io.BytesIO()
    with TraceWriter(file, 26) as trace:
        thread = trace.thread(1)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        for number in range(1, 5):
            if number == 2:
                thread.event("GoCreate", 2**63 + 5, 0, 0)
            thread.heap_alloc(number)
            trace.new_generation()
    decoded = decode(file.getvalue(), FEW, salvage=True)
    assert decoded.error is None
    complete = [row["number"] for row in decoded.rows("generations") if row["complete"]]
    assert complete[:3] == [1, 3, 4]
    assert [note["generation"] for note in decoded.rows("notes")] == [2]


@pytest.mark.parametrize("minor", SEVEN)
def test_seqs_and_times_rise_over_every_gap(minor: int) -> None:
    data = real(SEVEN[minor])
    rng = random.Random(minor)
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(rng.randrange(1, 12)):
            broken[rng.randrange(16, len(data))] = rng.randrange(256)
        decoded = decode(bytes(broken), salvage=True)
        events = decoded.table("events")
        times = events["time_ns"].to_pylist()
        assert events["seq"].to_pylist() == list(range(len(events)))
        assert all(a < b for a, b in itertools.pairwise(times))
        for batches in decoded.batches.values():
            for batch in batches:
                batch.validate(full=True)


@pytest.mark.parametrize("minor", OF_EACH_HEADER)
def test_bytes_of_a_small_trace_flipped(minor: int) -> None:
    data = real(OF_EACH_HEADER[minor])
    for at in (*range(200), *range(200, len(data), 7)):
        flipped = data[:at] + bytes((data[at] ^ 0x55,)) + data[at + 1 :]
        for salvage in (False, True):
            decoded = decode(flipped, FEW, salvage=salvage)
            assert decoded.error is None or isinstance(decoded.error, GotraceError)
            if isinstance(decoded.error, FormatError):
                assert decoded.error.offset is not None
                assert 0 <= decoded.error.offset <= len(data)
                assert decoded.error.reason


# --- glued and foreign --------------------------------------------------------------------------


@pytest.mark.parametrize("second", OF_EACH_HEADER)
@pytest.mark.parametrize("first", OF_EACH_HEADER)
def test_two_traces_in_one_file(first: int, second: int) -> None:
    one, other = real(OF_EACH_HEADER[first]), real(OF_EACH_HEADER[second])
    decoded = decode(one + other, FEW)
    assert isinstance(decoded.error, FormatError)
    assert decoded.error.offset == len(one)
    assert "byte 103" in decoded.error.reason
    alone = decode(one, FEW)
    assert (
        decoded.table("events")
        .slice(0, alone.table("events").num_rows - 1)
        .equals(alone.table("events").slice(0, alone.table("events").num_rows - 1))
    )
    salvaged = decode(one + other, FEW, salvage=True)
    assert salvaged.error is None
    counts = [row["events"] for row in salvaged.rows("generations")]
    expected = [row["events"] for row in alone.rows("generations")]
    expected += [row["events"] for row in decode(other, FEW).rows("generations")]
    assert counts == expected
    assert [note["code"] for note in salvaged.rows("notes") if note["severity"] == "error"]


FOREIGN = {
    "empty": b"",
    "a newline": b"\n",
    "text": b"hello, this is no trace\n" * 10,
    "HTML": b"<!DOCTYPE html><html><body>404</body></html>",
    "JSON": json.dumps({"traceEvents": []}).encode(),
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "gzip": gzip.compress(b"go 1.26 trace\0\0\0"),
    "zeros": bytes(1000),
    "ones": b"\xff" * 1000,
    "ELF": b"\x7fELF" + bytes(60),
    "noise": random.Random(1).randbytes(100_000),
    "almost a trace": b"go 1.26 trace\0\0\1" + bytes(10),
    "a dump": b"goroutine 1 [running]:\nmain.main()\n\t/main.go:3 +0x1d\n",
}


@pytest.mark.parametrize("salvage", [False, True])
@pytest.mark.parametrize("kind", FOREIGN)
def test_other_formats(kind: str, salvage: bool) -> None:
    decoded = decode(FOREIGN[kind], salvage=salvage)
    assert type(decoded.error) is FormatError
    assert "not a Go execution trace" in decoded.error.reason
    assert decoded.table("events").num_rows == 0


@pytest.mark.parametrize("minor", [5, 11, 19, 21, 24])
@pytest.mark.parametrize("salvage", [False, True])
def test_older_versions_are_named(minor: int, salvage: bool) -> None:
    decoded = decode(b"go 1.%02d trace\0\0\0" % minor + bytes(50), salvage=salvage)
    assert isinstance(decoded.error, UnsupportedVersionError)
    assert f"1.{minor}" in decoded.error.reason


def test_newer_versions_are_refused_or_tried() -> None:
    newer = b"go 1.28 trace\0\0\0" + real("annotations-go1.27")[16:]
    assert isinstance(decode(newer).error, UnsupportedVersionError)
    tried = decode(newer, salvage=True)
    assert tried.error is None
    assert (
        tried.table("events").num_rows
        == decode(real("annotations-go1.27")).table("events").num_rows
    )
    assert "1.28" in str(tried.rows("notes"))


@pytest.mark.parametrize("minor", HEADERS)
def test_a_header_alone(minor: int) -> None:
    decoded = decode(header(minor))
    assert decoded.table("events").num_rows <= 1
    assert decode(header(minor), salvage=True).error is None


# --- hostile ------------------------------------------------------------------------------------

HUGE = 50 * 10**9


def framed(payload: bytes, minor: int = 22) -> bytes:
    frequency = encode_batch(1, NONE, 1, b"\x08" + uvarint(15_625_000))
    return header(minor) + frequency + encode_batch(1, NONE, 1, payload)


HOSTILE = {
    "a batch of 50 GB": header(26) + b"\1\1\1\1" + uvarint(HUGE) + b"\x0a" * 100,
    "an experimental batch of 50 GB": header(26) + b"\x31\1\1\1\1" + uvarint(HUGE) + bytes(100),
    "a string of 50 GB": framed(b"\x04\x05\x01" + uvarint(HUGE) + b"abc"),
    "a stack of 50 G frames": framed(b"\x02\x03\x01" + uvarint(HUGE) + b"\1\1\1\1"),
    "a string id of 2**64 - 1": framed(b"\x04\x05" + uvarint(2**64 - 1) + b"\x01a"),
    "a proc of 2**62": framed(b"\x0d\x00" + uvarint(2**62) + b"\x02"),
    "a goroutine of 2**62": framed(b"\x19\x00" + uvarint(2**62) + uvarint(NONE) + b"\x04"),
    "a delta of 2**64 - 1": framed(b"\x25" + uvarint(2**64 - 1) + b"\x01"),
    "numbers that do not end": framed(b"\x25" + b"\x80" * 200),
    "a generation of 2**64 - 1": header(22) + encode_batch(2**64 - 1, NONE, 1, b"\x08\x01"),
}


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("salvage", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_declared_sizes_are_not_believed(name: str, salvage: bool) -> None:
    before = peak_bytes()
    decoded = decode(HOSTILE[name], salvage=salvage)
    assert decoded.error is None or isinstance(decoded.error, GotraceError)
    assert peak_bytes() - before < 64 << 20


def test_a_batch_of_50_gigabytes_that_comes_bit_by_bit() -> None:
    data = HOSTILE["a batch of 50 GB"] + bytes(1 << 20)
    error = decode(data, chunk=100).error
    assert isinstance(error, FormatError)
    assert error.offset == 16


def test_what_is_odd_before_a_fault_is_noted_of_that_generation() -> None:
    """Found by fuzzing: it was noted of the next one, but not with a second thread."""
    clock = b"\x08" + uvarint(15_625_000)
    none = uvarint(NONE)
    odd, broken = b"\x19\0\2\4\0", b"\x19\1\2" + none + b"\4"
    data = header(22) + b"".join(
        (
            *(encode_batch(1, NONE, 1, clock), encode_batch(1, NONE, 1, odd + broken)),
            *(encode_batch(2, NONE, 1, clock), encode_batch(2, 5, 1, b"\x0d\0\0\1")),
        )
    )
    notes = decode(data, ("goroutines", "notes"), salvage=True).rows("notes")
    assert [(note["code"], note["generation"]) for note in notes] == [
        ("illegal_transition", 1),
        ("damage", 1),
    ]


@pytest.mark.parametrize("salvage", [False, True])
def test_the_greatest_generation_has_no_next_one(salvage: bool) -> None:
    """Found by fuzzing: 0 was taken for it, where the batch came in pieces."""
    clock = b"\x08" + uvarint(15_625_000)
    batches = (encode_batch(number, NONE, 1, clock) for number in (2**64 - 1, 0, 1))
    data = header(22) + b"".join(batches)
    whole, pieces = decode(data, salvage=salvage), decode(data, salvage=salvage, chunk=1)
    assert str(whole.error) == str(pieces.error)
    assert whole.rows("notes") == pieces.rows("notes")


def test_a_limit_counts_more_than_the_number_of_the_generation_it_strikes_in() -> None:
    """Found by fuzzing: a generation out of order, too large at once, was lost without a word."""
    metrics = b"".join((b"\x0d\0\0\1", b"\x25\0\1" * 21_000))
    out_of_order = (encode_batch(1, 5, 1, b"\x0d\0\0\1"), encode_batch(3, 5, 1, metrics))
    clock = encode_batch(3, NONE, 1, b"\x32\x08" + uvarint(15_625_000) + b"\x33\0\1\1\1")
    data = header(26) + b"".join((*out_of_order, clock, b"\x34"))
    outcomes = set()
    for limit in range(65_000, 140_000, 1000):
        decoded = decode(data, ("metrics",), salvage=True, max_memory=limit)
        outcomes.add(type(decoded.error))
        assert isinstance(decoded.error, LimitError) or len(decoded.rows("metrics")) == 21_000
    assert outcomes == {LimitError, type(None)}


@pytest.mark.parametrize("salvage", [False, True])
def test_a_generation_above_the_memory_limit(salvage: bool) -> None:
    file = io.BytesIO()
    with TraceWriter(file, 26) as trace:
        thread = trace.thread(1)
        for _ in range(400_000):
            thread.event("HeapAlloc", 1 << 60)
    error = decode(file.getvalue(), FEW, salvage=salvage, max_memory=1 << 20).error
    assert isinstance(error, LimitError)
    assert str(1 << 20) in str(error)


@pytest.mark.parametrize("what", ["goroutines", "tasks", "strings", "stacks", "threads"])
def test_ids_far_apart_cost_what_they_are(what: str) -> None:
    """Sparse ids must not become sparse memory: a few hundred bytes each at most."""
    count = 100_000
    rng = random.Random(7)
    ids = [rng.randrange(1, 2**62) for _ in range(count)]
    before = peak_bytes()
    if what == "threads":
        batches = b"".join(encode_batch(1, id_, 1, b"\x82\x00\x05") for id_ in ids)
        data = framed(b"") + batches
    else:
        item = {
            "goroutines": lambda id_: b"\x19\x00" + uvarint(id_) + uvarint(NONE) + b"\x04",
            "tasks": lambda id_: b"\x29\x00" + uvarint(id_) + b"\x00",
            "strings": lambda id_: b"\x05" + uvarint(id_) + b"\x01a",
            "stacks": lambda id_: b"\x03" + uvarint(id_) + b"\x01\x01\x00\x00\x01",
        }[what]
        start = {"strings": b"\x04", "stacks": b"\x02"}.get(what, b"")
        if what == "tasks":
            start = b"\x0d\x00\x00\x01\x19\x00\x01\x05\x02"
        data = framed(b"")
        for i in range(0, count, 2000):
            payload = start + b"".join(map(item, ids[i : i + 2000]))
            data += encode_batch(1, 5 if what == "tasks" else NONE, 1, payload)
            if what == "tasks":
                start = b""
    decoded = decode(data, FEW)
    assert decoded.error is None or isinstance(decoded.error, GotraceError), decoded.error
    # A page of goroutines, or a thread with all its state, is what one id costs at most.
    assert peak_bytes() - before < count * 6000 + (100 << 20)


def test_noise_behind_a_header_ends_soon() -> None:
    rng = random.Random(3)
    start = time.monotonic()
    for minor in HEADERS:
        for first in (1, 4, 49, 52, 0x67):
            data = header(minor) + bytes((first,)) + rng.randbytes(3 << 20)
            for salvage in (False, True):
                decoded = decode(data, FEW, salvage=salvage, chunk=1 << 16)
                assert decoded.error is None or isinstance(decoded.error, GotraceError)
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    "filler", [b"\1", b"\x31", b"g", b"go 1.26 trace\0\0\0", b"\1\1\1\1\xff\xff\3"]
)
def test_what_looks_like_batches_all_the_way_ends_soon(filler: bytes) -> None:
    """The search for lost framing is linear, whatever it is shown."""
    data = header(26) + b"?" + filler * ((2 << 20) // len(filler))
    start = time.monotonic()
    decoded = decode(data, FEW, salvage=True)
    assert decoded.error is None or isinstance(decoded.error, GotraceError)
    assert time.monotonic() - start < 20


def crowd_that_waits(threads: int, events: int) -> bytes:
    """One thread works, all others wait for what never comes; the earliest too."""
    waits = bytes((16, 1, 9, 5))  # GoStart of goroutine 9, event 5 of its
    out = [header(22), encode_batch(1, 1, 1, bytes((13, 0, 0, 1)) + waits)]
    out += [encode_batch(1, 1000 + i, 1 << 40, waits) for i in range(threads)]
    out.append(encode_batch(1, 2, 2, bytes((13, 1, 1, 1))))
    for first in range(0, events, 20_000):
        work = bytes((37, 1, 1)) * min(20_000, events - first)
        out.append(encode_batch(1, 2, 2, work))
    out.append(encode_batch(1, NONE, 1, b"\x08" + uvarint(15_625_000)))
    return b"".join(out)


def test_threads_that_all_wait_are_not_sorted_for_ever() -> None:
    start = time.monotonic()
    error = decode(crowd_that_waits(16_000, 160_000), FEW).error
    assert isinstance(error, GotraceError)
    assert time.monotonic() - start < 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in kilobytes")
@pytest.mark.parametrize("name", [n for n in real_names() if n.startswith("restart")])
def test_noise_in_many_places_never_crashes(name: str) -> None:
    data = real(name)
    rng = random.Random(name)
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(rng.choice((1, 3, 30))):
            broken[rng.randrange(16, len(broken))] = rng.randrange(256)
        for salvage in (False, True):
            decoded = decode(bytes(broken), TABLES, salvage=salvage, chunk=rng.choice((7, 999)))
            assert decoded.error is None or isinstance(decoded.error, GotraceError)


def test_errors_of_truncation_are_end_of_file_errors() -> None:
    data = real("annotations-go1.27")
    error = decode(data[:-1]).error
    assert isinstance(error, TruncatedError)
    assert isinstance(error, EOFError)
    assert isinstance(error, ValueError)
