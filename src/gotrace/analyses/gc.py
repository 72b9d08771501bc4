"""The garbage collector: its cycles, how long it stopped the world, who had to help it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.distributions import Distributions
from gotrace.analyses.heap import Heap
from gotrace.analyses.reading import Reading, Span, Tables, window_of
from gotrace.analyses.sums import Numbering, Sums, codes_in, ints
from gotrace.analyses.utilization import (
    COUNTED,
    PROCS_COLUMNS,
    WORK_COLUMNS,
    Work,
    mmu,
    mutator_utilization,
)
from gotrace.arrays import Ints
from gotrace.errors import unknown_name
from gotrace.spec.words import RANGE_CLASSES
from gotrace.tables.schema import schema
from gotrace.tables.times import When

RESULTS: Final = ("cycles", "pauses", "assists", "heap", "utilization", "mmu")
"""What can be asked for."""

HEAP_WINDOWS: Final = 100

_RANGES: Final = ("name", "class", "start_ns", "end_ns", "goroutine", "stack_id")
COLUMNS: Final = {
    "stacks": ("stack_id", "root", "site", "functions"),
    "ranges": _RANGES,
    "metrics": PROCS_COLUMNS,
    "gc_work": WORK_COLUMNS,
    "gc_cycles": tuple(schema("gc_cycles").names),
}
_PERCENTS: Final = (50, 90, 99)


@dataclass(frozen=True)
class Gc:
    """What the collector did.

    Attributes:
        span: what was looked at.
        cycles, pauses, assists, heap, utilization, mmu: the tables `gc_cycles`, `gc_pauses`,
            `gc_assists`, `gc_heap`, `mutator_utilization`, `mmu`.
        sites: place in the code of stacks, by `stack_id`.
    """

    span: Span
    cycles: pa.Table
    pauses: pa.Table
    assists: pa.Table
    heap: pa.Table
    utilization: pa.Table
    mmu: pa.Table
    sites: Mapping[int, str]


def gc(
    tables: Tables,
    what: str = "cycles",
    *,
    start: When | None = None,
    end: When | None = None,
    counting: Collection[str] = COUNTED,
    compat: str | None = None,
) -> pa.Table:
    """Say what the garbage collector did.

    `what` is "cycles" (the table `gc_cycles`), "pauses" (`gc_pauses`), "assists" (`gc_assists`),
    "heap" (`gc_heap`), "utilization" (`mutator_utilization`) or "mmu" (`mmu`). `counting` and
    `compat` are those of `mutator_utilization`. With `start` or `end` intervals count as far as
    they lie between; cycles keep their numbers. Reads `gc_cycles`, `gc_work`, `ranges`, `metrics`,
    `stacks` in one pass. Raises `UnknownNameError`, ValueError for a time that the trace cannot
    place.
    """
    if what not in RESULTS:
        raise unknown_name("answer about the garbage collector", what, RESULTS)
    seen = look(tables, start=start, end=end, counting=counting, compat=compat)
    table: pa.Table = getattr(seen, what)
    return table


def look(
    tables: Tables,
    *,
    start: When | None = None,
    end: When | None = None,
    counting: Collection[str] = COUNTED,
    compat: str | None = None,
) -> Gc:
    """Make all tables in one pass; with `compat="go"` a second one makes Go's utilization."""
    first, last = window_of(tables, start, end)
    reading = Reading(tables, COLUMNS)
    stacks = _Stacks()
    work, heap, stops, assists = Work(), Heap(first, last), _Stops(), _Assists(stacks)
    cycles: list[pa.RecordBatch] = []
    for name, batch in reading:
        if not batch.num_rows:
            continue
        if name == "stacks":
            stacks.add(batch)
        elif name == "ranges":
            for kind, kept in _of_classes(batch, first, last):
                (stops if kind == "stw" else assists).add(kept)
        elif name == "gc_cycles":
            cycles.append(_touching(batch, first, last))
        else:
            work.add(name, batch)
        if name == "metrics":
            heap.add(batch)
    span = reading.span.cut(first, last)
    if compat == "go":
        utilization = mutator_utilization(tables, counting, compat=compat)
    else:
        utilization = work.utilization(counting, first, span.end_ns)
    return Gc(
        span,
        pa.Table.from_batches(cycles, schema("gc_cycles")),
        stops.table(),
        assists.table(),
        heap.table(HEAP_WINDOWS),
        utilization,
        mmu(utilization),
        stacks.sites,
    )


def _touching(batch: pa.RecordBatch, start: int | None, end: int | None) -> pa.RecordBatch:
    """Keep the intervals that touch a stretch of time."""
    if start is not None:
        batch = batch.filter(pc.greater(batch.column("end_ns"), start))
    if end is not None:
        batch = batch.filter(pc.less(batch.column("start_ns"), end))
    return batch


def _of_classes(
    batch: pa.RecordBatch, start: int | None, end: int | None
) -> list[tuple[str, pa.RecordBatch]]:
    """Give the stops and the assists, cut to a stretch of time."""
    batch = _touching(batch, start, end)
    classes = codes_in(batch.column("class"), RANGE_CLASSES)
    found = []
    for kind in ("stw", "assist"):
        kept = batch.filter(pa.array(classes == RANGE_CLASSES.index(kind)))
        if kept.num_rows and (start is not None or end is not None):
            low, high = ints(kept.column("start_ns")), ints(kept.column("end_ns"))
            low = low if start is None else np.maximum(low, start)
            high = high if end is None else np.minimum(high, end)
            for name, times in (("start_ns", low), ("end_ns", high)):
                index = kept.schema.get_field_index(name)
                kept = kept.set_column(index, kept.schema.field(index), pa.array(times))
        if kept.num_rows:
            found.append((kind, kept))
    return found


