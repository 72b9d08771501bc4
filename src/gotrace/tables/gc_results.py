"""The tables that the analysis of the garbage collector gives."""

from __future__ import annotations

from typing import Final

from gotrace.tables.columns import Table, f64, flag, i32, i64, text

_MUTATOR_UTILIZATION = Table(
    "mutator_utilization",
    "stretch of time in which the collector left the program the same share of its procs",
    ("series", "start_ns"),
    frozenset(),
    (
        i32(
            "series",
            "number of the series: 0 for all procs; else a proc while it is there",
            need=True,
        ),
        i32("proc", "the proc; null for all"),
        i64("start_ns", "begin, on the trace clock", need=True),
        i64("end_ns", "end, on the trace clock, not within it", need=True),
        i64("duration_ns", "end_ns - start_ns", need=True),
        f64("utilization", "share of the procs that the program had, from 0 to 1", need=True),
        i32("procs", "GOMAXPROCS; null in Go's numbers"),
        i32("gc_procs", "procs that the collector had; null in Go's numbers"),
        flag("stopped", "the world was stopped for it; null in Go's numbers", need=False),
    ),
    "From the first that the trace says of GOMAXPROCS to its end.",
)

_MMU = Table(
    "mmu",
    "length of time: the least that the program had in any stretch as long (minimum mutator"
    " utilization)",
    ("window_ns",),
    frozenset(),
    (
        i64("window_ns", "length of the stretch", need=True),
        f64("utilization", "least share of the procs that the program had in one", need=True),
        i64("start_ns", "where such a stretch begins, on the trace clock"),
        f64("p0_1", "0.1 percent of all stretches have no more than this share"),
        f64("p1", "the same for 1 percent"),
        f64("p5", "the same for 5 percent"),
        f64("p50", "the same for 50 percent"),
    ),
)

_GC_PAUSES = Table(
    "gc_pauses",
    "reason that the world was stopped for",
    (),
    frozenset(),
    (
        text("name", "the runtime's name of the range", need=True),
        flag("is_gc", "the collector stopped it"),
        i64("count", "stops", need=True),
        i64("total_ns", "time stopped, in sum", need=True),
        i64("p50_ns", "half of the stops are not longer"),
        i64("p90_ns", "the same for 90 percent"),
        i64("p99_ns", "the same for 99 percent"),
        i64("max_ns", "the longest"),
        i64("max_start_ns", "when the longest began, on the trace clock"),
        i64("max_by_goroutine", "goroutine that stopped the world for it"),
    ),
    "The most time comes first.",
)

_GC_ASSISTS = Table(
    "gc_assists",
    "place in the code that had to help the collector when it allocated",
    (),
    frozenset(),
    (
        text("name", "entry function of the goroutines; null where it is not known"),
        text("site", "where they allocated; null where it is not known"),
        i64("assists", "assists", need=True),
        i64("goroutines", "goroutines that had to", need=True),
        i64("assist_ns", "time in assists, waiting there included", need=True),
        i64("max_ns", "the longest", need=True),
        i64("max_start_ns", "when it began, on the trace clock", need=True),
        i64("max_goroutine", "whose it was"),
    ),
    "The most time comes first.",
)

_GC_HEAP = Table(
    "gc_heap",
    "window of time: the heap against its goal",
    ("start_ns",),
    frozenset(),
    (
        i64("start_ns", "begin, on the trace clock", need=True),
        i64("end_ns", "end, on the trace clock, not within it", need=True),
        i64("heap_min_bytes", "the smallest heap in it, of objects", need=True),
        i64("heap_max_bytes", "the largest", need=True),
        i64("heap_last_bytes", "the last", need=True),
        i64("goal_bytes", "the goal at its end; null before the trace says one"),
    ),
    "Windows in which the heap was not told are left out.",
)

GC_RESULTS: Final = (_MUTATOR_UTILIZATION, _MMU, _GC_PAUSES, _GC_ASSISTS, _GC_HEAP)
