"""top, tree, peek, traces and tags agree with `go tool pprof` number for number."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gotrace.analyses.call_graph import Trim, call_graph, edge_table, top_table
from gotrace.analyses.filters import Filters
from gotrace.analyses.merge import Level, merge
from gotrace.analyses.profile_columns import ProfileColumns, from_tables
from gotrace.analyses.samples import tags_of, traces_of
from tests.analyses import go_pprof, proto
from tests.analyses.conftest import REAL, made_profile
from tests.golab.toolchain import Toolchain

pytestmark = pytest.mark.go

LEVELS: tuple[Level, ...] = ("exact", "function")
UNITS = {"nanoseconds": "ns", "bytes": "B"}

#: Options of Go, and what they are here: filters, or choices of `call_graph`.
OPTIONS: dict[str, dict[str, Any]] = {
    "focus": {"focus": "leaf|main.rec|alloc|contend"},
    "focus-file": {"focus": "mid\\.go|main\\.go"},
    "ignore": {"ignore": "rec|runtime\\.mallocgc"},
    "focus-ignore": {"focus": "main", "ignore": "mid|burn"},
    "hide": {"hide": "mid|main\\.burn|^runtime\\."},
    "show": {"show": "leaf|rec|main\\."},
    "show-hide": {"show": "main|mid", "hide": "main.main"},
    "hide-mapping": {"hide": "libc"},
    "show_from": {"show_from": "mid|recurse|contend"},
    "prune_from": {"prune_from": "mid|recurse|mallocgc"},
    "tagfocus": {"tagfocus": "tenant:[ab]|t1"},
    "tagfocus-and": {"tagfocus": "tenant:a,tenant:c"},
    "tagfocus-key": {"tagfocus": "tenant=b,t2"},
    "tagfocus-range": {"tagfocus": "1kb:2mb"},
    "tagfocus-below": {"tagfocus": "bytes=:64b"},
    "tagfocus-above": {"tagfocus": "depth=3:"},
    "tagignore": {"tagignore": "tenant:[abt]"},
    "tagroot": {"tagroot": "tenant"},
    "tagroot-two": {"tagroot": "tenant,depth", "tagleaf": "bytes"},
    "tagleaf-focus": {"tagleaf": "tenant", "focus": "^[bt]"},
    "filefunctions": {"granularity": "filefunctions"},
    "files": {"granularity": "files"},
    "lines": {"granularity": "lines"},
    "addresses": {"granularity": "addresses"},
    "noinlines": {"inlines": False},
    "lines-noinlines": {"granularity": "lines", "inlines": False},
    "addresses-noinlines": {"granularity": "addresses", "inlines": False},
    "cum": {"sort": "cum"},
    "relative": {"relative": True, "focus": "main"},
    "drop_negative": {"drop_negative": True},
    "samples": {"value": "0"},
}


def read(path: Path) -> ProfileColumns:
    return from_tables(proto.tables(path.read_bytes()), compat="go")


def split(options: dict[str, Any]) -> tuple[list[str], Filters, dict[str, Any]]:
    """Give Go's flags, our filters, and our other choices."""
    flags, filters, choices = [], {}, {}
    for name, value in options.items():
        if name == "granularity":
            flags.append(f"-{value}")
        elif name == "inlines":
            flags.append("-noinlines")
        elif name == "sort":
            flags.append(f"-{value}")
        elif name == "relative":
            flags.append("-relative_percentages")
        elif name == "drop_negative":
            flags.append("-drop_negative")
        elif name == "value":
            flags.append(f"-sample_index={value}")
        else:
            flags.append(f"-{name}={value}")
            filters[name] = value
            continue
        choices[name] = value
    return flags, Filters(**filters), choices


def unit_of(profile: ProfileColumns, value: str | None) -> str:
    unit = profile.types[profile.type_index(value)][1]
    return UNITS.get(unit, unit)


def marked(row: dict[str, Any]) -> str:
    mark = {True: " (inline)", False: "", None: " (partial-inline)"}[row["inlined"]]
    return row["name"] + mark


def rows_of(table: pa.Table) -> list[go_pprof.Row]:
    return [go_pprof.Row(marked(row), row["flat"], row["cum"]) for row in table.to_pylist()]


@pytest.fixture(params=[*REAL, "made"])
def path(request: pytest.FixtureRequest, recorded: dict[str, Path], made: Path) -> Path:
    return recorded.get(request.param, made)


@pytest.mark.parametrize("case", [{}, *OPTIONS.values()], ids=["plain", *OPTIONS])
def test_tree(go: Toolchain, path: Path, case: dict[str, Any]) -> None:
    """Nodes with flat and cum, callers and callees with their weights, untrimmed."""
    profile = read(path)
    flags, filters, choices = split(case)
    unit = unit_of(profile, choices.get("value"))
    graph = call_graph(profile, filters=filters, unit=unit, compat="go", **choices)
    theirs = go_pprof.tree(go_pprof.report(go, path, "tree", unit, "-trim=false", *flags))
    assert blocks_of(top_table(graph), edge_table(graph)) == shaped(theirs)


def shaped(blocks: list[go_pprof.Block]) -> Any:
    """Blocks with their edges as multisets: Go leaves ties of equal names in any order."""
    return sorted(
        (b.row.name, b.row.flat, b.row.cum, sorted(b.callers), sorted(b.callees)) for b in blocks
    )


