"""How fast do ordered events become Arrow, held against Go's own reader on the same file?

Go's peer does nothing but call ReadEvent and count. It runs once before every round of ours, so
both see the machine in the same mood; what counts is the ratio of the medians, not the seconds.

    pytest bench/test_decode.py --benchmark-enable -s
"""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import pytest

import gotrace
from bench.traces import WORKLOADS, trace
from tests.golab import peers

ROUNDS = 5
RATIOS: dict[tuple[str, int], dict[str, float]] = {}


def drain(path: Path, table: str, threads: int) -> int:
    """Read a whole table, each batch dropped as it is read; the number of rows."""
    rows = 0
    with gotrace.open(path).reader(table, threads=threads) as reader:
        for batch in reader:
            rows += batch.num_rows
            del batch
    return rows


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("table", ["events", "goroutine_transitions", "ranges"])
@pytest.mark.parametrize("workload", WORKLOADS)
def test_against_bare_read_event(benchmark: Any, workload: str, table: str, threads: int) -> None:
    path = trace(workload)
    go: list[float] = []

    def peer() -> None:
        go.extend(peers.count_events(path)[1])

    peer()  # the page cache is warm for both
    go.clear()
    rows = benchmark.pedantic(
        drain, args=(path, table, threads), setup=peer, rounds=ROUNDS, warmup_rounds=1, iterations=1
    )
    events, _ = peers.count_events(path)
    ours = benchmark.stats.stats.median
    ratio = statistics.median(go) / ours
    benchmark.extra_info.update(
        events=events,
        million_events_per_second=round(events / ours / 1e6, 1),
        ratio=round(ratio, 2),
    )
    RATIOS.setdefault((table, threads), {})[workload] = ratio
    assert table != "events" or rows == events


def test_geometric_means() -> None:
    """Say what the runs above come to; at least 5 is what the first release promises."""
    for (table, threads), ratios in RATIOS.items():
        mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios.values()))
        each = ", ".join(f"{workload} {ratio:.2f}" for workload, ratio in ratios.items())
        print(f"\n{table}, {threads} threads: {mean:.2f} times Go's bare ReadEvent loop ({each})")
