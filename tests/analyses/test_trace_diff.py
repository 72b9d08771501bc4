"""Two traces side by side: what is the same, what changed, and what is only noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import gotrace
from gotrace.analyses.slices import MOST, Slices, rate_and_error
from gotrace.analyses.trace_diff import trace_diff
from tests.analyses.tables import made

REAL = Path(__file__).parents[1] / "data" / "real"
MS = 1_000_000


def turns(seed: int, wait_ms: float, name: str = "main.work") -> dict[str, pa.Table]:
    """One goroutine that runs and waits in turn for a second; lengths vary by a tenth or so."""
    draw = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    time = 0
    while time < 1000 * MS:
        for state, mean in (("running", 1.0), ("waiting", wait_ms), ("runnable", 0.1)):
            lasted = int(mean * MS * draw.uniform(0.8, 1.2))
            following = {"running": "waiting", "waiting": "runnable", "runnable": "running"}
            rows.append(
                {
                    "goroutine": 1,
                    "start_ns": time,
                    "end_ns": time + lasted,
                    "state": state,
                    "wait": "mutex" if state == "waiting" else None,
                    "by_kind": "unblock" if state == "runnable" else None,
                    "stack_id": 3,
                    "end_stack_id": 3,
                    "next_state": following[state],
                }
            )
            time += lasted
    stacks = [{"stack_id": 3, "root": name, "site_function": "main.lock"}]
    syncs = [{"time_ns": 0}, {"time_ns": time}]
    return made(stacks=stacks, goroutine_states=rows, tasks=[], regions=[], syncs=syncs)


def by_metric(table: pa.Table) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(row["kind"], row["name"], row["metric"]): row for row in table.to_pylist()}


def test_a_trace_is_the_same_as_itself() -> None:
    trace = gotrace.open(REAL / "annotations-generations-go1.25.trace.zst")
    table = gotrace.diff(trace, trace)
    assert table.schema.equals(gotrace.schema("trace_diff"))
    assert table.num_rows > 20
    assert not any(table["is_change"].to_pylist())
    assert {row["change"] for row in table.to_pylist()} == {0.0}


def test_other_turns_of_the_same_program_are_noise() -> None:
    wrong = 0
    for seed in range(0, 20, 2):
        table = trace_diff(turns(seed, 3.0), turns(seed + 1, 3.0))
        wrong += sum(table["is_change"].to_pylist())
        assert all(row["noise"] > 0 for row in table.to_pylist() if row["metric"] != "started")
    assert wrong <= 1


def test_a_longer_wait_is_no_noise() -> None:
    rows = by_metric(trace_diff(turns(1, 3.0), turns(2, 3.6)))
    times = rows["blocking", "mutex at main.lock", "times"]
    assert times["is_change"]
    assert times["base"] > times["value"]
    exec_ = rows["group", "main.work", "exec"]
    assert (exec_["is_change"], exec_["unit"]) == (True, "ns/s")
    assert exec_["base"] == pytest.approx(1e9 / 4.1, rel=0.03)
    assert exec_["value"] == pytest.approx(1e9 / 4.7, rel=0.03)
    assert not rows["latency", "unblock", "mean"]["is_change"]
    assert rows["latency", "unblock", "mean"]["value"] == pytest.approx(0.1 * MS, rel=0.05)


def test_what_one_side_lacks_is_null() -> None:
    rows = by_metric(trace_diff(turns(1, 3.0, "main.old"), turns(2, 3.0, "main.new")))
    assert rows["group", "main.old", "exec"]["value"] is None
    assert rows["group", "main.new", "exec"]["base"] is None


def test_traces_of_files_by_a_view_are_flames() -> None:
    trace = gotrace.open(REAL / "blocking-go1.27.trace.zst")
    table = gotrace.diff(trace, trace, "offcpu")
    assert table.schema.equals(gotrace.schema("flame_diff"))
    assert set(table["delta"].to_pylist()) == {0}


def test_slices_are_thirty_two_to_sixty_four() -> None:
    for end_ms in (1, 31, 64, 65, 1000, 77_777):
        slices = Slices(0)
        slices.of(np.array([end_ms * MS - 1]))
        count = len(slices.seconds(end_ms * MS))
        assert count <= MOST
        assert count >= min(end_ms, MOST // 2)
        assert slices.seconds(end_ms * MS).sum() == pytest.approx(end_ms / 1000)


def test_error_of_a_rate_is_that_of_a_mean() -> None:
    """Over slices of equal length it is the standard error of the mean of the slices."""
    amounts = np.random.default_rng(7).normal(100, 10, (3, 40))
    rate, error = rate_and_error(amounts, np.full(40, 0.5))
    assert rate == pytest.approx(amounts.mean(axis=1) / 0.5)
    assert error == pytest.approx(amounts.std(axis=1, ddof=1) / np.sqrt(40) / 0.5)
