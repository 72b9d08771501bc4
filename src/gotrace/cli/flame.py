"""`gotrace flame`: the tree of the stacks, as text or as a file of another tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from gotrace.cli.output import format_of, text_output, write_rows
from gotrace.cli.stack_input import (
    FORMATS,
    Question,
    Stacks,
    answering,
    exit_code,
    output_options,
    read_stacks,
    stack_options,
)
from gotrace.cli.stack_text import Style

if TYPE_CHECKING:
    import pyarrow as pa

_LEAST = 0.01
_LINES = 80


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--upside-down", is_flag=True, help="From the leaves to their callers.")
@click.option("--depth", type=click.IntRange(min=1), help="So many levels at most, in text.")
@click.option(
    *("-n", "--nodecount", "node_count"),
    type=click.IntRange(min=0),
    default=_LINES,
    show_default=True,
    help="Nodes in text at most; 0 for all.",
)
@click.option(
    *("--nodefraction", "node_fraction"),
    type=click.FloatRange(0, 1),
    default=_LEAST,
    show_default=True,
    help="Leave nodes below this share out of text.",
)
@output_options
@stack_options
def flame(
    files: tuple[str, ...],
    question: Question,
    upside_down: bool,
    depth: int | None,
    node_count: int,
    node_fraction: float,
    form: str | None,
    path: str | None,
    overwrite: bool,
    on_error: str,
) -> int:
    r"""Draw the tree of the stacks of FILE: what each path of calls costs.

    -o decides by its ending: .folded (flamegraph.pl, inferno), .speedscope.json, .pb.gz (what the
    filters leave, for pprof), .parquet, .arrow, .csv or .json with the table `flame`, .txt.

    \b
    gotrace flame cpu.pb.gz
    gotrace flame heap.pb.gz --by alloc_space --focus json -o json.speedscope.json
    gotrace flame cpu.pb.gz --tagroot tenant --depth 3
    """
    write = _writer(path) if form is None else None
    form = "file" if write else format_of(path, form, FORMATS)
    stacks = read_stacks(files, question, on_error)
    with answering():
        table = _flame(stacks, question, upside_down)
    if write is not None:
        assert path is not None
        write(stacks, question, table, path, overwrite)
    elif form == "text":
        from gotrace.cli.flame_text import Shown, page

        size = Shown(depth, node_count, node_fraction)
        with text_output(path, overwrite=overwrite) as out:
            for line in page(stacks, question, table, size, Style(path)):
                out.write(f"{line}\n")
    else:
        write_rows(table.to_batches(), table.schema, form, path, overwrite=overwrite)
    samples = table.column("samples")[0].as_py()
    return exit_code(stacks, question, samples, samples)


def _flame(stacks: Stacks, question: Question, upside_down: bool) -> pa.Table:
    from gotrace.analyses.flame import flame_of

    return flame_of(
        stacks.columns,
        question.by,
        granularity=question.granularity,
        inlines=question.inlines,
        filters=question.filters,
        upside_down=upside_down,
        unit=question.label_unit,
    )


# --- files of other tools ---------------------------------------------------------------------

Write = Callable[[Stacks, Question, "pa.Table", str, bool], None]


def _writer(path: str | None) -> Write | None:
    """Find what writes a file of this name; None for a table, and for text."""
    if path is None:
        return None
    from gotrace.sinks.profile_proto import ending_of

    name = path.lower()
    if ending_of(name):
        return _profile
    return next((write for ending, write in _WRITERS.items() if name.endswith(ending)), None)


def _folded(stacks: Stacks, question: Question, table: pa.Table, path: str, replace: bool) -> None:
    from gotrace.sinks.flame_files import write_folded

    write_folded(table, path, overwrite=replace)


def _speedscope(
    stacks: Stacks, question: Question, table: pa.Table, path: str, replace: bool
) -> None:
    from gotrace.sinks.flame_files import write_speedscope

    kind, unit = stacks.columns.types[stacks.columns.type_index(question.by)]
    write_speedscope(table, path, name=f"{stacks.name} {kind}", unit=unit, overwrite=replace)


def _profile(stacks: Stacks, question: Question, table: pa.Table, path: str, replace: bool) -> None:
    from gotrace.cli.profile_output import filtered, write_columns

    write_columns(filtered(stacks.columns, question), path, overwrite=replace)


_WRITERS: Final[dict[str, Write]] = {
    ".folded": _folded,
    ".collapsed": _folded,
    ".speedscope.json": _speedscope,
}
