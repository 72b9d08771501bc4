"""Options that verbs of different kinds share, each said once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gotrace.cli.moments import When

Command = TypeVar("Command", bound=Callable[..., Any])


def window_options(command: Command) -> Command:
    """Add a stretch of time; the verb gets it as `start` and `end`."""
    command = click.option("--to", "end", type=When(), help="Time to stop before.")(command)
    told = "First time: +12.5s, RFC 3339, or ns."
    return click.option("--from", "start", type=When(), help=told)(command)


def limit_option(rows: int, told: str = "Rows.") -> Callable[[Command], Command]:
    """Give `--limit`, of how much text shows; `rows` by default."""
    least = click.IntRange(min=1)
    return click.option("--limit", type=least, default=rows, show_default=True, help=told)


def compat_option(told: str = "Go's numbers where ours differ.") -> Callable[[Command], Command]:
    """Give `--compat go`."""
    return click.option("--compat", type=click.Choice(["go"]), help=told)
