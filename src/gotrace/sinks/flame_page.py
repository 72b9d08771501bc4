"""Flame tables as one HTML page that needs no server, no network and nothing installed.

The page itself is built from `web/flame` and ships as `page/flame.html`; what is added here is its
data, one JSON document in a script element that no browser runs. A flame goes in as the depth, the
frame and the own value of each node, depth first: all else follows from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from gotrace import __version__
from gotrace.analyses.units import FAMILIES
from gotrace.arrays import Bools, Ints
from gotrace.sinks.aside import Target, opened
from gotrace.sinks.text import safe

MAX_NODES: Final = 1_000_000
"""Nodes of one flame that a page holds; a browser on a laptop still opens it within seconds."""

_DATA: Final = b"@@DATA@@"
_OTHER: Final = "(other)"
_SCHEMES: Final = frozenset({"", "https", "http", "mailto"})


@dataclass(frozen=True)
class PageFlame:
    """One of the flames that a page switches between.

    Args:
        flame: the table `flame` or `flame_diff`.
        value: what it measures, as people call it: `cpu`, `inuse_space`, `off-CPU time`.
        unit: the unit of its values, as profiles spell it: `nanoseconds`, `bytes`, `count`.
    """

    flame: pa.Table
    value: str
    unit: str = ""


def write_flame_page(
    flames: Sequence[PageFlame],
    target: Target,
    *,
    title: str,
    facts: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    shown: int = 0,
    max_nodes: int = MAX_NODES,
    overwrite: bool = False,
) -> int:
    r"""Write the page and return the number of nodes of its flames that were left out.

    Args:
        flames: at least one; those with the same nodes share them in the file.
        target: a path, or a binary file.
        title: heading and title of the page.
        facts: what else the heading says, by name: the duration, the build, the filters.
        links: text and address of links in the heading: http, https, mailto, or relative.
        shown: position of the flame that is shown first.
        max_nodes: nodes kept of each flame, the widest ones; what lies below a node that was kept
            is one node `(other)` then, so that sums stay what they are.
        overwrite: whether a file that is there is replaced.

    Raises ValueError for no flame and for an address that is none of those, `FileExistsError`,
    `OSError`. Control, bidi and invisible characters in names are written as `\x1b`, `\u202e`.
    """
    if not flames:
        raise ValueError("a page needs at least one flame")
    head, tail = page().split(_DATA)
    document = _Document(max_nodes)
    for flame in flames:
        document.add(flame)
    heading = {
        "title": safe(title),
        "generator": f"gotrace {__version__}",
        "facts": [[safe(name), safe(text)] for name, text in (facts or {}).items()],
        "links": [[safe(text), _address(href)] for text, href in (links or {}).items()],
        "shown": range(len(flames))[shown],
    }
    with opened(target, "writing the page", overwrite=overwrite) as file:
        file.write(head)
        for piece in document.pieces(heading):
            file.write(piece.encode())
        file.write(tail)
    return document.left_out


def page() -> bytes:
    """Return the built page, with a mark where its data go."""
    return resources.files(__package__).joinpath("page/flame.html").read_bytes()


def _address(href: str) -> str:
    if urlsplit(href.strip()).scheme not in _SCHEMES:
        raise ValueError(f"a link of a page is http, https, mailto or relative, not {href!r}")
    return href


class _Document:
    """The JSON document: frames once, each tree once, the values of each flame."""

    def __init__(self, max_nodes: int) -> None:
        self.max_nodes = max_nodes
        self.frames: dict[tuple[str, str | None, int | None, int | None], int] = {}
        self.trees: list[tuple[Ints, Ints, str]] = []
        self.flames: list[dict[str, Any]] = []
        self.left_out = 0

    def add(self, given: PageFlame) -> None:
        """Take in one flame."""
        nodes = _Nodes.of(given.flame, self._frames_of(given.flame))
        kept = nodes.widest(self.max_nodes, self._frame((_OTHER, None, None, None)))
        left_out = len(nodes.depth) - int((kept.frame != kept.other).sum())
        self.left_out += left_out
        flame = {
            "value": safe(given.value),
            "unit": safe(given.unit),
            "scales": _scales(given.unit),
            "tree": self._tree(kept.depth, kept.frame, kept.inlined),
            "leftOut": left_out,
            "self": kept.values[-1].tolist(),
        }
        if len(kept.values) == 2:
            flame["base"] = kept.values[0].tolist()
            flame["scale"] = given.flame.column("scale")[0].as_py()
        self.flames.append(flame)

    def pieces(self, heading: dict[str, Any]) -> Iterator[str]:
        """Yield the document in parts, its text harmless inside a script element."""
        names, files, lines, addresses = zip(*self.frames, strict=True)
        paths = {path: at for at, path in enumerate(dict.fromkeys(files))}
        frames = {
            "name": [safe(name) for name in names],
            "path": [safe(path or "") for path in paths],
            "file": [paths[path] for path in files],
            "line": lines,
            "address": [None if at is None else f"{at:#x}" for at in addresses],
        }
        yield _json(heading)[:-1] + ',"frames":' + _json(frames) + ',"trees":['
        for at, (depth, frame, inlined) in enumerate(self.trees):
            tree = {"depth": depth.tolist(), "frame": frame.tolist(), "inlined": inlined}
            yield ("," if at else "") + _json(tree)
        yield '],"flames":['
        for at, flame in enumerate(self.flames):
            yield ("," if at else "") + _json(flame)
        yield "]}"

    def _frame(self, key: tuple[str, str | None, int | None, int | None]) -> int:
        return self.frames.setdefault(key, len(self.frames))

    def _frames_of(self, flame: pa.Table) -> Ints:
        """Give the frame of each node; the root, which is none, gets that of no name."""
        columns = [flame.column(name).combine_chunks() for name in _FRAME]
        distinct, first = _distinct([column.dictionary_encode() for column in columns])
        rows = pa.table(columns, names=_FRAME).take(pa.array(first)).to_pylist()
        numbers = [
            self._frame((row["name"] or "", row["file"], row["line"], row["address"]))
            for row in rows
        ]
        return np.array(numbers, np.int64)[distinct]

    def _tree(self, depth: Ints, frame: Ints, inlined: str) -> int:
        for at, (other_depth, other_frame, other_inlined) in enumerate(self.trees):
            if (
                inlined == other_inlined
                and np.array_equal(depth, other_depth)
                and np.array_equal(frame, other_frame)
            ):
                return at
        self.trees.append((depth, frame, inlined))
        return len(self.trees) - 1


_FRAME: Final = ["name", "file", "line", "address"]


@dataclass(frozen=True)
class _Nodes:
    """Nodes of a flame, depth first; `inlined` has a character for each: 0 no, 1 yes, 2 both."""

    depth: Ints
    frame: Ints
    inlined: str
    values: list[Ints]  # own values, the base before the other
    end: Ints
    other: int = -1

    @classmethod
    def of(cls, flame: pa.Table, frame: Ints) -> _Nodes:
        names = [name for name in ("base_self", "self") if name in flame.column_names]
        inlined = flame.column("inlined").to_pylist()
        return cls(
            _ints(flame, "depth"),
            frame,
            "".join("2" if flag is None else "01"[flag] for flag in inlined),
            [_ints(flame, name) for name in names],
            _ints(flame, "subtree_end"),
        )

    def widest(self, count: int, other: int) -> _Nodes:
        """Keep the widest nodes and give each what was cut off below it as one more child."""
        if len(self.depth) <= count:
            return self
        own = np.max(np.abs(self.values), axis=0).astype(np.float64)
        before = np.concatenate([[0.0], np.cumsum(own)])
        width = before[self.end] - before[:-1]
        # Above stands before below, so that equal widths never keep a node without its parent.
        kept = np.zeros(len(width), bool)
        kept[np.argsort(-width, kind="stable")[: max(count, 1)]] = True
        above = _last_kept_above(self.depth, kept)
        orphans = np.flatnonzero(~kept)
        parents = np.unique(above[orphans])
        slot = np.searchsorted(parents, above[orphans])
        # A node (other) comes last below its parent: where the parent's subtree ends.
        nodes = np.concatenate([np.flatnonzero(kept), parents])
        is_other = np.arange(len(nodes)) >= kept.sum()
        place = np.where(is_other, self.end[nodes], nodes)
        order = np.lexsort((np.where(is_other, -self.depth[nodes], 1), place))
        nodes, is_other = nodes[order], is_other[order]
        values = []
        for value in self.values:
            cut = np.zeros(len(parents), np.int64)
            np.add.at(cut, slot, value[orphans])
            both = value[nodes]
            both[is_other] = cut[np.searchsorted(parents, nodes[is_other])]
            values.append(both)
        inlined = np.frombuffer(self.inlined.encode(), np.uint8)[nodes].copy()
        inlined[is_other] = ord("0")
        depth = self.depth[nodes] + is_other
        return _Nodes(
            depth,
            np.where(is_other, other, self.frame[nodes]),
            inlined.tobytes().decode(),
            values,
            np.zeros(0, np.int64),
            other,
        )


def _last_kept_above(depth: Ints, kept: Bools) -> Ints:
    """Give each node the nearest node above it, or itself, that was kept."""
    path = np.zeros(int(depth.max()) + 1, np.int64)
    above = np.empty(len(depth), np.int64)
    for node, (level, stays) in enumerate(zip(depth.tolist(), kept.tolist(), strict=True)):
        path[level] = node if stays else path[level - 1]
        above[node] = path[level]
    return above


def _distinct(columns: list[pa.DictionaryArray]) -> tuple[Ints, Ints]:
    """Give each row the number of what it holds, and each number its first row."""
    codes = np.zeros(len(columns[0]), np.int64)
    first = np.zeros(1, np.int64)
    for column in columns:
        code = column.indices.fill_null(len(column.dictionary)).to_numpy().astype(np.int64)
        _, first, codes = np.unique(
            codes * (len(column.dictionary) + 1) + code, return_index=True, return_inverse=True
        )
    return codes.reshape(-1), first


def _ints(flame: pa.Table, name: str) -> Ints:
    column: Ints = flame.column(name).to_numpy().astype(np.int64)
    return column


def _scales(unit: str) -> list[dict[str, str | float]]:
    """Give the units of the same quantity, smallest first, each with its size in this one."""
    for family in FAMILIES:
        given = family.find(unit)
        if given is not None:
            sizes = sorted((each.size / given.size, each.name) for each in family.units)
            return [{"name": name, "size": size} for size, name in sizes]
    return []


def _json(value: Any) -> str:
    """Write JSON that ends no script element and has no line that only JavaScript breaks."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
