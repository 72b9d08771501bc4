"""Options that choose a part of a trace: a stretch of time, goroutines, regions, a task."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from gotrace.cli.moments import Length, When

Command = TypeVar("Command", bound=Callable[..., Any])

PARTS: Final = (
    *("start", "end", "group", "goroutine", "region", "task", "at_least_ns", "at_most_ns"),
)
"""The names under which a verb gets them, those of arguments of the analyses."""

_OPTION_OF: Final = {
    "start": "--from",
    "end": "--to",
    "at_least_ns": "--at-least",
    "at_most_ns": "--at-most",
}


def part_options(prefix: str = "") -> list[Callable[[Any], Any]]:
    """Give the options; `prefix` leads their texts, for a verb that takes other inputs too."""
    one = click.IntRange(min=1)
    rows: list[tuple[str, str, Any, str | None, str]] = [
        ("--from", "start", When(), None, "first time, like +12.5s."),
        ("--to", "end", When(), None, "time to stop before."),
        ("--group", "group", str, "TEXT", "entry functions of that name, or with TEXT in it."),
        ("--goroutine", "goroutine", one, None, "one goroutine."),
        ("--region", "region", str, "NAME", "time in these user regions."),
        ("--task", "task", one, None, "time in the regions of a user task."),
        ("--at-least", "at_least_ns", Length(), None, "time in regions that took 10ms or more."),
        ("--at-most", "at_most_ns", Length(), None, "time in regions that took no more."),
    ]
    return [
        click.option(name, own, type=kind, metavar=metavar, help=_sentence(prefix + text))
        for name, own, kind, metavar, text in rows
    ]


def asked_part(command: Command) -> Command:
    """Add the options to a verb of traces alone; it gets what was given as `where`."""

    @functools.wraps(command)
    def asked(**given: Any) -> Any:
        where = {name: given.pop(name) for name in PARTS}
        where = {name: value for name, value in where.items() if value is not None}
        return command(where=where, **given)

    for option in reversed(part_options()):
        asked = option(asked)
    return asked  # type: ignore[return-value]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def option_of(name: str) -> str:
    """Give the option of one of `PARTS`, or of another part: --from for start."""
    return _OPTION_OF.get(name, f"--{name.replace('_', '-')}")


def part_words(where: Mapping[str, Any]) -> str:
    """Write what was chosen as it is given on the command line, as a shell takes it."""
    words = []
    for name, value in where.items():
        text = f"{value}ns" if name.endswith("_ns") else str(value)
        words.append(option_of(name) + ("" if value is True else f" {shlex.quote(text)}"))
    return " ".join(words)
