"""What is this file: version, clock, duration, counts, completeness. One pass, few columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from gotrace.sources.sniff import RUNTIMES
from gotrace.tables.passes import Pass

if TYPE_CHECKING:
    from gotrace.tables.trace import Trace


@dataclass(frozen=True)
class Info:
    """What a trace says about itself.

    Attributes:
        source: name of the input.
        kind: "trace".
        header: the version in the header, like "go 1.26".
        runtimes: the releases of Go that write this header.
        compression: "gzip", "zstd" or None.
        compressed_bytes: bytes read from the source.
        trace_bytes: bytes of the trace itself.
        start_ns, end_ns, duration_ns: first and last event on the trace clock; None without any.
        wall_start: wall time of the first event, where a clock snapshot tells it.
        clock_source: "clock_snapshot" (Go 1.25 and later) or "none".
        clock_error_ns: how far the wall clock may be off: one tick of the trace clock; or None.
        freq_hz: ticks of the trace clock per second, of the first generation.
        events: rows of `events`.
        kinds: rows of `events` by kind, most frequent first.
        generations: rows of the table `generations`.
        stacks, frames: distinct stacks and frames.
        complete: the decoder came to the end and met no damage; None where the format can't say
            whether more should follow (Go 1.25 and before).
        fault: what is wrong with it, or None.
        notes: rows of the table `notes`.
    """

    source: str
    kind: str
    header: str
    runtimes: str
    compression: str | None
    compressed_bytes: int
    trace_bytes: int
    start_ns: int | None
    end_ns: int | None
    duration_ns: int | None
    wall_start: datetime | None
    clock_source: str
    clock_error_ns: int | None
    freq_hz: int | None
    events: int
    kinds: dict[str, int]
    generations: list[dict[str, Any]]
    stacks: int
    frames: int
    complete: bool | None
    fault: str | None
    notes: list[dict[str, Any]] = field(default_factory=list)


_COLUMNS = {
    "events": ("kind", "time_ns"),
    "stacks": ("depth",),
    "frames": ("line",),
    "syncs": ("time_ns", "snapshot_ns", "wall"),
}


class _Tally:
    """What is counted while the batches go by."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.generations: list[dict[str, Any]] = []
        self.start_ns: int | None = None
        self.end_ns: int | None = None
        self.wall_ns: int | None = None

    def add(self, name: str, batch: Any) -> None:
        self.rows[name] += batch.num_rows
        if not batch.num_rows:
            return
        if name == "events":
            self._add_events(batch)
        elif name == "generations":
            self.generations += batch.to_pylist()
        elif name == "syncs" and self.wall_ns is None:
            self._add_clock(batch)

    def _add_events(self, batch: Any) -> None:
        column = batch.column("kind")
        for item in pc.value_counts(column.indices).to_pylist():
            self.kinds[column.dictionary[item["values"]].as_py()] += item["counts"]
        times = batch.column("time_ns")
        self.start_ns = times[0].as_py() if self.start_ns is None else self.start_ns
        self.end_ns = times[-1].as_py()

    def _add_clock(self, batch: Any) -> None:
        snapshot, wall = batch.column("snapshot_ns")[0].as_py(), batch.column("wall")[0]
        if snapshot is not None and wall.is_valid:
            self.wall_ns = wall.value + batch.column("time_ns")[0].as_py() - snapshot


def collect(trace: Trace) -> Info:
    """Pass over the trace once and tell what it is; damage is told, not raised, if salvaging."""
    tally = _Tally()
    sniffed, compression = trace._input.peek()
    names = ("events", "stacks", "frames", "generations", "syncs")
    for name, batch in trace.scan(names, columns=_COLUMNS):
        tally.add(name, batch)
    passing = trace._last
    assert passing is not None
    damaged = passing.fault or any(note["severity"] == "error" for note in passing.notes)
    freq = next((g["freq_hz"] for g in tally.generations if g["freq_hz"]), None)
    minor = sniffed.minor or 0
    return Info(
        source=trace.name,
        kind=trace.kind,
        header=f"go 1.{minor}",
        runtimes=RUNTIMES.get(minor, f"Go 1.{minor}"),
        compression=compression,
        compressed_bytes=passing.raw_bytes,
        trace_bytes=passing.trace_bytes,
        start_ns=tally.start_ns,
        end_ns=tally.end_ns,
        duration_ns=_span(tally.start_ns, tally.end_ns),
        wall_start=_wall(tally.wall_ns),
        clock_source="none" if tally.wall_ns is None else "clock_snapshot",
        clock_error_ns=None if tally.wall_ns is None or not freq else max(1, round(1e9 / freq)),
        freq_hz=freq,
        events=tally.rows["events"],
        kinds=dict(tally.kinds.most_common()),
        generations=tally.generations,
        stacks=tally.rows["stacks"],
        frames=tally.rows["frames"],
        complete=False if damaged else _complete(tally.generations, minor, passing),
        fault=str(passing.fault) if passing.fault else None,
        notes=list(passing.notes),
    )


def _complete(generations: list[dict[str, Any]], minor: int, passing: Pass) -> bool | None:
    if not passing.whole or any(row["complete"] is False for row in generations):
        return False
    return True if minor >= 26 else None


def _span(start: int | None, end: int | None) -> int | None:
    return None if start is None or end is None else end - start


def _wall(unix_ns: int | None) -> datetime | None:
    from datetime import timezone

    return None if unix_ns is None else datetime.fromtimestamp(unix_ns / 1e9, tz=timezone.utc)
