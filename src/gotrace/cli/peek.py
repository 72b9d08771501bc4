"""`gotrace peek`: the callers and callees of some functions."""

from __future__ import annotations

import click

from gotrace.cli.graph_options import Shape, graph_of, graph_options
from gotrace.cli.output import Output, output_options
from gotrace.cli.stack_input import (
    Question,
    answering,
    files_and_pattern,
    read_stacks,
    stack_options,
)
from gotrace.cli.stack_text import exit_code
from gotrace.cli.terminal import say


@click.command()
@click.argument("words", metavar="FILE... REGEX", nargs=-1, required=True)
@graph_options
@output_options
@stack_options
def peek(
    words: tuple[str, ...],
    question: Question,
    shape: Shape,
    out: Output,
    on_error: str,
) -> int:
    r"""Show the callers and callees of functions that match REGEX.

    Nothing is trimmed. The numbers are those of `go tool pprof -peek`. In formats for machines: the
    calls, the table `edges`.

    \b
    gotrace peek cpu.pb.gz 'json.*Decode'
    """
    from gotrace.analyses.names import matches
    from gotrace.cli.blocks import write_blocks

    files, pattern = files_and_pattern(words)
    stacks = read_stacks(files, question, on_error)
    graph = graph_of(stacks, question, shape, shape.trim(text=False))
    with answering():
        names = [graph.of.names[node] for node in graph.nodes]
        wanted = frozenset(graph.nodes[matches(pattern, names, "REGEX")].tolist())
    shown = write_blocks(stacks, question, graph, out, wanted)
    if not shown and len(graph.nodes):
        say(f"nothing to show: {pattern!r} matches none of {len(graph.nodes):,} names")
        return stacks.code
    return exit_code(stacks, question, shown, graph.samples)
