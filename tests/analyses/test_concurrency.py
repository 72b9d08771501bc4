"""How many intervals there are at once: as counted one by one, however they come."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gotrace.analyses import concurrency
from gotrace.analyses.concurrency import MOST, Concurrency

INTERVALS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=30)


@given(INTERVALS, st.integers(1, 8))
def test_as_counted(pairs: list[tuple[int, int]], parts: int) -> None:
    counted = Concurrency()
    starts = np.array([start for start, _ in pairs], np.int64)
    ends = starts + np.array([length for _, length in pairs], np.int64)
    for part in range(parts):
        counted.add(starts[part::parts], ends[part::parts])
    times, levels = counted.levels()
    assert (np.diff(times) > 0).all()
    for time, level in zip(times.tolist(), levels.tolist(), strict=True):
        assert level == ((starts <= time) & (time < ends)).sum()
    assert set(times.tolist()) == {*starts.tolist(), *ends.tolist()}


def test_too_many_changes(monkeypatch) -> None:
    monkeypatch.setattr(concurrency, "_HELD", 50_000)
    counted = Concurrency()
    for first in range(0, 3_000_000, 100_000):
        starts = np.arange(first, first + 100_000, 10)
        counted.add(starts, starts + 5)
    times, levels = counted.levels()
    assert MOST // 4 < len(times) <= MOST
    assert (np.diff(times) > 0).all()
    assert set(levels.tolist()) <= {0, 1}
    assert levels[-1] == 0
