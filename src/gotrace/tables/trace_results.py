"""The tables that analyses of execution traces give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from gotrace.tables.columns import Column, Table, f64, flag, i32, i64, listing, text, word
from gotrace.tables.gc_results import GC_RESULTS

_SPLIT = (
    i64("exec_ns", "time running", need=True),
    i64("sched_ns", "time runnable: ready, but not yet running", need=True),
    i64("syscall_ns", "time in system calls while it kept its proc", need=True),
    i64("syscall_block_ns", "time in system calls after its proc was taken", need=True),
    i64("block_ns", "time waiting", need=True),
    i64("unknown_ns", "time of which nothing is known", need=True),
    i64("total_ns", "time from begin to end, as far as it was seen", need=True),
)


def _named_times(name: str, of: str, meaning: str) -> Column:
    fields = [pa.field(of, pa.utf8(), nullable=False), pa.field("ns", pa.int64(), nullable=False)]
    return listing(name, pa.struct(fields), meaning)


def _percentiles(what: str, of: str) -> tuple[Column, ...]:
    """Nearest-rank percentiles of a time; of what has no rows, null."""
    begin = f"{what}_" if what else ""
    return (
        i64(f"{begin}p50_ns", f"half of {of} are not above it"),
        i64(f"{begin}p90_ns", "the same for 90 percent"),
        i64(f"{begin}p99_ns", "the same for 99 percent"),
        i64(f"{begin}max_ns", "the largest"),
    )


_HISTOGRAM = listing(
    "histogram",
    pa.struct(
        [
            pa.field("from_ns", pa.int64(), nullable=False),
            pa.field("to_ns", pa.int64(), nullable=False),
            pa.field("count", pa.int64(), nullable=False),
        ]
    ),
    "how many durations lie in each bin, five bins a decade, as in go tool trace",
)

_GOROUTINE_GROUPS = Table(
    "goroutine_groups",
    "group of goroutines: those of one entry function, or of one go statement",
    (),
    frozenset(),
    (
        text("group", "entry function, or place of the go statement; null where it is unknown"),
        i64("count", "goroutines", need=True),
        i64("alive", "of them, those that had not ended when the trace did", need=True),
        *_SPLIT,
        i64("runs", "times that they were put on a proc", need=True),
        i64("assist_ns", "time that they helped the garbage collector; within the others"),
        _named_times("block", "reason", "time waiting by reason, the longest first"),
        _named_times("range", "name", "time in ranges of the runtime by name, the longest first"),
        flag("is_system", "all of them are the runtime's own"),
        *_percentiles("exec", "the times running"),
        *_percentiles("sched", "the times runnable"),
        *_percentiles("block", "the times waiting"),
        *_percentiles("total", "the lifetimes"),
    ),
    "The group that ran longest comes first. Percentiles are of single goroutines, nearest-rank.",
)

_SCHED_LATENCY = Table(
    "sched_latency",
    "cause of waiting for a proc: how long goroutines were ready before they ran",
    (),
    frozenset(),
    (
        text(
            "cause",
            "all, or unblock, create, switch, preempted, gosched, syscall, other",
            need=True,
        ),
        i64("count", "times that a goroutine got ready and then ran", need=True),
        i64("total_ns", "time between, in sum", need=True),
        *_percentiles("", "the times between"),
        _HISTOGRAM,
    ),
    "All causes come first, then the one with the most time.",
)

_SCHED_WINDOWS = Table(
    "sched_windows",
    "window of time: how long goroutines were ready before they ran, how many were, what procs did",
    ("start_ns",),
    frozenset(),
    (
        i64("start_ns", "begin, on the trace clock", need=True),
        i64("end_ns", "end, on the trace clock, not within the window", need=True),
        i64("count", "goroutines that began to run after they were ready", need=True),
        *_percentiles("latency", "the times that they were ready"),
        i64("worst_goroutine", "goroutine that was ready longest"),
        i64("worst_start_ns", "when it got ready"),
        i64("worst_end_ns", "when it ran at last"),
        i64("runnable_max", "most goroutines that were ready at one time", need=True),
        i64(
            "runnable_ns",
            "time ready, in sum; by the window's length: how many on average",
            need=True,
        ),
        i64("running_ns", "time running, in sum", need=True),
        i64("syscall_ns", "time in system calls, in sum", need=True),
        i64("waiting_ns", "time waiting, in sum", need=True),
        i64("procs", "GOMAXPROCS; null where the trace does not say"),
        flag("is_spike", "the p99 is above the limit, or more are ready than five a proc"),
    ),
    "A goroutine that got ready in one window and ran in another counts where it ran.",
)

_SCHED_BURSTS = Table(
    "sched_bursts",
    "burst of wakeups: many goroutines made ready within a millisecond by one other",
    ("start_ns",),
    frozenset(),
    (
        i64("start_ns", "first wakeup, on the trace clock", need=True),
        i64("end_ns", "last wakeup, on the trace clock", need=True),
        i64("by_goroutine", "goroutine that woke them; null for the runtime: timers, the network"),
        i64("by_stack_id", "where it did; joins `stacks`"),
        i64("woken", "different goroutines", need=True),
        i64("wakeups", "wakeups", need=True),
    ),
)

_PROC_UTILIZATION = Table(
    "proc_utilization",
    "proc (P): what it was busy with",
    ("proc",),
    frozenset(),
    (
        i32("proc", "the proc", need=True),
        i64("busy_ns", "time that a goroutine ran on it", need=True),
        i64("total_ns", "length of the stretch of time that was looked at", need=True),
        f64("utilization", "busy_ns / total_ns", need=True),
        i64("runs", "times that a goroutine was put on it", need=True),
        i64("scheduler_ns", "time that a thread held it and no goroutine ran: the scheduler"),
        i64("syscall_ns", "time that a goroutine on it was in a syscall"),
        i64("idle_ns", "time that no thread held it"),
    ),
    "`busy_ns`, `scheduler_ns`, `syscall_ns` and `idle_ns` add up to the time that the proc was"
    " there.",
)

_DELAYS = Table(
    "delays",
    "stack that goroutines were put in a state from, as in the profiles of `go tool trace`",
    (),
    frozenset(),
    (
        i64("stack_id", "stack of the event that put them there; null for an event without one"),
        i64("contentions", "how often", need=True),
        i64("delay_ns", "how long in sum", need=True),
    ),
    "The longest delay first.",
)

_BLOCKING = Table(
    "blocking",
    "place where goroutines waited, and what for",
    (),
    frozenset(),
    (
        word("wait", "wait", "what they waited for"),
        text("site", "where, in the code; null for an unknown place"),
        i64("count", "waits", need=True),
        i64("total_ns", "time waiting, in sum", need=True),
        i64("open", "of them, those that had not ended when the trace did", need=True),
        *_percentiles("", "the waits"),
        _named_times("groups", "name", "time by entry function, the longest first"),
        _named_times("ended_by", "site", "time by where it was ended; empty text for the runtime"),
    ),
    "The most time comes first.",
)

_TASK_GROUPS = Table(
    "task_groups",
    "type of user tasks: how many, and how long they took",
    (),
    frozenset(),
    (
        text("name", "the tasks' type; null for tasks that only have logs or regions"),
        i64("count", "tasks", need=True),
        i64("complete", "of them, those whose begin and end are in the trace", need=True),
        i64("total_ns", "time of the complete ones, in sum", need=True),
        *_percentiles("", "the complete ones"),
        i64("goroutines", "goroutines that had a part in them, in sum", need=True),
        _HISTOGRAM,
    ),
    "The type with the most time comes first. Percentiles and histogram are of complete tasks.",
)

_REGION_GROUPS = Table(
    "region_groups",
    "type of user regions: how many, how long they took, and what their goroutines did in them",
    (),
    frozenset(),
    (
        text("name", "the regions' type"),
        i64("count", "regions", need=True),
        i64("complete", "of them, those whose begin and end are in the trace", need=True),
        i64(
            "duration_ns", "their time, in sum; where one is open, as far as it was seen", need=True
        ),
        *_SPLIT,
        _named_times("block", "reason", "time waiting by reason, the longest first"),
        *_percentiles("", "the regions"),
        _HISTOGRAM,
    ),
    "The type with the most time comes first.",
)

_CRITICAL_PATH = Table(
    "critical_path",
    "segment of a critical path: back from its end, who held things up",
    ("start_ns",),
    frozenset(),
    (
        i64("start_ns", "begin, on the trace clock", need=True),
        i64("end_ns", "end, on the trace clock, not within the segment", need=True),
        i64("duration_ns", "end_ns - start_ns", need=True),
        i64("goroutine", "goroutine that the path leads through", need=True),
        word("state", "state", "what it did; null where nothing is known of it"),
        word("wait", "wait", "what it waited for, where it is not known who ended that"),
        i64("stack_id", "its stack, at the end where it ran; joins `stacks`"),
        i32("depth", "handovers, from who waits to who is waited for, above it", need=True),
    ),
    "The segments tile the interval: each begins where the one before it ends. Where a goroutine "
    "waited, the path leads through whoever woke it; where it was made, through its maker.",
)

_TRACE_DIFF = Table(
    "trace_diff",
    "number of two traces",
    (),
    frozenset(),
    (
        text("kind", "group, blocking, latency, task or region", need=True),
        text("name", "entry function; wait and place; cause; type", need=True),
        text("metric", "exec, sched, syscall, started; blocked, times; mean, p50, p99", need=True),
        text("unit", "ns/s, 1/s: by second of the trace; ns", need=True),
        f64("base", "the number in the base; null where it has none"),
        f64("value", "the number in the other; null where it has none"),
        f64("change", "value - base, none being 0", need=True),
        f64("ratio", "value / base"),
        f64("noise", "standard error of the change, from how the numbers vary over time"),
        f64("score", "change / noise"),
        flag("is_change", "the change is at least four standard errors"),
    ),
    "The surest changes come first.",
)

_RELATED_GOROUTINES = Table(
    "related_goroutines",
    "goroutine that woke another, or woke one that did, and so on",
    ("distance",),
    frozenset(),
    (
        i64("goroutine", "the goroutine", need=True),
        text("name", "its entry function; null where it is not known"),
        i64("distance", "wakeups between it and the one that was asked about", need=True),
        i64("wakeups", "how often it woke one that is a step nearer", need=True),
    ),
    "Up to a distance of 2 they are the related goroutines of `go tool trace`.",
)

TRACE_RESULTS: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        _GOROUTINE_GROUPS,
        _SCHED_LATENCY,
        _SCHED_WINDOWS,
        _SCHED_BURSTS,
        _PROC_UTILIZATION,
        _DELAYS,
        _RELATED_GOROUTINES,
        *GC_RESULTS,
        _BLOCKING,
        _TASK_GROUPS,
        _REGION_GROUPS,
        _CRITICAL_PATH,
        _TRACE_DIFF,
    )
}
"""What `results` takes in, in the order of the docs page."""
