"""The critical path of a goroutine, or of a task: back from the end, who held things up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import CriticalPath
from gotrace.analyses.reading import Reading, Tables
from gotrace.analyses.sums import codes_in, ints, whole
from gotrace.arrays import Bools, Ints
from gotrace.errors import LimitError, UnknownNameError
from gotrace.limits import MOST_PATH_INTERVALS
from gotrace.spec.words import STATES
from gotrace.tables.schema import schema
from gotrace.tables.times import When

_WAITING: Final = STATES.index("waiting")
_COLUMNS: Final = (
    "goroutine",
    "start_ns",
    "end_ns",
    "state",
    "wait",
    "stack_id",
    "end_stack_id",
    "by_goroutine",
    "by_kind",
)


def critical_path(tables: Tables, goroutine: int, start: When, end: When) -> pa.Table:
    """Give the table `critical_path` of what a goroutine did from `start` to `end`.

    Reads `goroutine_states` of that time, into memory. Raises `UnknownNameError` for a goroutine
    that has no part in it, `LimitError` for too long a time, ValueError for one that the trace
    cannot place.
    """
    reading = Reading(tables, {"goroutine_states": _COLUMNS}, start=start, end=end)
    batches: list[pa.RecordBatch] = []
    rows = 0
    for _, batch in reading:
        rows += batch.num_rows
        if rows > MOST_PATH_INTERVALS:
            raise LimitError(
                f"the goroutines have more than {MOST_PATH_INTERVALS:,} intervals in this time "
                "(limit MOST_PATH_INTERVALS): look for the critical path of a shorter one"
            )
        batches.append(batch)
    wanted = schema("goroutine_states", _COLUMNS)
    states = pa.Table.from_batches(batches, wanted).unify_dictionaries().combine_chunks()
    assert reading.start_ns is not None
    assert reading.end_ns is not None
    return path_of(states, goroutine, reading.start_ns, reading.end_ns)


def path_of(states: pa.Table, goroutine: int, start_ns: int, end_ns: int) -> pa.Table:
    """Give the table `critical_path` from rows of `goroutine_states`."""
    own = whole(states["goroutine"]).dictionary_encode()
    ids = own.dictionary
    at = pc.index(ids, goroutine).as_py()
    if at < 0:
        raise UnknownNameError(f"goroutine {goroutine} has no part in this time")
    numbers = np.asarray(own.indices)
    order = _by_number(numbers)
    state = codes_in(whole(states["state"]), STATES)[order]
    by = ints(pc.index_in(whole(states["by_goroutine"]), ids, skip_nulls=True), -1)[order]
    made = codes_in(whole(states["by_kind"]), ("create",))[order] == 0
    path = CriticalPath()
    path.walk(
        np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(numbers))]),
        ints(states["start_ns"])[order],
        ints(states["end_ns"])[order],
        np.where(state == _WAITING, by, -1).astype(np.int32),
        np.where(made, by, -1).astype(np.int32),
        (state == _WAITING).astype(np.uint8),
        at,
        start_ns,
        end_ns,
    )
    return _table(path, states, order, ints(ids))


def _by_number(numbers: npt.NDArray[np.int32]) -> Ints:
    """Give the rows by goroutine; those of one are as they were: one after the other in time.

    Numpy sorts 16 bits by their digits, which is several times as fast as all of them.
    """
    order: Ints = np.argsort((numbers & 0xFFFF).astype(np.uint16), kind="stable")
    high = (numbers >> 16).astype(np.uint16)
    return order[np.argsort(high[order], kind="stable")] if high.any() else order


def _table(path: CriticalPath, states: pa.Table, order: Ints, ids: Ints) -> pa.Table:
    size = len(path)
    intervals, starts, ends = (np.empty(size, np.int64) for _ in range(3))
    goroutines, depths = np.empty(size, np.int32), np.empty(size, np.int32)
    path.copy_to(intervals, goroutines, starts, ends, depths)
    unknown: Bools = intervals < 0
    taken = states.take(pa.array(order[intervals], mask=unknown))
    ran = pc.equal(taken["state"].cast(pa.utf8()), "running").fill_null(False)
    stack = pc.if_else(ran, taken["end_stack_id"], taken["stack_id"])
    wanted = schema("critical_path")
    columns = [
        pa.array(starts),
        pa.array(ends),
        pa.array(ends - starts),
        pa.array(ids[goroutines]),
        taken["state"],
        taken["wait"],
        stack,
        pa.array(depths),
    ]
    return pa.table(columns, schema=wanted)


def split_of(path: pa.Table) -> dict[str, int]:
    """Sum the segments of a path by what they are: running, ready, syscall, or what was waited for.

    The sum of all is the length of the interval.
    """
    sums: dict[str, int] = {}
    columns = (path["state"], path["wait"], path["duration_ns"])
    for state, wait, time in zip(*(column.to_pylist() for column in columns), strict=True):
        word = _WORDS.get(state, wait or "unknown") if state else "unknown"
        sums[word] = sums.get(word, 0) + time
    return sums


_WORDS: Final = {"running": "running", "runnable": "ready", "syscall": "syscall"}


def split_of_paths(
    tables: Tables, ends: Sequence[tuple[int | None, int, int]]
) -> list[dict[str, int]]:
    """Give `split_of` the critical path of each (goroutine, start_ns, end_ns), in one pass.

    Empty where the goroutine is None, or has no part in its time.
    """
    paths: list[dict[str, int]] = [{} for _ in ends]
    if not ends:
        return paths
    first, last = min(start for _, start, _ in ends), max(end for *_, end in ends)
    wanted = schema("goroutine_states", _COLUMNS)
    rows: list[list[pa.RecordBatch]] = [[] for _ in ends]
    for _, batch in Reading(tables, {"goroutine_states": _COLUMNS}, start=first, end=last):
        for held, (_, start, end) in zip(rows, ends, strict=True):
            before = pc.less(batch.column("start_ns"), end)
            own = batch.filter(pc.and_(before, pc.greater(batch.column("end_ns"), start)))
            if own.num_rows:
                held.append(own)
    for at, (who, start, end) in enumerate(ends):
        states = pa.Table.from_batches(rows[at], wanted).unify_dictionaries().combine_chunks()
        if who is not None and pc.any(pc.equal(states["goroutine"], who)).as_py():
            paths[at] = split_of(path_of(states, who, start, end))
    return paths
