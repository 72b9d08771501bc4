"""What the README shows is what happens. UPDATE=1 rewrites the outputs."""

import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
CONSOLE = re.compile(r"```console\n\$ gotrace ((?:.*\\\n)*.+)\n((?:.*\n)*?)```")
PYTHON = re.compile(r"```python\n((?:.*\n)*?)```")


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("shown", list(CONSOLE.finditer(TEXT)), ids=lambda shown: shown[1][:12])
def test_command(shown):
    from gotrace.cli.app import cli

    result = CliRunner().invoke(cli, shlex.split(shown[1].replace("\\\n", " ")))
    assert result.exit_code == 0, result.output
    if os.environ.get("UPDATE") == "1":
        text = README.read_text(encoding="utf-8")
        block = f"```console\n$ gotrace {shown[1]}\n"
        README.write_text(text.replace(f"{block}{shown[2]}", f"{block}{result.stdout}"))
        return
    assert result.stdout == shown[2]


def test_python(capsys):
    (program,) = PYTHON.findall(TEXT)
    names = {}
    exec(compile(program, str(README), "exec"), names)
    assert "goroutine_transitions" in capsys.readouterr().out
    assert names["blocked"].fetchall()


def test_the_trace_that_make_try_converts_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (trace,) = re.findall(r"^TRACE \?= (.+)$", makefile, re.M)
    assert (ROOT / trace).stat().st_size < 200_000
    assert trace in TEXT


def test_every_verb_is_named():
    from gotrace.cli.app import VERBS

    for verb in VERBS:
        assert f"`gotrace {verb} " in TEXT
