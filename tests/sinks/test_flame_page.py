"""The page of flames: its data, whatever names are in them, and the asset that ships."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gotrace.analyses.flame import flame_diff_of, flame_of
from gotrace.analyses.profile_columns import ProfileColumns, from_tables
from gotrace.sinks.flame_page import PageFlame, page, write_flame_page
from tests.analyses import proto
from tests.browser import program

WEB = Path(__file__).parents[2] / "web" / "flame"


def columns(*samples: tuple[str, list[int]]) -> ProfileColumns:
    return from_tables(proto.tables(proto.build([(s, v, {}) for s, v in samples])))


def written(*flames: PageFlame, **facts: Any) -> str:
    file = io.BytesIO()
    write_flame_page(flames, file, **{"title": "a page", **facts})
    return file.getvalue().decode()


def document(*flames: PageFlame, **facts: Any) -> dict[str, Any]:
    """The data of a page, taken out as a browser takes them: up to the first end of a script."""
    text = written(*flames, **facts).partition('<script type="application/json" id="data">')[2]
    found: dict[str, Any] = json.loads(text.partition("</script")[0])
    return found


def nodes(found: dict[str, Any], at: int = 0) -> list[tuple[int, str, int]]:
    """Depth, name and own value of the nodes of a flame."""
    flame = found["flames"][at]
    tree = found["trees"][flame["tree"]]
    names = found["frames"]["name"]
    frames = [names[frame] for frame in tree["frame"]]
    return list(zip(tree["depth"], frames, flame["self"], strict=True))


SIMPLE = columns(("b main", [1, 30]), ("a main", [2, 50]), ("main", [1, 5]), ("c a main", [4, 7]))


def test_the_document_has_the_nodes_depth_first() -> None:
    found = document(PageFlame(flame_of(SIMPLE), "cpu", "nanoseconds"), facts={"duration": "3 s"})
    assert found["title"] == "a page"
    assert found["facts"] == [["duration", "3 s"]]
    assert nodes(found) == [(0, "", 0), (1, "main", 5), (2, "a", 50), (3, "c", 7), (2, "b", 30)]
    assert {"name": "ms", "size": 1e6} in found["flames"][0]["scales"]


def test_flames_with_the_same_nodes_share_them() -> None:
    both = [PageFlame(flame_of(SIMPLE, value), value, "count") for value in ("samples", "cpu")]
    found = document(*both, shown=-1)
    assert len(found["trees"]) == 1
    assert [flame["tree"] for flame in found["flames"]] == [0, 0]
    assert nodes(found, 0)[1] == (1, "main", 1)
    assert nodes(found, 1)[1] == (1, "main", 5)
    assert found["shown"] == 1


def test_a_difference_has_both_sides() -> None:
    flame = flame_diff_of(columns(("a main", [0, 10])), columns(("b main", [0, 25])))
    (found,) = document(PageFlame(flame, "cpu", "nanoseconds"))["flames"]
    assert found["base"] == [0, 0, 10, 0]
    assert found["self"] == [0, 0, 0, 25]
    assert found["scale"] == 1.0


def test_frames_keep_their_lines_and_addresses() -> None:
    flame = flame_of(columns(("leaf:3 main:9", [1, 1])), granularity="addresses")
    frames = document(PageFlame(flame, "cpu"))["frames"]
    leaf = next(at for at, name in enumerate(frames["name"]) if "leaf" in name)
    assert frames["line"][leaf] == 3
    assert frames["address"][leaf].startswith("0x")


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "a\u2028b\u2029c",
    "\u202egnp.exe",
    "\x1b[31m\x00",
    "]]>&amp;<img src=x onerror=alert(1)>",
    "@@DATA@@",
)


def renamed(flame: pa.Table, names: list[str]) -> pa.Table:
    at = flame.schema.get_field_index("name")
    return flame.set_column(at, flame.field(at), pa.array([None, *names], pa.utf8()))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_ends_no_element_and_steers_nothing(name: str) -> None:
    flame = renamed(flame_of(SIMPLE), [name, "a", "b", "c"])
    hostile = PageFlame(flame, name, name)
    text = written(hostile, title=name, facts={name: name}, links={name: "https://example.org/"})
    head, tail = page().decode().split("@@DATA@@")
    assert text.startswith(head)
    assert text.endswith(tail)
    data = text[len(head) : -len(tail)]
    assert data.isascii()
    assert data.isprintable()
    assert not set("<>&") & set(data)
    found = json.loads(data)
    names = found["frames"]["name"]
    assert all(map(str.isprintable, names))
    assert (name in names) == name.isprintable()


@given(st.lists(st.text(), min_size=4, max_size=4))
def test_any_names_come_back_as_they_are_shown(names: list[str]) -> None:
    names = [name.encode("utf-8", "replace").decode() for name in names]
    found = document(PageFlame(renamed(flame_of(SIMPLE), names), "cpu"))
    shown = "".join(name for _, name, _ in nodes(found))
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    printable = [name for name in names if name.isascii() and name.isprintable()]
    assert set(printable) <= {name for _, name, _ in nodes(found)}


@pytest.mark.parametrize("href", ["javascript:alert(1)", " JavaScript:x", "data:text/html,x"])
def test_a_link_is_no_script(href: str) -> None:
    with pytest.raises(ValueError, match="http"):
        written(PageFlame(flame_of(SIMPLE), "cpu"), links={"x": href})


def test_links_of_the_web_and_beside_the_page_are_kept() -> None:
    links = {"there": "https://example.org/a?b=1", "beside": "other.html#x:y", "up": "../a:b"}
    found = document(PageFlame(flame_of(SIMPLE), "cpu"), links=links)
    assert found["links"] == [list(link) for link in links.items()]


def test_no_flame_is_no_page() -> None:
    with pytest.raises(ValueError, match="at least one"):
        written()


@pytest.mark.parametrize("most", [1, 2, 3, 5, 8, 13, 10_000])
def test_what_is_cut_off_is_other_and_sums_stay(most: int) -> None:
    rng = np.random.default_rng(most)
    stacks = [
        (" ".join(f"f{name}" for name in rng.integers(0, 6, rng.integers(1, 7))) + " main", [1, v])
        for v in rng.integers(-50, 100, 60).tolist()
    ]
    flame = flame_of(columns(*stacks))
    file = io.BytesIO()
    left_out = write_flame_page([PageFlame(flame, "cpu")], file, title="", max_nodes=most)
    found = document(PageFlame(flame, "cpu"), max_nodes=most)
    kept = nodes(found)
    assert left_out == found["flames"][0]["leftOut"] == max(0, len(flame) - most)
    assert sum(name != "(other)" for _, name, _ in kept) == min(most, len(flame))
    assert totals(kept).items() <= totals(whole(flame)).items() | others(kept).items()
    assert totals(kept)[()] == flame.column("total")[0].as_py()


def whole(flame: pa.Table) -> list[tuple[int, str, int]]:
    rows = zip(*(flame.column(name).to_pylist() for name in ("depth", "name", "self")), strict=True)
    return [(depth, name or "", value) for depth, name, value in rows]


def totals(found: list[tuple[int, str, int]]) -> dict[tuple[str, ...], int]:
    sums: dict[tuple[str, ...], int] = {}
    path: list[str] = []
    for depth, name, value in found:
        path[max(depth - 1, 0) :] = [name] if depth else []
        assert len(path) == depth
        for length in range(depth + 1):
            key = tuple(path[:length])
            sums[key] = sums.get(key, 0) + value
    return sums


def others(found: list[tuple[int, str, int]]) -> dict[tuple[str, ...], int]:
    return {path: total for path, total in totals(found).items() if path[-1:] == ("(other)",)}


def test_the_page_ships_as_its_sources_give_it(tmp_path: Path) -> None:
    npm, node = program("GOTRACE_NPM", "npm"), program("GOTRACE_NODE", "node")
    sources = tmp_path / "flame"
    shutil.copytree(WEB, sources, ignore=shutil.ignore_patterns("node_modules"))
    quiet = ("--no-audit", "--no-fund", "--silent")
    subprocess.run([npm, "ci", *quiet], cwd=sources, check=True, timeout=300)
    subprocess.run([npm, "run", "--silent", "types"], cwd=sources, check=True, timeout=120)
    built = tmp_path / "flame.html"
    subprocess.run([node, "build.js", built], cwd=sources, check=True, timeout=60)
    assert built.read_bytes() == page(), "web/flame changed: run make page"
