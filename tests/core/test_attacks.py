"""Against algorithms and memory: time grows with the bytes, or a limit says why it does not."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable

import pytest

from gotrace.errors import FormatError, GotraceError, LimitError
from gotrace.wire import encode_batch
from tests.core.attacks import (
    ATTACKS,
    REGION_BEGIN,
    RUNNING,
    STW_BEGIN,
    STW_END,
    THREAD,
    clock,
    event,
    heap_types,
    logs_of_many_tasks,
    running,
    stacks_of_128_frames,
    strings,
    trace,
    words,
)
from tests.core.decoding import TABLES, decode, decoder, drive

#: Four times the bytes take four times as long, some more where they leave the cache; what is
#: quadratic takes sixteen times as long.
FACTOR = 4
MOST = 8
#: What takes less is not measured.
SHORTEST_SECONDS = 0.02


def through(
    data: bytes,
    tables: Iterable[str] = TABLES,
    *,
    salvage: bool = True,
    chunk: int = 1 << 16,
    max_memory: int = 1 << 30,
) -> tuple[dict[str, int], Exception | None]:
    """Decode and drop: rows by table, and what ended it."""
    rows = dict.fromkeys(tables, 0)
    core = decoder(rows, salvage=salvage, max_memory=max_memory)
    try:
        for name, batch in drive(core, data, chunk):
            rows[name] += batch.num_rows
    except (GotraceError, MemoryError) as error:
        return rows, error
    return rows, None


def seconds(data: bytes) -> float:
    """CPU time of the quicker of two runs."""
    times = []
    for _ in range(2):
        start = time.process_time()
        through(data)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("name", ATTACKS)
def test_time_grows_with_the_bytes(name: str) -> None:
    """Under salvage, which goes the longest way."""
    make, size = ATTACKS[name]
    few, many = make(size), make(FACTOR * size)
    _, error = through(few, salvage=False)
    assert error is None or isinstance(error, FormatError | LimitError)
    _, error = through(few)
    assert error is None or isinstance(error, LimitError)
    one = seconds(few)
    assert seconds(many) < MOST * max(one, SHORTEST_SECONDS)


def test_a_clock_that_comes_to_its_end() -> None:
    """Each row is at least one nanosecond later than the one before: there is no room for all."""
    metrics = b"\x25\0\1" * 20_000
    running = b"".join(RUNNING)
    ends = (encode_batch(1, THREAD, 9_223_372_036_854_690_000 // 64, metrics) for _ in range(10))
    data = trace(clock(), encode_batch(1, THREAD, 1, running), *ends)
    decoded = decode(data, ("events",))
    assert isinstance(decoded.error, FormatError)
    assert "63 bits" in str(decoded.error)
    times = decoded.table("events")["time_ns"].to_pylist()
    assert len(times) > 60_000
    assert all(a < b for a, b in itertools.pairwise(times))


# --- memory ---------------------------------------------------------------------------------------


def test_stacks_leave_in_batches_that_arrow_can_hold() -> None:
    """Of one generation there may be more than fit into one."""
    core = decoder(("stacks", "frames"), batch_rows=64)
    sizes = [(name, b.num_rows) for name, b in drive(core, stacks_of_128_frames(300), 1 << 20)]
    stacks = [rows for name, rows in sizes if name == "stacks"]
    assert sum(stacks) == 299
    assert max(stacks) == 64


def test_stacks_stop_at_the_memory_limit() -> None:
    _, error = through(stacks_of_128_frames(300), ("stacks",), max_memory=2 << 20)
    assert isinstance(error, LimitError)


def test_tasks_stop_at_the_memory_limit() -> None:
    data = logs_of_many_tasks(100_000)
    rows, error = through(data, ("tasks",), max_memory=128 << 20)
    assert error is None
    assert rows["tasks"] == 99_999
    _, error = through(data, ("tasks",), max_memory=16 << 20)
    assert isinstance(error, LimitError)
    assert "16777216 bytes" in str(error)


def test_names_of_open_regions_count() -> None:
    name = b"n" * 1024
    begins = [event(REGION_BEGIN, i, 1, 0) for i in range(1, 20_000)]
    data = trace(clock(), strings([name]), running(*begins))
    _, error = through(data, ("events",), max_memory=8 << 20)
    assert isinstance(error, LimitError)


def test_kinds_of_stop_the_world_are_few() -> None:
    pairs = b"".join(event(STW_BEGIN, i, 0) + event(STW_END) for i in range(1, 300))
    rows, error = through(trace(clock(), strings(words(300)), running(pairs)), salvage=False)
    assert isinstance(error, LimitError)
    assert "stop the world" in str(error)
    assert rows["ranges"] > 200


def test_shares_of_regions_count() -> None:
    """A region remembers how the time of its goroutine divided when it began."""
    pairs = [event(STW_BEGIN, i, 0) + event(STW_END) for i in range(1, 200)]
    begins = [event(REGION_BEGIN, i, 1, 0) for i in range(1, 20_000)]
    data = trace(clock(), strings(words(200)), running(*pairs, *begins))
    _, error = through(data, ("regions",), max_memory=16 << 20)
    assert isinstance(error, LimitError)
    assert "goroutines" in str(error)


def test_types_of_the_heap_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, error = through(heap_types(300_000), ("allocations", "generations"))
    assert error is None
    assert rows["generations"] == 1
    _, error = through(heap_types(1_000_000), ("allocations",))
    assert isinstance(error, LimitError)
