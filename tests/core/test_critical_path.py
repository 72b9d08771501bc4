"""The critical path: a small scene by hand, and any intervals at all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gotrace._core import CriticalPath

Interval = tuple[int, int, bool, int, int]  # begin, end, waits, ended by, made by
Step = tuple[int, int, int, int, int]  # interval, goroutine, begin, end, depth


def walk(lives: list[list[Interval]], goroutine: int, start: int, end: int) -> list[Step]:
    rows = np.array([row for life in lives for row in life], np.int64).reshape(-1, 5)
    sizes = [len(life) for life in lives]
    path = CriticalPath()
    path.walk(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        *(np.ascontiguousarray(rows[:, at]) for at in (0, 1)),
        *(rows[:, at].astype(np.int32) for at in (3, 4)),
        rows[:, 2].astype(np.uint8),
        goroutine,
        start,
        end,
    )
    kinds = (np.int64, np.int32, np.int64, np.int64, np.int32)
    columns = [np.empty(len(path), kind) for kind in kinds]
    path.copy_to(*columns)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_wait_leads_through_the_waker_and_its_maker() -> None:
    lives = [
        [(0, 10, False, -1, -1), (10, 40, True, 2, -1), (40, 50, False, -1, -1)],
        [(0, 20, False, -1, -1), (20, 50, True, -1, -1)],
        [(20, 22, False, -1, 1), (22, 30, True, -1, -1), (30, 45, False, -1, -1)],
    ]
    assert walk(lives, 0, 5, 50) == [
        (0, 0, 5, 10, 0),  # ran until it waited
        (3, 1, 10, 20, 1),  # the maker of the waker ran
        (5, 2, 20, 22, 1),  # the waker ran,
        (6, 2, 22, 30, 1),  # waited for nobody known,
        (7, 2, 30, 40, 1),  # ran on, and woke it
        (2, 0, 40, 50, 0),
    ]


def test_a_wait_that_has_not_ended_is_its_own() -> None:
    lives = [[(0, 10, False, -1, -1), (10, 40, True, 1, -1)], [(0, 50, False, -1, -1)]]
    assert walk(lives, 0, 0, 30) == [(0, 0, 0, 10, 0), (1, 0, 10, 30, 0)]


def test_nothing_is_known_outside_of_a_life() -> None:
    lives = [[(10, 20, False, -1, -1), (30, 40, False, -1, -1)]]
    steps = [(-1, 0, 5, 10, 0), (0, 0, 10, 20, 0), (-1, 0, 20, 30, 0), (1, 0, 30, 40, 0)]
    assert walk(lives, 0, 5, 50) == [*steps, (-1, 0, 40, 50, 0)]


def test_goroutines_that_wake_each_other_at_one_time_end() -> None:
    lives = [[(0, 10, True, 1, -1)], [(0, 10, True, 0, -1)]]
    steps = walk(lives, 0, 0, 10)
    assert [(begin, end) for _, _, begin, end, _ in steps] == [(0, 10)]


def test_a_goroutine_that_is_none_is_refused() -> None:
    with pytest.raises(IndexError):
        walk([[(0, 10, True, 7, -1)]], 0, 0, 10)


@st.composite
def lives_of_any_kind(draw: st.DrawFn) -> list[list[Interval]]:
    count = draw(st.integers(1, 5))
    others = st.integers(-1, count - 1)
    lives = []
    for _ in range(count):
        edges = sorted(draw(st.sets(st.integers(0, 60), max_size=10)))
        lives.append(
            [
                (begin, end, draw(st.booleans()), draw(others), draw(others))
                for begin, end in pairwise(edges)
            ]
        )
    return lives


@given(lives_of_any_kind(), st.integers(0, 70), st.integers(0, 70))
def test_segments_tile_the_interval(lives: list[list[Interval]], a: int, b: int) -> None:
    start, end = min(a, b), max(a, b)
    steps = walk(lives, 0, start, end)
    edges = [begin for _, _, begin, _, _ in steps] + [end]
    assert edges == ([start] if steps else [end]) + [until for _, _, _, until, _ in steps]
    assert all(begin < until for _, _, begin, until, _ in steps)
    flat = [row for life in lives for row in life]
    owners = [number for number, life in enumerate(lives) for _ in life]
    for interval, goroutine, begin, until, _ in steps:
        if interval >= 0:
            assert flat[interval][0] <= begin < until <= flat[interval][1]
            assert owners[interval] == goroutine
