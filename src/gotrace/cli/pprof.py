"""`gotrace pprof`: where goroutines were delayed, as a profile that `go tool pprof` reads."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click

from gotrace.cli.answers import shell_word, trace_of
from gotrace.cli.inputs import on_error_option, report_damage
from gotrace.cli.moments import When, duration
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
@click.option("--from", "start", type=When(), help="First time: +12.5s, RFC 3339, or ns.")
@click.option("--to", "end", type=When(), help="Time to stop before.")
@click.option(
    "-o", "out", metavar="OUT", help="File to write: .pb.gz, .pb.zst or .pb; else standard output."
)
@click.option("--overwrite", is_flag=True, help="Replace OUT.")
@click.option(
    "--compat",
    type=click.Choice(["go"]),
    help="Of an id that lives twice count only the last life, as Go does.",
)
@on_error_option
def pprof(
    file: str,
    by: str,
    start: str | None,
    end: str | None,
    out: str | None,
    overwrite: bool,
    compat: str | None,
    on_error: str,
) -> int:
    r"""Write where goroutines of FILE were delayed as a profile, as `go tool trace -pprof` does.

    Each sample is a stack, how often goroutines were delayed from there, and how long in sum.

    \b
    gotrace pprof app.trace --by sync -o sync.pb.gz
    gotrace pprof app.trace --by sched | go tool pprof -top -
    """
    from gotrace.analyses.as_tables import as_tables
    from gotrace.analyses.delays import profile_and_span
    from gotrace.sinks.profile_proto import ENDINGS, ending_of, write_profile

    ending = ending_of(out) if out is not None else ".pb.gz"
    if ending is None:
        endings = ", ".join(ENDINGS)
        raise click.UsageError(f"-o {clean(out or '')}: no profile; its endings are {endings}")
    target = out if out is not None else binary_output("a profile")
    with trace_of(file, on_error) as trace:
        profile, span = profile_and_span(trace, by, start=start, end=end, compat=compat)
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
        say(f"the profile is empty: no goroutine {_MEANINGS[by]} here and came out of it again")
    return code


def _summary(samples: pa.Table) -> str:
    values = samples["values"].to_pylist()
    delays, nanoseconds = (sum(column) for column in zip(*values, strict=True))
    return f"{count(len(values), 'stack')}, {count(delays, 'delay')}, {duration(nanoseconds)}"
