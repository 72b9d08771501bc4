"""Numbers as marks: a row of bars over time, a histogram. Readable without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gotrace.cli.answers import brief

_EIGHTHS: Final = "▁▂▃▄▅▆▇█"
_FULL: Final = "█"
_PARTS: Final = " ▏▎▍▌▋▊▉"


def spark(values: Sequence[float], width: int) -> str:
    """Draw values as one row of bars at most `width` wide; 0 is a blank, the highest is full."""
    if len(values) > width:
        step = len(values) / width
        edges = [round(at * step) for at in range(width + 1)]
        values = [max(values[edges[at] : edges[at + 1]]) for at in range(width)]
    top = max(values, default=0)
    if top <= 0:
        return " " * len(values)
    marks = [" " if value <= 0 else _EIGHTHS[min(7, int(8 * value / top))] for value in values]
    return "".join(marks)


def bar(value: float, top: float, width: int) -> str:
    """Draw a value as a bar; what is not 0 has a mark."""
    eighths = max(1, round(8 * width * value / top)) if value > 0 and top > 0 else 0
    return _FULL * (eighths // 8) + _PARTS[eighths % 8].strip()


def histogram_lines(bins: Sequence[Mapping[str, Any]], width: int = 40) -> Iterator[str]:
    """Draw bins of durations (from_ns, to_ns, count), empty ones between them too."""
    if not bins:
        return
    whole = sum(each["count"] for each in bins)
    top = max(each["count"] for each in bins)
    counts = max(len(f"{each['count']:,}") for each in bins)
    below = 0
    for each in bins:
        below += each["count"]
        edges = f"{brief(each['from_ns']):>8} to {brief(each['to_ns']):<8}"
        line = f"  {edges}  {each['count']:>{counts},}  {100 * below / whole:5.1f} %"
        yield f"{line}  {bar(each['count'], top, width)}"
