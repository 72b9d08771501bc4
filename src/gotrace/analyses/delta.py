"""What happened between profiles of one process whose counters only grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from gotrace.analyses.frames import add_checked
from gotrace.analyses.merge import Level, Merger
from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.arrays import Bools, Ints

CUMULATIVE: Final = frozenset({"alloc_objects", "alloc_space", "contentions", "delay"})
"""Value types that Go counts from the start of the process; others are taken as they are."""


class Delta(NamedTuple):
    """What was added since the profile before.

    Attributes:
        profile: its cumulative values less those of the profile before; other values as they are.
        first: there was no profile before, so it holds everything since the process began.
        restarted: a counter's sum fell, so the process is a new one and all of it is new.
    """

    profile: ProfileColumns
    first: bool
    restarted: bool


class Growth:
    """What the counters of one process grew by between its first snapshot and its last.

    Snapshots are added in order of time. When a counter's sum falls the process was restarted, and
    all of that snapshot is new. Values that are no counters are those of the last snapshot.

    Attributes:
        restarts: how often that was seen.
    """

    def __init__(self, level: Level = "exact") -> None:
        self.restarts = 0
        self._merger = Merger(level)
        self._last: ProfileColumns | None = None
        self._before = np.zeros((0, 0), np.int64)
        self._grown = np.zeros((0, 0), np.int64)

    def add(self, profile: ProfileColumns) -> None:
        """Add the next snapshot; ValueError when its value types are others than before."""
        if self._last is not None and profile.types != self._last.types:
            raise ValueError("the value types change between the profiles")
        grows = _grows(profile)
        now = _summed(self._merger, profile)
        before, grown = np.zeros_like(now), np.zeros_like(now)
        if self._last is not None:
            before[: len(self._before)], grown[: len(self._grown)] = self._before, self._grown
            if (now.sum(axis=0) < before.sum(axis=0))[grows].any():
                self.restarts += 1
                before[:] = 0
            grown[:, grows] += (now - before)[:, grows]
        grown[:, ~grows] = now[:, ~grows]
        self._last, self._before, self._grown = profile, now, grown

    def result(self) -> ProfileColumns:
        """Give what was added; needs one snapshot at least."""
        last = self._last
        if last is None:
            raise ValueError("there is no profile to begin with")
        kept = (self._grown != 0).any(axis=1)
        return self._merger.build(self._grown, kept, last.types, last.default_type, last.facts)


def _grows(profile: ProfileColumns) -> Bools:
    return np.array([kind in CUMULATIVE for kind, _ in profile.types], np.bool_)


def _summed(merger: Merger, profile: ProfileColumns) -> Ints:
    """Add the samples of each stack up: Go writes some of them twice."""
    ids = merger.intern(profile)
    sums = np.zeros((merger.stacks, len(profile.types)), np.int64)
    add_checked(ids, profile.values, sums)
    return sums


def deltas(profiles: Iterable[ProfileColumns]) -> Iterator[Delta]:
    """Give for each profile of one process, in order of time, what it adds.

    Samples of the same stack and labels are added up first, as Go writes some of them twice.
    Raises ValueError when the value types change on the way.
    """
    merger = Merger("exact")
    before: Ints | None = None
    types: tuple[tuple[str, str], ...] = ()
    for profile in profiles:
        if before is not None and profile.types != types:
            raise ValueError("the value types change between the profiles")
        types = profile.types
        grows = _grows(profile)
        now = _summed(merger, profile)
        added, first, restarted = now, before is None, False
        if before is not None:
            restarted = bool((now.sum(axis=0) < before.sum(axis=0))[grows].any())
            if not restarted:
                added = now.copy()
                added[: len(before), grows] -= before[:, grows]
        built = merger.build(
            added, (added != 0).any(axis=1), types, profile.default_type, profile.facts
        )
        yield Delta(built, first, restarted)
        before = now
