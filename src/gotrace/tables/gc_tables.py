"""Tables of the garbage collector: its cycles, and what it took from the program when."""

from __future__ import annotations

from typing import Final

from gotrace.tables.columns import (
    BY_CLOSING,
    DEFAULT,
    INTERVAL,
    OPEN,
    SUMMARY,
    Table,
    i32,
    i64,
    text,
    word,
)

_GC_CYCLES = Table(
    "gc_cycles",
    "cycle of the garbage collector, from the begin of marking to the end of its second stop",
    BY_CLOSING,
    SUMMARY,
    (
        i64("cycle", "number of the cycle in the trace, from 1", need=True),
        *INTERVAL,
        i64("trigger_stack_id", "stack that began it; joins `stacks`"),
        i64("mark_ns", "from the begin to the end of marking, the first stop included", need=True),
        i64("stw1_ns", "world stopped for the end of sweeping; null where it was not seen"),
        i64("stw2_ns", "world stopped for the end of marking; null where it was not seen"),
        i64("assist_ns", "time of goroutines in assists, waiting there included", need=True),
        i64("assists", "assists in it", need=True),
        i64("worker_dedicated_ns", "time of mark workers that had a proc to themselves", need=True),
        i64("worker_fractional_ns", "time of mark workers on a share of a proc", need=True),
        i64("worker_idle_ns", "time of mark workers on procs that had nothing to do", need=True),
        i64("heap_start_bytes", "heap when it began; null where it was not seen"),
        i64("heap_end_bytes", "heap that marking left; null where it was not seen"),
        i64("goal_bytes", "heap goal that it began under; null where it was not seen"),
        *OPEN,
        i64("by_goroutine", "goroutine that began it"),
        i64("heap_peak_bytes", "largest heap in it; above the goal, the program outran it"),
    ),
)

_GC_WORK = Table(
    "gc_work",
    "interval in which the garbage collector had a proc, or all of them",
    BY_CLOSING,
    DEFAULT,
    (
        word("class", "class", "world stopped, mark worker, sweep or assist", need=True),
        text("name", "mode of the worker, or name of the range, in the runtime's words", need=True),
        *INTERVAL,
        i32("proc", "proc that it had; null for all, when the world is stopped"),
        i64("goroutine", "goroutine that worked, or stopped the world"),
        i64("cycle", "cycle that it belongs to; null outside of cycles"),
        *OPEN,
    ),
    "Assists are here while they run, in `ranges` from begin to end. What Go counts twice, or on a"
    " goroutine that is no worker, is once or not here.",
)

GC_TABLES: Final = (_GC_CYCLES, _GC_WORK)
