"""`gotrace traces`: the samples one by one, each with its stack and labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.output import Output, output_options
from gotrace.cli.stack_input import (
    Question,
    Stacks,
    answering,
    read_stacks,
    stack_options,
)
from gotrace.cli.stack_text import (
    Style,
    Values,
    again,
    exit_code,
    heading,
    inline_mark,
    next_lines,
    values_of,
)
from gotrace.cli.terminal import clean, fit

if TYPE_CHECKING:
    import pyarrow as pa


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help="At most so many samples, the largest first; 0 for all, as they come.  "
    "[default in text: 20]",
)
@output_options
@stack_options
def traces(
    files: tuple[str, ...],
    question: Question,
    limit: int | None,
    out: Output,
    on_error: str,
) -> int:
    r"""List the samples of FILE with their stacks and labels.

    They are those of `go tool pprof -traces`. One line a stack for other tools:
    `gotrace flame FILE -o out.folded`.

    \b
    gotrace traces goroutine.pb.gz
    gotrace traces cpu.pb.gz --focus 'json.*Decode' --format json
    """
    from gotrace.analyses.samples import traces_of

    stacks = read_stacks(files, question, on_error)
    with answering():
        table = traces_of(stacks.columns, question.by, **question.choices, compat=question.compat)
    most = (20 if out.form == "text" and question.compat != "go" else 0) if limit is None else limit
    chosen = _largest(table, most) if most else table
    out.write(chosen, _page(stacks, question, chosen, table.num_rows, Style(out.path)))
    return exit_code(stacks, question, chosen.num_rows, table.num_rows)


def _largest(table: pa.Table, most: int) -> pa.Table:
    """Give the samples with the most; none of those without a value."""
    import numpy as np

    sizes = np.abs(np.asarray(table.column("value")))
    order = np.argsort(-sizes, kind="stable")[:most]
    return table.take(order[sizes[order] > 0])


def _page(
    stacks: Stacks, question: Question, table: pa.Table, found: int, style: Style
) -> Iterator[str]:
    yield from heading(stacks, question, style)
    if not table.num_rows:
        return
    columns = stacks.columns
    at = columns.type_index(question.by)
    rows = table.to_pylist()
    total = int(abs(columns.values[:, at]).sum())
    values = values_of(columns, question, total, (row["value"] for row in rows))
    shown = sum(row["value"] for row in rows)
    which = (
        f"the {len(rows):,} largest of {found:,} samples" if len(rows) < found else "all samples"
    )
    yield f"  {values.own(shown)} of {values.own(total)} ({values.share(shown)}) in {which}"
    wide = max(len(values.value(row["value"])) for row in rows)
    for row in rows:
        yield ""
        yield from _sample(row, values, wide, style)
    yield ""
    words = again(stacks, question)
    more = [f"traces {words} --limit 0"] if len(rows) < found else []
    yield from next_lines([f"flame {words}", *more], style)


def _sample(row: dict[str, Any], values: Values, wide: int, style: Style) -> Iterator[str]:
    part = values.part(row["value"])
    first = style.heat(
        f"{values.value(row['value']):>{wide}}  {values.share(row['value']):>7}", part
    )
    blank = " " * (wide + 11)
    for place, (frame, inlined) in enumerate(zip(row["frames"], row["inlined"], strict=True)):
        name = style.name(frame, style.width - len(blank), inline_mark(inlined))
        yield f"{first}  {name}" if not place else f"{blank}{name}"
    for label in row["labels"]:
        yield style.dim(fit(f"{blank}[{clean(label)}]", style.width))
