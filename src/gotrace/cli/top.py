"""`gotrace top`: the functions in which most was spent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.graph_options import Shape, graph_of, graph_options
from gotrace.cli.output import Output, output_options
from gotrace.cli.stack_input import (
    Question,
    Stacks,
    read_stacks,
    stack_options,
)
from gotrace.cli.stack_text import (
    Style,
    Values,
    again,
    exactly,
    exit_code,
    flat_or_cum,
    frame_noun,
    heading,
    inline_mark,
    next_lines,
    values_of,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.analyses.call_graph import Graph

_ROWS = 25
_WIDTH_OF_SUM = 80
"""Columns from which there is room for the running sum."""


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@graph_options
@output_options
@stack_options
def top(
    files: tuple[str, ...],
    question: Question,
    shape: Shape,
    out: Output,
    on_error: str,
) -> int:
    r"""Say in which functions of FILE most was spent.

    flat is in themselves, cum with what they call. The numbers are those of `go tool pprof -top`,
    and so are the filters. Several files are added up; a folder is all files in it.

    \b
    gotrace top cpu.pb.gz                         the 25 functions with most CPU time
    gotrace top heap.pb.gz --by alloc_space --cum what allocates most, with callees
    gotrace top cpu.pb.gz --focus http --tagfocus tenant=acme
    """
    from gotrace.analyses.call_graph import top_table

    stacks = read_stacks(files, question, on_error)
    rows = 0 if question.compat == "go" else _ROWS
    graph = graph_of(stacks, question, shape, shape.trim(text=out.form == "text", rows=rows))
    table = top_table(graph)
    out.write(table, _page(stacks, question, shape, graph, table, Style(out.path)))
    return exit_code(stacks, question, len(graph.nodes), graph.samples)


def _page(
    stacks: Stacks, question: Question, shape: Shape, graph: Graph, table: pa.Table, style: Style
) -> Iterator[str]:
    yield from heading(stacks, question, style)
    rows = table.to_pylist()
    if shape.sort == "flat" and question.compat != "go":
        rows = [row for row in rows if row["flat"]] or rows
    if not rows:
        return
    noun = frame_noun(question, 2)
    values = values_of(stacks.columns, question, graph.total, flat_or_cum(rows))
    shown = sum(row["flat"] for row in rows)
    yield (
        f"  {values.own(shown)} of {values.own(graph.total)} ({values.share(shown)}) "
        f"in {len(rows):,} of {graph.found:,} {noun}"
    )
    yield ""
    yield from _lines(rows, values, style, frame_noun(question))
    yield ""
    words = again(stacks, question)
    first = rows[0]["function"] or rows[0]["name"]
    yield from next_lines(
        [
            f"peek {words} {exactly(first)}",
            f"flame {words}",
            f"top {words} --cum" if shape.sort == "flat" else f"list {words} {exactly(first)}",
        ],
        style,
    )


def _lines(rows: list[dict[str, Any]], values: Values, style: Style, noun: str) -> Iterator[str]:
    wide = max(4, *(len(values.value(row[of])) for row in rows for of in ("flat", "cum")))
    has_sum = style.width >= _WIDTH_OF_SUM
    sum_head = f"{'sum%':>7}  " if has_sum else ""
    head = f"{'flat':>{wide}}  {'flat%':>7}  {sum_head}{'cum':>{wide}}  {'cum%':>7}  "
    yield style.paint(head + noun, underline=True)
    room = style.width - len(head)
    sums = 0
    for row in rows:
        sums += row["flat"]
        part = values.part(row["flat"])
        yield "  ".join(
            [
                style.heat(f"{values.value(row['flat']):>{wide}}", part),
                style.heat(f"{values.share(row['flat']):>7}", part),
                *([style.dim(f"{values.share(sums):>7}")] if has_sum else []),
                f"{values.value(row['cum']):>{wide}}",
                f"{values.share(row['cum']):>7}",
                style.name(row["name"], room, inline_mark(row["inlined"])),
            ]
        )
