"""Time of goroutines that is in regions or tasks: how much of an interval it covers."""

from __future__ import annotations

import numpy as np

from gotrace.arrays import Bools, Ints


class Coverage:
    """Intervals of goroutines, overlapping or not, as disjoint ones.

    Args:
        goroutines, starts, ends: int64, of each interval.
    """

    def __init__(self, goroutines: Ints, starts: Ints, ends: Ints) -> None:
        order = np.lexsort((starts, goroutines))
        goroutines, starts, ends = goroutines[order], starts[order], ends[order]
        self._ids, number = np.unique(goroutines, return_inverse=True)
        self._times = np.unique(np.concatenate([starts, ends]))
        # The latest end so far, within a goroutine: numbers of goroutines lead the comparison.
        stride = len(self._times) + 1
        ends_so_far = np.maximum.accumulate(number * stride + np.searchsorted(self._times, ends))
        begins = number * stride + np.searchsorted(self._times, starts)
        first = np.flatnonzero(np.append(True, begins[1:] > ends_so_far[:-1]))
        last = np.append(first[1:], len(begins)) - 1 if len(begins) else first
        first = first[: len(last)] if len(begins) else first[:0]
        last = last if len(begins) else last[:0]
        self._stride = stride
        self._keys = begins[first]
        self._starts = starts[first]
        self._ends = self._times[ends_so_far[last] - number[last] * stride]
        lengths = self._ends - self._starts
        self._before = np.cumsum(lengths) - lengths

    @property
    def stretches(self) -> tuple[Ints, Ints, Ints]:
        """The disjoint intervals: goroutines, starts and ends, in that order."""
        return self._ids[self._keys // self._stride], self._starts, self._ends

    def covered(self, goroutines: Ints, starts: Ints, ends: Ints) -> Ints:
        """Give how many ns of each interval are covered."""
        inside: Ints = self._until(goroutines, ends) - self._until(goroutines, starts)
        return inside

    def holds(self, goroutines: Ints, times: Ints) -> Bools:
        """Say of each time of a goroutine whether it is covered."""
        found: Bools = self.covered(goroutines, times, times + 1) > 0
        return found

    def _until(self, goroutines: Ints, times: Ints) -> Ints:
        """Give the covered time before each time: of all goroutines with lower ids, and its own."""
        sums = np.zeros(len(times), np.int64)
        if not len(self._keys):
            return sums
        number = np.searchsorted(self._ids, goroutines)
        known = number < len(self._ids)
        known[known] = self._ids[number[known]] == goroutines[known]
        times = times[known]
        at = number[known] * self._stride + np.searchsorted(self._times, times, side="right") - 1
        place = np.searchsorted(self._keys, at, side="right") - 1
        hit = np.maximum(place, 0)
        inside = np.minimum(times, self._ends[hit]) - self._starts[hit]
        own = (place >= 0) & (self._keys[hit] // self._stride == number[known])
        first = np.searchsorted(self._keys, number[known] * self._stride)
        base = self._before[np.minimum(first, len(self._before) - 1)]
        sums[known] = np.where(own, self._before[hit] - base + np.maximum(inside, 0), 0)
        return sums
