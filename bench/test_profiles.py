"""How fast are profiles, held against google/pprof's own package on the same files?

The peer runs once before every round of ours; what counts is the ratio of the medians. Tables are
those of the message itself; the keys of stacks and label sets, which Go does not have, are timed
apart. A merge is timed of decoded profiles, as Go's is, and from the bytes of the files on.

    pytest bench/test_profiles.py --benchmark-enable -s
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from isal import igzip

import gotrace
from bench import profiles
from gotrace.analyses.merge import Merger
from gotrace.analyses.profile_columns import ProfileColumns, each_profile
from tests.golab import peers
from tests.golab.toolchain import require

ROUNDS = 5
TABLES = ("profiles", "samples", "label_sets", "locations", "functions", "mappings")
PEERS = {
    "parse": "profile.Parse",
    "merge": "profile.Merge",
    "read-merge": "profile.Parse and profile.Merge",
}
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
    print(f"\n{benchmark.name}: {ratio:.1f} times {PEERS[command]}")
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


@pytest.mark.parametrize("count", [16, 200])
@pytest.mark.parametrize("command", ["merge", "read-merge"])
def test_merge(benchmark: Any, command: str, count: int) -> None:
    """To function level, the result built, as it is written."""
    paths = profiles.heaps(count)
    decoded = [list(each_profile(gotrace.open(path))) for path in paths]

    def merged(profiles: Iterable[list[ProfileColumns]]) -> int:
        merger = Merger("function")
        for of_file in profiles:
            for profile in of_file:
                merger.add(profile)
        return len(merger.result().labels)

    def ours() -> int:
        if command == "merge":
            return merged(decoded)
        return merged(list(each_profile(gotrace.open(path))) for path in paths)

    against(benchmark, ours, command, *paths)


def test_top_of_a_million_samples(benchmark: Any) -> None:
    """The commands as people run them, each in a process of its own."""
    path, go, theirs = profiles.million(), require().go_command, list[float]()

    def run(*command: str | Path) -> float:
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start

    def peer() -> None:
        theirs.append(run(go, "tool", "pprof", "-top", path))

    gotrace_command = (sys.executable, "-m", "gotrace", "top", path)
    benchmark.pedantic(run, gotrace_command, setup=peer, rounds=3, iterations=1)
    ratio = statistics.median(theirs) / benchmark.stats.stats.median
    benchmark.extra_info.update(ratio=round(ratio, 2))
    print(f"\n{benchmark.name}: {ratio:.1f} times go tool pprof -top")


PEAK = """
import sys
from gotrace.cli import main
main()
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1], file=sys.stderr)
"""
"""What `getrusage` calls the most memory is at least what the parent had when it forked."""


def test_memory_of_a_merge(tmp_path: Path) -> None:
    """Peak memory of 500, 1,000 and 5,000 profiles that have the same stacks, in MiB."""
    paths = profiles.heaps(200)
    for count in (500, 1000, 5000):
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            os.link(paths[number % len(paths)], folder / f"{number:04}.pb.gz")
        command = [sys.executable, "-c", PEAK, "merge", str(folder), "--level", "function"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peak = int(done.stderr.split()[-1]) // 1024
        print(f"merge of {count} profiles: {peak} MiB at most; {done.stdout.splitlines()[0]}")
