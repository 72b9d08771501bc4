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

LIFE_TABLES: Final = (_GOROUTINE_STATES, _GOROUTINES)
"""In the order of the docs page."""
