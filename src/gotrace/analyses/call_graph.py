"""Who spends and who calls whom: the tables `top` and `edges`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gotrace._core import CallGraph
from gotrace.analyses.filters import Filters, apply, prepare
from gotrace.analyses.frames import FrameStacks, Nodes, frame_stacks
from gotrace.analyses.profile_columns import ProfileColumns, Tables
from gotrace.analyses.stack_source import columns_of
from gotrace.arrays import Bools, Ints
from gotrace.tables.schema import schema

Sort = Literal["flat", "cum"]


@dataclass(frozen=True)
class Trim:
    """What of a call graph is too small to show; 0 trims nothing.

    Attributes:
        node_count: at most this many nodes, those with the most.
        node_fraction: nodes below this share of the total go.
        edge_fraction: edges below this share of the total go.
    """

    node_count: int = 0
    node_fraction: float = 0.0
    edge_fraction: float = 0.0


@dataclass(frozen=True)
class Graph:
    """A call graph; `nodes` are the positions in `of` that are left, in order of the sort.

    Attributes:
        total: what shares are of: sum of the absolute values before the filters.
        flat, cum, stacks: by position in `of`.
        callers, callees, values, inlined, residual: the edges.
        dropped: nodes that are below the fraction.
        found: nodes before anything was trimmed.
        samples: samples that the filters left.
    """

    of: Nodes
    nodes: Ints
    total: int
    flat: Ints
    cum: Ints
    stacks: Ints
    callers: npt.NDArray[np.int32]
    callees: npt.NDArray[np.int32]
    values: Ints
    inlined: Bools
    residual: Bools
    dropped: int = 0
    found: int = 0
    samples: int = 0


def total_of(values: Ints, profile: ProfileColumns) -> int:
    """Give what shares are of: sum of absolute values, of the base alone where there is one."""
    is_base = np.array(
        [
            any(lab.key == "pprof::base" and lab.text == "true" for lab in labels)
            for labels in profile.label_sets
        ],
        np.bool_,
    )[profile.labels]
    base = int(np.abs(values[is_base]).sum())
    return base or int(np.abs(values).sum())


def call_graph(
    profile: ProfileColumns,
    value: str | None = None,
    *,
    granularity: str = "functions",
    inlines: bool = True,
    filters: Filters | None = None,
    trim: Trim | None = None,
    sort: Sort = "flat",
    relative: bool = False,
    drop_negative: bool = False,
    unit: str = "minimum",
    compat: str | None = None,
) -> Graph:
    """Make the call graph of one value type. A function counts once a stack, however it recurses.

    `relative` takes shares of what the filters leave; `unit` is what the numbers of labels that
    become frames are written in. Raises `UnknownNameError`, ValueError for a bad pattern,
    OverflowError.
    """
    filters, trim = filters or Filters(), trim or Trim()
    profile = prepare(profile, filters, unit)
    column = profile.type_index(value)
    total = total_of(profile.values[:, column], profile)
    profile = apply(profile, filters)
    values = np.ascontiguousarray(profile.values[:, column : column + 1])
    if relative:
        total = total_of(values[:, 0], profile)
    stacks = frame_stacks(profile, values, granularity, inlines=inlines, compat=compat)
    graph = graph_of(stacks, trim, sort, total=total, drop_negative=drop_negative)
    return replace(graph, samples=len(profile.labels))


def graph_of(
    stacks: FrameStacks,
    trim: Trim,
    sort: Sort = "flat",
    *,
    total: int = 0,
    drop_negative: bool = False,
) -> Graph:
    """Make the call graph of stacks, each with one value; shares are of `total`."""

    def build(kept: Bools) -> Graph:
        return _build(stacks, kept, total, sort, drop_negative)

    graph = build(np.ones(len(stacks.of), np.bool_))
    found = len(graph.nodes)
    spent = int(graph.flat[graph.nodes].sum())
    node_cutoff = abs(int(spent * trim.node_fraction))
    edge_cutoff = abs(int(spent * trim.edge_fraction))
    dropped = 0
    if node_cutoff:
        large = np.abs(graph.cum[graph.nodes]) >= node_cutoff
        if not large.all():
            dropped = int((~large).sum())
            graph = build(_mask(len(stacks.of), graph.nodes[large]))
    if trim.node_count and len(graph.nodes) > trim.node_count:
        graph = build(_mask(len(stacks.of), graph.nodes[: trim.node_count]))
    return replace(_without_small_edges(graph, edge_cutoff), dropped=dropped, found=found)


def _mask(count: int, positions: Ints) -> Bools:
    mask = np.zeros(count, np.bool_)
    mask[positions] = True
    return mask


def _build(stacks: FrameStacks, kept: Bools, total: int, sort: Sort, drop_negative: bool) -> Graph:
    count = len(stacks.of)
    flat, cum, seen = (np.zeros(count, np.int64) for _ in range(3))
    calls = CallGraph()
    calls.build(
        *stacks.located,
        kept.view(np.uint8),
        np.ascontiguousarray(stacks.values[:, 0]),
        flat,
        cum,
        seen,
    )
    callers, callees = np.empty(len(calls), np.int32), np.empty(len(calls), np.int32)
    values = np.empty(len(calls), np.int64)
    inlined, residual = np.empty(len(calls), np.uint8), np.empty(len(calls), np.uint8)
    calls.copy_to(callers, callees, values, inlined, residual)
    shown = kept & ((flat != 0) | (cum != 0))
    if drop_negative:
        shown &= ~((flat < 0) | ((flat == 0) & (cum < 0)))
    first, second = (flat, cum) if sort == "flat" else (cum, flat)
    names = stacks.of.components
    nodes = sorted(
        np.flatnonzero(shown).tolist(),
        key=lambda node: (-abs(int(first[node])), names[node], -abs(int(second[node])), node),
    )
    return Graph(
        stacks.of,
        np.array(nodes, np.int64),
        total,
        flat,
        cum,
        seen,
        callers,
        callees,
        values,
        inlined.view(np.bool_),
        residual.view(np.bool_),
    )


def _without_small_edges(graph: Graph, cutoff: int) -> Graph:
    shown = _mask(len(graph.of), graph.nodes)
    keep = (np.abs(graph.values) >= cutoff) & shown[graph.callers] & shown[graph.callees]
    rank = np.argsort(np.argsort(np.array(graph.of.names, np.object_)))
    order = np.flatnonzero(keep)
    order = order[
        np.lexsort(
            (rank[graph.callees[order]], rank[graph.callers[order]], -np.abs(graph.values[order]))
        )
    ]
    return replace(
        graph,
        callers=graph.callers[order],
        callees=graph.callees[order],
        values=graph.values[order],
        inlined=graph.inlined[order],
        residual=graph.residual[order],
    )


def top_table(graph: Graph) -> pa.Table:
    """Give the nodes as the table `top`, in the order of the sort."""
    at = graph.nodes
    called = np.zeros((2, len(graph.of)), np.bool_)
    called[graph.inlined.astype(np.int64), graph.callees] = True
    inlined = [
        None if called[0, node] and called[1, node] else bool(called[1, node]) for node in at
    ]
    share = 1 / graph.total if graph.total else 0.0
    return pa.table(
        [
            pa.array(at.astype(np.int32)),
            pa.array([graph.of.names[node] for node in at], pa.utf8()),
            *frame_columns(graph.of, at),
            pa.array(graph.flat[at]),
            pa.array(np.abs(graph.flat[at]) * share),
            pa.array(graph.cum[at]),
            pa.array(np.abs(graph.cum[at]) * share),
            pa.array(graph.stacks[at]),
            pa.array(inlined, pa.bool_()),
        ],
        schema=schema("top"),
    )


def edge_table(graph: Graph) -> pa.Table:
    """Give the edges as the table `edges`, the heaviest first."""
    return pa.table(
        [
            pa.array(graph.callers),
            pa.array([graph.of.names[node] for node in graph.callers], pa.utf8()),
            pa.array(graph.callees),
            pa.array([graph.of.names[node] for node in graph.callees], pa.utf8()),
            pa.array(graph.values),
            pa.array(graph.inlined),
            pa.array(graph.residual),
        ],
        schema=schema("edges"),
    )


def frame_columns(of: Nodes, at: Ints) -> list[pa.Array]:
    """Give function, file, line and address of nodes, null for none."""
    lines, addresses = of.lines[at], of.addresses[at]
    return [
        pa.array([of.functions[node] or None for node in at], pa.utf8()),
        pa.array([of.files[node] or None for node in at], pa.utf8()),
        pa.array(lines, mask=lines == 0),
        pa.array(addresses, mask=addresses == 0),
    ]


def top(tables: Tables, value: str | None = None, **choices: Any) -> pa.Table:
    """Say where values were spent, function by function: the table `top`, the most first.

    Of a trace `value` is a view; `choices` are those of `call_graph` and, of a trace, of
    `trace_profile`.

    Raises `UnknownNameError` for a type of value, or a view, that there is none of, ValueError for
    a bad pattern, OverflowError.
    """
    columns = columns_of(tables, value, choices)
    return top_table(call_graph(columns, value, **choices))


def edges(tables: Tables, value: str | None = None, **choices: Any) -> pa.Table:
    """Say who calls whom, and what that costs: the table `edges`; otherwise as `top`."""
    columns = columns_of(tables, value, choices)
    return edge_table(call_graph(columns, value, **choices))
