"""Does an analysis take longer than decoding the tables that it reads?

Processor time of both, alternating, on one thread's decoder: medians of five.

    pytest bench/test_analyses.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

import gotrace
from bench.traces import WORKLOADS, trace
from gotrace.analyses import delays, gc

ROUNDS = 5

ANALYSES: dict[str, tuple[Callable[[Any], Any], Mapping[str, Sequence[str]]]] = {
    "gc": (gc.look, gc.COLUMNS),
    "delays": (lambda source: delays.delays(source, "sched"), {"events": delays.COLUMNS}),
}


class OneThread:
    """A trace whose passes start no thread, so that processor time is what it costs."""

    def __init__(self, opened: gotrace.Trace) -> None:
        self._opened = opened

    def scan(self, names: Any, **choices: Any) -> Any:
        return self._opened.scan(names, threads=1, **choices)

    def clock(self) -> Any:
        return self._opened.clock()


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("name", ANALYSES)
def test_no_longer_than_decoding(benchmark: Any, name: str, workload: str) -> None:
    opened = gotrace.open(trace(workload))
    assert isinstance(opened, gotrace.Trace)
    source = OneThread(opened)
    analysis, columns = ANALYSES[name]
    decoding: list[float] = []
    whole: list[float] = []

    def decode() -> None:
        began = time.process_time()
        for _ in source.scan(list(columns), columns=columns):
            pass
        decoding.append(time.process_time() - began)

    def run() -> None:
        began = time.process_time()
        analysis(source)
        whole.append(time.process_time() - began)

    benchmark.pedantic(run, setup=decode, rounds=ROUNDS, warmup_rounds=1, iterations=1)
    own = statistics.median(whole[1:]) - statistics.median(decoding[1:])
    share = own / statistics.median(decoding[1:])
    benchmark.extra_info.update(share_of_decoding=round(share, 2))
    print(f"\n{workload}: {name} takes {share:.2f} of the time of decoding what it reads")
    assert share <= 1
