"""`gotrace.gc`: pauses, assists and heap against the tables they are made of."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

import gotrace
from gotrace.analyses.gc import RESULTS, look
from gotrace.analyses.heap import Heap
from tests.core.decoding import real

TRACES = ("gc-go1.22", "gc-go1.27", "gc-stress-go1.25", "annotations-generations-go1.25")
SCHEMAS = {
    "cycles": "gc_cycles",
    "pauses": "gc_pauses",
    "assists": "gc_assists",
    "heap": "gc_heap",
    "utilization": "mutator_utilization",
    "mmu": "mmu",
}


@pytest.fixture(params=TRACES)
def trace(request: pytest.FixtureRequest) -> gotrace.Trace:
    opened = gotrace.open(real(request.param))
    assert isinstance(opened, gotrace.Trace)
    return opened


def ranges(trace: gotrace.Trace, name: str) -> list[dict[str, Any]]:
    return [row for row in trace.table("ranges").to_pylist() if row["class"] == name]


@pytest.mark.parametrize("name", ["gc-go1.27", "coro-go1.23", "restart-go1.27"])
@pytest.mark.parametrize("what", RESULTS)
def test_each_is_a_table_of_its_schema(name: str, what: str) -> None:
    table = gotrace.gc(gotrace.open(real(name)), what)
    assert table.schema.equals(gotrace.schema(SCHEMAS[what]))
    table.validate(full=True)


def test_pauses(trace: gotrace.Trace) -> None:
    lengths: defaultdict[str, list[int]] = defaultdict(list)
    for stop in ranges(trace, "stw"):
        lengths[stop["name"]].append(stop["duration_ns"])
    pauses = gotrace.gc(trace, "pauses").to_pylist()
    assert {row["name"] for row in pauses} == set(lengths)
    for row in pauses:
        mine = sorted(lengths[row["name"]])
        assert (row["count"], row["total_ns"], row["max_ns"]) == (len(mine), sum(mine), mine[-1])
        for percent in (50, 90, 99):
            rank = -(-len(mine) * percent // 100)
            assert row[f"p{percent}_ns"] == mine[rank - 1]
        assert row["is_gc"] == row["name"].startswith("stop-the-world (GC ")
        assert any(
            stop["start_ns"] == row["max_start_ns"] and stop["duration_ns"] == row["max_ns"]
            for stop in ranges(trace, "stw")
        )
    totals = [row["total_ns"] for row in pauses]
    assert totals == sorted(totals, reverse=True)


def test_assists(trace: gotrace.Trace) -> None:
    all_ = ranges(trace, "assist")
    rows = gotrace.gc(trace, "assists").to_pylist()
    assert sum(row["assists"] for row in rows) == len(all_)
    assert sum(row["assist_ns"] for row in rows) == sum(each["duration_ns"] for each in all_)
    assert max(row["max_ns"] for row in rows) == max(each["duration_ns"] for each in all_)
    stacks = {stack["stack_id"]: stack for stack in trace.table("stacks").to_pylist()}
    for row in rows:
        mine = [
            each
            for each in all_
            if stacks.get(each["stack_id"], {"root": None})["root"] == row["name"]
        ]
        assert row["goroutines"] <= len({each["goroutine"] for each in mine})
        longest = [
            each
            for each in mine
            if each["start_ns"] == row["max_start_ns"] and each["duration_ns"] == row["max_ns"]
        ]
        assert row["max_goroutine"] in [each["goroutine"] for each in longest]


def test_heap(trace: gotrace.Trace) -> None:
    metrics = trace.table("metrics").to_pylist()
    heap = [m for m in metrics if m["name"] == "/memory/classes/heap/objects:bytes"]
    goals = [m for m in metrics if m["name"] == "/gc/heap/goal:bytes"]
    rows = gotrace.gc(trace, "heap").to_pylist()
    assert 0 < len(rows) <= 100
    seen = 0
    for row in rows:
        mine = [m["value"] for m in heap if row["start_ns"] <= m["time_ns"] < row["end_ns"]]
        seen += len(mine)
        assert (row["heap_min_bytes"], row["heap_max_bytes"]) == (min(mine), max(mine))
        assert row["heap_last_bytes"] == mine[-1]
        before = [m["value"] for m in goals if m["time_ns"] < row["end_ns"]]
        assert row["goal_bytes"] == (before[-1] if before else None)
    assert seen == len(heap)


def test_windows_get_wider() -> None:
    """However the metrics are cut into batches, and however many windows there are."""
    metrics = gotrace.open(real("gc-go1.27")).table("metrics")
    names = ("time_ns", "name", "value")
    whole, pieces = Heap(None, None), Heap(None, None)
    for batch in metrics.select(names).combine_chunks().to_batches():
        whole.add(batch)
    for batch in metrics.select(names).to_batches(max_chunksize=7):
        pieces.add(batch)
    for most in (100, 10, 3):
        assert pieces.table(most).equals(whole.table(most))
        assert whole.table(most).num_rows <= most
        widths = np.asarray(whole.table(most)["end_ns"]) - np.asarray(whole.table(most)["start_ns"])
        assert len(set(widths.tolist())) == 1


def test_a_stretch_of_time(trace: gotrace.Trace) -> None:
    whole = look(trace)
    middle = (whole.span.start_ns + whole.span.end_ns) // 2
    parts = look(trace, end=middle), look(trace, start=middle)
    for what, column in (("pauses", "total_ns"), ("assists", "assist_ns")):
        sums = [sum(getattr(part, what)[column].to_pylist()) for part in (whole, *parts)]
        assert sums[0] == sums[1] + sums[2]
    numbers = [part.cycles["cycle"].to_pylist() for part in parts]
    assert sorted({*numbers[0], *numbers[1]}) == whole.cycles["cycle"].to_pylist()
    assert parts[0].span.end_ns == parts[1].span.start_ns == middle


def test_tables_in_memory_do_too(trace: gotrace.Trace) -> None:
    needed = ("stacks", "ranges", "metrics", "gc_work", "gc_cycles", "syncs", "generations")
    tables = {name: trace.table(name) for name in needed}
    for what in RESULTS:
        assert gotrace.gc(tables, what).equals(gotrace.gc(trace, what))


def test_gos_numbers() -> None:
    trace = gotrace.open(real("gc-go1.27"))
    ours, go = gotrace.gc(trace, "mmu"), gotrace.gc(trace, "mmu", compat="go")
    assert ours["utilization"][-1].as_py() > go["utilization"][-1].as_py()


def test_no_such_answer() -> None:
    with pytest.raises(gotrace.UnknownNameError, match="did you mean 'pauses'"):
        gotrace.gc({}, "pause")
