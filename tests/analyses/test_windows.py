"""Time in windows, levels and bursts, against their definitions, one interval at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gotrace.analyses import windows as module
from gotrace.analyses.bursts import LEAST, Bursts, by_waker
from gotrace.analyses.levels import Levels
from gotrace.analyses.windows import Windows, fitting
from gotrace.tables.columns import DICTIONARIES, WORDS

MS = 1_000_000
INTERVALS = st.lists(st.tuples(st.integers(0, 40 * MS), st.integers(1, 25 * MS)), max_size=20)


@given(INTERVALS, INTERVALS)
def test_time_in_windows(busy: list[tuple[int, int]], idle: list[tuple[int, int]]) -> None:
    at = Windows(7, ["busy", "idle"])
    rows = [*busy, *idle]
    columns = np.array([0] * len(busy) + [1] * len(idle), np.int64)
    start = np.array([7 + begin for begin, _ in rows], np.int64)
    end = start + np.array([length for _, length in rows], np.int64)
    at.add_times(columns, start, end)
    for column, name in enumerate(at.sums):
        own, until = start[columns == column], end[columns == column]
        for number in range(at.count):
            low, high = 7 + number * MS, 7 + (number + 1) * MS
            inside = np.maximum(np.minimum(until, high) - np.maximum(own, low), 0).sum()
            assert at.sums[name][number] == inside
        assert at.sums[name].sum() == (until - own).sum()


def test_windows_get_wider_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 50)
    at = Windows(0, ["busy"])
    for begin in range(0, 300 * MS, MS):
        at.add_times(np.array([0]), np.array([begin]), np.array([begin + MS // 2]))
    assert (at.width_ns, at.count) == (10 * MS, 30)
    assert at.sums["busy"][:30].tolist() == [5 * MS] * 30


@pytest.mark.parametrize(
    ("duration_ms", "width_ms"), [(1, 1), (39, 1), (80, 2), (800, 20), (10_000, 100), (10**6, 100)]
)
def test_windows_for_people_have_round_widths(duration_ms: int, width_ms: int) -> None:
    assert fitting(duration_ms * MS, MS) == width_ms


def transitions(rows: list[tuple[int, int, str, str]]) -> pa.RecordBatch:
    states = pa.array(DICTIONARIES["state"])
    columns = list(zip(*rows, strict=True))

    def words(values: tuple[str, ...]) -> pa.Array:
        codes = [DICTIONARIES["state"].index(value) for value in values]
        return pa.DictionaryArray.from_arrays(pa.array(codes, WORDS.index_type), states)

    return pa.RecordBatch.from_arrays(
        [pa.array(columns[0]), pa.array(columns[1], pa.int32()), *map(words, columns[2:])],
        names=["time_ns", "life", "from_state", "to_state"],
    )


def test_a_status_that_comes_late_holds_since_the_begin() -> None:
    at, levels = Windows(0, []), Levels("runnable")
    levels.add(
        transitions(
            [
                (1, 0, "notexist", "runnable"),
                (5, 0, "runnable", "running"),
                (2 * MS, 0, "undetermined", "runnable"),
                (2 * MS + 1, 0, "notexist", "runnable"),
            ]
        ),
        at,
    )
    levels.add(transitions([(5 * MS, 0, "runnable", "running")]), at)
    assert levels.maxima(at).tolist() == [2, 1, 2, 2, 2, 2]


def test_after_a_gap_all_is_unknown_again() -> None:
    at, levels = Windows(0, []), Levels("runnable")
    levels.add(transitions([(0, 0, "undetermined", "runnable"), (9, 0, "running", "runnable")]), at)
    levels.add(transitions([(3 * MS, 1, "undetermined", "running")]), at)
    levels.add(transitions([(4 * MS, 1, "running", "runnable")]), at)
    assert levels.maxima(at).tolist() == [2, 2, 2, 2, 1]


def wakeups(rows: list[tuple[int, int, int | None, int]]) -> pa.RecordBatch:
    names = ["time_ns", "goroutine", "by_goroutine", "by_stack_id", "from_state", "to_state"]
    columns = [pa.array(column, pa.int64()) for column in zip(*rows, strict=True)]
    words = [pa.array([word] * len(rows)).dictionary_encode() for word in ("waiting", "runnable")]
    return pa.RecordBatch.from_arrays([*columns, *words], names=names)


@pytest.mark.parametrize("cut", [1, 3, LEAST, LEAST + 2])
def test_a_burst_counts_different_goroutines(cut: int) -> None:
    woken = [(MS + at, 10 + at, 4, 77) for at in range(LEAST)]
    again = [(MS + 500 + at, 50, 5, 88) for at in range(3 * LEAST)]  # one of them, often
    few = [(9 * MS + at, 60 + at, 4, 77) for at in range(LEAST - 1)]
    rows = [*woken, *again, *few]
    bursts = Bursts()
    for begin in range(0, len(rows), cut):
        bursts.add(wakeups(rows[begin : begin + cut]))
    assert bursts.table().to_pylist() == [
        {
            "start_ns": MS,
            "end_ns": MS + LEAST - 1,
            "by_goroutine": 4,
            "by_stack_id": 77,
            "woken": LEAST,
            "wakeups": LEAST,
        }
    ]


def test_bursts_by_place() -> None:
    bursts = Bursts()
    for burst, who in enumerate((4, 6, 4)):
        size = LEAST + burst
        bursts.add(wakeups([(burst * MS + at, 10 + at, who, 77) for at in range(size)]))
    assert by_waker(bursts.table()).to_pylist() == [
        {
            "bursts": 3,
            "woken": LEAST + 2,
            "goroutines": 2,
            "by_goroutine": 4,
            "start_ns": 2 * MS,
            "by_stack_id": 77,
        }
    ]
