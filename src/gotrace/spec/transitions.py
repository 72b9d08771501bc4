"""The legal state transitions of goroutines and procs, as Go's reader shows them.

They follow from what internal/trace/order.go does for each event. The same state twice is a status
that was repeated, once in each generation; `undetermined` is what was before the first status of
the first generation. There is no way from waiting to running but through runnable, and a proc in a
syscall is still running.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Transitions = Mapping[str, frozenset[str]]
"""From a state, to which."""

GOROUTINE: Final[Transitions] = MappingProxyType(
    {
        "undetermined": frozenset({"runnable", "running", "waiting", "syscall"}),
        "notexist": frozenset({"runnable", "waiting", "syscall"}),
        "runnable": frozenset({"runnable", "running"}),
        "running": frozenset({"running", "runnable", "waiting", "syscall", "notexist"}),
        "syscall": frozenset({"syscall", "running", "runnable", "notexist"}),
        "waiting": frozenset({"waiting", "runnable"}),
    }
)

PROC: Final[Transitions] = MappingProxyType(
    {
        "undetermined": frozenset({"running", "idle"}),
        "notexist": frozenset({"running", "idle"}),
        "idle": frozenset({"idle", "running"}),
        "running": frozenset({"running", "idle"}),
    }
)

LEGAL: Final[Mapping[str, Transitions]] = MappingProxyType(
    {"goroutine": GOROUTINE, "proc": PROC, "thread": MappingProxyType({})}
)
"""By resource. Threads have no states in format v2."""

EXECUTING: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"goroutine": frozenset({"running", "syscall"}), "proc": frozenset({"running"})}
)
"""The states in which a resource is bound to a thread."""
