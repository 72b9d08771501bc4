"""Which generations a wish needs, by the index: the others are not read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Final

from gotrace.errors import FormatError
from gotrace.sources.base import GoOn
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

    There is none, and the pass decodes everything, where the source is a stream or compressed (to
    find the window means to read all before it; decoding it too keeps every row as it is), where
    every generation is needed, and where the framing is damaged before the end of the window.
    """

    def __init__(self, wish: RowFilter, filters: Iterable[RowFilter]) -> None:
        self._wish = wish
        self._filters = filters

    def __call__(self, given: Input, go_on: GoOn) -> Window | None:
        """Look at the headers of the batches; `OSError` passes through."""
        if not hops(given):
            return None
        try:
            found, whole = self._look(given, go_on)
        except FormatError:
            return None  # the pass itself says so, when it gets there
        if len(found) < 2 or any(generation.start_ns is None for generation in found):
            return None
        clock = clock_of_generation(found[0])
        needed = _needed(found, self._wish, clock) or range(len(found) - 1, len(found))
        goes_on = not whole or needed[-1] < len(found) - 1
        if not needed[0] and not goes_on:
            return None
        first, last = found[needed[0]], found[needed[-1]]
        numbers = self._wish.generations or ()
        for row_filter in self._filters:
            row_filter.clock = clock
            row_filter.whole_generations = goes_on and all(
                found[i].number in numbers for i in needed
            )
        return Window(
            first.offset,
            last.offset + last.bytes,
            needed[0],
            goes_on,
            _text(found, needed, goes_on, whole),
        )

    def _look(self, given: Input, go_on: GoOn) -> tuple[list[Generation], bool]:
        """List the generations until it is clear what is wanted; and whether these are all."""
        found: list[Generation] = []
        with closing(index(given, salvage=False, go_on=go_on)) as generations:
            for generation in generations:
                found.append(generation)
                if generation.start_ns is None:
                    return found, False
                if len(found) > 1 and self._is_behind(generation, clock_of_generation(found[0])):
                    return found, False
                if len(found) == 2 and self._is_everything(generation, found[0]):
                    return found, True
        return found, True

    def _is_behind(self, generation: Generation, clock: Clock) -> bool:
        """Whether neither this generation nor a later one is wanted."""
        assert generation.start_ns is not None
        _, end = self._wish.bounds(clock)
        if end is not None and generation.start_ns >= end + OVERLAP_NS:
            return True
        numbers = self._wish.generations
        return numbers is not None and generation.number > max(numbers, default=0)

    def _is_everything(self, second: Generation, first: Generation) -> bool:
        """Whether the first generation and all behind it are wanted."""
        assert second.start_ns is not None
        start, end = self._wish.bounds(clock_of_generation(first))
        at_first = start is None or second.start_ns > start - OVERLAP_NS
        return at_first and end is None and self._wish.generations is None


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


def _text(found: Sequence[Generation], needed: range, goes_on: bool, whole: bool) -> str:
    first, last = needed[0], needed[-1]
    read = f"generations {found[first].number} to {found[last].number}"
    of = f" of {len(found)}" if whole else ""
    text = f"only {read}{of} were decoded"
    if first:
        text += (
            ": seq counts from the first of them; states, tasks and ranges from before are as "
            "unknown as at the start of a trace"
        )
    if goes_on:
        text += "; what goes on behind them is open"
    return text
