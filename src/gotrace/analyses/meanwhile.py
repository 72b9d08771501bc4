"""What else went on while a goroutine waited for a proc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses import names_of_stacks
from gotrace.analyses.reading import Reading, Tables
from gotrace.analyses.sums import codes_in, ints, whole
from gotrace.spec.words import STATES

_RUNNING: Final = STATES.index("running")
_RUNNABLE: Final = STATES.index("runnable")
_COLUMNS: Final = {
    "stacks": (*names_of_stacks.COLUMNS, "root"),
    "goroutine_states": (
        "goroutine",
        "start_ns",
        "end_ns",
        "state",
        "stack_id",
        "end_stack_id",
        "by_goroutine",
        "by_stack_id",
    ),
    "ranges": ("name", "class", "start_ns", "end_ns"),
    "goroutines": ("goroutine", "name"),
}


class Stretch(NamedTuple):
    """A goroutine that waited, from when to when."""

    goroutine: int
    start_ns: int
    end_ns: int


@dataclass
class Meanwhile:
    """What went on during a stretch.

    Attributes:
        ran: ns on procs by goroutine, of all that ran.
        names: entry function by goroutine, as far as a stack tells.
        by_goroutine, by_site: who made the goroutine ready, and where.
        ranges: ns of garbage collection and stopped world by name.
    """

    ran: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    by_goroutine: int | None = None
    by_site: str | None = None
    ranges: dict[str, int] = field(default_factory=dict)


def meanwhile(tables: Tables, stretches: Sequence[Stretch]) -> list[Meanwhile]:
    """Say of each stretch what ran in it, in one pass over the time between the outermost ends."""
    if not stretches:
        return []
    start = min(each.start_ns for each in stretches)
    end = max(each.end_ns for each in stretches)
    reading = Reading(tables, _COLUMNS, start=start, end=end)
    found = [Meanwhile() for _ in stretches]
    stacks: list[pa.RecordBatch] = []
    rows: list[list[pa.RecordBatch]] = [[] for _ in stretches]
    who = pa.array({each.goroutine for each in stretches}, pa.int64())
    named: dict[int, str] = {}
    for name, batch in reading:
        if name == "goroutines":
            own = batch.filter(pc.is_in(batch.column("goroutine"), who))
            named.update(zip(*(column.to_pylist() for column in own.columns), strict=True))
            continue
        if name == "stacks":
            stacks.append(batch)
            continue
        for at, stretch in enumerate(stretches):
            cut = _touching(batch, stretch)
            if name == "ranges":
                _add_ranges(found[at], cut, stretch)
            elif cut.num_rows:
                rows[at].append(cut)
    for each, stretch, batches in zip(found, stretches, rows, strict=True):
        if batches:
            _add_states(each, pa.Table.from_batches(batches), stretch)
    _name(found, rows, stacks)
    for each, stretch in zip(found, stretches, strict=True):
        each.names[stretch.goroutine] = named.get(stretch.goroutine) or ""
    return found


def _touching(batch: pa.RecordBatch, stretch: Stretch) -> pa.RecordBatch:
    before = pc.less(batch.column("start_ns"), stretch.end_ns)
    return batch.filter(pc.and_(before, pc.greater(batch.column("end_ns"), stretch.start_ns)))


def _inside(table: pa.Table | pa.RecordBatch, stretch: Stretch) -> np.ndarray:
    first = np.maximum(ints(table.column("start_ns")), stretch.start_ns)
    return np.minimum(ints(table.column("end_ns")), stretch.end_ns) - first


def _add_ranges(found: Meanwhile, batch: pa.RecordBatch, stretch: Stretch) -> None:
    times = _inside(batch, stretch).tolist()
    names, classes = batch.column("name").to_pylist(), batch.column("class").to_pylist()
    for name, kind, time in zip(names, classes, times, strict=True):
        if kind in ("stw", "mark"):
            found.ranges[name] = found.ranges.get(name, 0) + time


def _add_states(found: Meanwhile, table: pa.Table, stretch: Stretch) -> None:
    state = codes_in(whole(table["state"]), STATES)
    goroutine, times = ints(table["goroutine"]), _inside(table, stretch)
    running = state == _RUNNING
    who, at = np.unique(goroutine[running], return_inverse=True)
    sums = np.zeros(len(who), np.int64)
    np.add.at(sums, at, times[running])
    found.ran = dict(zip(who.tolist(), sums.tolist(), strict=True))
    own = (state == _RUNNABLE) & (goroutine == stretch.goroutine)
    own &= ints(table["end_ns"]) == stretch.end_ns
    if own.any():
        row = table.slice(int(np.flatnonzero(own)[0]), 1).to_pylist()[0]
        found.by_goroutine, found.by_site = row["by_goroutine"], str(row["by_stack_id"])


def _name(
    found: Sequence[Meanwhile],
    rows: Sequence[Sequence[pa.RecordBatch]],
    stacks: Sequence[pa.RecordBatch],
) -> None:
    """Name goroutines by the root of any of their stacks, and the stack of whoever woke one."""
    roots: dict[int, str] = {}
    sites: dict[str, str] = {}
    for batch in stacks:
        ids, names = (batch.column(name).to_pylist() for name in ("stack_id", "root"))
        roots.update(zip(ids, (name or "" for name in names), strict=True))
        sites.update((str(id), place) for id, place in names_of_stacks.places(batch))
    for each, batches in zip(found, rows, strict=True):
        for batch in batches:
            _add_names(each.names, batch, roots)
        each.by_site = sites.get(each.by_site or "") or None


def _add_names(names: dict[int, str], batch: pa.RecordBatch, roots: Mapping[int, str]) -> None:
    columns = ("goroutine", "stack_id", "end_stack_id")
    for goroutine, *stacks in zip(*(batch.column(c).to_pylist() for c in columns), strict=True):
        for stack in stacks:
            if stack is not None and goroutine not in names and stack in roots:
                names[goroutine] = roots[stack]
