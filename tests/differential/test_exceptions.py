"""A trace for every documented difference from Go, and the plain cases beside them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from gotrace.spec.trace_events import header
from gotrace.testing import NONE, GoStatus, ProcStatus, TraceWriter
from gotrace.wire import encode_batch
from tests.core.decoding import real
from tests.differential.exceptions import EXCEPTIONS, explained
from tests.differential.go_reader import read_with_both
from tests.golab import peers


def written(write: Callable[[TraceWriter], Any], minor: int = 26, **options: int) -> bytes:
    file = io.BytesIO()
    with TraceWriter(file, minor, **options) as trace:
        thread = trace.thread(1)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        write(trace)
        thread.go_stop("preempted")
    return file.getvalue()


def many_reasons(trace: TraceWriter) -> None:
    thread = trace.thread(1)
    for number in range(33_000):
        thread.go_stop(f"reason {number}")
        thread.go_start(1)


def absurd_line(trace: TraceWriter) -> None:
    trace.thread(1).go_create(2, [("main.main", "main.go", 2**64 - 1)])


def old_trace() -> bytes:
    """What Go's fuzzer found in the old format: one sync, then an error."""
    return next(c.trace for c in peers.fuzz_cases() if c.trace.startswith(b"go 1.11"))


def short_table() -> bytes:
    """A generation whose string table ends behind the first byte of a record."""
    frequency = encode_batch(1, NONE, 1, b"\x08\x01")
    return header(22) + frequency + encode_batch(1, NONE, 1, b"\x04\x05")


def short_table_before_another_fault() -> bytes:
    return short_table() + encode_batch(7, NONE, 1, b"\x08\x01")


CASES: list[Any] = [
    ("header", lambda: b"go 1. 26 trace\0\0\0" + real("restart-go1.27")[16:]),
    ("header", lambda: b"go 1.026 trace\0\0\0" + real("restart-go1.27")[16:]),
    ("old format", old_trace),
    ("frequency 0", lambda: written(lambda _: None, 22, frequency=0)),
    ("ids", lambda: written(lambda trace: trace.thread(1).go_create(2**63 + 5))),
    ("ids", lambda: written(lambda trace: trace.thread(1).proc_status(2**31, ProcStatus.IDLE))),
    ("ids", lambda: written(lambda trace: trace.cpu_sample(2**63, 0, 1))),
    ("ids", lambda: written(lambda trace: trace.thread(1).user_task_begin(2**63, "task"))),
    ("limits", lambda: written(many_reasons)),
    ("experiments", lambda: written(lambda trace: trace.experimental_batch(b"abc", 9))),
    ("end inside a record", short_table),
    ("end inside a record", short_table_before_another_fault),
    ("overflow of time", lambda: written(lambda t: t.thread(1).heap_goal(1, at=2**63 + 9))),
    ("overflow of time", lambda: written(lambda trace: trace.cpu_sample(1, 0, 1, at=2**63))),
    ("statuses", lambda: written(lambda t: t.thread(1).event("GoStatus", 7, NONE, 256 + 4))),
    ("lines", lambda: written(absurd_line)),
    ("stacks of CPU samples", lambda: written(lambda trace: trace.cpu_sample(1, 0, 1, 99))),
]


@pytest.mark.parametrize(("name", "make"), CASES)
def test_a_documented_difference(name: str, make: Callable[[], bytes]) -> None:
    data = make()
    both = read_with_both(data)
    assert both.differences() != [], "no difference: take the exception out"
    assert explained(both, data) == name, both.differences()


def test_every_exception_has_a_trace() -> None:
    cases = [getattr(case, "values", case) for case in CASES]
    assert {name for name, _ in cases} == {exception.name for exception in EXCEPTIONS}


def test_no_difference_is_explained_where_there_is_none() -> None:
    data = written(lambda _: None)
    both = read_with_both(data)
    assert both.differences() == []
