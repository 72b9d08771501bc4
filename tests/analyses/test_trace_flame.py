"""Flames of traces: their totals are those of the tables, whatever part is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gotrace
from gotrace.analyses.flame import flame_of
from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.analyses.trace_flame import trace_profile
from gotrace.tables.trace import Trace
from tests.analyses.tables import made

REAL = Path(__file__).parents[1] / "data" / "real"
TRACES = (
    "blocking-go1.27",
    "cpuprofile-generations-go1.27",
    "cgo-go1.26",
    "gc-go1.25",
    "annotations-generations-go1.23",
)


@pytest.fixture(scope="module", params=TRACES)
def trace(request: pytest.FixtureRequest) -> Trace:
    opened = gotrace.open(REAL / f"{request.param}.trace.zst")
    assert isinstance(opened, Trace)
    return opened


def total(profile: ProfileColumns, column: int = 1) -> int:
    return int(profile.values[:, column].sum())


def lasted(trace: Trace, *wanted: str) -> int:
    states = trace.table("goroutine_states").to_pylist()
    return sum(row["duration_ns"] for row in states if row["state"] in wanted)


def test_wall_is_the_sum_of_all_lifetimes(trace: Trace) -> None:
    lifetimes = sum(trace.table("goroutines")["total_ns"].to_pylist())
    assert total(trace_profile(trace, "wall")) == lifetimes


def test_offcpu_and_running_are_wall(trace: Trace) -> None:
    wall, offcpu = (total(trace_profile(trace, by)) for by in ("wall", "offcpu"))
    assert wall == offcpu + lasted(trace, "running")


@pytest.mark.parametrize(
    ("by", "state"), [("sched", "runnable"), ("syscall", "syscall"), ("offcpu", "waiting")]
)
def test_views_of_states(trace: Trace, by: str, state: str) -> None:
    profile = trace_profile(trace, by)
    if by == "offcpu":
        assert total(profile) == lasted(trace, "waiting", "runnable", "syscall")
    else:
        assert total(profile) == lasted(trace, state)


def test_wakeup_is_every_wait_that_somebody_ended(trace: Trace) -> None:
    states = trace.table("goroutine_states").to_pylist()
    ended = [row for row in states if row["state"] == "waiting" and row["by_kind"]]
    profile = trace_profile(trace, "wakeup")
    assert total(profile) == sum(row["duration_ns"] for row in ended)
    assert total(profile, 0) == sum(row["duration_ns"] > 0 for row in ended)


def test_a_waker_stands_on_its_head_below_the_wait() -> None:
    tables = hand_made([])
    states = tables["goroutine_states"].to_pylist()
    states[1] |= {"by_kind": "unblock", "by_goroutine": 8, "by_stack_id": 3}
    tables |= made(goroutine_states=states)
    assert own_times(tables, "wakeup") == {"/main.main/main.f2/(woken by)/main.f3/main.main": 10}


def test_cpu_counts_the_samples(trace: Trace) -> None:
    samples = trace.table("cpu_samples").num_rows
    profile = trace_profile(trace, "cpu")
    assert total(profile, 0) == samples
    assert total(profile) == samples * 10_000_000


def test_parts_of_time_add_up(trace: Trace) -> None:
    begin = trace.clock().start_ns
    end = max(trace.table("syncs")["time_ns"].to_pylist())
    middle = (begin + end) // 2
    parts = [
        trace_profile(trace, "wall", start=begin, end=middle),
        trace_profile(trace, "wall", start=middle),
    ]
    assert sum(map(total, parts)) == total(trace_profile(trace, "wall"))


def test_groups_add_up(trace: Trace) -> None:
    names = {name or "" for name in trace.table("goroutines")["name"].to_pylist()}
    parts = [total(trace_profile(trace, "wall", group=name)) for name in sorted(names - {""})]
    unnamed = [row for row in trace.table("goroutines").to_pylist() if row["name"] is None]
    assert sum(parts) >= total(trace_profile(trace, "wall")) - sum(r["total_ns"] for r in unnamed)


def test_creators_stand_above_and_change_no_total() -> None:
    trace = gotrace.open(REAL / "blocking-go1.27.trace.zst")
    plain, joined = (trace_profile(trace, "wall", creators=on) for on in (False, True))
    assert total(plain) == total(joined)
    flame = flame_of(joined, "wall").to_pylist()
    above = {row["node"]: row for row in flame}
    child = next(row for row in flame if row["name"] == "main.blockForEver.func1")
    maker = above[child["parent"]]
    assert (maker["name"], above[maker["parent"]]["name"]) == ("main.blockForEver", "main.main")


def test_a_region_holds_its_own_time() -> None:
    trace = gotrace.open(REAL / "annotations-go1.27.trace.zst")
    regions = [row for row in trace.table("regions").to_pylist() if row["depth"] == 0]
    for name in {row["name"] for row in regions} - {None}:
        lengths = [
            r["duration_ns"] for r in trace.table("regions").to_pylist() if r["name"] == name
        ]
        found = total(trace_profile(trace, "wall", region=name))
        assert 0 < found <= sum(lengths)
    assert total(trace_profile(trace, "wall", region="no such region")) == 0


def test_a_task_is_its_regions_or_its_makers_time() -> None:
    trace = gotrace.open(REAL / "annotations-go1.27.trace.zst")
    tasks = {row["task"]: row for row in trace.table("tasks").to_pylist()}
    task = next(row for row in tasks.values() if row["by_goroutine"] and not row["regions"])
    found = total(trace_profile(trace, "wall", task=task["task"]))
    assert found == task["duration_ns"]


def test_flame_takes_every_part_of_a_trace() -> None:
    trace = gotrace.open(REAL / "annotations-go1.27.trace.zst")
    parts = {
        "start": "+1ms",
        "group": "main.",
        "region": "work",
        "at_least_ns": 1000,
        "at_most_ns": 10**9,
        "creators": True,
    }
    for name, part in parts.items():
        expected = total(trace_profile(trace, "wall", **{name: part}))
        assert gotrace.flame(trace, "wall", **{name: part})["total"][0].as_py() == expected > 0


STATES = (
    ("running", 0, 10, None, 2),
    ("waiting", 10, 20, 2, None),
    ("runnable", 20, 25, None, None),
    ("running", 25, 31, None, None),
)


def hand_made(samples: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [
        {
            "goroutine": 7,
            "start_ns": start,
            "end_ns": end,
            "state": state,
            "stack_id": own,
            "end_stack_id": behind,
            "wait": "select" if state == "waiting" else None,
        }
        for state, start, end, own, behind in STATES
    ]
    stacks = [{"stack_id": n, "frame_ids": [10 + n, 1]} for n in (2, 3, 4)]
    frames = [{"frame_id": 1, "function": "main.main"}]
    frames += [{"frame_id": 10 + n, "function": f"main.f{n}"} for n in (2, 3, 4)]
    return made(stacks=stacks, frames=frames, goroutine_states=rows, cpu_samples=samples)


def own_times(tables: dict[str, Any], by: str = "wall") -> dict[str, int]:
    rows = flame_of(trace_profile(tables, by), by).to_pylist()
    paths: dict[int, str] = {}
    for row in rows:
        above = paths.get(row["parent"], "")
        paths[row["node"]] = f"{above}/{row['name']}" if row["name"] else ""
    return {paths[row["node"]]: row["self"] for row in rows if row["self"]}


def test_running_has_the_stack_that_it_ended_with_or_the_last_one() -> None:
    assert own_times(hand_made([])) == {
        "/main.main/main.f2/(running)": 16,
        "/main.main/main.f2/(select)": 10,
        "/main.main/main.f2/(ready)": 5,
    }


def test_cpu_samples_share_the_run_that_they_are_in() -> None:
    samples = [
        {"goroutine": 7, "time_ns": time, "stack_id": stack}
        for time, stack in ((1, 3), (5, 4), (9, 4), (12, 3), (31, 3))
    ]
    assert own_times(hand_made(samples)) == {
        "/main.main/main.f3/(running)": 4,  # a third of the run, and what is left over
        "/main.main/main.f4/(running)": 6,
        "/main.main/main.f2/(running)": 6,  # a run without a sample
        "/main.main/main.f2/(select)": 10,
        "/main.main/main.f2/(ready)": 5,
    }


def test_a_view_that_is_none() -> None:
    with pytest.raises(gotrace.UnknownNameError, match="wall, cpu"):
        trace_profile(hand_made([]), "walls")


def test_labels_say_the_state() -> None:
    profile = trace_profile(hand_made([]), "wall")
    labels = [profile.label_sets[number][0].text for number in profile.labels]
    assert dict(zip(labels, profile.values[:, 1].tolist(), strict=True)) == {
        "running": 16,
        "select": 10,
        "ready": 5,
    }
    assert np.all(profile.values[:, 0] >= 1)
