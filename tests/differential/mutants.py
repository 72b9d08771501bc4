"""Small real traces, damaged: bytes, records and batches changed at random, again and again alike.

A mutant is its number: `mutant(17)` is the same bytes everywhere, and
`python -m tests.differential.mutants 17` says what both readers make of it (`-o FILE` keeps it).
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gotrace.errors import FormatError
from gotrace.spec.trace_events import EVENT_BY_NAME
from gotrace.wire import RAW_BYTES, Batch, Record, WireReader, encode_batch, encode_record
from tests.core.decoding import real

#: Small traces of every header, a few of them of several generations.
PARENTS = (
    *("restart-go1.22", "restart-go1.23", "restart-go1.25", "restart-go1.27"),
    *("annotations-go1.22", "annotations-go1.23", "annotations-go1.25", "annotations-go1.26"),
    *("misnested-go1.22", "misnested-go1.25", "misnested-go1.27"),
    *("coro-go1.23", "coro-go1.25", "coro-go1.27", "alloc-go1.23", "alloc-go1.27"),
    *("syscalls-go1.22", "syscalls-go1.24", "syscalls-go1.25", "syscalls-go1.27"),
    *("cgo-generations-go1.22", "alloc-generations-go1.25", "cpuprofile-go1.22"),
)
#: How often one is taken: the big ones seldom.
WEIGHTS = (*[8] * 11, *[3] * 5, *[2] * 4, *[1] * 3)

NUMBERS = (0, 1, 2, 3, 4, 5, 127, 128, 2**31 - 1, 2**31, 2**32, 2**53, 2**62, 2**63, 2**64 - 1)


@dataclass(frozen=True)
class Mutant:
    number: int
    parent: str
    changes: tuple[str, ...]
    data: bytes


def mutant(number: int) -> Mutant:
    rng = random.Random(number)
    parent = rng.choices(PARENTS, WEIGHTS)[0]
    data = real(parent)
    changes = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        name = rng.choice(list(CHANGES))
        if len(data) <= 16:
            break
        try:
            data = CHANGES[name](data, rng)
        except FormatError:  # the change before left no batches to take apart
            continue
        changes.append(name)
    return Mutant(number, parent, tuple(changes), data)


# --- bytes --------------------------------------------------------------------------------------


def flip_bit(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def set_byte(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(16, len(data) + 1)
    return data[:at] + bytes((rng.randrange(256),)) + data[at + 1 :]


def insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(16, len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice((1, 1, 2, 20))) + data[at:]


def delete(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(16, len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 1, 2, 20, 2000)) :]


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def repeat_bytes(data: bytes, rng: random.Random) -> bytes:
    at, size = rng.randrange(16, len(data) + 1), rng.choice((1, 5, 100))
    return data[: at + size] + data[at:]


# --- batches ------------------------------------------------------------------------------------


def batches_of(data: bytes) -> list[Batch]:
    return list(WireReader(data, any_version=True).batches())


def joined(data: bytes, batches: list[Batch]) -> bytes:
    return data[:16] + b"".join(map(bytes_of, batches))


def bytes_of(batch: Batch) -> bytes:
    if not batch.spec.args:
        return bytes((batch.spec.id,))
    experiment = batch.experiment if batch.spec.name == "ExperimentalBatch" else None
    return encode_batch(
        batch.generation, batch.thread, batch.time, batch.payload, experiment=experiment
    )


def swap_batches(data: bytes, rng: random.Random) -> bytes:
    batches = batches_of(data)
    for _ in range(rng.choice((1, 1, 5))):
        i, j = rng.randrange(len(batches)), rng.randrange(len(batches))
        batches[i], batches[j] = batches[j], batches[i]
    return joined(data, batches)


def shuffle_threads(data: bytes, rng: random.Random) -> bytes:
    """Batches of one generation in any order, those of one thread in theirs: still a fine trace."""
    batches = batches_of(data)
    start = 0
    while start < len(batches):
        stop = start
        while (
            stop < len(batches)
            and batches[stop].spec.args
            and batches[stop].generation == batches[start].generation
        ):
            stop += 1
        part = batches[start:stop]
        owners = [batch.thread for batch in part]
        queues = {owner: iter([b for b in part if b.thread == owner]) for owner in owners}
        rng.shuffle(owners)
        batches[start:stop] = [next(queues[owner]) for owner in owners]
        start = max(stop, start + 1)
    return joined(data, batches)


def drop_batch(data: bytes, rng: random.Random) -> bytes:
    batches = batches_of(data)
    del batches[rng.randrange(len(batches))]
    return joined(data, batches)


def repeat_batch(data: bytes, rng: random.Random) -> bytes:
    batches = batches_of(data)
    batches.insert(rng.randrange(len(batches)), rng.choice(batches))
    return joined(data, batches)


def split_batch(data: bytes, rng: random.Random) -> bytes:
    batches = batches_of(data)
    at = rng.randrange(len(batches))
    batch = batches[at]
    cut = rng.randrange(len(batch.payload) + 1)
    if batch.spec.args:
        batches[at : at + 1] = [
            replace(batch, payload=batch.payload[:cut]),
            replace(batch, payload=batch.payload[cut:]),
        ]
    return joined(data, batches)


def change_batch_header(data: bytes, rng: random.Random) -> bytes:
    batches = batches_of(data)
    at = rng.randrange(len(batches))
    field = rng.choice(("generation", "thread", "time"))
    old = getattr(batches[at], field)
    batches[at] = replace(batches[at], **{field: other_number(old, rng)})
    return joined(data, batches)


def change_experiment(data: bytes, rng: random.Random) -> bytes:
    batches = batches_of(data)
    at = rng.randrange(len(batches))
    if batches[at].spec.args:
        spec = EVENT_BY_NAME["ExperimentalBatch"]
        batches[at] = replace(batches[at], spec=spec, experiment=rng.randrange(4))
    return joined(data, batches)


# --- records ------------------------------------------------------------------------------------


def on_records(
    change: Callable[[list[Record], random.Random], None],
) -> Callable[[bytes, random.Random], bytes]:
    """A change of the records of one batch; the batch's size stays right."""

    def apply(data: bytes, rng: random.Random) -> bytes:
        batches = batches_of(data)
        at = rng.randrange(len(batches))
        batch = batches[at]
        records = list(batch.records())
        if records:
            change(records, rng)
            payload = b"".join(map(encode_record, records))[:65536]
            batches[at] = replace(batch, payload=payload)
        return joined(data, batches)

    apply.__name__ = change.__name__
    return apply


