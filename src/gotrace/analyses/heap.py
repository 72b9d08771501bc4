"""The heap over time, in windows that get wider when there are too many of them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from gotrace.analyses.sums import codes_in, ints
from gotrace.arrays import Ints
from gotrace.spec.words import METRIC_HEAP_GOAL, METRIC_HEAP_OBJECTS
from gotrace.tables.schema import schema

_FIRST_NS: Final = 100_000
_MOST: Final = 1 << 15


class Heap:
    """Smallest, largest and last heap of each window, and the goals, as metrics go by.

    Only what lies from `start` to before `end` is kept.
    """

    def __init__(self, start: int | None, end: int | None) -> None:
        self._start = np.iinfo(np.int64).min if start is None else start
        self._end = np.iinfo(np.int64).max if end is None else end
        self._width = _FIRST_NS
        self._rows = np.zeros((0, 4), np.int64)  # window, smallest, largest, last
        self._goals: list[Ints] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Take metrics (time_ns, name, value), in the order of time."""
        names = codes_in(batch.column("name"), (METRIC_HEAP_OBJECTS, METRIC_HEAP_GOAL))
        times = ints(batch.column("time_ns"))
        values = np.minimum(np.asarray(batch.column("value")), np.iinfo(np.int64).max)
        rows = np.column_stack([times, values.astype(np.int64)])
        self._goals.append(rows[names == 1])
        rows = rows[(names == 0) & (times >= self._start) & (times < self._end)]
        if len(rows):
            windows, value = rows[:, 0] // self._width, rows[:, 1]
            fresh = _joined(np.column_stack([windows, value, value, value]))
            self._rows = _joined(np.concatenate([self._rows, fresh]))
        while len(self._rows) > _MOST:
            self._coarsen(2)

    def table(self, most: int) -> pa.Table:
        """Make the table `gc_heap` of at most so many windows, of a round width."""
        whole = schema("gc_heap")
        if not len(self._rows):
            return whole.empty_table()
        span = int(self._rows[-1, 0] - self._rows[0, 0] + 1) * self._width
        steps = (step * 10**power for power in range(19) for step in (1, 2, 5))
        self._coarsen(next(step for step in steps if self._width * step * most > span))
        starts = self._rows[:, 0] * self._width
        goals = np.concatenate(self._goals) if self._goals else np.zeros((0, 2), np.int64)
        at = np.searchsorted(goals[:, 0], starts + self._width) - 1
        goal = np.append(goals[:, 1], 0)[at]
        columns = [starts, starts + self._width, *self._rows[:, 1:].T]
        return pa.table([*map(pa.array, columns), pa.array(goal, mask=at < 0)], schema=whole)

    def _coarsen(self, factor: int) -> None:
        self._rows[:, 0] //= factor
        self._width *= factor
        self._rows = _joined(self._rows)


def _joined(rows: Ints) -> Ints:
    """Make one row of neighbours of the same window."""
    first = np.flatnonzero(np.append(True, rows[1:, 0] != rows[:-1, 0]))
    return np.column_stack(
        [
            rows[first, 0],
            np.minimum.reduceat(rows[:, 1], first),
            np.maximum.reduceat(rows[:, 2], first),
            rows[np.append(first[1:], len(rows)) - 1, 3],
        ]
    )
