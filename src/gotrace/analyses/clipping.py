"""Intervals cut to a stretch of time, and what goroutines did in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import PairSums
from gotrace.analyses.reading import Columns, Named, Reading, Span, Tables
from gotrace.analyses.sums import Numbering, codes_in, ints
from gotrace.arrays import Ints
from gotrace.tables.times import When


def within(
    batch: pa.RecordBatch | pa.Table,
    start_ns: int | None,
    end_ns: int | None,
    rows: Ints | None = None,
) -> Ints:
    """Give how much of each interval (start_ns, end_ns) lies in a stretch, in ns; 0 for nothing.

    `rows` are those that matter; None for all.
    """
    first, last = ints(batch.column("start_ns")), ints(batch.column("end_ns"))
    if rows is not None:
        first, last = first[rows], last[rows]
    if start_ns is not None:
        first = np.maximum(first, start_ns)
    if end_ns is not None:
        last = np.minimum(last, end_ns)
    inside: Ints = np.maximum(last - first, 0)
    return inside


TIME_OF_STATE: Final = {
    "running": "exec_ns",
    "runnable": "sched_ns",
    "syscall": "syscall_ns",
    "waiting": "block_ns",
}
_WORD_BITS: Final = 32
_RUNNING, _WAITING = (list(TIME_OF_STATE).index(word) for word in ("running", "waiting"))
_OWN: Final = ("goroutine", "life")
_TIMES: Final = (*TIME_OF_STATE.values(), "total_ns", "runs")


def clipped_goroutines(
    tables: Tables,
    columns: Columns,
    start: When | None,
    end: When | None,
) -> tuple[Iterator[Named], Span]:
    """Give the batches that `columns` ask for, those of `goroutines` with the times of a stretch.

    What lies in the stretch is added up from `goroutine_states` and `ranges`. Goroutines that have
    no part in it are left out. Raises what `Reading` raises.
    """
    wanted = {name: [*named] for name, named in columns.items()}
    facts = [name for name in wanted["goroutines"] if name not in (*_TIMES, *_MADE)]
    wanted["goroutines"] = list(dict.fromkeys([*_OWN, *facts]))
    wanted["goroutine_states"] = [*_OWN, "start_ns", "end_ns", "state", "reason"]
    wanted["ranges"] = ["name", "goroutine", "start_ns", "end_ns"]
    reading = Reading(tables, wanted, start=start, end=end)
    stretch = _Stretch(reading)
    others: list[Named] = []
    for name, batch in reading:
        if not stretch.add(name, batch):
            others.append((name, batch))

    def batches() -> Iterator[Named]:
        yield from others
        for batch in stretch.goroutines().to_batches():
            yield "goroutines", batch

    return batches(), reading.span


_MADE: Final = ("syscall_block_ns", "unknown_ns", "block", "range")


class _Stretch:
    """What goroutines did in a stretch of time, while the batches go by."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._times = PairSums(len(TIME_OF_STATE))  # by goroutine and life
        self._reasons = PairSums(1)  # by goroutine, and life and reason
        self._ranges = PairSums(1)  # by goroutine and name
        self._words, self._names = Numbering(), Numbering()
        self._rows: list[pa.RecordBatch] = []

    def add(self, name: str, batch: pa.RecordBatch) -> bool:
        """Take a batch; False when it is of a table that does not matter here."""
        if name == "goroutines":
            self._rows.append(batch)
        elif name == "goroutine_states":
            self._add_states(batch)
        elif name == "ranges":
            self._add_ranges(batch)
        else:
            return False
        return True

    def _within(self, batch: pa.RecordBatch) -> Ints:
        return within(batch, self._reading.start_ns, self._reading.end_ns)

    def _add_states(self, batch: pa.RecordBatch) -> None:
        inside = self._within(batch)
        goroutine, life = (ints(batch.column(name)) for name in _OWN)
        state = codes_in(batch.column("state"), list(TIME_OF_STATE))
        kinds = np.where(inside > 0, state, -1).astype(np.int8)
        self._times.add(goroutine, life, kinds, inside)
        waited = np.where(kinds == _WAITING, 0, -1).astype(np.int8)
        reason = self._words.of(batch.column("reason"))
        self._reasons.add(goroutine, life << _WORD_BITS | reason, waited, inside)

    def _add_ranges(self, batch: pa.RecordBatch) -> None:
        inside = self._within(batch)
        kept = np.asarray(batch.column("goroutine").is_valid()) & (inside > 0)
        name = self._names.of(batch.column("name"))
        kinds = np.where(kept, 0, -1).astype(np.int8)
        self._ranges.add(ints(batch.column("goroutine")), name, kinds, inside)

    def goroutines(self) -> pa.Table:
        """Give the rows of `goroutines` that have a part in the stretch, its times in them."""
        if not self._rows or not len(self._times):
            return pa.table({})
        rows = pa.Table.from_batches(self._rows)
        place = np.empty(rows.num_rows, np.int64)
        self._times.find(ints(rows["goroutine"]), ints(rows["life"]), place)
        there = place >= 0
        rows, place = rows.filter(pa.array(there)), place[there]
        _, _, sums, counts = pairs_of(self._times)
        own = sums[place]
        for code, column in enumerate(TIME_OF_STATE.values()):
            rows = rows.append_column(column, pa.array(own[:, code]))
        rows = rows.append_column("total_ns", pa.array(own.sum(axis=1)))
        rows = rows.append_column("runs", pa.array(counts[place, _RUNNING]))
        none = pa.array(np.zeros(rows.num_rows, np.int64))
        rows = rows.append_column("syscall_block_ns", none).append_column("unknown_ns", none)
        rows = rows.append_column("block", self._block(place))
        rows = rows.append_column("range", self._range(ints(rows["goroutine"])))
        return self._ended_later(rows)

    def _block(self, place: Ints) -> pa.ListArray:
        """Give each row, by its place among the times, how long it waited for what reason."""
        goroutine, key, sums, _ = pairs_of(self._reasons)
        of = np.empty(len(key), np.int64)
        self._times.find(goroutine, key >> _WORD_BITS, of)
        row = np.full(len(self._times), -1, np.int64)
        row[place] = np.arange(len(place))
        word = key & ((1 << _WORD_BITS) - 1)
        return _lists(row[of], word, sums[:, 0], self._words.values, "reason", len(place))

    def _range(self, goroutines: Ints) -> pa.ListArray:
        """Give each goroutine how long it was in ranges; of several lives the last."""
        goroutine, name, sums, _ = pairs_of(self._ranges)
        order = np.argsort(goroutines, kind="stable")
        at = np.searchsorted(goroutines[order], goroutine, side="right") - 1
        row = order[np.maximum(at, 0)] if len(order) else np.zeros(len(at), np.int64)
        known = (at >= 0) & (goroutines[row] == goroutine) if len(order) else at >= 0
        row = np.where(known, row, -1)
        return _lists(row, name, sums[:, 0], self._names.values, "name", len(goroutines))

    def _ended_later(self, rows: pa.Table) -> pa.Table:
        """Take away the ends that lie behind the stretch."""
        end, name = self._reading.end_ns, "ended_at_ns"
        if end is None or name not in rows.schema.names:
            return rows
        ended = pc.if_else(pc.less(rows[name], end), rows[name], None)
        return rows.set_column(rows.schema.get_field_index(name), name, ended)


def pairs_of(sums: PairSums) -> tuple[Ints, Ints, Ints, Ints]:
    """Give the pairs, and their sums and counts: (pairs, kinds)."""
    size = len(sums)
    a, b = np.empty(size, np.int64), np.empty(size, np.int64)
    totals, counts = (np.empty((size, sums.kinds), np.int64) for _ in range(2))
    sums.copy_to(a, b, totals, counts)
    return a, b, totals, counts


def _lists(
    rows: Ints, words: Ints, sums: Ints, texts: Sequence[str | None], name: str, size: int
) -> pa.ListArray:
    """Give each of `size` rows its sums as a list of structs; row -1 is nobody's."""
    order = np.lexsort((words, rows))
    order = order[np.searchsorted(rows[order], 0) :]
    counts = np.bincount(rows[order], minlength=size)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]).astype(np.int32)
    fields = [pa.field(name, pa.utf8()), pa.field("ns", pa.int64())]
    held = [pa.array(texts, pa.utf8()).take(pa.array(words[order])), pa.array(sums[order])]
    values = pa.StructArray.from_arrays(held, fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets), values)
