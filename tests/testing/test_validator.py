"""The validator finds what is wrong: each rule is broken once in an otherwise good trace."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import gotrace
from gotrace.testing import (
    GoStatus,
    ProcStatus,
    TraceWriter,
    Validator,
    validate,
    validate_syncs,
    validator,
)
from tests.testing.programs import random_trace

REAL = sorted((Path(__file__).parents[1] / "data/real").glob("*.trace.zst"))

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def good() -> pa.Table:
    file = io.BytesIO()
    stack = [("main.main", "main.go", 1)]
    with TraceWriter(file) as trace:
        a, b = trace.thread(100), trace.thread(200)
        a.proc_status(0, ProcStatus.RUNNING)
        a.go_status(1, GoStatus.RUNNING)
        a.go_create(2, stack, stack)
        b.proc_start(1)
        b.go_start(2)
        b.go_label("GC (idle)")
        b.gc_mark_assist_begin(stack)
        b.gc_mark_assist_end()
        a.user_task_begin(5, "job")
        trace.new_generation()
        b.go_block("select", stack)
        a.heap_alloc(7)
        a.user_task_end(5)
        a.go_unblock(2)
        b.go_start(2)
        b.go_destroy()
    return gotrace.open(file.getvalue()).table("events")


def row(rows: Rows, **wanted: Any) -> dict[str, Any]:
    """The first row with these values."""
    return next(r for r in rows if all(r[k] == v for k, v in wanted.items()))


def move(rows: Rows, moved: dict[str, Any], before: dict[str, Any]) -> None:
    rows.remove(moved)
    rows.insert(rows.index(before), moved)
    for seq, r in enumerate(rows):
        r["seq"], r["time_ns"] = seq, 1000 + seq


def transition(rows: Rows, goroutine: int, to: str) -> dict[str, Any]:
    return row(rows, resource="goroutine", resource_id=goroutine, to_state=to)


BREAKS: dict[str, tuple[Callable[[Rows], object], str]] = {
    "time": (lambda r: r[4].update(time_ns=r[3]["time_ns"]), "does not come after"),
    "seq": (lambda r: r[4].update(seq=r[3]["seq"]), "comes after seq"),
    "sync": (lambda r: row(r, kind="sync", value=2).update(value=3), "sync 3 where 2 was expected"),
    "illegal": (
        lambda r: transition(r, 2, "waiting").update(from_state="runnable"),
        "goroutine 2 cannot go runnable -> waiting",
    ),
    "chain": (
        lambda r: r.remove(transition(r, 2, "waiting")),
        "goroutine 2 was running, yet goes waiting -> runnable",
    ),
    "unseen": (
        lambda r: transition(r, 2, "runnable").update(resource_id=77, from_state="running"),
        "goroutine 77 was never seen",
    ),
    "undetermined": (
        lambda r: row(r, seq=len(r) - 2).update(
            resource_id=9, from_state="undetermined", to_state="waiting"
        ),
        "undetermined after the first generation",
    ),
    "homeless": (
        lambda r: transition(r, 2, "running").update(thread=None),
        "goroutine 2 is running on no thread",
    ),
    "crowded": (
        lambda r: transition(r, 2, "running").update(thread=100),
        "goroutine 2 executes on thread 100, where goroutine 1 does since seq",
    ),
    "crowded proc": (
        lambda r: row(r, resource="proc", resource_id=1, to_state="running").update(thread=100),
        "proc 1 executes on thread 100, where proc 0 does",
    ),
    "moved": (
        lambda r: [x for x in r if x["resource_id"] == 2 and x["to_state"] == "running"][1].update(
            thread=300
        ),
        "moves from thread 200 to 300",
    ),
    "stacks": (
        lambda r: transition(r, 2, "waiting").update(context_stack_id=1),
        "stops on another stack",
    ),
    "no resource": (
        lambda r: transition(r, 2, "waiting").update(resource=None),
        "without a resource",
    ),
    "range twice": (
        lambda r: row(r, kind="range_end").update(kind="range_begin"),
        "range 'GC mark assist' of goroutine 2 begins again",
    ),
    "range unbegun": (
        lambda r: row(r, kind="range_begin").update(resource_id=1),
        "range 'GC mark assist' of goroutine 2 ends without having begun",
    ),
    "range at death": (
        lambda r: row(r, kind="range_end").update(kind="metric", name="/a:b", value=1),
        "goroutine 2 dies within its range 'GC mark assist'",
    ),
    "task name": (
        lambda r: row(r, kind="task_end").update(name="other"),
        "task 5 ends as 'other' and began as 'job'",
    ),
    "task parent": (
        lambda r: row(r, kind="task_end").update(parent_task=4),
        "another parent",
    ),
    "task twice": (
        lambda r: row(r, kind="task_end").update(kind="task_begin"),
        "task 5 begins again",
    ),
    "task none": (
        lambda r: row(r, kind="task_end").update(task=None),
        "the background task",
    ),
    "label": (lambda r: row(r, kind="label").update(name=None), "an empty label"),
    "label of nobody": (lambda r: row(r, kind="label").update(resource_id=8), "never seen"),
    "label of no goroutine": (
        lambda r: row(r, kind="label").update(resource="proc"),
        "no goroutine",
    ),
    "metric": (lambda r: row(r, kind="metric").update(name="/heap"), "no unit"),
    "metric value": (lambda r: row(r, kind="metric").update(value=None), "without a value"),
}


def broken(good: pa.Table, name: str) -> pa.Table:
    rows = good.to_pylist()
    BREAKS[name][0](rows)
    if name == "chain":
        for seq, r in enumerate(rows):
            r["seq"] = seq
    return pa.Table.from_pylist(rows, schema=good.schema)


def test_good_events_have_no_complaint(good: pa.Table) -> None:
    assert validate(good) == []
    assert validate(good.to_batches(max_chunksize=3)) == []


@pytest.mark.parametrize("name", BREAKS)
def test_each_rule(good: pa.Table, name: str) -> None:
    complaints = validate(broken(good, name))
    assert any(BREAKS[name][1] in complaint for complaint in complaints), complaints
    assert all(complaint.startswith("seq ") for complaint in complaints)


@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 5])
@pytest.mark.parametrize("name", BREAKS)
def test_what_is_carried_over(
    good: pa.Table, name: str, rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the rows are cut, the same is found."""
    events = broken(good, name)
    whole = validate(events)
    monkeypatch.setattr(validator, "ROWS_AT_ONCE", rows_at_once)
    cut = validate(events)
    assert [c.split(" since ")[0] for c in cut] == [c.split(" since ")[0] for c in whole]


