"""Which goroutines, and which of their time: by entry function, id, region, task."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.coverage import Coverage
from gotrace.analyses.reading import Reading, Tables
from gotrace.analyses.sums import ints
from gotrace.arrays import Bools, Ints
from gotrace.tables.times import When

_NONE = -1


class Where(NamedTuple):
    """What part of a trace is wanted; None is no limit.

    Attributes:
        group: name of the entry function; where none is called that, text in its name.
        goroutine: an id.
        region: name of user regions.
        task: id of a user task: its regions, or where it has none its maker's time in it.
        at_least_ns, at_most_ns: how long these regions took.
        creators: whether the stacks of the makers are wanted.
    """

    group: str | None = None
    goroutine: int | None = None
    region: str | None = None
    task: int | None = None
    at_least_ns: int | None = None
    at_most_ns: int | None = None
    creators: bool = False

    @property
    def timed(self) -> bool:
        """Whether not all time of the goroutines is wanted."""
        return any(
            given is not None
            for given in (self.region, self.task, self.at_least_ns, self.at_most_ns)
        )


EVERYTHING: Final = Where()


class Selection:
    """Goroutines and time that are wanted.

    Attributes:
        ids: of the goroutines, rising; None for all.
        coverage: the time; None for all.
    """

    def __init__(
        self,
        ids: Ints | None = None,
        coverage: Coverage | None = None,
        creators: tuple[Ints, Ints] | None = None,
    ) -> None:
        self.ids, self.coverage, self._creators = ids, coverage, creators

    def has(self, goroutines: Ints) -> Bools:
        """Say of each goroutine whether it is wanted."""
        if self.ids is None:
            return np.ones(len(goroutines), np.bool_)
        return np.isin(goroutines, self.ids)

    def covered(self, goroutines: Ints, starts: Ints, ends: Ints) -> Ints:
        """Give how much of each interval is wanted, in ns."""
        if self.coverage is None:
            inside: Ints = ends - starts
            return inside
        return self.coverage.covered(goroutines, starts, ends)

    def holds(self, goroutines: Ints, times: Ints) -> Bools:
        """Say of each time of a goroutine whether it is wanted."""
        if self.coverage is None:
            return np.ones(len(goroutines), np.bool_)
        return self.coverage.holds(goroutines, times)

    def creator(self, goroutines: Ints) -> Ints | None:
        """Give the stack that each goroutine was made at, -1 for an unknown one."""
        if self._creators is None:
            return None
        ids, stacks = self._creators
        at = np.minimum(np.searchsorted(ids, goroutines), len(ids) - 1)
        if not len(ids):
            return np.full(len(goroutines), _NONE)
        return np.where(ids[at] == goroutines, stacks[at], _NONE)


def select(
    tables: Tables,
    where: Where,
    *,
    start: When | None = None,
    end: When | None = None,
    compat: str | None = None,
) -> Selection:
    """Look up what `where` says, in a pass of its own where one is needed.

    With `compat="go"` names are exact, and of regions that were open when the trace began only the
    one that ended first counts, as in `go tool trace`.
    """
    ids = None if where.goroutine is None else np.array([where.goroutine], np.int64)
    columns: dict[str, tuple[str, ...]] = {}
    if where.group is not None or where.creators:
        columns["goroutines"] = ("goroutine", "name", "creation_stack_id")
    if where.timed:
        columns["regions"] = ("goroutine", "task", "name", "start_ns", "end_ns")
        columns["tasks"] = ("task", "by_goroutine", "start_ns", "end_ns")
    if not columns:
        return Selection(ids)
    found = _Found(where, as_go=compat == "go")
    for name, batch in Reading(tables, columns, start=start, end=end, compat=compat):
        found.add(name, batch)
    if where.group is not None:
        named = found.ids()
        ids = named if ids is None else np.intersect1d(ids, named)
    creators = found.creators() if where.creators else None
    return Selection(ids, found.coverage() if where.timed else None, creators)


class _Found:
    """What the tables say."""

    def __init__(self, where: Where, *, as_go: bool) -> None:
        self._where, self._as_go = where, as_go
        self._named: list[Ints] = []
        self._called: list[Ints] = []
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
            self._regions.append(pa.Table.from_batches([self._wanted(batch)]))

    def _wanted(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Give the regions that are meant."""
        where = self._where
        if where.region is not None:
            names = pc.fill_null(rows.column("name"), "")
            rows = rows.filter(pc.equal(names, where.region))
        if where.task is not None:
            rows = rows.filter(pc.equal(rows.column("task"), where.task))
        took = pc.subtract(rows.column("end_ns"), rows.column("start_ns"))
        least, most = where.at_least_ns, where.at_most_ns
        if least is not None:
            rows, took = (each.filter(pc.greater_equal(took, least)) for each in (rows, took))
        return rows if most is None else rows.filter(pc.less_equal(took, most))

    def _add_goroutines(self, batch: pa.RecordBatch) -> None:
        ids = ints(batch.column("goroutine"))
        if self._where.group is not None:
            names = batch.column("name")
            for hit, rows in (
                (pc.match_substring(names, self._where.group), self._named),
                (pc.equal(names, self._where.group), self._called),
            ):
                rows.append(ids[np.asarray(pc.fill_null(hit, False)).astype(np.bool_)])
        if self._where.creators:
            self._made.append((ids, ints(batch.column("creation_stack_id"), _NONE)))

    def ids(self) -> Ints:
        exact = self._as_go or any(map(len, self._called))
        found = self._called if exact else self._named
        return np.unique(np.concatenate([*found, np.zeros(0, np.int64)]))

    def creators(self) -> tuple[Ints, Ints]:
        none = np.zeros(0, np.int64)
        ids = np.concatenate([*(pair[0] for pair in self._made), none])
        stacks = np.concatenate([*(pair[1] for pair in self._made), none])
        order = np.argsort(ids, kind="stable")
        return ids[order], stacks[order]

    def coverage(self) -> Coverage:
        rows = pa.concat_tables(self._regions) if self._regions else None
        who = "goroutine"
        by_task = self._where._replace(task=None)
        if (rows is None or not rows.num_rows) and not by_task.timed and self._tasks:
            rows, who = pa.concat_tables(self._tasks), "by_goroutine"
        if rows is None or not rows.num_rows:
            return Coverage(*(np.zeros(0, np.int64) for _ in range(3)))
        goroutines, starts, ends = (
            ints(rows[who], _NONE),
            ints(rows["start_ns"]),
            ints(rows["end_ns"]),
        )
        if self._as_go:
            order = np.lexsort((ends, starts, goroutines))
            keys = np.column_stack([goroutines, starts])[order]
            order = order[np.append(True, (keys[1:] != keys[:-1]).any(axis=1))]
            goroutines, starts, ends = goroutines[order], starts[order], ends[order]
        return Coverage(goroutines, starts, ends)
