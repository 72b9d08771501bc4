"""What the verbs that answer questions over a trace share: options, input, header, output."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gotrace.cli.aligned import width_of_page, wrapped
from gotrace.cli.inputs import on_error_option, open_trace, rereadable
from gotrace.cli.moments import duration, seconds, wall
from gotrace.cli.options import window_options
from gotrace.cli.output import output_options
from gotrace.cli.terminal import clean, fit, next_steps

if TYPE_CHECKING:
    from gotrace.analyses.reading import Span
    from gotrace.tables.trace import Trace

Command = TypeVar("Command", bound=Callable[..., Any])

STATES: Final = {"running": "running", "runnable": "ready", "syscall": "syscall"}
"""States of goroutines as people call them; a wait is called by what it waits for."""

Window = Mapping[str, Any]
"""A stretch of time as analyses take it: `start` and `end`, None for open."""


def answer_options(command: Command) -> Command:
    """Add what every answer takes: a stretch of time, as `window`; an output, as `out`."""

    @functools.wraps(command)
    def asked(start: str | None, end: str | None, **given: Any) -> Any:
        return command(window={"start": start, "end": end}, **given)

    options: list[Callable[[Any], Any]] = [
        window_options,
        output_options,
        on_error_option,
    ]
    for option in reversed(options):
        asked = option(asked)
    return asked  # type: ignore[return-value]


@contextlib.contextmanager
def trace_of(file: str, on_error: str) -> Iterator[Trace]:
    """Open a trace that can be passed over more than once; of a pipe, a copy."""
    with rereadable(file) as source:
        yield open_trace(source, on_error)


def header(name: str, span: Span, about: str) -> list[str]:
    """Say which trace, which stretch of it in time and by the clock, and what follows."""
    began = f", from {wall(span.wall_ns)}" if span.wall_ns is not None else ""
    whole = f"{duration(span.duration_ns)} of a trace{began}"
    if span.start_ns > span.origin_ns:
        stretch = f"+{moment(span.start_ns, span)} to +{moment(span.end_ns, span)}"
        whole = f"{stretch} of a trace that began{began.replace(', from', ' at') or ' before'}"
    return [fit(clean(name), width_of_page()), *wrapped(whole), *wrapped(about), ""]


def moment(time_ns: int, span: Span) -> str:
    """Write an instant as seconds from the start of the trace: 1.234567s."""
    return seconds(time_ns - span.origin_ns)


def shell_word(name: str) -> str:
    """Write the name of an input as a shell takes it."""
    import shlex

    return "FILE" if name.startswith("<") else shlex.quote(clean(name))


def next_lines(*commands: str) -> list[str]:
    """End a page with the commands to go on with."""
    return ["", *next_steps(*commands)]


def word_of(name: str | None) -> str | None:
    """Write a stranger's name as a shell takes it; None where it could not be copied as it is."""
    import shlex

    return shlex.quote(name) if name and clean(name) == name else None


def brief(nanoseconds: int | None) -> str:
    """Write a duration in a table: 1.23 s, 45.6 ms; nothing for none, 0 for zero."""
    if nanoseconds is None:
        return "-"
    return duration(nanoseconds) if nanoseconds else "0"


def split_text(split: dict[str, int]) -> str:
    """Write how a time divides, the largest part first."""
    whole = sum(split.values()) or 1
    rows = sorted(split.items(), key=lambda item: -item[1])
    return ", ".join(
        f"{word} {brief(ns)} ({100 * ns / whole:.0f} %)"
        for at, (word, ns) in enumerate(rows[:6])
        if ns and (not at or 200 * ns >= whole)
    )
