"""The life of one goroutine: its rows, and names for the stacks in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.clipping import TIME_OF_STATE, within
from gotrace.analyses.names_of_stacks import COLUMNS, places
from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.analyses.sums import Sums, codes_in, ints, whole
from gotrace.tables.schema import schema
from gotrace.tables.times import When


@dataclass
class Story:
    """What is known of one goroutine.

    Attributes:
        span: the stretch of the trace that was looked at.
        lives: its rows of `goroutines`, as dicts; of a stretch of time, with the times in it.
        partly: whether only a stretch was looked at.
        states: its rows of `goroutine_states`.
        sites: place in the code by stack.
        roots: entry function of the goroutine that a stack is of.
        waits: ns by (wait, stack_id), the longest first.
        ids: the lowest ids of goroutines, to say that this one is none.
    """

    span: Span
    lives: list[dict[str, Any]]
    states: pa.Table
    partly: bool = False
    sites: dict[int, str] = field(default_factory=dict)
    roots: dict[int, str] = field(default_factory=dict)
    waits: list[tuple[str, int | None, int]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)


_IDS = 12


def story(
    tables: Tables, goroutine: int, *, start: When | None = None, end: When | None = None
) -> Story:
    """Collect the life of a goroutine in one pass; its intervals stay whole, sums do not."""
    wanted = schema("goroutine_states")
    columns = {
        "stacks": (*COLUMNS, "root"),
        "goroutines": schema("goroutines").names,
        "goroutine_states": wanted.names,
    }
    reading = Reading(tables, columns, start=start, end=end)
    stacks: list[pa.RecordBatch] = []
    lives: list[dict[str, Any]] = []
    rows: list[pa.RecordBatch] = []
    ids = np.zeros(0, np.int64)
    for name, batch in reading:
        if name == "stacks":
            stacks.append(batch)
            continue
        own = batch.filter(pc.equal(batch.column("goroutine"), goroutine))
        if name == "goroutines":
            lives += own.to_pylist()
            ids = np.unique(np.append(ids, ints(batch.column("goroutine"))))[: _IDS + 1]
        elif own.num_rows:
            rows.append(own)
    states = pa.Table.from_batches(rows, wanted).unify_dictionaries()
    partly = reading.start_ns is not None or reading.end_ns is not None
    told = Story(reading.span, lives, states, partly, ids=ids.tolist())
    if partly:
        for life in lives:
            life.update(_times_within(told, life["life"]))
    _add_names(told, stacks)
    _add_waits(told)
    return told


def _times_within(told: Story, life: int) -> dict[str, int]:
    """Give the times of a life in the stretch, as columns of `goroutines`."""
    own = told.states.filter(pc.equal(told.states["life"], life))
    inside = within(own, told.span.start_ns, told.span.end_ns)
    state = codes_in(whole(own["state"]), list(TIME_OF_STATE))
    times = {
        column: int(inside[state == code].sum())
        for code, column in enumerate(TIME_OF_STATE.values())
    }
    ran = (state == list(TIME_OF_STATE).index("running")) & (inside > 0)
    return {
        **times,
        "syscall_block_ns": 0,
        "total_ns": int(inside.sum()),
        "runs": int(np.count_nonzero(ran)),
    }


def _add_names(told: Story, stacks: list[pa.RecordBatch]) -> None:
    used = [told.states[name] for name in ("stack_id", "end_stack_id", "by_stack_id")]
    ids = pa.chunked_array([chunk for column in used for chunk in column.chunks], pa.int64())
    made = [life["creation_stack_id"] for life in told.lives]
    wanted = pa.concat_arrays([ids.unique(), pa.array(made, pa.int64())])
    for batch in stacks:
        kept = batch.filter(pc.is_in(batch.column("stack_id"), wanted))
        told.sites.update(places(kept))
        roots = (kept.column(name).to_pylist() for name in ("stack_id", "root"))
        told.roots.update((id, root or "") for id, root in zip(*roots, strict=True))


def _add_waits(told: Story) -> None:
    waiting = told.states.filter(pc.equal(told.states["state"].cast(pa.utf8()), "waiting"))
    sums = Sums(("wait", "stack_id"), ("duration_ns",))
    wait = waiting["wait"].cast(pa.utf8())
    columns = {
        "wait": wait,
        "stack_id": waiting["stack_id"],
        "duration_ns": pa.array(within(waiting, told.span.start_ns, told.span.end_ns)),
    }
    sums.add(pa.table(columns))
    table = sums.table()
    rows = [] if table is None else table.to_pylist()
    rows.sort(key=lambda row: (-row["duration_ns"], row["wait"] or "", row["stack_id"] or 0))
    told.waits = [(row["wait"] or "unknown", row["stack_id"], row["duration_ns"]) for row in rows]
