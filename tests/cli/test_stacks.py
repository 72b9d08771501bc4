"""flame, top, tree, peek, traces and tags over profiles, as people see them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import gotrace
from gotrace.analyses.profile_columns import from_tables
from tests.analyses import proto
from tests.analyses.conftest import made_profile

VERBS = ("flame", "top", "tree", "traces", "tags")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stacks") / "made.pb.gz"
    path.write_bytes(made_profile())
    return path


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few stacks of a web server, in nanoseconds."""
    path = tmp_path_factory.mktemp("stacks") / "cpu.pb.gz"
    samples = [
        ("encoding/json.Decode api.Read net/http.Serve", [3, 30_000_000], {"tenant": "acme"}),
        ("api.hash+api.Write net/http.Serve", [4, 40_000_000], {"tenant": "acme"}),
        ("api.Write net/http.Serve", [1, 10_000_000], {"tenant": "zeta"}),
        ("runtime.gc", [2, 20_000_000], {}),
    ]
    facts = {"time_nanos": 1_700_000_000_000_000_000, "duration_nanos": 200_000_000}
    path.write_bytes(proto.build(samples, **facts))
    return path


def body(text: str) -> list[str]:
    """The lines between the heading and what to do next."""
    lines = [line.rstrip() for line in text.splitlines()]
    return lines[lines.index("") + 1 : next(i for i, line in enumerate(lines) if "next:" in line)]


def test_top(run, simple):
    result = run("top", simple)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[:4] == [
        str(simple),
        "  cpu 100ms in 200 ms at 2023-11-14T22:13:20Z",
        "  other values (--by): samples",
        "  100ms of 100ms (100%) in 4 of 6 functions",
    ]
    assert body(result.stdout) == [
        "flat    flat%     sum%   cum     cum%  function",
        "40ms   40.00%   40.00%  40ms   40.00%  api.hash (inline)",
        "30ms   30.00%   70.00%  30ms   30.00%  encoding/json.Decode",
        "20ms   20.00%   90.00%  20ms   20.00%  runtime.gc",
        "10ms   10.00%     100%  50ms   50.00%  api.Write",
        "",
    ]
    assert lines[-3:] == [
        f"next: gotrace peek {simple} '^api\\.hash$'",
        f"      gotrace flame {simple}",
        f"      gotrace top {simple} --cum",
    ]


def test_top_by_cum(run, simple):
    names = [line.split()[-1] for line in body(run("top", simple, "--cum", "-n", 3).stdout)[1:-1]]
    assert names == ["net/http.Serve", "api.Write", "(inline)"]


def test_tree(run, simple):
    lines = body(run("tree", simple, "--cum", "-n", 2).stdout)
    assert lines == [
        "flat    flat%   cum     cum%  function",
        "   0       0%  80ms   80.00%  net/http.Serve",
        "               50ms   62.50%  └─ api.Write",
        "",
        "               50ms     100%  ┌─ net/http.Serve",
        "10ms   10.00%  50ms   50.00%  api.Write",
        "",
    ]


def test_peek(run, simple):
    lines = body(run("peek", simple, "Write").stdout)
    assert lines == [
        "flat    flat%   cum     cum%  function",
        "               50ms     100%  ┌─ net/http.Serve",
        "10ms   10.00%  50ms   50.00%  api.Write",
        "               40ms   80.00%  └─ api.hash (inline)",
        "",
    ]
    assert run("peek", "Write", simple).stdout == run("peek", simple, "Write").stdout
    assert run("peek", simple).exit_code == 2
    none = run("peek", simple, "nobody")
    assert none.exit_code == 0
    assert "'nobody' matches none of 6 names" in none.stderr


