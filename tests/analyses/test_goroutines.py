"""Groups of goroutines: over tables made by hand, and over recorded traces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import gotrace
from gotrace.analyses.goroutines import grouped
from gotrace.analyses.story import story
from tests.analyses.tables import made

REAL = Path(__file__).parents[1] / "data" / "real"
TRACES = ("blocking-go1.27", "gc-go1.25", "cgo-go1.26", "blocking-generations-go1.22")
STATES = {"running": "exec", "runnable": "sched", "syscall": "syscall", "waiting": "block"}


def goroutine(number: int, name: str | None, **row: Any) -> dict[str, Any]:
    facts = {"goroutine": number, "name": name, "last_state": "waiting", "creation_stack_id": 5}
    return facts | row


ROWS = (
    goroutine(1, "a", exec_ns=10, total_ns=30, block_ns=20, block=[{"reason": "x", "ns": 20}]),
    goroutine(2, "a", exec_ns=30, total_ns=37, block_ns=7, ended_at_ns=9, creation_stack_id=None),
    goroutine(3, "b", exec_ns=50, range=[{"name": "GC mark assist", "ns": 4}], is_system=True),
    goroutine(4, None, sched_ns=3),
)


def by_group(table: pa.Table) -> dict[str | None, dict[str, Any]]:
    return {row["group"]: row for row in table.to_pylist()}


def test_sums_shares_and_order() -> None:
    table = gotrace.goroutines(made(stacks=[], goroutines=ROWS))
    assert table.schema.equals(gotrace.schema("goroutine_groups"))
    assert table["group"].to_pylist() == ["b", "a", None]
    groups = by_group(table)
    assert groups["a"] | {"count": 2, "alive": 1, "exec_ns": 40, "total_ns": 67} == groups["a"]
    assert groups["a"]["block"] == [{"reason": "x", "ns": 20}]
    assert [groups["a"][f"exec_{p}_ns"] for p in ("p50", "p90", "max")] == [10, 30, 30]
    assert groups["b"]["assist_ns"] == 4
    assert groups["b"]["range"] == [{"name": "GC mark assist", "ns": 4}]
    assert (groups["b"]["is_system"], groups["a"]["is_system"]) == (True, False)


def test_by_go_statement() -> None:
    stacks = [{"stack_id": 5, "site": "main.start main.go:7"}]
    groups = by_group(gotrace.goroutines(made(stacks=stacks, goroutines=ROWS), "site"))
    assert {name: row["count"] for name, row in groups.items()} == {
        "main.start main.go:7": 3,
        None: 1,
    }


def test_a_grouping_that_is_none() -> None:
    with pytest.raises(gotrace.UnknownNameError, match="name, site"):
        gotrace.goroutines(made(stacks=[], goroutines=ROWS), "color")


def test_no_goroutine_is_an_empty_table() -> None:
    table = gotrace.goroutines(made(stacks=[], goroutines=[]))
    assert table.schema.equals(gotrace.schema("goroutine_groups"))
    assert not table.num_rows


@pytest.mark.parametrize("name", TRACES)
def test_groups_add_up_to_the_goroutines(name: str) -> None:
    trace = gotrace.open(REAL / f"{name}.trace.zst")
    each, groups = trace.table("goroutines"), gotrace.goroutines(trace)
    assert sum(groups["count"].to_pylist()) == each.num_rows
    for column in ("exec_ns", "sched_ns", "syscall_ns", "block_ns", "total_ns", "runs"):
        assert sum(groups[column].to_pylist()) == sum(each[column].to_pylist()), column
    for row in groups.to_pylist():
        assert sum(part["ns"] for part in row["block"]) == row["block_ns"]


@pytest.mark.parametrize("name", TRACES)
def test_stretches_add_up_to_the_whole(name: str) -> None:
    """What is cut at a time has its two parts before and after it."""
    trace = gotrace.open(REAL / f"{name}.trace.zst")
    states = trace.table("goroutine_states")
    whole, span = grouped(trace)
    middle = (span.start_ns + span.end_ns) // 2
    parts = [
        grouped(trace, start=span.start_ns, end=middle)[0],
        grouped(trace, start=middle, end=span.end_ns + 1)[0],
    ]
    state = np.array(states["state"].to_pylist())
    lasted = np.array(states["duration_ns"].to_pylist())
    for word, column in STATES.items():
        sums = [sum(part[f"{column}_ns"].to_pylist()) for part in parts]
        assert sum(sums) == lasted[state == word].sum(), word
    assert {*whole["group"].to_pylist()} >= {*parts[0]["group"].to_pylist()}


def test_a_story_is_the_rows_of_one_goroutine() -> None:
    trace = gotrace.open(REAL / "blocking-go1.27.trace.zst")
    states = trace.table("goroutine_states").to_pylist()
    told = story(trace, 1)
    assert told.states.to_pylist() == [row for row in states if row["goroutine"] == 1]
    assert [life["name"] for life in told.lives] == ["main.main"]
    waiting = [row for row in states if row["goroutine"] == 1 and row["state"] == "waiting"]
    assert sum(ns for _, _, ns in told.waits) == sum(row["duration_ns"] for row in waiting)
    used = {row["stack_id"] for row in waiting} - {None}
    assert used <= told.sites.keys()


def test_a_goroutine_that_is_none_has_no_story() -> None:
    told = story(gotrace.open(REAL / "blocking-go1.27.trace.zst"), 987654321)
    assert not told.lives
    assert not told.states.num_rows
    assert 1 in told.ids
