"""One user task: what happened in it, the tasks under it, and its critical path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.path_story import names_of, path_if_any
from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.tables.schema import schema

_IDS = 12


@dataclass
class TaskStory:
    """What is known of a task.

    Attributes:
        span: the trace.
        row: its row of `tasks`; None when there is no such task.
        children: rows of the tasks made under it.
        happenings: begin and end of regions, and logs, in order: time_ns, goroutine, text.
        path: the table `critical_path`.
        sites: place in the code by stack.
        names: entry function by goroutine of the path.
        ids: some ids of tasks.
    """

    span: Span
    row: dict[str, Any] | None = None
    children: list[dict[str, Any]] = field(default_factory=list)
    happenings: list[dict[str, Any]] = field(default_factory=list)
    path: pa.Table = None
    sites: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)


def task_story(tables: Tables, task: int) -> TaskStory:
    """Collect what is known of a task: a pass for itself, and one for its critical path."""
    columns = {
        "tasks": schema("tasks").names,
        "regions": ("task", "goroutine", "name", "start_ns", "end_ns", "open_start", "open_end"),
        "logs": ("task", "time_ns", "goroutine", "category", "message"),
    }
    reading = Reading(tables, columns)
    told = TaskStory(reading.span, path=schema("critical_path").empty_table())
    for name, batch in reading:
        own = batch.filter(pc.fill_null(pc.equal(batch.column("task"), task), False))
        if name == "tasks":
            told.ids = (told.ids + batch.column("task").slice(0, _IDS).to_pylist())[:_IDS]
            told.row = next(iter(own.to_pylist()), told.row)
            under = pc.fill_null(pc.equal(batch.column("parent_task"), task), False)
            told.children += batch.filter(under).to_pylist()
        elif name == "logs":
            told.happenings += [_log(row) for row in own.to_pylist()]
        else:
            told.happenings += [each for row in own.to_pylist() for each in _region(row)]
    told.span = reading.span
    told.happenings.sort(key=lambda row: row["time_ns"])
    if told.row is not None:
        _add_path(tables, told, told.row)
    return told


def _log(row: dict[str, Any]) -> dict[str, Any]:
    category = f"[{row['category']}] " if row["category"] else ""
    text = f"log {category}{row['message']}"
    return {"time_ns": row["time_ns"], "goroutine": row["goroutine"], "text": text}


def _region(row: dict[str, Any]) -> list[dict[str, Any]]:
    name, who = row["name"] or "(no name)", row["goroutine"]
    edges = (("begin", "start_ns", "open_start"), ("end", "end_ns", "open_end"))
    return [
        {"time_ns": row[time], "goroutine": who, "text": f"region {name}: {word}"}
        for word, time, is_open in edges
        if not row[is_open]
    ]


def _add_path(tables: Tables, told: TaskStory, row: dict[str, Any]) -> None:
    who = row["end_goroutine"] if row["end_goroutine"] is not None else row["by_goroutine"]
    start, end = row["start_ns"], row["end_ns"]
    if who is not None and end > start:
        told.path = path_if_any(tables, who, start, end)
    told.sites, told.names = names_of(tables, told.path, [row["stack_id"]], start, end)
