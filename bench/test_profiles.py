"""How fast are profiles, held against google/pprof's own package on the same files?

The peer runs once before every round of ours; what counts is the ratio of the medians. Tables are
those of the message itself; the keys of stacks and label sets, which Go does not have, are timed
apart.

    pytest bench/test_profiles.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from isal import igzip

import gotrace
from bench import profiles
from tests.golab import peers

ROUNDS = 5
TABLES = ("profiles", "samples", "label_sets", "locations", "functions", "mappings")
KEYS = ("stack_id", "label_set_id", "frame_id")
"""Columns that are hashes of content."""


def drain(path: Path, *, keys: bool) -> int:
    """Read the tables of a profile, each batch dropped as it is read; the number of samples."""
    columns = {
        table: [name for name in gotrace.schema(table).names if keys or name not in KEYS]
        for table in TABLES
        if keys or table != "label_sets"
    }
    samples = 0
    for name, batch in gotrace.open(path).scan(list(columns), columns=columns):
        samples += batch.num_rows if name == "samples" else 0
    return samples


def against(
    benchmark: Any, ours: Callable[[], int], command: str, *paths: Path, rounds: int = ROUNDS
) -> float:
    """Time ours and Go's alternating; the ratio of the medians."""
    go: list[float] = []
    samples: set[int] = set()

    def peer() -> None:
        count, seconds = peers.profile_peer(command, *paths, repeat=2).split()[-2:]
        samples.add(int(count))
        go.append(float(seconds))

    benchmark.pedantic(ours, setup=peer, rounds=rounds, warmup_rounds=1, iterations=1)
    ratio = statistics.median(go) / benchmark.stats.stats.median
    benchmark.extra_info.update(go_ms=round(statistics.median(go) * 1e3, 1), ratio=round(ratio, 2))
    print(f"\n{benchmark.name}: {ratio:.1f} times profile.{command.title()}")
    return ratio


@pytest.mark.parametrize("keys", [False, True], ids=["message", "keys"])
@pytest.mark.parametrize("container", ["plain", "gzip"])
@pytest.mark.parametrize("kind", profiles.KINDS)
def test_parse(benchmark: Any, kind: str, container: str, keys: bool) -> None:
    packed = profiles.profile(kind)
    path = packed if container == "gzip" else profiles.plain(packed)
    against(benchmark, lambda: drain(path, keys=keys), "parse", path)
    if container == "gzip" and not keys:
        content, inflate = packed.read_bytes(), []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            igzip.decompress(content)
            inflate.append(time.perf_counter() - start)
        times = benchmark.stats.stats.median / statistics.median(inflate)
        benchmark.extra_info.update(times_inflate=round(times, 2))
        print(f"{times:.2f} times the inflate alone")
