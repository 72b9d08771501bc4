"""Wait classes: the same words from a reason and a stack, or from a stack alone."""

import pytest

from gotrace.spec.waits import REASON_OF_FRAME, RULES, wait_class
from gotrace.spec.words import REASONS, WAITS


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
