"""How much of its procs the garbage collector left the program: over time, and at worst."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import windowed_means
from gotrace.analyses.procs import check_procs, numbers_of_procs
from gotrace.analyses.reading import Reading, Tables, window_of
from gotrace.analyses.sums import codes_in, ints
from gotrace.arrays import Bools, Floats, Ints
from gotrace.errors import unknown_name
from gotrace.spec.words import METRIC_GOMAXPROCS, RANGE_CLASSES
from gotrace.tables.schema import schema
from gotrace.tables.times import When

PARTS: Final = ("stw", "background", "assist", "sweep")
"""What can be counted: the stopped world, mark workers, assists, sweeps."""

COUNTED: Final = ("stw", "background", "assist")
"""What counts when nothing is said, as on the page of `go tool trace`."""

WORK_COLUMNS: Final = ("class", "name", "start_ns", "end_ns", "proc")
PROCS_COLUMNS: Final = ("time_ns", "name", "value")
QUANTILES: Final = {"p0_1": 0.001, "p1": 0.01, "p5": 0.05, "p50": 0.5}

_GRID: Final = 1 << 11
_FLAT: Final = 1e-9
"""What does not rise more than this is taken for flat."""

_CLASS_OF: Final = {"stw": "stw", "background": "mark", "assist": "assist", "sweep": "sweep"}
_IDLE, _DEDICATED = "GC (idle)", "GC (dedicated)"


def mutator_utilization(
    tables: Tables,
    counting: Collection[str] = COUNTED,
    *,
    per_proc: bool = False,
    start: When | None = None,
    end: When | None = None,
    compat: str | None = None,
) -> pa.Table:
    """Say which share of the procs the program had when: the table `mutator_utilization`.

    `counting` are those of `PARTS` that take procs from the program. `per_proc` gives a series for
    each proc, and as in Go leaves out dedicated workers, which take a proc before goroutines come
    to it. Reads `gc_work` and `metrics`; with `compat="go"` `events`, and the numbers are those of
    `go tool trace`, which are wrong where a mark worker runs twice. Raises `UnknownNameError`,
    `LimitError` for an absurd GOMAXPROCS, ValueError for a time that the clock cannot place, or for
    a trace that Go's own analysis fails on.
    """
    for part in counting:
        if part not in PARTS:
            raise unknown_name("part of the collector's work", part, PARTS)
    if compat == "go":
        from gotrace.analyses.go_utilization import go_utilization

        return go_utilization(tables, counting, per_proc=per_proc)
    first, last = window_of(tables, start, end)
    work = Work()
    reading = Reading(tables, {"gc_work": WORK_COLUMNS, "metrics": PROCS_COLUMNS})
    for name, batch in reading:
        work.add(name, batch)
    until = reading.span.end_ns if last is None else min(last, reading.span.end_ns)
    return work.utilization(counting, first, until, per_proc=per_proc)


@dataclass(frozen=True)
class _Steps:
    """A step function: `values[i]` from `times[i]` on."""

    times: Ints
    values: Ints

    def at(self, times: Ints) -> Ints:
        """Give its values; 0 before its begin."""
        place = np.searchsorted(self.times, times, side="right") - 1
        values: Ints = np.append(self.values, 0)[place]
        return values


class Work:
    """The collector's work and GOMAXPROCS, as batches of `gc_work` and `metrics` go by."""

    def __init__(self) -> None:
        self._work: dict[str, list[pa.RecordBatch]] = {"gc_work": [], "metrics": []}

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take a batch with `WORK_COLUMNS` or `PROCS_COLUMNS`, at least."""
        if name == "gc_work":
            self._work[name].append(batch.select(list(WORK_COLUMNS)))
        elif name == "metrics":
            batch = batch.select(list(PROCS_COLUMNS))
            self._work[name].append(batch.filter(pc.equal(batch.column("name"), METRIC_GOMAXPROCS)))

    def utilization(
        self, counting: Collection[str], start: int | None, end: int, *, per_proc: bool = False
    ) -> pa.Table:
        """Make the table, from the first that was heard of GOMAXPROCS, or `start`, to `end`."""
        procs = self._procs()
        begin = int(procs.times[0]) if len(procs.times) else end
        begin = max(begin, begin if start is None else start)
        whole = schema("mutator_utilization")
        if begin >= end:
            return whole.empty_table()
        stopped, pieces = self._pieces(counting, begin, end, per_proc=per_proc)
        if not per_proc:
            return _table(0, None, *_of_all(procs, stopped, pieces, begin, end), procs)
        each = _of_each(procs, stopped, pieces, begin, end)
        return pa.concat_tables([_table(*row, procs) for row in each] or [whole.empty_table()])

    def _procs(self) -> _Steps:
        metrics = self._table("metrics", PROCS_COLUMNS)
        times, values = ints(metrics["time_ns"]), numbers_of_procs(metrics["value"])
        check_procs(times, values)
        changed = np.append(True, values[1:] != values[:-1]) if len(values) else np.zeros(0, bool)
        return _Steps(times[changed], values[changed])

    def _pieces(
        self, counting: Collection[str], begin: int, end: int, *, per_proc: bool
    ) -> tuple[Ints, Ints]:
        """Give the stops (start, end) and the work (proc, start, end), a row each, in time."""
        work = self._table("gc_work", WORK_COLUMNS).combine_chunks()
        classes = codes_in(_plain(work["class"]), RANGE_CLASSES)
        names = codes_in(_plain(work["name"]), (_IDLE, _DEDICATED))
        wanted = np.zeros(len(classes), np.bool_)
        for part in counting:
            wanted |= classes == RANGE_CLASSES.index(_CLASS_OF[part])
        wanted &= names != 0  # what an idle proc does takes nothing from anybody
        if per_proc:
            wanted &= names != 1
        times = np.column_stack([ints(work[name]) for name in ("start_ns", "end_ns")])
        times = np.clip(times, begin, end)
        wanted &= times[:, 0] < times[:, 1]
        of_all = classes == RANGE_CLASSES.index("stw")
        rows = np.column_stack([ints(work["proc"], -1), times])
        return times[wanted & of_all], rows[wanted & ~of_all]

    def _table(self, name: str, columns: Sequence[str]) -> pa.Table:
        return pa.Table.from_batches(self._work[name], schema(name, columns)).unify_dictionaries()


def _of_all(
    procs: _Steps, stopped: Ints, pieces: Ints, begin: int, end: int
) -> tuple[Ints, Ints, Bools]:
    """Give the edges, and between them the procs that the collector has, and whether all stop."""
    own = _union(pieces)
    times, (stops, busy) = _stacked(
        [(stopped[:, 0], 0, 1), (stopped[:, 1], 0, -1), (own[:, 1], 1, 1), (own[:, 2], 1, -1)],
        np.concatenate([[begin, end], np.clip(procs.times, begin, end)]),
    )
    count = procs.at(times[:-1])
    is_stopped = stops[:-1] > 0
    return times, np.where(is_stopped, count, np.minimum(busy[:-1], count)), is_stopped


def _of_each(
    procs: _Steps, stopped: Ints, pieces: Ints, begin: int, end: int
) -> Iterator[tuple[int, int, Ints, Ints, Bools]]:
    """Give a series for each stretch of time in which a proc exists."""
    edges = np.append(procs.times, end)
    pieces = pieces[np.argsort(pieces[:, 0], kind="stable")]
    number = 0
    for proc in range(int(procs.values.max())):
        there = np.append(procs.values > proc, False)
        first = np.flatnonzero(there & ~np.append(False, there[:-1]))
        behind = np.flatnonzero(~there & np.append(False, there[:-1]))
        for start, stop in zip(edges[first], edges[behind], strict=True):
            low, high = max(int(start), begin), min(int(stop), end)
            if low >= high:
                continue
            first_piece, behind_piece = np.searchsorted(pieces[:, 0], [proc, proc + 1])
            own = _cut(pieces[first_piece:behind_piece, 1:], low, high)
            stops = _cut(stopped, low, high)
            both = _union(
                np.column_stack(
                    [np.zeros(len(own) + len(stops), np.int64), np.concatenate([own, stops])]
                )
            )
            times, (busy, halted) = _stacked(
                [
                    (both[:, 1], 0, 1),
                    (both[:, 2], 0, -1),
                    (stops[:, 0], 1, 1),
                    (stops[:, 1], 1, -1),
                ],
                np.array([low, high]),
            )
            yield number, proc, times, busy[:-1], halted[:-1] > 0
            number += 1


def _cut(intervals: Ints, low: int, high: int) -> Ints:
    cut: Ints = np.clip(intervals, low, high)
    return cut[cut[:, 0] < cut[:, 1]]


def _union(pieces: Ints) -> Ints:
    """Join intervals (proc, start, end) of one proc that overlap or touch."""
    pieces = pieces[np.lexsort((pieces[:, 1], pieces[:, 0]))]
    if not len(pieces):
        return pieces
    proc, start, end = pieces.T
    # Procs side by side on one axis, so that one running maximum does for all of them.
    low = int(start.min())
    shift = proc * (int(end.max()) - low + 1)
    reach = np.maximum.accumulate(end - low + shift)
    first = np.flatnonzero(np.append(True, (start - low + shift)[1:] > reach[:-1]))
    return np.column_stack([proc[first], start[first], np.maximum.reduceat(end, first)])


def _stacked(steps: Iterable[tuple[Ints, int, int]], edges: Ints) -> tuple[Ints, tuple[Ints, Ints]]:
    """Add up steps (times, which of two levels, by how much): distinct times, levels from there."""
    parts = [(edges, 0, 0), *steps]
    times = np.concatenate([part[0] for part in parts])
    deltas = np.zeros((len(times), 2), np.int64)
    at = 0
    for of, level, by in parts:
        deltas[at : at + len(of), level] = by
        at += len(of)
    order = np.argsort(times, kind="stable")
    times, levels = times[order], np.cumsum(deltas[order], axis=0)
    last = np.append(times[1:] != times[:-1], True)
    return times[last], (levels[last, 0], levels[last, 1])


def _table(
    series: int, proc: int | None, times: Ints, busy: Ints, stopped: Bools, procs: _Steps
) -> pa.Table:
    """Make rows of a series; what does not change is one row."""
    count = procs.at(times[:-1])
    share = 1 - busy / (np.maximum(count, 1) if proc is None else 1)
    keys = np.column_stack([busy, count, stopped])
    new = np.append(True, (keys[1:] != keys[:-1]).any(axis=1))
    starts, ends = times[:-1][new], np.append(times[:-1][new][1:], times[-1])
    rows = int(new.sum())
    columns = {
        "series": pa.array(np.full(rows, series, np.int32)),
        "proc": pa.array([proc] * rows, pa.int32()),
        "start_ns": pa.array(starts),
        "end_ns": pa.array(ends),
        "duration_ns": pa.array(ends - starts),
        "utilization": pa.array(share[new]),
        "procs": pa.array(count[new], pa.int32()),
        "gc_procs": pa.array(busy[new], pa.int32()),
        "stopped": pa.array(stopped[new]),
    }
    whole = schema("mutator_utilization")
    return pa.table([columns[name] for name in whole.names], schema=whole)


def mmu(utilization: pa.Table, windows: Iterable[int] | None = None) -> pa.Table:
    """Say how little the program had at worst, in any stretch of some length: the table `mmu`.

    `utilization` is the table `mutator_utilization`; `windows` are lengths in ns, None those of
    1, 2 and 5 from a microsecond to the whole. As in Go, a window longer than a series is the whole
    series, and one of 0 has nothing.
    """
    series = list(_series(utilization))
    longest = max((int(times[-1] - times[0]) for times, _, _ in series), default=0)
    rows = []
    for window in _round(longest) if windows is None else windows:
        if series:
            rows.append({"window_ns": int(window), **_worst(series, int(window))})
    return pa.Table.from_pylist(rows, schema=schema("mmu"))


_Series = tuple[Ints, Floats, Floats]


def _series(utilization: pa.Table) -> Iterator[_Series]:
    """Give edges, sums and values of each series."""
    numbers = ints(utilization["series"])
    starts, ends = ints(utilization["start_ns"]), ints(utilization["end_ns"])
    values = np.asarray(utilization["utilization"].combine_chunks())
    if not len(numbers):
        return
    bounds = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
    for first, behind in zip(bounds, [*bounds[1:], len(numbers)], strict=True):
        times = np.append(starts[first:behind], ends[behind - 1])
        own = np.ascontiguousarray(values[first:behind])
        if times[-1] > times[0]:
            yield times, np.append(0.0, np.cumsum(own * np.diff(times))), own


def _round(longest: int) -> list[int]:
    lengths = [step * 10**power for power in range(3, 19) for step in (1, 2, 5)]
    return [*(length for length in lengths if length < longest), *([longest] if longest else [])]


def _worst(series: Sequence[_Series], window: int) -> dict[str, Any]:
    """Give the least mean over a window, where it is, and quantiles of the means."""
    if window <= 0:
        return {"utilization": 0.0}
    least: tuple[float, int] = (2.0, 0)
    parts = []
    for times, sums, values in series:
        length = min(window, int(times[-1] - times[0]))
        starts, means = np.empty(2 * len(times), np.int64), np.empty(2 * len(times))
        found = windowed_means(times, sums, values, length, starts, means)
        at = int(means[:found].argmin())
        least = min(least, (float(means[at]), int(starts[at])))
        parts.append((starts[:found], means[:found]))
    quantiles = _quantiles(parts, list(QUANTILES.values()), least[0])
    shares = dict(zip(QUANTILES, quantiles, strict=True))
    return {"utilization": max(least[0], 0.0), "start_ns": least[1], **shares}


def _quantiles(
    parts: Sequence[tuple[Ints, Floats]], wanted: Sequence[float], least: float
) -> list[float]:
    """Give quantiles of piecewise linear functions over time: each segment is spread evenly.

    Where a window is as long as its series there is one mean, and no distribution: the least.
    """
    pieces = [
        np.column_stack([means[:-1], means[1:], np.diff(starts)])
        for starts, means in parts
        if len(starts) > 1
    ]
    if not pieces:
        return [least] * len(wanted)
    a, b, mass = np.concatenate(pieces).T
    low, high = np.minimum(a, b), np.maximum(a, b)
    # A grid says between which two values a quantile is; only what lies there is sorted.
    grid = np.linspace(low.min(), high.max(), _GRID)
    below = _mass_below(grid, low, high, mass)
    found = []
    for quantile in wanted:
        goal = quantile * below[-1]
        place = max(int(np.searchsorted(below, goal)), 1)
        left, right = grid[place - 1], grid[min(place, _GRID - 1)]
        near = (high >= left) & (low <= right)
        found.append(_exact(low[near], high[near], mass[near], goal - below[place - 1], left))
    return [min(max(each, least), 1.0) for each in found]


def _mass_below(grid: Floats, low: Floats, high: Floats, mass: Floats) -> Floats:
    """Give how much mass is at or below each value of a grid."""
    width = high - low
    flat = width < _FLAT
    density = np.where(flat, 0.0, mass / np.where(flat, 1.0, width))
    first, behind = (np.searchsorted(grid, edge) for edge in (low, high))
    size = len(grid) + 1

    def sums(at: Ints, weights: Floats) -> Floats:
        return np.cumsum(np.bincount(at, weights, size).astype(np.float64))[:-1]

    slopes = sums(first, density) - sums(behind, density)
    before = sums(first, density * low) - sums(behind, density * high)
    jumps = sums(first, np.where(flat, mass, 0.0))
    mass_below: Floats = np.maximum.accumulate(slopes * grid - before + jumps)
    return mass_below


def _exact(low: Floats, high: Floats, mass: Floats, goal: float, left: float) -> float:
    """Give the least value that `goal` of the mass above `left` is at or below."""
    above_left = (high - low >= _FLAT) | (low > left)
    low, high, mass = low[above_left], high[above_left], mass[above_left]
    width = high - low
    flat = width < _FLAT
    density = np.where(flat, 0.0, mass / np.where(flat, 1.0, width))
    at = np.concatenate([np.maximum(low, left), np.maximum(high, left)])
    if not len(at):
        return left
    slopes = np.concatenate([density, -density])
    jumps = np.concatenate([np.where(flat, mass, 0.0), np.zeros(len(high))])
    order = np.argsort(at, kind="stable")
    at, slope = at[order], np.cumsum(slopes[order])
    rising = np.append(0.0, np.maximum(slope[:-1], 0.0) * np.diff(at))
    above = np.cumsum(rising + jumps[order])  # with the jump at `at`
    place = min(int(np.searchsorted(above, goal)), len(at) - 1)
    below = above[place] - jumps[order][place]
    if goal >= below or place == 0:
        return float(at[place])
    return float(max(at[place] - (below - goal) / max(slope[place - 1], 1e-300), at[place - 1]))


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
