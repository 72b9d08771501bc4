"""What `tree` and `peek` print: a block for each function, its callers above, its callees below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gotrace.cli.output import Output
from gotrace.cli.stack_input import Question, Stacks
from gotrace.cli.stack_text import (
    Style,
    Values,
    again,
    exactly,
    flat_or_cum,
    frame_noun,
    heading,
    inline_mark,
    next_lines,
    values_of,
)

if TYPE_CHECKING:
    from gotrace.analyses.call_graph import Graph


def write_blocks(
    stacks: Stacks,
    question: Question,
    graph: Graph,
    out: Output,
    wanted: frozenset[int] | None = None,
) -> int:
    """Write the blocks of the nodes `wanted`, of all for None; return how many there are.

    In formats for machines these are the edges that touch them.
    """
    from gotrace.analyses.call_graph import edge_table, top_table

    nodes, edges = top_table(graph), edge_table(graph)
    rows = [row for row in nodes.to_pylist() if wanted is None or row["node"] in wanted]
    page = _page(stacks, question, graph, rows, edges, Style(out.path))
    out.write(edges if wanted is None else _touching(edges, wanted), page)
    return len(rows)


def _touching(edges: pa.Table, nodes: frozenset[int]) -> pa.Table:
    import pyarrow.compute as pc

    ours = pa.array(sorted(nodes), pa.int32())
    caller, callee = (pc.is_in(edges[end], value_set=ours) for end in ("caller", "callee"))
    return edges.filter(pc.or_(caller, callee))


def _page(
    stacks: Stacks,
    question: Question,
    graph: Graph,
    rows: list[dict[str, Any]],
    edges: pa.Table,
    style: Style,
) -> Iterator[str]:
    yield from heading(stacks, question, style)
    if not rows:
        return
    values = values_of(stacks.columns, question, graph.total, flat_or_cum(rows))
    noun = frame_noun(question, 2)
    yield f"  {len(rows):,} of {graph.found:,} {noun}, callers above, callees below"
    yield ""
    wide = max(4, *(len(values.value(row[of])) for row in rows for of in ("flat", "cum")))
    head = f"{'flat':>{wide}}  {'flat%':>7}  {'cum':>{wide}}  {'cum%':>7}  "
    yield style.paint(f"{head}{frame_noun(question)}", underline=True)
    calls = _Calls(edges, values, wide, style)
    for row in rows:
        yield from calls.lines(row, "caller")
        part = values.part(row["flat"])
        yield "  ".join(
            [
                style.heat(f"{values.value(row['flat']):>{wide}}", part),
                style.heat(f"{values.share(row['flat']):>7}", part),
                f"{values.value(row['cum']):>{wide}}",
                f"{values.share(row['cum']):>7}",
                style.name(row["name"], style.width - len(head)),
            ]
        )
        yield from calls.lines(row, "callee")
        yield ""
    words = again(stacks, question)
    first = exactly(rows[0]["function"] or rows[0]["name"])
    yield from next_lines([f"list {words} {first}", f"flame {words} --focus {first}"], style)


class _Calls:
    """The calls of every block, as lines."""

    def __init__(self, edges: pa.Table, values: Values, wide: int, style: Style) -> None:
        self._values, self._wide, self._style = values, wide, style
        self._at: dict[str, dict[int, list[dict[str, Any]]]] = {"caller": {}, "callee": {}}
        for edge in edges.to_pylist():
            self._at["caller"].setdefault(edge["callee"], []).append(edge)
            self._at["callee"].setdefault(edge["caller"], []).append(edge)

    def lines(self, row: dict[str, Any], end: str) -> Iterator[str]:
        """Write the callers or the callees of a node; shares are of the node's cum."""
        from gotrace.analyses.units import percentage

        edges = self._at[end].get(row["node"], [])
        corner = 0 if end == "caller" else len(edges) - 1
        for place, edge in enumerate(edges):
            weight = f"{self._values.value(edge['value']):>{self._wide}}"
            share = f"{percentage(edge['value'], row['cum']):>7}"
            head = f"{' ' * (self._wide + 11)}{weight}  {share}  "
            branch = "├" if place != corner else "┌" if end == "caller" else "└"
            branch += "┄ " if edge["residual"] else "─ "
            room = self._style.width - len(head) - len(branch)
            name = self._style.name(edge[f"{end}_name"], room, inline_mark(edge["inlined"]))
            yield self._style.dim(head + branch) + name
