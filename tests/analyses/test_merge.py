"""Profiles as one, and what happened between them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gotrace.analyses.delta import deltas
from gotrace.analyses.flame import flame_of
from gotrace.analyses.merge import Merger, merge
from gotrace.analyses.profile_columns import ProfileColumns, Rest, from_tables
from tests.analyses import proto


def columns(
    *samples: tuple[str, list[int], dict[str, Any]], types: str = "cpu/nanoseconds", **facts: Any
) -> ProfileColumns:
    return from_tables(proto.tables(proto.build(list(samples), types, **facts)))


def same(a: ProfileColumns, b: ProfileColumns) -> bool:
    def plain(value: Any) -> Any:
        if isinstance(value, (ProfileColumns, Rest)):
            return {name: plain(each) for name, each in vars(value).items()}
        return value.tolist() if hasattr(value, "tolist") else value

    return bool(plain(a) == plain(b))


@pytest.mark.parametrize("level", ["exact", "function"])
def test_order_never_changes_the_result(level: Any) -> None:
    profiles = [
        columns(("b:3 main", [1], {"k": "x"}), ("a main", [2], {}), time_nanos=30, period=9),
        columns(("a main", [4], {}), ("c+b main", [8], {"k": ["y", "x"]}), time_nanos=10),
        columns(("d", [5], {"n": 5}), types="cpu/microseconds", duration_nanos=7),
        columns(("@9 b main", [3, 70], {}), types="samples/count cpu/nanoseconds", base=0x9000),
    ]
    results = [merge(order, level) for order in itertools.permutations(profiles)]
    assert all(same(results[0], other) for other in results[1:])
    assert results[0].types == (("samples", "count"), ("cpu", "nanoseconds"))
    assert results[0].values.sum(axis=0).tolist() == [3, 1 + 2 + 4 + 8 + 5000 + 70]
    assert results[0].facts == {"time_ns": 10, "duration_ns": 7, "period": 9}


FRAMES = st.sampled_from(["a", "a:7", "b", "b+c", "drop", "@4096", "@9"])
LABELS = st.dictionaries(
    st.sampled_from("xyz"),
    st.sampled_from(["t", ["u", "t"], 0, 7, (7, "bytes"), (7, "kilobytes")]),
    max_size=2,
)
KINDS = {
    "cpu/nanoseconds": 1,
    "cpu/microseconds": 1,
    "samples/count cpu/milliseconds": 2,
    "cpu/nanoseconds samples/count": 2,
    "alloc_space/bytes": 1,
}
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "time_nanos": st.integers(1, 9),
        "duration_nanos": st.integers(1, 9),
        "period": st.integers(1, 9),
        "base": st.sampled_from([0, 0x9000]),
        "drop_frames": st.just("drop"),
    },
)


@st.composite
def profiles(draw: Any) -> ProfileColumns:
    types = draw(st.sampled_from(sorted(KINDS)))
    values = st.lists(st.integers(-9, 9), min_size=KINDS[types], max_size=KINDS[types])
    stack = st.lists(FRAMES, min_size=1, max_size=4).map(" ".join)
    samples = draw(st.lists(st.tuples(stack, values, LABELS), max_size=5))
    return columns(*samples, types=types, **draw(FACTS))


@pytest.mark.parametrize("level", ["exact", "function"])
@settings(max_examples=60)
@given(given=st.lists(profiles(), min_size=2, max_size=4), data=st.data())
def test_any_profiles_in_any_order(level: Any, given: list[ProfileColumns], data: Any) -> None:
    order = data.draw(st.permutations(given))
    assert same(merge(given, level), merge(order, level))


def test_processes_and_builds_join() -> None:
    """One stack at other addresses is one stack; at other lines it is one by function only."""
    profiles = [
        columns(("a:1 main", [1], {})),
        columns(("a:1 main", [2], {}), base=0x40000),
        columns(("a:9 main", [4], {})),
    ]
    assert merge(profiles, "exact").values.tolist() == [[3], [4]]
    assert merge(profiles, "function").values.tolist() == [[7]]


def test_labels_tell_samples_apart_unless_forgotten() -> None:
    profile = columns(("a", [1], {"k": "x"}), ("a", [2], {"k": (3, "bytes")}), ("a", [4], {}))
    assert sorted(merge([profile]).values[:, 0].tolist()) == [1, 2, 4]
    merger = Merger(labels=False)
    merger.add(profile)
    assert merger.result().values.tolist() == [[7]]


def test_what_cancels_is_left_out() -> None:
    merged = merge([columns(("a", [5], {}), ("b", [1], {})), columns(("a", [-5], {}))])
    assert merged.values.tolist() == [[1]]
    assert flame_of(merged).column("name").to_pylist() == [None, "b"]


def test_dropped_frames_go_before_the_merge() -> None:
    dropping = columns(("x drop main", [1], {}), drop_frames="drop")
    merged = merge([dropping, columns(("x drop main", [2], {}))])
    assert "drop_frames" not in merged.facts
    assert sorted(flame_of(merged).column("total").to_pylist()) == [2, 2, 3, 3]


def test_units_that_do_not_convert_are_an_error() -> None:
    with pytest.raises(ValueError, match="cpu is measured in 'nanoseconds' and in 'bytes'"):
        merge([columns(("a", [1], {})), columns(("a", [1], {}), types="cpu/bytes")])


@pytest.mark.parametrize("values", [(2**62, 2**62), (-(2**63), -1)])
def test_overflow_is_an_error(values: tuple[int, int]) -> None:
    with pytest.raises(OverflowError):
        merge(columns(("a", [value], {})) for value in values)


def test_memory_is_that_of_the_distinct_stacks() -> None:
    merger = Merger()
    for _ in range(50):
        merger.add(columns(("a b c", [1], {}), ("b c", [1], {})))
    assert merger.stacks == 2
    assert merger.result().values.tolist() == [[50], [50]]


HEAP = "alloc_space/bytes inuse_space/bytes"


def test_delta_of_counters() -> None:
    """What grows is subtracted, what is a state is not; a fall of the sum is a new process."""
    steps = list(
        deltas(
            [
                columns(("a", [10, 3], {}), ("a", [5, 0], {}), types=HEAP),
                columns(("a", [25, 2], {}), ("b", [7, 7], {}), types=HEAP),
                columns(("b", [4, 4], {}), types=HEAP),
                columns(("b", [4, 0], {}), types=HEAP),
            ]
        )
    )
    assert [(step.first, step.restarted) for step in steps] == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
    ]
    assert [step.profile.values.tolist() for step in steps] == [
        [[15, 3]],
        [[10, 2], [7, 7]],
        [[4, 4]],
        [],
    ]


def test_delta_refuses_other_types() -> None:
    with pytest.raises(ValueError, match="change"):
        list(deltas([columns(("a", [1, 1], {}), types=HEAP), columns(("a", [1], {}))]))
