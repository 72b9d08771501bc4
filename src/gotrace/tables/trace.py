"""`Trace`: an execution trace as named tables, each decoded when it is read."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gotrace.errors import ConsumedError, FormatError
from gotrace.sources.input import Input
from gotrace.tables.filters import RowFilter, clock_of
from gotrace.tables.pass_iterator import PassIterator
from gotrace.tables.passes import (
    BATCH_ROWS,
    FindWindow,
    Named,
    OnError,
    Pass,
    limited_schemas,
    salvages,
)
from gotrace.tables.schema import TABLES, resolve, schema
from gotrace.tables.table_source import TableSource
from gotrace.tables.threads import usable_threads
from gotrace.tables.times import Clock, When

if TYPE_CHECKING:
    from gotrace.sinks.parquet import TableWritten
    from gotrace.tables.generations import Generation
    from gotrace.tables.info import Info


class Trace(TableSource):
    """One execution trace. `gotrace.open` makes it; nothing is read before it is asked for.

    Every read is a pass of its own over the source: memory is bounded by a generation, not by the
    trace. A trace from a stream that can't seek can be passed over once. Threads may share it, and
    `cancel` it; `fault`, `notes` and `info` tell of the pass that began last. A forked process
    opens the trace anew; readers that it inherited raise `GotraceError`.

    Attributes:
        kind: "trace".
        name: what messages call the source.
        on_error: "fail", "salvage" or "skip".
    """

    kind = "trace"

    def __init__(self, given: Input, *, on_error: OnError = "fail") -> None:
        super().__init__(given, on_error=on_error)
        self._last: Pass | None = None
        self._lock = threading.Lock()
        self._running: weakref.WeakSet[Pass] = weakref.WeakSet()

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that it can give."""
        return tuple(TABLES)

    @property
    def fault(self) -> FormatError | None:
        """The typed error of the last pass; None when it found the source sound, or none was."""
        return self._last.fault if self._last is not None else None

    @property
    def notes(self) -> list[dict[str, Any]]:
        """Rows of the table `notes` that the last pass met; complete when it came to its end."""
        return list(self._last.notes) if self._last is not None else []

    def info(self) -> Info:
        """Return version, clock, duration, counts, completeness: one pass over the trace."""
        from gotrace.tables.info import collect

        return collect(self)

    def reader(
        self,
        name: str,
        columns: Iterable[str] | None = None,
        *,
        start: When | None = None,
        end: When | None = None,
        kinds: Iterable[str] | None = None,
        goroutines: Iterable[int] | None = None,
        generations: Iterable[int] | None = None,
        batch_rows: int = BATCH_ROWS,
        threads: int | None = None,
        compat: str | None = None,
    ) -> pa.RecordBatchReader:
        """Stream a table.

        `columns` chooses and orders columns; what is not chosen is not built. `start` and `end`
        (ns of the trace clock, "+1.5s" from its begin, RFC 3339, an aware datetime) keep the rows
        from `start` to before `end`, and intervals that touch that time. `kinds` keeps kinds of
        events, `goroutines` rows in or about these goroutines, `generations` events of these.
        Of a file that is not compressed, or bytes, only the generations that `start`, `end` and
        `generations` need are decoded (one stretch, from the first to the last). Where that leaves
        some out, a note says so: `seq` counts from the first that was decoded, and what began
        before it is as unknown as at the start of a trace. Anything else is decoded from its start.
        `batch_rows` is the most rows of a batch. `threads` is the most threads that decode, None
        what this process may keep busy; the rows and batches are the same for any. The second
        thread orders events while the first makes columns; there is work for two.

        `compat="go"` gives the numbers of Go's Summarizer where those of `goroutines`, `regions`
        and `tasks` differ on purpose; their rows may then come in another order.

        Raises `UnknownNameError`, ValueError for a filter that the table has no column for,
        `ConsumedError`; while it is read the errors of the trace (see `gotrace.errors`).
        """
        wishes = _wishes(start, end, kinds, goroutines, generations)
        wanted = schema(name, columns)
        filters = {name: RowFilter(name, **wishes)}
        how = _how(batch_rows, threads, compat)
        passing, picked = self._filtered({name: wanted}, filters, wishes, how)
        batches = PassIterator(passing, (batch for _, batch in picked))
        return pa.RecordBatchReader.from_batches(wanted, batches)

    def scan(
        self,
        names: str | Iterable[str] = "default",
        *,
        columns: Mapping[str, Iterable[str]] | None = None,
        start: When | None = None,
        end: When | None = None,
        kinds: Iterable[str] | None = None,
        goroutines: Iterable[int] | None = None,
        generations: Iterable[int] | None = None,
        batch_rows: int = BATCH_ROWS,
        threads: int | None = None,
        compat: str | None = None,
    ) -> PassIterator[Named]:
        """Iterate over `(name, RecordBatch)` of many tables in one pass.

        `names` are tables or sets ("summary", "default", "all"); `columns` may choose the columns
        of some. A row of `stacks` or `frames` comes before the first row that refers to it.
        The filters and `compat` are those of `reader`; a table without the columns for a filter is
        not cut by it.
        """
        wishes = _wishes(start, end, kinds, goroutines, generations)
        chosen = {name: tuple(wanted) for name, wanted in (columns or {}).items()}
        wanted = limited_schemas(resolve(names), chosen)
        how = _how(batch_rows, threads, compat)
        if all(given is None for given in wishes.values()):
            passing = self._begin(wanted, how)
            return PassIterator(passing, iter(passing))
        filters = {name: RowFilter.fitting(name, wishes) for name in wanted}
        return PassIterator(*self._filtered(wanted, filters, wishes, how))

    def generations(self) -> list[Generation]:
        """Index the generations from the headers of their batches, without decoding them.

        Raises FormatError where the framing is damaged, unless damage is salvaged.
        """
        from gotrace.tables.generations import index

        if self._input.consumed:
            raise ConsumedError(f"{self.name}: a stream can be read once, and it was read")
        return list(index(self._input, salvage=salvages(self.on_error)))

    def clock(self) -> Clock:
        """Return where it stands in time: its first event, and its wall clock where it has one.

        Costs a look at the headers of batches where the trace can be read in parts, else the
        decoding of its first generation. Raises what a pass raises.
        """
        from gotrace.tables.generations import hops
        from gotrace.tables.windows import clock_of_generation

        if hops(self._input):
            first = next(iter(self.generations()), None)
            if first is not None and first.start_ns is not None:
                return clock_of_generation(first)
        with closing(self.reader("syncs", ["time_ns", "snapshot_ns", "wall"])) as syncs:
            for batch in syncs:
                if batch.num_rows:
                    return clock_of(batch)
        return Clock(0, None)

    def to_parquet(
        self,
        path: str | os.PathLike[str],
        tables: str | Iterable[str] = "default",
        *,
        start: When | None = None,
        end: When | None = None,
        kinds: Iterable[str] | None = None,
        goroutines: Iterable[int] | None = None,
        generations: Iterable[int] | None = None,
        compat: str | None = None,
        **options: Any,
    ) -> Mapping[str, TableWritten]:
        """Write tables as Parquet into the new folder `path` in one pass.

        Returns rows, bytes and files per table. The filters and `compat` are those of `scan`;
        `options` are those of `gotrace.sinks.parquet.write_parquet`, like `overwrite`, `threads`
        (that encode beside the decoder) and `row_group_rows`.
        """
        from gotrace.sinks.parquet import write_parquet

        batches = self.scan(
            tables,
            start=start,
            end=end,
            kinds=kinds,
            goroutines=goroutines,
            generations=generations,
            compat=compat,
        )
        if compat is not None:
            options.setdefault("order", {})  # Go forgets lives that are over, so they come late
        passing = self._last
        assert passing is not None
        schemas = limited_schemas(resolve(tables))
        return write_parquet(
            batches, schemas, path, source={"name": self.name}, notes=passing.notes, **options
        )

    def cancel(self) -> None:
        """Stop every pass that is running, from any thread; what it reads next is the end."""
        with self._lock:
            running = list(self._running)
        for passing in running:
            passing.cancel()

    def _begin(
        self,
        schemas: dict[str, pa.Schema],
        how: Mapping[str, Any],
        find_window: FindWindow | None = None,
    ) -> Pass:
        if self._input.consumed:
            raise ConsumedError(f"{self.name}: a stream can be read once, and it was read")
        skipped = self._damage() if self.on_error == "skip" else None
        passing = Pass(
            self._input,
            schemas,
            salvage=salvages(self.on_error),
            skipped=skipped,
            find_window=find_window,
            **how,
        )
        self._last = self._started(passing)
        return passing

    def _started(self, passing: Pass) -> Pass:
        with self._lock:
            self._running.add(passing)
        return passing

    def _damage(self) -> FormatError | None:
        """Decode the source to its end before any row is given: what is wrong with it, or None."""
        if not self._input.source.reopenable:
            raise ValueError(f"{self.name}: on_error='skip' needs a source that can be read twice")
        try:
            for _ in self._started(Pass(self._input, {}, salvage=False)):
                pass
        except FormatError as error:
            return error
        return None

    def _filtered(
        self,
        wanted: Mapping[str, pa.Schema],
        filters: Mapping[str, RowFilter],
        wishes: Mapping[str, Any],
        how: Mapping[str, Any],
    ) -> tuple[Pass, Generator[Named, None, None]]:
        """Begin a pass over the columns that are wanted and those that filters look at."""
        from gotrace.tables.windows import WindowFinder

        filters = {name: row_filter for name, row_filter in filters.items() if row_filter}
        columns = {name: list(fields.names) for name, fields in wanted.items()}
        for name, row_filter in filters.items():
            columns[name] += row_filter.columns
            for side, needed in row_filter.side.items():
                columns.setdefault(side, []).extend(needed)
        schemas = {name: schema(name, dict.fromkeys(named)) for name, named in columns.items()}
        in_time = {key: given for key, given in wishes.items() if key in _WINDOW_WISHES}
        wish = RowFilter("events", **in_time)
        finder = WindowFinder(wish, filters.values()) if wish else None
        passing = self._begin(schemas, how, finder)
        return passing, _pick(passing, schemas, wanted, filters)


