"""The scheduler's part in recorded traces, against definitions counted one by one."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import gotrace
from gotrace.analyses.meanwhile import Stretch, meanwhile
from gotrace.analyses.sched import CAUSES, look
from gotrace.tables.trace import Trace

REAL = Path(__file__).parents[1] / "data" / "real"
TRACES = ("blocking-go1.27", "gc-go1.25", "coro-go1.27", "syscalls-go1.22")
TIMES = {"runnable": "runnable", "running": "running", "syscall": "syscall", "waiting": "waiting"}


@pytest.fixture(scope="module", params=TRACES)
def trace(request: pytest.FixtureRequest) -> Trace:
    opened = gotrace.open(REAL / f"{request.param}.trace.zst")
    assert isinstance(opened, Trace)
    return opened


@pytest.fixture(scope="module")
def states(trace: Trace) -> list[dict[str, Any]]:
    return trace.table("goroutine_states").to_pylist()


def waits(states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        row
        for row in states
        if row["state"] == "runnable" and row["next_state"] == "running" and not row["open_start"]
    ]


def test_latency_is_every_wait_for_a_proc(trace: Trace, states: list[dict[str, Any]]) -> None:
    table = gotrace.sched(trace)
    assert table.schema.equals(gotrace.schema("sched_latency"))
    every, *causes = table.to_pylist()
    lasted = sorted(row["duration_ns"] for row in waits(states))
    assert (every["cause"], every["count"]) == ("all", len(lasted))
    assert (every["total_ns"], every["max_ns"]) == (sum(lasted), lasted[-1])
    assert every["p99_ns"] == lasted[math.ceil(0.99 * len(lasted)) - 1]
    assert sum(row["count"] for row in causes) == len(lasted)
    assert {row["cause"] for row in causes} <= {*CAUSES}
    by_kind = Counter(row["by_kind"] for row in waits(states))
    found = {row["cause"]: row["count"] for row in causes}
    for kind in ("unblock", "create", "switch"):
        assert found.get(kind, 0) == by_kind[kind]
    assert sum(each["count"] for each in every["histogram"]) == len(lasted)


def test_windows_hold_all_the_time(trace: Trace, states: list[dict[str, Any]]) -> None:
    windows = gotrace.sched(trace, "windows")
    assert windows.schema.equals(gotrace.schema("sched_windows"))
    rows = windows.to_pylist()
    assert all(a["end_ns"] == b["start_ns"] for a, b in pairwise(rows))
    assert sum(row["count"] for row in rows) == len(waits(states))
    for state, name in TIMES.items():
        lasted = sum(row["duration_ns"] for row in states if row["state"] == state)
        assert sum(row[f"{name}_ns"] for row in rows) == lasted
    procs = max(row["procs"] for row in rows)
    for row in rows:
        assert row["running_ns"] <= (row["end_ns"] - row["start_ns"]) * procs


def test_worst_of_each_window(trace: Trace, states: list[dict[str, Any]]) -> None:
    of = {(row["goroutine"], row["start_ns"], row["end_ns"]) for row in waits(states)}
    for row in gotrace.sched(trace, "windows").to_pylist():
        if not row["count"]:
            assert row["worst_goroutine"] is None
            continue
        start, end = row["worst_start_ns"], row["worst_end_ns"]
        assert (row["worst_goroutine"], start, end) in of
        assert row["start_ns"] <= end < row["end_ns"] or end == row["end_ns"]
        assert end - start == row["latency_max_ns"]


def test_most_that_are_ready_at_one_time(trace: Trace) -> None:
    """Counted by the transitions, those of unknown begin being there from the start."""
    rows = trace.table("goroutine_transitions").to_pylist()
    level = sum(
        row["from_state"] == "undetermined" and row["to_state"] == "runnable" for row in rows
    )
    windows = gotrace.sched(trace, "windows").to_pylist()
    most = [0] * len(windows)
    width, begin = windows[0]["end_ns"] - windows[0]["start_ns"], windows[0]["start_ns"]
    last = -1
    for row in rows:
        at = min((row["time_ns"] - begin) // width, len(windows) - 1)
        for number in range(last + 1, at + 1):
            most[number] = level
        last = max(last, at)
        if row["from_state"] != "undetermined":
            level += (row["to_state"] == "runnable") - (row["from_state"] == "runnable")
        most[at] = max(most[at], level)
    for number in range(last + 1, len(windows)):
        most[number] = level
    assert [row["runnable_max"] for row in windows] == most


def test_bursts_are_wakeups_close_together(trace: Trace) -> None:
    rows = trace.table("goroutine_transitions").to_pylist()
    for burst in gotrace.sched(trace, "bursts").to_pylist():
        woken = [
            row["goroutine"]
            for row in rows
            if burst["start_ns"] <= row["time_ns"] <= burst["end_ns"]
            and row["to_state"] == "runnable"
            and row["from_state"] in ("waiting", "notexist")
            and (row["by_goroutine"], row["by_stack_id"])
            == (burst["by_goroutine"], burst["by_stack_id"])
        ]
        assert (len({*woken}), len(woken)) == (burst["woken"], burst["wakeups"])
        assert burst["end_ns"] - burst["start_ns"] < 1_000_000


def test_procs_are_as_busy_as_goroutines_run(trace: Trace, states: list[dict[str, Any]]) -> None:
    procs = gotrace.sched(trace, "procs")
    assert procs.schema.equals(gotrace.schema("proc_utilization"))
    for row in procs.to_pylist():
        own = [s for s in states if s["state"] == "running" and s["proc"] == row["proc"]]
        assert (row["busy_ns"], row["runs"]) == (sum(s["duration_ns"] for s in own), len(own))
        assert row["utilization"] == row["busy_ns"] / row["total_ns"]
        there = [s for s in trace.table("proc_states").to_pylist() if s["proc"] == row["proc"]]
        parts = (row[f"{name}_ns"] for name in ("busy", "scheduler", "syscall", "idle"))
        assert sum(parts) == sum(s["duration_ns"] for s in there)


def test_a_part_of_the_time(trace: Trace, states: list[dict[str, Any]]) -> None:
    whole = look(trace)
    middle = (whole.span.start_ns + whole.span.end_ns) // 2
    parts = [look(trace, end=middle), look(trace, start=middle)]
    for name in TIMES.values():
        sums = [sum(part.windows[f"{name}_ns"].to_pylist()) for part in parts]
        assert sum(sums) == sum(whole.windows[f"{name}_ns"].to_pylist())


def test_what_ran_meanwhile(trace: Trace, states: list[dict[str, Any]]) -> None:
    longest = sorted(waits(states), key=lambda row: -row["duration_ns"])[:3]
    stretches = [Stretch(row["goroutine"], row["start_ns"], row["end_ns"]) for row in longest]
    for row, stretch, told in zip(longest, stretches, meanwhile(trace, stretches), strict=True):
        ran: Counter[int] = Counter()
        for state in states:
            if state["state"] == "running":
                inside = min(state["end_ns"], stretch.end_ns)
                inside -= max(state["start_ns"], stretch.start_ns)
                ran[state["goroutine"]] += max(inside, 0)
        assert told.ran == +ran
        assert told.by_goroutine == row["by_goroutine"]


def test_an_answer_that_is_none(trace: Trace) -> None:
    with pytest.raises(gotrace.UnknownNameError, match="latency, windows"):
        gotrace.sched(trace, "weather")
