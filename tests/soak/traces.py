"""Traces of any length, as fast as they can be copied; nothing of them is kept.

    python -m tests.soak.traces long 4096 4000  # megabytes, in generations of so many rounds
    python -m tests.soak.traces fat 500         # one generation of so many megabytes

write to standard output.
"""

from __future__ import annotations

import sys
from typing import BinaryIO

from gotrace.spec.trace_events import EVENT_BY_NAME, MAX_BATCH_BYTES
from gotrace.testing import GoStatus, ProcStatus, ThreadWriter, TraceWriter
from gotrace.wire.binary import Record, encode_record

STACKS = [[(f"main.f{n}", "main.go", n), ("main.main", "main.go", 7)] for n in range(50)]
ROUNDS = 4000  #: of a generation, about 230 kB


def write_long(file: BinaryIO, megabytes: float, rounds: int = ROUNDS, *, tick: int = 1) -> int:
    """Write generations of channels, syscalls, regions and logs; return the bytes."""
    with TraceWriter(file, keep=True, tick=tick) as trace:
        threads = [trace.thread(100 + n) for n in range(3)]
        for n, thread in enumerate(threads):
            thread.proc_status(n, ProcStatus.RUNNING)
            thread.go_status(n + 1, GoStatus.RUNNING)
            trace.thread(2**64 - 1).go_status(n + 11, GoStatus.WAITING)
        for turn in range(rounds):
            _round(threads[turn % 3], turn % 3 + 1, STACKS[turn % 50])
        trace.new_generation()
        for turn in range(rounds):
            _round(threads[turn % 3], turn % 3 + 1, STACKS[turn % 50])
        written = trace.bytes_written / 2
        trace.repeat(max(0, round(megabytes * 1e6 / written) - 2))
        return trace.bytes_written


def _round(thread: ThreadWriter, goroutine: int, stack) -> None:
    """Hand over to another goroutine and back; leave all as it was."""
    other = goroutine + 10
    thread.user_region_begin("work", 0, stack)
    thread.heap_alloc(1 << 20)
    thread.go_unblock(other, stack)
    thread.go_syscall_begin(stack)
    thread.go_syscall_end()
    thread.user_log("step", "done", 0, stack)
    thread.user_region_end("work", 0, stack)
    thread.go_block("chan receive", stack)
    thread.go_start(other)
    thread.go_unblock(goroutine, stack)
    thread.go_block("select", stack)
    thread.go_start(goroutine)


def write_fat(file: BinaryIO, megabytes: float) -> int:
    """Write one generation of so many megabytes: what a program without a reader leaves."""
    with TraceWriter(file) as trace:
        thread = trace.thread(100)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        thread.flush()
        name, value, stack = trace.string("work"), trace.string("done"), trace.stack(STACKS[0])
        piece = b"".join(
            encode_record(Record(EVENT_BY_NAME[event], arguments))
            for event, arguments in (
                ("UserRegionBegin", (7, 0, name, stack)),
                ("HeapAlloc", (7, 1 << 20)),
                ("UserLog", (7, 0, name, value, stack)),
                ("UserRegionEnd", (7, 0, name, stack)),
            )
        )
        copies = MAX_BATCH_BYTES // len(piece)
        payload = piece * copies
        for _ in range(round(megabytes * 1e6 / len(payload))):
            trace.write_batch(100, trace.clock, payload)
            trace.clock += 28 * copies
        return trace.bytes_written


if __name__ == "__main__":
    write = {"long": write_long, "fat": write_fat}[sys.argv[1]]
    write(sys.stdout.buffer, float(sys.argv[2]), *map(int, sys.argv[3:]))
