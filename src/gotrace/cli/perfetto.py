"""`gotrace convert --format perfetto`: a stretch of a trace for Perfetto's page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from gotrace.cli.answers import trace_of
from gotrace.cli.inputs import report_damage
from gotrace.cli.terminal import BAD, clean, count, fit, say, size

if TYPE_CHECKING:
    from gotrace.sinks.perfetto import PerfettoWritten

ENDINGS: Final = (".pftrace", ".perfetto-trace")

_LARGE: Final = 300_000_000
"""Bytes that a browser takes its time over."""


def convert_to_perfetto(
    file: str, out: str, start: str | None, end: str | None, overwrite: bool, on_error: str
) -> int:
    """Write the file and say what is in it; return the exit code."""
    from gotrace.sinks.perfetto import goroutine_names, write_perfetto

    if os.path.isdir(out) or out.endswith(("/", os.sep)):
        raise click.UsageError(
            f"-o {clean(out)}: --format perfetto writes one file, like x.pftrace"
        )
    with trace_of(file, on_error) as trace:
        names, span = goroutine_names(trace, start=start, end=end)
        if (code := report_damage([trace], nothing=not span.duration_ns)) == BAD:
            return code
        written = write_perfetto(trace, out, start=start, end=end, names=names, overwrite=overwrite)
    click.echo("\n".join(_told(written, out)))
    if not written.slices:
        say("nothing happened there: the stretch of time is empty, or the trace is over by then")
    return code


def _told(written: PerfettoWritten, out: str) -> Iterator[str]:
    length = os.stat(out).st_size
    what = (
        f"{count(written.slices, 'slice')}, {count(written.instants, 'instant')}, "
        f"{count(written.counts, 'count')} on {count(written.tracks, 'track')}"
    )
    yield fit(f"{what}, {size(length)} in {clean(out)}")
    if length > _LARGE:
        yield "that is a lot for a browser: --from and --to write less"
    yield "next: open it in the Perfetto UI, at ui.perfetto.dev or your own"
