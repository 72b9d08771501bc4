"""Which functions gained and which lost between two profiles: the table `top_diff`."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pyarrow as pa

from gotrace.analyses.call_graph import Trim, frame_columns, graph_of
from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.analyses.sides import Sides, one_side, sides_of, states
from gotrace.tables.schema import schema


def top_diff_of(
    base: ProfileColumns,
    profile: ProfileColumns,
    value: str | None = None,
    *,
    sort: Literal["flat", "cum"] = "flat",
    **choices: Any,
) -> pa.Table:
    """Make the table `top_diff`, what moved most first; `choices` as for `sides_of`."""
    return top_diff_table(sides_of(base, profile, value, **choices), sort)


def top_diff_table(sides: Sides, sort: Literal["flat", "cum"] = "flat") -> pa.Table:
    """Make the table of two sides; a function that is on neither is in no row."""
    graphs = [graph_of(one_side(sides, side), Trim(), sort) for side in (0, 1)]
    flat, cum = (np.column_stack([getattr(g, name) for g in graphs]) for name in ("flat", "cum"))
    present = np.column_stack([_present(sides, side) for side in (0, 1)])
    moved, other = (flat, cum) if sort == "flat" else (cum, flat)
    names = sides.stacks.of.names
    at = np.array(
        sorted(
            np.flatnonzero(present.any(axis=1)).tolist(),
            key=lambda node: (
                -abs(int(moved[node, 1] - moved[node, 0])),
                -abs(int(other[node, 1] - other[node, 0])),
                names[node],
                node,
            ),
        ),
        np.int64,
    )
    return pa.table(
        [
            pa.array([names[node] for node in at], pa.utf8()),
            *frame_columns(sides.stacks.of, at),
            *(pa.array(column) for column in (flat[at, 0], flat[at, 1])),
            pa.array(flat[at, 1] - flat[at, 0]),
            *(pa.array(column) for column in (cum[at, 0], cum[at, 1])),
            pa.array(cum[at, 1] - cum[at, 0]),
            pa.array(np.full(len(at), sides.scale)),
            pa.array(states(present[at]), pa.utf8()),
        ],
        schema=schema("top_diff"),
    )


def _present(sides: Sides, side: int) -> np.ndarray:
    """Say in how many stacks with a value on a side each frame is."""
    stacks = sides.stacks
    has = np.repeat(sides.present[:, side], np.diff(stacks.offsets))
    return np.bincount(stacks.nodes[has != 0], minlength=len(stacks.of)).astype(np.int64)
