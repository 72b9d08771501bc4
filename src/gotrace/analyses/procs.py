"""How busy procs were with goroutines, and how many procs there were."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.profile_columns import Ints
from gotrace.analyses.reading import Span
from gotrace.analyses.sums import ints
from gotrace.errors import LimitError
from gotrace.limits import MOST_PROCS
from gotrace.spec.words import METRIC_GOMAXPROCS
from gotrace.tables.schema import schema

_MANY: Final = 1 << 16


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
    """Sums by proc, while intervals of goroutines and `metrics` go by."""

    def __init__(self) -> None:
        self._sums: dict[int, list[int]] = {}
        self._maxima: list[tuple[int, int]] = []

    def add_runs(self, procs: Ints, times: Ints) -> None:
        """Add the proc of each running interval, -1 for an unknown one, and its ns."""
        if not len(procs):
            return
        ids = np.arange(int(procs.max()) + 1)
        if len(ids) > _MANY:  # ids come from the trace: no table of them is as long as it says
            ids, procs = np.unique(procs, return_inverse=True)
        times, procs = times[procs >= 0], procs[procs >= 0]
        busy, runs = (np.bincount(procs, weights, len(ids)) for weights in (times, None))
        for at in np.flatnonzero(runs).tolist():
            if ids[at] >= 0:
                sums = self._sums.setdefault(int(ids[at]), [0, 0])
                sums[0] += int(busy[at])
                sums[1] += int(runs[at])

    def add_metrics(self, batch: pa.RecordBatch) -> None:
        """Take GOMAXPROCS out of metrics (time_ns, name, value)."""
        rows = batch.filter(pc.equal(batch.column("name"), METRIC_GOMAXPROCS))
        times, values = ints(rows.column("time_ns")), numbers_of_procs(rows.column("value"))
        self._maxima += zip(times.tolist(), values.tolist(), strict=True)

    def maximum_at(self, times: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Give GOMAXPROCS at some times, and where it is unknown."""
        if not self._maxima:
            return np.zeros(len(times), np.int64), np.ones(len(times), np.bool_)
        changes = np.array(self._maxima, np.int64)
        at = np.searchsorted(changes[:, 0], times, side="right") - 1
        return changes[np.maximum(at, 0), 1], np.zeros(len(times), np.bool_)

    def table(self, span: Span) -> pa.Table:
        """Give the table `proc_utilization`; a proc that never ran anything has no row."""
        total = span.duration_ns
        rows = [
            {
                "proc": proc,
                "busy_ns": busy,
                "total_ns": total,
                "utilization": busy / max(total, 1),
                "runs": runs,
            }
            for proc, (busy, runs) in sorted(self._sums.items())
        ]
        return pa.Table.from_pylist(rows, schema("proc_utilization"))