@pytest.mark.parametrize("rows_at_once", [7, 100])
def test_random_programs_in_pieces(rows_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validator, "ROWS_AT_ONCE", rows_at_once)
    for seed in range(5):
        assert validate(gotrace.open(random_trace(seed, 26, 400)).table("events")) == []


def test_complaints_are_counted_when_there_are_too_many(good: pa.Table) -> None:
    rows = good.to_pylist()
    for r in rows:
        r["time_ns"] = 5
    complaints = validate(pa.Table.from_pylist(rows, schema=good.schema), most=2)
    assert len(complaints) == 3
    assert complaints[-1] == f"and {len(rows) - 3} more"


def test_a_gap_is_a_new_beginning(good: pa.Table) -> None:
    """What salvage gives behind a lost generation: undetermined again, on whatever thread."""
    rows = good.to_pylist()
    second = [dict(r) for r in rows]
    for r in second:
        r["seq"] += len(rows)
        r["time_ns"] += 10**6
        if r["kind"] == "sync":
            r["value"] += 4
        r["thread"] = {100: 200, 200: 100}.get(r["thread"])
    events = pa.Table.from_pylist(rows + second, schema=good.schema)
    assert validate(events, gaps=True) == []
    assert any("undetermined" in complaint for complaint in validate(events))


def test_syncs() -> None:
    file = io.BytesIO()
    with TraceWriter(file) as trace:
        for _ in range(3):
            trace.thread(1).proc_status(0, ProcStatus.IDLE)
            trace.new_generation()
    syncs = gotrace.open(file.getvalue()).table("syncs")
    assert validate_syncs(syncs) == []
    rows = syncs.to_pylist()
    rows[1]["mono_ns"] = rows[0]["mono_ns"]
    rows[2]["wall"] = None
    assert validate_syncs(pa.Table.from_pylist(rows, schema=syncs.schema)) == [
        "seq 2: mono_ns does not go on",
        "seq 4: a sync without wall",
    ]


def test_an_empty_trace_is_fine(good: pa.Table) -> None:
    assert validate(good.slice(0, 0)) == []
    assert Validator().finish() == []


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_traces_are_valid(path: Path) -> None:
    source = gotrace.open(path, on_error="salvage" if "misnested" in path.name else "fail")
    assert validate(source.reader("events")) == []
    syncs = source.table("syncs")
    if syncs["snapshot_ns"].null_count < len(syncs):
        assert validate_syncs(syncs) == []
