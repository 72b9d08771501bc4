"""The execution trace format v2 (Go 1.22 to 1.27) as one table of events.

Ids, names and arguments are those of Go's internal/trace/tracev2 (events.go, spec.go), which the
runtime writes and the reference reader reads; so is the habit of putting an argument's type behind
its name: `new_g` is a goroutine, `p_seq` a sequence number, `reason_string` a string id, `stack` a
stack id. The compiled core gets its tables from here (tools/generate_spec.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

__all__ = [
    "ARG_TYPES",
    "EVENTS",
    "EVENT_BY_ID",
    "EVENT_BY_NAME",
    "EXPERIMENTS",
    "FRAME_ARGS",
    "HEADERS",
    "HEADERS_V1",
    "HEADER_BYTES",
    "MAX_BATCH_BYTES",
    "MAX_STACK_FRAMES",
    "MAX_STRING_BYTES",
    "MAX_TIMED_ARGS",
    "NONE",
    "EventSpec",
    "GoStatus",
    "ProcStatus",
    "header",
]

NONE: Final = 2**64 - 1
"""The id that is none: no thread, no proc; -1 once Go reads it as a signed number."""

MAX_BATCH_BYTES: Final = 65536
MAX_STRING_BYTES: Final = 1024
MAX_STACK_FRAMES: Final = 128
MAX_TIMED_ARGS: Final = 5

HEADER_BYTES: Final = 16

HEADERS: Final = MappingProxyType(
    {
        22: ("1.22",),
        23: ("1.23", "1.24"),
        25: ("1.25",),
        26: ("1.26", "1.27"),
    }
)
"""The minor version in a v2 header, and the Go versions that write it: a header is no version."""

HEADERS_V1: Final = MappingProxyType(
    {
        5: ("1.5", "1.6"),
        7: ("1.7",),
        8: ("1.8",),
        9: ("1.9",),
        10: ("1.10",),
        11: tuple(f"1.{minor}" for minor in range(11, 19)),
        19: ("1.19", "1.20"),
        21: ("1.21",),
    }
)
"""The same for format v1, which has its own parser."""

EXPERIMENTS: Final = ("None", "AllocFree")
"""Experiments by id; 0 means that an event or a batch belongs to none."""

FRAME_ARGS: Final = ("pc", "func", "file", "line")
"""A frame of a Stack record, `nframes` times; func and file are string ids."""

ARG_TYPES: Final = (
    "seq",
    "pstatus",
    "gstatus",
    "g",
    "m",
    "p",
    "string",
    "stack",
    "value",
    "task",
)
"""The suffixes that are types; an argument with another suffix is a plain number."""


def header(minor: int) -> bytes:
    """Return the 16 bytes that begin a trace with this minor version."""
    return f"go 1.{minor} trace".encode().ljust(HEADER_BYTES, b"\0")


class GoStatus(IntEnum):
    """The status of a goroutine on the wire (not the states of the tables: `words.STATES`)."""

    BAD = 0
    RUNNABLE = 1
    RUNNING = 2
    SYSCALL = 3
    WAITING = 4


class ProcStatus(IntEnum):
    """The status of a proc on the wire.

    SYSCALL_ABANDONED is only ever the first mention of a proc in a generation, by whoever is about
    to steal it: there is no GoSyscallBegin in reach to tie the steal to.
    """

    BAD = 0
    RUNNING = 1
    IDLE = 2
    SYSCALL = 3
    SYSCALL_ABANDONED = 4


@dataclass(frozen=True, slots=True)
class EventSpec:
    """What the format says about one event.

    `kind` is the word of `words.KINDS` under which Go's reader shows the event, None if it does not
    show it. `begins` names the event that began what this one ends, or repeats as still going on.
    `minor` is the smallest header that may hold the event. `has_data` and `is_stack` mark the two
    records that go on after their arguments.
    """

    id: int
    name: str
    args: tuple[str, ...] = ()
    kind: str | None = None
    begins: str | None = None
    minor: int = 22
    experiment: int = 0
    has_data: bool = False
    is_stack: bool = False

    @property
    def is_timed(self) -> bool:
        """Whether it may stand in a plain event batch: those begin with the time since the last."""
        return self.args[:1] == ("dt",)

    @property
    def string_args(self) -> tuple[int, ...]:
        """Indices of the arguments that are string ids; `dt` has index 0."""
        return tuple(i for i in range(len(self.args)) if self.arg_type(i) == "string")

    @property
    def stack_args(self) -> tuple[int, ...]:
        """Indices of the arguments that are stack ids, the executing context's stack first."""
        stacks = (i for i in range(len(self.args)) if self.arg_type(i) == "stack")
        return tuple(sorted(stacks, key=lambda i: self.args[i] != "stack"))

    def arg_type(self, index: int) -> str | None:
        """Return the type of an argument, one of ARG_TYPES; None for a plain number."""
        suffix = self.args[index].rpartition("_")[2]
        return suffix if suffix in ARG_TYPES else None


def _timed(
    event_id: int,
    name: str,
    args: str = "",
    kind: str | None = "state_transition",
    begins: str | None = None,
    minor: int = 22,
    experiment: int = 0,
) -> EventSpec:
    return EventSpec(
        event_id, name, ("dt", *args.split()), kind, begins, minor, experiment=experiment
    )


