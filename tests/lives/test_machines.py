"""Procs and threads: their states tile the trace, and they run what the goroutines say they do."""

from __future__ import annotations

import io
import itertools
from collections import defaultdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gotrace.spec.words import METRIC_GOMAXPROCS
from gotrace.testing import GoStatus, ProcStatus, TraceWriter
from tests.core.decoding import decode

Row = dict[str, Any]


def by_id(table: pa.Table, key: str) -> dict[int, list[Row]]:
    rows = defaultdict(list)
    for row in table.sort_by("start_ns").to_pylist():
        rows[row[key]].append(row)
    return rows


def time_in(rows: list[Row], state: str, *, with_goroutine: bool | None = None) -> int:
    return sum(
        row["duration_ns"]
        for row in rows
        if row["state"] == state
        and (with_goroutine is None or (row["goroutine"] is not None) == with_goroutine)
    )


@pytest.mark.parametrize("key", ["proc", "thread"])
def test_states_tile_and_add_up(tables: dict[str, pa.Table], key: str) -> None:
    states = by_id(tables[f"{key}_states"], key)
    rows = tables[f"{key}s"].to_pylist()
    assert sorted(states) == sorted(row[key] for row in rows)
    for row in rows:
        own = states[row[key]]
        assert (own[0]["start_seq"], own[-1]["end_seq"]) == (row["start_seq"], row["end_seq"])
        for before, after in itertools.pairwise(own):
            assert (before["end_ns"], before["end_seq"]) == (after["start_ns"], after["start_seq"])
            assert not before["open_end"]
            assert not after["open_start"]
            other = "thread" if key == "proc" else "proc"
            assert any(before[each] != after[each] for each in ("state", "goroutine", other))
        assert own[-1]["open_end"]
        assert row["duration_ns"] == sum(each["duration_ns"] for each in own)
        assert row["running_ns"] == time_in(own, "running", with_goroutine=True)
        assert row["scheduler_ns"] == time_in(own, "running", with_goroutine=False)
        assert row["syscall_ns"] == time_in(own, "syscall")
        assert row["idle_ns"] == time_in(own, "idle")
        times = ("running_ns", "scheduler_ns", "syscall_ns", "idle_ns")
        assert sum(row[each] for each in times) == row["duration_ns"]


def test_the_time_of_a_proc_adds_up_to_the_trace(tables: dict[str, pa.Table]) -> None:
    """From the sync before the first event to the last sync."""
    times = {row["seq"]: row["time_ns"] for row in tables["syncs"].to_pylist()}
    changes = tables["goroutine_transitions"]["seq"].to_pylist()
    old = tables["procs"].filter(pc.field("open_start")).to_pylist()
    for row in old:
        assert row["start_seq"] == old[0]["start_seq"] <= min(changes, default=row["start_seq"])
        assert row["start_ns"] == times[row["start_seq"]]
        assert row["duration_ns"] == max(times.values()) - row["start_ns"]


@pytest.mark.parametrize("key", ["proc", "thread"])
def test_goroutines_run_where_they_say(tables: dict[str, pa.Table], key: str) -> None:
    running = pc.field("state") == "running"
    columns = ["goroutine", "start_seq", "end_seq", "proc", "thread"]
    states = tables["goroutine_states"].filter(running & pc.field(key).is_valid())
    holds = tables[f"{key}_states"].filter(running & pc.field("goroutine").is_valid())
    assert rows_of(states.select(columns)) == rows_of(holds.select(columns))


def rows_of(table: pa.Table) -> list[Row]:
    return table.sort_by([(name, "ascending") for name in table.column_names]).to_pylist()


def test_no_more_run_than_gomaxprocs(tables: dict[str, pa.Table]) -> None:
    states = tables["goroutine_states"].filter(pc.field("state") == "running").to_pylist()
    steps = [(row["end_seq"], 0, -1) for row in states]
    steps += [(row["start_seq"], 1, 1) for row in states]
    metrics = tables["metrics"].filter(pc.field("name") == METRIC_GOMAXPROCS).to_pylist()
    steps += [(row["seq"], 2, row["value"]) for row in metrics]
    running, most = 0, tables["procs"].num_rows
    for _, what, number in sorted(steps):
        running, most = (running, number) if what == 2 else (running + number, most)
        assert running <= most


def test_open_intervals_follow_by_their_begin(tables: dict[str, pa.Table]) -> None:
    for key in ("proc", "thread"):
        for name in (f"{key}_states", f"{key}s"):
            table = tables[name]
            order = [("end_seq", "ascending"), ("start_seq", "ascending"), (key, "ascending")]
            assert table.equals(table.sort_by(order))


def test_a_thread_that_first_tells_of_another_goroutine() -> None:
    """As recorders that begin midway write it: whom it wakes, then what it holds since before."""
    out = io.BytesIO()
    with TraceWriter(out) as writer:
        writer.thread(1).proc_status(7, ProcStatus.RUNNING)
        thread = writer.thread(2)
        thread.go_status(5, GoStatus.WAITING)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        thread.go_unblock(5)
    trace = decode(out.getvalue(), ("proc_states", "thread_states"))
    for name in ("proc_states", "thread_states"):
        (row,) = [row for row in trace.rows(name) if row["thread"] == 2]
        assert (row["start_seq"], row["open_start"]) == (0, True)
        assert (row["proc"], row["goroutine"], row["state"]) == (0, 1, "running")
