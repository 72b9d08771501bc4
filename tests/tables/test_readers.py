"""Readers: shared by threads, inherited by forks, called off, dropped, and pickled."""

from __future__ import annotations

import io
import os
import pickle
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

import gotrace
from tests.timing import within

REAL = Path(__file__).parents[1] / "data" / "real"
PATH = REAL / "gc-go1.27.trace.zst"
SOON_S = 0.1  #: what the machine's own hiccups are given on top, three tries


@pytest.fixture(scope="module")
def data() -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(PATH.read_bytes())


@pytest.fixture(scope="module")
def events(data: bytes) -> pa.Table:
    return gotrace.open(data).table("events")


def in_threads(count: int, work) -> None:
    """Run `work(i)` in threads at once; raise what any of them raised."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(i: int) -> None:
        try:
            barrier.wait(30)
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_that_share_a_reader_get_every_batch_once(data, events, threads):
    for _ in range(5):
        reader = gotrace.open(data).reader("events", threads=threads, batch_rows=200)
        got: list[list[pa.RecordBatch]] = [[], [], [], []]
        in_threads(4, lambda i, reader=reader, got=got: got[i].extend(reader))
        batches = sorted(
            (b for part in got for b in part), key=lambda b: b.column("seq")[0].as_py()
        )
        assert pa.Table.from_batches(batches).equals(events)


def test_threads_that_share_a_trace_have_passes_of_their_own(tmp_path, data, events):
    path = tmp_path / "a.trace"
    path.write_bytes(data)
    with path.open("rb") as file:
        for given in (path, io.BytesIO(data), file):
            trace = gotrace.open(given)
            tables: dict[int, pa.Table] = {}

            def work(i: int, trace=trace, tables=tables) -> None:
                tables[i] = trace.table("events")

            in_threads(3, work)
            assert all(table.equals(events) for table in tables.values())


def test_threads_decode_different_sources():
    names = ["blocking-go1.22", "annotations-go1.27", "alloc-go1.26", "syscalls-go1.24"]
    paths = [REAL / f"{name}.trace.zst" for name in names]
    alone = [gotrace.open(path).table("events") for path in paths]

    def work(i: int) -> None:
        for _ in range(3):
            assert gotrace.open(paths[i]).table("events", batch_rows=300).equals(alone[i])

    in_threads(4, work)


def test_two_readers_of_one_open_file_do_not_mix(data, events):
    trace = gotrace.open(io.BytesIO(data))
    first, second = (trace.reader("events", batch_rows=500) for _ in range(2))
    pairs = list(zip(first, second, strict=True))
    for side in (0, 1):
        assert pa.Table.from_batches([pair[side] for pair in pairs]).equals(events)


def test_a_stream_is_had_by_one_of_two_threads(data):
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb") as sink:
        feeder = threading.Thread(target=lambda: (sink.write(data), sink.close()), daemon=True)
        feeder.start()
        trace = gotrace.open(source)
        rows: list[int] = []
        refused: list[gotrace.ConsumedError] = []

        def work(_: int) -> None:
            try:
                rows.append(trace.table("events", ["seq"]).num_rows)
            except gotrace.ConsumedError as error:
                refused.append(error)

        in_threads(2, work)
        feeder.join()
    assert (len(rows), len(refused)) == (1, 1)


def child(work) -> int:
    """Run `work` in a forked process; its exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(work())
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("begin", ["reader", "scan", "filtered"])
def test_a_forked_process_is_refused(begin):
    trace = gotrace.open(PATH)
    items = {
        "reader": lambda: trace.reader("events", threads=2, batch_rows=100),
        "scan": lambda: trace.scan("all", threads=2, batch_rows=100),
        "filtered": lambda: trace.reader("events", kinds=["state_transition"], batch_rows=100),
    }[begin]()
    next(iter(items))

    def work() -> int:
        try:
            next(iter(items))
        except gotrace.GotraceError as error:
            return 7 if "forked" in str(error) else 8
        return 9

    assert child(work) == 7
    assert child(lambda: gotrace.open(PATH).table("syncs", threads=1).num_rows) == 2
    assert sum(1 for _ in items) > 0


class Slow:
    """A pipe that has the first half of a trace and then waits."""

    def __init__(self, data: bytes) -> None:
        reading, writing = os.pipe()
        self.source = os.fdopen(reading, "rb")
        self.sink = os.fdopen(writing, "wb", buffering=0)
        self._half = data[: len(data) // 2]
        self._thread = threading.Thread(target=self.sink.write, args=(self._half,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.source.close()
        self._thread.join()
        self.sink.close()


def cancelled_after(data: bytes, cancel) -> float:
    """Read a pipe that waits in a thread; seconds from `cancel(trace, items)` to its end."""
    slow = Slow(data)
    trace = gotrace.open(slow.source)
    items = trace.scan("all")
    ended: list[float] = []
    thread = threading.Thread(target=lambda: (list(items), ended.append(time.monotonic())))
    thread.start()
    time.sleep(0.3)
    called = time.monotonic()
    cancel(trace, items)
    thread.join(10)
    slow.close()
    assert not thread.is_alive()
    return ended[0] - called


@pytest.mark.parametrize(
    "cancel", [lambda trace, _: trace.cancel(), lambda _, items: items.cancel()]
)
def test_cancel_ends_a_reader_that_waits_for_bytes(data, cancel):
    assert min(cancelled_after(data, cancel) for _ in range(3)) < within(SOON_S)


def test_cancel_reaches_every_reader(data):
    trace = gotrace.open(data)
    readers = [trace.reader("events", batch_rows=50) for _ in range(3)]
    for reader in readers:
        reader.read_next_batch()
    trace.cancel()
    assert all(sum(1 for _ in reader) < 10 for reader in readers)
    assert trace.table("syncs").num_rows == 2


def test_the_limit_of_time_holds_while_a_stream_waits(data):
    slow = Slow(data)
    trace = gotrace.open(slow.source, limits=gotrace.Limits(seconds=0.3))
    began = time.monotonic()
    with pytest.raises(gotrace.LimitError, match="limit seconds"):
        trace.table("events")
    assert time.monotonic() - began < 5
    slow.close()


def open_files() -> set[str]:
    folder = Path("/proc/self/fd")
    return {os.readlink(entry) for entry in folder.iterdir() if entry.exists()}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_what_is_dropped_is_closed_at_once():
    trace = gotrace.open(PATH)
    for items in (trace.reader("events", batch_rows=50), trace.scan("all", batch_rows=50)):
        next(iter(items))
        assert str(PATH) in open_files()
        del items
        break
    reader = trace.reader("events", batch_rows=50)
    reader.read_next_batch()
    del reader
    assert str(PATH) not in open_files()
    scan = trace.scan("all", batch_rows=50)
    next(scan)
    scan.close()
    assert str(PATH) not in open_files()
    assert next(scan, None) is None


def test_a_stream_that_nobody_reads_is_let_go(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"go 1.26 trace\0\0\0",), daemon=True)
    writer.start()
    with gotrace.open(fifo):
        writer.join()
        assert str(fifo) in open_files()
    assert str(fifo) not in open_files()


def test_a_path_is_the_same_file_wherever_the_process_goes(tmp_path, monkeypatch, data, events):
    (tmp_path / "a.trace").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    trace = gotrace.open("a.trace")
    monkeypatch.chdir("/")
    assert trace.name == "a.trace"
    assert trace.table("events").equals(events)
    twin = pickle.loads(pickle.dumps(trace))
    assert twin.table("events").equals(events)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(gotrace.open(data))
