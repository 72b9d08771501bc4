"""The closed sets of words in gotrace's tables; a word's index is its dictionary code.

Consumers compare codes across files and engines, and the compiled core writes codes without ever
seeing a word, so the order of a tuple here never changes and a word is never removed. New words are
appended, which raises the schema version.
"""

from __future__ import annotations

from typing import Final

Words = tuple[str, ...]

KINDS: Final[Words] = (
    "sync",
    "metric",
    "label",
    "stack_sample",
    "range_begin",
    "range_active",
    "range_end",
    "task_begin",
    "task_end",
    "region_begin",
    "region_end",
    "log",
    "state_transition",
    "experimental",
)
"""What happened in a row of `events`: the kinds of Go's `trace.Event`, in lower snake case."""

RESOURCES: Final[Words] = ("goroutine", "proc", "thread")
"""What changes state, what a range is scoped to, what a label sits on. Global scope is null."""

STATES: Final[Words] = (
    "undetermined",
    "notexist",
    "runnable",
    "running",
    "waiting",
    "syscall",
    "idle",
)
"""One list for goroutines, procs and threads: Go's GoState, and ProcState's `idle` after it."""

WAKES: Final[Words] = ("unblock", "create", "switch")
"""How a goroutine became runnable by another's doing; `switch` hands it the thread as well."""

RANGE_CLASSES: Final[Words] = ("stw", "mark", "sweep", "assist")
"""Which of the runtime's four ranges; a stop-the-world range has its reason in its name."""

OPS: Final[Words] = ("exists", "alloc", "free")
"""What the alloc/free experiment says of an object; `exists` is the snapshot at the start."""

OBJECTS: Final[Words] = ("span", "heap_object", "goroutine_stack")
"""What the alloc/free experiment speaks of."""

WAITS: Final[Words] = (
    # Channels. `nil_chan` and `select_empty` never end; `forever` is one of the two, unknown which.
    "chan_send",
    "chan_recv",
    "select",
    "nil_chan",
    "select_empty",
    "forever",
    # Package sync. `sync` is a semaphore of one of these, unknown which (no stack).
    "mutex",
    "rwmutex_r",
    "rwmutex_w",
    "wait_group",
    "cond",
    "once",
    "pool",
    "sync",
    # A runtime semaphore that is none of the above; the lock of a file descriptor.
    "semaphore",
    "fd_lock",
    # The poller. `network` is any of them, unknown which; `file` is a pipe, terminal or device.
    "net_read",
    "net_write",
    "accept",
    "connect",
    "dns",
    "file",
    "network",
    # Time, other control flow.
    "sleep",
    "coroutine",
    "synctest",
    "syscall",
    "cgo",
    "process",
    "signal",
    # Stopped from outside, or standing aside for it.
    "preempted",
    "debug_call",
    "stop_the_world",
    "panic",
    # The collector makes it wait or work.
    "gc_assist",
    "gc_wait",
    "gc_weak_to_strong",
    # Goroutines of the runtime itself, idle or busy; nobody's leak.
    "gc_worker",
    "gc_sweep",
    "gc_scavenge",
    "gc_force",
    "finalizer",
    "cleanup",
    "timer",
    "trace_reader",
    "system",
    # Nothing was said, or nothing that we know.
    "unknown",
)
"""Why something waits, one set over traces, profiles and dumps, from (reason, top frames)."""

TRACE_REASONS: Final[Words] = (
    # Why a goroutine yielded but may run on (GoStop). "unspecified" and "preempted" also block.
    "unspecified",
    "runtime.Gosched",
    "preempted",
    # Why it blocked (GoBlock): the base set of Go 1.22 ...
    "forever",
    "network",
    "select",
    "sync.(*Cond).Wait",
    "sync",
    "chan send",
    "chan receive",
    "GC mark assist wait for work",
    "GC background sweeper wait",
    "system goroutine wait",
    "wait for debug call",
    "wait until GC ends",
    "sleep",
    # ... of Go 1.23, of Go 1.24.
    "GC weak to strong wait",
    "synctest",
)
"""Reasons of execution traces: v2 writes the texts of runtime/traceruntime.go; the block events of
v1 (Go 1.5 to 1.21) are converted to the same texts, and its generic GoBlock has none."""

DUMP_REASONS: Final[Words] = (
    # The wait reasons of runtime/runtime2.go, Go 1.5 to 1.27, that no trace has.
    "GC assist marking",
    "IO wait",
    "chan receive (nil chan)",
    "chan send (nil chan)",
    "dumping heap",
    "garbage collection",
    "garbage collection scan",
    "panicwait",
    "select (no cases)",
    "GC assist wait",
    "GC sweep wait",
    "GC scavenge wait",
    "finalizer wait",
    "force gc (idle)",
    "GOMAXPROCS updater (idle)",
    "semacquire",
    "sync.Cond.Wait",
    "sync.Mutex.Lock",
    "sync.RWMutex.RLock",
    "sync.RWMutex.Lock",
    "sync.WaitGroup.Wait",
    "trace reader (blocked)",
    "wait for GC cycle",
    "GC worker (idle)",
    "GC worker (active)",
    "debug call",
    "GC mark termination",
    "stopping the world",
    "flushing proc caches",
    "trace goroutine status",
    "trace proc status",
    "page trace flush",
    "coroutine",
    "synctest.Run",
    "synctest.Wait",
    "chan receive (durable)",
    "chan send (durable)",
    "select (durable)",
    "sync.WaitGroup.Wait (durable)",
    "cleanup wait",
    # Go 1.24 only: the first spelling of the test bubbles.
    "chan receive (synctest)",
    "chan send (synctest)",
    "select (synctest)",
    # Gone from later tables.
    "timer goroutine (idle)",
    "Concurrent GC wait",
    "mark wait (idle)",
    "semarelease",
    # Statuses that dumps print in the place of a reason.
    "waiting for cgo callback",
    "copystack",
    "dead",
    "leaked",
)
"""Reasons that only goroutine dumps carry."""

REASONS: Final[Words] = TRACE_REASONS + DUMP_REASONS
"""The pinned prefix of the grow-only `reason` dictionary; a text not in it is appended as met."""

RANGE_GC_SWEEP: Final = "GC incremental sweep"
RANGE_GC_ASSIST: Final = "GC mark assist"

METRIC_GOMAXPROCS: Final = "/sched/gomaxprocs:threads"
METRIC_HEAP_OBJECTS: Final = "/memory/classes/heap/objects:bytes"
METRIC_HEAP_GOAL: Final = "/gc/heap/goal:bytes"
