"""What procs were busy with, and how many procs there were."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import PairSums
from gotrace.analyses.clipping import pairs_of, within
from gotrace.analyses.reading import Span
from gotrace.analyses.sums import codes_in, ints
from gotrace.arrays import Bools, Ints
from gotrace.errors import LimitError
from gotrace.limits import MOST_PROCS
from gotrace.spec.words import METRIC_GOMAXPROCS
from gotrace.tables.schema import schema

STATE_COLUMNS: Final = ("proc", "start_ns", "end_ns", "state", "goroutine")
_SUMMED: Final = ("busy_ns", "scheduler_ns", "syscall_ns", "idle_ns")


def numbers_of_procs(values: pa.Array | pa.ChunkedArray) -> Ints:
    """Give values of GOMAXPROCS as int64; what is beyond it is its largest number."""
    most = pa.scalar(np.iinfo(np.int64).max, pa.uint64())
    return ints(pc.min_element_wise(values, most).cast(pa.int64()))


def check_procs(times: Ints, numbers: Ints) -> None:
    """Raise `LimitError` for more procs than there is room for, each of which costs time."""
    many = np.flatnonzero(numbers > MOST_PROCS)
    if len(many):
        raise LimitError(
            f"GOMAXPROCS is {numbers[many[0]]} at {times[many[0]]} ns: more than {MOST_PROCS} "
            "procs (limit MOST_PROCS), the trace seems to be damaged"
        )


class Procs:
    """Sums by proc, while `proc_states` and `metrics` go by."""

    def __init__(self) -> None:
        self._sums = PairSums(len(_SUMMED))
        self._maxima: list[tuple[int, int]] = []

    def add_states(self, batch: pa.RecordBatch, start_ns: int | None, end_ns: int | None) -> None:
        """Add what procs did in a stretch of time: rows with `STATE_COLUMNS`."""
        inside = within(batch, start_ns, end_ns)
        kinds = codes_in(batch.column("state"), ("running", "scheduler", "syscall", "idle"))
        alone = (kinds == 0) & np.asarray(batch.column("goroutine").is_null())
        kinds = np.where(inside > 0, kinds + alone, -1).astype(np.int8)
        self._sums.add(ints(batch.column("proc")), np.zeros(len(kinds), np.int64), kinds, inside)

    def add_metrics(self, batch: pa.RecordBatch) -> None:
        """Take GOMAXPROCS out of metrics (time_ns, name, value)."""
        rows = batch.filter(pc.equal(batch.column("name"), METRIC_GOMAXPROCS))
        times, values = ints(rows.column("time_ns")), numbers_of_procs(rows.column("value"))
        self._maxima += zip(times.tolist(), values.tolist(), strict=True)

    def maximum_at(self, times: Ints) -> tuple[Ints, Bools]:
        """Give GOMAXPROCS at some times, and where it is unknown."""
        if not self._maxima:
            return np.zeros(len(times), np.int64), np.ones(len(times), np.bool_)
        changes = np.array(self._maxima, np.int64)
        at = np.searchsorted(changes[:, 0], times, side="right") - 1
        return changes[np.maximum(at, 0), 1], np.zeros(len(times), np.bool_)

    def table(self, span: Span) -> pa.Table:
        """Give the table `proc_utilization`."""
        procs, _, sums, counts = pairs_of(self._sums)
        order = np.argsort(procs)
        total = np.full(len(order), span.duration_ns, np.int64)
        columns = {
            "proc": procs[order].astype(np.int32),
            **dict(zip(_SUMMED, sums[order].T, strict=True)),
            "total_ns": total,
            "utilization": sums[order, 0] / np.maximum(total, 1),
            "runs": counts[order, 0],
        }
        wanted = schema("proc_utilization")
        return pa.table([pa.array(columns[name]) for name in wanted.names], schema=wanted)
