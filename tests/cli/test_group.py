"""What all verbs share: help, version, schema, usage errors."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

import gotrace
from gotrace.cli.app import VERBS
from gotrace.cli.moments import duration, seconds, wall
from gotrace.cli.terminal import clean, count, fit, size
from gotrace.tables.schema import ALL_TABLES, TABLES


def test_help_lists_the_verbs(run):
    result = run("--help")
    assert result.exit_code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in result.stdout
    assert "130 interrupted" in result.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(run, verb):
    result = run(verb, "-h")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert "\\b" not in result.stdout


def test_version(run):
    result = run("--version")
    assert result.stdout.splitlines() == [
        f"gotrace {gotrace.__version__}",
        f"schema {gotrace.SCHEMA_VERSION}",
        f"pyarrow {pa.__version__}",
        "reads execution traces of Go 1.22 to 1.27",
    ]


def test_a_file_in_place_of_a_verb(run, trace):
    result = run(trace)
    assert result.exit_code == 2
    assert f"gotrace info {trace}" in result.stderr
    assert run("nope").exit_code == 2


def test_schema_lists_the_tables(run):
    lines = run("schema").stdout.splitlines()
    for name in TABLES:
        assert any(line.startswith(f"{name} ") for line in lines)
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", TABLES)
def test_schema_of_a_table(run, name):
    result = run("schema", name)
    assert result.exit_code == 0
    for column in TABLES[name].columns:
        assert f"\n  {column.name} " in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_schema_as_json(run):
    document = json.loads(run("schema", "--format", "json").stdout)
    assert document["schema_version"] == gotrace.SCHEMA_VERSION
    assert [table["name"] for table in document["tables"]] == list(ALL_TABLES)
    for table in document["tables"]:
        schema = gotrace.schema(table["name"])
        assert [column["name"] for column in table["columns"]] == schema.names
    only = json.loads(run("schema", "syncs", "--format", "json").stdout)
    assert [column["unit"] for column in only["tables"][0]["columns"]][2] == "ns"


def test_unknown_table(run):
    result = run("schema", "evnts")
    assert result.exit_code == 2
    assert "did you mean 'events'?" in result.stderr


def test_a_bug_is_told_as_one(run, trace, monkeypatch):
    monkeypatch.setattr("gotrace.cli.info._text", lambda told: 1 / 0)
    result = run("info", trace)
    assert result.exit_code == 2
    assert "ZeroDivisionError" in result.stderr
    assert "this is a bug of gotrace" in result.stderr


def test_clean_and_fit():
    assert clean("a\x1b[0m\u202e\n\u2028é") == "a\\x1b[0m\\u202e\\n\\u2028é"
    assert fit("x" * 101) == "x" * 99 + "…"
    assert fit("x" * 100) == "x" * 100
    assert fit("日本語", 5) == "日本…"
    assert fit("é" * 5, 5) == "é" * 5


def test_numbers_for_people():
    assert [size(n) for n in (0, 999, 1000, 999_949, 999_950, 5_000_000_000)] == [
        *("0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "5.0 GB"),
    ]
    assert [count(1, "row"), count(1234, "row")] == ["1 row", "1,234 rows"]
    assert [duration(n) for n in (0, 999, 1_500, 999_600, 1_234_567_890, 61_000_000_000)] == [
        *("0 ns", "999 ns", "1.5 µs", "1 ms", "1.235 s", "1 min 1 s"),
    ]
    assert duration(7_260_000_000_000) == "2 h 1 min"
    assert [seconds(1), seconds(-1_500_000_000)] == ["0.000000001", "-1.500000000"]
    assert wall(1_795_427_291_811_942_070) == "2026-11-23T09:48:11.811942070Z"
