"""Memory: flat in the length of a trace, bounded by its generations, and given back.

A little of it runs always; `make soak` runs it at the sizes that are promised.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import gotrace
from tests.soak.results import SOAK, record
from tests.soak.traces import write_long

LONG_MB = 1024 if SOAK else 12  #: and four times that
FAT_MB = 500 if SOAK else 24
ROUNDS = 40_000 if SOAK else 4000
CYCLES = 10_000 if SOAK else 300
WINDOW_OF_MB = 800 if SOAK else 24
ROUNDS_OF_A_SECOND = 8000  #: of twelve events each, one every so many nanoseconds
TICK_NS = 10_417

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from /proc"
)

READ = """
import sys
import gotrace

rows = 0
trace = gotrace.open("-")
if sys.argv[1] == "all":
    for _, batch in trace.scan("all", threads=int(sys.argv[2])):
        rows += batch.num_rows
else:
    for batch in trace.reader(sys.argv[1], threads=int(sys.argv[2])):
        rows += batch.num_rows
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(rows, peak.split()[1])
"""


def read(shape: tuple[object, ...], table: str, threads: int) -> tuple[int, float]:
    """Rows of a trace that comes through a pipe, and the peak in MB of who read them."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.soak.traces", *map(str, shape)], stdout=subprocess.PIPE
    )
    with writer, writer.stdout:
        command = [sys.executable, "-c", READ, table, str(threads)]
        done = subprocess.run(
            command, stdin=writer.stdout, stdout=subprocess.PIPE, check=True, text=True
        )
    assert writer.returncode == 0
    rows, peak = map(int, done.stdout.split())
    return rows, peak * 1024 / 1e6


@pytest.mark.parametrize(
    ("table", "threads"), [("events", 2), ("all", 2), *([("events", 1)] if SOAK else [])]
)
def test_memory_is_flat_in_the_length_of_a_trace(table, threads):
    rows, peak = read(("long", LONG_MB, ROUNDS), table, threads)
    more_rows, more = read(("long", 4 * LONG_MB, ROUNDS), table, threads)
    record(
        f"memory of {table}, {threads} threads",
        megabytes=[LONG_MB, 4 * LONG_MB],
        peak_mb=[round(peak), round(more)],
        rows=[rows, more_rows],
    )
    assert more_rows == pytest.approx(4 * rows, rel=0.02)
    assert more < 1.1 * peak
    generation = 64e-6 * ROUNDS
    if table == "events":
        assert more < 200 + 1.5 * (threads + 1) * generation


@pytest.mark.parametrize(("table", "threads"), [("events", 1), ("events", 2), ("logs", 2)])
def test_a_long_generation_stays_within_the_bound(table, threads):
    rows, peak = read(("fat", FAT_MB), table, threads)
    record(
        f"memory of {table}, {threads} threads, one generation",
        generation_mb=FAT_MB,
        peak_mb=round(peak),
        rows=rows,
    )
    assert rows > FAT_MB * 40_000
    assert peak < 200 + 1.5 * (threads + 1) * FAT_MB


OPEN_AND_CLOSE = """
import gc, os, sys, threading
import gotrace

path, cycles = sys.argv[1], int(sys.argv[2])
data = open(path, "rb").read()

def cycle(i):
    given = (path, data)[i % 2]
    with gotrace.open(given, on_error="salvage") as trace:
        reader = trace.reader(("events", "logs", "stacks")[i % 3], threads=1 + i % 2, batch_rows=64)
        for _, batch in zip(range(i % 5), reader):
            pass
        if i % 7 == 0:
            trace.table("generations")
        if i % 11 == 0:
            trace.generations()
        if i % 13 == 0:
            reader.close()

def held():
    gc.collect()
    pages = int(open("/proc/self/statm").read().split()[1])
    files, threads = (len(os.listdir(f"/proc/self/{what}")) for what in ("fd", "task"))
    return pages * os.sysconf("SC_PAGESIZE"), files, threads

for i in range(cycles // 2):
    cycle(i)
resident, files, threads = held()
for i in range(cycles // 2):
    cycle(i)
more, still, running = held()
print(more - resident, still - files, running - threads, threading.active_count())
"""


def test_open_and_close_leaks_nothing():
    path = Path(__file__).parents[1] / "data" / "real" / "annotations-go1.27.trace.zst"
    command = [sys.executable, "-c", OPEN_AND_CLOSE, str(path), str(CYCLES)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    resident, files, threads, running = map(int, done.stdout.split())
    record(
        "open and close",
        cycles=CYCLES,
        more_mb=round(resident / 1e6, 1),
        more_files=files,
        more_threads=threads,
    )
    assert (files, threads, running) == (0, 0, 1)
    assert resident < 8e6


def bytes_read() -> int:
    """What this process has read so far."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(lines[0].split()[1])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="bytes read are counted by /proc")
def test_a_second_of_a_long_trace_is_read_alone(tmp_path):
    path = tmp_path / "long.trace"
    try:
        with path.open("wb") as file:
            size = write_long(file, WINDOW_OF_MB, ROUNDS_OF_A_SECOND, tick=TICK_NS)
        trace = gotrace.open(path)
        index = trace.generations()
        start = index[len(index) // 2].start_ns + 250_000_000
        trace.table("events", generations=[index[0].number])  # modules are read too, once
        before, began = bytes_read(), time.perf_counter()
        window = trace.table("events", start=start, end=start + 1_000_000_000)
        seconds, read = time.perf_counter() - began, bytes_read() - before
        began = time.perf_counter()
        whole = [
            batch.filter((pc.field("time_ns") >= start) & (pc.field("time_ns") < start + 10**9))
            for batch in trace.reader("events")
            if pc.max(batch["time_ns"]).as_py() >= start > pc.min(batch["time_ns"]).as_py() - 10**9
        ]
        record(
            "a second of a long trace",
            megabytes=round(size / 1e6),
            generations=len(index),
            read_mb=round(read / 1e6, 1),
            rows=window.num_rows,
            seconds=round(seconds, 3),
            seconds_of_the_whole_decode=round(time.perf_counter() - began, 1),
        )
    finally:
        path.unlink(missing_ok=True)
    full = pa.Table.from_batches(whole).unify_dictionaries()
    assert window.drop_columns("seq").equals(full.drop_columns("seq"))
    assert window.num_rows > 90_000
    assert read < 4 * size / len(index) + 2 * 4096 * sum(one.batches for one in index)
