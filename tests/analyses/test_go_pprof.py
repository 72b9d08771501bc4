"""top, tree, peek, tags and traces say what `go tool pprof` says, number for number.

Every kind of profile of every Go that we read; each filter option with each kind, by turns of one
version: with GOTRACE_PPROF_ALL=1 with all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import astuple
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import gotrace
from gotrace.analyses.call_graph import Graph, Trim, call_graph, edge_table, top_table
from gotrace.analyses.filters import Filters
from gotrace.analyses.merge import Level, merge
from gotrace.analyses.profile_columns import TABLES, ProfileColumns, each_profile
from gotrace.analyses.samples import tags_of, traces_of
from gotrace.analyses.source_lines import source_lines_of
from gotrace.analyses.top_diff import top_diff_of
from gotrace.sinks.profile_proto import write_profile
from tests.analyses import go_pprof, proto
from tests.analyses.conftest import made_profile
from tests.analyses.pprof_cases import CASES, split
from tests.analyses.pprof_shell import Ask, answers
from tests.golab import toolchain
from tests.golab.record_profiles import PROGRAM, real_profiles

pytestmark = pytest.mark.go

PROFILES = {profile.path.name.removesuffix(".pb.gz"): profile for profile in real_profiles()}
UNITS = {"nanoseconds": "ns", "bytes": "B"}
TRIMMED = {"nodefraction": "0.005", "edgefraction": "0.001"}
PEEKED = r"rec|main\.main|alloc"
SHAPE = ("granularity", "inlines")
LEVELS: tuple[Level, ...] = ("exact", "function")


def read(path: Path) -> ProfileColumns:
    (columns,) = each_profile(gotrace.open(path), compat="go")
    return columns


def cases_of(name: str) -> list[str]:
    """The cases that a profile is asked for: all, or those whose turn its version is."""
    profile = PROFILES.get(name)
    if profile is None or os.environ.get("GOTRACE_PPROF_ALL"):
        return list(CASES)
    turn = profile.toolchain.minor % 7
    return [case for number, case in enumerate(CASES) if not number or number % 7 == turn]


PAIRS = [(name, case) for name in ("made", *PROFILES) for case in cases_of(name)]


@pytest.fixture(scope="module")
def go() -> toolchain.Toolchain:
    return toolchain.require()


@pytest.fixture(scope="module")
def path_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made = tmp_path_factory.mktemp("made") / "made.pb"
    made.write_bytes(made_profile())
    return lambda name: PROFILES[name].path if name in PROFILES else made


@pytest.fixture(scope="module")
def theirs(go: toolchain.Toolchain, path_of: Callable[[str], Path]) -> Callable[..., str]:
    """What Go says to a case, by report; a profile is asked everything at once."""

    @cache
    def told(name: str) -> dict[tuple[str, str], str]:
        path = path_of(name)
        columns = read(path)
        asks, keys = [], []
        for case in cases_of(name):
            unit = columns.types[columns.type_index(CASES[case].get("sample_index"))][1]
            settings = {**CASES[case], "unit": UNITS.get(unit, unit)}
            reports = {
                "tree": settings,
                "top": {**settings, **TRIMMED},
                "few": {**settings, **TRIMMED, "nodecount": "6"},
                "tags": settings,
                "traces": settings,
                f"peek {PEEKED}": settings,
            }
            for report, given in reports.items():
                asks.append(Ask("tree" if report == "few" else report, given))
                keys.append((case, report.split()[0]))
        return dict(zip(keys, answers(go, path, asks), strict=True))

    return lambda name, case, report: told(name)[case, report]


@pytest.fixture(scope="module")
def columns_of(path_of: Callable[[str], Path]) -> Callable[[str], ProfileColumns]:
    return cache(lambda name: read(path_of(name)))


class Asked:
    """What ours says to a case of a profile, as tables."""

    def __init__(self, columns: ProfileColumns, case: str) -> None:
        self.columns = columns
        filters, self.choices = split(CASES[case])
        self.filters = Filters(**filters)
        self.value = CASES[case].get("sample_index")
        unit = columns.types[columns.type_index(self.value)][1]
        self.unit = UNITS.get(unit, unit)

    def graph(self, trim: Trim | None = None) -> Graph:
        given = {"filters": self.filters, "trim": trim, "unit": self.unit, "compat": "go"}
        return call_graph(self.columns, self.value, **given, **self.choices)

    def of_samples(self) -> dict[str, Any]:
        shape = {name: self.choices[name] for name in SHAPE if name in self.choices}
        return {"filters": self.filters, "unit": self.unit, "compat": "go", **shape}


@pytest.fixture
def ours(columns_of: Callable[[str], ProfileColumns]) -> Callable[[str, str], Asked]:
    return lambda name, case: Asked(columns_of(name), case)


def graph_blocks(graph: Graph) -> Any:
    return blocks(top_table(graph).to_pylist(), edge_table(graph).to_pylist())


def blocks(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> Any:
    """Nodes with their callers and callees, edges as multisets."""
    around: dict[int, tuple[list[Any], list[Any]]] = {row["node"]: ([], []) for row in nodes}
    for edge in edges:
        mark = " (inline)" if edge["inlined"] else ""
        if edge["callee"] in around:
            around[edge["callee"]][0].append((edge["caller_name"] + mark, edge["value"]))
        if edge["caller"] in around:
            around[edge["caller"]][1].append((edge["callee_name"] + mark, edge["value"]))
    return sorted(
        (row["name"], row["flat"], row["cum"], *map(sorted, around[row["node"]])) for row in nodes
    )


def rows_of(rows: list[dict[str, Any]]) -> list[go_pprof.Row]:
    marks = {True: " (inline)", False: "", None: " (partial-inline)"}
    return [go_pprof.Row(r["name"] + marks[r["inlined"]], r["flat"], r["cum"]) for r in rows]


def sample(row: dict[str, Any]) -> tuple[int, list[str], list[str]]:
    frames = zip(row["frames"], row["inlined"], strict=True)
    names = [frame + (" (inline)" if inlined else "") for frame, inlined in frames]
    return row["value"], names, row["labels"]


def shaped(text: str) -> Any:
    return sorted(
        (b.row.name, b.row.flat, b.row.cum, sorted(b.callers), sorted(b.callees))
        for b in go_pprof.tree(text)
    )


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_tree(ours: Any, theirs: Any, name: str, case: str) -> None:
    """Nodes with flat and cum, callers and callees with their weights; then of few nodes."""
    for trim, report in ((None, "tree"), (Trim(6, 0.005, 0.001), "few")):
        if trim and CASES[case].get("granularity") == "files":
            continue  # Go has nodes of one name, and keeps any of them
        graph = ours(name, case).graph(trim)
        assert graph_blocks(graph) == shaped(theirs(name, case, report))


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_top(ours: Any, theirs: Any, name: str, case: str) -> None:
    """What is too small is trimmed as by Go, and the order is Go's."""
    rows = rows_of(top_table(ours(name, case).graph(Trim(0, 0.005, 0.001))).to_pylist())
    wanted = go_pprof.top(theirs(name, case, "top"))
    if CASES[case].get("granularity") == "files":  # Go has rows of one name, in no fixed order
        rows, wanted = (sorted(each, key=astuple) for each in (rows, wanted))
    assert rows == wanted


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_peek(ours: Any, theirs: Any, name: str, case: str) -> None:
    graph = ours(name, case).graph()
    nodes = [row for row in top_table(graph).to_pylist() if re.search(PEEKED, row["name"])]
    assert blocks(nodes, edge_table(graph).to_pylist()) == shaped(theirs(name, case, "peek"))


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_tags(ours: Any, theirs: Any, name: str, case: str) -> None:
    asked, found = ours(name, case), {}
    table = tags_of(asked.columns, asked.value, filters=asked.filters, unit=asked.unit)
    for row in table.to_pylist():
        found.setdefault(row["key"], {})[row["label"]] = row["value"]
    assert found == go_pprof.tags(theirs(name, case, "tags"))


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_traces(ours: Any, theirs: Any, name: str, case: str) -> None:
    asked = ours(name, case)
    rows = traces_of(asked.columns, asked.value, **asked.of_samples()).to_pylist()
    assert list(map(sample, rows)) == go_pprof.traces(theirs(name, case, "traces"))


