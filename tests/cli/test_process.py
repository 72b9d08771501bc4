"""The command line as a process: pipes, signals, terminals, locales, start-up."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

GOTRACE = (sys.executable, "-m", "gotrace")
SECONDS = 60
VERBS_TO_PIPES = (
    ("events",),
    ("events", "--format", "json"),
    ("events", "--format", "csv"),
    ("events", "--format", "arrow"),
    ("events", "--format", "parquet"),
    ("events", "--wire"),
    ("sql", "FROM events"),
    ("sql", "FROM events", "--format", "csv"),
    ("sql", "FROM events", "--format", "arrow"),
)


def start(*words, env=None, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    environment = {**os.environ, **(env or {})}
    return subprocess.Popen([*GOTRACE, *map(str, words)], env=environment, **options)


def finish(process):
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def with_file(verb, file):
    return (verb[0], file, *verb[1:])


@pytest.mark.parametrize("verb", VERBS_TO_PIPES, ids=" ".join)
def test_a_closed_pipe_ends_silently(trace, verb):
    process = start(*with_file(verb, trace))
    assert process.stdout.read(1)
    process.stdout.close()
    assert finish(process)[::2] == (0, b"")


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["schema"], ["info", "TRACE"]])
def test_a_pipe_that_was_never_open(trace, words):
    reader, writer = os.pipe()
    os.close(reader)
    words = [trace if word == "TRACE" else word for word in words]
    process = start(*words, stdout=writer)
    os.close(writer)
    assert finish(process)[::2] == (0, b"")


def feed_half(process, data):
    """Give a process the first half of a trace and keep the pipe open: it is at work."""
    process.stdin.write(data[: len(data) // 2])
    process.stdin.flush()
    time.sleep(1.5)
    assert process.poll() is None


@pytest.mark.parametrize(
    "words",
    [
        ["info", "-"],
        ["events", "-", "--format", "json"],
        ["events", "-", "--wire"],
        ["convert", "-", "-o", "OUT"],
        ["convert", "-", "-o", "OUT", "--format", "csv"],
        ["convert", "-", "-o", "OUT", "--format", "arrow"],
        ["convert", "-", "-o", "OUT.parquet", "--tables", "events"],
        ["sql", "-", "SELECT count(*) FROM events", "-o", "OUT.csv"],
    ],
    ids=" ".join,
)
def test_ctrl_c_is_code_130_and_leaves_nothing(tmp_path, trace_bytes, words):
    words = [word.replace("OUT", str(tmp_path / "out")) for word in words]
    process = start(*words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    feed_half(process, trace_bytes)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 130
    assert finish(process)[::2] == (130, b"gotrace: interrupted\n")
    assert not list(tmp_path.iterdir())


def test_a_kill_leaves_nothing_that_looks_whole(tmp_path, trace_bytes):
    process = start("convert", "-", "-o", tmp_path / "out", stdin=subprocess.PIPE)
    feed_half(process, trace_bytes)
    process.kill()
    process.communicate()
    assert not (tmp_path / "out").exists()
    for left in tmp_path.iterdir():
        assert left.name.startswith(".out.")
        assert not (left / "_gotrace.json").exists()


def test_standard_input_of_a_pipe(packed):
    with packed.open("rb") as file:
        code, out, err = finish(start("info", "-", stdin=file))
    assert (code, err) == (0, b"")
    assert b"41,975" in out
    process = start("events", "-", "--limit", "2", stdin=subprocess.PIPE)
    out, err = process.communicate(packed.read_bytes(), timeout=SECONDS)
    assert (process.returncode, err) == (0, b"")
    assert len(out.splitlines()) == 5


def test_a_cut_file_is_code_3(cut):
    code, out, err = finish(start("events", cut))
    assert code == 3
    assert len(out.splitlines()) == 136
    assert err.count(b"\n") == 1


def test_a_wrong_file_is_code_2(page, tmp_path):
    for words in (["info", page], ["events", page], ["convert", page, "-o", tmp_path / "o"]):
        code, out, err = finish(start(*words))
        assert (code, out) == (2, b"")
        assert err.startswith(b"gotrace: ")
        assert err.count(b"\n") == 1


def on_terminal(*words, **options):
    """Run with standard output and error on a terminal; return the code and what it shows."""
    master, slave = pty.openpty()
    process = start(*words, stdout=slave, stderr=slave, **options)
    os.close(slave)
    shown = b""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 1)
        try:
            piece = os.read(master, 65536) if ready else b""
        except OSError:
            break
        shown += piece
        if ready and not piece:
            break
    os.close(master)
    return process.wait(SECONDS), shown


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_binary_refuses_a_terminal(trace, form):
    for words in (["events", trace], ["sql", trace, "FROM logs"]):
        code, shown = on_terminal(*words, "--format", form)
        assert code == 2
        assert b"is binary, and standard output is a terminal" in shown


@pytest.mark.parametrize(
    "words",
    [
        ["events", "TRACE", "--kind", "log"],
        ["events", "TRACE", "--kind", "log", "--format", "csv"],
        ["events", "TRACE", "--kind", "log", "--format", "json"],
        ["events", "TRACE", "--wire"],
        ["sql", "TRACE", "SELECT message FROM logs"],
        ["sql", "TRACE", "SELECT message FROM logs", "--format", "csv"],
    ],
    ids=" ".join,
)
def test_strangers_do_not_steer_the_terminal(trace, words):
    code, shown = on_terminal(*[trace if word == "TRACE" else word for word in words])
    assert code == 0
    text = shown.decode("utf-8").replace("\r\n", "\n")
    assert "terminal colours" in text
    assert not set(text) & {"\x1b", "\x00", "\r", "\u202e", "\u200b", "\x9b"}


def test_the_progress_bar_is_for_terminals(packed, tmp_path):
    code, shown = on_terminal("convert", packed, "-o", tmp_path / "a", env={"TERM": "xterm"})
    assert code == 0
    assert b"kB" in shown
    code, shown = on_terminal(
        "convert", packed, "-o", tmp_path / "b", env={"TERM": "xterm", "NO_COLOR": "1"}
    )
    assert b"\x1b[3" not in shown.replace(b"\x1b[?25", b"")
    code, out, err = finish(start("convert", packed, "-o", tmp_path / "c"))
    assert (code, err) == (0, b"")
    assert b"\x1b" not in out


def test_the_shell_of_sql(trace):
    master, slave = pty.openpty()
    process = start("sql", trace, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    os.write(master, b"SELECT count(*) AS n\nFROM logs;\nnonsense;\n.schema syncs\n.quit\n")
    shown = b""
    while process.poll() is None or select.select([master], [], [], 0.2)[0]:
        try:
            shown += os.read(master, 65536)
        except OSError:
            break
    os.close(master)
    assert process.wait(SECONDS) == 0
    assert b"101" in shown
    assert b"Parser Error" in shown
    assert b"snapshot_ns" in shown


@pytest.mark.parametrize("verb", [("events", "--kind", "log"), ("info",), ("sql", "FROM logs")])
def test_output_depends_on_no_locale_and_no_time_zone(trace, verb):
    words = with_file(verb, trace)
    plain = finish(start(*words, env={"LC_ALL": "C", "TZ": "UTC", "PYTHONUTF8": "0"}))
    other = {"LC_ALL": "de_DE.ISO-8859-1", "TZ": "Asia/Kathmandu", "PYTHONIOENCODING": "latin-1"}
    assert finish(start(*words, env=other)) == plain
    assert plain[0] == 0
    plain[1].decode("utf-8")


def test_start_up_imports_little():
    """What takes long to import is not there before it is needed."""
    code = (
        "import sys; from gotrace.cli.app import run; run(['--help']);"
        "print(sorted({'pyarrow', 'numpy', 'duckdb', 'rich', 'gotrace._core'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert out.splitlines()[-1] == b"[]"
    code = code.replace("'--help'", "'info', sys.argv[1]")
    path = str(Path(__file__).parents[1] / "data" / "real" / "misnested-go1.22.trace.zst")
    out = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True).stdout
    assert out.splitlines()[-1] == b"['gotrace._core', 'numpy', 'pyarrow']"
