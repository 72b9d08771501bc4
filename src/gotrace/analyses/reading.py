"""One pass over tables of a trace, cut to a stretch of time, and where that stretch lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from gotrace.tables.filters import RowFilter, clock_of
from gotrace.tables.times import Clock, When, point

if TYPE_CHECKING:
    from gotrace.tables.trace import Trace

Columns = Mapping[str, Sequence[str]]
Named = tuple[str, pa.RecordBatch]


Tables: TypeAlias = "Mapping[str, pa.Table] | Trace"
"""What an analysis of a trace takes: tables by name, or a trace, whose tables it streams."""


@dataclass(frozen=True)
class Span:
    """The stretch of a trace that was looked at.

    Attributes:
        origin_ns: trace time of the trace's first event, which people's times count from.
        start_ns, end_ns: the stretch, on the trace clock.
        wall_ns: Unix time of `origin_ns`; None where the trace has no wall clock.
    """

    origin_ns: int
    start_ns: int
    end_ns: int
    wall_ns: int | None = None

    @property
    def duration_ns(self) -> int:
        """Its length; 0 for an empty trace."""
        return self.end_ns - self.start_ns

    def cut(self, start_ns: int | None, end_ns: int | None) -> Span:
        """Give the part from one time to before another, None for open; it may be empty."""
        start = self.start_ns if start_ns is None else max(self.start_ns, start_ns)
        end = self.end_ns if end_ns is None else min(self.end_ns, end_ns)
        return replace(self, start_ns=start, end_ns=max(start, end))


class Reading:
    """Iterate over `(table, RecordBatch)` of the tables in `columns`, in one pass over `tables`.

    With `start` or `end` point tables lose the rows outside; of intervals those that touch the
    stretch are kept, whole: `clipped` says how much of each lies in it. `compat` is as for
    `Trace.scan`. After the pass `span` is what was looked at. Raises ValueError for a time that the
    clock cannot place, and what the source raises.
    """

    def __init__(
        self,
        tables: Tables,
        columns: Columns,
        *,
        start: When | None = None,
        end: When | None = None,
        compat: str | None = None,
    ) -> None:
        self._tables = tables
        self._compat = compat
        self._columns = columns
        clock = _clock(tables) if start is not None or end is not None else None
        self.start_ns, self.end_ns = (_resolved(given, clock) for given in (start, end))
        self._clock = clock
        self._last_ns: int | None = None

    def __iter__(self) -> Iterator[Named]:
        """Iterate over the batches, once it is known when the trace began."""
        held: list[Named] = []
        for name, batch in self._batches():
            if batch.num_rows:
                self._observe(name, batch)
            if name in self._columns:
                held.append((name, batch))
            if self._clock is not None:
                yield from held
                held.clear()
        yield from held

    @property
    def span(self) -> Span:
        """What was looked at; complete after the pass."""
        clock = self._clock or Clock(0, None)
        last = clock.start_ns if self._last_ns is None else self._last_ns
        offset = clock.wall_offset_ns
        wall = None if offset is None else clock.start_ns + offset
        whole = Span(clock.start_ns, clock.start_ns, last, wall)
        return whole.cut(self.start_ns, self.end_ns)

    def _batches(self) -> Iterator[Named]:
        columns = {name: list(dict.fromkeys(wanted)) for name, wanted in self._columns.items()}
        of_time = {
            name: list(dict.fromkeys([*columns.pop(name, ()), *needed]))
            for name, needed in _OF_TIME.items()
        }
        columns = {**of_time, **columns}
        window = {"start": self.start_ns, "end": self.end_ns}
        if not isinstance(self._tables, Mapping):
            yield from self._tables.scan(
                list(columns),
                columns=columns,
                start=self.start_ns,
                end=self.end_ns,
                compat=self._compat,
            )
            return
        windowed = self.start_ns is not None or self.end_ns is not None
        for name, wanted in columns.items():
            if name not in self._tables and name in _OF_TIME:
                continue
            kept = RowFilter.fitting(name, window) if windowed else None
            chosen = dict.fromkeys([*wanted, *(kept.columns if kept else ())])
            for batch in self._tables[name].select(list(chosen)).to_batches():
                cut = kept.push(name, batch) if kept else (batch,)
                yield from ((name, each.select(wanted)) for each in cut)

    def _observe(self, name: str, batch: pa.RecordBatch) -> None:
        if name == "syncs":
            if self._clock is None:
                self._clock = clock_of(batch)
            self._seen(batch.column("time_ns"))
        elif name == "generations":
            self._seen(batch.column("end_ns"))

    def _seen(self, times: pa.Array) -> None:
        last = pc.max(times).as_py()
        if last is not None:
            self._last_ns = last if self._last_ns is None else max(self._last_ns, last)


_OF_TIME: Columns = {
    "syncs": ("time_ns", "snapshot_ns", "wall"),
    "generations": ("start_ns", "end_ns"),
}


def window_of(
    tables: Tables, start: When | None, end: When | None
) -> tuple[int | None, int | None]:
    """Give two times as ns of the trace clock; ValueError for what the clock cannot place."""
    clock = _clock(tables) if start is not None or end is not None else None
    return _resolved(start, clock), _resolved(end, clock)


def _clock(tables: Tables) -> Clock | None:
    if not isinstance(tables, Mapping):
        return tables.clock()
    syncs = tables.get("syncs")
    return clock_of(syncs.combine_chunks().to_batches()[0]) if syncs else None


def _resolved(given: When | None, clock: Clock | None) -> int | None:
    if given is None:
        return None
    at = point(given)
    if clock is None and at.origin != "trace":
        raise ValueError(f"{given}: without the table syncs only ns of the trace clock are known")
    return at.resolve(clock or Clock(0, None))
