"""Loops over millions of stacks end soon after Ctrl-C, or whatever a signal's handler raises."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import numpy as np
import pytest

from gotrace._core import (
    FlameTree,
    StackTable,
    distinct_lists,
    frame_keys,
    list_keys,
    list_members,
    number_stacks,
    site_keys,
)

DEPTH, STACKS = 64, 1 << 17


def zeros(count: int, kind: type = np.int64) -> np.ndarray:
    return np.zeros(count, kind)


def a_text() -> tuple[np.ndarray, np.ndarray]:
    return np.array([0, 60]), np.full(60, ord("x"), np.uint8)


OFFSETS = np.arange(STACKS + 1) * DEPTH
FRAMES = STACKS * DEPTH
LOOPS: dict[str, Callable[[], object]] = {
    "list_keys": lambda: list_keys(OFFSETS[1:], zeros(FRAMES), zeros(STACKS)),
    "site_keys": lambda: site_keys(
        *(OFFSETS[1:], zeros(FRAMES), zeros(FRAMES), zeros(1, np.uint8), *a_text()),
        *(zeros(STACKS) for _ in range(4)),
    ),
    "frame_keys": lambda: frame_keys(
        *(*a_text(), *a_text(), zeros(1 << 20), zeros(1 << 20), zeros(1 << 20), zeros(1 << 20))
    ),
    "number_stacks": lambda: number_stacks(OFFSETS[1:], zeros(FRAMES) + 1, zeros(1) + 1),
    "list_members": lambda: list_members(OFFSETS[1:], zeros(FRAMES), np.array([0, 1])),
    "distinct_lists": lambda: distinct_lists(
        OFFSETS[:-1], OFFSETS[1:], zeros(FRAMES), zeros(STACKS)
    ),
    "intern": lambda: StackTable().intern(OFFSETS, zeros(FRAMES), zeros(STACKS), zeros(STACKS)),
    "insert": lambda: FlameTree().insert(
        OFFSETS, zeros(FRAMES, np.int32), zeros(FRAMES, np.uint8), zeros(STACKS, np.int32)
    ),
}


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_long_loops_hear_ctrl_c(loop: Callable[[], object]) -> None:
    heard = 0

    def stop(*_: object) -> None:
        nonlocal heard
        heard += 1
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    try:
        start = time.thread_time()
        loop()
        whole = time.thread_time() - start
        for _ in range(9):  # the signal may come before or behind the loop itself
            signal.setitimer(signal.ITIMER_REAL, whole / 3)
            start = time.thread_time()
            with pytest.raises(KeyboardInterrupt):
                loop()
                time.sleep(10 * whole)
            took = time.thread_time() - start
            if took < 0.8 * whole:
                return
        pytest.fail(f"heard after {took:.3f} s of {whole:.3f}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
