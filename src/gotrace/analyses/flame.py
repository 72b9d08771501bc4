"""The flame as a table: one row a node, depth first, and two profiles side by side in one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from gotrace._core import FlameTree, add_to_parents, preorder
from gotrace.analyses.call_graph import frame_columns
from gotrace.analyses.filters import Filters, apply, prepare
from gotrace.analyses.frames import FrameStacks, add_checked, frame_stacks, inverted
from gotrace.analyses.profile_columns import ProfileColumns, Tables
from gotrace.analyses.sides import Sides, sides_of, states
from gotrace.analyses.stack_source import columns_of, is_trace
from gotrace.arrays import Bools, Ints
from gotrace.tables.schema import schema

_INLINED, _CALLED = 1, 2


def flame_of(
    profile: ProfileColumns,
    value: str | None = None,
    *,
    granularity: str = "functions",
    inlines: bool = True,
    filters: Filters | None = None,
    upside_down: bool = False,
    unit: str = "minimum",
) -> pa.Table:
    """Make the table `flame` of one value type; siblings come by name. The root is the first row.

    `upside_down` grows it from the leaves of the stacks to their callers; `unit` is what the
    numbers of labels that become frames are written in. Raises `UnknownNameError`, ValueError for
    a bad pattern, OverflowError.
    """
    filters = filters or Filters()
    profile = apply(prepare(profile, filters, unit), filters)
    column = profile.type_index(value)
    values = np.ascontiguousarray(profile.values[:, column : column + 1])
    stacks = frame_stacks(profile, values, granularity, inlines=inlines)
    tree = _Tree(inverted(stacks) if upside_down else stacks)
    own = tree.at_leaves(np.column_stack([stacks.values[:, 0], stacks.samples]))
    width = tree.at_leaves(np.abs(stacks.values[:, :1]))
    sums = tree.with_below(own)
    return pa.table(
        [
            *tree.columns(),
            pa.array(own[:, 0]),
            pa.array(sums[:, 0]),
            pa.array(tree.left_edges(width[:, 0])),
            pa.array(sums[:, 1]),
        ],
        schema=schema("flame"),
    )


def flame_diff_of(
    base: ProfileColumns,
    profile: ProfileColumns,
    value: str | None = None,
    *,
    normalize: bool = False,
    granularity: str = "functions",
    inlines: bool = True,
    filters: Filters | None = None,
) -> pa.Table:
    """Make the table `flame_diff`: both sides of every node, the new and the vanished among them.

    `normalize` scales the profile to the total of the base, each stack rounded. `gained` and `lost`
    add up what grew and what shrank below a node, so that neither hides the other.
    """
    sides = sides_of(
        base,
        profile,
        value,
        normalize=normalize,
        granularity=granularity,
        inlines=inlines,
        filters=filters,
    )
    return flame_diff_table(sides)


def flame_diff_table(sides: Sides) -> pa.Table:
    """Make the table `flame_diff` of two sides."""
    tree = _Tree(sides.stacks)
    own = tree.at_leaves(sides.values)
    delta = own[:, 1] - own[:, 0]
    moved = np.column_stack([np.maximum(delta, 0), np.maximum(-delta, 0)])
    present = tree.at_leaves(sides.present)
    sums, moves, there = map(tree.with_below, (own, moved, present))
    return pa.table(
        [
            *tree.columns(),
            pa.array(own[:, 0]),
            pa.array(sums[:, 0]),
            pa.array(own[:, 1]),
            pa.array(sums[:, 1]),
            pa.array(sums[:, 1] - sums[:, 0]),
            pa.array(moves[:, 0]),
            pa.array(moves[:, 1]),
            pa.array(tree.left_edges(np.abs(own).max(axis=1))),
            pa.array(np.full(len(own), sides.scale)),
            pa.array(states(there), pa.utf8()),
        ],
        schema=schema("flame_diff"),
    )


class _Tree:
    """The tree of some stacks, its nodes numbered depth first."""

    def __init__(self, stacks: FrameStacks) -> None:
        tree = FlameTree()
        leaves = np.empty(len(stacks.values), np.int32)
        tree.insert(stacks.offsets, stacks.nodes, stacks.inlined, leaves)
        count = len(tree)
        parents, keys = np.empty(count, np.int32), np.empty(count, np.int32)
        seen = np.empty(count, np.uint8)
        tree.copy_to(parents, keys, seen)
        by_name = sorted(range(len(stacks.of)), key=lambda node: (stacks.of.components[node], node))
        rank = np.empty(len(by_name), np.int64)
        rank[by_name] = np.arange(len(by_name))
        siblings = 1 + np.lexsort((rank[keys[1:]], parents[1:]))
        self.order = np.empty(count, np.int32)
        self.depths, self.ends = np.empty(count, np.int32), np.empty(count, np.int32)
        preorder(parents, siblings.astype(np.int64), self.order, self.depths, self.ends)
        number = np.empty(count, np.int32)
        number[self.order] = np.arange(count, dtype=np.int32)
        self.parents = np.where(self.order == 0, -1, number[parents[self.order]]).astype(np.int32)
        self.keys, self.seen = keys[self.order], seen[self.order]
        self.leaves = number[leaves].astype(np.int64)
        self.nodes = stacks.of

    def at_leaves(self, values: Ints) -> Ints:
        """Sum the values of stacks at the nodes where they end."""
        sums = np.zeros((len(self.keys), values.shape[1]), np.int64)
        add_checked(self.leaves, values, sums)
        return sums

    def with_below(self, own: Ints) -> Ints:
        """Add to every node what is below it."""
        sums: Ints = np.array(own, np.int64, order="C")
        if not add_to_parents(self.parents, sums):
            raise OverflowError("a sum of values does not fit 64 bits")
        return sums

    def left_edges(self, width: Ints) -> Ints:
        """Say where each node begins when siblings stand side by side, each as wide as it needs."""
        before = np.cumsum(width) - width
        above = np.zeros(len(width), np.int64)  # widths of the ancestors alone
        by_depth = np.argsort(self.depths, kind="stable")
        starts = np.searchsorted(self.depths[by_depth], np.arange(1, self.depths.max() + 2))
        for first, last in pairwise(starts.tolist()):
            level = by_depth[first:last]
            parents = self.parents[level]
            above[level] = above[parents] + width[parents]
        edges: Ints = before - above
        return edges

    def columns(self) -> list[pa.Array]:
        """Give the columns that every flame has, the root's name being null."""
        at = self.keys[1:].astype(np.int64)
        root = [pa.nulls(1, kind) for kind in (pa.utf8(), pa.utf8(), pa.int64(), pa.uint64())]
        frames = [
            pa.concat_arrays([none, array])
            for none, array in zip(root, frame_columns(self.nodes, at), strict=True)
        ]
        names = [None, *(self.nodes.names[node] for node in at)]
        inlined: Bools = self.seen == _INLINED
        return [
            pa.array(np.arange(len(self.keys), dtype=np.int32)),
            pa.array(self.parents, mask=self.parents < 0),
            pa.array(self.depths),
            pa.array(self.ends),
            pa.array(names, pa.utf8()),
            *frames,
            pa.array(inlined, mask=self.seen == _INLINED | _CALLED),
        ]


def flame(tables: Tables, value: str | None = None, **choices: Any) -> pa.Table:
    """Make the table `flame` from a profile or a trace; `choices` as for `flame_of`.

    Of a trace `value` is a view (wall, cpu, offcpu, net, sync, syscall, sched, wakeup), and
    `choices` may say which part of it counts, as for `trace_profile`.

    Raises `UnknownNameError` for a type of value, or a view, that there is none of, ValueError for
    a bad pattern, OverflowError.
    """
    columns = columns_of(tables, value, choices)
    return flame_of(columns, value, **choices)


def diff(base: Any, tables: Any, value: str | None = None, **choices: Any) -> pa.Table:
    """Make the table `flame_diff` from two profiles; `choices` as for `flame_diff_of`.

    Of two traces without a `value` the table is `trace_diff`; with one it is a view, as for
    `flame`. Raises what `flame` raises, ValueError for values that cannot be compared.
    """
    if value is None and is_trace(base) and is_trace(tables):
        from gotrace.analyses.trace_diff import trace_diff

        return trace_diff(base, tables, **choices)
    before = columns_of(base, value, dict(choices))
    after = columns_of(tables, value, choices)
    return flame_diff_of(before, after, value, **choices)
