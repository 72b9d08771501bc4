"""`gotrace flame`: the tree of the stacks, as text or as a file of another tool."""

from __future__ import annotations

import click

from gotrace.cli.output import FORMATS, Output, format_of, raw_output_options
from gotrace.cli.stack_input import (
    Question,
    read_stacks,
    stack_options,
)
from gotrace.cli.stack_text import Style, exit_code

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
@raw_output_options
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

    -o decides by its ending: .html (a page to zoom and search in), .folded (flamegraph.pl,
    inferno), .speedscope.json, .pb.gz (what the filters leave, for pprof), .parquet, .arrow, .csv
    or .json with the table `flame`, .txt.

    \b
    gotrace flame cpu.pb.gz
    gotrace flame cpu.pb.gz -o cpu.html
    gotrace flame heap.pb.gz --by alloc_space --focus json -o json.speedscope.json
    gotrace flame cpu.pb.gz --tagroot tenant --depth 3
    """
    from gotrace.cli.flame_output import Flame, writer_of
    from gotrace.cli.flame_text import Shown, page

    write = writer_of(path) if form is None else None
    form = "file" if write else format_of(path, form, FORMATS)
    drawn = Flame(read_stacks(files, question, on_error), question, upside_down)
    if write is not None:
        assert path is not None
        write(drawn, path, overwrite)
        return drawn.stacks.code
    table, size = drawn.table(), Shown(depth, node_count, node_fraction)
    lines = page(drawn.stacks, question, table, size, Style(path))
    Output(form, path, overwrite).write(table, lines)
    samples = table.column("samples")[0].as_py()
    return exit_code(drawn.stacks, question, samples, samples)
