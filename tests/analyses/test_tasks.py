"""Tasks and regions by type, and the critical path of a task."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

import gotrace
from gotrace.analyses.critical_path import path_of, split_of, split_of_paths
from gotrace.analyses.task_story import task_story
from gotrace.analyses.tasks import region_groups, task_groups
from gotrace.tables.trace import Trace
from tests.analyses.tables import made

REAL = Path(__file__).parents[1] / "data" / "real"
TRACES = ("annotations-go1.22", "annotations-go1.27", "annotations-generations-go1.25")


@pytest.fixture(scope="module", params=TRACES)
def trace(request: pytest.FixtureRequest) -> Trace:
    opened = gotrace.open(REAL / f"{request.param}.trace.zst")
    assert isinstance(opened, Trace)
    return opened


def test_task_groups_hold_every_task(trace: Trace) -> None:
    tasks, groups = trace.table("tasks").to_pylist(), gotrace.tasks(trace)
    assert groups.schema.equals(gotrace.schema("task_groups"))
    for row in groups.to_pylist():
        own = [task for task in tasks if task["name"] == row["name"]]
        lasted = sorted(task["duration_ns"] for task in own if task["complete"])
        assert (row["count"], row["complete"]) == (len(own), len(lasted))
        assert row["total_ns"] == sum(lasted)
        assert row["max_ns"] == (lasted[-1] if lasted else None)
        assert row["p50_ns"] == (lasted[math.ceil(len(lasted) / 2) - 1] if lasted else None)
        assert sum(each["count"] for each in row["histogram"]) == len(lasted)
    assert sum(groups["count"].to_pylist()) == len(tasks)


def test_region_groups_hold_every_region(trace: Trace) -> None:
    regions, groups = trace.table("regions").to_pylist(), gotrace.regions(trace)
    assert groups.schema.equals(gotrace.schema("region_groups"))
    for row in groups.to_pylist():
        own = [region for region in regions if region["name"] == row["name"]]
        assert row["count"] == len(own)
        for column in ("duration_ns", "exec_ns", "sched_ns", "block_ns", "total_ns"):
            assert row[column] == sum(region[column] for region in own)
        assert sum(part["ns"] for part in row["block"]) == row["block_ns"]


def test_bins_are_those_of_go_tool_trace() -> None:
    durations = (0, 1, 2, 1584, 1585, 10**9)  # a second is just below its bin, as in Go
    rows = [{"name": "a", "duration_ns": ns, "complete": True} for ns in durations]
    histogram = gotrace.tasks(made(tasks=rows))["histogram"].to_pylist()[0]
    assert [each["count"] for each in histogram] == [2, 1, 1, 1, 1]
    assert [each["from_ns"] for each in histogram] == [1, 1, 1000, 1584, 630957344]


def test_the_slowest_come_first_and_names_choose(trace: Trace) -> None:
    _, slowest, _ = task_groups(trace, slowest=4)
    every = sorted(-row["duration_ns"] for row in trace.table("tasks").to_pylist())[:4]
    assert [-row["duration_ns"] for row in slowest.to_pylist()] == every
    groups, slowest, _ = region_groups(trace, name="part", slowest=99)
    names = {
        row["name"] for row in trace.table("regions").to_pylist() if "part" in (row["name"] or "")
    }
    assert {*groups["name"].to_pylist()} == names
    assert slowest.num_rows == sum(groups["count"].to_pylist())


def test_the_critical_path_tiles_every_task(trace: Trace) -> None:
    tasks = [row for row in trace.table("tasks").to_pylist() if row["end_goroutine"]][:9]
    assert len(tasks) > 5
    for task in tasks:
        who, start, end = task["end_goroutine"], task["start_ns"], task["end_ns"]
        path = gotrace.critical_path(trace, who, start, end)
        assert path.schema.equals(gotrace.schema("critical_path"))
        rows = path.to_pylist()
        assert (rows[0]["start_ns"], rows[-1]["end_ns"]) == (start, end)
        assert all(a["end_ns"] == b["start_ns"] for a, b in pairwise(rows))
        assert sum(row["duration_ns"] for row in rows) == end - start
        assert rows[-1]["goroutine"] == who


def test_the_critical_path_tiles_every_life(trace: Trace) -> None:
    states, begin = trace.table("goroutine_states"), trace.clock().start_ns
    for life in trace.table("goroutines").to_pylist():
        start = begin if life["open_start"] else life["created_at_ns"]
        if life["total_ns"]:
            path = path_of(states, life["goroutine"], start, start + life["total_ns"])
            assert sum(path["duration_ns"].to_pylist()) == life["total_ns"]


def test_splits_of_many_paths_are_those_of_each(trace: Trace) -> None:
    tasks = [row for row in trace.table("tasks").to_pylist() if row["end_goroutine"]][:6]
    ends = [(row["end_goroutine"], row["start_ns"], row["end_ns"]) for row in tasks]
    each = [split_of(gotrace.critical_path(trace, *end)) for end in ends]
    assert split_of_paths(trace, [*ends, (None, *ends[0][1:])]) == [*each, {}]


def test_a_goroutine_without_a_part_in_the_time(trace: Trace) -> None:
    start = trace.clock().start_ns
    with pytest.raises(gotrace.UnknownNameError, match="987654321"):
        gotrace.critical_path(trace, 987654321, start, start + 1000)


def test_the_story_of_a_task() -> None:
    trace = gotrace.open(REAL / "annotations-go1.27.trace.zst")
    tasks = trace.table("tasks").to_pylist()
    request = next(row for row in tasks if row["name"] == "request")
    told = task_story(trace, request["task"])
    assert told.row == request
    assert {row["name"] for row in told.children} == {"part 0", "part 1", "part 2"}
    begins = [row for row in told.happenings if row["text"].endswith(": begin")]
    assert len(begins) == request["regions"]
    assert told.path["duration_ns"].to_pylist()
    assert [row["time_ns"] for row in told.happenings] == sorted(
        row["time_ns"] for row in told.happenings
    )
    assert task_story(trace, 10**9).row is None
