"""Options of verbs over call graphs: what is sorted by, and what is too small to show."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from gotrace.analyses.call_graph import Graph, Sort, Trim
    from gotrace.cli.stack_input import Question, Stacks

Command = TypeVar("Command", bound=Callable[..., Any])

_NODE_FRACTION: Final = 0.005
_EDGE_FRACTION: Final = 0.001
"""Shares below which google/pprof leaves nodes and edges out."""


@dataclass(frozen=True)
class Shape:
    """How a call graph is asked for: None is what suits the output."""

    sort: Sort
    node_count: int | None
    node_fraction: float | None
    edge_fraction: float | None
    relative: bool
    drop_negative: bool

    def trim(self, *, text: bool, rows: int = 0) -> Trim:
        """Leave small things out of text alone; `rows` is how many nodes it has at most."""
        from gotrace.analyses.call_graph import Trim

        def given(value: Any, usual: Any) -> Any:
            return (usual if text else 0) if value is None else value

        return Trim(
            given(self.node_count, rows),
            given(self.node_fraction, _NODE_FRACTION),
            given(self.edge_fraction, _EDGE_FRACTION),
        )


def graph_options(command: Command) -> Command:
    """Add the options; the verb gets them as `shape`."""

    @functools.wraps(command)
    def asked(**given: Any) -> Any:
        shape = Shape(
            "cum" if given.pop("cum") else "flat",
            given.pop("node_count"),
            given.pop("node_fraction"),
            given.pop("edge_fraction"),
            given.pop("relative"),
            given.pop("drop_negative"),
        )
        return command(shape=shape, **given)

    options: list[Callable[[Any], Any]] = [
        click.option("--cum", is_flag=True, help="Sort by cum: with all that it calls."),
        click.option(
            *("-n", "--nodecount", "node_count"),
            type=click.IntRange(min=0),
            help="At most so many functions; 0 for all.",
        ),
        click.option(
            *("--nodefraction", "node_fraction"),
            type=click.FloatRange(0, 1),
            help="Leave functions out below this share.  [default in text: 0.005]",
        ),
        click.option(
            *("--edgefraction", "edge_fraction"),
            type=click.FloatRange(0, 1),
            help="Leave calls out below this share.  [default in text: 0.001]",
        ),
        click.option(
            *("--relative", "--relative-percentages", "--relative_percentages", "relative"),
            is_flag=True,
            help="Shares of what the filters leave.",
        ),
        click.option(
            *("--drop-negative", "--drop_negative", "drop_negative"),
            is_flag=True,
            help="Leave negative values out.",
        ),
    ]
    for option in reversed(options):
        asked = option(asked)
    return asked  # type: ignore[return-value]


def graph_of(stacks: Stacks, question: Question, shape: Shape, trim: Trim) -> Graph:
    """Make the call graph that was asked for."""
    from gotrace.analyses.call_graph import call_graph
    from gotrace.cli.stack_input import answering

    with answering():
        return call_graph(
            stacks.columns,
            question.by,
            **question.choices,
            trim=trim,
            sort=shape.sort,
            relative=shape.relative,
            drop_negative=shape.drop_negative,
            compat=question.compat,
        )