def check_compat(compat: str | None) -> None:
    """Raise ValueError for what nothing is compatible with."""
    if compat not in (None, "go"):
        raise ValueError(f"compat is None or 'go', not {compat!r}")


def _how(batch_rows: int, threads: int | None, compat: str | None) -> dict[str, Any]:
    """Check how a pass is to be made; ValueError for what is no way."""
    if batch_rows < 1:
        raise ValueError(f"batch_rows must be positive, not {batch_rows}")
    check_compat(compat)
    return {
        "batch_rows": batch_rows,
        "threads": usable_threads(threads),
        "go_numbers": compat == "go",
    }


def _wishes(
    start: When | None,
    end: When | None,
    kinds: Iterable[str] | None,
    goroutines: Iterable[int] | None,
    generations: Iterable[int] | None,
) -> dict[str, Any]:
    """Collect what rows are wanted by the names of `RowFilter`, to be read more than once."""
    return {
        "start": start,
        "end": end,
        "kinds": kinds if kinds is None or isinstance(kinds, str) else list(kinds),
        "goroutines": goroutines if goroutines is None else list(goroutines),
        "generations": generations if generations is None else list(generations),
    }


_WINDOW_WISHES = ("start", "end", "generations")


def _pick(
    batches: Iterable[Named],
    schemas: Mapping[str, pa.Schema],
    wanted: Mapping[str, pa.Schema],
    filters: Mapping[str, RowFilter],
) -> Generator[Named, None, None]:
    """Cut batches, which have the columns of `schemas`, to the rows and columns that are wanted."""
    too_wide = {name for name in wanted if schemas[name].names != wanted[name].names}

    def cut(name: str, batch: pa.RecordBatch) -> Named:
        if name in too_wide:
            columns = batch.select(wanted[name].names).columns
            batch = pa.RecordBatch.from_arrays(columns, schema=wanted[name])
        return name, batch

    for name, batch in batches:
        for own, row_filter in filters.items():
            for kept in row_filter.push(name, batch):
                yield cut(own, kept)
        if name in wanted and name not in filters:
            yield cut(name, batch)
        if len(filters) == len(wanted) and all(each.done for each in filters.values()):
            return
    for own, row_filter in filters.items():
        for kept in row_filter.rest():
            yield cut(own, kept)