def test_flame(run, simple):
    assert body(run("flame", simple).stdout) == [
        "total   total%   self  stack",
        "100ms     100%         all",
        " 80ms   80.00%         ├ net/http.Serve",
        " 50ms   50.00%   10ms  │ ├ api.Write",
        " 40ms   40.00%   40ms  │ │ api.hash (inline)",
        " 30ms   30.00%         │ └ api.Read",
        " 30ms   30.00%   30ms  │   encoding/json.Decode",
        " 20ms   20.00%   20ms  └ runtime.gc",
        "",
    ]
    trimmed = body(run("flame", simple, "-n", 2).stdout)
    assert trimmed[3:-1] == [
        " 50ms   50.00%   10ms  │ ├ api.Write",
        " 40ms   40.00%         │ │ └ … 1 more",
        " 30ms   30.00%         │ └ … 1 more",
        " 20ms   20.00%         └ … 1 more",
    ]
    inverted = body(run("flame", simple, "--upside-down", "--depth", 1).stdout)
    assert [line.split()[-1] for line in inverted[2:-1]] == [
        *("(inline)", "encoding/json.Decode", "runtime.gc", "api.Write")
    ]


def test_traces(run, simple):
    lines = body(run("traces", simple, "--limit", 1).stdout)
    assert lines == [
        "40ms   40.00%  api.hash (inline)",
        "               api.Write",
        "               net/http.Serve",
        "               [tenant: acme]",
        "",
    ]


def test_tags(run, simple):
    lines = body(run("tags", simple).stdout)
    assert lines == [
        "tenant: 80ms (80.00%), 2 values",
        "  70ms   70.00%  ████████████████████  acme",
        "  10ms   10.00%  ███                   zeta",
        "",
    ]


def test_filters_and_value_types(run, simple):
    result = run("top", simple, "--tagfocus", "tenant=acme", "--by", "samples", "--hide", "api")
    assert "  samples 10 in 200 ms" in result.stdout
    assert "  filtered: --hide api --tagfocus tenant=acme" in result.stdout
    assert body(result.stdout)[1:-1] == [
        "   4   40.00%   40.00%     7   70.00%  net/http.Serve",
        "   3   30.00%   70.00%     3   30.00%  encoding/json.Decode",
    ]
    assert run("top", simple, "--show_from", "Serve").exit_code == 0
    assert run("top", simple, "--unit", "us").stdout.count("us") > 8


@pytest.mark.parametrize("verb", VERBS)
def test_formats_hold_the_same_table(run, made, tmp_path, verb):
    table = {"tree": "edges"}.get(verb, verb)
    rows = [json.loads(line) for line in run(verb, made, "--format", "json").stdout.splitlines()]
    assert list(rows[0]) == gotrace.schema(table).names
    path = tmp_path / "out.parquet"
    assert run(verb, made, "-o", path).exit_code == 0
    written = pq.read_table(path)
    assert written.schema.names == gotrace.schema(table).names
    assert written.num_rows == len(rows)
    assert run(verb, made, "-o", path).exit_code == 2
    assert run(verb, made, "-o", path, "--overwrite").exit_code == 0


def test_only_text_is_trimmed(run, tmp_path):
    path = tmp_path / "small.pb"
    path.write_bytes(proto.build([("large", [1, 1000], {}), ("small", [1, 1], {})]))
    assert '"small"' in run("top", path, "--format", "json").stdout
    assert "small\n" not in run("top", path).stdout
    assert "small\n" in run("top", path, "--nodefraction", 0).stdout


@pytest.mark.parametrize(
    ("ending", "holds"),
    [
        ("folded", "net/http.Serve;api.Write;api.hash 40000000"),
        ("speedscope.json", '"unit":"nanoseconds"'),
        ("html", "encoding/json.Decode"),
        ("json", '"name":"api.hash"'),
        ("txt", "└ runtime.gc"),
    ],
)
def test_flame_files(run, simple, tmp_path, ending, holds):
    path = tmp_path / f"out.{ending}"
    assert run("flame", simple, "-o", path).exit_code == 0
    assert holds in path.read_text(encoding="utf-8")


