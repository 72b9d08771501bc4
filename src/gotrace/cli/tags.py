"""`gotrace tags`: what was spent, by label."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.options import limit_option
from gotrace.cli.output import Output, output_options
from gotrace.cli.stack_input import (
    Question,
    Stacks,
    answering,
    read_stacks,
    stack_options,
)
from gotrace.cli.stack_text import Style, Values, again, heading, next_lines, values_of
from gotrace.cli.terminal import clean, count, say

if TYPE_CHECKING:
    import pyarrow as pa

_BAR = 20


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@limit_option(20, "Values of a key in text.")
@output_options
@stack_options
def tags(
    files: tuple[str, ...],
    question: Question,
    limit: int,
    out: Output,
    on_error: str,
) -> int:
    r"""Sum the values of FILE by label.

    What does each tenant, endpoint or size of object cost? The numbers are those of `go tool pprof
    -tags`. A sample counts for each of its labels.

    \b
    gotrace tags cpu.pb.gz
    gotrace tags heap.pb.gz --by alloc_space --tagshow bytes
    """
    from gotrace.analyses.samples import tags_of

    stacks = read_stacks(files, question, on_error)
    with answering():
        table = tags_of(
            stacks.columns, question.by, filters=question.filters, unit=question.label_unit
        )
    out.write(table, _page(stacks, question, table, limit, Style(out.path)))
    if not table.num_rows:
        say(_why_none(stacks, question))
    return stacks.code


def _why_none(stacks: Stacks, question: Question) -> str:
    if not any(stacks.columns.label_sets):
        return "no labels: no sample has one (in Go: pprof.Do sets them, for CPU and goroutines)"
    return f"no labels: {' '.join(question.filter_words())} left none"


def _page(
    stacks: Stacks, question: Question, table: pa.Table, limit: int, style: Style
) -> Iterator[str]:
    yield from heading(stacks, question, style)
    columns = stacks.columns
    at = columns.type_index(question.by)
    rows = table.to_pylist()
    total = int(abs(columns.values[:, at]).sum())
    values = values_of(columns, question, total, (row["value"] for row in rows))
    for key, group in groupby(rows, key=lambda row: row["key"]):
        found = list(group)
        yield ""
        spent = sum(row["value"] for row in found)
        of = f"{values.own(spent)} ({values.share(spent)}), {count(len(found), 'value')}"
        yield f"{style.paint(clean(key), bold=True)}: {of}"
        yield from _lines(found[:limit], values, style)
        if len(found) > limit:
            rest = sum(row["value"] for row in found[limit:])
            more = f"… and {count(len(found) - limit, 'value')} more: {values.own(rest)}"
            yield style.dim(f"  {more} (--limit {len(found)})")
    if rows:
        words, first = again(stacks, question), rows[0]
        import shlex

        key, label = (shlex.quote(clean(first[name])) for name in ("key", "label"))
        yield ""
        yield from next_lines(
            [f"top {words} --tagfocus {key}={label}", f"flame {words} --tagroot {key}"], style
        )


def _lines(rows: list[dict[str, Any]], values: Values, style: Style) -> Iterator[str]:
    wide = max(len(values.value(row["value"])) for row in rows)
    largest = max(abs(row["value"]) for row in rows) or 1
    for row in rows:
        head = f"  {values.value(row['value']):>{wide}}  {values.share(row['value']):>7}  "
        bar = "█" * round(_BAR * abs(row["value"]) / largest)
        room = style.width - len(head) - _BAR - 2
        name = style.name(row["label"], room)
        shown = style.heat(head, values.part(row["value"]))
        yield f"{shown}{style.dim(f'{bar:<{_BAR}}')}  {name}"
