"""What each line of some functions costs: the table `source_lines`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gotrace.analyses.call_graph import Graph, call_graph
from gotrace.analyses.names import matches
from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.tables.schema import schema


def source_lines_of(
    profile: ProfileColumns, pattern: str, value: str | None = None, **choices: Any
) -> pa.Table:
    """Make the table, of functions whose name matches; `choices` as for `call_graph`.

    Raises ValueError for a bad pattern.
    """
    return source_lines(call_graph(profile, value, granularity="lines", **choices), pattern)


def source_lines(graph: Graph, pattern: str) -> pa.Table:
    """Take the lines of matching functions out of a call graph of lines."""
    of, nodes = graph.of, graph.nodes
    found = nodes[matches(pattern, [of.functions[node] for node in nodes], "REGEX")]
    found = found[[bool(of.functions[node]) for node in found]]
    order = sorted(
        found.tolist(), key=lambda node: (of.functions[node], of.files[node], int(of.lines[node]))
    )
    at = np.array(order, np.int64)
    share = 1 / graph.total if graph.total else 0.0
    lines = of.lines[at]
    return pa.table(
        [
            pa.array([of.functions[node] for node in at], pa.utf8()),
            pa.array([of.files[node] or None for node in at], pa.utf8()),
            pa.array(lines, mask=lines == 0),
            pa.array(graph.flat[at]),
            pa.array(np.abs(graph.flat[at]) * share),
            pa.array(graph.cum[at]),
            pa.array(np.abs(graph.cum[at]) * share),
            pa.nulls(len(at), pa.utf8()),
        ],
        schema=schema("source_lines"),
    )
