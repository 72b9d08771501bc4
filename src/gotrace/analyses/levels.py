"""How many goroutines are in a state at once, at most, in each window of time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gotrace.analyses.sums import codes_in, ints
from gotrace.analyses.windows import Windows
from gotrace.arrays import Ints
from gotrace.spec.words import STATES

_UNDETERMINED = STATES.index("undetermined")


class Levels:
    """The level of one state, from the transitions in order.

    A goroutine whose first status comes late was in that state all along: it is added to the whole
    stretch since the trace began, or began anew after a gap, which gives every goroutine a new life
    of unknown begin.
    """

    def __init__(self, state: str) -> None:
        self._state = STATES.index(state)
        self._level = 0
        self._bases = [0]
        self._lives = 0
        self._tops: list[tuple[Ints, Ints, int]] = []
        self._lasts: list[tuple[Ints, Ints, int]] = []

    def add(self, batch: pa.RecordBatch, windows: Windows) -> None:
        """Add transitions (time_ns, life, from_state, to_state)."""
        times = ints(batch.column("time_ns"))
        before, after = (
            codes_in(batch.column("from_state"), STATES),
            codes_in(batch.column("to_state"), STATES),
        )
        unknown = before == _UNDETERMINED
        if unknown.any():
            lives = int(ints(batch.column("life"))[unknown].max())
            if lives > self._lives:
                self._lives, self._level = lives, 0
                self._bases.append(0)
            self._bases[-1] += int(np.count_nonzero(unknown & (after == self._state)))
        steps = (after == self._state).view(np.int8) - (before == self._state).view(np.int8)
        steps[unknown] = 0
        levels = self._level + np.cumsum(steps, dtype=np.int64)
        earlier = np.append(self._level, levels[:-1])
        self._level = int(levels[-1])
        first = windows.runs(times)
        tops = np.maximum.reduceat(np.maximum(levels, earlier), first)
        lasts = np.append(first[1:], len(times)) - 1
        epoch = len(self._bases) - 1
        self._tops.append((times[first], tops, epoch))
        self._lasts.append((times[lasts], levels[lasts], epoch))

    def maxima(self, windows: Windows) -> Ints:
        """Give the highest level in each window."""
        highest = np.zeros(windows.count, np.int64)
        if not self._tops:
            return highest
        times, levels = self._absolute(self._lasts)
        starts = windows.origin_ns + np.arange(windows.count) * windows.width_ns
        at = np.searchsorted(times, starts) - 1
        highest[:] = np.where(at >= 0, levels[at], self._bases[0])
        times, levels = self._absolute(self._tops)
        np.maximum.at(highest, windows.of(times), levels)
        return highest

    def _absolute(self, held: list[tuple[Ints, Ints, int]]) -> tuple[Ints, Ints]:
        times = np.concatenate([each[0] for each in held])
        levels = np.concatenate([each[1] + self._bases[each[2]] for each in held])
        return times, levels
