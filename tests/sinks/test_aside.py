"""Half-written output never looks whole: failures, full disks, kills, targets that are taken."""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow as pa
import pytest

from gotrace.sinks.aside import MANIFEST, directory_aside, file_aside
from gotrace.sinks.csv import write_csv
from gotrace.sinks.ipc import write_ipc
from gotrace.sinks.json_lines import write_json_lines
from gotrace.sinks.parquet import write_parquet

SCHEMA = pa.schema([("seq", pa.int64())])
BATCH = pa.record_batch([pa.array(range(1000), pa.int64())], schema=SCHEMA)
TABLES = {"t": SCHEMA, "empty": SCHEMA}


def parquet(out, batches=(("t", BATCH),), **options):
    return write_parquet(batches, TABLES, out, row_group_rows=1000, **options)


def some_then(error):
    yield "t", BATCH
    yield "t", BATCH
    raise error


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt(), OSError(5, "x", "in")])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_failure_leaves_nothing(error, threads, tmp_path):
    with pytest.raises(type(error)) as caught:
        parquet(tmp_path / "out", some_then(error), threads=threads)
    assert caught.value is error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt()])
@pytest.mark.parametrize("write", [write_csv, write_ipc, write_json_lines])
def test_a_failure_leaves_no_file(write, error, tmp_path):
    batches = (batch for _, batch in some_then(error))
    with pytest.raises(type(error)):
        write(batches, SCHEMA, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def run(code, out):
    """Run a program that writes two row groups, then does `code`, then writes one more."""
    program = f"""
        import os, pathlib, resource, signal, sys
        import pyarrow as pa
        from gotrace.sinks.parquet import write_parquet
        schema = pa.schema([("seq", pa.int64())])
        noise = [None, pa.py_buffer(os.urandom(800_000))]
        noise = pa.Array.from_buffers(pa.int64(), 100_000, noise)
        batch = pa.record_batch([noise], schema=schema)
        out = pathlib.Path(sys.argv[1])
        def batches():
            yield "t", batch
            yield "t", batch
            {code}
            yield "t", batch
        options = {{"order": {{}}, "row_group_rows": 100_000, "overwrite": True}}
        write_parquet(batches(), {{"t": schema}}, out, **options)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_kill_in_the_middle_leaves_no_output(tmp_path):
    out = tmp_path / "out"
    assert run("os.kill(os.getpid(), signal.SIGKILL)", out).returncode == -signal.SIGKILL
    assert not out.exists()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".out.")
    assert left.name.endswith(".partial")
    assert not (left / MANIFEST).exists()
    assert run("pass", out).returncode == 0  # what a kill left is in nobody's way
    assert (out / MANIFEST).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_kill_keeps_the_old_output_whole(tmp_path):
    out = tmp_path / "out"
    parquet(out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    run("os.kill(os.getpid(), signal.SIGKILL)", out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_interrupt_cleans_up(tmp_path):
    ended = run("os.kill(os.getpid(), signal.SIGINT)", tmp_path / "out")
    assert "KeyboardInterrupt" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_write_that_fails_says_what_and_where(tmp_path):
    """A limit on the size of files makes write(2) fail as a full disk does."""
    code = (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    )
    ended = run(code, tmp_path / "out")
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("OSError: [Errno 27] File too large while writing Parquet")
    assert str(tmp_path / "out") in last
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux")
@pytest.mark.parametrize("write", [write_csv, write_ipc, write_json_lines])
def test_a_full_device(write):
    with pytest.raises(OSError, match="No space left on device") as caught:
        write([BATCH] * 400, SCHEMA, "/dev/full")
    assert caught.value.errno == 28
    assert caught.value.filename == "/dev/full"


def test_what_is_there_is_refused_before_anything_is_read(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").touch()
    for overwrite in (False, True):  # a folder that gotrace did not write is never replaced
        with pytest.raises(FileExistsError, match="choose another name"):
            parquet(out, some_then(AssertionError("read")), overwrite=overwrite)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    (out / "mine.txt").unlink()
    parquet(out)
    with pytest.raises(FileExistsError):
        parquet(out)
    (out / "mine.txt").touch()
    with pytest.raises(FileExistsError, match=r"'mine\.txt', which gotrace did not write"):
        parquet(out, overwrite=True)
    (out / "mine.txt").unlink()
    parquet(out, (), overwrite=True)
    assert json.loads((out / MANIFEST).read_bytes())["tables"]["t"]["rows"] == 0
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        parquet(tmp_path / "file", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out"]


def test_somebody_else_was_faster(tmp_path):
    out = tmp_path / "out"

    def batches():
        yield "t", BATCH
        out.mkdir()
        (out / "theirs").touch()

    with pytest.raises(FileExistsError):
        parquet(out, batches())
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "theirs"]


def test_folders_above_are_made_and_links_followed(tmp_path):
    parquet(tmp_path / "a" / "b" / "out")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    parquet(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / MANIFEST).exists()


def test_a_mount_point_is_filled_from_inside(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == out)
    inode = out.stat().st_ino

    def look():
        yield "t", BATCH
        (aside,) = out.iterdir()
        assert aside.name.endswith(".partial")

    parquet(out, look())
    names = ["_gotrace.json", "empty.parquet", "t.parquet"]
    assert sorted(path.name for path in out.iterdir()) == names
    with pytest.raises(RuntimeError):
        parquet(out, some_then(RuntimeError()), overwrite=True)
    assert sorted(path.name for path in out.iterdir()) == names
    parquet(out, overwrite=True)
    assert out.stat().st_ino == inode


def test_the_old_output_comes_back_when_the_last_step_fails(tmp_path, monkeypatch):
    out = tmp_path / "out"
    parquet(out)
    rename = os.rename

    def fail(old, new):
        if Path(new) == out and not str(old).endswith(".old.partial"):
            raise OSError(5, "Input/output error", str(new))
        rename(old, new)

    monkeypatch.setattr("gotrace.sinks.aside.os.rename", fail)
    with pytest.raises(OSError, match="Input/output"):
        parquet(out, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / MANIFEST).exists()


def test_files_refuse_and_replace(tmp_path):
    path = tmp_path / "new" / "out.csv"
    write_csv([BATCH], SCHEMA, path)
    with pytest.raises(FileExistsError):
        write_csv([], SCHEMA, path)
    assert write_csv([], SCHEMA, path, overwrite=True) == 0
    assert path.read_bytes() == b'"seq"\n'
    with pytest.raises(IsADirectoryError):
        write_csv([], SCHEMA, tmp_path, overwrite=True)
    with pytest.raises(FileExistsError), file_aside(tmp_path / "race", overwrite=False) as aside:
        aside.touch()
        (tmp_path / "race").write_text("theirs")
    assert (tmp_path / "race").read_text() == "theirs"


@pytest.mark.parametrize("write", [write_csv, write_ipc, write_json_lines])
def test_files_of_the_caller_stay_open(write):
    file = io.BytesIO(b"")
    assert write([BATCH], SCHEMA, file) == 1000
    assert not file.closed
    with pytest.raises(TypeError, match="binary"):
        write([BATCH], SCHEMA, io.StringIO())


def test_nothing_hidden_is_left_by_success(tmp_path):
    with directory_aside(tmp_path / "out", overwrite=False) as aside:
        assert aside.parent == tmp_path
        (aside / "x").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "x"]