def other_number(old: int, rng: random.Random) -> int:
    return rng.choice((*NUMBERS, old + 1, old - 1, old + 2, old ^ 1 << rng.randrange(64))) % 2**64


@on_records
def change_argument(records: list[Record], rng: random.Random) -> None:
    at = rng.randrange(len(records))
    record = records[at]
    if record.args:
        args = list(record.args)
        which = rng.randrange(len(args))
        args[which] = other_number(args[which], rng)
        frames = record.frames
        if record.spec.is_stack and which == 1:
            args[1] = min(args[1], 200)
            frames = (frames * 200 or ((1, 0, 0, 1),) * 200)[: args[1]]
        records[at] = replace(record, args=tuple(args), frames=frames, padding=())


@on_records
def change_frame(records: list[Record], rng: random.Random) -> None:
    at = rng.randrange(len(records))
    record = records[at]
    if record.frames:
        frames = [list(frame) for frame in record.frames]
        frame = rng.choice(frames)
        which = rng.randrange(4)
        frame[which] = other_number(frame[which], rng)
        changed = tuple((a, b, c, d) for a, b, c, d in frames)
        records[at] = replace(record, frames=changed, padding=())


@on_records
def drop_record(records: list[Record], rng: random.Random) -> None:
    del records[rng.randrange(len(records))]


@on_records
def repeat_record(records: list[Record], rng: random.Random) -> None:
    records.insert(rng.randrange(len(records) + 1), rng.choice(records))


@on_records
def swap_records(records: list[Record], rng: random.Random) -> None:
    i, j = rng.randrange(len(records)), rng.randrange(len(records))
    records[i], records[j] = records[j], records[i]


@on_records
def other_event(records: list[Record], rng: random.Random) -> None:
    """Another event in the place of one, with its first arguments as far as they go."""
    at = rng.randrange(len(records))
    spec = rng.choice([spec for spec in EVENT_BY_NAME.values() if spec.is_timed])
    args = (*records[at].args, *(rng.randrange(8) for _ in spec.args))[: len(spec.args)]
    records[at] = Record(spec, args)


@on_records
def bytes_between(records: list[Record], rng: random.Random) -> None:
    raw = rng.randbytes(rng.randrange(1, 4))
    records.insert(rng.randrange(len(records) + 1), Record(RAW_BYTES, data=raw))


CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    change.__name__: change
    for change in (
        *(flip_bit, set_byte, insert, delete, truncate, repeat_bytes),
        *(swap_batches, shuffle_threads, drop_batch, repeat_batch, split_batch),
        *(change_batch_header, change_experiment, change_argument, change_frame, drop_record),
        *(repeat_record, swap_records, other_event, bytes_between),
    )
}


def main() -> int:
    from tests.differential.exceptions import explained
    from tests.differential.go_reader import read_with_both

    parser = argparse.ArgumentParser(prog="python -m tests.differential.mutants")
    parser.add_argument("number", type=int)
    parser.add_argument("-o", type=Path, help="keep the trace")
    options = parser.parse_args()
    one = mutant(options.number)
    if options.o:
        options.o.write_bytes(one.data)
    both = read_with_both(one.data)
    print(one.parent, *one.changes, len(one.data))
    print("ours:", both.ours.table("events").num_rows, repr(both.ours.error))
    print("Go:  ", both.go.events.num_rows, both.go.verdict, both.go.message[:200])
    print(*both.differences(), sep="\n")
    print("explained by:", explained(both, one.data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
