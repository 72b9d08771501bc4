"""The tree of the stacks as text: what each path of calls costs, the largest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from gotrace.cli.branches import Line, drawn, largest
from gotrace.cli.stack_input import Question, Stacks
from gotrace.cli.stack_text import (
    Style,
    Values,
    again,
    exactly,
    heading,
    inline_mark,
    next_lines,
    values_of,
)


class Shown(NamedTuple):
    """How much of a tree is shown: None and 0 do not limit."""

    depth: int | None
    node_count: int
    node_fraction: float


def page(
    stacks: Stacks, question: Question, table: pa.Table, size: Shown, style: Style
) -> Iterator[str]:
    """Write the table `flame` of some stacks."""
    yield from heading(stacks, question, style)
    totals = np.asarray(table.column("total"))
    if len(totals) == 1:
        return
    columns = stacks.columns
    at = columns.type_index(question.by)
    whole = int(np.abs(columns.values[:, at]).sum())
    sizes = np.abs(totals)
    parents = np.asarray(table.column("parent").fill_null(0)).astype(np.int64)
    most = size.node_count + 1 if size.node_count else 0
    least = max(1, size.node_fraction * whole)
    shown = largest(parents, sizes, least, most)
    omitted = ~shown
    if size.depth is not None:
        within = np.asarray(table.column("depth")) <= size.depth
        shown, omitted = shown & within, omitted & within
    values = values_of(columns, question, whole, totals[shown].tolist())
    left = int(totals[0])
    of = f"{shown.sum() - 1:,} of {len(totals) - 1:,} nodes"
    yield f"  {values.own(left)} of {values.own(whole)} ({values.share(left)}), {of}"
    yield ""
    lines = list(drawn(parents, sizes, shown, omitted, least))
    yield from _Drawing(table, values, style).lines(lines)
    yield ""
    words = again(stacks, question)
    hottest = int(np.argmax(np.abs(np.asarray(table.column("self")))))
    name = table.column("function")[hottest].as_py() or table.column("name")[hottest].as_py()
    peek = [f"peek {words} {exactly(name)}"] if name else []
    yield from next_lines([*peek, f"flame {words} -o flame.html"], style)


class _Drawing:
    """The lines of the tree: total, share, self, and the name behind its branch."""

    def __init__(self, table: pa.Table, values: Values, style: Style) -> None:
        self._names, self._inlined = table.column("name"), table.column("inlined")
        self._self, self._total = (np.asarray(table.column(name)) for name in ("self", "total"))
        self._values, self._style = values, style

    def lines(self, lines: list[Line]) -> Iterator[str]:
        """Write what was drawn, under a head."""
        value = self._values.value
        wide = max(5, *(len(value(int(self._total[line.node]))) for line in lines))
        head = f"{'total':>{wide}}  {'total%':>7}  {'self':>{wide}}  "
        yield self._style.paint(f"{head}stack", underline=True)
        for line in lines:
            if line.hidden:
                numbers = f"{value(line.weight):>{wide}}  {self._values.share(line.weight):>7}"
                blank = " " * (len(head) - len(numbers))
                more = f"{line.prefix}… {line.hidden:,} more"
                yield self._style.dim(f"{numbers}{blank}{more}")
            else:
                yield self._node(line, wide)

    def _node(self, line: Line, wide: int) -> str:
        node = line.node
        total, own = int(self._total[node]), int(self._self[node])
        numbers = f"{self._values.value(total):>{wide}}  {self._values.share(total):>7}"
        spent = f"{self._values.value(own) if own else '':>{wide}}"
        room = self._style.width - 2 * wide - 13
        prefix = self._style.prefix(line.prefix, room)
        name = self._names[node].as_py() if node else "all"
        mark = inline_mark(self._inlined[node].as_py()) if node else ""
        return (
            f"{self._style.heat(numbers, self._values.part(total))}  "
            f"{self._style.heat(spent, self._values.part(own))}  "
            f"{self._style.dim(prefix)}{self._style.name(name, room - len(prefix), mark)}"
        )
