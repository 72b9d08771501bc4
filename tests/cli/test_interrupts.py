"""Ctrl-C while something is at work: at once, code 130, nothing left."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gotrace.cli.interrupts import forget, interruptible
from tests.timing import within

ROOT = Path(__file__).parents[2]
SOON_S = 0.1  #: of a few tries the best counts: others want the machine too
PILED_UP_S = 0.2  #: where row groups pile up: the system takes back hundreds of megabytes
ENDLESS = (sys.executable, "-m", "tests.soak.traces", "long", "1000000", "400")


def after_ctrl_c(command, folder: Path, *, source) -> float:
    """Run a command at an input without end, interrupt it; seconds until it is gone."""
    folder.mkdir()
    words = [str(word).replace("OUT", str(folder / "out")) for word in command]
    with subprocess.Popen(source, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as w:
        process = subprocess.Popen(
            words, stdin=w.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        w.stdout.close()
        try:
            time.sleep(1.5)
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            code = process.wait(60)
            took = time.monotonic() - sent
            told = process.stderr.read()
        finally:
            process.kill()
            process.communicate()
            w.kill()
    assert (code, told) == (130, b"gotrace: interrupted\n")
    assert not list(folder.iterdir())
    return took


def assert_soon(command, folder: Path, soon: float) -> None:
    best = 60.0
    for n in range(8):
        best = min(best, after_ctrl_c(command, folder / str(n), source=ENDLESS))
        if best < within(soon):
            return
    pytest.fail(f"{best:.3f} s after Ctrl-C, not {within(soon):.3f}")


@pytest.mark.parametrize(
    "words",
    [
        ["info", "-"],
        ["events", "-"],
        ["events", "-", "--format", "json"],
        ["events", "-", "-o", "OUT.parquet"],
        ["convert", "-", "-o", "OUT", "--tables", "all"],
        ["convert", "-", "-o", "OUT", "--tables", "all", "--format", "csv"],
        ["convert", "-", "-o", "OUT", "--tables", "all", "--format", "arrow"],
        ["convert", "-", "-o", "OUT.parquet", "--tables", "events"],
    ],
    ids=" ".join,
)
def test_verbs(tmp_path, words):
    soon = PILED_UP_S if "convert" in words else SOON_S
    assert_soon([sys.executable, "-m", "gotrace", *words], tmp_path, soon)


def test_sql(tmp_path, trace):
    """While DuckDB is at work, not we."""
    query = "SELECT count(*) FROM events a, events b, events c WHERE a.seq + b.seq < c.seq"
    command = [sys.executable, "-m", "gotrace", "sql", trace, query, "-o", "OUT.csv"]
    idle = (sys.executable, "-c", "import time; time.sleep(60)")
    assert min(after_ctrl_c(command, tmp_path / str(n), source=idle) for n in range(2)) < within(
        4 * SOON_S
    )


PYTHON = """
import sys, gotrace
try:
    trace = gotrace.open("-")
    {work}
except KeyboardInterrupt:
    sys.stderr.write("gotrace: interrupted\\n")
    sys.stderr.flush()
    import os
    os._exit(130)
"""


@pytest.mark.parametrize(
    "work",
    [
        "for batch in trace.reader('events'): pass",
        "for batch in trace.reader('ranges'): pass",
        "trace.table('notes')",
        "trace.reader('logs', ['message'], kinds=None, goroutines=[999]).read_all()",
        "trace.info()",
        "trace.to_parquet(sys.argv[1], 'all')",
    ],
)
def test_python(tmp_path, work):
    soon = PILED_UP_S if "to_parquet" in work else SOON_S
    assert_soon([sys.executable, "-c", PYTHON.format(work=work), "OUT"], tmp_path, soon)


def test_an_interrupt_in_a_callback_of_the_import_system_comes_again():
    callback = compile(
        "signal.raise_signal(signal.SIGINT)", "<frozen importlib._bootstrap>", "exec"
    )
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            exec(callback, {"signal": signal})
        except KeyboardInterrupt:
            pytest.fail("that would have been swallowed")
        while time.monotonic() - began < 5:
            pass
    assert time.monotonic() - began < 1


def test_an_interrupt_that_a_library_swallows_or_turns_into_an_error_is_one_all_the_same():
    stopped = []
    with (
        pytest.raises(KeyboardInterrupt),
        interruptible(lambda: stopped.append(1)),
        contextlib.suppress(KeyboardInterrupt),
    ):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            raise RuntimeError("the query failed") from error
    assert stopped == [1]


def test_what_a_block_stops_is_stopped_from_outside_of_it_too():
    callback = compile(
        "signal.raise_signal(signal.SIGINT)", "<frozen importlib._bootstrap>", "exec"
    )
    stopped = []
    with (
        pytest.raises(KeyboardInterrupt),
        interruptible(lambda: stopped.append(1)),
        interruptible(lambda: stopped.append(2)),
    ):
        exec(callback, {"signal": signal})
        time.sleep(5)
    assert stopped == [2, 1]
    with pytest.raises(KeyboardInterrupt), interruptible():
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with interruptible():
            pytest.fail("it was interrupted before")


def test_a_shell_goes_on_after_an_interrupt():
    with interruptible():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt), interruptible():
                signal.raise_signal(signal.SIGINT)
            forget()


def test_a_second_ctrl_c_does_not_disturb_the_tidying_up():
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
