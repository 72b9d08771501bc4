"""Where goroutines waited, for what, and who ended it: the table `blocking`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from gotrace._core import PairSums
from gotrace.analyses.clipping import pairs_of, within
from gotrace.analyses.distributions import Distributions
from gotrace.analyses.names_of_stacks import COLUMNS, places
from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.analyses.sums import Numbering, codes_in, taken
from gotrace.arrays import Ints
from gotrace.spec.words import STATES, WAITS, WAKES
from gotrace.tables.schema import schema
from gotrace.tables.times import When

OF_THE_RUNTIME: Final = WAITS[WAITS.index("gc_worker") : WAITS.index("system") + 1]
"""Waits of the runtime's own goroutines: idle, and nobody's trouble."""

_WAITING: Final = STATES.index("waiting")
_NONE: Final = -1
_KINDS: Final = len(WAITS) + 1
_WOKEN: Final = 1
_COLUMNS: Final = {
    "stacks": (*COLUMNS, "root"),
    "goroutine_states": (
        "start_ns",
        "end_ns",
        "state",
        "wait",
        "stack_id",
        "by_kind",
        "by_stack_id",
        "open_end",
    ),
}


def blocking(
    tables: Tables,
    *,
    start: When | None = None,
    end: When | None = None,
    runtime: bool = False,
) -> pa.Table:
    """Group waits by what for and where: the table `blocking`, the most time first.

    Reads `goroutine_states` and `stacks`. `start` and `end` cut waits to that time; `runtime` keeps
    those of the runtime's own goroutines. Raises ValueError for a time that the trace cannot place.
    """
    return blocked(tables, start=start, end=end, runtime=runtime)[0]


def blocked(
    tables: Tables,
    *,
    start: When | None = None,
    end: When | None = None,
    runtime: bool = False,
) -> tuple[pa.Table, Span]:
    """Group waits, and say what stretch of time that is about."""
    reading = Reading(tables, _COLUMNS, start=start, end=end)
    waits = _Waits(reading, runtime)
    for name, batch in reading:
        waits.add(name, batch)
    return waits.table(), reading.span


class _Waits:
    """Sums by (wait, stack, stack of the waker) while the intervals go by."""

    def __init__(self, reading: Reading, runtime: bool) -> None:
        self._reading = reading
        skipped = () if runtime else OF_THE_RUNTIME
        self._kept = np.array([*(word not in skipped for word in WAITS), True], np.bool_)
        self._names: dict[int, tuple[str | None, str | None]] = {_NONE: (None, None)}
        self._stacks = Numbering()
        self._spread = Distributions()
        # A group is a stack and a wait.
        self._sums = PairSums(2)  # by group and waker's stack: not woken, woken
        self._open = PairSums(1)  # by group

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take a batch of one of the tables."""
        if name == "stacks":
            roots = batch.column("root").to_pylist()
            for (id, place), root in zip(places(batch), roots, strict=True):
                self._names[id] = (place or None, root)
        elif batch.num_rows:
            self._add_states(batch)

    def _add_states(self, batch: pa.RecordBatch) -> None:
        wait = codes_in(batch.column("wait"), WAITS)
        waiting = codes_in(batch.column("state"), STATES) == _WAITING
        rows = np.flatnonzero(waiting & self._kept[wait])
        inside = within(batch, self._reading.start_ns, self._reading.end_ns, rows)
        if not inside.all():
            rows, inside = rows[inside > 0], inside[inside > 0]
        if not len(rows):
            return
        stack = pa.array(taken(batch.column("stack_id"), rows, _NONE))
        group = self._stacks.of(stack) * _KINDS + wait[rows] + 1
        self._spread.add(group, inside)
        waker = taken(batch.column("by_stack_id"), rows, _NONE)
        woken = codes_in(batch.column("by_kind"), WAKES)[rows] >= 0
        self._sums.add(group, waker, woken.view(np.int8), inside)
        is_open = np.asarray(batch.column("open_end"))[rows].astype(np.int8)
        self._open.add(group, np.zeros_like(group), is_open - np.int8(1), inside)

    def table(self) -> pa.Table:
        """Give the table `blocking`."""
        wanted = schema("blocking")
        stacks = self._stacks.values

        def place_of(group: int) -> tuple[tuple[int, str | None], str | None]:
            """Give the wait and the site of a group, and the entry function there."""
            site, root = self._names[stacks[group // _KINDS]]
            return (group % _KINDS - 1, site), root

        found: dict[tuple[int, str | None], dict[str, Any]] = {}
        pairs = zip(*(column.tolist() for column in pairs_of(self._sums)), strict=True)
        for group, waker, sums, counts in pairs:
            key, root = place_of(group)
            place = found.setdefault(key, _new_place())
            place["count"] += sum(counts)
            place["total_ns"] += sum(sums)
            _add(place["groups"], root, sum(sums))
            if counts[_WOKEN]:
                _add(place["wakers"], self._names[waker][0], sums[_WOKEN])
        if not found:
            return wanted.empty_table()
        groups, _, _, opened = pairs_of(self._open)
        for group, times in zip(groups.tolist(), opened[:, 0].tolist(), strict=True):
            found[place_of(group)[0]]["open"] += times
        spread = self._spread_of(list(found))
        rows = [
            {
                "wait": WAITS[wait] if wait >= 0 else None,
                "site": site,
                **{name: place[name] for name in ("count", "total_ns", "open")},
                **dict(zip(("p50_ns", "p90_ns", "p99_ns", "max_ns"), shares, strict=True)),
                "groups": _listed(place["groups"], "name"),
                "ended_by": _listed(place["wakers"], "site"),
            }
            for ((wait, site), place), shares in zip(found.items(), spread.tolist(), strict=True)
        ]
        order = sorted(
            rows, key=lambda row: (-row["total_ns"], row["wait"] or "", row["site"] or "")
        )
        return pa.Table.from_pylist(order, wanted)

    def _spread_of(self, places: list[tuple[int, str | None]]) -> Ints:
        """Give the percentiles of each place: stacks with one site are one."""
        number = {place: at for at, place in enumerate(places)}
        place_of = np.full(len(self._stacks) * _KINDS, -1)
        for at, stack in enumerate(self._stacks.values):
            for wait in range(-1, len(WAITS)):
                place = number.get((wait, self._names[stack][0]))
                if place is not None:
                    place_of[at * _KINDS + wait + 1] = place
        return self._spread.regroup(lambda old: place_of[old]).percentiles(len(places))


def _new_place() -> dict[str, Any]:
    return {"count": 0, "total_ns": 0, "open": 0, "groups": {}, "wakers": {}}


def _add(sums: dict[str | None, int], name: str | None, time: int) -> None:
    sums[name] = sums.get(name, 0) + time


def _listed(sums: dict[str | None, int], word: str) -> list[dict[str, Any]]:
    rows = sorted(sums.items(), key=lambda item: (-item[1], item[0] or ""))
    return [{word: name or "", "ns": time} for name, time in rows]
