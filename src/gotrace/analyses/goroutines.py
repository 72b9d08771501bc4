"""Goroutines by what they run or where they were made: the table `goroutine_groups`."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses import names_of_stacks
from gotrace.analyses.clipping import clipped_goroutines
from gotrace.analyses.distributions import PERCENTILES, Distributions
from gotrace.analyses.lists_of_times import ListSums, sum_of
from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.analyses.sums import Numbering, Sums, ints
from gotrace.errors import unknown_name
from gotrace.spec.words import RANGE_GC_ASSIST
from gotrace.tables.schema import schema
from gotrace.tables.times import When

GROUPINGS: Final = ("name", "site")
"""By entry function, or by the line of the `go` statement."""

SPREAD: Final = ("exec", "sched", "block", "total")
"""Times of single goroutines whose percentiles are told."""

_SUMMED: Final = (
    "exec_ns",
    "sched_ns",
    "syscall_ns",
    "syscall_block_ns",
    "block_ns",
    "unknown_ns",
    "total_ns",
    "runs",
)
_WORDS: Final = {"block": "reason", "range": "name"}
COLUMNS: Final = (
    "name",
    "creation_stack_id",
    "ended_at_ns",
    *_SUMMED,
    "block",
    "range",
    "is_system",
)
"""What is read of `goroutines`."""


def goroutines(
    tables: Tables,
    group_by: str = "name",
    *,
    start: When | None = None,
    end: When | None = None,
    compat: str | None = None,
) -> pa.Table:
    """Group goroutines: the table `goroutine_groups`, the group that ran longest first.

    Reads `goroutines` and `stacks`; with `start` or `end` also `goroutine_states`, and every
    number is of that stretch alone. With `compat="go"` the numbers of a whole trace are those of
    Go's Summarizer. Raises `UnknownNameError` for a grouping that is none,
    ValueError for a time that the trace cannot place.
    """
    return grouped(tables, group_by, start=start, end=end, compat=compat)[0]


def grouped(
    tables: Tables,
    group_by: str = "name",
    *,
    start: When | None = None,
    end: When | None = None,
    compat: str | None = None,
) -> tuple[pa.Table, Span]:
    """Group goroutines, and say what stretch of time that is about."""
    if group_by not in GROUPINGS:
        raise unknown_name("grouping", group_by, GROUPINGS)
    columns = {"stacks": names_of_stacks.COLUMNS, "goroutines": COLUMNS}
    if start is None and end is None:
        reading = Reading(tables, columns, compat=compat)
        groups = _Groups(group_by)
        for name, batch in reading:
            groups.add(name, batch)
        return groups.table(), reading.span
    if compat is not None:
        raise ValueError("Go has no numbers of a stretch of time: leave start and end out")
    batches, span = clipped_goroutines(tables, columns, start, end)
    groups = _Groups(group_by)
    for name, batch in batches:
        groups.add(name, batch)
    return groups.table(), span


class _Groups:
    """Groups while the goroutines go by."""

    def __init__(self, group_by: str) -> None:
        self._by_name = group_by == "name"
        self._sites: dict[int | None, str | None] = {None: None}
        self._names = Numbering()
        self._sums = Sums(("group",), ("count", "ended", "system", *_SUMMED, "assist_ns"))
        self._lists = {kind: ListSums(word) for kind, word in _WORDS.items()}
        self._spread = {what: Distributions() for what in SPREAD}

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take a batch of `goroutines` or `stacks`."""
        if name == "stacks":
            self._sites.update(names_of_stacks.places(batch))
        elif batch.num_rows:
            self._add(batch)

    def _add(self, batch: pa.RecordBatch) -> None:
        group = self._names.of(self._keys(batch))
        for what, spread in self._spread.items():
            spread.add(group, ints(batch.column(f"{what}_ns")))
        of_group = pa.array(group)
        for kind, sums in self._lists.items():
            sums.add(group, batch.column(kind))
        columns = {
            "group": of_group,
            "count": pa.array(np.ones(len(group), np.int64)),
            "ended": batch.column("ended_at_ns").is_valid().cast(pa.int64()),
            "system": batch.column("is_system").cast(pa.int64()),
            "assist_ns": pa.array(sum_of(batch.column("range"), RANGE_GC_ASSIST)),
            **{name: batch.column(name).cast(pa.int64()) for name in _SUMMED},
        }
        self._sums.add(pa.table(columns))

    def _keys(self, batch: pa.RecordBatch) -> pa.Array:
        if self._by_name:
            return batch.column("name")
        made = batch.column("creation_stack_id").dictionary_encode(null_encoding="encode")
        sites = [self._sites.get(id) for id in made.dictionary.to_pylist()]
        return pc.take(pa.array(sites, pa.utf8()), made.indices)

    def table(self) -> pa.Table:
        """Give the table `goroutine_groups`."""
        sums = self._sums.table()
        if sums is None:
            return schema("goroutine_groups").empty_table()
        sums = sums.sort_by("group")
        names = self._names.values
        lists = {kind: sums.lists(len(names)) for kind, sums in self._lists.items()}
        shares = {what: spread.percentiles(len(names)) for what, spread in self._spread.items()}
        alive = pc.subtract(sums["count"], sums["ended"])
        whole = schema("goroutine_groups")
        rows = {
            "group": pa.array(names, pa.utf8()),
            "count": sums["count"],
            "alive": alive,
            **{name: sums[name] for name in (*_SUMMED, "assist_ns")},
            **lists,
            "is_system": pc.equal(sums["system"], sums["count"]),
            **{
                f"{what}_{short}_ns": pa.array(shares[what][:, at])
                for what in SPREAD
                for at, short in enumerate(PERCENTILES)
            },
        }
        made = pa.table([rows[name] for name in whole.names], schema=whole)
        return made.sort_by([("exec_ns", "descending"), ("group", "ascending")])
