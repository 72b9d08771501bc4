"""User tasks and regions by type: how many, how long they took, and in what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.distributions import PERCENTILES, Distributions
from gotrace.analyses.histogram import histograms
from gotrace.analyses.lists_of_times import ListSums
from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.analyses.sums import Numbering, Sums, ints
from gotrace.tables.schema import schema
from gotrace.tables.times import When

SPLIT: Final = (
    "exec_ns",
    "sched_ns",
    "syscall_ns",
    "syscall_block_ns",
    "block_ns",
    "unknown_ns",
    "total_ns",
)
_TASKS: Final = ("task_groups", "tasks", ("goroutines",))
_REGIONS: Final = ("region_groups", "regions", SPLIT)
_INTERVAL: Final = ("start_ns", "end_ns", "duration_ns", "open_start", "open_end")


def tasks(
    tables: Tables,
    *,
    start: When | None = None,
    end: When | None = None,
    compat: str | None = None,
) -> pa.Table:
    """Group user tasks by type: the table `task_groups`.

    Reads `tasks`. With `start` or `end`, those that have a part in that stretch. With `compat="go"`
    counts, names and histograms are those of `go tool trace`, which knows tasks that are only named
    as parents too. Raises ValueError for a time that the trace cannot place.
    """
    return task_groups(tables, start=start, end=end, compat=compat)[0]


def regions(
    tables: Tables,
    *,
    start: When | None = None,
    end: When | None = None,
    compat: str | None = None,
) -> pa.Table:
    """Group user regions by type: the table `region_groups`; otherwise as `tasks`.

    With `compat="go"` percentiles and histograms are of all regions, as far as they lie in the
    trace, not of the complete ones alone.
    """
    return region_groups(tables, start=start, end=end, compat=compat)[0]


def task_groups(
    tables: Tables,
    *,
    start: When | None = None,
    end: When | None = None,
    name: str | None = None,
    slowest: int = 0,
    compat: str | None = None,
) -> tuple[pa.Table, pa.Table, Span]:
    """Group tasks whose type has `name` in it.

    Give also the slowest ones, as rows of `tasks`, and the stretch of time that was looked at.
    """
    return _group(tables, _TASKS, start, end, name, slowest, compat)


def region_groups(
    tables: Tables,
    *,
    start: When | None = None,
    end: When | None = None,
    name: str | None = None,
    slowest: int = 0,
    compat: str | None = None,
) -> tuple[pa.Table, pa.Table, Span]:
    """Group regions as `task_groups` does tasks; the slowest ones are rows of `regions`."""
    return _group(tables, _REGIONS, start, end, name, slowest, compat)


def _group(
    tables: Tables,
    of: tuple[str, str, Sequence[str]],
    start: When | None,
    end: When | None,
    name: str | None,
    slowest: int,
    compat: str | None,
) -> tuple[pa.Table, pa.Table, Span]:
    result, source, summed = of
    wanted = {source: schema(source).names}
    reading = Reading(tables, wanted, start=start, end=end, compat=compat)
    groups = _Groups(result, summed, all_count=compat == "go" and source == "regions")
    top = _Slowest(source, slowest)
    for _, batch in reading:
        if name is not None:
            named = pc.match_substring(batch.column("name"), name)
            batch = batch.filter(pc.fill_null(named, False))
        if batch.num_rows:
            groups.add(batch)
            top.add(batch)
    return groups.table(), top.table(), reading.span


class _Groups:
    """Sums by type while tasks or regions go by."""

    def __init__(self, result: str, summed: Sequence[str], *, all_count: bool) -> None:
        self._result, self._summed, self._all_count = result, tuple(summed), all_count
        self._names = Numbering()
        columns = ("count", "complete", "duration_ns", "complete_ns", *self._summed)
        self._sums = Sums(("group",), columns)
        self._spread = Distributions()
        self._block = ListSums("reason")

    def add(self, batch: pa.RecordBatch) -> None:
        group = self._names.of(batch.column("name"))
        whole = ~_flag(batch, "open_start") & ~_flag(batch, "open_end")
        if "complete" in batch.schema.names:
            whole = _flag(batch, "complete")
        lasted = ints(batch.column("duration_ns"))
        measured = np.ones_like(whole) if self._all_count else whole
        self._spread.add(group[measured], lasted[measured])
        if "block" in batch.schema.names:
            self._block.add(group, batch.column("block"))
        columns = {
            "group": pa.array(group),
            "count": pa.array(np.ones(len(group), np.int64)),
            "complete": pa.array(whole.astype(np.int64)),
            "duration_ns": pa.array(lasted),
            "complete_ns": pa.array(np.where(whole, lasted, 0)),
            **{name: pa.array(ints(batch.column(name))) for name in self._summed},
        }
        self._sums.add(pa.table(columns))

    def table(self) -> pa.Table:
        wanted = schema(self._result)
        sums = self._sums.table()
        if sums is None:
            return wanted.empty_table()
        sums = sums.sort_by("group")
        size = len(self._names)
        spread = self._spread.percentiles(size)
        none = self._spread.counts(size) == 0
        columns = {
            "name": pa.array(self._names.values, pa.utf8()),
            **{name: sums[name] for name in ("count", "complete", "duration_ns", *self._summed)},
            **{
                f"{short}_ns": pa.array(spread[:, at], mask=none)
                for at, short in enumerate(PERCENTILES)
            },
            "histogram": histograms(self._spread, size),
            "block": self._block.lists(size),
        }
        if self._result == "task_groups":
            columns["total_ns"] = sums["complete_ns"]
        by = "total_ns" if self._result == "task_groups" else "duration_ns"
        made = pa.table([columns[name] for name in wanted.names], schema=wanted)
        return made.sort_by([(by, "descending"), ("name", "ascending")])


class _Slowest:
    """The rows with the longest durations."""

    def __init__(self, source: str, most: int) -> None:
        self._most = most
        self._kept = schema(source).empty_table()

    def add(self, batch: pa.RecordBatch) -> None:
        if not self._most:
            return
        lasted = batch.column("duration_ns")
        if batch.num_rows > self._most:
            batch = batch.take(pc.select_k_unstable(lasted, self._most, [("", "descending")]))
        kept = pa.concat_tables([self._kept, pa.Table.from_batches([batch], self._kept.schema)])
        order = [("duration_ns", "descending"), ("start_ns", "ascending")]
        self._kept = kept.sort_by(order).slice(0, self._most)

    def table(self) -> pa.Table:
        return self._kept.unify_dictionaries()


def _flag(batch: pa.RecordBatch, name: str) -> np.ndarray:
    return np.asarray(batch.column(name)).astype(np.bool_)
