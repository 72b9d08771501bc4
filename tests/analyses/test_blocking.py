"""Waits by what for and where, against the intervals one by one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import gotrace
from gotrace.analyses.blocking import OF_THE_RUNTIME
from gotrace.analyses.names_of_stacks import COLUMNS, places
from gotrace.tables.trace import Trace
from tests.analyses.tables import made

REAL = Path(__file__).parents[1] / "data" / "real"
TRACES = ("blocking-go1.27", "io-go1.25", "annotations-generations-go1.23")


@pytest.fixture(scope="module", params=TRACES)
def trace(request: pytest.FixtureRequest) -> Trace:
    opened = gotrace.open(REAL / f"{request.param}.trace.zst")
    assert isinstance(opened, Trace)
    return opened


def test_every_wait_is_at_one_place(trace: Trace) -> None:
    waits = [
        row for row in trace.table("goroutine_states").to_pylist() if row["state"] == "waiting"
    ]
    waits = [row for row in waits if row["wait"] not in OF_THE_RUNTIME and row["duration_ns"]]
    named: dict[Any, str | None] = {None: None}
    for batch in trace.table("stacks", COLUMNS).to_batches():
        named |= dict(places(batch))
    table = gotrace.blocking(trace)
    assert table.schema.equals(gotrace.schema("blocking"))
    assert sum(table["total_ns"].to_pylist()) == sum(row["duration_ns"] for row in waits)
    for place in table.to_pylist():
        own = [
            row
            for row in waits
            if (row["wait"], named[row["stack_id"]]) == (place["wait"], place["site"])
        ]
        lasted = sorted(row["duration_ns"] for row in own)
        assert place["count"] == len(own)
        assert place["open"] == sum(row["open_end"] for row in own)
        assert (place["max_ns"], place["total_ns"]) == (lasted[-1], sum(lasted))
        assert place["p50_ns"] == lasted[math.ceil(len(lasted) / 2) - 1]
        woken = sum(row["duration_ns"] for row in own if row["by_kind"])
        assert sum(each["ns"] for each in place["ended_by"]) == woken
        assert sum(each["ns"] for each in place["groups"]) == sum(lasted)


def test_waits_of_the_runtime_are_there_if_asked_for(trace: Trace) -> None:
    words = {*gotrace.blocking(trace, runtime=True)["wait"].to_pylist()}
    assert words & {*OF_THE_RUNTIME}
    assert not {*gotrace.blocking(trace)["wait"].to_pylist()} & {*OF_THE_RUNTIME}


def test_parts_of_the_time_add_up(trace: Trace) -> None:
    start = trace.clock().start_ns
    middle = (start + max(trace.table("syncs")["time_ns"].to_pylist())) // 2
    parts = [gotrace.blocking(trace, end=middle), gotrace.blocking(trace, start=middle)]
    sums = [sum(part["total_ns"].to_pylist()) for part in parts]
    assert sum(sums) == sum(gotrace.blocking(trace)["total_ns"].to_pylist())


def test_a_place_is_the_users_code_or_what_says_most() -> None:
    rows = [
        {"stack_id": 1, "site": "main.f main.go:7", "functions": ["runtime.chanrecv1", "main.f"]},
        {"stack_id": 2, "functions": ["runtime.selectgo", "net/http.(*conn).serve"]},
        {"stack_id": 3, "functions": ["runtime.gopark", "runtime.bgsweep"]},
        {"stack_id": 4},
    ]
    batch = made(stacks=rows)["stacks"].select(COLUMNS).to_batches()[0]
    assert dict(places(batch)) == {
        1: "main.f main.go:7",
        2: "net/http.(*conn).serve",
        3: "runtime.gopark",
        4: "",
    }
