"""`gotrace pprof`: where goroutines were delayed, as a profile that `go tool pprof` reads."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from gotrace.cli.answers import shell_word, trace_of
from gotrace.cli.inputs import on_error_option, report_damage
from gotrace.cli.moments import duration
from gotrace.cli.options import compat_option
from gotrace.cli.parts import asked_part, part_words
from gotrace.cli.stack_input import answering
from gotrace.cli.terminal import BAD, binary_output, clean, count, fit, say

if TYPE_CHECKING:
    import pyarrow as pa

_MEANINGS: Final[Mapping[str, str]] = {
    "net": "waited for the network",
    "sync": "waited for channels, locks and the like",
    "syscall": "was in a system call",
    "sched": "was ready to run without running",
}


@click.command()
@click.argument("file")
@click.option(
    "--by",
    type=click.Choice(list(_MEANINGS)),
    required=True,
    help="Time waiting for the network; for channels, locks and the like; in system calls; "
    "ready to run, but not running.",
)
@asked_part
@click.option(
    "-o", "out", metavar="OUT", help="File to write: .pb.gz, .pb.zst or .pb; else standard output."
)
@click.option("--overwrite", is_flag=True, help="Replace OUT.")
@compat_option("Of an id that lives twice count only the last life, as Go does.")
@on_error_option
def pprof(
    file: str,
    by: str,
    where: Mapping[str, Any],
    out: str | None,
    overwrite: bool,
    compat: str | None,
    on_error: str,
) -> int:
    r"""Write where goroutines of FILE were delayed as a profile, as `go tool trace -pprof` does.

    Each sample is a stack, how often goroutines were delayed from there, and how long in sum.
    --group and --region give what the pages of `go tool trace` offer for one group of goroutines,
    and for one type of region.

    \b
    gotrace pprof app.trace --by sync -o sync.pb.gz
    gotrace pprof app.trace --by net --region lookup --at-least 10ms -o slow.pb.gz
    gotrace pprof app.trace --by sched | go tool pprof -top -
    """
    from gotrace.analyses.as_tables import as_tables
    from gotrace.analyses.delays import profile_and_span
    from gotrace.analyses.selection import Where
    from gotrace.sinks.profile_proto import ENDINGS, ending_of, write_profile

    ending = ending_of(out) if out is not None else ".pb.gz"
    if ending is None:
        endings = ", ".join(ENDINGS)
        raise click.UsageError(f"-o {clean(out or '')}: no profile; its endings are {endings}")
    target = out if out is not None else binary_output("a profile")
    with trace_of(file, on_error) as trace:
        chosen = dict(where)
        window = {name: chosen.pop(name, None) for name in ("start", "end")}
        part = Where(**chosen)
        with answering(trace.name):
            profile, span = profile_and_span(trace, by, where=part, compat=compat, **window)
        code = report_damage([trace], nothing=not span.duration_ns)
    if code == BAD:
        return code
    tables = as_tables(profile)
    samples = write_profile(tables, target, compression=ENDINGS[ending], overwrite=overwrite)
    if out is None:
        sys.stdout.flush()
    elif samples:
        click.echo(fit(f"{_summary(tables['samples'])} in {clean(out)}"))
        click.echo(fit(f"next: go tool pprof -http=: {shell_word(out)}"))
    if not samples:
        place = clean(part_words(where)) if where else "here"
        what = f"no goroutine {_MEANINGS[by]} and came out of it again"
        say(f"the profile is empty: {what} ({place})")
    return code


def _summary(samples: pa.Table) -> str:
    values = samples["values"].to_pylist()
    delays, nanoseconds = (sum(column) for column in zip(*values, strict=True))
    return f"{count(len(values), 'stack')}, {count(delays, 'delay')}, {duration(nanoseconds)}"
