"""`gotrace diff` of two traces: what changed beyond the noise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from gotrace.cli.aligned import aligned, short_name, wrapped
from gotrace.cli.answers import brief, next_lines, shell_word, trace_of
from gotrace.cli.inputs import STREAM, report_damage
from gotrace.cli.moments import wall
from gotrace.cli.output import Output
from gotrace.cli.terminal import OK, Failure, clean, fit

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.analyses.reading import Span
    from gotrace.cli.stack_input import Question

_ROWS: Final = 8
_UNITS: Final = ("ns", "ns/s", "1/s")
_KINDS: Final = {
    "latency": "ready, but waiting for a proc; by what made them ready",
    "group": "goroutines by entry function, per second of the trace",
    "blocking": "waiting by place, per second of the trace",
    "task": "tasks",
    "region": "regions",
}


def are_traces(*files: str) -> bool:
    """Whether each is a file with a trace in it; `Failure` when some are, and some are not."""
    import gotrace

    if any(file == STREAM or not os.path.isfile(file) for file in files):
        return False
    kinds = [gotrace.open(file, on_error="salvage").kind for file in files]
    if "trace" in kinds and len(set(kinds)) > 1:
        told = ", ".join(f"{file}: a {kind}" for file, kind in zip(files, kinds, strict=True))
        raise Failure(f"{told}; diff compares two of a kind")
    return set(kinds) == {"trace"}


def diff_traces(base: str, other: str, question: Question, out: Output, on_error: str) -> int:
    """Compare two traces number by number, and write the table `trace_diff`, or a page."""
    from gotrace.analyses.trace_diff import compared

    times = {name: question.where.get(name) for name in ("start", "end")}
    with trace_of(base, on_error) as old, trace_of(other, on_error) as new:
        table, spans = compared(old, new, **times)
        page = _Page((old.name, new.name), spans, table)
        out.write(table, page.lines())
        codes = [
            report_damage([trace], nothing=not span.duration_ns)
            for trace, span in zip((old, new), spans, strict=True)
        ]
    return max(codes) if any(codes) else OK


class _Page:
    """What changed, as text."""

    def __init__(self, names: tuple[str, str], spans: tuple[Span, Span], table: pa.Table) -> None:
        self._names, self._spans = names, spans
        self._rows: list[dict[str, Any]] = table.to_pylist()

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        for label, name, span in zip(("base", "new"), self._names, self._spans, strict=True):
            began = f", from {wall(span.wall_ns)}" if span.wall_ns is not None else ""
            yield fit(f"{label:5}{clean(name)}: {brief(span.duration_ns)} of a trace{began}")
        changed = [row for row in self._rows if row["is_change"]]
        yield ""
        yield from wrapped(
            f"{len(changed):,} of {len(self._rows):,} numbers changed by four standard errors or "
            "more; the noise is how they vary from slice to slice within each trace"
        )
        for kind, title in _KINDS.items():
            rows = [row for row in changed if row["kind"] == kind]
            if rows:
                yield from self._section(title, rows)
        gone = self._one_sided()
        if gone:
            yield ""
            yield from wrapped(gone)
        yield from next_lines(*self._next())

    def _section(self, title: str, rows: list[dict[str, Any]]) -> Iterator[str]:
        rows.sort(key=lambda row: (_UNITS.index(row["unit"]), -abs(row["change"])))
        yield ""
        yield f"  {title}"
        head = ["base", "new", "change", "± noise", "", "number", "of"]
        yield from aligned(
            head,
            [
                [
                    _value(row["base"], row["unit"]),
                    _value(row["value"], row["unit"]),
                    _signed(row["change"], row["unit"]),
                    _value(row["noise"], row["unit"]),
                    _ratio(row["ratio"]),
                    row["metric"],
                    short_name(row["name"]),
                ]
                for row in rows[:_ROWS]
            ],
            left=(5,),
            optional=(3,),
        )
        if len(rows) > _ROWS:
            yield f"  … and {len(rows) - _ROWS:,} more: --format csv has all"

    def _one_sided(self) -> str:
        """Say which groups are in one of the traces alone."""
        parts = []
        for side, other, word in (("value", "base", "new"), ("base", "value", "gone")):
            names = {
                row["name"]
                for row in self._rows
                if row["kind"] == "group" and row[other] is None and row[side] is not None
            }
            both = {row["name"] for row in self._rows if row[other] is not None}
            only = sorted(names - both)
            if only:
                listed = ", ".join(map(short_name, only[:5])) + (", …" if len(only) > 5 else "")
                parts.append(f"{word}: {listed}")
        return f"entry functions in one alone: {'; '.join(parts)}" if parts else ""

    def _next(self) -> list[str]:
        old, new = map(shell_word, self._names)
        return [f"gotrace diff {old} {new} --by wall", f"gotrace sched {new}"]


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "1/s":
        return f"{value:,.1f}/s" if value < 100 else f"{value:,.0f}/s"
    return brief(round(value)) + ("/s" if unit == "ns/s" else "")


def _signed(value: float, unit: str) -> str:
    return f"{'-' if value < 0 else '+'}{_value(abs(value), unit)}"


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.3g}x"
