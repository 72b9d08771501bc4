"""`gotrace tasks`: how long user tasks took, the slowest of them, and what held those up."""

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
)
from gotrace.cli.inputs import report_damage
from gotrace.cli.interval_groups import group_lines, why_none
from gotrace.cli.options import compat_option, limit_option
from gotrace.cli.output import Output
from gotrace.cli.terminal import BAD, clean, count, fit, say

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.analyses.reading import Span


@click.command()
@click.argument("file")
@click.option("--id", "task", type=click.IntRange(min=1), help="One task, and its critical path.")
@click.option("--name", metavar="TEXT", help="Only types with TEXT in their name.")
@limit_option(5)
@compat_option("Counts and histograms as Go's.")
@answer_options
def tasks(
    file: str,
    task: int | None,
    name: str | None,
    limit: int,
    compat: str | None,
    window: Window,
    out: Output,
    on_error: str,
) -> int:
    r"""Say how long the user tasks of FILE took (runtime/trace.NewTask), and why the slowest did.

    \b
    gotrace tasks app.trace
    gotrace tasks app.trace --name checkout
    gotrace tasks app.trace --id 42              one task: logs, regions, critical path
    """
    from gotrace.analyses.critical_path import split_of_paths
    from gotrace.analyses.tasks import task_groups

    if task is not None and any(window.values()):
        raise click.UsageError("--id looks at a whole task: leave out --from and --to")
    with trace_of(file, on_error) as trace:
        if task is not None:
            from gotrace.cli.task_story import tell

            return tell(trace, task, out)
        groups, slowest, span = task_groups(
            trace,
            **window,
            name=name,
            slowest=limit if out.form == "text" else 0,
            compat=compat,
        )
        page = _Page(trace.name, groups, slowest.to_pylist(), span, limit)
        if out.form == "text":
            page.splits = split_of_paths(trace, [_end_of(row) for row in page.slowest])
        out.write(groups, page.lines())
        code = report_damage([trace], nothing=not span.duration_ns)
        if not groups.num_rows and code != BAD:
            say(f"no tasks: {why_none('task', 'runtime/trace.NewTask', name)}")
        return code


def _end_of(row: dict[str, Any]) -> tuple[int | None, int, int]:
    who = row["end_goroutine"] if row["end_goroutine"] is not None else row["by_goroutine"]
    return who, row["start_ns"], row["end_ns"]


class _Page:
    """The tasks as text."""

    def __init__(
        self,
        name: str,
        groups: pa.Table,
        slowest: list[dict[str, Any]],
        span: Span,
        limit: int,
    ) -> None:
        self._name, self._groups, self._span, self._limit = name, groups, span, limit
        self.slowest = slowest
        self.splits: list[dict[str, int]] = []

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        number = sum(self._groups["count"].to_pylist())
        about = f"{count(number, 'task')} of {count(self._groups.num_rows, 'type')}"
        yield from header(self._name, self._span, about)
        if not number:
            return
        yield from group_lines(self._groups)
        yield "  the slowest, and what their critical path was spent on"
        for row, split in zip(self.slowest, self.splits, strict=True):
            yield from self._slow(row, split)
        yield from next_lines(*self._next())

    def _slow(self, row: dict[str, Any], split: dict[str, int]) -> Iterator[str]:
        parts = f"{count(row['goroutines'], 'goroutine')}, {count(row['regions'], 'region')}"
        opened = " (not ended)" if row["open_end"] else ""
        lasted = f"{brief(row['duration_ns']):>8}{opened}"
        name = clean(row["name"] or "(no name)")
        head = f"  +{moment(row['start_ns'], self._span)}  {lasted}  task {row['task']} {name}"
        yield fit(f"{head}: {parts}")
        if text := split_text(split):
            yield from wrapped(text, " " * 16)

    def _next(self) -> list[str]:
        file = shell_word(self._name)
        worst = self.slowest[0]["task"] if self.slowest else 1
        return [
            f"gotrace tasks {file} --id {worst}",
            f"gotrace flame {file} --by wall --task {worst}",
        ]
