"""Sums by pair and kind: as a dict would have them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gotrace._core import PairSums, track_packets
from gotrace.analyses.clipping import pairs_of

ROWS = st.lists(
    st.tuples(
        st.integers(-3, 3) | st.integers(-(2**62), 2**62),
        st.integers(-2, 4),
        st.integers(-1, 2),
        st.integers(0, 1000),
    ),
    max_size=60,
)


def columns(rows: list[tuple[int, int, int, int]]) -> list[np.ndarray]:
    kinds = (np.int64, np.int64, np.int8, np.int64)
    return [np.array([row[at] for row in rows], kind) for at, kind in enumerate(kinds)]


@given(ROWS, st.integers(0, 60))
def test_sums_and_counts(rows, cut) -> None:
    sums = PairSums(3)
    for part in (rows[:cut], rows[cut:]):
        sums.add(*columns(part))
    expected: Counter[tuple[int, int, int]] = Counter()
    times: Counter[tuple[int, int, int]] = Counter()
    for a, b, kind, value in rows:
        if kind >= 0:
            expected[a, b, kind] += value
            times[a, b, kind] += 1
    pairs = list(dict.fromkeys((a, b) for a, b, kind, _ in rows if kind >= 0))
    first, second, totals, counts = pairs_of(sums)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == pairs
    for row, (a, b) in enumerate(pairs):
        assert totals[row].tolist() == [expected[a, b, kind] for kind in range(3)]
        assert counts[row].tolist() == [times[a, b, kind] for kind in range(3)]
    asked = [*pairs, (77, 99)]
    found = np.empty(len(asked), np.int64)
    sums.find(*(np.array([pair[at] for pair in asked], np.int64) for at in range(2)), found)
    assert found.tolist() == [*range(len(pairs)), -1]


def test_lives_of_one_id_take_linear_time() -> None:
    lives = np.arange(300_000)
    sums = PairSums(1)
    sums.add(np.zeros_like(lives), lives, np.zeros(len(lives), np.int8), lives)
    found = np.empty_like(lives)
    sums.find(np.zeros_like(lives), lives, found)
    assert (found == lives).all()


def test_columns_of_one_length() -> None:
    one, two = np.zeros(1, np.int64), np.zeros(2, np.int64)
    with pytest.raises(ValueError, match="differ in length"):
        PairSums(1).add(one, two, np.zeros(1, np.int8), one)
    with pytest.raises(ValueError, match="shape of the sums"):
        PairSums(1).copy_to(one, one, one.reshape(1, 1), one.reshape(1, 1))
    with pytest.raises(ValueError, match="kinds"):
        PairSums(0)
    for wrong in ({"ends": two}, {"names": two}, {"flows": two}, {"counts": two}):
        with pytest.raises(ValueError, match="differ in length"):
            track_packets(1, one, one, **wrong)
    with pytest.raises(ValueError, match="differ in length"):
        track_packets(1, one, one, annotations=two.reshape(1, 2), annotation_names=one)
