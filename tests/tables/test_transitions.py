"""`goroutine_transitions` are the rows of `events` in which a goroutine changes its state."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import gotrace

REAL = Path(__file__).parents[1] / "data" / "real"
# Nearly all rows are picked, half of them are, lives come again.
TRACES = ("coro-go1.27.trace.zst", "gc-go1.27.trace.zst", "cgo-go1.27.trace.zst")
SAME = {
    "seq": "seq", "time_ns": "time_ns", "goroutine": "resource_id", "from_state": "from_state",
    "to_state": "to_state", "reason": "reason", "stack_id": "stack_id", "by_proc": "proc",
    "by_thread": "thread",
}  # fmt: skip
CAUSES = {"by_goroutine": "goroutine", "by_stack_id": "context_stack_id"}


def changes(events: pa.Table) -> pa.Table:
    """The events that the table is made of."""
    return events.filter(
        (pc.field("kind") == "state_transition")
        & (pc.field("resource") == "goroutine")
        & (pc.field("from_state") != pc.field("to_state"))
    )


@pytest.mark.parametrize("batch_rows", [65536, 4096, 61])
@pytest.mark.parametrize("name", TRACES)
def test_columns_are_those_of_the_events(name: str, batch_rows: int) -> None:
    trace = gotrace.open(REAL / name)
    events = changes(trace.reader("events", batch_rows=batch_rows).read_all())
    ours = trace.reader("goroutine_transitions", batch_rows=batch_rows).read_all()
    ours.validate(full=True)
    for column, origin in SAME.items():
        assert ours[column].to_pylist() == events[origin].to_pylist(), column
    itself = pc.equal(events["goroutine"], events["resource_id"])
    for column, origin in CAUSES.items():
        causes = pc.if_else(
            pc.fill_null(itself, False), pa.scalar(None, pa.int64()), events[origin]
        )
        assert ours[column].to_pylist() == causes.to_pylist(), column


@pytest.mark.parametrize("name", TRACES)
def test_a_life_ends_where_the_goroutine_does(name: str) -> None:
    rows = gotrace.open(REAL / name).table("goroutine_transitions")
    ended: Counter[Any] = Counter()
    columns = (rows[column].to_pylist() for column in ("goroutine", "life", "to_state"))
    for goroutine, life, state in zip(*columns, strict=True):
        assert life == ended[goroutine]
        ended[goroutine] += state == "notexist"


@pytest.mark.parametrize("name", TRACES)
def test_a_column_alone_is_the_column_among_all(name: str) -> None:
    trace = gotrace.open(REAL / name)
    whole = trace.table("goroutine_transitions")
    for column in whole.column_names:
        alone = trace.reader("goroutine_transitions", columns=[column]).read_all()
        assert alone[column].equals(whole[column]), column


def test_waits_are_null_where_nobody_waits() -> None:
    rows = gotrace.open(REAL / "waits-go1.27.trace.zst").table("goroutine_transitions")
    waits = rows.filter(pc.is_valid(rows["wait"]))
    assert set(waits["to_state"].to_pylist()) == {"waiting", "syscall"}
    assert {"chan_recv", "sleep", "select"} <= set(waits["wait"].to_pylist())
