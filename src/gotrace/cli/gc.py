"""`gotrace gc`: what the garbage collector did, and what it took from the program."""

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
from gotrace.cli.bars import spark
from gotrace.cli.inputs import report_damage
from gotrace.cli.options import compat_option, limit_option
from gotrace.cli.output import Output
from gotrace.cli.terminal import BAD, count, fit, say, size

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.analyses.gc import Gc

_RESULTS = ("cycles", "pauses", "assists", "heap", "utilization", "mmu")
_LEAST_TOLD_NS = 1_000_000
"""Shortest stretch whose utilization is told: below it, any stop of the world is all there is."""


@click.command()
@click.argument("file")
@click.option(
    "--what",
    type=click.Choice(_RESULTS),
    default="cycles",
    show_default=True,
    help="Which table --format and -o write; text has all of them.",
)
@limit_option(8)
@compat_option(
    "Utilization as go tool trace has it, which counts mark workers twice and may end early."
)
@answer_options
def gc(
    file: str,
    what: str,
    limit: int,
    compat: str | None,
    window: Window,
    out: Output,
    on_error: str,
) -> int:
    r"""Say what the garbage collector did in FILE, and what it took from the program.

    Cycles, stops of the world by reason, who had to assist, the heap against its goal, and minimum
    mutator utilization: the share of its procs that the program had at worst, in any stretch of
    some length.

    \b
    gotrace gc app.trace                                  all of it
    gotrace gc app.trace --what cycles -o cycles.csv      a row a cycle
    gotrace gc app.trace --from +1s --to +2s              one second
    """
    from gotrace.analyses.gc import look

    with trace_of(file, on_error) as trace:
        seen = look(trace, **window, compat=compat)
        page = _Page(trace.name, seen, limit, compat)
        table: pa.Table = getattr(seen, what)
        out.write(table, page.lines())
        code = report_damage([trace], nothing=not seen.span.duration_ns)
        if not seen.cycles.num_rows and code != BAD:
            say(
                "no cycle of the garbage collector is in this stretch of the trace: it allocated "
                "too little, or GOGC is off"
            )
        return code


