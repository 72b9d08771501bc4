"""`gotrace diff`: what changed between two profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gotrace.cli.graph_options import Shape, graph_options
from gotrace.cli.output import FORMATS, Output, format_of, raw_output_options
from gotrace.cli.stack_input import (
    Question,
    Stacks,
    answering,
    read_stacks,
    stack_options,
)
from gotrace.cli.stack_text import Style
from gotrace.cli.terminal import OK, PARTIAL, clean, say

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.analyses.sides import Sides

_ROWS = 25


@click.command()
@click.argument("base")
@click.argument("other", metavar="NEW")
@click.option(
    "--normalize", is_flag=True, help="Scale NEW to the total of BASE: compare the shapes alone."
)
@click.option(
    "--view",
    type=click.Choice(["functions", "tree"]),
    help="By function, or by path of calls.  [default: functions in text, else tree]",
)
@graph_options
@raw_output_options
@stack_options
def diff(
    base: str,
    other: str,
    normalize: bool,
    view: str | None,
    question: Question,
    shape: Shape,
    form: str | None,
    path: str | None,
    overwrite: bool,
    on_error: str,
) -> int:
    r"""Say what changed from BASE to NEW, both sides of everything.

    Of two traces: groups of goroutines, latencies and blocking that changed beyond the noise; with
    --by their stacks.

    Either may be a folder or a pattern in quotes: all files in it, added up. In formats for
    machines: the table `flame_diff`, or `top_diff` for --view functions. -o decides by its ending:
    .html (a page to zoom and search in), .folded (for flamegraph.pl), .pb.gz (NEW less BASE, for
    pprof), .parquet, .arrow, .csv, .json.

    \b
    gotrace diff monday.pb.gz tuesday.pb.gz
    gotrace diff 'old/*.pb.gz' 'new/*.pb.gz' --normalize --view tree
    gotrace diff good.trace bad.trace
    gotrace diff good.trace bad.trace --by offcpu
    """
    from gotrace.cli.diff_output import writer_of
    from gotrace.cli.diff_text import Compared, functions, tree

    write = writer_of(path) if form is None else None
    if question.by is None and write is None:
        from gotrace.cli.trace_diff import are_traces, diff_traces

        if are_traces(base, other):
            out = Output(format_of(path, form, FORMATS), path, overwrite)
            return diff_traces(base, other, question, out, on_error)
    form = "file" if write else format_of(path, form, FORMATS)
    old, new = (read_stacks([side], question, on_error) for side in (base, other))
    compare = _Compare(old, new, question, normalize)
    sides = compare(question.by)
    if write is not None:
        assert path is not None
        write(old, new, question, compare, path, overwrite)
    else:
        view = view or ("functions" if form == "text" else "tree")
        table = _table(sides, view, shape)
        rows = _ROWS if shape.node_count is None else shape.node_count
        compared = Compared(old, new, question, shape, sides, rows)
        page = tree if view == "tree" else functions
        Output(form, path, overwrite).write(table, page(compared, table, Style(path)))
    if not sides.samples:
        say(_why_none([old, new], question))
    return PARTIAL if old.code or new.code else OK


class _Compare:
    """Puts both sides beside each other, of the value type that it is called with."""

    def __init__(self, base: Stacks, other: Stacks, question: Question, normalize: bool) -> None:
        self._base, self._other = base.columns, other.columns
        self._question, self._normalize = question, normalize

    def __call__(self, value: str | None) -> Sides:
        from gotrace.analyses.sides import sides_of

        with answering():
            return sides_of(
                self._base,
                self._other,
                value,
                **self._question.choices,
                normalize=self._normalize,
                compat=self._question.compat,
            )


def _table(sides: Sides, view: str, shape: Shape) -> pa.Table:
    if view == "tree":
        from gotrace.analyses.flame import flame_diff_table

        return flame_diff_table(sides)
    from gotrace.analyses.top_diff import top_diff_table

    return top_diff_table(sides, shape.sort)


def _why_none(stacks: list[Stacks], question: Question) -> str:
    for each in stacks:
        if not len(each.columns.labels):
            return f"nothing to compare: {clean(each.name)} has no samples"
    return f"nothing to compare: {' '.join(question.filter_words())} left no samples"
