"""How stacks and their values look as text: units, shares, names that fit, colours, a heading."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.aligned import width_of_page
from gotrace.cli.answers import shell_word
from gotrace.cli.parts import part_words
from gotrace.cli.terminal import WIDTH, clean, fit, is_coloured, next_steps, say

if TYPE_CHECKING:
    from gotrace.analyses.profile_columns import ProfileColumns
    from gotrace.cli.stack_input import Question, Stacks

_HOT, _WARM = 0.1, 0.02
"""Shares from which a number is red, yellow."""


class Style:
    """The page that text is for: its width, and whether it has colours."""

    def __init__(self, path: str | None = None) -> None:
        self.width = width_of_page() if path is None else WIDTH
        self._coloured = is_coloured(path)

    def paint(self, text: str, **how: Any) -> str:
        """Colour a text that is as wide as it will be."""
        return click.style(text, **how) if self._coloured and how else text

    def heat(self, text: str, share: float) -> str:
        """Colour a number by its share of the total."""
        if share >= _HOT:
            return self.paint(text, fg="red", bold=True)
        return self.paint(text, fg="yellow") if share >= _WARM else text

    def name(self, name: str, room: int, mark: str = "") -> str:
        """Fit a frame's name and its mark into so many columns; the function stands out."""
        text = fitted_name(clean(name), room - len(mark))
        start = text.split("(", 1)[0].rfind("/") + 1
        place = text.find(" ", start)
        end = len(text) if place < 0 else place
        return (
            self.paint(text[:start], dim=True)
            + self.paint(text[start:end], bold=True)
            + self.paint(text[end:] + mark, dim=True)
        )

    def prefix(self, lines: str, room: int) -> str:
        """Cut the lines that lead to a node of a tree, so that half the room is the name's."""
        return lines if len(lines) <= room // 2 else f"…{lines[len(lines) - room // 2 + 1 :]}"

    def dim(self, text: str) -> str:
        """Put a text into the background."""
        return self.paint(text, dim=True)


class Values:
    """How the values of a report are written: all in one unit, but for those too small for it."""

    def __init__(self, unit: str, to: str, total: int, values: Iterable[int] = ()) -> None:
        from gotrace.analyses.units import readable_unit, roomy_unit

        self._unit, self._to, self._total = unit, to, total
        self._rescue = to == "auto"
        if to == "auto":
            self._to = roomy_unit(total, unit)
        elif to == "minimum":
            self._to = readable_unit(values, total, unit)

    def value(self, value: int) -> str:
        """Write a value: 1.25s, 3.50MB, 42."""
        from gotrace.analyses.units import scaled_label

        text = scaled_label(value, self._unit, self._to)
        return self.own(value) if value and text == "0" and self._rescue else text

    def own(self, value: int) -> str:
        """Write a value that stands alone, in the unit that suits it."""
        from gotrace.analyses.units import scaled_label

        return scaled_label(value, self._unit, "auto" if self._rescue else self._to)

    def share(self, value: int) -> str:
        """Write a value's share of the total: 12.50%."""
        from gotrace.analyses.units import percentage

        return percentage(value, self._total)

    def part(self, value: int) -> float:
        """Give the share as a number."""
        return abs(value) / self._total if self._total else 0.0


def values_of(
    columns: ProfileColumns, question: Question, total: int, values: Iterable[int] = ()
) -> Values:
    """Choose how values are written; as google/pprof does, of `values`, for its numbers."""
    unit = columns.types[columns.type_index(question.by)][1]
    to = "minimum" if question.unit == "auto" and question.compat == "go" else question.unit
    return Values(unit, to, total, values)


def flat_or_cum(rows: Iterable[Mapping[str, int]]) -> Iterator[int]:
    """Give what google/pprof chooses the unit of a call graph by."""
    return (row["flat"] or row["cum"] for row in rows)


def fitted_name(name: str, room: int) -> str:
    """Fit a frame's name: the path of its package goes first, from the left, then the end."""
    if len(name) <= room:
        return fit(name, max(room, 1))
    head = name.split("(", 1)[0]
    at = head.find("/")
    while at >= 0:
        if len(name) - at + 1 <= room:
            return "…" + name[at:]
        at = head.find("/", at + 1)
    last = head.rfind("/")
    short = "…" + name[last:] if last >= 0 else name
    return fit(short, max(room, 1))