@pytest.mark.parametrize("name", [name for name in PROFILES if name.startswith(("cpu", "allocs"))])
def test_list(
    go: toolchain.Toolchain, path_of: Callable[[str], Path], ours: Any, name: str
) -> None:
    """Every line of the program's own functions, as far as Go finds the source."""
    asked = ours(name, "plain")
    settings = {"unit": asked.unit, "source_path": str(PROGRAM), "trim_path": "."}
    (text,) = answers(go, path_of(name), [Ask(r"list ^main\.", settings)])
    rows: dict[str, dict[int, tuple[int, int]]] = {}
    table = source_lines_of(asked.columns, r"^main\.", unit=asked.unit, compat="go")
    for row in table.to_pylist():
        rows.setdefault(row["function"], {})[row["line"]] = (row["flat"], row["cum"])
    theirs = go_pprof.listing(text)
    assert len(theirs) > 2
    assert rows == theirs


def test_dropped_frames(go: toolchain.Toolchain, tmp_path: Path) -> None:
    """drop_frames and keep_frames of the profile itself, at whole locations and inside them."""
    path = tmp_path / "drop.pb"
    path.write_bytes(
        proto.build(
            [
                ("leaf drop.a mid main", [1, 10], {}),
                ("leaf+drop.b+mid main", [1, 20], {}),
                ("leaf drop.keep mid main", [1, 40], {}),
                ("leaf drop.a", [1, 80], {}),
                ("leaf drop.a(int) main", [1, 160], {}),
            ],
            drop_frames="drop\\..*",
            keep_frames="drop\\.keep",
        )
    )
    profile = read(path)
    graph = call_graph(profile, compat="go")
    (text,) = answers(go, path, [Ask("tree", {"unit": "ns"})])
    assert graph_blocks(graph) == shaped(text)
    whole = top_table(call_graph(profile, filters=Filters(all_frames=True)))
    assert "drop.a" in whole.column("name").to_pylist()


