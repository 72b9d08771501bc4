"""`gotrace diff`: both sides of everything, as text, as tables and as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gotrace
from gotrace.analyses.call_graph import call_graph
from gotrace.analyses.profile_columns import from_tables
from gotrace.analyses.top_diff import top_diff_of
from tests.analyses import proto
from tests.cli.test_stacks import body

OLD = [
    ("slow main", [1, 40_000_000], {}),
    ("old main", [1, 10_000_000], {}),
    ("same main", [1, 50_000_000], {}),
]
NEW = [
    ("slow main", [1, 90_000_000], {}),
    ("fresh main", [1, 60_000_000], {"tenant": "a"}),
    ("same main", [1, 50_000_000], {}),
]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("diff")
    paths = folder / "old.pb", folder / "new.pb"
    for path, samples in zip(paths, (OLD, NEW), strict=True):
        path.write_bytes(proto.build(samples))
    return paths


def test_by_function(run, two):
    old, new = two
    result = run("diff", old, new)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[:3] == [
        f"base  cpu 100ms  {old}",
        f"new   cpu 200ms  {new}",
        "  +100ms (+100%)",
    ]
    assert body(result.stdout) == [
        "base   new  Δflat   Δcum   change  function",
        "   -  60ms  +60ms  +60ms      new  fresh",
        "40ms  90ms  +50ms  +50ms    +125%  slow",
        "10ms     -  -10ms  -10ms     gone  old",
        "",
    ]
    cum = body(run("diff", old, new, "--cum", "-n", 1).stdout)
    assert cum[1] == "100ms  200ms  +100ms      0    +100%  main"


def test_by_path(run, two):
    assert body(run("diff", *two, "--view", "tree").stdout) == [
        " base    new  gained   lost  stack",
        "100ms  200ms  +110ms  -10ms  all",
        "100ms  200ms  +110ms  -10ms  main",
        "    0   60ms   +60ms         ├ fresh (new)",
        " 40ms   90ms   +50ms         ├ slow",
        " 10ms      0          -10ms  └ old (gone)",
        "",
    ]


def test_normalized(run, two):
    result = run("diff", *two, "--normalize")
    assert "new is scaled by 0.5 to the total of base" in result.stdout
    assert body(result.stdout)[1:-1] == [
        "   -  30ms  +30ms  +30ms      new  fresh",
        "50ms  25ms  -25ms  -25ms     -50%  same",
        "10ms     -  -10ms  -10ms     gone  old",
        "40ms  45ms   +5ms   +5ms     +12%  slow",
    ]


def test_normalization_is_of_the_whole(two):
    """What is focused on is scaled as all of it is."""
    from gotrace.analyses.filters import Filters

    base, other = (from_tables(gotrace.open(path)) for path in two)
    table = top_diff_of(base, other, normalize=True, filters=Filters(focus="slow"))
    rows = {row["name"]: row for row in table.to_pylist()}
    assert (rows["slow"]["base_flat"], rows["slow"]["flat"]) == (40_000_000, 45_000_000)
    assert rows["slow"]["scale"] == 0.5


def test_tables(run, two, tmp_path):
    rows = [json.loads(line) for line in run("diff", *two, "--format", "json").stdout.splitlines()]
    assert list(rows[0]) == gotrace.schema("flame_diff").names
    assert {row["name"]: row["state"] for row in rows} == {
        None: "both",
        "main": "both",
        "slow": "both",
        "same": "both",
        "fresh": "new",
        "old": "gone",
    }
    path = tmp_path / "out.csv"
    assert run("diff", *two, "--view", "functions", "-o", path).exit_code == 0
    head = path.read_text().splitlines()[0].replace('"', "")
    assert head == ",".join(gotrace.schema("top_diff").names)


def test_files(run, two, tmp_path):
    folded = tmp_path / "out.folded"
    assert run("diff", *two, "-o", folded).exit_code == 0
    assert folded.read_text().splitlines() == [
        *("main;fresh 0 60000000", "main;old 10000000 0", "main;same 50000000 50000000"),
        "main;slow 40000000 90000000",
    ]
    page = tmp_path / "out.html"
    assert run("diff", *two, "-o", page).exit_code == 0
    assert '"base"' in page.read_text(encoding="utf-8")
    profile = tmp_path / "out.pb.gz"
    assert run("diff", *two, "-o", profile).exit_code == 0
    graph = call_graph(from_tables(gotrace.open(profile)))
    flat = {graph.of.names[node]: int(graph.flat[node]) for node in graph.nodes}
    assert flat == {"slow": 50_000_000, "fresh": 60_000_000, "old": -10_000_000, "main": 0}


def test_folders_and_patterns(run, two):
    old, _ = two
    assert "cpu 300ms" in run("diff", old, old.parent).stdout
    assert "cpu 100ms" in run("diff", str(old.parent / "o*.pb"), old).stdout


def test_nothing_differs(run, two):
    old, _ = two
    assert "no function differs" in run("diff", old, old).stdout
    assert "no path of calls differs" in run("diff", old, old, "--view", "tree").stdout
    result = run("diff", *two, "--focus", "nobody")
    assert "--focus left no samples" in result.stderr


def test_values_that_cannot_be_compared(run, two, tmp_path):
    heap = tmp_path / "heap.pb"
    heap.write_bytes(proto.build([("a", [1], {})], "cpu/bytes"))
    result = run("diff", two[0], heap)
    assert result.exit_code == 2
    assert "'nanoseconds' and 'bytes' cannot be compared" in result.stderr
