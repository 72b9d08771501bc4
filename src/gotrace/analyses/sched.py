"""How long goroutines wait for a proc: by cause, over time, in bursts; and what the procs did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.bursts import Bursts
from gotrace.analyses.distributions import PERCENTILES, Distributions
from gotrace.analyses.histogram import histograms
from gotrace.analyses.levels import Levels
from gotrace.analyses.procs import STATE_COLUMNS, Procs
from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.analyses.sums import codes_in, ints
from gotrace.analyses.windows import Windows, fitting
from gotrace.arrays import Ints
from gotrace.errors import unknown_name
from gotrace.spec.words import STATES
from gotrace.tables.schema import schema
from gotrace.tables.times import When

RESULTS: Final = ("latency", "windows", "bursts", "procs")
CAUSES: Final = ("unblock", "create", "switch", "preempted", "gosched", "syscall", "other")
SPIKE_NS: Final = 1_000_000
"""A window whose p99 is above it is a spike; so is one with more ready than five a proc."""

_READY_PER_PROC: Final = 5
_RUNNABLE, _RUNNING = STATES.index("runnable"), STATES.index("running")
_SYSCALL, _WAITING = STATES.index("syscall"), STATES.index("waiting")
_TIMES: Final = {
    _RUNNABLE: "runnable_ns",
    _RUNNING: "running_ns",
    _SYSCALL: "syscall_ns",
    _WAITING: "waiting_ns",
}
_COLUMN_OF_STATE: Final = np.array(
    [list(_TIMES).index(code) if code in _TIMES else -1 for code in range(len(STATES))]
)
_COLUMNS: Final = {
    "goroutine_states": (
        "goroutine",
        "start_ns",
        "end_ns",
        "state",
        "reason",
        "by_kind",
        "next_state",
        "open_start",
    ),
    "proc_states": STATE_COLUMNS,
    "goroutine_transitions": (
        "time_ns",
        "goroutine",
        "life",
        "from_state",
        "to_state",
        "by_goroutine",
        "by_stack_id",
    ),
    "metrics": ("time_ns", "name", "value"),
}


@dataclass(frozen=True)
class Sched:
    """The scheduler's part in a trace.

    Attributes:
        span: what was looked at.
        latency, windows, bursts, procs: the tables `sched_latency`, `sched_windows`,
            `sched_bursts`, `proc_utilization`.
    """

    span: Span
    latency: pa.Table
    windows: pa.Table
    bursts: pa.Table
    procs: pa.Table


def sched(
    tables: Tables,
    what: str = "latency",
    *,
    start: When | None = None,
    end: When | None = None,
    spike_ns: int = SPIKE_NS,
) -> pa.Table:
    """Say how long goroutines waited for a proc.

    `what` is "latency" (the table `sched_latency`), "windows" (`sched_windows`), "bursts"
    (`sched_bursts`) or "procs" (`proc_utilization`). Reads `goroutine_states`,
    `goroutine_transitions`, `proc_states` and `metrics` in one pass. Raises `UnknownNameError`,
    ValueError for a time that the trace cannot place.
    """
    if what not in RESULTS:
        raise unknown_name("answer about the scheduler", what, RESULTS)
    table: pa.Table = getattr(look(tables, start=start, end=end, spike_ns=spike_ns), what)
    return table


def look(
    tables: Tables,
    *,
    start: When | None = None,
    end: When | None = None,
    spike_ns: int = SPIKE_NS,
) -> Sched:
    """Make all four tables in one pass."""
    reading = Reading(tables, _COLUMNS, start=start, end=end)
    seen = _Seen(reading)
    for name, batch in reading:
        if batch.num_rows:
            seen.add(name, batch)
    return seen.tables(reading.span, spike_ns)


class _Seen:
    """What was seen of the scheduler so far."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._at: Windows | None = None
        self._latency = Distributions()
        self._levels = Levels("runnable")
        self._bursts = Bursts()
        self._procs = Procs()
        self._worst: list[Ints] = []

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take a batch of one of the tables."""
        if name == "goroutine_states":
            self._add_states(batch)
        elif name == "goroutine_transitions":
            self._levels.add(batch, self._windows())
            self._bursts.add(batch)
        elif name == "proc_states":
            self._procs.add_states(batch, self._reading.start_ns, self._reading.end_ns)
        else:
            self._procs.add_metrics(batch)

    def _windows(self) -> Windows:
        """Give the windows; where they begin is known with the first sync."""
        if self._at is None:
            self._at = Windows(self._reading.span.start_ns, _TIMES.values())
        return self._at

    def _add_states(self, batch: pa.RecordBatch) -> None:
        windows, span = self._windows(), self._reading
        width = windows.width_ns
        state = codes_in(batch.column("state"), STATES)
        start, end = ints(batch.column("start_ns")), ints(batch.column("end_ns"))
        first = start if span.start_ns is None else np.maximum(start, span.start_ns)
        last = end if span.end_ns is None else np.minimum(end, span.end_ns)
        column = _COLUMN_OF_STATE[state]
        inside = np.flatnonzero((last > first) & (column >= 0))
        windows.add_times(column[inside], first[inside], last[inside])
        ran = (state == _RUNNABLE) & (codes_in(batch.column("next_state"), STATES) == _RUNNING)
        ran &= ~np.asarray(batch.column("open_start")).astype(np.bool_)
        ran &= end == last  # what ran after the stretch is no latency of it
        rows = np.flatnonzero(ran)
        if len(rows):
            self._add_waits(batch, rows, start[rows], end[rows])
        if windows.width_ns != width:
            factor = windows.width_ns // width
            self._latency = self._latency.regroup(lambda old: _coarser(old, factor))

    def _add_waits(self, batch: pa.RecordBatch, rows: Ints, start: Ints, end: Ints) -> None:
        """Add waits for a proc, in the order of their ends."""
        windows = self._windows()
        begins = windows.runs(end)
        sizes = np.diff(np.append(begins, len(rows)))
        at = np.repeat(windows.of(end[begins]), sizes)
        waited = end - start
        self._latency.add(at * len(CAUSES) + causes_of(batch, rows), waited)
        longest = np.repeat(np.maximum.reduceat(waited, begins), sizes)
        worst = np.flatnonzero(waited == longest)
        who = ints(batch.column("goroutine"))[rows[worst]]
        self._worst.append(np.stack([waited[worst], who, start[worst]]))

    def tables(self, span: Span, spike_ns: int) -> Sched:
        """Make the tables."""
        windows = self._windows()
        windows.reach(max(span.end_ns - 1, windows.origin_ns))
        latency = self._latency.regroup(lambda old: old % len(CAUSES))
        factor = fitting(span.duration_ns, windows.width_ns)
        by_window = self._latency.regroup(lambda old: old // len(CAUSES) // factor)
        windows.coarsen(factor)
        return Sched(
            span,
            _latency_table(latency),
            self._window_table(windows, by_window, span, spike_ns),
            self._bursts.table(),
            self._procs.table(span),
        )

    def _window_table(
        self, windows: Windows, latency: Distributions, span: Span, spike_ns: int
    ) -> pa.Table:
        starts, ends = windows.edges(span.end_ns)
        count = windows.count
        sizes, spread = latency.counts(count), latency.percentiles(count)
        none = sizes == 0
        worst, ready = self._worst_of(windows), self._levels.maxima(windows)
        procs, unknown = self._procs.maximum_at(ends)
        spike = (spread[:, 2] > spike_ns) | (~unknown & (ready > _READY_PER_PROC * procs))
        columns = [
            pa.array(starts),
            pa.array(ends),
            pa.array(sizes),
            *(pa.array(spread[:, at], mask=none) for at in range(len(PERCENTILES))),
            *(pa.array(column, mask=none) for column in worst),
            pa.array(ready),
            *(pa.array(windows.sums[name][:count]) for name in _TIMES.values()),
            pa.array(procs, mask=unknown),
            pa.array(spike),
        ]
        return pa.table(columns, schema=schema("sched_windows"))

    def _worst_of(self, windows: Windows) -> tuple[Ints, Ints, Ints]:
        """Give goroutine, begin and end of the longest wait that ended in each window."""
        found = np.zeros((3, windows.count), np.int64)
        if self._worst:
            waited, goroutine, start = np.concatenate(self._worst, axis=1)
            order = np.argsort(waited, kind="stable")  # the longest is written last
            at = windows.of((start + waited)[order])
            found[:, at] = np.stack([goroutine, start, start + waited])[:, order]
        return found[0], found[1], found[2]


def _coarser(groups: Ints, factor: int) -> Ints:
    return groups // len(CAUSES) // factor * len(CAUSES) + groups % len(CAUSES)


def causes_of(batch: pa.RecordBatch, rows: Ints) -> Ints:
    """Say of some runnable intervals what made the goroutine ready, as positions in CAUSES."""
    causes = codes_in(batch.column("by_kind"), CAUSES)[rows].astype(np.int64)
    bare = np.flatnonzero(causes < 0)
    if len(bare):
        reasons = batch.column("reason").take(pa.array(rows[bare]))
        known = codes_in(reasons, ("preempted", "runtime.Gosched"))
        told = reasons.is_valid().to_numpy(zero_copy_only=False)
        stopped = np.where(known >= 0, CAUSES.index("preempted") + known, CAUSES.index("other"))
        causes[bare] = np.where(told, stopped, CAUSES.index("syscall"))
    return causes


def _latency_table(latency: Distributions) -> pa.Table:
    """Make the table `sched_latency`: all causes together, then each."""
    whole = latency.regroup(np.zeros_like)
    parts = []
    for spread, names in ((whole, ("all",)), (latency, CAUSES)):
        size = len(names)
        columns = [
            pa.array(names, pa.utf8()),
            pa.array(spread.counts(size)),
            pa.array(spread.sums(size)),
            *(pa.array(column) for column in spread.percentiles(size).T),
            histograms(spread, size),
        ]
        table = pa.table(columns, schema=schema("sched_latency"))
        parts.append(table.filter(pc.greater(table["count"], 0)))
    parts[1] = parts[1].sort_by([("total_ns", "descending"), ("cause", "ascending")])
    return pa.concat_tables(parts)
