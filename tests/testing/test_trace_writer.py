"""What the trace writer writes is valid, for every header and any program."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gotrace
from gotrace.spec.trace_events import HEADERS, NONE
from gotrace.testing import GoStatus, ProcStatus, TraceWriter, validate
from gotrace.wire import WireReader
from tests.differential.compare import differences
from tests.golab import peers, toolchain
from tests.testing.programs import random_trace

minors = pytest.mark.parametrize("minor", HEADERS)


def records_of(data: bytes) -> list[str]:
    return [record.spec.name for record in WireReader(data)]


@given(
    seed=st.integers(0, 2**32),
    minor=st.sampled_from(sorted(HEADERS)),
    batch_bytes=st.sampled_from([80, 200, 65536]),
)
@settings(max_examples=40)
def test_random_programs_are_valid(seed: int, minor: int, batch_bytes: int) -> None:
    data = random_trace(seed, minor, 300, batch_bytes=batch_bytes)
    assert validate(gotrace.open(data).table("events")) == []


@pytest.mark.go
@minors
def test_go_reads_random_programs_as_we_do(minor: int, tmp_path: Path) -> None:
    toolchain.require()
    for seed in range(6):
        path = tmp_path / f"{seed}.trace"
        path.write_bytes(random_trace(seed, minor, 400, batch_bytes=(65536, 200)[seed % 2]))
        dump = peers.dump_trace(path)
        assert (dump.verdict, dump.message) == ("end", "")
        source = gotrace.open(path)
        tables = (source.table(name) for name in ("events", "stacks", "frames"))
        assert differences(*tables, dump) == [], seed


@minors
def test_readme_of_the_module(minor: int) -> None:
    file = io.BytesIO()
    with TraceWriter(file, minor) as trace:
        thread = trace.thread(100)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        thread.go_create(2, start=[("main.worker", "main.go", 10)])
        thread.go_stop("preempted")
        thread.go_start(2)
        thread.go_block("chan receive", stack=[("main.worker", "main.go", 12)])
    source = gotrace.open(file.getvalue())
    events = source.table("events")
    assert validate(events) == []
    assert [k for k in events["kind"].to_pylist() if k != "state_transition"] == ["sync", "sync"]
    assert events["time_ns"].to_pylist()[1] == 1000
    assert source.table("stacks")["leaf"].to_pylist() == ["main.worker", "main.worker"]


def test_a_status_says_where_a_goroutine_waits() -> None:
    file = io.BytesIO()
    with TraceWriter(file, 23) as trace:
        thread = trace.thread(100)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status_stack(7, GoStatus.WAITING, [("main.idle", "main.go", 3)])
    source = gotrace.open(file.getvalue())
    events = source.table("events")
    assert validate(events) == []
    (row,) = (row for row in events.to_pylist() if row["resource_id"] == 7)
    assert (row["from_state"], row["to_state"]) == ("undetermined", "waiting")
    (stack,) = source.table("stacks").to_pylist()
    assert (stack["stack_id"], stack["leaf"]) == (row["stack_id"], "main.idle")


@minors
def test_structure_of_a_generation(minor: int) -> None:
    file = io.BytesIO()
    with TraceWriter(file, minor) as trace:
        trace.thread(1).proc_status(0, ProcStatus.RUNNING)
        trace.new_generation()
        trace.thread(1).proc_stop()
    names = records_of(file.getvalue())
    assert names.count("Sync") == (2 if minor >= 25 else 0)
    assert names.count("ClockSnapshot") == (2 if minor >= 25 else 0)
    assert names.count("EndOfGeneration") == (2 if minor >= 26 else 0)
    assert names.count("Frequency") == 2
    assert names.count("ProcStatus") == 2
    assert validate(gotrace.open(file.getvalue()).table("events")) == []


def test_an_empty_trace_is_a_header() -> None:
    file = io.BytesIO()
    with TraceWriter(file, 26):
        pass
    assert file.getvalue() == b"go 1.26 trace\0\0\0"


def test_times() -> None:
    file = io.BytesIO()
    with TraceWriter(file, 25, frequency=15_625_000, clock=1000, tick=3) as trace:
        thread = trace.thread(1)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.proc_stop()
        thread.proc_start(0, at=2000)
        trace.thread(2).proc_status(1, ProcStatus.IDLE)
        thread.proc_stop(at=1900)  # back in time: a batch of its own, which order follows
    events = gotrace.open(file.getvalue()).table("events")
    assert events["time_ns"].to_pylist() == [999 * 64, 64000, 64192, 128000, 128001, 128192, 128193]


def test_full_batches_are_flushed() -> None:
    file = io.BytesIO()
    with TraceWriter(file, 26, batch_bytes=100) as trace:
        thread = trace.thread(1)
        thread.proc_status(0, ProcStatus.RUNNING)
        for _ in range(200):
            thread.heap_alloc(2**63)
    sizes = [len(batch.payload) for batch in WireReader(file.getvalue()).batches()]
    assert len(sizes) > 20
    assert max(sizes) <= 100


def test_large_tables_take_several_batches() -> None:
    file = io.BytesIO()
    with TraceWriter(file, 26) as trace:
        thread = trace.thread(1)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        for i in range(300):
            thread.user_log("key", f"{i:04}" + "x" * 1000)
            thread.go_stop(stack=[(f"main.f{i}_{j}", "main.go", j) for j in range(60)])
            thread.go_start(1)
    kinds = [batch.kind.name for batch in WireReader(file.getvalue()).batches()]
    assert kinds.count("Strings") > 5
    assert kinds.count("Stacks") > 1
    events = gotrace.open(file.getvalue()).table("events")
    assert sum(m is not None for m in events["message"].to_pylist()) == 300


def test_samples_and_experiments() -> None:
    file = io.BytesIO()
    with TraceWriter(file, 26) as trace:
        thread = trace.thread(1)
        thread.proc_status(0, ProcStatus.RUNNING)
        trace.cpu_sample(1, 0, 5, [("main.hot", "main.go", 1)])
        trace.cpu_sample(2, at=trace.clock + 100)
        trace.experimental_batch(b"\1\0\x0d\x03\x03")
        thread.span("exists", 1, 4, 2)
        thread.heap_object("alloc", 9, 3)
        thread.heap_object("free", 9)
        thread.goroutine_stack("free", 2)
    events = gotrace.open(file.getvalue()).table("events").to_pylist()
    samples = [
        (e["thread"], e["proc"], e["goroutine"]) for e in events if e["kind"] == "stack_sample"
    ]
    assert samples == [(1, 0, 5), (2, None, None)]
    experiments = [
        (e["name"], e["value"], e["value2"]) for e in events if e["kind"] == "experimental"
    ]
    assert experiments == [
        ("Span", 1, 4),
        ("HeapObjectAlloc", 9, 3),
        ("HeapObjectFree", 9, None),
        ("GoroutineStackFree", 2, None),
    ]


# --- repetition -------------------------------------------------------------------------------


def one_generation(trace: TraceWriter) -> None:
    main, other = trace.thread(1), trace.thread(2)
    main.proc_status(0, ProcStatus.RUNNING)
    main.go_status(1, GoStatus.RUNNING)
    main.go_create(2, stack=[("main.main", "main.go", 1)])
    other.proc_start(1)
    other.go_start(2)
    other.user_region_begin("part")
    other.user_region_end("part")
    trace.cpu_sample(2, 1, 2, [("main.worker", "main.go", 3)])
    other.go_destroy()
    other.proc_stop()


@minors
def test_a_generation_repeats(minor: int) -> None:
    file = io.BytesIO()
    with TraceWriter(file, minor, keep=True) as trace:
        one_generation(trace)
        trace.repeat(9)
        trace.new_generation()
        trace.thread(1).go_create(2)
    source = gotrace.open(file.getvalue())
    events = source.table("events")
    assert validate(events) == []
    assert source.table("generations")["number"].to_pylist() == list(range(1, 12))
    kinds = events["kind"].to_pylist()
    assert kinds.count("stack_sample") == 10
    assert kinds.count("region_end") == 10
    times = [
        t for t, k in zip(events["time_ns"].to_pylist(), kinds, strict=True) if k == "region_end"
    ]
    assert len({b - a for a, b in itertools.pairwise(times)}) == 1


def test_what_cannot_repeat_says_why() -> None:
    def repeated(change) -> None:
        trace = TraceWriter(io.BytesIO(), keep=True)
        one_generation(trace)
        change(trace.thread(1))
        trace.repeat(1)

    with pytest.raises(ValueError, match="goroutine 3"):
        repeated(lambda thread: thread.go_create(3))
    with pytest.raises(ValueError, match="goroutine 1 as it finds it"):
        repeated(lambda thread: thread.go_stop())
    with pytest.raises(ValueError, match="GC events"):
        repeated(lambda thread: thread.gc_begin())
    with pytest.raises(ValueError, match="task"):
        repeated(lambda thread: thread.user_task_begin(1, "t"))
    with pytest.raises(ValueError, match="keep=True"):
        TraceWriter(io.BytesIO()).repeat(1)


# --- misuse -----------------------------------------------------------------------------------


def test_misuse() -> None:
    with pytest.raises(ValueError, match=r"1\.24"):
        TraceWriter(io.BytesIO(), 24)
    trace = TraceWriter(io.BytesIO())
    thread = trace.thread(1)
    with pytest.raises(ValueError, match="2 arguments"):
        thread.event("GoStart", 1)
    trace.new_generation()
    with pytest.raises(ValueError, match="goroutine 9"):
        thread.go_start(9)
    trace.close()
    with pytest.raises(ValueError, match="new_generation"):
        thread.proc_stop()


def test_an_error_inside_the_with_leaves_the_trace_cut() -> None:
    file = io.BytesIO()
    with pytest.raises(KeyError), TraceWriter(file) as trace:
        trace.thread(1).proc_status(0, ProcStatus.IDLE)
        raise KeyError
    assert "EndOfGeneration" not in records_of(file.getvalue())


def test_raw_bytes_and_raw_events() -> None:
    file = io.BytesIO()
    with TraceWriter(file) as trace:
        nobody = trace.thread(NONE)
        nobody.event("ProcStatus", 0, 69)
        nobody.raw(b"\xc8")
    names = [batch.payload for batch in WireReader(file.getvalue()).batches()]
    assert names[1] == b"\x0d\x01\x00\x45\xc8"
