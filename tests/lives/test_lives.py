"""States tile every life, and the sums over them are those of the summaries, in every trace."""

from __future__ import annotations

import itertools
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.core.decoding import decode
from tests.lives.conftest import TABLES, content


def by_life(states: pa.Table) -> list[list[dict[str, Any]]]:
    """Rows of each life, in the order of time."""
    lives: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in states.sort_by("start_ns").to_pylist():
        lives.setdefault((row["goroutine"], row["life"]), []).append(row)
    return list(lives.values())


def test_states_tile_each_life(tables: dict[str, pa.Table]) -> None:
    lives = {(row["goroutine"], row["life"]): row for row in tables["goroutines"].to_pylist()}
    found = by_life(tables["goroutine_states"])
    assert len(found) == len(lives) == tables["goroutines"].num_rows
    for rows in found:
        life = lives[rows[0]["goroutine"], rows[0]["life"]]
        assert rows[0]["start_seq"] == life["start_seq"]
        assert rows[0]["open_start"] == life["open_start"]
        assert rows[-1]["end_seq"] == life["end_seq"]
        assert rows[-1]["open_end"] == life["open_end"] == (rows[-1]["next_state"] is None)
        assert (rows[-1]["next_state"] == "notexist") == (life["ended_at_ns"] is not None)
        assert rows[-1]["end_ns"] - rows[0]["start_ns"] == life["total_ns"]
        for before, after in itertools.pairwise(rows):
            assert before["end_ns"] == after["start_ns"]
            assert before["end_seq"] == after["start_seq"]
            assert before["next_state"] == after["state"] != before["state"]
            assert not before["open_end"]
            assert not after["open_start"]


def test_sums_of_goroutines_are_those_of_their_states(tables: dict[str, pa.Table]) -> None:
    states = tables["goroutine_states"].group_by(["goroutine", "life", "state"])
    summed: dict[tuple[int, int, str], int] = {
        (row["goroutine"], row["life"], row["state"]): row["duration_ns_sum"]
        for row in states.aggregate([("duration_ns", "sum")]).to_pylist()
    }
    for row in tables["goroutines"].to_pylist():
        spent = {
            state: summed.get((row["goroutine"], row["life"], state), 0)
            for state in ("running", "runnable", "waiting", "syscall")
        }
        assert row["exec_ns"] == spent["running"]
        assert row["sched_ns"] == spent["runnable"]
        assert row["block_ns"] == spent["waiting"] == sum(each["ns"] for each in row["block"])
        assert row["syscall_ns"] + row["syscall_block_ns"] == spent["syscall"]
        assert row["unknown_ns"] == 0


def test_each_state_begins_with_its_transition(tables: dict[str, pa.Table]) -> None:
    """Where the start is known, an interval has the words and the stack of the transition."""
    transitions = {row["seq"]: row for row in tables["goroutine_transitions"].to_pylist()}
    for row in tables["goroutine_states"].to_pylist():
        end = transitions.get(row["end_seq"])
        assert row["open_end"] or (
            end is not None
            and (end["goroutine"], end["life"]) == (row["goroutine"], row["life"])
            and end["time_ns"] == row["end_ns"]
            and end["to_state"] == row["next_state"]
            and end["stack_id"] == row["end_stack_id"]
        )
        begin = transitions.get(row["start_seq"])
        if row["open_start"] or begin is None:
            continue
        assert (begin["goroutine"], begin["to_state"]) == (row["goroutine"], row["state"])
        assert begin["reason"] == row["reason"]
        assert begin["stack_id"] is None or begin["stack_id"] == row["stack_id"]
        assert row["wait"] is not None or row["state"] not in ("waiting", "syscall")


def test_rows_come_as_they_close(tables: dict[str, pa.Table]) -> None:
    for name in ("goroutine_states", "goroutines"):
        table = tables[name]
        order = table.sort_by([("end_seq", "ascending"), ("start_seq", "ascending")])
        assert table["end_seq"].equals(order["end_seq"])
        assert table["start_seq"].equals(order["start_seq"])


def test_nothing_that_goes_on_is_illegal(tables: dict[str, pa.Table]) -> None:
    assert pc.sum(pc.equal(tables["notes"]["code"], "illegal_transition")).as_py() in (0, None)


def test_wakeups_are_the_runnable_states_with_a_waker(tables: dict[str, pa.Table]) -> None:
    states = tables["goroutine_states"].to_pylist()
    waits = {(row["goroutine"], row["end_seq"]): row for row in states if row["state"] == "waiting"}
    expected = [row for row in states if row["state"] == "runnable" and row["by_kind"]]
    wakeups = tables["wakeups"].to_pylist()
    assert len(wakeups) == len(expected)
    for wakeup, row in zip(wakeups, expected, strict=True):
        assert (wakeup["seq"], wakeup["end_seq"]) == (row["start_seq"], row["end_seq"])
        assert (wakeup["time_ns"], wakeup["kind"]) == (row["start_ns"], row["by_kind"])
        assert wakeup["by_goroutine"] == row["by_goroutine"] != row["goroutine"]
        assert wakeup["by_stack_id"] == row["by_stack_id"]
        assert wakeup["latency_ns"] == (None if row["open_end"] else row["duration_ns"])
        wait = waits.get((row["goroutine"], row["start_seq"]))
        if wait is None:
            assert wakeup["kind"] == "create"
            assert wakeup["blocked_ns"] is wakeup["stack_id"] is None
        else:
            assert wakeup["kind"] == wait["by_kind"] in ("unblock", "switch")
            assert wakeup["by_goroutine"] == wait["by_goroutine"]
            assert wakeup["stack_id"] == wait["stack_id"]
            assert wakeup["blocked_ns"] == (None if wait["open_start"] else wait["duration_ns"])


@pytest.mark.parametrize("salvage", [False, True])
@pytest.mark.parametrize(
    "name", ["blocking-generations-go1.27", "cgo-generations-go1.22", "random 25 5"]
)
def test_small_batches_change_nothing(name: str, salvage: bool) -> None:
    data = content(name)
    if salvage:  # damage in the middle, and a gap behind it
        data = data[: len(data) // 2] + bytes(64) + data[len(data) // 2 + 64 :]
    whole = decode(data, TABLES, salvage=salvage)
    small = decode(data, TABLES, batch_rows=5, chunk=1000, salvage=salvage)
    for table in TABLES:
        assert small.table(table).equals(whole.table(table))
    assert whole.rows("goroutines")
    assert any(row["life"] > 0 for row in whole.rows("goroutines")) or not salvage
