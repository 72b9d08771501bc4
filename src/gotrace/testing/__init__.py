"""For tests, ours and those of others: write execution traces, check the events of one.

with open("small.trace", "wb") as file, TraceWriter(file) as trace:
    thread = trace.thread(100)
    thread.proc_status(0, ProcStatus.RUNNING)
    thread.go_status(1, GoStatus.RUNNING)
    thread.go_create(2, start=[("main.worker", "main.go", 10)])
    thread.go_stop("preempted")
    thread.go_start(2)
    thread.go_block("chan receive", stack=[("main.worker", "main.go", 12)])

complaints = validate(gotrace.open("small.trace").reader("events"))
"""

from __future__ import annotations

from gotrace.spec.trace_events import NONE, GoStatus, ProcStatus
from gotrace.testing.thread_writer import ThreadWriter
from gotrace.testing.trace_writer import TraceWriter
from gotrace.testing.validator import Validator, validate, validate_syncs

__all__ = [
    "NONE",
    "GoStatus",
    "ProcStatus",
    "ThreadWriter",
    "TraceWriter",
    "Validator",
    "validate",
    "validate_syncs",
]
