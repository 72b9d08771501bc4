"""Hold our `events` against the dump of Go's own reader, column by column."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tests.golab.peers import Dump, Frame

PLAIN = ("seq", "time_ns", "kind", "thread", "proc", "goroutine", "resource", "resource_id")
PLAIN += ("from_state", "to_state", "value", "value2", "value3", "task", "parent_task")
TEXTS = ("reason", "name", "message")
STACKS = {"context_stack_id": "context_stack", "stack_id": "stack"}


def differences(
    events: pa.Table, stacks: pa.Table, frames: pa.Table, dump: Dump, most_line: int = 2**64
) -> list[str]:
    """Say where our rows differ from Go's; nothing when they are equal.

    Args:
        events, stacks, frames: our tables, whole.
        dump: what Go's reader delivered, up to its error if there was one.
        most_line: what Go's lines are cut to.
    """
    theirs = dump.events
    complaints = []
    if len(events) != len(theirs):
        complaints.append(f"{len(events)} events, Go has {len(theirs)}")
    n = min(len(events), len(theirs))
    for column in PLAIN + TEXTS:
        ours, go = events[column].slice(0, n), theirs[column].slice(0, n)
        complaints += _differ(column, _comparable(ours), _comparable(go), column in TEXTS)
    keys = _stack_keys(stacks, frames)
    numbers = {number: _frames(content, most_line) for number, content in dump.stacks.items()}
    for ours_name, go_name in STACKS.items():
        ours = [keys[i] if i is not None else () for i in events[ours_name].slice(0, n).to_pylist()]
        go = [numbers[i] if i is not None else () for i in theirs[go_name].slice(0, n).to_pylist()]
        complaints += _differ(ours_name, ours, go, False)
    return complaints


def _comparable(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, pa.utf8())
    if pa.types.is_binary(column.type):
        return [None if v is None else v.decode("utf-8", "replace") for v in column.to_pylist()]
    return column.to_pylist()


def _differ(name: str, ours: list[Any], go: list[Any], empty_is_null: bool) -> list[str]:
    if ours == go:
        return []
    for row, (a, b) in enumerate(zip(ours, go, strict=True)):
        if a != b and not (empty_is_null and not a and not b and name != "message"):
            return [f"row {row}, {name}: {a!r}, Go has {b!r}"]
    return []


def _frames(stack: tuple[Frame, ...], most_line: int) -> tuple[tuple[str, str, int], ...]:
    return tuple(
        (
            frame.function.decode("utf-8", "replace"),
            frame.file.decode("utf-8", "replace"),
            min(frame.line, most_line),
        )
        for frame in stack
    )


def _stack_keys(stacks: pa.Table, frames: pa.Table) -> dict[int, tuple[tuple[str, str, int], ...]]:
    by_id = {row["frame_id"]: (row["file"] or "", row["line"] or 0) for row in frames.to_pylist()}
    return {
        row["stack_id"]: tuple(
            (function, *by_id[frame])
            for function, frame in zip(row["functions"], row["frame_ids"], strict=True)
        )
        for row in stacks.to_pylist()
    }
