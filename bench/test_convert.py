"""How fast does a trace become Parquet?

The `summary` set is held against Go's reader, which only reads the events; the `all` set against
pyarrow, which writes the same batches from memory with the same encodings and as many threads. That
one takes traces of 4 MB: all of their tables are a hundred times that.

    pytest bench/test_convert.py --benchmark-enable -s
"""

from __future__ import annotations

import shutil
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gotrace
from bench.traces import WORKLOADS, trace
from gotrace.sinks.encodings import encodings, for_rows
from gotrace.sinks.parquet import ROW_GROUP_ROWS
from gotrace.tables.schema import TABLES
from tests.golab import peers

ROUNDS = 5
THREADS = 2
ALL_MEGABYTES = 4


def convert(path: Path, out: Path, tables: str) -> None:
    shutil.rmtree(out, ignore_errors=True)
    gotrace.open(path).to_parquet(out, tables, threads=THREADS)


def write_table(out: Path, table: pa.Table, name: str) -> None:
    options = {**for_rows(encodings(name, table.schema, TABLES[name].order), table)}
    options.update(compression="zstd", compression_level=1)
    with pq.ParquetWriter(out / f"{name}.parquet", table.schema, **options) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)


def by_pyarrow(tables: dict[str, pa.Table], out: Path) -> float:
    """Write tables that are in memory; the seconds that it took."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        longest_first = sorted(tables.items(), key=lambda item: -item[1].nbytes)
        for done in [pool.submit(write_table, out, table, name) for name, table in longest_first]:
            done.result()
    return time.perf_counter() - start


@pytest.mark.parametrize("workload", [*WORKLOADS, "short"])
def test_summary_against_bare_read_event(benchmark: Any, workload: str, tmp_path: Path) -> None:
    path = trace(workload)
    go: list[float] = []
    benchmark.pedantic(
        convert,
        args=(path, tmp_path / "out", "summary"),
        setup=lambda: go.extend(peers.count_events(path)[1]),
        rounds=ROUNDS,
        warmup_rounds=1,
        iterations=1,
    )
    ratio = statistics.median(go[1:]) / benchmark.stats.stats.median
    benchmark.extra_info.update(ratio=round(ratio, 2))
    print(f"\n{workload}: summary as Parquet {ratio:.2f} times as fast as Go reads")


@pytest.mark.parametrize("workload", WORKLOADS)
def test_all_against_pyarrow(benchmark: Any, workload: str, tmp_path: Path) -> None:
    path = trace(workload, ALL_MEGABYTES)
    batches: dict[str, list[pa.RecordBatch]] = {}
    for name, batch in gotrace.open(path).scan("all"):
        batches.setdefault(name, []).append(batch)
    tables = {
        name: pa.Table.from_batches(some).unify_dictionaries() for name, some in batches.items()
    }
    batches.clear()
    peer: list[float] = []
    benchmark.pedantic(
        convert,
        args=(path, tmp_path / "out", "all"),
        setup=lambda: peer.append(by_pyarrow(tables, tmp_path / "peer")),
        rounds=ROUNDS,
        warmup_rounds=1,
        iterations=1,
    )
    ratio = benchmark.stats.stats.median / statistics.median(peer[1:])
    benchmark.extra_info.update(ratio=round(ratio, 2))
    print(f"\n{workload}: all as Parquet in {ratio:.2f} times what pyarrow takes to write it")
