"""How busy procs were with goroutines, and how many procs there were."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gotrace.analyses.profile_columns import Ints
from gotrace.analyses.reading import Span
from gotrace.analyses.sums import Sums, ints
from gotrace.spec.words import METRIC_GOMAXPROCS
from gotrace.tables.schema import schema


class Procs:
    """Sums by proc, while intervals of goroutines and `metrics` go by."""

    def __init__(self) -> None:
        self._sums = Sums(("proc",), ("busy_ns", "runs"))
        self._maxima: list[tuple[int, int]] = []

    def add_runs(self, procs: pa.Array, times: Ints) -> None:
        """Add the proc of each running interval, null for an unknown one, and its ns."""
        ones = pa.array(np.ones(len(times), np.int64))
        rows = pa.table({"proc": procs, "busy_ns": pa.array(times), "runs": ones})
        self._sums.add(rows.filter(procs.is_valid()))

    def add_metrics(self, batch: pa.RecordBatch) -> None:
        """Take GOMAXPROCS out of metrics (time_ns, name, value)."""
        names = batch.column("name").to_pylist()
        for at, name in enumerate(names):
            if name == METRIC_GOMAXPROCS:
                row = (batch.column("time_ns")[at].as_py(), batch.column("value")[at].as_py())
                self._maxima.append(row)

    def maximum_at(self, times: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Give GOMAXPROCS at some times, and where it is unknown."""
        if not self._maxima:
            return np.zeros(len(times), np.int64), np.ones(len(times), np.bool_)
        changes = np.array(self._maxima, np.int64)
        at = np.searchsorted(changes[:, 0], times, side="right") - 1
        return changes[np.maximum(at, 0), 1], np.zeros(len(times), np.bool_)

    def table(self, span: Span) -> pa.Table:
        """Give the table `proc_utilization`; a proc that never ran anything has no row."""
        sums, wanted = self._sums.table(), schema("proc_utilization")
        if sums is None:
            return wanted.empty_table()
        sums = sums.sort_by("proc")
        total = pa.array(np.full(sums.num_rows, span.duration_ns))
        share = ints(sums["busy_ns"]) / max(span.duration_ns, 1)
        columns = [sums["proc"], sums["busy_ns"], total, pa.array(share), sums["runs"]]
        return pa.table(columns, schema=wanted)
