"""Events and samples of one time: which comes first is an artefact of Go's heap and sort, and ours.

Above twelve elements Go's sort is not stable, so every one of its decisions shows here.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence

import pytest

from gotrace.testing import GoStatus, ProcStatus, TraceWriter
from tests.differential.go_reader import read_with_both

# --- CPU samples: any sequence of times ---------------------------------------------------------

#: Found by an adversary (McIlroy 1999) that lets the sort choose bad pivots until it gives up and
#: heapsorts; the largest are made equal as far as that still happens.
GIVES_UP = """
9 34 34 34 34 34 34 34 18 34 28 34 34 34 34 24 34 34 34 34 34 34 34 34 34 0 1 34 6 7 12 10 11 34
34 16 17 34 20 21 34 34 34 26 27 34 34 32 33 34 2 3 23 34 19 29 34 34 34 22 34 34 34 34 34 34 34
34 13 34 34 34 34 34 34 4 5 14 15 25 34 30 31 34 8 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34
"""


def organ_pipe(n: int, _: random.Random) -> list[int]:
    return [min(i, n - i) for i in range(n)]


def nearly_sorted(n: int, rng: random.Random) -> list[int]:
    times = [i // 3 for i in range(n)]
    for _ in range(rng.randrange(1, 8)):
        i, j = rng.randrange(n), rng.randrange(n)
        times[i], times[j] = times[j], times[i]
    return times


PATTERNS: dict[str, Callable[[int, random.Random], Sequence[int]]] = {
    "all equal": lambda n, _: [5] * n,
    "rising": lambda n, _: [i // 4 for i in range(n)],
    "falling": lambda n, _: [(n - i) // 4 for i in range(n)],
    "strictly falling": lambda n, _: [n - i for i in range(n)],
    "sawtooth": lambda n, _: [i % 7 for i in range(n)],
    "organ pipe": organ_pipe,
    "nearly sorted": nearly_sorted,
    "two values": lambda n, rng: [rng.randrange(2) for _ in range(n)],
    "few values": lambda n, rng: [rng.randrange(1 + n // 10) for _ in range(n)],
    "many values": lambda n, rng: [rng.randrange(n) for _ in range(n)],
    "far out": lambda n, rng: [rng.randrange(3) if i % 8 else n for i in range(n)],
}


def samples_of(times: Sequence[int]) -> bytes:
    """A trace of samples alone; the goroutine of each is its number."""
    file = io.BytesIO()
    with TraceWriter(file, clock=1) as trace:
        for number, time in enumerate(times):
            trace.cpu_sample(7, 0, number + 1, at=100 + time)
    return file.getvalue()


@pytest.mark.parametrize("count", [2, 12, 13, 20, 49, 50, 51, 64, 200, 1500])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_samples_of_one_time(pattern: str, count: int) -> None:
    times = PATTERNS[pattern](count, random.Random(f"{pattern} {count}"))
    assert read_with_both(samples_of(times)).differences() == []


def test_samples_that_make_the_sort_give_up() -> None:
    times = [int(time) for time in GIVES_UP.split()]
    both = read_with_both(samples_of(times))
    assert both.differences() == []
    assert both.ours.table("events").num_rows == len(times) + 2


@pytest.mark.parametrize("seed", range(30))
def test_samples_of_pieced_together_times(seed: int) -> None:
    rng = random.Random(seed)
    times: list[int] = []
    while len(times) < 400:
        pattern = rng.choice(list(PATTERNS.values()))
        shift = rng.randrange(40)
        times += [shift + time for time in pattern(rng.randrange(2, 200), rng)]
    assert read_with_both(samples_of(times)).differences() == []


# --- threads: what waits and what goes first ----------------------------------------------------


def entangled(seed: int, threads: int, steps: int, spread: int, minor: int) -> bytes:
    """Threads that create, block, wake and run each other's goroutines, at hardly any time at all.

    Times are `spread` ticks apart at most and say nothing about the order that things happened in,
    so the heads of many threads are equal and nearly every event has to wait for others.
    """
    rng = random.Random(seed)
    file = io.BytesIO()
    trace = TraceWriter(file, minor, clock=1000, tick=0)
    writers = [trace.thread(100 + number) for number in range(threads)]
    running: dict[int, int | None] = {}
    runnable: list[int] = []
    waiting: list[int] = []
    for number, writer in enumerate(writers):
        trace.clock = 1000 + rng.randrange(spread)
        writer.proc_status(number, ProcStatus.RUNNING)
        writer.go_status(number + 1, GoStatus.RUNNING)
        running[number] = number + 1
    newest = threads
    for step in range(steps):
        if step == steps // 2 and rng.random() < 0.5:
            trace.clock = 1000
            trace.new_generation()
        number = rng.randrange(threads)
        writer = writers[number]
        trace.clock = 1000 + rng.randrange(spread)
        goroutine = running[number]
        if waiting and rng.random() < 0.4:
            other = waiting.pop(rng.randrange(len(waiting)))
            writer.go_unblock(other)
            runnable.append(other)
        elif goroutine is None:
            if runnable:
                other = runnable.pop(rng.randrange(len(runnable)))
                writer.go_start(other)
                running[number] = other
        elif rng.random() < 0.3:
            newest += 1
            writer.go_create(newest)
            runnable.append(newest)
        elif rng.random() < 0.5:
            writer.go_block("select")
            waiting.append(goroutine)
            running[number] = None
        else:
            writer.go_stop("preempted")
            runnable.append(goroutine)
            running[number] = None
        if rng.random() < 0.05:
            trace.cpu_sample(100 + number, number, goroutine, at=1000 + rng.randrange(spread))
    trace.clock = 1000 + spread
    trace.close()
    return file.getvalue()


@pytest.mark.parametrize("spread", [1, 2, 5, 40])
@pytest.mark.parametrize("threads", [2, 12, 13, 14, 30, 55, 120, 200])
def test_threads_that_wait_for_each_other(threads: int, spread: int) -> None:
    minor = (22, 23, 25, 26)[(threads + spread) % 4]
    data = entangled(threads * 100 + spread, threads, 12 * threads + 200, spread, minor)
    both = read_with_both(data)
    assert both.differences() == []
    # Rarely Go gives up: after it sorted, it never tries the first again. So do we, and there.
    assert both.go.verdict == "end" or both.go.message.startswith("broken trace: failed to advance")


@pytest.mark.parametrize("seed", range(40))
def test_threads_that_wait_at_random(seed: int) -> None:
    rng = random.Random(seed)
    threads = rng.randrange(13, 90)
    spread = rng.choice((1, 1, 2, 3, 10, 100))
    data = entangled(seed, threads, rng.randrange(100, 2000), spread, rng.choice((22, 23, 25, 26)))
    assert read_with_both(data).differences() == []
