"""Goroutines that had to do with one: who woke it, who woke those, and so on back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.analyses.sums import Sums, codes_in, ints
from gotrace.arrays import Ints
from gotrace.spec.words import STATES
from gotrace.tables.schema import schema
from gotrace.tables.times import When

DEPTH = 2
"""How far `go tool trace` goes back."""


def related(
    tables: Tables,
    goroutine: int,
    *,
    depth: int = DEPTH,
    start: When | None = None,
    end: When | None = None,
) -> pa.Table:
    """Say who woke a goroutine, who woke those, and so on: the table `related_goroutines`.

    With the default depth they are the related goroutines of `go tool trace`. The goroutine itself
    comes first, with distance 0. Reads `goroutine_transitions` and `goroutines`; memory grows with
    the pairs of goroutines that woke each other. Raises ValueError for a time that the trace
    cannot place.
    """
    return related_and_span(tables, goroutine, depth=depth, start=start, end=end)[0]


def related_and_span(
    tables: Tables,
    goroutine: int,
    *,
    depth: int = DEPTH,
    start: When | None = None,
    end: When | None = None,
) -> tuple[pa.Table, Span]:
    """Say it, and what stretch of time was looked at."""
    wakes = Sums(("woken", "waker"), ("times",))
    ids: list[Ints] = []
    names: list[pa.Array] = []
    columns = {
        "goroutine_transitions": ("goroutine", "from_state", "by_goroutine"),
        "goroutines": ("goroutine", "name"),
    }
    reading = Reading(tables, columns, start=start, end=end)
    for table, batch in reading:
        if table == "goroutines":
            ids.append(ints(batch.column("goroutine")))
            names.append(batch.column("name"))
            continue
        waited = codes_in(batch.column("from_state"), STATES) == STATES.index("waiting")
        kept = batch.filter(pc.and_(pa.array(waited), batch.column("by_goroutine").is_valid()))
        ones = pa.array(np.ones(kept.num_rows, np.int64))
        pairs = [kept.column("goroutine"), kept.column("by_goroutine"), ones]
        wakes.add(pa.table(pairs, ["woken", "waker", "times"]))
    found = _back(wakes.table(), goroutine, depth)
    known = np.concatenate(ids) if ids else np.zeros(0, np.int64)
    texts = pa.chunked_array(names, pa.utf8()) if names else pa.array([], pa.utf8())
    last = _last_places(known, found[:, 0])
    named = pc.take(texts, pa.array(last, mask=last < 0))
    whole = schema("related_goroutines")
    arrays = [pa.array(found[:, 0]), named, pa.array(found[:, 1]), pa.array(found[:, 2])]
    table = pa.table(arrays, names=whole.names).cast(whole)
    table = table.sort_by(
        [("distance", "ascending"), ("wakeups", "descending"), ("goroutine", "ascending")]
    )
    return table, reading.span


def _last_places(ids: Ints, wanted: Ints) -> Ints:
    """Give the last position of each number, which is of its last life; -1 for none."""
    order = np.argsort(ids, kind="stable")
    place = np.searchsorted(ids[order], wanted, side="right") - 1
    found = place >= 0
    found[found] = ids[order[place[found]]] == wanted[found]
    return np.where(found, np.append(order, -1)[place], -1)


def _back(wakes: pa.Table | None, goroutine: int, depth: int) -> Ints:
    """Give goroutine, distance, and how often it woke one that is a step nearer, a row each."""
    rows = [(goroutine, 0, 0)]
    if wakes is None:
        return np.array(rows, np.int64)
    woken, waker, times = (ints(wakes[name]) for name in ("woken", "waker", "times"))
    seen = np.array([goroutine], np.int64)
    nearest = seen
    for distance in range(1, depth + 1):
        at = np.isin(woken, nearest) & ~np.isin(waker, seen)
        nearest, of = np.unique(waker[at], return_inverse=True)
        if not len(nearest):
            break
        sums = np.zeros(len(nearest), np.int64)
        np.add.at(sums, of, times[at])
        rows += [(int(g), distance, int(n)) for g, n in zip(nearest, sums, strict=True)]
        seen = np.append(seen, nearest)
    return np.array(rows, np.int64)
