"""`gotrace regions`: how long user regions took, and what their goroutines did in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.aligned import wrapped
from gotrace.cli.answers import (
    Window,
    answer_options,
    brief,
    header,
    moment,
    next_lines,
    shell_word,
    split_text,
    trace_of,
    word_of,
)
from gotrace.cli.inputs import report_damage
from gotrace.cli.interval_groups import group_lines, why_none
from gotrace.cli.options import compat_option, limit_option
from gotrace.cli.output import Output
from gotrace.cli.terminal import BAD, clean, count, fit, say

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.analyses.reading import Span

_TIMES = {
    "running": "exec_ns",
    "ready, but not running": "sched_ns",
    "in system calls": "syscall_ns",
    "in system calls without a proc": "syscall_block_ns",
    "unknown": "unknown_ns",
}


@click.command()
@click.argument("file")
@click.option("--name", metavar="TEXT", help="Only types with TEXT in their name.")
@limit_option(5)
@compat_option("Counts and histograms as Go's.")
@answer_options
def regions(
    file: str,
    name: str | None,
    limit: int,
    compat: str | None,
    window: Window,
    out: Output,
    on_error: str,
) -> int:
    r"""Say how long the user regions of FILE took (runtime/trace.StartRegion), and in what.

    \b
    gotrace regions app.trace
    gotrace regions app.trace --name query --limit 20
    """
    from gotrace.analyses.tasks import region_groups

    with trace_of(file, on_error) as trace:
        groups, slowest, span = region_groups(
            trace,
            **window,
            name=name,
            slowest=limit if out.form == "text" else 0,
            compat=compat,
        )
        page = _Page(trace.name, groups, slowest.to_pylist(), span, limit)
        out.write(groups, page.lines())
        code = report_damage([trace], nothing=not span.duration_ns)
        if not groups.num_rows and code != BAD:
            say(f"no regions: {why_none('region', 'runtime/trace.StartRegion', name)}")
        return code


class _Page:
    """The regions as text."""

    def __init__(
        self,
        name: str,
        groups: pa.Table,
        slowest: list[dict[str, Any]],
        span: Span,
        limit: int,
    ) -> None:
        self._name, self._groups, self._span, self._limit = name, groups, span, limit
        self._slowest = slowest

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        number = sum(self._groups["count"].to_pylist())
        about = f"{count(number, 'region')} of {count(self._groups.num_rows, 'type')}"
        yield from header(self._name, self._span, about)
        if not number:
            return
        yield from group_lines(self._groups)
        yield "  what goroutines did in them"
        for row in self._groups.slice(0, self._limit).to_pylist():
            text = f"{row['name'] or '(no name)'}: {split_text(_split(row))}"
            yield from wrapped(text, "    ")
        yield ""
        yield "  the slowest"
        for row in self._slowest:
            yield from self._slow(row)
        yield from next_lines(*self._next())

    def _slow(self, row: dict[str, Any]) -> Iterator[str]:
        of_task = f", task {row['task']}" if row["task"] is not None else ""
        opened = " (not ended)" if row["open_end"] else ""
        lasted = f"{brief(row['duration_ns']):>8}{opened}"
        name = clean(row["name"] or "(no name)")
        where = f"G{row['goroutine']}{of_task}"
        yield fit(f"  +{moment(row['start_ns'], self._span)}  {lasted}  {name} on {where}")
        yield from wrapped(split_text(_split(row)), " " * 16)

    def _next(self) -> list[str]:
        file = shell_word(self._name)
        worst = self._slowest[0]
        start = moment(worst["start_ns"], self._span)
        name = word_of(worst["name"])
        flame = f"gotrace flame {file} --by wall" + (f" --region {name}" if name else "")
        return [f"gotrace goroutines {file} --id {worst['goroutine']} --from +{start}s", flame]


def _split(row: dict[str, Any]) -> dict[str, int]:
    """Give how the time of a region, or of a group of them, divides; waiting by reason."""
    split = {label: row[column] for label, column in _TIMES.items()}
    for each in row["block"] or ():
        split[each["reason"] or "blocked, no reason given"] = each["ns"]
    return split
