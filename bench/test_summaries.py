"""How fast are summaries, held against Go's Reader and Summarizer, and what do they add to a pass?

The first race is on the wall, as in `test_decode.py`. The second is processor time of one thread:
a pass over `events` with the summaries, and without them.

    pytest bench/test_summaries.py --benchmark-enable -s
"""

from __future__ import annotations

import math
import os
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

import gotrace
from bench.traces import WORKLOADS, trace
from tests.golab import peers

ROUNDS = int(os.environ.get("GOTRACE_BENCH_ROUNDS", "5"))
SUMMARIES = ("goroutines", "tasks", "regions")
LEAST, LEAST_OF_ONE = 8, 6
MOST_ADDED = 1.2  # a row for each of 3.8 million goroutines: spawn
RATIOS: dict[int, dict[str, float]] = {}


def drain(path: Path, tables: tuple[str, ...], threads: int) -> dict[str, int]:
    """Read tables in one pass, each batch dropped as it is read; the rows of each."""
    rows = dict.fromkeys(tables, 0)
    with gotrace.open(path) as source:
        for name, batch in source.scan(tables, threads=threads):
            rows[name] += batch.num_rows
            del batch
    return rows


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("workload", WORKLOADS)
def test_against_the_summarizer(benchmark: Any, workload: str, threads: int) -> None:
    path = trace(workload)
    go: list[float] = []

    def peer() -> None:
        go.extend(peers.count_events(path, summarize=True)[1])

    rows = benchmark.pedantic(
        drain,
        args=(path, SUMMARIES, threads),
        setup=peer,
        rounds=ROUNDS,
        warmup_rounds=1,
        iterations=1,
    )
    ratio = statistics.median(go[1:]) / benchmark.stats.stats.median
    benchmark.extra_info.update(rows=rows, ratio=round(ratio, 2))
    RATIOS.setdefault(threads, {})[workload] = ratio
    assert rows["goroutines"] > 0
    assert ratio >= LEAST_OF_ONE


def test_geometric_means() -> None:
    """The first release promises 8 times Go."""
    for threads, ratios in RATIOS.items():
        mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios.values()))
        each = ", ".join(f"{workload} {ratio:.2f}" for workload, ratio in ratios.items())
        print(f"\nsummaries, {threads} threads: {mean:.2f} times Go's Summarizer ({each})")
        assert mean >= LEAST


@pytest.mark.parametrize("workload", WORKLOADS)
def test_what_they_add_to_a_pass(benchmark: Any, workload: str) -> None:
    path = trace(workload)
    took: dict[int, list[float]] = {}

    def timed(tables: tuple[str, ...]) -> None:
        began = time.process_time()
        drain(path, tables, 1)
        took.setdefault(len(tables), []).append(time.process_time() - began)

    benchmark.pedantic(
        timed,
        args=(("events", *SUMMARIES),),
        setup=lambda: timed(("events",)),
        rounds=ROUNDS,
        warmup_rounds=1,
        iterations=1,
    )
    without, whole = (statistics.median(took[count][1:]) for count in sorted(took))
    share = whole / without - 1
    benchmark.extra_info.update(share_of_pass=round(share, 2))
    print(f"\n{workload}: summaries add {share:.2f} of the time of a pass over events")
    assert share <= MOST_ADDED
