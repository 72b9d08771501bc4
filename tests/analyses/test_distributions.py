"""Percentiles of streams, against their definition."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gotrace.analyses import distributions
from gotrace.analyses.distributions import Distributions

RANKS = (1, 50, 90, 99, 99.9, 100)
NUMBERS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(-(2**61), 2**61) | st.integers(0, 20)), max_size=60
)


def filled(pieces: list[list[tuple[int, int]]]) -> Distributions:
    made = Distributions()
    for piece in pieces:
        rows = np.array(piece, np.int64).reshape(-1, 2)
        made.add(rows[:, 0], rows[:, 1])
    return made


@given(st.lists(NUMBERS, max_size=4))
def test_percentiles_are_nearest_rank(pieces: list[list[tuple[int, int]]]) -> None:
    found = filled(pieces).percentiles(6, RANKS)
    for group in range(6):
        values = sorted(value for piece in pieces for of, value in piece if of == group)
        ranks = [math.ceil(Fraction(str(percent)) * len(values) / 100) for percent in RANKS]
        assert found[group].tolist() == [values[rank - 1] if values else 0 for rank in ranks]


@given(st.lists(NUMBERS, max_size=4))
def test_counts_and_sums(pieces: list[list[tuple[int, int]]]) -> None:
    rows = [row for piece in pieces for row in piece if abs(row[1]) < 2**40]
    made = filled([rows])
    for group in range(6):
        values = [value for of, value in rows if of == group]
        assert made.counts(6)[group] == len(values)
        assert made.sums(6)[group] == sum(values)


def test_rank_of_a_percentile_has_no_rounding_error() -> None:
    made = Distributions()
    made.add(np.zeros(100, np.int64), np.arange(1, 101))
    assert made.percentiles(1, [7, 29, 57]).tolist() == [[7, 29, 57]]


def test_what_is_equal_is_held_once() -> None:
    made = Distributions()
    for _ in range(40):
        made.add(np.zeros(1 << 16, np.int64), np.arange(1 << 16) % 100)
    groups, values, counts = made.cells()
    assert len(values) == 100
    assert counts.sum() == 40 << 16
    assert made._held < distributions._PENDING
    assert groups.max() == 0
