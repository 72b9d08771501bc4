"""Tables of lives: what goroutines, procs and threads were doing, from when to when."""

from __future__ import annotations

from typing import Final

from gotrace.tables.columns import (
    BY_CLOSING,
    DEFAULT,
    INTERVAL,
    OPEN,
    SUMMARY,
    Table,
    flag,
    i32,
    i64,
    shares,
    text,
    word,
)

TIME_SPLIT: Final = (
    i64("exec_ns", "running"),
    i64("sched_ns", "runnable, waiting for a proc"),
    i64("syscall_ns", "in syscalls, with the proc"),
    i64("syscall_block_ns", "in syscalls, after the proc was taken away"),
    i64("block_ns", "waiting, for whatever reason"),
    shares("block", "reason", "block_ns by reason, in the runtime's words; null for none"),
    shares("range", "name", "in ranges of the runtime, by name; they overlap the other times"),
    i64("total_ns", "from begin to end"),
    i64("unknown_ns", "total_ns less the times above, not below 0"),
)
"""How the time of a life or a region divides."""

_ID = (
    i64("goroutine", "the goroutine's id", need=True),
    i32("life", "counts the lives of a goroutine id from 0; an id can live twice", need=True),
)

_GOROUTINE_STATES = Table(
    "goroutine_states",
    "interval that a goroutine spent in one state",
    BY_CLOSING,
    DEFAULT,
    (
        *_ID,
        *INTERVAL,
        word("state", "state", "what it was doing", need=True),
        word("reason", "reason", "why it stopped or blocked, in the runtime's words"),
        word("wait", "wait", "what it waited for, from reason and stack"),
        i64("stack_id", "its stack when the interval began; joins `stacks`"),
        i32("proc", "proc it was on, where it was running or in a syscall"),
        i64("thread", "thread it was on, where it was running or in a syscall"),
        i64("by_goroutine", "goroutine that woke it; null when nobody did"),
        i64("by_stack_id", "stack of whoever woke it; joins `stacks`"),
        word("by_kind", "wake", "how it was woken, or how it came to be; null when it was not"),
        word("next_state", "state", "what came next; null where the interval has no end"),
        *OPEN,
        i64("end_stack_id", "its stack when the interval ended; joins `stacks`"),
    ),
    "The intervals of a life follow each other without gaps. `by_*` say of a `waiting` interval who"
    " ended it, of a `runnable` one who began it.",
)

_GOROUTINES = Table(
    "goroutines",
    "life of a goroutine",
    BY_CLOSING,
    SUMMARY,
    (
        *_ID,
        text("name", "the function it began in, its entry; null when no stack was seen"),
        i64("parent", "goroutine that made it; null where it is not known, and for none"),
        i64("creation_stack_id", "stack of the parent at the go statement; joins `stacks`"),
        i64("created_at_ns", "when it was made; null for before the trace"),
        i64("first_run_at_ns", "when it was first seen to run"),
        i64("ended_at_ns", "when it ended; null where it did not"),
        word("last_state", "state", "state at the end; notexist when it has ended", need=True),
        word("last_reason", "reason", "why it stopped or blocked last, in the runtime's words"),
        word("last_wait", "wait", "what it waits for at the end, from reason and stack"),
        i64("last_stack_id", "its stack at the end; joins `stacks`"),
        i64("last_since_at_ns", "since when it has been in that state; null for an unknown time"),
        *TIME_SPLIT,
        i64("runs", "how often it was seen to run", need=True),
        flag("is_system", "the runtime's own, by its name, as `go tool trace` has it"),
        *OPEN,
        i64("start_seq", "event that made it, or the sync it was clipped at", need=True),
        i64("end_seq", "event that ended it, or the last event it was clipped at", need=True),
    ),
    "Times are those of Go's Summarizer, but a goroutine that blocks forever waits, a syscall that"
    " has not ended is split where it lost its proc, and an id that is used again is a new life.",
)

_WAKEUPS = Table(
    "wakeups",
    "time that a goroutine was made runnable by another's doing",
    ("end_seq", "seq"),
    DEFAULT,
    (
        i64("seq", "event that woke it", need=True),
        i64("time_ns", "when, on the trace clock", need=True),
        *_ID,
        word("kind", "wake", "how it was woken", need=True),
        i64(
            "by_goroutine", "goroutine that woke it; null for timers, the network poller and so on"
        ),
        i64("by_stack_id", "stack of whoever woke it; joins `stacks`"),
        i64("stack_id", "its own stack, where it had waited; joins `stacks`"),
        i64("blocked_ns", "how long it had waited; null for since before the trace, and when new"),
        i64("latency_ns", "until it ran; null when the trace ended before"),
        i64("end_seq", "event that it ran with, or the last event of the trace", need=True),
    ),
    "A row comes when the goroutine runs: they are `goroutine_states` that are runnable and have a"
    " waker.",
)

_PROC_STATES = Table(
    "proc_states",
    "interval that a proc (P) spent in one state with one thread and goroutine",
    BY_CLOSING,
    DEFAULT,
    (
        i32("proc", "the proc", need=True),
        *INTERVAL,
        word("state", "state", "running (also without a goroutine), syscall or idle", need=True),
        i64("thread", "thread that holds it; null when idle"),
        i64("goroutine", "goroutine on it; null while the scheduler looks for one"),
        *OPEN,
    ),
    "The intervals of a proc follow each other without gaps.",
)

_OCCUPATION: Final = (
    i64("running_ns", "running a goroutine", need=True),
    i64("scheduler_ns", "running without a goroutine: the scheduler", need=True),
    i64("syscall_ns", "with a goroutine in a syscall", need=True),
)

_PROCS = Table(
    "procs",
    "proc (P)",
    BY_CLOSING,
    SUMMARY,
    (
        i32("proc", "the proc", need=True),
        *INTERVAL,
        *_OCCUPATION,
        i64("idle_ns", "without a thread", need=True),
        i64("runs", "goroutines that began to run on it", need=True),
        i64("starts", "how often a thread took it up", need=True),
        i64("steals", "how often it was taken from a syscall", need=True),
        *OPEN,
    ),
    "Nothing says when a proc goes away, so all last to the end. The four times add up to"
    " `duration_ns`.",
)

_THREAD_STATES = Table(
    "thread_states",
    "interval that a thread (M) spent in one state with one proc and goroutine",
    BY_CLOSING,
    DEFAULT,
    (
        i64("thread", "the thread", need=True),
        *INTERVAL,
        word("state", "state", "running (also without a goroutine), syscall or idle", need=True),
        i32("proc", "proc that it holds; null for none"),
        i64("goroutine", "goroutine on it; null for none"),
        *OPEN,
    ),
    "The intervals of a thread follow each other without gaps, from when it is first seen.",
)

_THREADS = Table(
    "threads",
    "thread (M)",
    BY_CLOSING,
    SUMMARY,
    (
        i64("thread", "the thread, as the system numbers it", need=True),
        *INTERVAL,
        *_OCCUPATION,
        i64("idle_ns", "with neither proc nor goroutine", need=True),
        i64("runs", "goroutines that began to run on it", need=True),
        *OPEN,
    ),
    "From when it is first seen; nothing says when threads begin and end. The four times add up to"
    " `duration_ns`.",
)

LIFE_TABLES: Final = (
    _GOROUTINE_STATES,
    _GOROUTINES,
    _WAKEUPS,
    _PROC_STATES,
    _PROCS,
    _THREAD_STATES,
    _THREADS,
)
"""In the order of the docs page."""
