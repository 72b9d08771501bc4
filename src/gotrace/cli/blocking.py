"""`gotrace blocking`: where goroutines waited, what for, and who ended it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.aligned import aligned, short_name, wrapped
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
from gotrace.cli.inputs import report_damage
from gotrace.cli.options import limit_option
from gotrace.cli.output import Output
from gotrace.cli.terminal import BAD, count, say

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.analyses.reading import Span

_EXPLAINED = 5


@click.command()
@click.argument("file")
@click.option("--wait", metavar="WORD", help="Only what waits for this: mutex, chan_recv, …")
@click.option("--at", metavar="TEXT", help="Only places with TEXT in their name.")
@click.option("--runtime", is_flag=True, help="Idle goroutines of the runtime itself too.")
@limit_option(15)
@answer_options
def blocking(
    file: str,
    wait: str | None,
    at: str | None,
    runtime: bool,
    limit: int,
    window: Window,
    out: Output,
    on_error: str,
) -> int:
    r"""Say where the goroutines of FILE waited, what for, how long, and who ended it.

    \b
    gotrace blocking app.trace
    gotrace blocking app.trace --wait mutex
    gotrace blocking app.trace --from +1s --to +1.2s --at handler
    """
    from gotrace.analyses.blocking import blocked

    with trace_of(file, on_error) as trace:
        table, span = blocked(trace, **window, runtime=runtime)
        words = sorted({word for word in table["wait"].cast("string").to_pylist() if word})
        table = _chosen(table, wait, at)
        page = _Page(trace.name, table, span, limit)
        out.write(table, page.lines())
        code = report_damage([trace], nothing=not span.duration_ns)
        if not table.num_rows and code != BAD:
            say(f"no waits: {_why_none(words, wait, at)}")
        return code


def _chosen(table: pa.Table, wait: str | None, at: str | None) -> pa.Table:
    import pyarrow.compute as pc

    if wait is not None:
        table = table.filter(pc.fill_null(pc.equal(table["wait"].cast("string"), wait), False))
    if at is not None:
        table = table.filter(pc.fill_null(pc.match_substring(table["site"], at), False))
    return table


def _why_none(words: list[str], wait: str | None, at: str | None) -> str:
    if not words:
        return "no goroutine but the runtime's own waited here (--runtime shows those)"
    if wait is not None and wait not in words:
        return f"nothing waits for {wait!r} here, but for {', '.join(words)}"
    return f"no place has {at!r} in its name; without --at all are listed"


class _Page:
    """The waits as text."""

    def __init__(self, name: str, table: pa.Table, span: Span, limit: int) -> None:
        self._name, self._span = name, span
        self._places = table.num_rows
        self._waits = sum(table["count"].to_pylist())
        self._rows: list[dict[str, Any]] = table.slice(0, limit).to_pylist()

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        about = f"{count(self._waits, 'wait')} at {count(self._places, 'place')}"
        yield from header(self._name, self._span, about)
        if not self._rows:
            return
        head = ["waited", "times", "p50", "p99", "max", "on", "for", "where"]
        yield from aligned(
            head,
            [
                [
                    brief(row["total_ns"]),
                    f"{row['count']:,}",
                    *(brief(row[f"{short}_ns"]) for short in ("p50", "p99", "max")),
                    f"{row['open']:,}" if row["open"] else "",
                    row["wait"] or "unknown",
                    short_name(row["site"]),
                ]
                for row in self._rows
            ],
            left=(6,),
            optional=(5, 2),
        )
        if (more := self._places - len(self._rows)) > 0:
            yield f"  … and {count(more, 'place')} more: --limit {self._places}"
        yield ""
        yield "  who waited at the first of them, and who ended it (on: still waiting at the end)"
        for row in self._rows[:_EXPLAINED]:
            yield from wrapped(_explained(row), "    ")
        yield from next_lines(*self._next())

    def _next(self) -> list[str]:
        file = shell_word(self._name)
        window = ""
        if self._span.start_ns > self._span.origin_ns:
            window = f" --from +{moment(self._span.start_ns, self._span)}s"
        collector = any((row["wait"] or "").startswith("gc_") for row in self._rows[:_EXPLAINED])
        return [
            *([f"gotrace gc {file}{window}"] if collector else []),
            f"gotrace flame {file} --by wakeup{window}",
            f"gotrace goroutines {file}{window}",
        ]


def _explained(row: dict[str, Any]) -> str:
    """Say who waited at a place, and who ended that."""
    who = ", ".join(short_name(each["name"]) for each in row["groups"][:3])
    # A switch to a coroutine has no stack; what else has none the runtime did by itself.
    no_site = "a switch" if row["wait"] == "coroutine" else "the runtime (timers, the network)"
    enders = ", ".join(
        f"{short_name(each['site']) if each['site'] else no_site} "
        f"{_percent(each['ns'], row['total_ns'])}"
        for at, each in enumerate(row["ended_by"][:3])
        if not at or 200 * each["ns"] >= row["total_ns"]
    )
    place = short_name(row["site"])
    return f"{row['wait'] or 'unknown'} at {place}: {who}; ended by {enders or 'nobody yet'}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
