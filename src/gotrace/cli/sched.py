"""`gotrace sched`: how long goroutines waited for a proc, when, and who made it so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.aligned import aligned, short_name, width_of_page, wrapped
from gotrace.cli.answers import (
    Window,
    answer_options,
    brief,
    header,
    moment,
    next_lines,
    shell_word,
    trace_of,
)
from gotrace.cli.bars import bar, histogram_lines, spark
from gotrace.cli.inputs import report_damage
from gotrace.cli.options import limit_option
from gotrace.cli.output import Output
from gotrace.cli.terminal import BAD, clean, count, fit, say

if TYPE_CHECKING:
    from gotrace.analyses.meanwhile import Meanwhile
    from gotrace.analyses.sched import Sched
    from gotrace.tables.trace import Trace


@click.command()
@click.argument("file")
@click.option(
    "--what",
    type=click.Choice(["latency", "windows", "bursts", "procs"]),
    default="latency",
    show_default=True,
    help="Which table --format and -o write; text has all of them.",
)
@limit_option(5)
@answer_options
def sched(
    file: str,
    what: str,
    limit: int,
    window: Window,
    out: Output,
    on_error: str,
) -> int:
    r"""Say how long goroutines of FILE waited for a proc, when it was worst, and why.

    \b
    gotrace sched app.trace                          latency, spikes, bursts, procs
    gotrace sched app.trace --from +1s --to +1.2s    a part of it
    gotrace sched app.trace --what windows -o w.csv  over time, for a plot
    """
    from gotrace.analyses.meanwhile import Stretch, meanwhile
    from gotrace.analyses.sched import look

    with trace_of(file, on_error) as trace:
        seen = look(trace, **window)
        page = _Page(trace, seen, limit)
        if out.form == "text":
            spikes = page.worst_windows()
            page.explained = meanwhile(trace, [Stretch(*_wait(row)) for row in spikes])
        out.write(getattr(seen, what), page.lines())
        code = report_damage([trace], nothing=not seen.span.duration_ns)
        if not seen.latency.num_rows and code != BAD:
            say("no goroutine got ready and ran here: there is no latency to tell")
        return code


def _wait(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["worst_goroutine"], row["worst_start_ns"], row["worst_end_ns"]


class _Page:
    """Everything about the scheduler as text."""

    def __init__(self, trace: Trace, seen: Sched, limit: int) -> None:
        self._trace, self._seen, self._limit = trace, seen, limit
        self._span = seen.span
        self.explained: list[Meanwhile] = []

    def worst_windows(self) -> list[dict[str, Any]]:
        """Give the windows with the longest waits."""
        import pyarrow.compute as pc

        windows = self._seen.windows
        windows = windows.filter(pc.greater(windows["count"], 0))
        order = [("latency_max_ns", "descending"), ("start_ns", "ascending")]
        rows: list[dict[str, Any]] = windows.sort_by(order).slice(0, self._limit).to_pylist()
        return rows

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        every = self._seen.latency.slice(0, 1).to_pylist()
        about = "no goroutine got ready and ran"
        if every:
            row = every[0]
            about = (
                f"{count(row['count'], 'wait')} for a proc: half within {brief(row['p50_ns'])}, "
                f"99 % within {brief(row['p99_ns'])}, the longest {brief(row['max_ns'])}"
            )
        yield from header(self._trace.name, self._span, about)
        if not every:
            return
        yield from self._latency()
        yield from self._over_time()
        yield from self._spikes()
        yield from self._burst_lines()
        yield from self._procs()
        yield ""
        yield "  how long the waits were"
        yield from histogram_lines(every[0]["histogram"], width_of_page() - 60)
        yield from next_lines(*self._next())

    def _latency(self) -> Iterator[str]:
        rows = self._seen.latency.to_pylist()
        head = ["times", "sum", "p50", "p90", "p99", "max", "ready because"]
        yield from aligned(
            head,
            [
                [
                    f"{row['count']:,}",
                    brief(row["total_ns"]),
                    *(brief(row[f"{name}_ns"]) for name in ("p50", "p90", "p99", "max")),
                    _CAUSES.get(row["cause"], row["cause"]),
                ]
                for row in rows
            ],
        )
        yield ""

    def _over_time(self) -> Iterator[str]:
        windows = self._seen.windows
        width = width_of_page() - 40
        step = windows["end_ns"][0].as_py() - windows["start_ns"][0].as_py()
        ends = (moment(self._span.start_ns, self._span), moment(self._span.end_ns, self._span))
        yield fit(f"  over time, +{ends[0]} to +{ends[1]}, {brief(step)} a window")
        for label, column, told in (
            ("longest wait", windows["latency_max_ns"].fill_null(0), brief),
            ("p99", windows["latency_p99_ns"].fill_null(0), brief),
            ("most ready", windows["runnable_max"], str),
            ("times run", windows["count"], lambda number: f"{number:,}"),
        ):
            values = column.to_pylist()
            yield f"  {label:13} {spark(values, width)}  up to {told(max(values))}"
        yield ""

    def _spikes(self) -> Iterator[str]:
        rows = self.worst_windows()
        yield "  the longest waits, and what ran meanwhile"
        for row, while_ in zip(rows, self.explained, strict=True):
            goroutine, start, end = _wait(row)
            name = short_name(while_.names.get(goroutine))
            head = f"+{moment(start, self._span)}  {brief(end - start):>8}  G{goroutine} {name}"
            yield fit(f"  {clean(head)}", width_of_page())
            yield from wrapped(_why(goroutine, end - start, while_, row), " " * 16)
        yield ""

    def _burst_lines(self) -> Iterator[str]:
        bursts = self._seen.bursts
        if not bursts.num_rows:
            return
        from gotrace.analyses.bursts import LEAST, by_waker

        sites = self._sites(bursts["by_stack_id"].unique().to_pylist())
        rows = by_waker(bursts).slice(0, self._limit).to_pylist()
        yield f"  who woke {LEAST} or more within a millisecond"
        yield from aligned(
            ["bursts", "most woken", "largest at", "goroutine", "where"],
            [
                [
                    f"{row['bursts']:,}",
                    f"{row['woken']:,}",
                    f"+{moment(row['start_ns'], self._span)}",
                    _who(row),
                    short_name(sites.get(row["by_stack_id"]) or _no_site(row)),
                ]
                for row in rows
            ],
            left=(3,),
        )
        yield ""

    def _sites(self, ids: Sequence[int | None]) -> dict[int, str]:
        from gotrace.analyses.names_of_stacks import sites

        return sites(self._trace, [id for id in ids if id is not None])

    def _procs(self) -> Iterator[str]:
        rows = self._seen.procs.to_pylist()
        if not rows:
            return
        busy = sum(row["busy_ns"] for row in rows)
        total = sum(row["total_ns"] for row in rows)
        share = _percent(busy, total)
        yield f"  {count(len(rows), 'proc')}, busy with goroutines {share} % of the time"
        if len(rows) > _PROCS:
            rows = sorted(rows, key=lambda row: row["busy_ns"])
            rows = [*rows[: _PROCS // 2], *rows[-_PROCS // 2 :]]
            yield "  the least and the most busy of them"
        times = ("busy_ns", "scheduler_ns", "syscall_ns", "idle_ns")
        yield from aligned(
            ["", "goroutines", "scheduler", "syscall", "idle", "runs", ""],
            [
                [
                    f"P{row['proc']}",
                    *(f"{_percent(row[name], row['total_ns'])} %" for name in times),
                    f"{row['runs']:,}",
                    bar(row["busy_ns"], row["total_ns"], 30),
                ]
                for row in rows
            ],
            left=(0,),
        )

    def _next(self) -> list[str]:
        file = shell_word(self._trace.name)
        worst = self.worst_windows()[0]
        start, end = (moment(worst[name], self._span) for name in ("start_ns", "end_ns"))
        return [
            f"gotrace goroutines {file} --id {worst['worst_goroutine']} --from +{start}s",
            f"gotrace flame {file} --by sched --from +{start}s --to +{end}s",
        ]


_PROCS = 16
_CAUSES = {
    "all": "all",
    "unblock": "another woke it",
    "create": "it was made",
    "switch": "a coroutine switched to it",
    "preempted": "it was preempted",
    "gosched": "it called runtime.Gosched",
    "syscall": "its system call ended, without a proc",
    "other": "other",
}


def _no_site(row: dict[str, Any]) -> str:
    """Say where nothing is known of the place: switches to coroutines have no stack."""
    by_runtime = row["by_goroutine"] is None
    return "the runtime: timers, the network" if by_runtime else "(no stack was recorded)"


def _why(goroutine: int, waited: int, while_: Meanwhile, row: dict[str, Any]) -> str:
    """Say what went on while a goroutine waited."""
    parts = []
    if while_.by_goroutine is not None:
        where = f" at {short_name(while_.by_site)}" if while_.by_site else ""
        parts.append(f"woken by G{while_.by_goroutine}{where}")
    by_name: dict[str, tuple[int, int]] = {}
    for other, ran in while_.ran.items():
        if other != goroutine:
            name = short_name(while_.names.get(other))
            times, goroutines = by_name.get(name, (0, 0))
            by_name[name] = (times + ran, goroutines + 1)
    top = sorted(by_name.items(), key=lambda item: -item[1][0])[:3]
    if top:
        listed = ", ".join(
            f"{name}{f' ({number} of them)' if number > 1 else ''} {brief(times)}"
            for name, (times, number) in top
        )
        parts.append(f"ran: {listed}")
    for name, time in while_.ranges.items():
        if time * 20 >= waited:
            parts.append(f"{name} {brief(time)}")
    parts.append(f"up to {row['runnable_max']} were ready")
    return "; ".join(parts)


def _who(row: dict[str, Any]) -> str:
    if row["goroutines"] > 1:
        return f"{row['goroutines']:,} of them"
    return "" if row["by_goroutine"] is None else f"G{row['by_goroutine']}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"
