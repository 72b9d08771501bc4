"""How many intervals there are at once, over time."""

from __future__ import annotations

from typing import Final

import numpy as np

from gotrace.arrays import Ints

MOST: Final = 100_000
"""Changes that are told apart; of more, those that come too close are one."""

_HELD: Final = 1 << 20


class Concurrency:
    """The number of intervals at the times when it changes; memory does not grow with them."""

    def __init__(self) -> None:
        self._shift = 0
        none = np.zeros(0, np.int64)
        self._times, self._steps = none, none
        self._pending: list[tuple[Ints, int]] = []
        self._held = 0

    def add(self, starts: Ints, ends: Ints) -> None:
        """Take intervals."""
        self._pending += [(starts, 1), (ends, -1)]
        self._held += 2 * len(starts)
        if self._held > _HELD:
            self._settle()

    def levels(self) -> tuple[Ints, Ints]:
        """Give the times of changes, and how many intervals there are from then on."""
        self._settle()
        return self._times, np.cumsum(self._steps)

    def _settle(self) -> None:
        times = np.concatenate([self._times, *(each for each, _ in self._pending)])
        steps = [np.full(len(each), step, np.int64) for each, step in self._pending]
        order = np.argsort(times, kind="stable")
        times, sums = times[order], np.concatenate([self._steps, *steps])[order]
        self._pending, self._held = [], 0
        self._times, self._steps = self._joined(times, sums)
        while len(self._times) > MOST:
            self._shift += 1
            self._times, self._steps = self._joined(self._times, self._steps)

    def _joined(self, times: Ints, steps: Ints) -> tuple[Ints, Ints]:
        """Make the changes of a window one, at the last of its times."""
        if not len(times):
            return times, steps
        windows = times >> self._shift
        last = np.append(np.flatnonzero(windows[1:] != windows[:-1]), len(times) - 1)
        sums = np.diff(np.append(0, np.cumsum(steps)[last]))
        return times[last], sums