def blocks_of(top: pa.Table, edges: pa.Table) -> Any:
    callers: dict[int, list[tuple[str, int]]] = {}
    callees: dict[int, list[tuple[str, int]]] = {}
    for edge in edges.to_pylist():
        mark = " (inline)" if edge["inlined"] else ""
        callers.setdefault(edge["callee"], []).append((edge["caller_name"] + mark, edge["value"]))
        callees.setdefault(edge["caller"], []).append((edge["callee_name"] + mark, edge["value"]))
    return sorted(
        (
            row["name"],
            row["flat"],
            row["cum"],
            sorted(callers.get(row["node"], [])),
            sorted(callees.get(row["node"], [])),
        )
        for row in top.to_pylist()
    )


@pytest.mark.parametrize("case", [{}, *OPTIONS.values()], ids=["plain", *OPTIONS])
def test_top_as_printed(go: Toolchain, path: Path, case: dict[str, Any]) -> None:
    """What is too small is trimmed as by Go, and the order is Go's."""
    profile = read(path)
    flags, filters, choices = split(case)
    trim = Trim(node_fraction=0.005, edge_fraction=0.001)
    unit = unit_of(profile, choices.get("value"))
    graph = call_graph(profile, filters=filters, trim=trim, unit=unit, compat="go", **choices)
    ours = rows_of(top_table(graph))
    theirs = go_pprof.top(go_pprof.report(go, path, "top", unit, *flags))
    if choices.get("granularity") == "files":  # Go has many rows of one name, in no fixed order
        ours, theirs = (sorted(rows, key=astuple) for rows in (ours, theirs))
    assert ours == theirs


def test_tree_of_few_nodes(go: Toolchain, path: Path) -> None:
    """Of what is left, edges go round nodes that are left out."""
    profile = read(path)
    trim = Trim(node_count=6, node_fraction=0.005, edge_fraction=0.001)
    graph = call_graph(profile, trim=trim, compat="go")
    unit = unit_of(profile, None)
    theirs = go_pprof.tree(go_pprof.report(go, path, "tree", unit, "-nodecount=6"))
    assert blocks_of(top_table(graph), edge_table(graph)) == shaped(theirs)


@pytest.mark.parametrize("pattern", ["rec", "main\\.main"])
def test_peek(go: Toolchain, path: Path, pattern: str) -> None:
    profile = read(path)
    graph = call_graph(profile, compat="go")
    shown = [row for row in top_table(graph).to_pylist() if re.search(pattern, row["name"])]
    if not shown:
        pytest.skip("nothing in this profile has such a name")
    top = pa.Table.from_pylist(shown, top_table(graph).schema)
    unit = unit_of(profile, None)
    theirs = go_pprof.tree(go_pprof.report(go, path, f"peek={pattern}", unit))
    assert blocks_of(top, edge_table(graph)) == shaped(theirs)


TAGGED = ["tagfocus", "tagignore", "focus", "hide"]


@pytest.mark.parametrize("case", [{}, *(OPTIONS[name] for name in TAGGED)], ids=["plain", *TAGGED])
def test_tags(go: Toolchain, path: Path, case: dict[str, Any]) -> None:
    profile = read(path)
    flags, filters, _ = split(case)
    ours: dict[str, dict[str, int]] = {}
    unit = unit_of(profile, None)
    for row in tags_of(profile, filters=filters, unit=unit).to_pylist():
        ours.setdefault(row["key"], {})[row["label"]] = row["value"]
    assert ours == go_pprof.tags(go_pprof.report(go, path, "tags", unit, *flags))


@pytest.mark.parametrize(
    "case",
    [{}, *(OPTIONS[name] for name in (*TAGGED, "lines", "noinlines", "show_from"))],
    ids=["plain", *TAGGED, "lines", "noinlines", "show_from"],
)
def test_traces(go: Toolchain, path: Path, case: dict[str, Any]) -> None:
    profile = read(path)
    flags, filters, choices = split(case)
    ours = [
        (
            row["value"],
            [
                name + (" (inline)" if inlined else "")
                for name, inlined in zip(row["frames"], row["inlined"], strict=True)
            ],
            row["labels"],
        )
        for row in traces_of(profile, filters=filters, compat="go", **choices).to_pylist()
    ]
    text = go_pprof.report(go, path, "traces", unit_of(profile, None), *flags)
    assert ours == go_pprof.traces(text)


def test_dropped_frames(go: Toolchain, tmp_path: Path) -> None:
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
    theirs = go_pprof.tree(go_pprof.report(go, path, "tree", "ns", "-trim=false"))
    assert blocks_of(top_table(graph), edge_table(graph)) == shaped(theirs)
    whole = top_table(call_graph(profile, filters=Filters(all_frames=True)))
    assert "drop.a" in whole.column("name").to_pylist()


def test_merge_is_gos(go: Toolchain, made: Path) -> None:
    """Files given to Go at once have the tree of ours merged, at either level."""
    again = made.with_name("again.pb")
    again.write_bytes(made_profile(base=0x400000))
    for level in LEVELS:
        merged = merge([read(path) for path in (made, again, made)], level)
        graph = call_graph(merged, compat="go")
        paths = (str(again), str(made))
        theirs = go_pprof.report(go, made, "tree", "ns", "-trim=false", *paths)
        assert blocks_of(top_table(graph), edge_table(graph)) == shaped(go_pprof.tree(theirs))


def test_recorded_profiles_are_worth_comparing(recorded: dict[str, Path]) -> None:
    counts = Counter({kind: len(read(path).labels) for kind, path in recorded.items()})
    assert counts["cpu"] > 20
    assert counts["heap"] > 5
    assert counts["block"] > 1
    assert any(labels for labels in read(recorded["cpu"]).label_sets)
