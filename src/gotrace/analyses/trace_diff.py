"""Two traces side by side: groups, blocking, latencies, and how much of it may be noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import LastStacks
from gotrace.analyses.names_of_stacks import COLUMNS, places
from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.analyses.sched import CAUSES, causes_of
from gotrace.analyses.slices import (
    MOST,
    SlicedDistributions,
    SlicedSums,
    Slices,
    rate_and_error,
)
from gotrace.analyses.sums import Numbering, codes_in, ints
from gotrace.arrays import Floats, Ints
from gotrace.spec.words import STATES, WAITS
from gotrace.tables.schema import schema
from gotrace.tables.times import When

SCORE: Final = 4.0
"""A change so many standard errors away from none is told as one."""

_RUNNABLE, _RUNNING = STATES.index("runnable"), STATES.index("running")
_WAITING, _SYSCALL = STATES.index("waiting"), STATES.index("syscall")
_PERCENTS: Final = (50, 99)
_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "stacks": (*COLUMNS, "root", "site_function"),
    "goroutine_states": (
        "goroutine",
        "start_ns",
        "end_ns",
        "state",
        "reason",
        "wait",
        "stack_id",
        "end_stack_id",
        "by_kind",
        "next_state",
        "open_start",
    ),
    "tasks": ("name", "end_ns", "duration_ns", "open_start", "open_end"),
    "regions": ("name", "end_ns", "duration_ns", "open_start", "open_end"),
}


class Measured(NamedTuple):
    """One number of one trace.

    Attributes:
        kind, name, metric, unit: what it is.
        value: the number.
        error: its standard error; NaN where it is not known.
    """

    kind: str
    name: str
    metric: str
    unit: str
    value: float
    error: float


def trace_diff(
    base: Tables, other: Tables, *, start: When | None = None, end: When | None = None
) -> pa.Table:
    """Compare two traces: the table `trace_diff`, the surest changes first.

    Each trace is cut into 32 to 64 slices of equal time. How a number varies from slice to slice
    gives its standard error, and a change counts when it is `SCORE` of them away from none; in
    traces of a few milliseconds nothing does. `start` and `end` cut both traces. Raises ValueError
    for a time that a trace cannot place.
    """
    return compared(base, other, start=start, end=end)[0]


def compared(
    base: Tables, other: Tables, *, start: When | None = None, end: When | None = None
) -> tuple[pa.Table, tuple[Span, Span]]:
    """Compare two traces, and say what stretch of each that is about."""
    measured = [_measured(tables, start, end) for tables in (base, other)]
    sides = [numbers for numbers, _ in measured]
    rows = [_row(key, sides[0].get(key), sides[1].get(key)) for key in {**sides[0], **sides[1]}]
    rows.sort(key=lambda row: (-abs(row["score"] or 0), row["kind"], row["name"], row["metric"]))
    table = pa.Table.from_pylist(rows, schema("trace_diff"))
    return table, (measured[0][1], measured[1][1])


Key = tuple[str, str, str]


def _row(key: Key, base: Measured | None, other: Measured | None) -> dict[str, Any]:
    known = base or other
    assert known is not None
    before, after = (0.0 if side is None else side.value for side in (base, other))
    noise = math.hypot(*(0.0 if side is None else side.error for side in (base, other)))
    score = (after - before) / noise if math.isfinite(noise) and noise > 0 else None
    return {
        "kind": known.kind,
        "name": known.name,
        "metric": known.metric,
        "unit": known.unit,
        "base": None if base is None else before,
        "value": None if other is None else after,
        "change": after - before,
        "ratio": after / before if base is not None and before else None,
        "noise": noise if math.isfinite(noise) else None,
        "score": score,
        "is_change": score is not None and abs(score) >= SCORE,
    }


def _measured(
    tables: Tables, start: When | None, end: When | None
) -> tuple[dict[Key, Measured], Span]:
    reading = Reading(tables, _COLUMNS, start=start, end=end)
    side: _Side | None = None
    for name, batch in reading:
        if side is None:
            side = _Side(reading.span.start_ns, reading.end_ns)
        if batch.num_rows:
            side.add(name, batch)
    rows = side.measured(reading.span.end_ns) if side is not None else ()
    return {(row.kind, row.name, row.metric): row for row in rows}, reading.span


class _Side:
    """What is measured of one trace."""

    def __init__(self, origin_ns: int, until_ns: int | None) -> None:
        self._until_ns = until_ns
        self._slices = Slices(origin_ns)
        keys = ("stack", "state", "wait")
        self._times = SlicedSums(self._slices, keys, ("ns", "times", "started"))
        self._latency = SlicedDistributions(self._slices)
        self._last = LastStacks()
        self._names: dict[int, tuple[str, str]] = {}
        self._intervals = {
            kind: (Numbering(), SlicedDistributions(self._slices)) for kind in ("tasks", "regions")
        }

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take a batch of one of the tables; what ends after the stretch is left out."""
        if name != "stacks" and self._until_ns is not None:
            batch = batch.filter(pc.less_equal(batch.column("end_ns"), self._until_ns))
        if name == "stacks":
            columns = (batch.column(name).to_pylist() for name in ("root", "site_function"))
            for (id, place), root, site in zip(places(batch), *columns, strict=True):
                self._names[id] = (root or "(unknown)", site or place or "(unknown)")
        elif name == "goroutine_states":
            self._add_states(batch)
        else:
            self._add_intervals(name, batch)

    def _add_states(self, batch: pa.RecordBatch) -> None:
        state = codes_in(batch.column("state"), STATES)
        goroutine, end = ints(batch.column("goroutine")), ints(batch.column("end_ns"))
        lasted = end - ints(batch.column("start_ns"))
        at = self._slices.of(end)
        own, behind = (ints(batch.column(f"{name}stack_id"), -1) for name in ("", "end_"))
        stack = np.where((state == _RUNNING) & (behind >= 0), behind, own)
        following = codes_in(batch.column("next_state"), STATES)
        ended = following == STATES.index("notexist")
        self._last.fill(goroutine, stack, ended.view(np.uint8))
        made = codes_in(batch.column("by_kind"), ("create",)) == 0
        wait = np.where(state == _WAITING, codes_in(batch.column("wait"), WAITS), -1)
        columns = {
            "stack": stack,
            "state": state,
            "wait": wait,
            "slice": at,
            "ns": lasted,
            "times": np.ones(len(at), np.int64),
            "started": made.astype(np.int64),
        }
        self._times.add({name: pa.array(column) for name, column in columns.items()})
        ran = (state == _RUNNABLE) & (following == _RUNNING)
        ran &= ~np.asarray(batch.column("open_start")).astype(np.bool_)
        rows = np.flatnonzero(ran)
        self._latency.add(causes_of(batch, rows), at[rows], lasted[rows])

    def _add_intervals(self, name: str, batch: pa.RecordBatch) -> None:
        numbering, spread = self._intervals[name]
        opened = np.asarray(batch.column("open_start")) | np.asarray(batch.column("open_end"))
        whole = ~opened.astype(np.bool_)
        at = self._slices.of(ints(batch.column("end_ns")))
        group = numbering.of(batch.column("name"))
        lasted = ints(batch.column("duration_ns"))
        spread.add(group[whole], at[whole], lasted[whole])

    def measured(self, end_ns: int) -> Iterable[Measured]:
        """Give every number."""
        seconds = self._slices.seconds(end_ns)
        yield from self._rates(seconds)
        yield from _spread("latency", ("all",), self._latency.as_one())
        yield from _spread("latency", CAUSES, self._latency)
        for kind, (numbering, spread) in self._intervals.items():
            names = [name or "(no name)" for name in numbering.values]
            yield from _spread(kind.removesuffix("s"), names, spread)

    def _rates(self, seconds: Floats) -> Iterable[Measured]:
        sums = self._times.table()
        if sums is None:
            return
        rows = {name: ints(sums[name]) for name in sums.schema.names}
        roots, sites = Numbering(), Numbering()
        unknown = ("(unknown)", "(unknown)")
        known = [self._names.get(stack, unknown) for stack in rows["stack"].tolist()]
        root = roots.of(pa.array([name for name, _ in known], pa.utf8()))
        site = sites.of(pa.array([name for _, name in known], pa.utf8()))
        state, slices = rows["state"], np.minimum(rows["slice"], len(seconds) - 1)

        def rates(chosen: Any, number: Ints, names: Sequence[str], column: str) -> Iterable[Any]:
            amounts = np.zeros((len(names), len(seconds)))
            np.add.at(amounts, (number[chosen], slices[chosen]), rows[column][chosen])
            return zip(names, *rate_and_error(amounts, seconds), strict=True)

        for metric, chosen, column, unit in (
            ("exec", state == _RUNNING, "ns", "ns/s"),
            ("sched", state == _RUNNABLE, "ns", "ns/s"),
            ("syscall", state == _SYSCALL, "ns", "ns/s"),
            ("started", rows["started"] > 0, "started", "1/s"),
        ):
            for name, value, error in rates(chosen, root, roots.values, column):
                if value:
                    yield Measured("group", name, metric, unit, value, error)
        waits = state == _WAITING
        place = Numbering()
        words = [*WAITS, "unknown"]
        named = [
            f"{words[wait]} at {sites.values[at]}" if at < len(sites) else ""
            for wait, at in zip(rows["wait"].tolist(), site.tolist(), strict=True)
        ]
        number = place.of(pa.array(named, pa.utf8()))
        for metric, column, unit in (("blocked", "ns", "ns/s"), ("times", "times", "1/s")):
            for name, value, error in rates(waits, number, place.values, column):
                if value:
                    yield Measured("blocking", name, metric, unit, value, error)


def _spread(kind: str, names: Sequence[str], spread: SlicedDistributions) -> Iterable[Measured]:
    """Give mean and percentiles of each group that has any; their errors come from the slices."""
    size = len(names)
    if not size:
        return
    whole, parts = spread.by_group(), spread.by_slice()
    counts = parts.counts(size * MOST).reshape(size, MOST).astype(np.float64)
    sums = parts.sums(size * MOST).reshape(size, MOST).astype(np.float64)
    mean, error = rate_and_error(sums, counts)
    percentiles = whole.percentiles(size, _PERCENTS)
    of_slices = parts.percentiles(size * MOST, _PERCENTS).reshape(size, MOST, len(_PERCENTS))
    for at, name in enumerate(names):
        used = counts[at] > 0
        if not used.any():
            continue
        yield Measured(kind, name, "mean", "ns", mean[at], error[at])
        for column, percent in enumerate(_PERCENTS):
            values = of_slices[at, used, column]
            noise = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
            value = float(percentiles[at, column])
            yield Measured(kind, name, f"p{percent}", "ns", value, float(noise))
