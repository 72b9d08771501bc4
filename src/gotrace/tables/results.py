"""The tables that analyses give, described as `schema` describes what files hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from gotrace.tables.columns import WALL, Column, Table, f64, flag, i32, i64, listing, text, u64
from gotrace.tables.trace_results import TRACE_RESULTS

_FRAME = (
    text("function", "function; null for a frame without one, or when files are asked for"),
    text("file", "source file, where files, lines or addresses are asked for"),
    i64("line", "line, where lines or addresses are asked for"),
    u64("address", "address, where addresses are asked for"),
)
_TREE = (
    i32("node", "number of the node, depth first from 0, the root of all", need=True),
    i32("parent", "node above; null for the root"),
    i32("depth", "nodes above it", need=True),
    i32("subtree_end", "first node behind everything below this one", need=True),
    text("name", "the frame as it is printed; null for the root"),
    *_FRAME,
    flag("inlined", "the frame is inlined into its caller; null where it is both", need=False),
)


TOTAL: Final = pa.struct(
    [
        pa.field("type", pa.utf8(), nullable=False),
        pa.field("unit", pa.utf8(), nullable=False),
        pa.field("value", pa.int64(), nullable=False),
    ]
)
"""What the values of one type add up to."""


_FLAME = Table(
    "flame",
    "node of a flame graph: a frame below a path of callers",
    ("node",),
    frozenset(),
    (
        *_TREE,
        i64("self", "value of the stacks that end here, in the unit of the value type", need=True),
        i64("total", "value of the stacks that pass here", need=True),
        i64("x", "left edge, when siblings stand side by side in order", need=True),
        i64("samples", "samples that pass here", need=True),
    ),
    "A node's descendants are the rows up to `subtree_end`. Siblings come by name.",
)

_FLAME_DIFF = Table(
    "flame_diff",
    "node of the flame graphs of two profiles, in one or in both",
    ("node",),
    frozenset(),
    (
        *_TREE,
        i64("base_self", "value in the base of the stacks that end here", need=True),
        i64("base_total", "value in the base of the stacks that pass here", need=True),
        i64("self", "value in the other of the stacks that end here", need=True),
        i64("total", "value in the other of the stacks that pass here", need=True),
        i64("delta", "total - base_total", need=True),
        i64("gained", "sum of what grew at and below it, node by node", need=True),
        i64("lost", "sum of what shrank at and below it, node by node", need=True),
        i64("x", "left edge, when a node is as wide as its larger side", need=True),
        f64("scale", "what the other's values were multiplied by; 1 if not normalized", need=True),
        text("state", "both, new (not in the base) or gone (in the base alone)", need=True),
    ),
    "Both sides of every node are kept, so what grew and what shrank below it do not cancel.",
)

_TOP = Table(
    "top",
    "function, file, line or address that values were spent in",
    (),
    frozenset(),
    (
        i32("node", "number of the node; joins `edges`", need=True),
        text("name", "the frame as it is printed", need=True),
        *_FRAME,
        i64("flat", "value spent in itself", need=True),
        f64("flat_share", "|flat| as a share of the total before filters", need=True),
        i64("cum", "value spent in it and in what it calls; recursion counts once", need=True),
        f64("cum_share", "|cum| as a share of the total before filters", need=True),
        i64("stacks", "distinct stacks it is on", need=True),
        flag("inlined", "it is inlined into its callers; null for into some", need=False),
    ),
    "Sorted by |flat| or |cum|, then name.",
)

_TOP_DIFF = Table(
    "top_diff",
    "function, file, line or address of two profiles, in one or in both",
    (),
    frozenset(),
    (
        text("name", "the frame as it is printed", need=True),
        *_FRAME,
        i64("base_flat", "value in the base spent in itself", need=True),
        i64("flat", "value in the other spent in itself", need=True),
        i64("flat_delta", "flat - base_flat", need=True),
        i64("base_cum", "value in the base spent in it and in what it calls", need=True),
        i64("cum", "value in the other spent in it and in what it calls", need=True),
        i64("cum_delta", "cum - base_cum", need=True),
        f64("scale", "what the other's values were multiplied by; 1 if not normalized", need=True),
        text("state", "both, new (not in the base) or gone (in the base alone)", need=True),
    ),
    "What moved most comes first.",
)

_SOURCE_LINES = Table(
    "source_lines",
    "line of a function that values were spent in",
    ("function", "file", "line"),
    frozenset(),
    (
        text("function", "the function", need=True),
        text("file", "its source file"),
        i64("line", "the line; null for unknown"),
        i64("flat", "value spent in the line itself", need=True),
        f64("flat_share", "|flat| as a share of the total before filters", need=True),
        i64("cum", "value spent in it and in what it calls; recursion counts once", need=True),
        f64("cum_share", "|cum| as a share of the total before filters", need=True),
        text("source", "text of the line; null where the file was not found"),
    ),
)

_EDGES = Table(
    "edges",
    "caller and callee",
    (),
    frozenset(),
    (
        i32("caller", "node of the caller; joins `top`", need=True),
        text("caller_name", "its name", need=True),
        i32("callee", "node of the callee; joins `top`", need=True),
        text("callee_name", "its name", need=True),
        i64("value", "value of the stacks with this call; recursion counts once", need=True),
        flag("inlined", "every such call is inlined"),
        flag("residual", "frames between the two were left out"),
    ),
    "The heaviest first.",
)

_TAGS = Table(
    "tags",
    "value of a label",
    (),
    frozenset(),
    (
        text("key", "the label's key", need=True),
        text("label", "its value; numbers with their unit", need=True),
        i64("value", "value of the samples with it", need=True),
        f64("share", "|value| as a share of the total before filters", need=True),
        i64("samples", "samples with it", need=True),
    ),
    "Keys and values with the most first.",
)

_TRACES = Table(
    "traces",
    "sample: its stack, value and labels",
    (),
    frozenset(),
    (
        i64("sample", "position among the samples that the filters leave", need=True),
        i64("value", "its value", need=True),
        listing("frames", pa.utf8(), "printed names, leaf first"),
        listing("inlined", pa.bool_(), "whether each frame is inlined into the next"),
        listing("labels", pa.utf8(), "its labels, `key: values`, by key"),
    ),
)

_MERGED = Table(
    "merged",
    "group of profiles that were added up",
    (),
    frozenset(),
    (
        text("group", "what it is the group of, with commas between; null without groups"),
        text("file", "where the sum was written; null for nowhere"),
        i64("profiles", "profiles that were added", need=True),
        Column("first_time", WALL, "time of the first profile; null for unknown"),
        Column("last_time", WALL, "time of the last one"),
        i64("restarts", "how often the process began anew; null where no deltas were taken"),
        i64("samples", "samples of the sum: distinct stacks and labels", need=True),
        listing("totals", TOTAL, "sum of each value type"),
    ),
)

RESULTS: Final[Mapping[str, Table]] = {
    **{
        table.name: table
        for table in (
            _FLAME,
            _FLAME_DIFF,
            _TOP,
            _TOP_DIFF,
            _SOURCE_LINES,
            _EDGES,
            _TAGS,
            _TRACES,
            _MERGED,
        )
    },
    **TRACE_RESULTS,
}
"""Every table that an analysis gives, in the order of the docs page."""