def test_what_filters_leave_as_a_profile(run, simple, tmp_path):
    path = tmp_path / "out.pb.gz"
    result = run("flame", simple, "--focus", "api", "--tagroot", "tenant", "-o", path)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    left = from_tables(gotrace.open(path))
    assert left.types == (("samples", "count"), ("cpu", "nanoseconds"))
    assert sorted(left.values[:, 1].tolist()) == [10_000_000, 30_000_000, 40_000_000]
    assert set(left.function_names) >= {"acme", "zeta"}
    assert left.facts["duration_ns"] == 200_000_000


def test_several_files_are_added_up(run, simple, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.pb.gz").write_bytes(simple.read_bytes())
    whole = run("top", folder)
    assert "0.pb.gz and 2 more" in whole.stdout
    assert "cpu 300ms in 600 ms" in whole.stdout
    assert run("top", folder / "*.pb.gz").stdout == whole.stdout
    (folder / "page.html").write_text("<!doctype html>", encoding="utf-8")
    partial = run("top", folder)
    assert partial.exit_code == 3
    assert "a web page" in partial.stderr
    assert "cpu 300ms" in partial.stdout
    assert run("top", tmp_path / "no*").exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--focus", "("], "focus '(' is no regular expression"),
        (["--by", "heap"], "no value type 'heap' (there are: samples, cpu)"),
        (["--granularity", "words"], "Invalid value"),
    ],
)
def test_bad_questions(run, simple, words, said):
    result = run("top", simple, *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "bug" not in result.stderr


@pytest.mark.parametrize("verb", ["flame", "top", "tree", "traces"])
def test_an_empty_answer_says_why(run, simple, tmp_path, verb):
    result = run(verb, simple, "--focus", "nobody")
    assert result.exit_code == 0
    assert "--focus left none of 4 samples" in result.stderr
    idle = tmp_path / "idle.pb"
    idle.write_bytes(proto.build([("a", [0, 7], {})]))
    assert "samples is 0 in all samples; --by cpu has some" in run(verb, idle, "--by", "0").stderr
    idle.write_bytes(proto.build([]))
    assert "no samples" in run(verb, idle).stderr


def test_no_labels_say_so(run, tmp_path):
    path = tmp_path / "plain.pb"
    path.write_bytes(proto.build([("a", [1, 7], {})]))
    assert "no sample has one" in run("tags", path).stderr


@pytest.mark.parametrize("verb", VERBS)
def test_names_from_strangers_are_harmless(run, tmp_path, verb):
    path = tmp_path / "evil.pb"
    evil = "a\x1b]0;x\x07\u202eb\nc"
    path.write_bytes(proto.build([(evil, [1, 7], {evil: evil})]).replace(b"\0", b"\0"))
    result = run(verb, path)
    assert result.exit_code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout + result.stderr)


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("verb", VERBS)
def test_lines_fit(run, tmp_path, monkeypatch, verb, width):
    path = tmp_path / "long.pb"
    name = "github.com/someone/something/internal/package/with/a/path.(*Receiver).Method"
    stack = " ".join(f"{name}{number}" for number in range(30))
    path.write_bytes(proto.build([(stack, [1, 10**9], {"k": name}), (name, [9, 10**6], {})]))
    monkeypatch.setattr("gotrace.cli.stack_text.width_of_page", lambda: width)
    monkeypatch.setattr("gotrace.cli.stack_text.is_coloured", lambda _: False)
    result = run(verb, path, "--unit", "ns")
    lines = [line for line in result.stdout.splitlines() if "gotrace" not in line]
    assert max(map(len, lines[1:])) <= width
    assert "Method" in result.stdout


def test_standard_input(run, simple):
    assert "cpu 100ms" in run("top", "-", stdin=simple.read_bytes()).stdout


def test_damage_leaves_what_is_whole(run, simple, tmp_path):
    import gzip

    whole = (
        gzip.decompress(simple.read_bytes())
        if simple.read_bytes()[:2] == b"\x1f\x8b"
        else simple.read_bytes()
    )
    path = tmp_path / "cut.pb"
    path.write_bytes(whole[: len(whole) // 2])
    result = run("top", path)
    assert result.exit_code == 2
    assert "nothing can be read" in result.stderr
