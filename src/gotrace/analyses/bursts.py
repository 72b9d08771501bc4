"""Bursts of wakeups: one goroutine makes many others ready within a millisecond."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.sums import codes_in, ints
from gotrace.arrays import Ints
from gotrace.tables.schema import schema

BIN_NS: Final = 1_000_000
LEAST: Final = 8
"""Different goroutines that make a burst."""

_PLACE_BITS: Final = 15
_ODD: Final = 0x9E3779B97F4A7C15 - (1 << 64)
_COLUMNS: Final = ("time_ns", "goroutine", "by_goroutine", "by_stack_id")
_KEYS: Final = ("bin", "by_goroutine", "by_stack_id")


class Bursts:
    """The bursts among wakeups that come in the order of time."""

    def __init__(self) -> None:
        self._found: list[pa.Table] = []
        self._open: pa.Table | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Add transitions; those to runnable from waiting, or from nothing, are wakeups."""
        woken = codes_in(batch.column("to_state"), ("runnable",)) == 0
        woken &= codes_in(batch.column("from_state"), ("waiting", "notexist")) >= 0
        rows = pa.Table.from_batches([batch.select(_COLUMNS).filter(pa.array(woken))])
        if not rows.num_rows:
            return
        rows = rows.append_column("bin", pa.array(ints(rows["time_ns"]) // BIN_NS))
        if self._open is not None:
            rows = pa.concat_tables([self._open, rows])
        # The last millisecond goes on in the next batch, if it does not grow beyond reason.
        bins = ints(rows["bin"])
        behind = int(np.searchsorted(bins, bins[-1]))
        self._open = rows.slice(behind)
        self._close(rows.slice(0, behind), bins[:behind])

    def _close(self, rows: pa.Table, bins: np.ndarray) -> None:
        if not len(bins):
            return
        rows = rows.take(pa.array(_crowded(bins, rows)))
        if not rows.num_rows:
            return
        grouped = rows.group_by(list(_KEYS), use_threads=False).aggregate(
            [
                ("time_ns", "min"),
                ("time_ns", "max"),
                ("goroutine", "count_distinct"),
                ("goroutine", "count"),
            ]
        )
        self._found.append(
            grouped.filter(pc.greater_equal(grouped["goroutine_count_distinct"], LEAST))
        )

    def table(self) -> pa.Table:
        """Give the table `sched_bursts`."""
        if self._open is not None:
            self._close(self._open, ints(self._open["bin"]))
            self._open = None
        wanted = schema("sched_bursts")
        if not self._found:
            return wanted.empty_table()
        found = pa.concat_tables(self._found)
        columns = [
            found["time_ns_min"],
            found["time_ns_max"],
            found["by_goroutine"],
            found["by_stack_id"],
            found["goroutine_count_distinct"],
            found["goroutine_count"],
        ]
        return pa.table(columns, schema=wanted).sort_by(
            [("start_ns", "ascending"), ("by_goroutine", "ascending")]
        )


def _crowded(bins: Ints, rows: pa.Table) -> Ints:
    """Give the rows of wakers, and of some others, that wake often in a millisecond, not only one.

    Who wakes in which millisecond is hashed into few places: no burst is lost, and what comes with
    them is told apart later.
    """
    number = np.cumsum(np.append(0, bins[1:] != bins[:-1]))
    keys = (ints(rows["by_stack_id"]) ^ (ints(rows["by_goroutine"]) * _ODD)) + number
    places = ((keys * _ODD) >> (64 - _PLACE_BITS)) & ((1 << _PLACE_BITS) - 1)
    woken = ints(rows["goroutine"])
    often = np.bincount(places, minlength=1 << _PLACE_BITS) >= LEAST
    places = np.where(often[places], places, -1)
    at = np.flatnonzero(places >= 0)
    first = np.zeros(1 << _PLACE_BITS, np.int64)
    first[places[at]] = woken[at]
    several = np.zeros(1 << _PLACE_BITS, np.bool_)
    several[places[at][first[places[at]] != woken[at]]] = True
    found: Ints = at[several[places[at]]]
    return found


def by_waker(bursts: pa.Table) -> pa.Table:
    """Sum the table `sched_bursts` by the place that wakes; who woke the most at once comes first.

    Columns: bursts, woken, goroutines (that did it), by_goroutine and start_ns (of the largest),
    by_stack_id.
    """
    order = [("woken", "descending"), ("start_ns", "ascending")]
    largest_first = bursts.sort_by(order)
    grouped = largest_first.group_by("by_stack_id", use_threads=False).aggregate(
        [
            ("woken", "count"),
            ("woken", "max"),
            ("by_goroutine", "count_distinct"),
            ("by_goroutine", "first"),
            ("start_ns", "first"),
        ]
    )
    names = ["bursts", "woken", "goroutines", "by_goroutine", "start_ns"]
    held = [name for name in grouped.schema.names if name != "by_stack_id"]
    renamed = grouped.select([*held, "by_stack_id"]).rename_columns([*names, "by_stack_id"])
    return renamed.sort_by([("woken", "descending"), ("start_ns", "ascending")])
