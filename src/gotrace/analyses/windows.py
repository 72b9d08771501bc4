"""A trace's time in windows of equal width, that get wider when there are too many of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from gotrace.arrays import Ints

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

    def runs(self, times: Ints) -> Ints:
        """Say where the rows of each window begin, of times in order; room is made for the last."""
        self.reach(int(times[-1]))
        first, last = (int(self.of(times[at : at + 1])[0]) for at in (0, len(times) - 1))
        edges = self.origin_ns + np.arange(first + 1, last + 1) * self.width_ns
        return np.unique(np.append(0, np.searchsorted(times, edges)))

    def add_times(self, columns: Ints, start: Ints, end: Ints) -> None:
        """Add to each window the time that intervals, none of them empty, have in it.

        `columns` says to which of the sums each goes, in their order.
        """
        if not len(start):
            return
        self.reach(int(end.max()))
        first = self.of(start)
        lasted = end - start
        behind = self.origin_ns + (first + 1) * self.width_ns
        many = np.flatnonzero(end > behind)
        cells = columns * self.count + first
        if len(many):
            self._add_long(columns[many], first[many], start[many], end[many])
            lasted[many] = (behind - start)[many]
        # Sums of a batch are far below 2**53, so that doubles hold them exactly.
        found = np.bincount(cells, lasted, len(self.sums) * self.count)
        for row, column in zip(found.reshape(-1, self.count), self.sums.values(), strict=True):
            column[: self.count] += row.astype(np.int64)

    def _add_long(self, columns: Ints, first: Ints, start: Ints, end: Ints) -> None:
        """Add what intervals have in the windows behind the one that they begin in."""
        last = (end - 1 - self.origin_ns) // self.width_ns
        for number, column in enumerate(self.sums.values()):
            own = columns == number
            np.add.at(column, last[own], (end - self.origin_ns - last * self.width_ns)[own])
            whole = np.zeros(len(column) + 1, np.int64)
            np.add.at(whole, first[own] + 1, self.width_ns)
            np.add.at(whole, last[own], -self.width_ns)
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
