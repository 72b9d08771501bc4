"""Does an analysis take longer than decoding the tables that it reads?

Processor time of both, alternating, on one thread's decoder: medians. What an analysis reads is
noted while it runs, and then read once more without it. `SHARES` says where it takes longer still.

    pytest bench/test_analyses.py --benchmark-enable -s
    GOTRACE_BENCH_ROUNDS=1 pytest bench/test_analyses.py --benchmark-enable -s -k "sched and mixed"
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import gotrace
from bench.traces import WORKLOADS, trace
from gotrace.analyses import (
    blocking,
    critical_path,
    delays,
    gc,
    goroutines,
    sched,
    tasks,
    trace_flame,
    utilization,
)

ROUNDS = int(os.environ.get("GOTRACE_BENCH_ROUNDS", "5"))

ANALYSES: dict[str, Callable[[Any], Any]] = {
    "blocking": blocking.blocking,
    "delays": lambda source: delays.delays(source, "sched"),
    "gc": gc.look,
    "goroutines": goroutines.goroutines,
    "goroutines-stretch": lambda source: goroutines.goroutines(source, start="+1s", end="+3s"),
    "sched": sched.sched,
    "tasks": tasks.tasks,
    "regions": tasks.regions,
    "utilization": utilization.mutator_utilization,
    "critical-path": lambda source: critical_path.critical_path(source, 1, "+1s", "+2s"),
    "wall": lambda source: trace_flame.trace_profile(source, "wall"),
    "wakeup": lambda source: trace_flame.trace_profile(source, "wakeup"),
}


#: What is not there yet: `sched` looks at three tables row by row, a stretch of goroutines finds
#: lives by the million in a hash, a critical path sorts what it holds, flames match stacks.
SHARES = {
    "sched": 2.2,
    "goroutines": 1.3,
    "goroutines-stretch": 4.0,
    "critical-path": 4.0,
    "blocking": 1.3,
    "wall": 2.0,
    "wakeup": 1.2,
}


class OneThread:
    """A trace whose passes start no thread, so that processor time is what it costs.

    Attributes:
        scans: the passes that there were.
    """

    def __init__(self, opened: gotrace.Trace) -> None:
        self._opened = opened
        self.scans: list[tuple[Any, dict[str, Any]]] = []

    def scan(self, names: Any, **choices: Any) -> Iterator[Any]:
        self.scans.append((names, choices))
        return self._opened.scan(names, threads=1, **choices)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("name", ANALYSES)
def test_no_longer_than_decoding(benchmark: Any, name: str, workload: str) -> None:
    opened = gotrace.open(trace(workload))
    assert isinstance(opened, gotrace.Trace)
    source = OneThread(opened)
    decoding: list[float] = []
    whole: list[float] = []

    def both() -> None:
        source.scans.clear()
        began = time.process_time()
        ANALYSES[name](source)
        ended = time.process_time()
        for names, choices in source.scans:
            for _ in opened.scan(names, threads=1, **choices):
                pass
        whole.append(ended - began)
        decoding.append(time.process_time() - ended)

    benchmark.pedantic(both, rounds=ROUNDS, warmup_rounds=1, iterations=1)
    own = statistics.median(whole[-ROUNDS:]) - statistics.median(decoding[-ROUNDS:])
    share = own / statistics.median(decoding[-ROUNDS:])
    benchmark.extra_info.update(share_of_decoding=round(share, 2))
    seconds = statistics.median(whole[-ROUNDS:])
    print(f"\n{workload}: {name} takes {seconds:.2f} s, {share:.2f} of decoding what it reads")
    assert share <= SHARES.get(name, 1)
