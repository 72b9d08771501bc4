"""Lists of numbers in the core: told apart, put in order, taken, expanded; against plain Python."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gotrace._core import (
    IdSet,
    NumberBlock,
    StackTable,
    TextPairs,
    distinct_lists,
    expand_lists,
    list_members,
    narrow_rows_of_ids,
    number_stacks,
    rows_of_ids,
    sort_lists,
    take_lists,
)

NUMBERS = st.integers(-2, 3) | st.integers(-(2**63), 2**63 - 1)
LISTS = st.lists(st.lists(NUMBERS, max_size=5), max_size=40)


def ints(numbers: Any) -> np.ndarray:
    return np.array(list(numbers), np.int64)


def laid_down(lists: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and numbers."""
    flat = [number for each in lists for number in each]
    return ints(np.cumsum([0, *map(len, lists)])), ints(flat)


def plain(block: Any) -> list[int]:
    return np.frombuffer(block, np.int32 if block.narrow else np.int64).tolist()


@given(LISTS)
def test_distinct_lists(lists: list[list[int]]) -> None:
    seen = list(dict.fromkeys(map(tuple, lists)))
    ids = np.empty(len(lists), np.int64)
    offsets, numbers = laid_down(lists)
    firsts = plain(distinct_lists(offsets[:-1], offsets[1:], numbers, ids))
    assert [tuple(lists[first]) for first in firsts] == seen
    assert [seen[id] for id in ids] == list(map(tuple, lists))


@given(LISTS)
def test_narrow_lists_are_those_of_wide_numbers(lists: list[list[int]]) -> None:
    offsets, numbers = laid_down([[number % 5 for number in each] for each in lists])
    ids, narrow_ids = np.empty(len(lists), np.int64), np.empty(len(lists), np.int64)
    firsts = plain(distinct_lists(offsets[:-1], offsets[1:], numbers, ids))
    narrow = numbers.astype(np.int32)
    assert plain(distinct_lists(offsets[:-1], offsets[1:], narrow, narrow_ids)) == firsts
    assert ids.tolist() == narrow_ids.tolist()
    table, again, tags = StackTable(), np.empty(len(lists), np.int64), np.zeros_like(ids)
    table.intern(offsets, numbers, tags, ids)
    table.intern(offsets, narrow, tags, again, np.arange(5))
    assert ids.tolist() == again.tolist()
    assert len(table) == len(firsts)


@given(LISTS, st.lists(st.integers(0, 2), min_size=40, max_size=40))
def test_tables_of_lists_know_them_again(lists: list[list[int]], tags: list[int]) -> None:
    """In two goes, plain and through names."""
    table, half = StackTable(), len(lists) // 2
    names = ints([5, 7, 9])
    rows = [[number % 3 for number in each] for each in lists]
    ids = []
    for part, of in ((rows[:half], tags[:half]), (rows[half:], tags[half : len(rows)])):
        got = np.empty(len(part), np.int64)
        table.intern(*laid_down(part), ints(of), got, names)
        ids += got.tolist()
    again = np.empty(len(rows), np.int64)
    named = [[int(names[number]) for number in row] for row in rows]
    table.intern(*laid_down(named), ints(tags[: len(rows)]), again)
    assert ids == again.tolist()
    seen = {(tuple(row), tag) for row, tag in zip(named, tags, strict=False)}
    assert len(table) == len(seen) == len(set(ids))


@given(LISTS, st.lists(st.integers(0, 2), min_size=40, max_size=40))
def test_sort_lists(lists: list[list[int]], tags: list[int]) -> None:
    order = np.arange(len(lists))
    sort_lists(*laid_down(lists), ints(tags[: len(lists)]), order)
    assert [(lists[i], tags[i]) for i in order] == sorted(
        (each, tag) for each, tag in zip(lists, tags, strict=False)
    )


@pytest.mark.parametrize("numbers", [2, 300, 2**40])
def test_sort_many_lists(numbers: int) -> None:
    """So many that they are sorted by digits; the first words of most are the same."""
    random = np.random.default_rng(numbers)
    heads = [[numbers - 1] * n for n in (0, 9, 70)]
    lists = [
        heads[random.integers(3)] + random.integers(0, numbers, random.integers(0, 4)).tolist()
        for _ in range(3000)
    ]
    tags = random.integers(0, 5, len(lists)).tolist()
    order = np.arange(len(lists))
    sort_lists(*laid_down(lists), ints(tags), order)
    expected = sorted(zip(lists, tags, strict=True))
    assert [(lists[i], tags[i]) for i in order] == expected


