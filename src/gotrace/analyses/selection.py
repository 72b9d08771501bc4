"""Which goroutines, and which of their time: by entry function, id, region, task."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.coverage import Coverage
from gotrace.analyses.profile_columns import Bools, Ints
from gotrace.analyses.reading import Reading, Tables
from gotrace.analyses.sums import ints

_NONE = -1


class Where(NamedTuple):
    """What part of a trace is wanted; None is no limit.

    Attributes:
        group: text in the name of the entry function.
        goroutine: an id.
        region: name of user regions.
        task: id of a user task: its regions, or where it has none its maker's time in it.
        creators: whether the stacks of the makers are wanted.
    """

    group: str | None = None
    goroutine: int | None = None
    region: str | None = None
    task: int | None = None
    creators: bool = False


class Selection:
    """Goroutines and time that are wanted."""

    def __init__(
        self,
        ids: Ints | None = None,
        coverage: Coverage | None = None,
        creators: tuple[Ints, Ints] | None = None,
    ) -> None:
        self._ids, self._coverage, self._creators = ids, coverage, creators

    def has(self, goroutines: Ints) -> Bools:
        """Say of each goroutine whether it is wanted."""
        if self._ids is None:
            return np.ones(len(goroutines), np.bool_)
        return np.isin(goroutines, self._ids)

    def covered(self, goroutines: Ints, starts: Ints, ends: Ints) -> Ints:
        """Give how much of each interval is wanted, in ns."""
        if self._coverage is None:
            inside: Ints = ends - starts
            return inside
        return self._coverage.covered(goroutines, starts, ends)

    def holds(self, goroutines: Ints, times: Ints) -> Bools:
        """Say of each time of a goroutine whether it is wanted."""
        if self._coverage is None:
            return np.ones(len(goroutines), np.bool_)
        return self._coverage.holds(goroutines, times)

    def creator(self, goroutines: Ints) -> Ints | None:
        """Give the stack that each goroutine was made at, -1 for an unknown one."""
        if self._creators is None:
            return None
        ids, stacks = self._creators
        at = np.minimum(np.searchsorted(ids, goroutines), len(ids) - 1)
        if not len(ids):
            return np.full(len(goroutines), _NONE)
        return np.where(ids[at] == goroutines, stacks[at], _NONE)


def select(tables: Tables, where: Where, window: Reading) -> Selection:
    """Look up what `where` says, in a pass of its own where one is needed."""
    ids = None if where.goroutine is None else np.array([where.goroutine], np.int64)
    timed = where.region is not None or where.task is not None
    columns: dict[str, tuple[str, ...]] = {}
    if where.group is not None or where.creators:
        columns["goroutines"] = ("goroutine", "name", "creation_stack_id")
    if timed:
        columns["regions"] = ("goroutine", "task", "name", "start_ns", "end_ns")
        columns["tasks"] = ("task", "by_goroutine", "start_ns", "end_ns")
    if not columns:
        return Selection(ids)
    found = _Found(where)
    for name, batch in Reading(tables, columns, start=window.start_ns, end=window.end_ns):
        found.add(name, batch)
    if where.group is not None:
        named = found.ids()
        ids = named if ids is None else np.intersect1d(ids, named)
    creators = found.creators() if where.creators else None
    return Selection(ids, found.coverage() if timed else None, creators)


class _Found:
    """What the tables say."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._named: list[Ints] = []
        self._made: list[tuple[Ints, Ints]] = []
        self._regions: list[pa.Table] = []
        self._tasks: list[pa.Table] = []

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        if name == "goroutines":
            self._add_goroutines(batch)
        elif name == "tasks":
            own = pc.equal(batch.column("task"), self._where.task)
            self._tasks.append(pa.Table.from_batches([batch.filter(own)]))
        elif name == "regions":
            rows = batch
            if self._where.region is not None:
                rows = rows.filter(pc.equal(rows.column("name"), self._where.region))
            if self._where.task is not None:
                rows = rows.filter(pc.equal(rows.column("task"), self._where.task))
            self._regions.append(pa.Table.from_batches([rows]))

    def _add_goroutines(self, batch: pa.RecordBatch) -> None:
        ids = ints(batch.column("goroutine"))
        if self._where.group is not None:
            hit = pc.fill_null(pc.match_substring(batch.column("name"), self._where.group), False)
            self._named.append(ids[np.asarray(hit).astype(np.bool_)])
        if self._where.creators:
            self._made.append((ids, ints(batch.column("creation_stack_id"), _NONE)))

    def ids(self) -> Ints:
        return np.unique(np.concatenate([*self._named, np.zeros(0, np.int64)]))

    def creators(self) -> tuple[Ints, Ints]:
        none = np.zeros(0, np.int64)
        ids = np.concatenate([*(pair[0] for pair in self._made), none])
        stacks = np.concatenate([*(pair[1] for pair in self._made), none])
        order = np.argsort(ids, kind="stable")
        return ids[order], stacks[order]

    def coverage(self) -> Coverage:
        rows = pa.concat_tables(self._regions) if self._regions else None
        who = "goroutine"
        if (rows is None or not rows.num_rows) and self._where.region is None and self._tasks:
            rows, who = pa.concat_tables(self._tasks), "by_goroutine"
        if rows is None or not rows.num_rows:
            return Coverage(*(np.zeros(0, np.int64) for _ in range(3)))
        return Coverage(ints(rows[who], _NONE), ints(rows["start_ns"]), ints(rows["end_ns"]))
