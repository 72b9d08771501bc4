"""The flame as a table, of one profile and of two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import gotrace
from gotrace.analyses.filters import Filters
from gotrace.analyses.flame import flame_diff_of, flame_of
from gotrace.analyses.profile_columns import ProfileColumns, from_tables
from gotrace.sinks.flame_files import write_folded, write_speedscope
from tests.analyses import proto


def columns(*samples: tuple[str, list[int]], **facts: Any) -> ProfileColumns:
    return from_tables(proto.tables(proto.build([(s, v, {}) for s, v in samples], **facts)))


def paths(flame: pa.Table, *names: str) -> dict[str, tuple[Any, ...]]:
    """Chosen columns by path from the root, written with slashes."""
    found: dict[int, str] = {}
    for row in flame.to_pylist():
        above = found.get(row["parent"], "")
        found[row["node"]] = f"{above}/{row['name']}" if row["name"] else above
    return {found[row["node"]]: tuple(row[name] for name in names) for row in flame.to_pylist()}


def test_totals_edges_and_order() -> None:
    profile = columns(
        ("b main", [1, 30]), ("a main", [2, 50]), ("main", [1, 5]), ("c a main", [4, 7])
    )
    flame = flame_of(profile)
    assert flame.schema.equals(gotrace.schema("flame"))
    assert paths(flame, "self", "total", "x", "samples", "depth", "subtree_end") == {
        "": (0, 92, 0, 4, 0, 5),
        "/main": (5, 92, 0, 4, 1, 5),
        "/main/a": (50, 57, 0, 2, 2, 4),
        "/main/a/c": (7, 7, 0, 1, 3, 4),
        "/main/b": (30, 30, 57, 1, 2, 5),
    }


def test_own_value_is_at_the_right_of_the_children() -> None:
    flame = flame_of(columns(("a main", [0, 3]), ("b main", [0, 4]), ("main", [0, 2])))
    by_path = paths(flame, "x", "total")
    assert by_path["/main/a"] == (0, 3)
    assert by_path["/main/b"] == (3, 4)


def test_stack_without_frames_is_the_roots_own() -> None:
    assert paths(flame_of(columns(("", [1, 9]))), "self", "total") == {"": (9, 9)}


def test_a_profile_without_samples_is_a_root() -> None:
    flame = flame_of(columns())
    assert flame.num_rows == 1
    assert flame.column("total").to_pylist() == [0]


def test_inlined_is_null_where_both() -> None:
    flame = flame_of(columns(("leaf+mid main", [1, 1]), ("leaf mid main", [1, 1])))
    assert paths(flame, "inlined")["/main/mid/leaf"] == (None,)
    assert paths(flame, "inlined")["/main/mid"] == (False,)
    assert paths(flame_of(columns(("leaf+mid main", [1, 1]))), "inlined")["/main/mid/leaf"] == (
        True,
    )


def test_filters_and_granularity() -> None:
    profile = columns(("leaf:3 main", [1, 4]), ("other main", [1, 2]))
    lines = flame_of(profile, granularity="lines", filters=Filters(focus="leaf"))
    assert lines.column("name").to_pylist() == [None, "main /src/main.go:7", "leaf /src/leaf.go:3"]
    assert lines.column("line").to_pylist() == [None, 7, 3]


def test_deep_recursion() -> None:
    """Nothing recurses: fifty thousand frames are fifty thousand nodes."""
    deep = flame_of(columns((" ".join(["rec"] * 50_000), [1, 8])))
    assert deep.num_rows == 50_001
    assert set(deep.column("total").to_pylist()) == {8}
    assert deep.column("depth").to_pylist()[-1] == 50_000


def test_overflow_is_an_error() -> None:
    with pytest.raises(OverflowError, match="64 bits"):
        flame_of(columns(("a main", [1, 2**62]), ("b main", [1, 2**62])))


@pytest.mark.parametrize(
    ("choices", "error", "text"),
    [
        ({"granularity": "modules"}, gotrace.UnknownNameError, "modules"),
        ({"value": "wall"}, gotrace.UnknownNameError, "wall"),
        ({"filters": Filters(focus="(")}, ValueError, "focus"),
        ({"filters": Filters(tagfocus="key=[")}, ValueError, "tagfocus"),
    ],
)
def test_bad_choices(choices: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        flame_of(columns(("a", [1, 1])), **choices)


def test_missing_references_are_errors() -> None:
    tables = proto.tables(proto.build([("a", [1, 1], {})]))
    tables["locations"] = tables["locations"].slice(0, 0)
    with pytest.raises(ValueError, match="location 18446744073709451616 is in no row"):
        from_tables(tables)


def test_diff_keeps_both_sides() -> None:
    base = columns(("old main", [1, 10]), ("same main", [1, 20]), ("less main", [1, 9]))
    new = columns(("new main", [1, 16]), ("same main", [1, 20]), ("less main", [1, 3]))
    flame = flame_diff_of(base, new)
    assert flame.schema.equals(gotrace.schema("flame_diff"))
    assert paths(flame, "base_total", "total", "gained", "lost", "state") == {
        "": (39, 39, 16, 16, "both"),
        "/main": (39, 39, 16, 16, "both"),
        "/main/less": (9, 3, 0, 6, "both"),
        "/main/new": (0, 16, 16, 0, "new"),
        "/main/old": (10, 0, 0, 10, "gone"),
        "/main/same": (20, 20, 0, 0, "both"),
    }


def test_diff_normalized() -> None:
    base, new = columns(("a", [1, 10]), ("b", [1, 30])), columns(("a", [1, 10]), ("b", [1, 10]))
    flame = flame_diff_of(base, new, normalize=True)
    assert paths(flame, "total", "scale")["/a"] == (20, 2.0)
    assert paths(flame, "delta")["/b"] == (-10,)


def test_diff_converts_units() -> None:
    base = columns(("a", [1, 5]), types="samples/count cpu/microseconds")
    flame = flame_diff_of(base, columns(("a", [1, 5000])))
    assert paths(flame, "base_total", "total", "delta")["/a"] == (5000, 5000, 0)
    with pytest.raises(ValueError, match="cannot be compared"):
        flame_diff_of(columns(("a", [1]), types="inuse_space/bytes"), columns(("a", [1, 1])))


def test_public_names_take_tables() -> None:
    tables = proto.tables(proto.build([("a main", [1, 5], {})]))
    assert gotrace.flame(tables).num_rows == 3
    assert gotrace.top(tables).column("name").to_pylist() == ["a", "main"]
    assert gotrace.edges(tables).column("value").to_pylist() == [5]
    assert gotrace.diff(tables, tables).column("delta").to_pylist() == [0, 0, 0]


def test_folded(tmp_path: Path) -> None:
    flame = flame_of(columns(("a;b main", [1, 3]), ("main", [1, 2]), ("", [1, 1])))
    assert write_folded(flame, tmp_path / "x.folded") == 3
    assert (tmp_path / "x.folded").read_text() == "(no frames) 1\nmain 2\nmain;a%3Bb 3\n"


def test_speedscope(tmp_path: Path) -> None:
    flame = flame_of(columns(("leaf main", [1, 3]), ("main", [1, 2])), granularity="lines")
    assert write_speedscope(flame, tmp_path / "x.json", name="x", unit="nanoseconds") == 2
    document = json.loads((tmp_path / "x.json").read_bytes())
    frames = document["shared"]["frames"]
    (profile,) = document["profiles"]
    stacks = [[frames[i]["file"] for i in sample] for sample in profile["samples"]]
    assert stacks == [["/src/main.go"], ["/src/main.go", "/src/leaf.go"]]
    assert profile["weights"] == [2, 3]
    assert (profile["unit"], profile["endValue"]) == ("nanoseconds", 5)


def test_many_random_stacks_against_a_plain_count() -> None:
    """Totals, edges and depth-first order against a dictionary of paths."""
    random = np.random.default_rng(7)
    samples = [
        (" ".join(f"f{i}" for i in random.integers(0, 5, random.integers(1, 9))), [1, int(v)])
        for v in random.integers(-50, 100, 400)
    ]
    expected: dict[str, list[int]] = {}
    for stack, (_, value) in samples:
        if value == 0:
            continue
        path = ""
        for frame in ["", *stack.split()[::-1]]:
            path = f"{path}/{frame}" if frame else ""
            expected.setdefault(path, [0, 0])[1] += value
        expected[path][0] += value
    flame = flame_of(columns(*samples))
    assert paths(flame, "self", "total") == {k: tuple(v) for k, v in expected.items()}
    rows = flame.to_pylist()
    for row in rows[1:]:
        parent = rows[row["parent"]]
        assert parent["node"] < row["node"] < row["subtree_end"] <= parent["subtree_end"]
