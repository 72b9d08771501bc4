"""What happened between profiles of one process whose counters only grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from gotrace.analyses.frames import add_checked
from gotrace.analyses.merge import Merger
from gotrace.analyses.profile_columns import Ints, ProfileColumns

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
        grows = np.array([kind in CUMULATIVE for kind, _ in types], np.bool_)
        ids = merger.intern(profile)
        now = np.zeros((merger.stacks, len(types)), np.int64)
        add_checked(ids, np.ascontiguousarray(profile.values), now)
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
