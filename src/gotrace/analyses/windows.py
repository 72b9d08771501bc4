"""A trace's time in windows of equal width, that get wider when there are too many of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from gotrace.analyses.profile_columns import Ints

MOST: Final = 10_000
"""Windows that are kept at most; memory does not grow with the length of the trace."""

FIRST_NS: Final = 1_000_000
_STEP: Final = 10


class Windows:
    """Sums (int64) of each window; `coarsen` merges some windows into one.

    Attributes:
        origin_ns: begin of the first window.
        width_ns: of each.
        count: windows so far.
    """

    def __init__(self, origin_ns: int, sums: Iterable[str]) -> None:
        self.origin_ns = origin_ns
        self.width_ns = FIRST_NS
        self.count = 0
        self.sums = {name: np.zeros(0, np.int64) for name in sums}

    def of(self, times: Ints) -> Ints:
        """Give the window of each time; makes room for the last of them first."""
        self.reach(int(times.max()))
        return np.maximum(times - self.origin_ns, 0) // self.width_ns

    def reach(self, time_ns: int) -> None:
        """Make room up to a time."""
        while (last := (time_ns - self.origin_ns) // self.width_ns) >= MOST:
            self.coarsen(_STEP)
        if last < self.count:
            return
        self.count = last + 1
        for name, column in self.sums.items():
            if len(column) < self.count:
                room = np.zeros(max(64, self.count, len(column)), np.int64)
                self.sums[name] = np.append(column, room)

    def coarsen(self, factor: int) -> None:
        """Merge so many windows into one."""
        edges = np.arange(0, self.count, factor)
        for name, column in self.sums.items():
            self.sums[name] = np.add.reduceat(column[: self.count], edges) if self.count else column
        self.width_ns *= factor
        self.count = len(edges)

    def add_time(self, name: str, start: Ints, end: Ints) -> None:
        """Add to each window the time that intervals have in it."""
        if not len(start):
            return
        self.reach(int(end.max()))
        column = self.sums[name]
        first, last = self.of(start), self.of(np.maximum(end - 1, start))
        one = first == last
        np.add.at(column, first[one], (end - start)[one])
        many = ~one
        if many.any():
            first, last, start, end = first[many], last[many], start[many], end[many]
            np.add.at(column, first, self.origin_ns + (first + 1) * self.width_ns - start)
            np.add.at(column, last, end - self.origin_ns - last * self.width_ns)
            whole = np.zeros(len(column) + 1, np.int64)
            np.add.at(whole, first + 1, self.width_ns)
            np.add.at(whole, last, -self.width_ns)
            column += np.cumsum(whole)[:-1]

    def edges(self, end_ns: int) -> tuple[Ints, Ints]:
        """Give begin and end of every window, the last cut at `end_ns`."""
        starts = self.origin_ns + np.arange(self.count) * self.width_ns
        return starts, np.minimum(starts + self.width_ns, end_ns)


def fitting(duration_ns: int, width_ns: int, wanted: int = 40, most_ns: int = 100_000_000) -> int:
    """Give by what to coarsen windows so that about `wanted` of them, of a round width, are left.

    A window is at most `most_ns`, unless they were wider already.
    """
    factor, best = 1, 1
    for scale in (10**power for power in range(8)):
        for step in (1, 2, 5):
            factor = step * scale
            width = width_ns * factor
            if width <= most_ns and width * wanted <= max(duration_ns, width_ns * wanted):
                best = factor
    return best