def _alloc_free(event_id: int, name: str, args: str) -> EventSpec:
    return _timed(event_id, name, args, "experimental", minor=23, experiment=1)


EVENTS: Final[tuple[EventSpec, ...]] = (
    # Structure: batches, and the tables in them.
    EventSpec(1, "EventBatch", ("gen", "m", "time", "size")),
    EventSpec(2, "Stacks"),
    EventSpec(3, "Stack", ("id", "nframes"), is_stack=True),
    EventSpec(4, "Strings"),
    EventSpec(5, "String", ("id",), has_data=True),
    EventSpec(6, "CPUSamples"),
    EventSpec(7, "CPUSample", ("time", "m", "p", "g", "stack"), "stack_sample"),
    EventSpec(8, "Frequency", ("freq",)),
    # Procs.
    _timed(9, "ProcsChange", "procs_value stack", "metric"),
    _timed(10, "ProcStart", "p p_seq"),
    _timed(11, "ProcStop"),
    _timed(12, "ProcSteal", "p p_seq m"),
    _timed(13, "ProcStatus", "p pstatus"),
    # Goroutines.
    _timed(14, "GoCreate", "new_g new_stack stack"),
    _timed(15, "GoCreateSyscall", "new_g"),
    _timed(16, "GoStart", "g g_seq"),
    _timed(17, "GoDestroy"),
    _timed(18, "GoDestroySyscall"),
    _timed(19, "GoStop", "reason_string stack"),
    _timed(20, "GoBlock", "reason_string stack"),
    _timed(21, "GoUnblock", "g g_seq stack"),
    _timed(22, "GoSyscallBegin", "p_seq stack"),
    _timed(23, "GoSyscallEnd", begins="GoSyscallBegin"),
    _timed(24, "GoSyscallEndBlocked", begins="GoSyscallBegin"),
    _timed(25, "GoStatus", "g m gstatus"),
    # Ranges of the runtime.
    _timed(26, "STWBegin", "kind_string stack", "range_begin"),
    _timed(27, "STWEnd", "", "range_end", "STWBegin"),
    _timed(28, "GCActive", "gc_seq", "range_active", "GCBegin"),
    _timed(29, "GCBegin", "gc_seq stack", "range_begin"),
    _timed(30, "GCEnd", "gc_seq", "range_end", "GCBegin"),
    _timed(31, "GCSweepActive", "p", "range_active", "GCSweepBegin"),
    _timed(32, "GCSweepBegin", "stack", "range_begin"),
    _timed(33, "GCSweepEnd", "swept_value reclaimed_value", "range_end", "GCSweepBegin"),
    _timed(34, "GCMarkAssistActive", "g", "range_active", "GCMarkAssistBegin"),
    _timed(35, "GCMarkAssistBegin", "stack", "range_begin"),
    _timed(36, "GCMarkAssistEnd", "", "range_end", "GCMarkAssistBegin"),
    _timed(37, "HeapAlloc", "heapalloc_value", "metric"),
    _timed(38, "HeapGoal", "heapgoal_value", "metric"),
    # What users and the runtime's workers say of themselves.
    _timed(39, "GoLabel", "label_string", "label"),
    _timed(40, "UserTaskBegin", "task parent_task name_string stack", "task_begin"),
    _timed(41, "UserTaskEnd", "task stack", "task_end", "UserTaskBegin"),
    _timed(42, "UserRegionBegin", "task name_string stack", "region_begin"),
    _timed(43, "UserRegionEnd", "task name_string stack", "region_end", "UserRegionBegin"),
    _timed(44, "UserLog", "task key_string value_string stack", "log"),
    # Go 1.23: coroutines, statuses with a stack, experiments.
    _timed(45, "GoSwitch", "g g_seq", minor=23),
    _timed(46, "GoSwitchDestroy", "g g_seq", minor=23),
    _timed(47, "GoCreateBlocked", "new_g new_stack stack", minor=23),
    _timed(48, "GoStatusStack", "g m gstatus stack", minor=23),
    EventSpec(49, "ExperimentalBatch", ("exp", "gen", "m", "time"), minor=23, has_data=True),
    # Go 1.25: one batch carries the clock. Go 1.26: a generation has a visible end.
    EventSpec(50, "Sync", kind="sync", minor=25),
    _timed(51, "ClockSnapshot", "mono sec nsec", None, minor=25),
    EventSpec(52, "EndOfGeneration", minor=26),
    # The alloc/free experiment (GODEBUG=traceallocfree=1).
    _alloc_free(128, "Span", "id npages_value kindclass"),
    _alloc_free(129, "SpanAlloc", "id npages_value kindclass"),
    _alloc_free(130, "SpanFree", "id"),
    _alloc_free(131, "HeapObject", "id type"),
    _alloc_free(132, "HeapObjectAlloc", "id type"),
    _alloc_free(133, "HeapObjectFree", "id"),
    _alloc_free(134, "GoroutineStack", "id order"),
    _alloc_free(135, "GoroutineStackAlloc", "id order"),
    _alloc_free(136, "GoroutineStackFree", "id"),
)

EVENT_BY_ID: Final = MappingProxyType({spec.id: spec for spec in EVENTS})
EVENT_BY_NAME: Final = MappingProxyType({spec.name: spec for spec in EVENTS})