class _Longest:
    """The longest interval of each group: how long, when it began, whose it was."""

    def __init__(self) -> None:
        self.of: dict[int, tuple[int, int, int]] = {}

    def add(self, groups: Ints, lengths: Ints, starts: Ints, goroutines: Ints) -> None:
        """Add intervals; Python looks at one of each group."""
        order = np.lexsort((-starts, lengths, groups))
        last = order[np.append(groups[order][1:] != groups[order][:-1], True)]
        for at in last:
            found = (int(lengths[at]), int(starts[at]), int(goroutines[at]))
            group = int(groups[at])
            if group not in self.of or found[0] > self.of[group][0]:
                self.of[group] = found


class _Stops:
    """Stops of the world by reason."""

    def __init__(self) -> None:
        self._names = Numbering()
        self._lengths = Distributions()
        self._longest = _Longest()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take ranges of the class stw."""
        groups = self._names.of(batch.column("name"))
        starts = ints(batch.column("start_ns"))
        lengths = ints(batch.column("end_ns")) - starts
        self._lengths.add(groups, lengths)
        self._longest.add(groups, lengths, starts, ints(batch.column("goroutine"), -1))

    def table(self) -> pa.Table:
        """Make the table `gc_pauses`."""
        names = self._names.values
        counts, sums = self._lengths.counts(len(names)), self._lengths.sums(len(names))
        shares = self._lengths.percentiles(len(names), _PERCENTS)
        rows = []
        for at, name in enumerate(names):
            longest, begin, goroutine = self._longest.of[at]
            rows.append(
                {
                    "name": name,
                    "is_gc": "(GC " in name,
                    "count": int(counts[at]),
                    "total_ns": int(sums[at]),
                    **{f"p{p}_ns": int(shares[at, i]) for i, p in enumerate(_PERCENTS)},
                    "max_ns": longest,
                    "max_start_ns": begin,
                    "max_by_goroutine": goroutine if goroutine >= 0 else None,
                }
            )
        rows.sort(key=lambda row: (-row["total_ns"], row["name"]))
        return pa.Table.from_pylist(rows, schema=schema("gc_pauses"))


class _Stacks:
    """What stacks are called: the entry function, and the place in the code."""

    def __init__(self) -> None:
        self.roots: dict[int, str | None] = {}
        self.sites: dict[int, str] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take stacks (stack_id, root, site, functions)."""
        ids, roots, sites = (batch.column(name).to_pylist() for name in COLUMNS["stacks"][:3])
        self.roots |= zip(ids, roots, strict=True)
        functions = batch.column("functions")
        for at, (id, site) in enumerate(zip(ids, sites, strict=True)):
            names = [] if site else functions[at].as_py()
            # Of a stack of the standard library alone, what called the runtime.
            outer = next((name for name in names if not name.startswith("runtime.")), None)
            if found := site or outer or (names[0] if names else None):
                self.sites[id] = found


class _Assists:
    """Assists by the code that had to help."""

    def __init__(self, stacks: _Stacks) -> None:
        self._stacks = stacks
        self._sums = Sums(("stack", "goroutine"), ("assists", "assist_ns"))
        self._longest = _Longest()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take ranges of the class assist."""
        stacks, goroutines = (ints(batch.column(name), -1) for name in ("stack_id", "goroutine"))
        starts = ints(batch.column("start_ns"))
        lengths = ints(batch.column("end_ns")) - starts
        self._longest.add(stacks, lengths, starts, goroutines)
        columns = {
            "stack": pa.array(stacks),
            "goroutine": pa.array(goroutines),
            "assists": pa.array(np.ones(len(stacks), np.int64)),
            "assist_ns": pa.array(lengths),
        }
        self._sums.add(pa.table(columns))

    def table(self) -> pa.Table:
        """Make the table `gc_assists`."""
        sums = self._sums.table()
        if sums is None:
            return schema("gc_assists").empty_table()
        groups: dict[tuple[str | None, str | None], dict[str, Any]] = {}
        for stack, goroutine, assists, total in zip(
            *(column.to_pylist() for column in sums.columns), strict=True
        ):
            name, site = self._stacks.roots.get(stack), self._stacks.sites.get(stack)
            row = groups.setdefault(
                (name, site),
                {
                    "name": name,
                    "site": site,
                    "assists": 0,
                    "goroutines": set(),
                    "assist_ns": 0,
                    "max_ns": -1,
                },
            )
            row["assists"] += assists
            row["goroutines"].add(goroutine)
            row["assist_ns"] += total
            longest, begin, whose = self._longest.of[stack]
            if longest > row["max_ns"]:
                row["max_ns"], row["max_start_ns"] = longest, begin
                row["max_goroutine"] = whose if whose >= 0 else None
        rows = [{**row, "goroutines": len(row["goroutines"])} for row in groups.values()]
        rows.sort(key=lambda row: (-row["assist_ns"], row["name"] or "", row["site"] or ""))
        return pa.Table.from_pylist(rows, schema=schema("gc_assists"))
