"""What a goroutine waits for: one closed set of words for traces, profiles and dumps.

A runtime says why a goroutine waits ("sync", "chan receive"), its stack says in what (a WaitGroup,
the lock of a connection). The table below joins both; the first row that fits wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final, NamedTuple

from gotrace.spec.words import WAITS

__all__ = ["RULES", "Rule", "wait_class", "wait_code"]

TOP: Final = 12
"""So many frames from the leaf are looked at, up to the first that is not in `LIBRARY`."""

LIBRARY: Final = (
    *("runtime.", "runtime/", "internal/", "sync.", "sync/"),
    *("syscall.", "time.", "io.", "os.", "net."),
)
"""What functions begin with that wait on behalf of others."""


class Rule(NamedTuple):
    """A wait, if the reason is one of `reasons` and, if there are `frames`, one is at the top."""

    wait: str
    reasons: tuple[str, ...]
    frames: tuple[str, ...] = ()


_SYNC = ("sync", "semacquire")
_NETWORK = ("network", "IO wait")

RULES: Final[tuple[Rule, ...]] = (
    Rule("pool", _SYNC, ("sync.(*Pool).pinSlow",)),
    Rule("once", _SYNC, ("sync.(*Once).Do", "sync.(*Once).doSlow")),
    Rule("wait_group", (*_SYNC, "sync.WaitGroup.Wait"), ("sync.(*WaitGroup).Wait",)),
    Rule("rwmutex_r", _SYNC, ("sync.(*RWMutex).RLock", "internal/sync.(*RWMutex).RLock")),
    Rule("rwmutex_w", _SYNC, ("sync.(*RWMutex).Lock",)),
    Rule(
        "mutex",
        _SYNC,
        (
            "sync.(*Mutex).Lock",
            "sync.(*Mutex).lockSlow",
            "internal/sync.(*Mutex).Lock",
            "internal/sync.(*Mutex).lockSlow",
        ),
    ),
    Rule(
        "fd_lock",
        _SYNC,
        (
            "internal/poll.(*FD).readLock",
            "internal/poll.(*FD).writeLock",
            "internal/poll.(*fdMutex).rwlock",
        ),
    ),
    Rule("dns", _NETWORK, ("net.dnsPacketRoundTrip", "net.dnsStreamRoundTrip")),
    Rule("dns", ("select",), ("net.(*Resolver).lookupIPAddr",)),
    Rule(
        "file",
        _NETWORK,
        ("os.(*File).Read", "os.(*File).read", "os.(*File).Write", "os.(*File).write"),
    ),
    Rule("accept", _NETWORK, ("internal/poll.(*FD).Accept",)),
    Rule("connect", _NETWORK, ("internal/poll.(*FD).WaitWrite", "net.(*netFD).connect")),
    Rule(
        "net_write",
        _NETWORK,
        (
            "internal/poll.(*FD).Write",
            "internal/poll.(*FD).Writev",
            "internal/poll.(*FD).WriteTo",
            "internal/poll.(*FD).WriteToInet4",
            "internal/poll.(*FD).WriteToInet6",
            "internal/poll.(*FD).WriteMsg",
            "internal/poll.(*FD).WriteMsgInet4",
            "internal/poll.(*FD).WriteMsgInet6",
            "internal/poll.(*FD).RawWrite",
            "internal/poll.SendFile",
            "internal/poll.sendFile",
            "internal/poll.splicePump",
        ),
    ),
    Rule(
        "net_read",
        _NETWORK,
        (
            "internal/poll.(*FD).Read",
            "internal/poll.(*FD).ReadFrom",
            "internal/poll.(*FD).ReadFromInet4",
            "internal/poll.(*FD).ReadFromInet6",
            "internal/poll.(*FD).ReadMsg",
            "internal/poll.(*FD).ReadMsgInet4",
            "internal/poll.(*FD).ReadMsgInet6",
            "internal/poll.(*FD).RawRead",
            "internal/poll.spliceDrain",
        ),
    ),
    Rule("network", _NETWORK),
    Rule("cond", ("sync.(*Cond).Wait", "sync.Cond.Wait")),
    Rule("mutex", ("sync.Mutex.Lock",)),
    Rule("rwmutex_r", ("sync.RWMutex.RLock",)),
    Rule("rwmutex_w", ("sync.RWMutex.Lock",)),
    Rule("wait_group", ("sync.WaitGroup.Wait", "sync.WaitGroup.Wait (durable)")),
    # An allocation that is about to start a cycle, or to end one, and waits for its turn.
    Rule("gc_wait", _SYNC, ("runtime.gcStart", "runtime.gcMarkDone", "runtime.stopTheWorldGC")),
    Rule("semaphore", ("semacquire",)),
    Rule("sync", ("sync",)),
    Rule("chan_send", ("chan send", "chan send (durable)", "chan send (synctest)")),
    Rule("gc_wait", ("chan receive",), ("runtime.gcBgMarkStartWorkers",)),
    Rule("chan_recv", ("chan receive", "chan receive (durable)", "chan receive (synctest)")),
    Rule("select", ("select", "select (durable)", "select (synctest)")),
    Rule("nil_chan", ("chan receive (nil chan)", "chan send (nil chan)")),
    Rule("select_empty", ("select (no cases)",)),
    Rule("nil_chan", ("forever",), ("runtime.chansend1", "runtime.chanrecv1", "runtime.chanrecv2")),
    Rule("select_empty", ("forever",), ("runtime.block",)),
    Rule("forever", ("forever",)),
    Rule("sleep", ("sleep",)),
    Rule("timer", ("timer goroutine (idle)",)),
    Rule("cgo", ("waiting for cgo callback",)),
    Rule("stop_the_world", ("stopping the world", "dumping heap")),
    Rule("synctest", ("synctest", "synctest.Run", "synctest.Wait")),
    Rule("coroutine", ("coroutine",)),
    Rule("preempted", ("preempted",)),
    Rule("debug_call", ("wait for debug call", "debug call")),
    Rule("gc_assist", ("GC mark assist wait for work", "GC assist marking", "GC assist wait")),
    Rule("gc_sweep", ("GC background sweeper wait", "GC sweep wait")),
    Rule(
        "gc_wait",
        ("wait until GC ends", "wait for GC cycle", "garbage collection", "Concurrent GC wait"),
    ),
    Rule("gc_weak_to_strong", ("GC weak to strong wait",)),
    Rule("gc_scavenge", ("GC scavenge wait",)),
    Rule("gc_force", ("force gc (idle)",)),
    Rule("gc_worker", ("GC worker (idle)", "GC worker (active)", "mark wait (idle)")),
    Rule("finalizer", ("finalizer wait",)),
    Rule("cleanup", ("cleanup wait",)),
    Rule("trace_reader", ("trace reader (blocked)",)),
    Rule("panic", ("panicwait",)),
    Rule("gc_worker", ("system goroutine wait",), ("runtime.gcBgMarkWorker",)),
    Rule("gc_sweep", ("system goroutine wait",), ("runtime.bgsweep",)),
    Rule("gc_scavenge", ("system goroutine wait",), ("runtime.bgscavenge",)),
    Rule("gc_force", ("system goroutine wait",), ("runtime.forcegchelper",)),
    Rule("finalizer", ("system goroutine wait",), ("runtime.runfinq", "runtime.runFinalizers")),
    Rule(
        "cleanup",
        ("system goroutine wait",),
        ("runtime.runCleanups", "runtime.(*cleanupQueue).dequeue"),
    ),
    Rule(
        "trace_reader",
        ("system goroutine wait",),
        ("runtime.ReadTrace", "runtime/trace.Start.func1"),
    ),
    Rule("system", ("system goroutine wait", "GOMAXPROCS updater (idle)")),
)


REASON_OF_FRAME: Final[dict[str, str]] = {
    "runtime.block": "forever",
    "runtime.chansend": "chan send",
    "runtime.chanrecv": "chan receive",
    "runtime.selectgo": "select",
    "runtime.netpollblock": "network",
    "runtime.semacquire1": "sync",
    "sync.runtime_notifyListWait": "sync.(*Cond).Wait",
    "runtime.coroswitch_m": "coroutine",
    "runtime.corostart": "coroutine",
    "runtime.coroswitch": "coroutine",
    "time.Sleep": "sleep",
    "runtime.gcBgMarkWorker": "system goroutine wait",
    "runtime.bgsweep": "system goroutine wait",
    "runtime.bgscavenge": "system goroutine wait",
    "runtime.forcegchelper": "system goroutine wait",
    "runtime.runfinq": "system goroutine wait",
    "runtime.runFinalizers": "system goroutine wait",
    "runtime.runCleanups": "system goroutine wait",
    "runtime.updateMaxProcsGoroutine": "system goroutine wait",
}
"""What the reason would have been: a goroutine that is merely announced as waiting has none."""


def _is_library(function: str) -> bool:
    return function.startswith(LIBRARY)


def wait_class(state: str, reason: str, functions: Sequence[str]) -> str:
    """Name what a goroutine waits for.

    Args:
        state: `waiting`, `syscall`, or `announced`: it waited before the trace began.
        reason: in the runtime's words; empty for a coroutine switch and where it is announced.
        functions: of its stack, leaf first; empty where there is none.
    """
    if state == "syscall":
        return "syscall"
    top = list(takewhile(_is_library, functions[:TOP]))
    if not reason:
        reason = next((REASON_OF_FRAME[name] for name in top if name in REASON_OF_FRAME), "")
    if not reason:
        return "unknown" if state == "announced" else "coroutine"
    for rule in RULES:
        if reason in rule.reasons and (not rule.frames or any(name in rule.frames for name in top)):
            return rule.wait
    return "unknown"


def wait_code(state: str, reason: str, functions: Sequence[str]) -> int:
    """Give the dictionary code of `wait_class`."""
    return WAITS.index(wait_class(state, reason, functions))