def heading(stacks: Stacks, question: Question, style: Style) -> Iterator[str]:
    """Say what was measured, how long and when, and what was filtered."""
    from gotrace.analyses.units import scaled_label
    from gotrace.cli.moments import duration

    columns = stacks.columns
    at = columns.type_index(question.by)
    kind, unit = columns.types[at]
    total = int(abs(columns.values[:, at]).sum())
    parts = [f"{kind} {scaled_label(total, unit, 'auto')}"]
    spent = columns.facts.get("duration_ns")
    if spent:
        parts.append(f"in {duration(spent)}")
    began = columns.facts.get("time_ns")
    if began:
        parts.append(f"at {wall_second(began)}")
    others = [name for place, (name, _) in enumerate(columns.types) if place != at]
    if views := columns.facts.get("views"):
        others = [view for view in views if view != kind]
    yield style.paint(fit(clean(stacks.name), style.width), bold=True)
    yield fit(f"  {clean(' '.join(parts))}", style.width)
    if others:
        yield fit(f"  other values (--by): {clean(', '.join(others))}", style.width)
    if question.given_filters or question.where:
        yield fit(f"  filtered: {clean(filter_text(question))}", style.width)


def filter_text(question: Question) -> str:
    """Write the filters as they are given on the command line, with their values."""
    filters = (
        f"--{name.replace('_', '-')}" + ("" if value is True else f" {shlex.quote(value)}")
        for name, value in question.given_filters.items()
    )
    return " ".join(filter(None, [part_words(question.where), *filters]))


def inline_mark(inlined: bool | None) -> str:
    """Say behind a name that it is inlined into its callers, or into some."""
    return {True: " (inline)", False: "", None: " (partial-inline)"}[inlined]


def frame_noun(question: Question, number: int = 1) -> str:
    """Give the word for what frames are made one by: function, files."""
    noun = "functions" if "functions" in question.granularity else question.granularity
    return noun if number != 1 else "address" if noun == "addresses" else noun.removesuffix("s")


def exit_code(stacks: Stacks, question: Question, rows: int, kept: int) -> int:
    """Say why there is no answer, where there is none; give the exit code."""
    if not rows:
        say(_why_empty(stacks.columns, question, kept))
    return stacks.code


def _why_empty(columns: ProfileColumns, question: Question, kept: int) -> str:
    """Say why an answer has no rows; `kept` samples are left by the filters."""
    at = columns.type_index(question.by)
    kind = columns.types[at][0]
    if not len(columns.labels):
        return _why_no_samples(columns, question)
    if not columns.values[:, at].any():
        filled = [name for i, (name, _) in enumerate(columns.types) if columns.values[:, i].any()]
        hint = f"; --by {filled[-1]} has some" if filled else ""
        return f"nothing to show: {kind} is 0 in all samples{hint}"
    if not kept:
        given = " ".join(question.filter_words())
        return f"nothing to show: {given} left none of {len(columns.labels):,} samples"
    return "nothing to show: what is left adds up to nothing"


def _why_no_samples(columns: ProfileColumns, question: Question) -> str:
    if "views" not in columns.facts:
        return "nothing to show: the profile has no samples"
    if question.where:
        return f"nothing to show: {part_words(question.where)} leaves nothing of the trace"
    if question.by == "cpu":
        return (
            "nothing to show: the trace has no CPU samples; they are there when "
            "pprof.StartCPUProfile runs beside it (--by wall needs none)"
        )
    return f"nothing to show: no goroutine of the trace spent {question.by or 'any'} time"


def next_lines(commands: Sequence[str], style: Style) -> Iterator[str]:
    """Say which commands to go on with, in the background."""
    return map(style.dim, next_steps(*(f"gotrace {command}" for command in commands)))


def file_words(stacks: Stacks) -> str:
    """Write the inputs as a shell takes them; many are not written out."""
    files = ["FILE" if file == "-" else shell_word(file) for file in stacks.files]
    return " ".join(files) if sum(map(len, files)) <= 60 else f"{files[0]} …"


def again(stacks: Stacks, question: Question) -> str:
    """Write the inputs, and of what and which part of them the question was."""
    by = "" if question.by is None else f"--by {shlex.quote(question.by)}"
    return clean(" ".join(filter(None, [file_words(stacks), by, filter_text(question)])))


def exactly(name: str) -> str:
    """Write a pattern for one function, as a shell takes it."""
    import re

    return shlex.quote(clean(f"^{re.escape(name)}$"))


def wall_second(nanoseconds: int) -> str:
    """Write nanoseconds since 1970 as RFC 3339 in UTC, to the second."""
    try:
        return f"{datetime.fromtimestamp(nanoseconds // 10**9, tz=timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return f"{nanoseconds} ns since 1970"
