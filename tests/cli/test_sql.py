"""`gotrace sql`: queries over one trace or many, to the screen and to files."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gotrace.tables.schema import TABLES
from tests.golab.record import REAL

COUNT = "SELECT kind, count(*) AS n FROM events GROUP BY ALL ORDER BY n DESC, kind"


def test_text(run, packed):
    result = run("sql", packed, COUNT)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[:3] == [["kind", "n"], ["state_transition", "40319"], ["metric", "723"]]


def test_a_join_is_one_answer(run, packed):
    query = "SELECT site, count(*) n FROM logs JOIN stacks USING (stack_id) GROUP BY ALL ORDER BY 2"
    result = run("sql", packed, query, "--format", "json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert sum(row["n"] for row in rows) == 101
    assert rows[-1]["site"].startswith("main.")


def test_several_files_have_a_source(run, packed, trace):
    result = run("sql", packed, trace, "SELECT source, count(*) FROM logs GROUP BY 1 ORDER BY 1")
    assert result.exit_code == 0, result.stderr
    assert str(trace) in result.stdout
    assert result.stdout.count(" 101") == 2


def test_some_files_fail(run, packed, page, cut):
    result = run("sql", packed, page, "SELECT count(*) FROM logs")
    assert result.exit_code == 3
    assert "a web page" in result.stderr
    assert run("sql", page, "SELECT 1").exit_code == 2
    assert run("sql", page, page, "SELECT 1").exit_code == 2
    assert run("sql", packed, cut, "SELECT count(*) FROM logs").exit_code == 3


def test_damage(run, cut, hopeless):
    result = run("sql", cut, "SELECT count(*) AS n FROM events")
    assert result.exit_code == 3
    assert "133" in result.stdout
    assert "damaged: at byte 8716" in result.stderr
    result = run("sql", cut, "--on-error", "fail", "SELECT count(*) FROM events")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "at byte 8716" in result.stderr
    assert "--on-error salvage" in result.stderr
    assert run("sql", hopeless, "SELECT count(*) FROM events").exit_code == 2


def test_a_wrong_query_says_what_is_wrong(run, packed):
    result = run("sql", packed, "SELECT * FROM evnts")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "evnts" in result.stderr
    assert "Traceback" not in result.stderr
    assert run("sql", packed, " ; ").exit_code == 2
    assert run("sql", "SELECT 1").exit_code == 2


def test_an_empty_answer_says_why(run, packed):
    result = run("sql", packed, "SELECT seq FROM allocations")
    assert result.exit_code == 0
    assert result.stderr == "gotrace: no rows: the table allocations of this input is empty\n"
    result = run("sql", packed, "SELECT seq FROM logs WHERE task = 12345")
    assert "match none" in result.stderr


def test_query_from_a_file_or_from_standard_input(run, packed, tmp_path):
    script = tmp_path / "query.sql"
    script.write_text(f"-- every kind\n{COUNT};\n", encoding="utf-8")
    expected = run("sql", packed, COUNT).stdout
    assert run("sql", packed, "-f", script).stdout == expected
    assert run("sql", packed, stdin=script.read_bytes()).stdout == expected
    assert run("sql", "-", "-f", script, stdin=packed.read_bytes()).stdout == expected
    assert (
        "101"
        in run(
            "sql",
            "-",
            "FROM logs JOIN stacks USING (stack_id) SELECT count(*)",
            stdin=packed.read_bytes(),
        ).stdout
    )
    assert run("sql", "-", stdin=packed.read_bytes()).exit_code == 2
    assert run("sql", packed, "-f", tmp_path / "no.sql").exit_code == 2


def test_formats(run, packed):
    query = "SELECT stack_id, message FROM logs ORDER BY seq LIMIT 3"
    row = json.loads(run("sql", packed, query, "--format", "json").stdout.splitlines()[0])
    assert row["stack_id"] == "826495302673494025"
    table = pa.ipc.open_stream(run("sql", packed, query, "--format", "arrow").stdout_bytes)
    assert table.read_all().num_rows == 3
    assert run("sql", packed, query, "--format", "csv").stdout.startswith('"stack_id","message"\n')


@pytest.mark.parametrize("ending", ["parquet", "csv", "json", "arrow", "txt"])
def test_o_decides_by_its_ending(run, packed, tmp_path, ending):
    out = tmp_path / f"kinds.{ending}"
    result = run("sql", packed, COUNT, "-o", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.stat().st_size > 100
    assert run("sql", packed, COUNT, "-o", out).exit_code == 2
    assert run("sql", packed, COUNT, "-o", out, "--overwrite").exit_code == 0
    if ending == "parquet":
        assert pq.read_table(out).num_rows == 11


def test_a_failed_query_leaves_no_file(run, packed, tmp_path):
    for ending in ("parquet", "csv", "duckdb"):
        result = run("sql", packed, "SELECT nope FROM logs", "-o", tmp_path / f"x.{ending}")
        assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_duckdb_file(run, packed, tmp_path):
    one, all_tables = tmp_path / "it's.duckdb", tmp_path / "all.duckdb"
    assert run("sql", packed, COUNT + ";", "-o", one).exit_code == 0
    with duckdb.connect(str(one), read_only=True) as database:
        assert database.sql("SELECT sum(n) FROM result").fetchall() == [(41_975,)]
    assert run("sql", packed, "-o", all_tables).exit_code == 0
    with duckdb.connect(str(all_tables), read_only=True) as database:
        names = {name for (name,) in database.sql("SHOW TABLES").fetchall()}
        assert names == set(TABLES)
        assert database.sql("SELECT count(*) FROM logs").fetchall() == [(101,)]
    assert {path.name for path in tmp_path.iterdir()} == {"it's.duckdb", "all.duckdb"}


def test_strangers_text_is_harmless(run, packed):
    result = run("sql", packed, "SELECT message FROM logs")
    assert "\\x1b[31mterminal colours" in result.stdout
    assert "\\u202eoverride" in result.stdout
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_every_type_of_duckdb_is_json(run, trace):
    """A sum of whole numbers is a decimal; dates, intervals and ids have no JSON of their own."""
    query = """SELECT sum(seq) AS s, [1.5::DECIMAL(9, 2), 2] AS l, DATE '2026-11-26' AS d,
        TIME '01:02:03' AS t, {'u': '0bd0c2ba-0a0f-4e5f-8a5e-0a5d0a5d0a5d'::UUID} AS u, 1.25 AS f
        FROM events WHERE seq < 3"""
    result = run("sql", trace, query, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    row = json.loads(result.stdout)
    assert (row["s"], row["l"], row["d"], row["t"]) == (3, [1.5, 2], "2026-11-26", "01:02:03")
    assert row["u"] == {"u": "0bd0c2ba-0a0f-4e5f-8a5e-0a5d0a5d0a5d"}
    assert row["f"] == 1.25


def test_numbers_of_go(run):
    query = "SELECT count(ended_at_ns) n FROM goroutines"
    ended = [
        json.loads(
            run(
                "sql", REAL / "blocking-go1.27.trace.zst", query, "--format", "json", *compat
            ).stdout
        )
        for compat in ([], ["--compat", "go"])
    ]
    assert int(ended[0]["n"]) < int(ended[1]["n"])
