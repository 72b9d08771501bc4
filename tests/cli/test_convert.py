"""`gotrace convert`: folders and single files, whole or not there."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import gotrace
from gotrace.tables.schema import TABLES, resolve
from tests.golab.record import REAL


def rows_in(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).num_rows
    if path.suffix == ".arrow":
        return pa.ipc.open_file(path).read_all().num_rows
    return pa.csv.read_csv(
        path, parse_options=pa.csv.ParseOptions(newlines_in_values=True)
    ).num_rows


@pytest.mark.parametrize("form", ["parquet", "arrow", "csv"])
def test_a_folder_has_every_table(run, packed, tmp_path, form):
    out = tmp_path / "out"
    result = run("convert", packed, "-o", out, "--tables", "all", "--format", form)
    assert (result.exit_code, result.stderr) == (0, "")
    manifest = json.loads((out / "_gotrace.json").read_text())
    assert list(manifest["tables"]) == list(TABLES)
    source = gotrace.open(packed)
    expected = dict.fromkeys(TABLES, 0)
    for name, batch in source.scan("all"):
        expected[name] += batch.num_rows
    for name, rows in expected.items():
        assert manifest["tables"][name]["rows"] == rows
        assert rows_in(out / f"{name}.{form}") == rows
    lines = result.stdout.splitlines()
    assert lines[0].split()[:3] == ["events", "41,975", "rows"]
    assert lines[-1].startswith(f"{len(TABLES)} tables, {sum(expected.values()):,} rows, ")


def test_arrow_folder_holds_the_same_rows(run, packed, tmp_path):
    run("convert", packed, "-o", tmp_path / "o", "--tables", "regions,stacks", "--format", "arrow")
    source = gotrace.open(packed)
    for name in ("regions", "stacks"):
        got = pa.ipc.open_file(tmp_path / "o" / f"{name}.arrow").read_all()
        assert got.to_pylist() == source.table(name).to_pylist()


def test_default_set(run, packed, tmp_path):
    run("convert", packed, "-o", tmp_path / "o")
    names = {path.stem for path in (tmp_path / "o").glob("*.parquet")}
    assert names == set(resolve("default"))


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv"])
def test_a_file_holds_one_table(run, packed, tmp_path, ending):
    out = tmp_path / f"e.{ending}"
    result = run("convert", packed, "-o", out, "--tables", "logs")
    assert result.exit_code == 0, result.stderr
    assert rows_in(out) == 101
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert result.stdout.splitlines()[-1].startswith("1 table, 101 rows, ")


def test_usage_errors(run, packed, tmp_path):
    for words in (
        ["-o", tmp_path / "e.csv"],
        ["-o", tmp_path / "e.csv", "--tables", "logs", "--format", "arrow"],
        ["-o", tmp_path / "e.duckdb"],
        ["-o", tmp_path / "o", "--tables", "evnts"],
        ["-o", tmp_path / "o", "--tables", ","],
        [],
    ):
        result = run("convert", packed, *words)
        assert result.exit_code == 2, words
        assert not list(tmp_path.iterdir())
    assert "did you mean 'events'?" in run("convert", packed, "-o", "x", "--tables", "evnts").stderr


def test_nothing_is_mixed_with_what_is_there(run, packed, tmp_path):
    out = tmp_path / "o"
    assert run("convert", packed, "-o", out, "--tables", "logs").exit_code == 0
    before = (out / "logs.parquet").read_bytes()
    result = run("convert", packed, "-o", out, "--tables", "tasks")
    assert result.exit_code == 2
    assert (out / "logs.parquet").read_bytes() == before
    assert run("convert", packed, "-o", out, "--tables", "tasks", "--overwrite").exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["_gotrace.json", "tasks.parquet"]
    (out / "mine.txt").write_text("mine")
    assert run("convert", packed, "-o", out, "--overwrite").exit_code == 2
    assert (out / "mine.txt").read_text() == "mine"


def test_damage_is_in_the_manifest(run, cut, tmp_path):
    result = run("convert", cut, "-o", tmp_path / "o", "--format", "csv")
    assert result.exit_code == 3
    manifest = json.loads((tmp_path / "o" / "_gotrace.json").read_text())
    assert [note["offset"] for note in manifest["notes"] if note["severity"] == "error"] == [
        8716,
        8999,
    ]
    assert manifest["tables"]["generations"]["rows"] == 3


@pytest.mark.parametrize("form", ["parquet", "arrow", "csv"])
def test_nothing_readable_leaves_nothing(run, hopeless, cut, page, tmp_path, form):
    out = tmp_path / "o"
    result = run("convert", hopeless, "-o", out, "--format", form)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nothing can be read of it" in result.stderr
    assert run("convert", cut, "-o", out, "--format", form, "--on-error", "fail").exit_code == 2
    assert run("convert", cut, "-o", out, "--format", form, "--on-error", "skip").exit_code == 2
    assert run("convert", page, "-o", out, "--format", form).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_standard_input(run, packed, tmp_path):
    result = run("convert", "-", "-o", tmp_path / "o", stdin=packed.read_bytes())
    assert result.exit_code == 0
    assert rows_in(tmp_path / "o" / "logs.parquet") == 101
    assert run("convert", "-", "-o", tmp_path / "p", stdin=b"").exit_code == 2
    result = run("convert", "-", "-o", "q", "--on-error", "skip", stdin=packed.read_bytes())
    assert result.exit_code == 2


def test_a_window_of_the_trace(run, trace, tmp_path):
    source = gotrace.open(trace)
    middle = source.generations()[200]
    run("convert", trace, "-o", tmp_path / "o", "--tables", "all", "--generation", middle.number)
    manifest = json.loads((tmp_path / "o" / "_gotrace.json").read_text())
    assert manifest["tables"]["generations"]["rows"] == 1
    row = source.table("generations").to_pylist()[200]
    assert manifest["tables"]["events"]["rows"] == row["events"]
    assert [note["code"] for note in manifest["notes"]] == ["window"]
    begin = source.generations()[0].start_ns
    start, end = (f"+{row[key] - begin}ns" for key in ("start_ns", "end_ns"))
    run("convert", trace, "-o", tmp_path / "e.parquet", "--tables", "events", "--from", start,
        "--to", end)  # fmt: skip
    times = pq.read_table(tmp_path / "e.parquet")["time_ns"].to_pylist()
    assert times
    assert row["start_ns"] <= times[0] <= times[-1] < row["end_ns"]


def test_threads_do_not_change_the_files(run, trace, tmp_path):
    for threads in (1, 3):
        run("convert", trace, "-o", tmp_path / str(threads), "--threads", threads)
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "3" / path.name).read_bytes()


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_numbers_of_go(run, tmp_path, form):
    packed, out = REAL / "blocking-go1.27.trace.zst", tmp_path / "out"
    result = run("convert", packed, "-o", out, "--compat", "go", "--format", form)
    assert (result.exit_code, result.stderr) == (0, "")
    path = out / f"goroutines.{form}"
    found = pq.read_table(path) if form == "parquet" else pa.ipc.open_file(path).read_all()
    expected = gotrace.open(packed).table("goroutines", compat="go")
    assert found.to_pylist() == expected.to_pylist()
    assert found.to_pylist() != gotrace.open(packed).table("goroutines").to_pylist()
