"""What procs did with their time, and how many there were."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gotrace.analyses.clipping import within
from gotrace.analyses.profile_columns import Ints
from gotrace.analyses.reading import Reading
from gotrace.analyses.sums import Sums, codes_in, ints
from gotrace.spec.words import METRIC_GOMAXPROCS, STATES
from gotrace.tables.schema import schema

_TIMES = ("busy_ns", "empty_ns", "syscall_ns", "idle_ns")
_RUNNING, _SYSCALL = STATES.index("running"), STATES.index("syscall")
_IDLE = STATES.index("idle")


class Procs:
    """Sums by proc, while `proc_states` and `metrics` go by."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._sums = Sums(("proc",), (*_TIMES, "spells"))
        self._maxima: list[tuple[int, int]] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Add intervals (proc, start_ns, end_ns, state, goroutine)."""
        inside = within(batch, self._reading.start_ns, self._reading.end_ns)
        state = codes_in(batch.column("state"), STATES)
        on = batch.column("goroutine").is_valid().to_numpy(zero_copy_only=False)
        running = state == _RUNNING
        chosen = (running & on, running & ~on, state == _SYSCALL, state == _IDLE)
        columns = {
            name: pa.array(np.where(mask, inside, 0))
            for name, mask in zip(_TIMES, chosen, strict=True)
        }
        spells = pa.array((running & (inside > 0)).astype(np.int64))
        self._sums.add(pa.table({"proc": batch.column("proc"), **columns, "spells": spells}))

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

    def table(self) -> pa.Table:
        """Give the table `proc_utilization`."""
        sums, wanted = self._sums.table(), schema("proc_utilization")
        if sums is None:
            return wanted.empty_table()
        sums = sums.sort_by("proc")
        total = sum(ints(sums[name]) for name in _TIMES)
        columns = [sums["proc"], *(sums[name] for name in _TIMES), pa.array(total), sums["spells"]]
        return pa.table(columns, schema=wanted)
