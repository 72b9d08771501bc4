"""Stacks filled in: what each goroutine had last, until it ends."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gotrace._core import LastStacks

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 2**62), st.booleans()), max_size=40)


@given(ROWS, st.integers(1, 9))
def test_a_stack_that_is_missing_is_the_last_one(
    rows: list[tuple[int, int, bool]], size: int
) -> None:
    held: dict[int, int] = {}
    wanted = []
    for goroutine, stack, ended in rows:
        held[goroutine] = stack if stack >= 0 else held.get(goroutine, -1)
        wanted.append(held[goroutine])
        if ended:
            del held[goroutine]
    last, found = LastStacks(), []
    for begin in range(0, len(rows), size):
        goroutines, stacks, ended = map(list, zip(*rows[begin : begin + size], strict=True))
        filled = np.array(stacks, np.int64)
        last.fill(np.array(goroutines, np.int64), filled, np.array(ended, np.uint8))
        found += filled.tolist()
    assert found == wanted
    assert len(last) == sum(stack >= 0 for stack in held.values())
