"""Text that grows on the way: stacks of few bytes that name long functions again and again."""

from __future__ import annotations

import io
import os

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import gotrace
from gotrace.spec.trace_events import EVENT_BY_NAME, MAX_STACK_FRAMES, MAX_STRING_BYTES, NONE
from gotrace.testing import GoStatus, ProcStatus, TraceWriter
from gotrace.wire.binary import Record, encode_record

SOAK = os.environ.get("GOTRACE_SOAK", "") not in ("", "0")
STACK_BYTES = MAX_STACK_FRAMES * MAX_STRING_BYTES  #: of text that 640 bytes of the trace become


def trace_of_stacks(count: int) -> bytes:
    """A generation of so many distinct stacks, each of 128 frames with names of 1 KiB."""
    file = io.BytesIO()
    with TraceWriter(file) as trace:
        thread = trace.thread(1)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        names = [trace.string(f"{n:03}".ljust(MAX_STRING_BYTES, "x")) for n in range(50)]
        common = [(1000 + n, names[n % 50], names[0], n) for n in range(MAX_STACK_FRAMES - 1)]
        start, spec = bytes((EVENT_BY_NAME["Stacks"].id,)), EVENT_BY_NAME["Stack"]
        payload = bytearray(start)
        for number in range(1, count + 1):
            frames = ((5000 + number, names[1], names[0], number), *common)
            record = encode_record(Record(spec, (number, len(frames)), frames))
            if len(payload) + len(record) > 60_000:
                trace.write_batch(NONE, trace.clock, bytes(payload))
                payload = bytearray(start)
            payload += record
        trace.write_batch(NONE, trace.clock, bytes(payload))
    return file.getvalue()


def test_text_counts_as_memory():
    data = trace_of_stacks(1000)
    assert len(data) < 1e6
    limits = gotrace.Limits(memory_bytes=64 << 20)
    with pytest.raises(gotrace.LimitError, match="memory limit of 67108864 bytes"):
        gotrace.open(data, limits=limits).table("stacks")
    assert gotrace.open(data, limits=limits).table("stacks", ["depth"]).num_rows == 1000


@pytest.mark.skipif(not SOAK, reason="takes 3 GB; make soak runs it")
def test_text_of_more_than_2_gib_is_split():
    count = (5 << 29) // STACK_BYTES
    batches = list(gotrace.open(trace_of_stacks(count)).reader("stacks", ["stack_id", "functions"]))
    assert sum(batch.num_rows for batch in batches) == count
    assert len(batches) == 5
    for batch in batches:
        batch.validate(full=True)
        text = batch.column("functions").flatten()
        assert pc.sum(pc.binary_length(text)).as_py() == batch.num_rows * STACK_BYTES
        assert text.nbytes < 2**31
    ids = pa.chunked_array([batch.column("stack_id") for batch in batches])
    assert len(pc.unique(ids)) == count
