"""`gotrace gc`: the page, and its tables for machines."""

from __future__ import annotations

import json

import pytest

import gotrace
from tests.core.decoding import real


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    path = tmp_path_factory.mktemp("gc") / "gc.trace"
    path.write_bytes(real("gc-go1.27"))
    return path


def test_the_page(run, collected):
    result = run("gc", collected)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    for part in (
        "18 cycles; the world stopped for",
        "stops of the world",
        "who had to help the collector when it allocated: 552 assists",
        "the heap of objects against its goal",
        "it outran its goal in 13 of 18 cycles",
        "minimum mutator utilization",
        "the longest cycles",
    ):
        assert any(part in line for line in lines), part
    page = lines[: next(at for at, line in enumerate(lines) if line.startswith("next:"))]
    assert max(map(len, page)) <= 100
    assert "\x1b" not in result.stdout
    assert "next: gotrace events" in result.stdout


def test_what_it_says_next_can_be_run(run, collected):
    lines = run("gc", collected).stdout.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("next:"))
    commands = [line.removeprefix("next:").split() for line in lines[first:]]
    for command in commands:
        if command[1] != "goroutines":
            assert run(*command[1:]).exit_code == 0, command


@pytest.mark.parametrize("what", ["cycles", "pauses", "assists", "heap", "utilization", "mmu"])
def test_for_machines(run, collected, what, tmp_path):
    table = gotrace.gc(gotrace.open(collected), what)
    result = run("gc", collected, "--what", what, "--format", "json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == table.num_rows
    assert list(rows[0]) == table.schema.names
    out = tmp_path / "out.csv"
    assert run("gc", collected, "--what", what, "-o", out).exit_code == 0
    assert len(out.read_text().splitlines()) == table.num_rows + 1


def test_a_stretch(run, collected):
    result = run("gc", collected, "--from", "+10ms", "--to", "+20ms")
    assert "+0.010000000 to +0.020000000 of a trace" in result.stdout
    assert result.exit_code == 0


def test_gos_numbers(run, collected):
    assert "as go tool trace has it" in run("gc", collected, "--compat", "go").stdout


def test_no_cycle(run, tmp_path):
    path = tmp_path / "coro.trace"
    path.write_bytes(real("coro-go1.23"))
    result = run("gc", path)
    assert result.exit_code == 0
    assert "no cycle of the garbage collector" in result.stderr
    assert "GOGC is off" in result.stderr


def test_damage(run, cut, hopeless):
    assert run("gc", cut).exit_code == 3
    assert run("gc", hopeless).exit_code == 2


def test_a_pipe(run, collected):
    given = run("gc", "-", stdin=collected.read_bytes()).stdout.splitlines()
    assert given[1:5] == run("gc", collected).stdout.splitlines()[1:5]
