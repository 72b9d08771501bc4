"""A stream in a few slices of equal time: how it varies from one to the other is its noise."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from gotrace.analyses.distributions import Distributions
from gotrace.analyses.sums import Sums, ints
from gotrace.arrays import Floats, Ints

MOST: Final = 64
"""Slices; when there are more, two become one, so that at the end there are 32 to 64."""

_FIRST_NS: Final = 1_000_000


class Slices:
    """Which slice a time is in. Whatever is kept by slice is told when slices get wider."""

    def __init__(self, origin_ns: int) -> None:
        self._origin_ns = origin_ns
        self.width_ns = _FIRST_NS
        self._kept: list[SlicedSums | SlicedDistributions] = []

    def keep(self, kept: SlicedSums | SlicedDistributions) -> None:
        """Let something be told."""
        self._kept.append(kept)

    def of(self, times: Ints) -> Ints:
        """Give the slice of each time."""
        while len(times) and (int(times.max()) - self._origin_ns) // self.width_ns >= MOST:
            self.width_ns *= 2
            for kept in self._kept:
                kept.halve()
        return np.maximum(times - self._origin_ns, 0) // self.width_ns

    def seconds(self, end_ns: int) -> Floats:
        """Give how long each of the slices up to `end_ns` is."""
        count = max(1, -(-(end_ns - self._origin_ns) // self.width_ns))
        starts = self._origin_ns + np.arange(count) * self.width_ns
        lengths: Floats = (np.minimum(starts + self.width_ns, end_ns) - starts) / 1e9
        return lengths


class SlicedSums:
    """Sums by key and slice."""

    def __init__(self, slices: Slices, keys: tuple[str, ...], values: tuple[str, ...]) -> None:
        self._keys, self._values = keys, values
        self._sums = Sums((*keys, "slice"), values)
        slices.keep(self)

    def add(self, columns: dict[str, pa.Array]) -> None:
        """Add rows of keys, values and `slice`."""
        self._sums.add(pa.table(columns))

    def halve(self) -> None:
        """Let two slices be one."""
        held = self._sums.table()
        self._sums = Sums((*self._keys, "slice"), self._values)
        if held is not None:
            at = held.schema.get_field_index("slice")
            self._sums.add(held.set_column(at, "slice", pa.array(ints(held["slice"]) // 2)))

    def table(self) -> pa.Table | None:
        """Give the sums."""
        return self._sums.table()


class SlicedDistributions:
    """Distributions by group and slice."""

    def __init__(self, slices: Slices) -> None:
        self._spread = Distributions()
        slices.keep(self)

    def add(self, groups: Ints, slices: Ints, values: Ints) -> None:
        """Add values to a group and a slice each."""
        self._spread.add(groups * MOST + slices, values)

    def halve(self) -> None:
        """Let two slices be one."""
        self._spread = self._spread.regroup(lambda old: old // MOST * MOST + old % MOST // 2)

    def as_one(self) -> SlicedDistributions:
        """Give the distributions of all groups together, as group 0."""
        every = SlicedDistributions(Slices(0))
        every._spread = self._spread.regroup(lambda old: old % MOST)
        return every

    def by_group(self) -> Distributions:
        """Give the distributions of the groups."""
        return self._spread.regroup(lambda old: old // MOST)

    def by_slice(self) -> Distributions:
        """Give the distributions of (group, slice): group * MOST + slice."""
        return self._spread


def rate_and_error(amounts: Floats, over: Floats) -> tuple[Floats, Floats]:
    """Give sum(amounts) / sum(over) by row, and its standard error by leaving each slice out once.

    Args:
        amounts: (rows, slices).
        over: (rows, slices) or (slices,): seconds, or how many.
    """
    over = np.broadcast_to(over, amounts.shape)
    whole, base = amounts.sum(axis=1), over.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(base > 0, whole / base, np.nan)
        left = (whole[:, None] - amounts) / (base[:, None] - over)
    used = (over > 0) & np.isfinite(left)
    count = used.sum(axis=1)
    left = np.where(used, left, 0)
    mean = left.sum(axis=1) / np.maximum(count, 1)
    spread = (np.where(used, left - mean[:, None], 0) ** 2).sum(axis=1)
    error = np.sqrt(spread * np.maximum(count - 1, 0) / np.maximum(count, 1))
    return rate, np.where(count > 1, error, np.nan)