def pairs_to_merge(path_of: Callable[[str], Path], tmp_path: Path) -> Iterator[list[Path]]:
    again = tmp_path / "again.pb"
    again.write_bytes(made_profile(base=0x400000))
    yield [path_of("made"), again, path_of("made")]
    for kind in ("cpu", "heap", "mutex"):
        yield [path_of(f"{kind}-go1.{minor}") for minor in (22, 25, 27)]


def test_merge_is_gos(
    go: toolchain.Toolchain, path_of: Callable[[str], Path], tmp_path: Path
) -> None:
    """Files given to Go at once have the tree of ours merged, at either level."""
    for paths in pairs_to_merge(path_of, tmp_path):
        profiles = [read(path) for path in paths]
        unit = Asked(profiles[0], "plain").unit
        (text,) = answers(go, paths[0], [Ask("tree", {"unit": unit})], *paths[1:])
        for level in LEVELS:
            graph = call_graph(merge(profiles, level), compat="go")
            assert graph_blocks(graph) == shaped(text), (level, paths)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("kind", ["cpu", "allocs", "mutex", "goroutine"])
def test_diff_is_gos(
    go: toolchain.Toolchain, path_of: Callable[[str], Path], kind: str, normalize: bool
) -> None:
    """Both sides by function, and their difference, as `-base` has it, with `-normalize` too."""
    paths = [path_of(f"{kind}-go1.{minor}") for minor in (26, 27)]
    base, other = map(read, paths)
    options = [f"-base={paths[0]}", *(["-normalize"] if normalize else [])]
    unit = Asked(base, "plain").unit
    (text,) = answers(go, paths[1], [Ask("top", {"unit": unit})], options=options)
    theirs = {row.name.partition(" (")[0]: row for row in go_pprof.top(text)}
    table = top_diff_of(base, other, normalize=normalize, compat="go").to_pylist()
    moved = {row["name"]: row for row in table if row["flat_delta"] or row["cum_delta"]}
    # Go rounds every sample, ours every stack; and at a value of 1 a half decides.
    near = len(other.labels) if normalize else 0
    for name in {*theirs, *moved}:
        their = theirs.get(name, go_pprof.Row(name, 0, 0))
        ours = moved.get(name, {"flat_delta": 0, "cum_delta": 0})
        assert abs(ours["flat_delta"] - their.flat) <= near, name
        assert abs(ours["cum_delta"] - their.cum) <= near, name


@pytest.mark.parametrize("name", ["made", *(name for name in PROFILES if "1.27" in name)])
def test_what_we_write_is_what_go_reads(
    go: toolchain.Toolchain, path_of: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    """A profile that was read and written has the raw report of the one that it was."""
    source = gotrace.open(path_of(name))
    again = tmp_path / "again.pb.gz"
    write_profile({table: source.table(table) for table in TABLES}, again)
    original, written = (answers(go, path, [Ask("raw", {})]) for path in (path_of(name), again))
    assert written == original
    assert "Samples:" in original[0]


def test_the_profiles_are_worth_comparing() -> None:
    """They have labels, inlined frames, generics, and samples enough."""
    seen = {name: next(each_profile(gotrace.open(p.path))) for name, p in PROFILES.items()}
    for name, columns in seen.items():
        if name.startswith(("cpu", "heap")):
            assert len(columns.labels) > 20, name
            assert (columns.line_offsets[1:] - columns.line_offsets[:-1] > 1).any(), name
            assert any(columns.label_sets), name
        if name.startswith("cpu"):
            assert any("total[go.shape" in function for function in columns.function_names), name
