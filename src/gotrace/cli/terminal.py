"""Text that reaches people: exit codes, messages, and strangers' text made harmless."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, Final

import click

from gotrace.cli import INTERRUPTED

OK: Final = 0
BAD: Final = 2
PARTIAL: Final = 3

WIDTH: Final = 100
"""Columns that text for people fits in."""


class Failure(click.ClickException):
    """The end of a verb: one message on standard error, and exit code 2."""

    exit_code = BAD

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message as every other one is printed."""
        say(self.message)


class Interrupted(Failure):
    """Ctrl-C."""

    exit_code = INTERRUPTED


def say(message: str) -> None:
    """Print a message on standard error, after what standard output has so far."""
    with contextlib.suppress(OSError, ValueError):  # whoever writes next finds out
        sys.stdout.flush()
    lines = list(clean_lines(message)) or [""]
    click.echo("\n".join([f"gotrace: {lines[0]}", *lines[1:]]), err=True)


def clean(text: str) -> str:
    r"""Replace what could steer a terminal or turn text around: `\x1b`, `\u202e`, newlines."""
    if text.isascii() and text.isprintable():
        return text
    from gotrace.sinks.text import safe

    return safe(text)


def clean_lines(text: str) -> Iterator[str]:
    """Clean a text of several lines, keeping the lines."""
    return (clean(line) for line in text.rstrip("\n").split("\n"))


def next_steps(*commands: str) -> list[str]:
    """Say which commands to go on with; one a line, so that each can be copied."""
    return [
        f"{'      ' if place else 'next: '}{clean(each)}" for place, each in enumerate(commands)
    ]


def fit(text: str, width: int = WIDTH) -> str:
    """Cut a clean text to a number of columns, with … where it was cut."""
    if text.isascii():
        return text if len(text) <= width else text[: width - 1] + "…"
    from gotrace.sinks.text import clip

    return clip(text, width)


def is_coloured(path: str | None = None) -> bool:
    """Whether text may have colours: on a terminal, not in a file, unless NO_COLOR is set."""
    if path is not None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def binary_output(what: str) -> BinaryIO:
    """Return standard output for bytes; a terminal is refused."""
    if sys.stdout.isatty():
        raise click.UsageError(f"{what} is binary, and standard output is a terminal: use -o OUT")
    sys.stdout.flush()
    return sys.stdout.buffer


def count(number: int, noun: str) -> str:
    """Write a number and its noun: 1 event, 12,345 events."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """Write a number of bytes: 512 B, 12.3 kB, 4.5 GB."""
    if number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"
