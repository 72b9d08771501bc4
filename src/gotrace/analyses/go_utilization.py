"""Mutator utilization as `go tool trace` shows it: for those who compare with it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import GoUtilization
from gotrace.analyses.procs import check_procs, numbers_of_procs
from gotrace.analyses.reading import Reading, Tables
from gotrace.analyses.sums import codes, codes_in, ints
from gotrace.arrays import Ints
from gotrace.spec.words import (
    KINDS,
    METRIC_GOMAXPROCS,
    RANGE_GC_ASSIST,
    RANGE_GC_SWEEP,
    RESOURCES,
    STATES,
)
from gotrace.tables.schema import schema

_COLUMNS: Final = (
    *("time_ns", "kind", "proc", "goroutine", "resource", "resource_id", "from_state", "to_state"),
    *("name", "value"),
)
_STOP, _ASSIST, _SWEEP, _PROCS, _WORKER, _DEDICATED = range(1, 7)


def go_utilization(tables: Tables, counting: Collection[str], *, per_proc: bool) -> pa.Table:
    """Make the table `mutator_utilization` as Go does; ValueError where Go's own fails."""
    machine = GoUtilization(per_proc=per_proc)
    for _, batch in Reading(tables, {"events": _COLUMNS}):
        goroutines = codes_in(batch.column("resource"), RESOURCES) == RESOURCES.index("goroutine")
        before = np.where(goroutines, codes_in(batch.column("from_state"), STATES), -1)
        machine.add(
            ints(batch.column("time_ns")),
            codes_in(batch.column("kind"), KINDS).astype(np.int8),
            _what(batch.column("name"), counting),
            ints(batch.column("proc"), -1),
            ints(batch.column("goroutine"), -1),
            ints(batch.column("resource_id"), -1),
            before.astype(np.int8),
            codes_in(batch.column("to_state"), STATES).astype(np.int8),
            _checked(batch),
        )
    if machine.failed_at != -1:
        raise ValueError(
            f"go tool trace fails on this trace, at {machine.failed_at} ns: a goroutine that once "
            "had a mark worker's label leaves a system call without a proc"
        )
    machine.finish()
    parts = [_series(machine, number, points) for number, points in enumerate(machine.series_of())]
    return pa.concat_tables(parts or [schema("mutator_utilization").empty_table()])


def _checked(batch: pa.RecordBatch) -> Ints:
    """Give the values of a batch, once those of GOMAXPROCS are known to be sane."""
    rows = batch.filter(pc.equal(batch.column("name"), METRIC_GOMAXPROCS))
    check_procs(ints(rows.column("time_ns")), numbers_of_procs(rows.column("value")))
    values: Ints = np.asarray(batch.column("value").fill_null(0)).view(np.int64)
    return values


def _what(names: pa.Array, counting: Collection[str]) -> np.ndarray:
    """Say which of the collector's doings each event is, and 0 for what does not count."""
    encoded = names.dictionary_encode()
    of_name = [_of_name(name, counting) for name in encoded.dictionary.to_pylist()]
    found: np.ndarray = np.array([*of_name, 0], np.int8)[codes(encoded)]
    return found


def _of_name(name: str, counting: Collection[str]) -> int:
    if name == METRIC_GOMAXPROCS:
        return _PROCS
    if name.startswith("stop-the-world") and "GC" in name:
        return _STOP if "stw" in counting else 0
    if name == RANGE_GC_ASSIST:
        return _ASSIST if "assist" in counting else 0
    if name == RANGE_GC_SWEEP:
        return _SWEEP if "sweep" in counting else 0
    if name.startswith("GC ") and name != "GC (idle)" and "background" in counting:
        return _DEDICATED if name == "GC (dedicated)" else _WORKER
    return 0


def _series(machine: GoUtilization, number: int, points: int) -> pa.Table:
    """Give a series as intervals; its last point is where it ends."""
    times, values = np.empty(points, np.int64), np.empty(points)
    machine.copy_to(number, times, values)
    rows = max(points - 1, 0)
    columns = {
        "series": pa.array(np.full(rows, number, np.int32)),
        "start_ns": pa.array(times[:-1]),
        "end_ns": pa.array(times[1:]),
        "duration_ns": pa.array(np.diff(times)),
        "utilization": pa.array(values[:-1]),
    }
    whole = schema("mutator_utilization")
    none = (pa.nulls(rows, field.type) for field in whole)
    arrays = [columns.get(field.name, null) for field, null in zip(whole, none, strict=True)]
    return pa.table(arrays, schema=whole)
