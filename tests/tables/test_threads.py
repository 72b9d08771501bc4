"""A second thread changes how long a pass takes, and nothing else."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pyarrow as pa
import pytest

import gotrace
from gotrace.tables import threads as counting
from gotrace.tables.threads import usable_threads
from tests.core.decoding import real_names
from tests.differential.mutants import mutant
from tests.soak.results import SOAK

REAL = Path(__file__).parents[1] / "data" / "real"
# Generations long enough that a thread is started for them, with every kind of event.
TRACES = ("gc-go1.27.trace.zst", "cpuprofile-go1.25.trace.zst", "io-go1.27.trace.zst")


def batches(path: Path, threads: int, batch_rows: int = 65536) -> list[tuple[str, pa.RecordBatch]]:
    return list(gotrace.open(path).scan("all", threads=threads, batch_rows=batch_rows))


#: Threads and rows of a batch; the first is what the others are compared with.
WAYS = ((1, 65536), (2, 997), *(((4, 97), (8, 65536), (8, 4)) if SOAK else ()))
MUTANTS = 2000 if SOAK else 40


def tables(source: Path | bytes, way: tuple[int, int]) -> dict[str, pa.Table]:
    """All tables, whole, and the error that ended them."""
    threads, batch_rows = way
    parts: dict[str, list[pa.RecordBatch]] = {}
    try:
        trace = gotrace.open(source, on_error="salvage")
        for name, batch in trace.scan("all", threads=threads, batch_rows=batch_rows):
            parts.setdefault(name, []).append(batch)
    except gotrace.GotraceError as error:
        parts["error"] = [pa.record_batch({"error": [repr(error)]})]
    return {name: pa.Table.from_batches(few).unify_dictionaries() for name, few in parts.items()}


@pytest.mark.parametrize("name", real_names())
def test_every_table_is_the_same_for_any_threads_and_batch_rows(name: str) -> None:
    whole, *others = (tables(REAL / f"{name}.trace.zst", way) for way in WAYS)
    assert {"events", "goroutines", "generations"} <= whole.keys()
    for other in others:
        assert other == whole


@pytest.mark.parametrize("first", range(0, MUTANTS, 20))
def test_so_is_every_table_of_a_damaged_trace(first: int) -> None:
    for number in range(first, first + 20):
        whole, *others = (tables(mutant(number).data, way) for way in WAYS)
        for other in others:
            assert other == whole, number


def damaged(tmp_path: Path) -> Path:
    """The longest trace without a byte in the middle of its events."""
    import zstandard

    whole = zstandard.decompress((REAL / TRACES[0]).read_bytes(), max_output_size=1 << 24)
    path = tmp_path / "damaged.trace"
    path.write_bytes(whole[: len(whole) // 2] + b"\x7f\x7f\x7f" + whole[len(whole) // 2 :])
    return path


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("batch_rows", [1000, 65536])
def test_the_batches_are_the_same_for_any_number_of_threads(name: str, batch_rows: int) -> None:
    alone = batches(REAL / name, 1, batch_rows)
    assert any(table == "events" for table, _ in alone)
    for threads in (2, 4, 8):
        assert batches(REAL / name, threads, batch_rows) == alone


@pytest.mark.parametrize("name", TRACES)
def test_the_rows_are_the_same_for_any_batch_rows(name: str) -> None:
    whole = gotrace.open(REAL / name).table("events", threads=1)
    for rows in (97, 4096):
        parts = gotrace.open(REAL / name).table("events", threads=2, batch_rows=rows)
        assert parts.equals(whole)


def test_a_fault_is_the_same_for_any_number_of_threads(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    told = []
    for threads in (1, 2):
        rows = 0
        with pytest.raises(gotrace.FormatError) as caught:
            for batch in gotrace.open(path).reader("events", threads=threads, batch_rows=500):
                rows += batch.num_rows
        told.append((rows, str(caught.value)))
    assert told[0] == told[1]
    assert told[0][0] > 0


def test_salvage_is_the_same_for_any_number_of_threads(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    alone, together = (
        list(gotrace.open(path, on_error="salvage").scan("all", threads=threads, batch_rows=500))
        for threads in (1, 2)
    )
    assert alone == together
    assert any(table == "notes" for table, _ in alone)


def test_a_memory_limit_holds_beside_the_thread() -> None:
    limits = gotrace.Limits(memory_bytes=3 << 20)
    for threads in (1, 2):
        with pytest.raises(gotrace.LimitError, match="memory limit"):
            for _ in gotrace.open(REAL / TRACES[0], limits=limits).reader(
                "events", threads=threads, batch_rows=100
            ):
                pass


@pytest.mark.parametrize("read", [0, 1, 3, 50])
def test_a_reader_dropped_midway_leaves_no_thread(read: int) -> None:
    before = native_threads()
    for _ in range(20):
        reader = gotrace.open(REAL / TRACES[0]).reader("events", threads=2, batch_rows=100)
        for _, _batch in zip(range(read), reader, strict=False):
            pass
        del reader
    assert native_threads() <= before


def test_cancel_stops_a_pass_with_a_thread() -> None:
    trace = gotrace.open(REAL / TRACES[0])
    reader = trace.reader("events", threads=2, batch_rows=100)
    next(iter(reader))
    canceller = threading.Thread(target=trace.cancel)
    canceller.start()
    canceller.join()
    assert sum(1 for _ in reader) < 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_does_not_wait_for_the_thread() -> None:
    reader = gotrace.open(REAL / TRACES[0]).reader("events", threads=2, batch_rows=100)
    next(iter(reader))
    child = os.fork()
    if child == 0:
        del reader
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert sum(batch.num_rows for batch in reader) > 0


def test_threads_must_be_positive() -> None:
    with pytest.raises(ValueError, match="threads must be positive, not 0"):
        gotrace.open(REAL / TRACES[0]).reader("events", threads=0)


@pytest.mark.parametrize(
    ("cpu_max", "most"), [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1)]
)
def test_a_container_is_given_its_share(
    cpu_max: str, most: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(cpu_max)
    monkeypatch.setattr(counting, "_QUOTA", quota)
    whole = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert usable_threads(None) == (whole if most is None else most)
    assert usable_threads(3) == 3


def native_threads() -> int:
    """Threads of this process, those that Python does not know included."""
    tasks = Path("/proc/self/task")
    return sum(1 for _ in tasks.iterdir()) if tasks.exists() else threading.active_count()
