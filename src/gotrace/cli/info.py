"""`gotrace info`: what is this file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.answers import shell_word
from gotrace.cli.inputs import check_once, on_error_option, open_input, report_damage
from gotrace.cli.many import Many
from gotrace.cli.moments import duration
from gotrace.cli.terminal import BAD, PARTIAL, clean, count, fit, next_steps, size

if TYPE_CHECKING:
    from gotrace.tables.info import Info
    from gotrace.tables.profile import Profile, ProfileInfo
    from gotrace.tables.trace import Trace

_NOTES_SHOWN = 5


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or one JSON object per file and line.",
)
@on_error_option
def info(files: tuple[str, ...], form: str, on_error: str) -> int:
    """Say what FILE is: kind, version, time, counts, completeness.

    Reads the whole file once.
    """

    def read(file: str) -> tuple[Trace | Profile, Info | ProfileInfo]:
        source = open_input(file, on_error)
        return source, source.info()

    check_once(files)
    codes = []
    many = Many(files, read)
    for number, (_, (source, told)) in enumerate(many):
        if form == "json":
            click.echo(_json(told))
        else:
            click.echo("\n".join([*([""] if number else []), *_lines(told)]))
        codes.append(report_damage([source], nothing=not _has_any(told)))
    if all(code == BAD for code in codes):
        return BAD
    return PARTIAL if any(codes) else many.code


def _lines(told: Info | ProfileInfo) -> Iterator[str]:
    from gotrace.tables.profile import ProfileInfo

    if isinstance(told, ProfileInfo):
        from gotrace.cli.profile_info import lines

        return lines(told)
    return _text(told)


def _has_any(told: Info | ProfileInfo) -> bool:
    from gotrace.tables.profile import ProfileInfo

    return bool(told.profiles) if isinstance(told, ProfileInfo) else _has_events(told)


def _text(told: Info) -> Iterator[str]:
    yield clean(told.source)
    for name, text in _facts(told):
        yield fit(f"  {name:12} {clean(text)}")
    if _has_events(told):
        file = shell_word(told.source)
        yield from next_steps(f"gotrace events {file} --limit 20", f"gotrace convert {file} -o DIR")


def _has_events(told: Info) -> bool:
    """Whether there is more than the syncs that stand at every begin and end."""
    return told.events > told.kinds.get("sync", 0)


def _facts(told: Info) -> Iterator[tuple[str, str]]:
    yield "kind", f"execution trace, header {told.header!r}, written by {told.runtimes}"
    packed = f", {told.compression} {size(told.compressed_bytes)}" if told.compression else ""
    yield "size", f"{size(told.trace_bytes)}{packed}"
    if told.freq_hz:
        yield "clock", f"{told.freq_hz:,} ticks a second"
    if told.wall_start is not None:
        error = f" (within {told.clock_error_ns} ns of the clock snapshot)"
        yield (
            "start",
            f"{told.wall_start:%Y-%m-%dT%H:%M:%S.%fZ}{error if told.clock_error_ns else ''}",
        )
    elif told.generations:
        yield "start", "unknown: the trace has no wall clock (Go 1.25 and later write one)"
    if told.duration_ns is not None:
        yield "duration", duration(told.duration_ns)
    yield "complete", _completeness(told)
    yield "generations", _generations(told)
    yield "stacks", f"{told.stacks:,} distinct, of {count(told.frames, 'frame')}"
    yield "events", f"{told.events:,}"
    widest = max(map(len, told.kinds), default=0)
    for kind, rows in told.kinds.items():
        yield "", f"{kind:{widest}} {rows:>12,} {100 * rows / told.events:5.1f} %"
    yield "notes", "none" if not told.notes else count(len(told.notes), "note")
    for note in told.notes[:_NOTES_SHOWN]:
        where = f"at byte {note['offset']}: " if note["offset"] is not None else ""
        yield "", f"{note['severity']}: {where}{note['text']}"
    if len(told.notes) > _NOTES_SHOWN:
        yield "", f"… and {len(told.notes) - _NOTES_SHOWN} more: table notes"


def _completeness(told: Info) -> str:
    if told.complete is None:
        return "no damage; traces of Go 1.25 and before cannot say whether more should follow"
    return "yes" if told.complete else "no, see notes"


def _generations(told: Info) -> str:
    numbers = [row["number"] for row in told.generations]
    if not numbers:
        return "none"
    if len(numbers) == 1:
        return f"1 (number {numbers[0]})"
    return f"{len(numbers):,} (numbers {numbers[0]} to {numbers[-1]})"


def _json(told: Info | ProfileInfo) -> str:
    import json

    return json.dumps(vars(told), default=_plain)


def _plain(value: Any) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}"
