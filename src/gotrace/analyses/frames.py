"""Frames at a granularity, and stacks of them: what trees and call graphs are made of."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gotrace._core import add_rows, distinct_lists, expand_lists
from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.arrays import Ints, Rows
from gotrace.errors import LimitError, unknown_name
from gotrace.limits import DEFAULT
from gotrace.tables.profile_raw import as_ints

GRANULARITIES: Final = ("functions", "filefunctions", "files", "lines", "addresses")
"""What makes two frames one; pprof's words."""

_BYTES_OF_A_FRAME: Final = 32
"""What a frame of a distinct stack may take in a tree of them."""

_COLUMNS = ("function", "file", "line", "column", "address", "object", "start_line")


@dataclass(frozen=True)
class Nodes:
    """The distinct frames.

    Attributes:
        functions, files, objects: "" for none.
        lines, columns: 0 for none.
        addresses: uint64, 0 for none.
        label_frames: whether a frame is a label's value (tagroot, tagleaf).
    """

    functions: list[str]
    files: list[str]
    objects: list[str]
    lines: Ints
    columns: Ints
    addresses: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.functions)

    @cached_property
    def components(self) -> list[tuple[str, ...]]:
        """The parts of each printed name, which names are sorted by."""
        return [self._parts(node) for node in range(len(self))]

    @cached_property
    def names(self) -> list[str]:
        """The printed names, as pprof prints them."""
        return [" ".join(parts) for parts in self.components]

    def _parts(self, node: int) -> tuple[str, ...]:
        parts = []
        function, file, line = self.functions[node], self.files[node], int(self.lines[node])
        if self.addresses[node]:
            parts.append(f"{int(self.addresses[node]):016x}")
        if function:
            parts.append(function)
        if line:
            column = f":{self.columns[node]}" if self.columns[node] else ""
            parts.append(f"{file}:{line}{column}")
        elif file:
            parts.append(file)
        elif not function:
            base = posixpath.basename(self.objects[node].rstrip("/"))
            parts.append(f"[{base}]" if self.objects[node] else "<unknown>")
        return tuple(parts)


