"""Who had to do with one goroutine, as `gotrace goroutines --id N --related` says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gotrace.cli.aligned import aligned, short_name, wrapped
from gotrace.cli.answers import Window, header, next_lines, shell_word
from gotrace.cli.inputs import report_damage
from gotrace.cli.output import Output
from gotrace.cli.terminal import BAD, clean, count, say

if TYPE_CHECKING:
    from gotrace.analyses.reading import Span
    from gotrace.tables.trace import Trace


def tell_related(trace: Trace, goroutine: int, limit: int, window: Window, out: Output) -> int:
    """Write the table `related_goroutines`, or the same as text."""
    from gotrace.analyses.related import related_and_span

    table, span = related_and_span(trace, goroutine, **window)
    rows = table.to_pylist()
    out.write(table, _lines(trace.name, goroutine, rows, span, limit))
    code = report_damage([trace], nothing=not span.duration_ns)
    if len(rows) == 1 and code != BAD:
        say(f"no goroutine woke goroutine {goroutine} here: timers and the network are none")
    return code


def _lines(
    name: str, goroutine: int, rows: list[dict[str, Any]], span: Span, limit: int
) -> Iterator[str]:
    own = short_name(rows[0]["name"]) if rows[0]["name"] else "(unknown)"
    yield from header(name, span, f"goroutine {goroutine}  {clean(own)}")
    others = rows[1:]
    if not others:
        return
    steps = {1: "it", 2: "one that did"}
    yield from aligned(
        ["woke", "times", "goroutine", "entry function"],
        [
            [
                steps.get(row["distance"], f"{row['distance']} steps away"),
                f"{row['wakeups']:,}",
                f"G{row['goroutine']}",
                short_name(row["name"]),
            ]
            for row in others[:limit]
        ],
        left=(0, 2),
    )
    if (more := len(others) - limit) > 0:
        yield f"  … and {count(more, 'goroutine')} more: --limit {len(others)}"
    yield ""
    yield from wrapped("those of go tool trace: who ended a wait of it, and who of those")
    file = shell_word(name)
    yield from next_lines(
        f"gotrace goroutines {file} --id {others[0]['goroutine']}",
        f"gotrace goroutines {file} --id {goroutine}",
    )