class _Page:
    """Everything about the collector as text."""

    def __init__(self, name: str, seen: Gc, limit: int, compat: str | None) -> None:
        self._name, self._seen, self._limit = name, seen, limit
        self._span = seen.span
        self._is_go = compat == "go"
        self._cycles: list[dict[str, Any]] = seen.cycles.to_pylist()
        self._pauses: list[dict[str, Any]] = seen.pauses.to_pylist()
        self._assists: list[dict[str, Any]] = seen.assists.to_pylist()
        self._curve = [row for row in seen.mmu.to_pylist() if row["window_ns"] >= _LEAST_TOLD_NS]

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        yield from header(self._name, self._span, self._about())
        yield from self._pause_lines()
        if not self._cycles:
            return
        yield from self._assist_lines()
        yield from self._heap_lines()
        yield from self._curve_lines()
        yield from self._cycle_lines()
        yield from next_lines(*self._next())

    def _about(self) -> str:
        parts = [count(len(self._cycles), "cycle")]
        stopped = sum(row["total_ns"] for row in self._pauses if row["is_gc"])
        if self._cycles and self._span.duration_ns:
            share = 100 * stopped / self._span.duration_ns
            parts.append(f"the world stopped for {brief(stopped)} ({share:.2g} %) in sum")
        if (left := self._left()) is not None and not self._is_go:
            parts.append(f"{_percent(left)} of the procs left to the program")
        return "; ".join(parts)

    def _left(self) -> float | None:
        """Give the mean of the utilization."""
        import numpy as np

        table = self._seen.utilization
        if not table.num_rows:
            return None
        return float(np.average(table["utilization"], weights=table["duration_ns"]))

    def _pause_lines(self) -> Iterator[str]:
        if not self._pauses:
            yield "  the world was not stopped"
            yield ""
            return
        yield "  stops of the world"
        yield from aligned(
            ["times", "sum", "p50", "p90", "p99", "max", "longest at", "for"],
            [
                [
                    f"{row['count']:,}",
                    *(brief(row[f"{name}_ns"]) for name in ("total", "p50", "p90", "p99", "max")),
                    f"+{moment(row['max_start_ns'], self._span)}",
                    row["name"].removeprefix("stop-the-world (").removesuffix(")"),
                ]
                for row in self._pauses
            ],
        )
        yield ""

    def _assist_lines(self) -> Iterator[str]:
        if not self._assists:
            yield "  no goroutine had to assist"
            yield ""
            return
        total = sum(row["assist_ns"] for row in self._assists)
        number = sum(row["assists"] for row in self._assists)
        about = f"{count(number, 'assist')}, {brief(total)} in sum, waiting included"
        yield f"  who had to help the collector when it allocated: {about}"
        yield from aligned(
            ["assists", "goroutines", "sum", "longest", "at", "goroutine", "where"],
            [
                [
                    f"{row['assists']:,}",
                    f"{row['goroutines']:,}",
                    brief(row["assist_ns"]),
                    brief(row["max_ns"]),
                    f"+{moment(row['max_start_ns'], self._span)}",
                    short_name(row["name"]),
                    short_name(row["site"]),
                ]
                for row in self._assists[: self._limit]
            ],
            left=(5,),
            optional=(4,),
        )
        if (more := len(self._assists) - self._limit) > 0:
            yield f"  … and {count(more, 'place')} more: --limit {len(self._assists)}"
        yield ""

    def _heap_lines(self) -> Iterator[str]:
        rows = self._seen.heap.to_pylist()
        if not rows:
            return
        ends = (moment(time, self._span) for time in (self._span.start_ns, self._span.end_ns))
        yield fit(f"  the heap of objects against its goal, +{next(ends)} to +{next(ends)}")
        width = width_of_page() - 40
        top = max(max(row["heap_max_bytes"], row["goal_bytes"] or 0) for row in rows)
        for label, values in (
            ("heap", [row["heap_max_bytes"] for row in rows]),
            ("goal", [row["goal_bytes"] or 0 for row in rows]),
        ):
            line = spark([*values, top], width)[:-1]
            yield f"  {label}  {line}  up to {size(max(values))}"
        told = [row for row in self._cycles if row["goal_bytes"] and row["heap_peak_bytes"]]
        over = [row for row in told if row["heap_peak_bytes"] > row["goal_bytes"]]
        if over:
            worst = max(over, key=_overrun)
            text = (
                f"it outran its goal in {len(over):,} of {count(len(told), 'cycle')}, at worst by "
                f"{_percent(_overrun(worst))} (cycle {worst['cycle']}, at "
                f"+{moment(worst['start_ns'], self._span)})"
            )
            yield from wrapped(text)
        yield ""

    def _curve_lines(self) -> Iterator[str]:
        if not self._curve:
            return
        whose = " as go tool trace has it" if self._is_go else ""
        yield f"  what the program had of its procs at worst{whose} (minimum mutator utilization)"
        yield from aligned(
            ["of any", "at least", "99 % have", "95 %", "half", "worst at", ""],
            [
                [
                    brief(row["window_ns"]),
                    *(_percent(row[name]) for name in ("utilization", "p1", "p5", "p50")),
                    f"+{moment(row['start_ns'], self._span)}",
                    "",
                ]
                for row in self._chosen()
            ],
        )
        yield ""

    def _chosen(self) -> list[dict[str, Any]]:
        """Leave out the rows that say the same as the one after: nothing at all, or almost all."""
        rows = self._curve
        zeros = [at for at, row in enumerate(rows) if row["utilization"] == 0]
        rows = rows[zeros[-1] :] if zeros else rows
        return rows if len(rows) <= 12 else [*rows[:11], rows[-1]]

    def _cycle_lines(self) -> Iterator[str]:
        chosen = sorted(self._cycles, key=lambda row: (-row["duration_ns"], row["cycle"]))
        yield "  the longest cycles"
        yield from aligned(
            ["cycle", "at", "took", "stopped", "assists", "workers", "heap", "left", "goal", "by"],
            [
                [
                    str(row["cycle"]),
                    f"+{moment(row['start_ns'], self._span)}",
                    brief(row["duration_ns"]),
                    brief(_sum([row["stw1_ns"], row["stw2_ns"]])),
                    brief(row["assist_ns"]),
                    brief(_sum([row[f"worker_{mode}_ns"] for mode in _MODES])),
                    _bytes(row["heap_start_bytes"]),
                    _bytes(row["heap_end_bytes"]),
                    _bytes(row["goal_bytes"]),
                    short_name(self._seen.sites.get(row["trigger_stack_id"], "before the trace")),
                ]
                for row in chosen[: self._limit]
            ],
            optional=(8, 7),
        )
        yield ""
        yield from wrapped(
            "stopped: the world; assists, workers: time of goroutines that helped, of mark "
            "workers; heap, left: before and after; by: who allocated when it was due"
        )

    def _next(self) -> list[str]:
        file = shell_word(self._name)
        longest = max(self._pauses, key=lambda row: row["max_ns"])
        worst = max(self._cycles, key=lambda row: row["duration_ns"])
        around = (longest["max_start_ns"], longest["max_start_ns"] + longest["max_ns"])
        pause = " ".join(f"--{to} +{moment(at, self._span)}s" for to, at in _window(*around))
        cycle = " ".join(
            f"--{to} +{moment(at, self._span)}s"
            for to, at in _window(worst["start_ns"], worst["end_ns"])
        )
        return [
            f"gotrace events {file} {pause}",
            f"gotrace goroutines {file} {cycle}",
            f"gotrace gc {file} --what cycles --format csv",
        ]


_MODES = ("dedicated", "fractional", "idle")


def _window(start: int, end: int) -> Sequence[tuple[str, int]]:
    return (("from", start), ("to", end + 1))


def _overrun(row: dict[str, Any]) -> float:
    return float(row["heap_peak_bytes"] / row["goal_bytes"] - 1)


def _sum(times: Sequence[int | None]) -> int | None:
    known = [time for time in times if time is not None]
    return sum(known) if known else None


def _bytes(number: int | None) -> str:
    return "-" if number is None else size(number)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
