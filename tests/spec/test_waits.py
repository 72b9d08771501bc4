"""Wait classes: the same words from a reason and a stack, or from a stack alone."""

from collections import defaultdict

import pytest

import gotrace
from gotrace.spec.waits import REASON_OF_FRAME, RULES, wait_class
from gotrace.spec.words import REASONS, WAITS
from tests.golab import record


@pytest.mark.parametrize(
    ("reason", "functions", "wait"),
    [
        ("chan receive", ["runtime.chanrecv1", "main.work"], "chan_recv"),
        ("sync", ["sync.(*WaitGroup).Wait", "main.main"], "wait_group"),
        ("sync", ["sync.(*Mutex).Lock", "sync.(*Once).doSlow", "sync.(*Once).Do"], "once"),
        ("sync", ["sync.(*RWMutex).RLock", "main.read"], "rwmutex_r"),
        ("sync", ["runtime.gcStart", "runtime.mallocgc", "main.main"], "gc_wait"),
        ("sync", ["runtime.traceAdvance"], "sync"),
        ("network", ["internal/poll.(*FD).Accept", "net.(*netFD).accept"], "accept"),
        ("sync", ["sync.(*Mutex).lockSlow", "sync.(*Mutex).Lock", "sync.(*Pool).pinSlow"], "pool"),
        ("sync", ["sync.(*WaitGroup).Wait", "main.init", "sync.(*Once).doSlow"], "wait_group"),
        ("sync", ["sync.(*Mutex).Lock", "main.get", "sync.(*Once).Do"], "mutex"),
        ("network", ["internal/poll.(*FD).Read", "os.(*File).read"], "file"),
        ("network", ["internal/poll.(*FD).ReadMsgInet6", "net.(*netFD).readMsgInet6"], "net_read"),
        ("network", ["internal/poll.(*FD).WriteToInet4", "net.(*netFD).writeTo"], "net_write"),
        ("network", ["internal/poll.(*FD).Read", "net.dnsPacketRoundTrip"], "dns"),
        ("forever", ["runtime.chanrecv1", "main.main"], "nil_chan"),
        ("forever", ["runtime.block", "main.main"], "select_empty"),
        ("system goroutine wait", ["runtime.gopark", "runtime.gcBgMarkWorker"], "gc_worker"),
        ("never heard of", ["main.main"], "unknown"),
        ("", [], "coroutine"),
    ],
)
def test_a_wait_has_one_word(reason, functions, wait):
    assert wait_class("waiting", reason, functions) == wait


def test_an_announced_wait_is_known_by_its_stack():
    stack = ["runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1", "main.consumer"]
    assert wait_class("announced", "", stack) == "chan_recv"
    assert wait_class("announced", "", []) == "unknown"


def test_the_tables_use_only_known_words():
    assert {rule.wait for rule in RULES} <= set(WAITS)
    assert {reason for rule in RULES for reason in rule.reasons} <= set(REASONS)
    assert set(REASON_OF_FRAME.values()) <= set(REASONS)


@pytest.mark.parametrize("name", ["waits-go1.22", "waits-go1.27"])
def test_a_program_that_waits_in_every_way(name):
    """Each of its goroutines is named after what it waits for, longer than for anything else."""
    waited = defaultdict(lambda: defaultdict(int))
    with gotrace.open(record.REAL / f"{name}.trace.zst") as trace:
        names = {row["goroutine"]: row["name"] for row in trace.table("goroutines").to_pylist()}
        for row in trace.table("goroutine_states").to_pylist():
            if row["state"] in ("waiting", "syscall"):
                waited[names[row["goroutine"]]][row["wait"]] += row["duration_ns"]
    found = set()
    for function, times in waited.items():
        _, _, called = (function or "").partition("main.wait_")
        if called:
            (wait,) = [
                wait for wait in WAITS if called == wait or called.removeprefix(wait)[:2] == "__"
            ]
            found.add(wait)
            assert wait in times
            assert wait == "gc_assist" or times[wait] == max(times.values())
    assert found == {
        *("chan_send", "chan_recv", "nil_chan", "select", "select_empty"),
        *("mutex", "rwmutex_r", "rwmutex_w", "wait_group", "cond", "once"),
        *("accept", "connect", "net_read", "net_write", "file", "fd_lock"),
        *("sleep", "syscall", "gc_wait", "gc_assist"),
    }