Located: TypeAlias = tuple[Ints, Ints, Rows, Ints, npt.NDArray[np.int32], npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class FrameStacks:
    """Distinct stacks of nodes, and what was measured at them.

    Attributes:
        starts, ends: where each stack lies in `locations`, leaf first.
        entry_offsets, entry_nodes, entry_inlined: the frames of each location, innermost first.
        values: one row a stack, one column a value.
        samples: how many samples each stack stands for.
        of_samples: the stack of each sample that has a value.
        leaf_first: whether `nodes` have each stack's leaf first, else its root.
    """

    of: Nodes
    starts: Ints
    ends: Ints
    locations: Rows
    entry_offsets: Ints
    entry_nodes: npt.NDArray[np.int32]
    entry_inlined: npt.NDArray[np.uint8]
    values: Ints
    samples: Ints
    of_samples: Ints
    leaf_first: bool = False

    @property
    def located(self) -> Located:
        """The stacks as the core walks them."""
        entries = (self.entry_offsets, self.entry_nodes, self.entry_inlined)
        return self.starts, self.ends, self.locations, *entries

    @cached_property
    def _expanded(self) -> tuple[Ints, npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
        offsets = np.empty(len(self.starts) + 1, np.int64)
        nodes, inlined = np.empty(0, np.int32), np.empty(0, np.uint8)
        expand_lists(*self.located, offsets, nodes, inlined, self.leaf_first)
        if (wanted := _BYTES_OF_A_FRAME * int(offsets[-1])) > DEFAULT.memory_bytes:
            raise LimitError(
                f"stacks of {offsets[-1]} frames would take {wanted} bytes, more than "
                f"{DEFAULT.memory_bytes} (limit memory_bytes)"
            )
        nodes, inlined = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.uint8)
        expand_lists(*self.located, offsets, nodes, inlined, self.leaf_first)
        return offsets, nodes, inlined

    @property
    def offsets(self) -> Ints:
        """Where the frames of each stack begin, and the last one ends."""
        return self._expanded[0]

    @property
    def nodes(self) -> npt.NDArray[np.int32]:
        """The frames of all stacks."""
        return self._expanded[1]

    @property
    def inlined(self) -> npt.NDArray[np.uint8]:
        """Whether each frame is an inlined one."""
        return self._expanded[2]


def inverted(stacks: FrameStacks) -> FrameStacks:
    """Turn every stack around, so that trees of them grow from the leaves to their callers."""
    return replace(stacks, leaf_first=not stacks.leaf_first)


def frame_stacks(
    profile: ProfileColumns,
    values: Ints,
    granularity: str = "functions",
    *,
    inlines: bool = True,
    compat: str | None = None,
) -> FrameStacks:
    """Make stacks of frames; `values` has one row a sample. Samples without a value are left out.

    Raises `UnknownNameError` for a granularity that is none, OverflowError when a sum does not fit
    64 bits.
    """
    if granularity not in GRANULARITIES:
        raise unknown_name("granularity", granularity, GRANULARITIES)
    nodes, entry_offsets, entry_nodes, inlined = _nodes(profile, granularity, inlines, compat)
    starts, ends = profile.offsets[:-1], profile.offsets[1:]
    has_value = values.any(axis=1)
    if not has_value.all():
        starts, ends, values = starts[has_value], ends[has_value], values[has_value]
    ids = np.empty(len(values), np.int64)
    firsts = as_ints(distinct_lists(starts, ends, profile.locations, ids))
    sums = np.zeros((len(firsts), values.shape[1]), np.int64)
    add_checked(ids, values, sums)
    return FrameStacks(
        of=nodes,
        starts=starts[firsts],
        ends=ends[firsts],
        locations=profile.locations,
        entry_offsets=entry_offsets,
        entry_nodes=entry_nodes,
        entry_inlined=inlined,
        values=sums,
        samples=np.bincount(ids, minlength=len(firsts)).astype(np.int64),
        of_samples=ids,
    )


def add_checked(ids: Ints, values: Ints, sums: Ints) -> None:
    """Add rows; OverflowError when a sum does not fit 64 bits."""
    if not add_rows(ids, np.ascontiguousarray(values), sums):
        raise OverflowError("a sum of values does not fit 64 bits")


def _nodes(
    profile: ProfileColumns, granularity: str, inlines: bool, compat: str | None
) -> tuple[Nodes, Ints, npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Give the nodes, and the node of every line; a location without lines has one all the same."""
    sizes = np.diff(profile.line_offsets)
    wanted = np.ones(len(sizes), np.int64) if not inlines else np.maximum(sizes, 1)
    line_offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(wanted)])
    location = np.repeat(np.arange(len(sizes)), wanted)
    back = line_offsets[1:][location] - 1 - np.arange(len(location))  # 0: the outermost line
    line = profile.line_offsets[1:][location] - 1 - back
    bare = (sizes == 0)[location]
    line[bare] = 0

    def of_line(column: Ints, none: int) -> Ints:
        if not len(column):
            return np.full(len(line), none, np.int64)
        return np.where(bare, none, column[line])

    function = of_line(profile.functions, -1)
    named = granularity != "files"
    names = _Texts(profile.function_names if named else [""] * len(profile.function_names))
    filed = granularity != "functions"
    files = _Texts([clean_path(f) if filed else "" for f in profile.function_files])
    objects = _Texts(profile.mapping_files)
    exact = granularity == "addresses"
    lined = granularity in ("lines", "addresses")
    columns = {name: np.zeros(len(line), np.int64) for name in _COLUMNS}
    columns["function"] = names.of(function)
    columns["file"] = files.of(function)
    has_function = function >= 0
    if lined:
        columns["line"] = np.where(has_function, of_line(profile.lines, 0), 0)
    if exact:
        columns["address"] = profile.addresses.view(np.int64)[location]
        if inlines:
            columns["column"] = np.where(has_function, of_line(profile.columns, 0), 0)
    nameless = columns["function"] == 0
    columns["object"] = np.where(nameless, objects.of(profile.mappings[location]), 0)
    if compat == "go" and len(profile.function_starts):
        # Go tells the functions of one file apart by their start lines, and prints one name.
        starts = profile.function_starts[np.maximum(function, 0)]
        columns["start_line"] = np.where(nameless & has_function, starts, 0)
    rows = np.stack([columns[name] for name in _COLUMNS], axis=1)
    distinct, node_of_line = np.unique(rows, axis=0, return_inverse=True)
    at = dict(zip(_COLUMNS, distinct.T, strict=True))
    nodes = Nodes(
        functions=[names.texts[i] for i in at["function"]],
        files=[files.texts[i] for i in at["file"]],
        objects=[objects.texts[i] for i in at["object"]],
        lines=at["line"],
        columns=at["column"],
        addresses=at["address"].astype(np.int64).view(np.uint64),
    )
    inlined = (back > 0).astype(np.uint8)
    return nodes, line_offsets, node_of_line.reshape(-1).astype(np.int32), inlined


class _Texts:
    """Distinct texts, numbered; 0 is the empty one."""

    def __init__(self, texts: list[str] | tuple[str, ...]) -> None:
        numbers = {"": 0}
        codes = [numbers.setdefault(text, len(numbers)) for text in texts]
        self.codes = np.array([*codes, 0], np.int64)
        self.texts = list(numbers)

    def of(self, positions: Ints) -> Ints:
        """Give the numbers of the texts at positions; -1 is none."""
        found: Ints = self.codes[positions]
        return found


def clean_path(path: str) -> str:
    """Take `.`, `..` and double slashes out of a path, as Go does; "" stays."""
    if not path:
        return ""
    clean = posixpath.normpath(path)
    return clean[1:] if clean.startswith("//") else clean
