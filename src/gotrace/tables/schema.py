"""Every table and column of gotrace: type, unit, one-line meaning. The one place.

`gotrace.schema`, the decoder, the sinks and `docs/tables.md` all read this page. A nullable column
added at the end of a table keeps `SCHEMA_VERSION`; any other change raises it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import pyarrow as pa

from gotrace import __version__
from gotrace.errors import unknown_name
from gotrace.tables.columns import (
    ALL,
    BY_CLOSING,
    DEFAULT,
    INTERVAL,
    OPEN,
    SUMMARY,
    WALL,
    Column,
    Table,
    flag,
    i32,
    i64,
    listing,
    text,
    u64,
    word,
)
from gotrace.tables.gc_tables import GC_TABLES
from gotrace.tables.life_tables import LIFE_TABLES, TIME_SPLIT
from gotrace.tables.profile_tables import OWN_TABLES
from gotrace.tables.results import RESULTS

SCHEMA_VERSION: Final = 1
"""Version of all schemas together; in the metadata of every schema and file."""

SETS: Final = ("summary", "default", "all")
"""The named sets of tables, each within the next."""

# Columns that many tables share.
_SEQ = i64("seq", "number of the event in the ordered stream, from 0, without gaps", need=True)
_TIME = i64("time_ns", "when, on the trace clock", need=True)
_THREAD = i64("thread", "thread (M) it happened on")
_PROC = i32("proc", "proc (P) it happened on")
_GOROUTINE = i64("goroutine", "goroutine that was running")
_STACK = i64("stack_id", "stack of the running goroutine; joins `stacks`")
_WHERE = (_GOROUTINE, _PROC, _THREAD)

_EVENTS = Table(
    "events",
    "event, in the order and with the meaning of Go's own reader, its synthetic events too",
    ("seq",),
    ALL,
    (
        _SEQ,
        _TIME,
        word("kind", "kind", "what happened", need=True),
        i64("thread", "thread (M) of the executing context before the event"),
        i32("proc", "proc (P) of the executing context before the event"),
        i64("goroutine", "goroutine of the executing context before the event"),
        i64("context_stack_id", "stack of the executing context; joins `stacks`"),
        word("resource", "resource", "what changes state, or what a range or label is scoped to"),
        i64("resource_id", "which goroutine, proc or thread"),
        word("from_state", "state", "state before a state_transition"),
        word("to_state", "state", "state after a state_transition"),
        word("reason", "reason", "why a goroutine stopped or blocked, in the runtime's words"),
        i64("stack_id", "stack of the resource that changes state; joins `stacks`"),
        text("name", "of a metric, range, task, region, log category, label or experimental event"),
        u64("value", "of a metric; number of a sync; bytes swept; first experimental argument"),
        u64("value2", "bytes reclaimed by a sweep; second experimental argument"),
        u64("value3", "third experimental argument"),
        i64("task", "user task of a task, region or log event; null for the background task"),
        i64("parent_task", "task that a task was made under"),
        text("message", "of a log; the empty message is empty text"),
    ),
    "A GoSwitch of the wire format is three rows. Transitions that change nothing are here only.",
)

_GOROUTINE_TRANSITIONS = Table(
    "goroutine_transitions",
    "change of a goroutine's state",
    ("seq",),
    ALL,
    (
        _SEQ,
        _TIME,
        i64("goroutine", "goroutine that changed state", need=True),
        i32("life", "counts the lives of a goroutine id from 0; an id can live twice", need=True),
        word("from_state", "state", "state before", need=True),
        word("to_state", "state", "state after", need=True),
        word("reason", "reason", "why it stopped or blocked, in the runtime's words"),
        word("wait", "wait", "what it now waits for, from reason and stack"),
        i64("stack_id", "stack of the goroutine that changed; joins `stacks`"),
        i64("by_goroutine", "goroutine that caused it; null when it was itself or nobody"),
        i32("by_proc", "proc of whoever caused it"),
        i64("by_thread", "thread of whoever caused it"),
        i64("by_stack_id", "stack of whoever caused it; joins `stacks`"),
    ),
)

_RANGES = Table(
    "ranges",
    "interval of the runtime: garbage collection, stop-the-world, sweep, assist",
    BY_CLOSING,
    DEFAULT,
    (
        text("name", "the runtime's name of the range", need=True),
        word("class", "class", "which of the four ranges of the runtime; null for a new one"),
        *INTERVAL,
        word("resource", "resource", "what the range is scoped to; null for the whole program"),
        i64("resource_id", "which goroutine or proc"),
        i64("goroutine", "goroutine that began it"),
        i64("stack_id", "stack at the begin; joins `stacks`"),
        i64("swept_bytes", "bytes that a sweep went over"),
        i64("reclaimed_bytes", "bytes that a sweep gave back"),
        *OPEN,
    ),
)

_TASKS = Table(
    "tasks",
    "user task (runtime/trace.NewTask)",
    BY_CLOSING,
    SUMMARY,
    (
        i64("task", "the task's id", need=True),
        i64("parent_task", "task that it was made under; null for the background task"),
        text("name", "the task's type"),
        *INTERVAL,
        i64("by_goroutine", "goroutine that made it"),
        i64("stack_id", "stack where it was made; joins `stacks`"),
        flag("complete", "both its begin and its end are in the trace"),
        i64("logs", "logs of the task", need=True),
        i64("regions", "regions of the task", need=True),
        i64(
            "goroutines", "goroutines that made, ended, logged to or had a region in it", need=True
        ),
        *OPEN,
        i64("end_goroutine", "goroutine that ended it; null where it did not end"),
    ),
)

_REGIONS = Table(
    "regions",
    "user region (runtime/trace.StartRegion)",
    BY_CLOSING,
    SUMMARY,
    (
        i64("goroutine", "goroutine that the region is in", need=True),
        i64("task", "task of the region; null for the background task"),
        text("name", "the region's type"),
        *INTERVAL,
        i32("depth", "regions around it in the same goroutine; 0 is the outermost", need=True),
        i64("stack_id", "stack at the begin; joins `stacks`"),
        i64("end_stack_id", "stack at the end; joins `stacks`"),
        *OPEN,
        *TIME_SPLIT,
    ),
)

_LOGS = Table(
    "logs",
    "user log (runtime/trace.Log)",
    ("seq",),
    DEFAULT,
    (
        _SEQ,
        _TIME,
        *_WHERE,
        i64("task", "task of the log; null for the background task"),
        text("category", "the log's category; null for none"),
        text("message", "the log's text; bytes that are not UTF-8 are replaced", need=True),
        Column("message_raw", pa.binary(), "the text as it was, where bytes had to be replaced"),
        _STACK,
    ),
)

_WORKER_LABELS = Table(
    "worker_labels",
    "label that the runtime gave a goroutine: the mode of a mark worker",
    ("seq",),
    ALL,
    (_SEQ, _TIME, *_WHERE, text("label", "GC (dedicated), GC (fractional), GC (idle)", need=True)),
    "Not the labels of pprof, which traces do not carry.",
)

_METRICS = Table(
    "metrics",
    "new value of a runtime metric",
    ("seq",),
    DEFAULT,
    (
        _SEQ,
        _TIME,
        text("name", "as in package runtime/metrics; its unit follows the colon", need=True),
        Column("value", pa.uint64(), "the value, in the name's unit", nullable=False),
        *_WHERE,
        _STACK,
    ),
)

_CPU_SAMPLES = Table(
    "cpu_samples",
    "sample of the CPU profiler",
    ("seq",),
    DEFAULT,
    (_SEQ, _TIME, *_WHERE, i64("stack_id", "the sampled stack; joins `stacks`")),
)

_ALLOCATIONS = Table(
    "allocations",
    "event of the alloc/free experiment (GODEBUG=traceallocfree=1)",
    ("seq",),
    ALL,
    (
        _SEQ,
        _TIME,
        word("op", "op", "allocated, freed, or there when tracing began", need=True),
        word("object", "object", "what kind of memory", need=True),
        u64("address", "where in memory"),
        i64("size_bytes", "size, where the event or its type says it"),
        text("type", "Go type of a heap object; null when the table of types lacks it"),
        i32("span_class", "size class * 2 + noscan of a span; null for a span not in use"),
        *_WHERE,
    ),
)

_STACKS = Table(
    "stacks",
    "distinct stack",
    (),
    SUMMARY,
    (
        i64("stack_id", "content hash of the frames", need=True),
        i64("site_stack_id", "the same without frames that only some tools show", need=True),
        i64(
            "fingerprint", "hash of those functions without lines: survives a new build", need=True
        ),
        i32("depth", "number of frames", need=True),
        listing("frame_ids", pa.int64(), "frames, leaf first; join `frames`"),
        listing("functions", pa.utf8(), "function names, leaf first; empty for an unknown one"),
        text("leaf", "function at the leaf"),
        text("root", "function at the root, under runtime.goexit"),
        text("site", "the first frame that is not the standard library's: pkg.Func file.go:88"),
        text("site_function", "its function"),
        text("site_file", "its file"),
        i64("site_line", "its line"),
        flag("truncated", "it has as many frames as the runtime keeps, so some may be missing"),
    ),
)

_FRAMES = Table(
    "frames",
    "distinct frame",
    (),
    SUMMARY,
    (
        i64("frame_id", "content hash of function, file and line", need=True),
        text("function", "function with its package; generic arguments folded to [...]"),
        text("file", "source file as the binary names it"),
        i64("line", "line in the file"),
        text("package", "import path of the function's package; null for none"),
        flag("is_std", "the package is Go's own: `go list std` of Go 1.27"),
        flag("is_runtime", "the package is `runtime` or one of its internal parts"),
        text("image", "build id or file of a frame without symbols; null for others"),
        u64("address", "address within the image of a frame without symbols; null for others"),
    ),
)

_GENERATIONS = Table(
    "generations",
    "generation of a trace: about a second that stands on its own",
    ("number",),
    SUMMARY,
    (
        i64("number", "the runtime's number of the generation", need=True),
        i64("offset", "where its first batch begins, in the decompressed trace", need=True),
        i64("bytes", "length in the decompressed trace", unit="bytes", need=True),
        i64("batches", "batches of all kinds", need=True),
        i64("events", "rows of `events`", need=True),
        i64("first_seq", "its first event; null when it has none"),
        i64("last_seq", "its last event; null when it has none"),
        i64("start_ns", "time of its first event"),
        i64("end_ns", "time of its last event"),
        i64("freq_hz", "ticks of the trace clock per second", unit="Hz"),
        flag("complete", "all of it is there; null where the format cannot say", need=False),
    ),
)

_SYNCS = Table(
    "syncs",
    "sync: the begin of a generation, and the end of the trace",
    ("seq",),
    DEFAULT,
    (
        _SEQ,
        i64("generation", "generation that begins here; null for the sync at the end"),
        _TIME,
        i64("snapshot_ns", "trace clock when the other clocks were read (Go 1.25 and later)"),
        i64("mono_ns", "the monotonic clock at that time"),
        Column("wall", WALL, "the wall clock at that time"),
    ),
)

_NOTES = Table(
    "notes",
    "thing that the decoder had to say: damage, repair, surprise",
    (),
    SUMMARY,
    (
        i64("offset", "where, in bytes of the decompressed input; null for no single place"),
        text("severity", "error, warning or info", need=True),
        text("code", "which kind of note, a word for programs", need=True),
        text("text", "the same for people", need=True),
        i64("lost_bytes", "bytes that were not decoded because of it"),
        i64("lost_ns", "time that is missing because of it, where it can be known"),
        i64("generation", "generation that it is about"),
        i64("last_seq", "last event that was delivered before it"),
    ),
)

TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        _EVENTS,
        _GOROUTINE_TRANSITIONS,
        *LIFE_TABLES,
        _RANGES,
        *GC_TABLES,
        _TASKS,
        _REGIONS,
        _LOGS,
        _WORKER_LABELS,
        _METRICS,
        _CPU_SAMPLES,
        _ALLOCATIONS,
        _STACKS,
        _FRAMES,
        _GENERATIONS,
        _SYNCS,
        _NOTES,
    )
}
"""Every table of an execution trace, in the order of the docs page."""

PROFILE_TABLES: Final[Mapping[str, Table]] = {
    **OWN_TABLES,
    **{name: TABLES[name] for name in ("stacks", "frames", "notes")},
}
"""Every table of a pprof profile."""

ALL_TABLES_OF: Final[Mapping[str, Mapping[str, Table]]] = {
    "trace": TABLES,
    "profile": PROFILE_TABLES,
}
"""The tables that a source can give, by its kind."""

ALL_TABLES: Final[Mapping[str, Table]] = {**TABLES, **PROFILE_TABLES, **RESULTS}
"""Every table of every kind of source, and those that analyses give."""


def table(name: str) -> Table:
    """Return the description of a table; `UnknownNameError` for a name that is none."""
    try:
        return ALL_TABLES[name]
    except KeyError:
        raise unknown_name("table", name, ALL_TABLES) from None


def schema(name: str, columns: Iterable[str] | None = None) -> pa.Schema:
    """Return the Arrow schema of a table, or of some of its columns, in the order given.

    Each field has its meaning (`description`) and `unit` as metadata, the schema has
    `gotrace.table`, `gotrace.schema_version` and `gotrace.version`. Raises `UnknownNameError` for
    a table or column that is none.
    """
    return _schema(name, None if columns is None else tuple(columns))


@lru_cache(maxsize=256)
def _schema(name: str, columns: tuple[str, ...] | None) -> pa.Schema:
    described = table(name)
    chosen: Iterable[Column] = described.columns
    if columns is not None:
        chosen = [_column(described, column) for column in columns]
    return pa.schema([column.field() for column in chosen], metadata=metadata(name))


def metadata(name: str) -> dict[str, str]:
    """Return the metadata that every schema of the table carries."""
    return {
        "gotrace.table": name,
        "gotrace.schema_version": str(SCHEMA_VERSION),
        "gotrace.version": __version__,
    }


def resolve(names: str | Iterable[str], tables: Mapping[str, Table] = TABLES) -> tuple[str, ...]:
    """Expand set names and table names, as text with commas or a list, to tables in page order.

    `tables` are those that the source has: `TABLES` of a trace, or `PROFILE_TABLES`.
    """
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    wanted: set[str] = set()
    for name in names:
        if name in SETS:
            wanted.update(t.name for t in tables.values() if name in t.sets)
        elif name in tables:
            wanted.add(name)
        else:
            raise unknown_name("table or set of tables", name, [*SETS, *tables])
    return tuple(name for name in tables if name in wanted)


def _column(described: Table, name: str) -> Column:
    try:
        return described.by_name[name]
    except KeyError:
        raise unknown_name(f"column of {described.name}", name, described.by_name) from None
