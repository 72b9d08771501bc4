"""Groups of tasks or regions as text: percentiles, and the histogram of the first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gotrace.cli.aligned import aligned, width_of_page
from gotrace.cli.answers import brief
from gotrace.cli.bars import histogram_lines
from gotrace.cli.terminal import clean, count, fit

if TYPE_CHECKING:
    import pyarrow as pa

_GROUPS = 20


def group_lines(groups: pa.Table) -> Iterator[str]:
    """Yield a line a type, then the histogram of the first that has one."""
    rows = groups.slice(0, _GROUPS).to_pylist()
    head = ["count", "complete", "sum", "p50", "p90", "p99", "max", "type"]
    total = "duration_ns" if "duration_ns" in groups.schema.names else "total_ns"
    yield from aligned(
        head,
        [
            [
                f"{row['count']:,}",
                f"{row['complete']:,}",
                brief(row[total]),
                *(brief(row[f"{short}_ns"]) for short in ("p50", "p90", "p99", "max")),
                row["name"] or "(no name)",
            ]
            for row in rows
        ],
        optional=(1,),
    )
    if (more := groups.num_rows - len(rows)) > 0:
        yield f"  … and {count(more, 'type')} more: --format csv has all"
    first = next((row for row in rows if row["histogram"]), None)
    if first is not None:
        yield ""
        yield fit(f"  how long {clean(first['name'] or '(no name)')} took")
        yield from histogram_lines(first["histogram"], width_of_page() - 60)
    yield ""


def why_none(what: str, made_by: str, name: str | None) -> str:
    """Say why a trace has no task, or no region."""
    if name is not None:
        return f"no type of {what} has {name!r} in its name; without --name all are listed"
    return f"the program, or this stretch of it, made none ({made_by} makes them)"
