"""`gotrace tree`: who calls whom, function by function."""

from __future__ import annotations

import click

from gotrace.cli.graph_options import Shape, graph_of, graph_options
from gotrace.cli.output import Output, output_options
from gotrace.cli.stack_input import Question, read_stacks, stack_options
from gotrace.cli.stack_text import exit_code

_ROWS = 25


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@graph_options
@output_options
@stack_options
def tree(
    files: tuple[str, ...],
    question: Question,
    shape: Shape,
    out: Output,
    on_error: str,
) -> int:
    r"""List the functions of FILE with their callers and callees.

    And what each call costs: the numbers are those of `go tool pprof -tree`. In formats for
    machines: the calls, the table `edges`. For the tree of the stacks there is `gotrace flame`.

    \b
    gotrace tree cpu.pb.gz -n 10
    gotrace tree heap.pb.gz --by alloc_space --format csv
    """
    from gotrace.cli.blocks import write_blocks

    stacks = read_stacks(files, question, on_error)
    rows = 0 if question.compat == "go" else _ROWS
    graph = graph_of(stacks, question, shape, shape.trim(text=out.form == "text", rows=rows))
    shown = write_blocks(stacks, question, graph, out)
    return exit_code(stacks, question, shown, graph.samples)
