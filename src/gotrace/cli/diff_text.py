"""Two profiles compared, as text: functions or paths, the base, the other, and what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from gotrace.analyses.sides import Sides
from gotrace.cli.branches import Line, drawn, largest
from gotrace.cli.graph_options import Shape
from gotrace.cli.stack_input import Question, Stacks
from gotrace.cli.stack_text import (
    Style,
    Values,
    exactly,
    file_words,
    filter_text,
    frame_noun,
    next_lines,
)
from gotrace.cli.terminal import clean, fit

_LEAST = 0.01
_OF_TREE = ("base_total", "total", "gained", "lost")


@dataclass(frozen=True)
class Compared:
    """What is compared, and how it is asked for. `rows` is how many are shown, 0 for all."""

    base: Stacks
    other: Stacks
    question: Question
    shape: Shape
    sides: Sides
    rows: int

    @property
    def words(self) -> str:
        """Both inputs, as a shell takes them."""
        return f"{file_words(self.base)} {file_words(self.other)}"

    @property
    def values(self) -> Values:
        """How values are written."""
        is_go = self.question.unit == "auto" and self.question.compat == "go"
        to = "minimum" if is_go else self.question.unit
        return Values(self.sides.unit, to, max(map(abs, self.sides.totals)), self.sides.totals)


def functions(compared: Compared, table: pa.Table, style: Style) -> Iterator[str]:
    """Write the table `top_diff`: what moved most first."""
    yield from _heading(compared, style)
    values, sort, question = compared.values, compared.shape.sort, compared.question
    moved, names = f"{sort}_delta", (f"base_{sort}", sort)
    found = [row for row in table.to_pylist() if row[moved] or row["state"] != "both"]
    shown = found[: compared.rows] if compared.rows else found
    if not shown:
        yield f"  no {frame_noun(question)} differs"
        return
    yield f"  {len(shown):,} of {len(found):,} {frame_noun(question, 2)} that differ"
    yield ""
    second = "cum" if sort == "flat" else "flat"
    heads = ("base", "new", f"Δ{sort}", f"Δ{second}")
    texts = [
        [
            "-" if row["state"] == "new" else values.value(row[names[0]]),
            "-" if row["state"] == "gone" else values.value(row[names[1]]),
            _signed(row[moved], values),
            _signed(row[f"{second}_delta"], values),
        ]
        for row in shown
    ]
    wide = _widths(heads, texts)
    head = f"{_row(heads, wide)}  {'change':>7}  "
    yield style.paint(f"{head}{frame_noun(question)}", underline=True)
    for row, cells in zip(shown, texts, strict=True):
        numbers = [f"{cell:>{width}}" for cell, width in zip(cells, wide, strict=True)]
        numbers[2] = _signal(numbers[2], row[moved], values, style)
        numbers.append(f"{_change(row[names[0]], row[names[1]], row['state']):>7}")
        yield f"{'  '.join(numbers)}  {style.name(row['name'], style.width - len(head))}"
    yield ""
    first = exactly(shown[0]["function"] or shown[0]["name"])
    more = [] if len(shown) == len(found) else [f"diff {compared.words} -n 0"]
    yield from next_lines([f"diff {compared.words} --view tree --focus {first}", *more], style)


def tree(compared: Compared, table: pa.Table, style: Style) -> Iterator[str]:
    """Write the table `flame_diff`: the paths below which most moved."""
    yield from _heading(compared, style)
    columns = {name: np.asarray(table.column(name)) for name in _OF_TREE}
    moved = columns["gained"] + columns["lost"]
    if not moved[0]:
        yield "  no path of calls differs"
        return
    parents = np.asarray(table.column("parent").fill_null(0)).astype(np.int64)
    fraction = compared.shape.node_fraction
    least = max(1, (_LEAST if fraction is None else fraction) * int(moved[0]))
    shown = largest(parents, moved, least, compared.rows and compared.rows + 1)
    yield f"  {int(shown.sum()) - 1:,} of {len(moved) - 1:,} nodes; what grew and shrank below each"
    yield ""
    lines = list(drawn(parents, moved, shown, ~shown, least))
    heads = ("base", "new", "gained", "lost")
    texts = [_tree_cells(line, columns, compared.values) for line in lines]
    wide = _widths(heads, texts)
    head = f"{_row(heads, wide)}  "
    yield style.paint(f"{head}stack", underline=True)
    for line, text in zip(lines, texts, strict=True):
        numbers = [f"{cell:>{width}}" for cell, width in zip(text, wide, strict=True)]
        numbers[2] = style.paint(numbers[2], fg="red") if text[2] else numbers[2]
        numbers[3] = style.paint(numbers[3], fg="green") if text[3] else numbers[3]
        name = _tree_name(line, table, style, style.width - len(head))
        yield f"{'  '.join(numbers)}  {name}"
    yield ""
    words = compared.words
    yield from next_lines([f"diff {words}", f"diff {words} -o diff.html"], style)


def _tree_cells(line: Line, columns: dict[str, Any], values: Values) -> list[str]:
    if line.hidden:
        return ["", "", "", ""]
    base, new, gained, lost = (int(columns[name][line.node]) for name in _OF_TREE)
    grown = f"+{values.value(gained)}" if gained else ""
    shrunk = f"-{values.value(lost)}" if lost else ""
    return [values.value(base), values.value(new), grown, shrunk]


def _tree_name(line: Line, table: pa.Table, style: Style, room: int) -> str:
    prefix = style.prefix(line.prefix, room)
    room -= len(prefix)
    if line.hidden:
        return style.dim(f"{prefix}… {line.hidden:,} more")
    if not line.node:
        return "all"
    name, state = (table.column(column)[line.node].as_py() for column in ("name", "state"))
    mark = "" if state == "both" else f" ({state})"
    return style.dim(prefix) + style.name(name, room, mark)


def _heading(compared: Compared, style: Style) -> Iterator[str]:
    values, sides = compared.values, compared.sides
    totals = [values.own(total) for total in sides.totals]
    wide = max(map(len, totals))
    for word, stacks, total in (
        ("base", compared.base, totals[0]),
        ("new ", compared.other, totals[1]),
    ):
        line = f"{word}  {clean(sides.kind)} {total:>{wide}}  {clean(stacks.name)}"
        yield style.paint(fit(line, style.width), bold=True)
    before, after = sides.totals
    line = f"  {_signed(after - before, values)} ({_change(before, after, 'both')})"
    if sides.scale != 1:
        line += f"; below, new is scaled by {sides.scale:.4g} to the total of base"
    yield fit(line, style.width)
    if compared.question.given_filters:
        yield fit(f"  filtered: {clean(filter_text(compared.question))}", style.width)


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(heads, *rows, strict=True)]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _signed(value: int, values: Values) -> str:
    return f"+{values.value(value)}" if value > 0 else values.value(value)


def _change(before: int, after: int, state: str) -> str:
    """Write a change in percent of what was there."""
    if state != "both":
        return state
    if not before:
        return "" if not after else "new"
    ratio = 100 * (after - before) / abs(before)
    return f"{ratio:+.0f}%" if abs(ratio) < 100_000 else ">1000x"


def _signal(text: str, delta: int, values: Values, style: Style) -> str:
    """Colour a change that is large against the total."""
    if values.part(delta) < 0.005:
        return text
    return style.paint(text, fg="red" if delta > 0 else "green", bold=True)
