"""Intervals cut to a stretch of time, and what goroutines did in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.profile_columns import Ints
from gotrace.analyses.reading import Columns, Named, Reading, Span, Tables
from gotrace.analyses.sums import Sums, codes_in, ints, whole
from gotrace.tables.times import When


def within(batch: pa.RecordBatch | pa.Table, start_ns: int | None, end_ns: int | None) -> Ints:
    """Give how much of each interval (start_ns, end_ns) lies in a stretch, in ns; 0 for nothing."""
    first, last = ints(batch.column("start_ns")), ints(batch.column("end_ns"))
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
        self._times = Sums(_OWN, _TIMES)
        self._reasons = Sums((*_OWN, "of"), ("ns",))
        self._ranges = Sums(("goroutine", "of"), ("ns",))
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
        own = {name: batch.column(name) for name in _OWN}
        state = codes_in(batch.column("state"), list(TIME_OF_STATE))
        times = {
            column: pa.array(np.where(state == code, inside, 0))
            for code, column in enumerate(TIME_OF_STATE.values())
        }
        ran = (state == _RUNNING) & (inside > 0)
        times |= {"total_ns": pa.array(inside), "runs": pa.array(ran.astype(np.int64))}
        self._times.add(pa.table({**own, **times}).filter(pa.array(inside > 0)))
        waits = pa.array((state == _WAITING) & (inside > 0))
        reason = batch.column("reason").cast(pa.utf8())
        rows = pa.table({**own, "of": reason, "ns": pa.array(inside)})
        self._reasons.add(rows.filter(waits))

    def _add_ranges(self, batch: pa.RecordBatch) -> None:
        inside = self._within(batch)
        kept = pc.and_(batch.column("goroutine").is_valid(), pa.array(inside > 0))
        rows = {
            "goroutine": batch.column("goroutine"),
            "of": batch.column("name"),
            "ns": pa.array(inside),
        }
        self._ranges.add(pa.table(rows).filter(kept))

    def goroutines(self) -> pa.Table:
        """Give the rows of `goroutines` that have a part in the stretch, its times in them."""
        times = self._times.table()
        if times is None or not self._rows:
            return pa.table({})
        rows = pa.Table.from_batches(self._rows).join(times, list(_OWN), join_type="inner")
        none = pa.array(np.zeros(rows.num_rows, np.int64))
        rows = rows.append_column("syscall_block_ns", none).append_column("unknown_ns", none)
        position = pa.array(np.arange(rows.num_rows))
        owners = rows.select(list(_OWN)).append_column("row", position)
        rows = rows.append_column("block", _lists(self._reasons.table(), owners, _OWN, "reason"))
        rows = rows.append_column(
            "range", _lists(self._ranges.table(), owners, ("goroutine",), "name")
        )
        return self._ended_later(rows)

    def _ended_later(self, rows: pa.Table) -> pa.Table:
        """Take away the ends that lie behind the stretch."""
        end, name = self._reading.end_ns, "ended_at_ns"
        if end is None or name not in rows.schema.names:
            return rows
        ended = pc.if_else(pc.less(rows[name], end), rows[name], None)
        return rows.set_column(rows.schema.get_field_index(name), name, ended)


def _lists(sums: pa.Table | None, owners: pa.Table, keys: Sequence[str], name: str) -> pa.ListArray:
    """Give each owner, in order, its sums as a list of structs."""
    fields = [pa.field(name, pa.utf8()), pa.field("ns", pa.int64())]
    size = owners.num_rows
    if sums is None:
        return pa.array([[]] * size, pa.list_(pa.struct(fields)))
    held = sums.join(owners, list(keys), join_type="inner").sort_by("row").combine_chunks()
    counts = np.bincount(ints(held["row"]), minlength=size)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]).astype(np.int32)
    values = pa.StructArray.from_arrays([whole(held["of"]), whole(held["ns"])], fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets), values)
