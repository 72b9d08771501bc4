"""`gotrace convert` and `gotrace sql` over profiles: their tables as those of traces."""

from __future__ import annotations

import gzip
import json

import pyarrow.parquet as pq
import pytest

import gotrace
from gotrace.tables.schema import PROFILE_TABLES, resolve
from tests.analyses import proto
from tests.cli.conftest import REAL

PROFILES = REAL.parent / "profiles"
HEAP = PROFILES / "heap-go1.27.pb.gz"


def test_a_folder_of_tables(run, tmp_path):
    out = tmp_path / "out"
    result = run("convert", HEAP, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    names = resolve("default", PROFILE_TABLES)
    source = gotrace.open(HEAP)
    for name in names:
        assert pq.read_table(out / f"{name}.parquet").equals(source.table(name)), name
    manifest = json.loads((out / "_gotrace.json").read_text())
    assert set(manifest["tables"]) == set(names)
    assert run("convert", HEAP, "-o", tmp_path / "csv", "--format", "csv").exit_code == 0


def test_one_table(run, tmp_path):
    out = tmp_path / "values.csv"
    assert run("convert", HEAP, "-o", out, "--tables", "sample_values").exit_code == 0
    rows = gotrace.open(HEAP).table("sample_values").num_rows
    assert len(out.read_text().splitlines()) == rows + 1


def test_packed_otherwise(run, tmp_path):
    out = tmp_path / "heap.pb"
    result = run("convert", HEAP, "-o", out)
    assert result.exit_code == 0
    again, source = gotrace.open(out), gotrace.open(HEAP)
    assert again.table("samples").equals(source.table("samples"))
    assert run("convert", HEAP, "-o", out, "--overwrite", "--tables", "samples").exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "+1s"], "a profile has no --from"),
        (["--generation", "1"], "a profile has no --from"),
        (["--tables", "events"], "no table or set of tables 'events'"),
    ],
)
def test_what_only_traces_have(run, tmp_path, words, said):
    result = run("convert", HEAP, "-o", tmp_path / "out", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_trace_is_no_profile(run, tmp_path, trace):
    result = run("convert", trace, "-o", tmp_path / "x.pb.gz")
    assert result.exit_code == 2
    assert "gotrace flame -o" in result.stderr


def test_damage(run, tmp_path):
    whole = gzip.decompress(HEAP.read_bytes())
    path = tmp_path / "two.pb"
    path.write_bytes(whole + whole[: len(whole) // 2])
    result = run("convert", path, "-o", tmp_path / "out")
    assert result.exit_code == 3
    assert "the rest was read" in result.stderr
    assert pq.read_table(tmp_path / "out" / "profiles.parquet").num_rows == 1
    path.write_bytes(whole[: len(whole) // 2])
    result = run("convert", path, "-o", tmp_path / "none")
    assert result.exit_code == 2
    assert "nothing can be read of it" in result.stderr
    assert not (tmp_path / "none").exists()


def test_sql(run):
    query = """SELECT type, sum(value) AS total FROM sample_values GROUP BY type ORDER BY type"""
    result = run("sql", HEAP, query, "--format", "json")
    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    values = gotrace.open(HEAP).table("sample_values").to_pandas()
    assert {row["type"]: int(row["total"]) for row in rows} == values.groupby("type")[
        "value"
    ].sum().to_dict()


def test_sql_over_profiles_and_a_trace(run, trace):
    """A table has the rows of every source that has it."""
    files = sorted(PROFILES.glob("cpu*.gz"))
    query = "SELECT source, count(*) AS rows FROM {} GROUP BY source"
    of_profiles = run("sql", *files, trace, query.format("samples"), "--format", "csv")
    assert len(of_profiles.stdout.splitlines()) == len(files) + 1
    of_both = run("sql", *files, trace, query.format("stacks"), "--format", "csv")
    assert len(of_both.stdout.splitlines()) == len(files) + 2
    joined = "SELECT count(*) FROM cpu_samples JOIN samples USING (stack_id)"
    assert run("sql", files[0], trace, joined).exit_code == 0
    assert run("sql", files[0], "SELECT * FROM events").exit_code == 2


def test_sql_to_a_database(run, tmp_path):
    import duckdb

    out = tmp_path / "x.duckdb"
    assert run("sql", HEAP, "-o", out).exit_code == 0
    with duckdb.connect(str(out)) as database:
        tables = {name for (name,) in database.execute("SHOW TABLES").fetchall()}
    assert tables == set(PROFILE_TABLES)


def test_sql_of_a_damaged_profile(run, tmp_path):
    path = tmp_path / "cut.pb"
    path.write_bytes(proto.build([("a", [1, 7], {})])[:-9])
    result = run("sql", path, "SELECT count(*) FROM samples")
    assert result.exit_code == 2
    assert "nothing can be read of it" in result.stderr


def test_schema_lists_them(run):
    lines = run("schema").stdout.splitlines()
    for name in PROFILE_TABLES:
        assert any(line.startswith(f"{name} ") for line in lines)
