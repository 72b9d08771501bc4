"""Which generations a wish needs, by the index: the others are not read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gotrace.errors import FormatError
from gotrace.sources.input import Input
from gotrace.tables.filters import RowFilter
from gotrace.tables.generations import Generation, hops, index
from gotrace.tables.passes import Window
from gotrace.tables.times import Clock

OVERLAP_NS: Final = 100_000_000
"""How far the events of a generation may reach into the next one's time. Threads change over
when they next write, and the order never lets time fall, so it is milliseconds at most."""


class WindowFinder:
    """Finds the window of a pass, once it runs, and tells the filters the trace's clock.

    There is none, and the pass reads everything, where the source is a stream or compressed, where
    every generation is needed, and where the framing is damaged: then nobody knows what is where.
    """

    def __init__(self, wish: RowFilter, filters: Iterable[RowFilter]) -> None:
        self._wish = wish
        self._filters = filters

    def __call__(self, given: Input) -> Window | None:
        """Look at the headers of the batches; `OSError` passes through."""
        if not hops(given):
            return None
        try:
            found = index(given, salvage=False)
        except FormatError:
            return None  # the pass itself says so, when it gets there
        if len(found) < 2 or any(generation.start_ns is None for generation in found):
            return None
        clock = clock_of_generation(found[0])
        needed = _needed(found, self._wish, clock) or range(len(found) - 1, len(found))
        if len(needed) == len(found):
            return None
        first, last = found[needed[0]], found[needed[-1]]
        numbers = self._wish.generations or ()
        whole = last is not found[-1] and all(found[i].number in numbers for i in needed)
        for row_filter in self._filters:
            row_filter.clock = clock
            row_filter.whole_generations = whole
        return Window(
            first.offset,
            last.offset + last.bytes,
            needed[0],
            last is not found[-1],
            _text(found, needed),
        )


def clock_of_generation(first: Generation) -> Clock:
    """Return the clock of the trace whose first generation this is; it must have a start."""
    assert first.start_ns is not None
    if first.wall_ns is None or first.snapshot_ns is None:
        return Clock(first.start_ns, None)
    return Clock(first.start_ns, first.wall_ns - first.snapshot_ns)


def _needed(found: Sequence[Generation], row_filter: RowFilter, clock: Clock) -> range:
    """Positions of the generations that may have rows for a filter."""
    start, end = row_filter.bounds(clock)
    first, behind = 0, len(found)
    times = [generation.start_ns or 0 for generation in found]
    if start is not None:
        while first + 1 < behind and times[first + 1] <= start - OVERLAP_NS:
            first += 1
    if end is not None:
        while behind > first and times[behind - 1] >= end:
            behind -= 1
    numbers = row_filter.generations
    if numbers is not None:
        here = [i for i in range(first, behind) if found[i].number in numbers]
        return range(here[0], here[-1] + 1) if here else range(0)
    return range(first, behind)


def _text(found: Sequence[Generation], needed: range) -> str:
    first, last = needed[0], needed[-1]
    read = f"generations {found[first].number} to {found[last].number}"
    text = f"only {read} of {len(found)} were decoded"
    if first:
        text += (
            ": seq counts from the first of them; states, tasks and ranges from before are as "
            "unknown as at the start of a trace"
        )
    if last < len(found) - 1:
        text += "; what goes on behind them is open"
    return text
