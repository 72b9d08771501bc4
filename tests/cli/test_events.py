"""`gotrace events`: lines, filters, formats, the wire form."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gotrace
from gotrace.spec.words import KINDS
from gotrace.wire import text_to_bytes
from tests.cli.conftest import REAL


def lines_of(result):
    assert result.exit_code == 0, result.stderr
    return [line for line in result.stdout.splitlines() if not line.startswith("#")]


def test_one_line_an_event(run, trace):
    result = run("events", trace)
    assert len(lines_of(result)) == 41_975
    assert result.stdout.splitlines()[:2] == [
        f"# {trace}",
        "# seconds from the start of the trace, which was at 2026-11-23T09:48:11.811921590Z",
    ]


def test_a_line_says_when_who_what_where(run, trace):
    line = lines_of(run("events", trace, "--kind", "task_begin", "--limit", "1"))[0]
    assert " ".join(line.split()) == (
        "0.000061824 G1 P1 M11977 task_begin 2 texts main.texts main.go:57"
    )
    line = lines_of(run("events", trace, "--kind", "state_transition", "--limit", "1"))[0]
    assert " ".join(line.split()) == "0.000026816 M11977 P1 undetermined -> running"


@pytest.mark.parametrize("path", sorted(REAL.glob("*-go1.2[267].trace.zst")), ids=lambda p: p.stem)
def test_lines_are_harmless_and_fit(run, path):
    from gotrace.sinks.text import cells

    result = run("events", path)
    assert result.exit_code in (0, 3), result.stderr
    for line in result.stdout.splitlines():
        assert cells(line) <= 100
        assert not {unicodedata.category(char) for char in line} & {"Cc", "Cf", "Zl", "Zp"}


def test_kinds_are_filtered(run, trace):
    lines = lines_of(run("events", trace, "--kind", "log", "--kind", "label"))
    assert len(lines) == 107
    assert all(line[39:].split()[0] in ("log", "label") for line in lines)


def test_goroutines_are_filtered(run, trace):
    lines = lines_of(run("events", trace, "--goroutine", "19"))
    assert lines
    assert all("G19" in line for line in lines)


def test_time_is_filtered_from_the_start_by_ns_and_by_wall(run, trace):
    relative = lines_of(run("events", trace, "--from", "+1ms", "--to", "+2ms"))
    assert relative
    assert all(0.001 <= float(line.split()[0]) < 0.002 for line in relative)
    start = gotrace.open(trace).info().start_ns
    absolute = run("events", trace, "--from", start + 1_000_000, "--to", start + 2_000_000)
    assert lines_of(absolute) == relative
    walls = run(
        *("events", trace, "--limit", 1),
        *("--from", "2026-11-23T10:48:11.813+01:00", "--to", "2026-11-23T09:48:11.9Z"),
    )
    assert 0.00107 < float(lines_of(walls)[0].split()[0]) < 0.0012


def test_wall_time_needs_a_wall_clock(run):
    old = REAL / "annotations-go1.22.trace.zst"
    result = run("events", old, "--from", "2026-11-23T10:48:11Z")
    assert result.exit_code == 2
    assert "no wall clock" in result.stderr


def test_bad_times_are_usage_errors(run, trace):
    result = run("events", trace, "--from", "yesterday")
    assert result.exit_code == 2
    assert "'yesterday' is no time" in result.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--kind", "stack_sample"], "no stack_sample (kinds seen: sync, metric,"),
        (["--goroutine", "999"], "no goroutine 999 (goroutines seen: 1, "),
        (["--from", "+9m"], "the trace lasts 0.03386"),
    ],
)
def test_an_empty_answer_says_why(run, trace, words, why):
    result = run("events", trace, *words)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("gotrace: no events: ")
    assert why in result.stderr


def test_limit_0_asks_for_nothing(run, trace):
    result = run("events", trace, "--limit", "0")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_json_is_an_object_a_line_with_ids_as_text(run, trace):
    result = run("events", trace, "--kind", "log", "--format", "json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == 101
    assert rows[0]["goroutine"] == "1"
    assert rows[0]["time_ns"] == 1286170710912
    assert set(rows[0]) == set(gotrace.schema("events").names)


def test_csv(run, trace):
    result = run("events", trace, "--kind", "log", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout, newline="")))
    assert len(rows) == 101
    assert rows[0]["message"].startswith("a message of a task")
    assert rows[2]["message"] == "'-"  # a spreadsheet would take it for a formula


def test_arrow_is_the_reader_s_table(run, trace):
    result = run("events", trace, "--kind", "log", "--format", "arrow")
    table = pa.ipc.open_stream(result.stdout_bytes).read_all()
    assert table.equals(gotrace.open(trace).table("events", kinds=["log"]))


def test_o_decides_by_its_ending(run, trace, tmp_path):
    out = tmp_path / "logs.parquet"
    assert run("events", trace, "--kind", "log", "-o", out).exit_code == 0
    assert pq.read_table(out).num_rows == 101
    again = run("events", trace, "--kind", "log", "-o", out)
    assert again.exit_code == 2
    assert "is there already" in again.stderr
    assert run("events", trace, "-o", out, "--overwrite").exit_code == 0
    assert pq.read_table(out).num_rows == 41_975
    text = tmp_path / "logs.txt"
    run("events", trace, "--kind", "log", "-o", text)
    assert len(text.read_text(encoding="utf-8").splitlines()) == 104
    assert run("events", trace, "-o", tmp_path / "logs.xyz").exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs.parquet", "logs.txt"]


def test_wire_form_is_the_whole_trace(run, packed, trace_bytes):
    result = run("events", packed, "--wire")
    assert result.exit_code == 0
    assert result.stdout.startswith("Trace Go1.25\nEventBatch gen=1 ")
    assert b"".join(text_to_bytes(result.stdout)) == trace_bytes


def test_wire_form_of_a_cut_trace(run, cut):
    result = run("events", cut, "--wire")
    assert result.exit_code == 3
    assert b"".join(text_to_bytes(result.stdout)) == cut.read_bytes()
    assert run("events", cut, "--wire", "--on-error", "fail").exit_code == 2
    assert run("events", cut, "--wire", "--limit", "3").exit_code == 2


def test_damage(run, cut, hopeless):
    result = run("events", cut)
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 136
    assert "damaged: at byte 8716" in result.stderr
    assert run("events", hopeless).exit_code == 2
    result = run("events", cut, "--on-error", "fail")
    assert result.exit_code == 2
    assert "at byte 8716" in result.stderr


def test_every_kind_has_words():
    """A line of each kind, all columns filled, says more than nothing."""
    from gotrace.cli.event_lines import COLUMNS, event_lines

    columns = {
        name: ["x"] * len(KINDS)
        if name in ("resource", "from_state", "to_state", "reason", "name", "message")
        else [7] * len(KINDS)
        for name in COLUMNS
    }
    columns["kind"] = list(KINDS)
    batch = pa.RecordBatch.from_pydict(columns)
    for kind, line in zip(KINDS, event_lines(batch, 0, {7: "main.f f.go:1"}), strict=True):
        assert line.endswith("main.f f.go:1")
        assert kind == "state_transition" or kind in line


def test_a_late_window_has_the_times_of_the_trace(run, trace, packed, monkeypatch):
    # The file is read from the generation that is needed, the packed one from its start.
    monkeypatch.setattr("gotrace.tables.windows.OVERLAP_NS", 2_000_000)
    wish = ("--from", "+30ms", "--to", "+31ms", "--kind", "metric")
    late = lines_of(run("events", trace, *wish))
    assert late
    assert all(line.split()[0].startswith("0.030") for line in late)
    assert late == lines_of(run("events", packed, *wish))
    result = run("events", trace, *wish, "--goroutine", 999_999)
    assert "no goroutine 999999 (goroutines seen: 1," in result.stderr
