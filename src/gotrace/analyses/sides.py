"""Two profiles side by side: the stacks of both, each with a value in the base and in the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gotrace.analyses.filters import Filters, apply, prepare
from gotrace.analyses.frames import FrameStacks, frame_stacks
from gotrace.analyses.merge import side_by_side
from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.arrays import Ints


@dataclass(frozen=True)
class Sides:
    """The stacks of two profiles.

    Attributes:
        stacks: each with its value in the base, then in the other.
        kind, unit: of the values.
        totals: of both sides, before the filters and before any scaling.
        scale: what the other's values were multiplied by.
        samples: how many the filters left, of both.
    """

    stacks: FrameStacks
    kind: str
    unit: str
    totals: tuple[int, int]
    scale: float
    samples: int

    @property
    def present(self) -> Ints:
        """1 where a stack has a value on a side, else 0."""
        there: Ints = (self.stacks.values != 0).astype(np.int64)
        return there

    @property
    def values(self) -> Ints:
        """The values of the stacks, those of the other side scaled, each rounded."""
        values: Ints = self.stacks.values.copy()
        if self.scale != 1:
            values[:, 1] = np.rint(values[:, 1] * self.scale).astype(np.int64)
        return values


def sides_of(
    base: ProfileColumns,
    profile: ProfileColumns,
    value: str | None = None,
    *,
    normalize: bool = False,
    granularity: str = "functions",
    inlines: bool = True,
    filters: Filters | None = None,
    unit: str = "minimum",
    compat: str | None = None,
) -> Sides:
    """Put two profiles side by side; `normalize` scales the other to the total of the base.

    As in google/pprof the totals are those before the filters, so that a part which is looked at
    alone is scaled as the whole is. Raises ValueError when the values cannot be compared.
    """
    filters = filters or Filters()
    both = side_by_side(base, profile, value)
    sums = both.values.sum(axis=0)
    totals = int(sums[0]), int(sums[1])
    scale = 1.0
    if normalize:
        scale = totals[0] / totals[1] if totals[1] else 0.0
    both = apply(prepare(both, filters, unit), filters)
    stacks = frame_stacks(both, both.values, granularity, inlines=inlines, compat=compat)
    kind, of = both.types[1]
    return Sides(stacks, kind, of, totals, scale, len(both.labels))


def one_side(sides: Sides, side: int) -> FrameStacks:
    """Give the stacks with the value of one side alone."""
    values = np.ascontiguousarray(sides.values[:, side : side + 1])
    return replace(sides.stacks, values=values)


def states(present: Ints) -> list[str]:
    """Name where something is: both, new (not in the base), gone (in the base alone)."""
    here = np.where(present[:, 0] == 0, "new", np.where(present[:, 1] == 0, "gone", "both"))
    found: list[str] = here.tolist()
    return found
