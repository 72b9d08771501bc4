"""What the system refuses is one line, code 2, and nothing left: full disk, gone file, no right."""

from __future__ import annotations

import ctypes
import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import gotrace

WRITERS = {
    "convert": ["convert", "TRACE", "-o", "OUT", "--tables", "all"],
    "convert, one thread": ["convert", "TRACE", "-o", "OUT", "--tables", "all", "--threads", "1"],
    "convert to CSV": ["convert", "TRACE", "-o", "OUT", "--format", "csv", "--tables", "events"],
    "convert to Arrow": ["convert", "TRACE", "-o", "OUT", "--format", "arrow", "--tables", "all"],
    "one Parquet file": ["convert", "TRACE", "-o", "OUT.parquet", "--tables", "events"],
    "events to CSV": ["events", "TRACE", "-o", "OUT.csv"],
    "events to text": ["events", "TRACE", "-o", "OUT.txt"],
    "wire": ["events", "TRACE", "--wire", "-o", "OUT.txt"],
    "sql to JSON": ["sql", "TRACE", "FROM events", "-o", "OUT.json"],
    "sql to DuckDB": ["sql", "TRACE", "FROM events", "-o", "OUT.duckdb"],
}
FULL_BYTES = 20_000


def gotrace_command(words, trace: Path, out: Path) -> list[str]:
    names = {"TRACE": str(trace)}
    words = [names.get(word, word.replace("OUT", str(out))) for word in words]
    return [sys.executable, "-m", "gotrace", *words]


def told(done: subprocess.CompletedProcess) -> str:
    """The one line of a command that failed."""
    assert done.returncode == 2, done
    assert done.stdout == b""
    text = done.stderr.decode()
    assert text.startswith("gotrace: ")
    assert text.count("\n") == 1, text
    return text


@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
def test_a_full_disk(tmp_path, trace, words):
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES))

    command = gotrace_command(words, trace, tmp_path / "out")
    done = subprocess.run(command, capture_output=True, preexec_fn=no_room, check=False)
    assert "too large" in told(done).lower()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "words",
    [
        ["info", "TRACE"],
        ["events", "TRACE"],
        ["events", "TRACE", "--format", "csv"],
        ["events", "TRACE", "--format", "arrow"],
        ["events", "TRACE", "--format", "parquet"],
        ["events", "TRACE", "--wire"],
        ["sql", "TRACE", "FROM events"],
        ["schema"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_a_full_disk_behind_standard_output(tmp_path, trace, words):
    with open("/dev/full", "wb") as full:
        command = gotrace_command(words, trace, tmp_path / "out")
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def as_anybody() -> None:
    """Take from root the right to write everywhere: PR_CAPBSET_DROP of the two capabilities."""
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="rights as Linux has them")
@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
def test_a_folder_that_is_read_only(tmp_path, trace, words):
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    command = gotrace_command(words, trace, folder / "out")
    done = subprocess.run(command, capture_output=True, preexec_fn=as_anybody, check=False)
    assert "permission denied" in told(done).lower()
    assert not list(folder.iterdir())


def test_a_file_that_may_not_be_read(tmp_path, trace):
    closed = tmp_path / "closed.trace"
    closed.write_bytes(trace.read_bytes())
    closed.chmod(0)
    command = gotrace_command(["info", "TRACE"], closed, tmp_path)
    done = subprocess.run(command, capture_output=True, preexec_fn=as_anybody, check=False)
    assert "Permission denied" in told(done)


def test_a_file_that_vanishes_before_it_is_read(tmp_path, trace_bytes):
    path = tmp_path / "gone.trace"
    path.write_bytes(trace_bytes)
    trace = gotrace.open(path)
    path.unlink()
    for read in (trace.info, lambda: trace.table("events"), trace.generations):
        with pytest.raises(FileNotFoundError):
            read()
    with pytest.raises(FileNotFoundError):
        trace.table("events", start="+1ms")
    with pytest.raises(FileNotFoundError):
        trace.to_parquet(tmp_path / "out")
    assert not list(tmp_path.iterdir())


def cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


@pytest.mark.parametrize("on_error", ["fail", "salvage"])
def test_a_file_that_is_cut_while_it_is_read(tmp_path, on_error):
    from tests.soak.traces import write_long

    path = tmp_path / "cut.trace"
    with path.open("wb") as file:
        size = write_long(file, 3, rounds=400)
    trace = gotrace.open(path, on_error=on_error)
    whole = trace.table("events", ["seq"]).num_rows
    reader = trace.reader("events", ["seq"], batch_rows=1000)
    rows = reader.read_next_batch().num_rows
    cut(path, size // 2 + 7)
    if on_error == "fail":
        with pytest.raises(gotrace.TruncatedError, match=r"cut\.trace: at byte"):
            for batch in reader:
                rows += batch.num_rows
        assert isinstance(trace.fault, gotrace.TruncatedError)
    else:
        rows += sum(batch.num_rows for batch in reader)
        assert [note["severity"] for note in trace.notes] == ["error"]
    assert 0.4 * whole < rows < 0.6 * whole


def test_a_file_that_is_cut_between_the_index_and_the_window(tmp_path, trace_bytes, monkeypatch):
    from gotrace.tables import windows

    path = tmp_path / "cut.trace"
    path.write_bytes(trace_bytes)
    trace = gotrace.open(path)
    second = trace.generations()[1]

    def found_then_cut(*arguments, inner=windows.WindowFinder.__call__):
        window = inner(*arguments)
        cut(path, second.offset + second.bytes // 2)
        return window

    monkeypatch.setattr(windows.WindowFinder, "__call__", found_then_cut)
    with pytest.raises(gotrace.FormatError):
        trace.table("events", generations=[second.number])


def test_an_error_of_the_disk_keeps_its_number(tmp_path, trace_bytes):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, limit[1]))
    try:
        for threads in (1, 2):
            with pytest.raises(OSError, match="writing Parquet") as caught:
                gotrace.open(trace_bytes).to_parquet(tmp_path / "out", "all", threads=threads)
            assert caught.value.errno == errno.EFBIG
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert not list(tmp_path.iterdir())
