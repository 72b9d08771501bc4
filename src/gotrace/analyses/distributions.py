"""Exact percentiles of streams of numbers, by group, without keeping the stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from gotrace.arrays import Ints

PERCENTILES: Final[Mapping[str, int]] = {"p50": 50, "p90": 90, "p99": 99, "max": 100}
"""Those that tables have, by what their columns begin with."""

_PENDING: Final = 1 << 19
"""Numbers that are held before equal ones are counted together."""

_BITS: Final = 63
"""Of a key that holds a group and a number."""


class Distributions:
    """How often each number occurs in each group; memory grows with the distinct ones.

    Durations of a trace are multiples of its clock's ticks, so that a hundred million of them have
    few distinct values, and what is exact costs no more than what is not.
    """

    def __init__(self) -> None:
        none = np.zeros(0, np.int64)
        self._pending: list[tuple[Ints, Ints]] = []
        self._held = 0
        self._cells = (none, none, none)

    def add(self, groups: Ints, values: Ints) -> None:
        """Add numbers (int64) to groups (int64 from 0), pairwise."""
        if not len(values):
            return
        self._pending.append((groups, values))
        self._held += len(values)
        if self._held >= max(_PENDING, len(self._cells[0])):
            self._settle()

    def cells(self) -> tuple[Ints, Ints, Ints]:
        """Give group, number and how often, int64 each, sorted by group, then number."""
        self._settle()
        return self._cells

    def counts(self, groups: int) -> Ints:
        """Give how many numbers each of the groups 0 to `groups` - 1 has."""
        return self._per_group(groups, self.cells()[2])

    def sums(self, groups: int) -> Ints:
        """Give the sum of the numbers of each group."""
        _, values, counts = self.cells()
        return self._per_group(groups, values * counts)

    def percentiles(
        self, groups: int, wanted: Sequence[float] = tuple(PERCENTILES.values())
    ) -> Ints:
        """Give nearest-rank percentiles: int64, (groups, wanted); 0 for a group without numbers.

        It is the smallest number that at least so many percent of the group's are not above.
        """
        _, values, counts = self.cells()
        ends = np.cumsum(counts)
        sizes = self.counts(groups)
        before = np.cumsum(sizes) - sizes
        found = np.zeros((groups, len(wanted)), np.int64)
        some = sizes > 0
        for column, percent in enumerate(wanted):
            share = round(percent * 1000)  # thousandths of a percent: whole numbers have no error
            rank = np.maximum(1, -(-sizes * share // 100_000))
            at = np.searchsorted(ends, (before + rank)[some])
            found[some, column] = values[at]
        return found

    def regroup(self, renamed: Callable[[Ints], Ints]) -> Distributions:
        """Give the same numbers in other groups; `renamed` gives the new group of each old one."""
        groups, values, counts = self.cells()
        other = Distributions()
        if len(groups):
            other._cells = _counted(renamed(groups), values, counts)
        return other

    def _per_group(self, groups: int, amounts: Ints) -> Ints:
        total = np.concatenate([np.zeros(1, np.int64), np.cumsum(amounts)])
        of = self._cells[0]
        edges = np.searchsorted(of, np.arange(groups + 1))
        sums: Ints = np.diff(total[edges])
        return sums

    def _settle(self) -> None:
        if not self._pending:
            return
        groups = np.concatenate([pair[0] for pair in self._pending])
        values = np.concatenate([pair[1] for pair in self._pending])
        self._pending, self._held = [], 0
        new = _counted(groups, values, np.ones(len(values), np.int64))
        old = self._cells
        if len(old[0]):
            new = _counted(*(np.concatenate(pair) for pair in zip(old, new, strict=True)))
        self._cells = new


def _counted(groups: Ints, values: Ints, counts: Ints) -> tuple[Ints, Ints, Ints]:
    """Sort, and add up the counts of what is equal."""
    low = int(values.min())
    width = max(1, (int(values.max()) - low).bit_length())
    if width + int(groups.max()).bit_length() <= _BITS:
        keys = (groups << width) + (values - low)
        if int(counts.max()) == 1:
            keys = np.sort(keys)
            first = _firsts(keys[1:] != keys[:-1])
            sums = np.diff(np.append(first, len(keys)))
        else:
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
            first = _firsts(keys[1:] != keys[:-1])
            sums = np.add.reduceat(counts[order], first)
        keys = keys[first]
        return keys >> width, (keys & ((1 << width) - 1)) + low, sums
    order = np.lexsort((values, groups))
    groups, values = groups[order], values[order]
    first = _firsts((groups[1:] != groups[:-1]) | (values[1:] != values[:-1]))
    return groups[first], values[first], np.add.reduceat(counts[order], first)


def _firsts(differs: np.ndarray) -> Ints:
    """Say where runs of equals begin."""
    return np.flatnonzero(np.append(True, differs))