@given(LISTS, st.lists(st.integers(0, 2), min_size=40, max_size=40), st.data())
def test_rows_of_a_table_in_order(lists: list[list[int]], tags: list[int], data: Any) -> None:
    """By the ranks of what is in them."""
    rows = [[number % 4 for number in each] for each in lists]
    table, ids = StackTable(), np.empty(len(rows), np.int64)
    table.intern(*laid_down(rows), ints(tags[: len(rows)]), ids)
    ranks, tag_ranks = data.draw(st.permutations(range(4))), data.draw(st.permutations(range(3)))
    distinct = dict(zip(ids.tolist(), zip(rows, tags, strict=False), strict=True))
    order = data.draw(st.permutations(list(distinct)).map(lambda ids: ids[: len(ids) // 2 + 1]))
    order, found = ints(order), np.empty(len(order), np.int64)
    wanted = [distinct[id] for id in order.tolist()]
    offsets, numbers = map(plain, table.take_sorted(ints(ranks), ints(tag_ranks), order, found))
    got = [numbers[a:b] for a, b in pairwise(offsets)]
    assert list(zip(got, found.tolist(), strict=True)) == sorted(
        ([ranks[number] for number in row], tag_ranks[tag]) for row, tag in wanted
    )
    assert [distinct[id] for id in order.tolist()] == [
        ([ranks.index(number) for number in row], tag_ranks.index(tag))
        for row, tag in zip(got, found.tolist(), strict=True)
    ]


def test_numbers_without_a_rank_are_refused() -> None:
    table, none = StackTable(), ints([])
    table.intern(ints([0, 2]), ints([0, 7]), ints([1]), ints([0]))
    for ranks, tag_ranks, order in ((7, 2, 0), (8, 1, 0), (8, 2, 1)):
        with pytest.raises(ValueError, match=r"rank|none of"):
            table.take_sorted(np.arange(ranks), np.arange(tag_ranks), ints([order]), ints([0]))
    assert plain(table.take_sorted(np.arange(8), np.arange(2), none, none)[0]) == [0]


@given(LISTS, st.data())
def test_take_lists(lists: list[list[int]], data: st.DataObject) -> None:
    places = st.lists(st.integers(0, len(lists) - 1), max_size=10) if lists else st.just([])
    order = data.draw(places)
    offsets, numbers = take_lists(*laid_down(lists), ints(order))
    wanted = laid_down([lists[i] for i in order])
    assert (plain(offsets), plain(numbers)) == tuple(array.tolist() for array in wanted)


@given(st.lists(st.lists(st.integers(0, 4), max_size=6), max_size=10), st.booleans())
def test_stacks_of_locations_become_frames(stacks: list[list[int]], leaf_first: bool) -> None:
    members = [[1], [2, 3], [], [4], [5, 6, 7]]
    offsets, flat = laid_down(members)
    ends, rows = laid_down(stacks)
    new_ends, entries = list_members(ends[1:], rows, offsets)
    frames = [[frame for row in stack for frame in members[row]] for stack in stacks]
    assert plain(new_ends) == np.cumsum([0, *map(len, frames)])[1:].tolist()
    assert [int(flat[entry]) for entry in plain(entries)] == [f for each in frames for f in each]

    total = sum(map(len, frames))
    got = np.empty(len(stacks) + 1, np.int64), np.empty(total, np.int32), np.empty(total, np.uint8)
    inlined = ints(flat % 2).astype(np.uint8)
    expand_lists(ends[:-1], ends[1:], rows, offsets, flat.astype(np.int32), inlined, *got,
                 leaf_first)  # fmt: skip
    wanted = [each if leaf_first else each[::-1] for each in frames]
    assert got[1].tolist() == [frame for each in wanted for frame in each]
    assert got[2].tolist() == [frame % 2 for each in wanted for frame in each]


IDS = st.one_of(
    st.integers(1, 30).map(lambda n: list(range(1, n + 1))),
    st.lists(st.integers(1, 60), unique=True, max_size=30),
    st.lists(st.integers(1, 2**64 - 1), unique=True, max_size=30),
)


@given(IDS, st.data())
def test_rows_of_ids(ids: list[int], data: st.DataObject) -> None:
    known = st.sampled_from(ids) if ids else st.just(7)
    wanted = data.draw(st.lists(known | st.integers(0, 70) | st.just(2**64 - 1), max_size=20))
    rows = NumberBlock.copy_of(np.array(wanted, np.uint64).view(np.int64))
    narrow = NumberBlock.copy_of(np.frombuffer(rows, np.int64))
    rows_of_ids(rows, np.array(ids, np.uint64).view(np.int64))
    assert plain(rows) == [ids.index(id) if id in ids else -1 for id in wanted]
    narrow_rows_of_ids(narrow, np.array(ids, np.uint64).view(np.int64))
    assert narrow.narrow
    assert plain(narrow) == plain(rows)


@pytest.mark.parametrize("ids", [[0], [3, 3], [1, 2, 2], [2**62, 2**62]])
def test_ids_that_are_none(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="0 or comes twice"):
        rows_of_ids(NumberBlock.copy_of(ints([1])), ints(ids))


@given(IDS.filter(bool), st.data())
def test_number_stacks(ids: list[int], data: st.DataObject) -> None:
    signed = np.array(ids, np.uint64).view(np.int64)
    stacks = data.draw(st.lists(st.lists(st.integers(0, len(ids) - 1), max_size=4), max_size=20))
    offsets, rows = laid_down(stacks)
    numbers, ends, members = map(plain, number_stacks(offsets[1:], signed[rows], signed))
    distinct = [members[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    assert [distinct[number] for number in numbers] == stacks
    assert len({tuple(stack) for stack in distinct}) == len(distinct)


@given(st.lists(st.lists(st.integers(0, 9))))
def test_id_sets(parts: list[list[int]]) -> None:
    known, seen = IdSet(), set()
    for part in parts:
        is_new = np.empty(len(part), np.uint8)
        known.add(ints(part), is_new)
        for id, new in zip(part, is_new.tolist(), strict=True):
            assert new == (id not in seen)
            seen.add(id)
    assert len(known) == len(seen)


@pytest.mark.parametrize(
    "call",
    [
        lambda: distinct_lists(ints([0]), ints([9]), ints([1]), ints([0])),
        lambda: take_lists(ints([0, 1]), ints([1]), ints([1])),
        lambda: sort_lists(ints([1, 0]), ints([1]), ints([0]), ints([0])),
        lambda: list_members(ints([1]), ints([4]), ints([0, 1])),
        lambda: number_stacks(ints([2]), ints([1]), ints([1])),
    ],
)
def test_lists_outside_of_what_holds_them_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match=r"outside|none of"):
        call()


@given(st.lists(st.lists(st.tuples(*[st.sampled_from("abcdefghé")] * 2), max_size=9)), st.data())
def test_pairs_of_texts(parts: list[list[tuple[str, str]]], data: st.DataObject) -> None:
    """Each is asked for once; several may have one number."""
    pairs, asked = TextPairs(), dict[tuple[str, str], int]()

    def new(first: str, second: str) -> int:
        assert (first, second) not in asked
        number = asked[first, second] = data.draw(st.integers(-(2**63), 2**63 - 1))
        return number

    for part in parts:
        numbers = np.empty(len(part), np.int64)
        firsts, seconds = tuple(a for a, _ in part), tuple(b for _, b in part)
        pairs.find(firsts, seconds, numbers, new)
        assert numbers.tolist() == [asked[pair] for pair in part]
    assert len(pairs) == len(asked)


def test_many_pairs_of_texts() -> None:
    pairs, texts = TextPairs(), tuple(map(str, range(5000)))
    numbers = np.empty(len(texts), np.int64)
    for _ in range(2):
        pairs.find(texts, texts[::-1], numbers, lambda first, _: int(first))
        assert numbers.tolist() == list(range(5000))
    with pytest.raises(ValueError, match="agree"):
        pairs.find(texts, texts[1:], numbers, lambda *_: 0)
