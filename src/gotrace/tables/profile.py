"""`Profile`: a pprof profile as named tables, with the interface of a `Trace`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from gotrace.errors import ConsumedError, FormatError, LimitError
from gotrace.sources.base import Chunk
from gotrace.sources.compressed import Plain
from gotrace.sources.input import Input
from gotrace.sources.sniff import HEAD_BYTES, text_profile
from gotrace.tables.passes import BATCH_ROWS, Named, OnError
from gotrace.tables.profile_info import COLUMNS, Contents
from gotrace.tables.schema import PROFILE_TABLES, resolve, schema
from gotrace.tables.table_source import TableSource

if TYPE_CHECKING:
    from gotrace.sinks.parquet import TableWritten
    from gotrace.tables.profile_raw import RawProfile


Made = TypeVar("Made")


@dataclass(frozen=True)
class ProfileInfo:
    """What a profile says about itself.

    Attributes:
        source: name of the input.
        kind: "profile".
        compression: "gzip", "zstd", "gzip+gzip" or None.
        compressed_bytes: bytes read from the source.
        profile_bytes: bytes of the profiles themselves.
        profiles: rows of the table `profiles`, their `time` in nanoseconds since 1970; with
            `totals` by value type, `labels` (samples by key), `program` and `build_id`.
        complete: whether no damage was met.
        fault: what is wrong with it, or None.
        notes: rows of the table `notes`.
    """

    source: str
    kind: str
    compression: str | None
    compressed_bytes: int
    profile_bytes: int
    profiles: list[dict[str, Any]]
    complete: bool
    fault: str | None
    notes: list[dict[str, Any]] = field(default_factory=list)


class Profile(TableSource):
    """One file of one or several pprof profiles. `gotrace.open` makes it.

    Every read decodes anew; a profile is held in memory while it is decoded, for its names may
    stand at its end. A profile from a stream that can't seek can be read once.

    Attributes:
        kind: "profile".
        name: what messages call the source.
        on_error: "fail", "salvage" or "skip".
        fault: the typed error of the last pass, or None.
        notes: rows of the table `notes` that the last pass met.
    """

    kind = "profile"

    def __init__(self, given: Input, *, on_error: OnError = "fail") -> None:
        super().__init__(given, on_error=on_error)
        self.fault: FormatError | None = None
        self.notes: list[dict[str, Any]] = []
        self._cancelled = False
        self._read: tuple[int, int, str | None] = (0, 0, None)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that it can give."""
        return tuple(PROFILE_TABLES)

    def info(self) -> ProfileInfo:
        """Return what is in it: one pass."""
        rows: list[dict[str, Any]] = []
        contents = Contents()
        for name, batch in self.scan(["profiles", "notes", *COLUMNS], columns=COLUMNS):
            if name == "profiles":
                rows += _plain_times(batch).to_pylist()
            elif name != "notes":
                contents.add(name, batch)
        profiles = [{**row, **contents.of(row)} for row in rows]
        raw_bytes, out_bytes, container = self._read
        damaged = self.fault or any(note["severity"] == "error" for note in self.notes)
        return ProfileInfo(
            source=self.name,
            kind=self.kind,
            compression=container,
            compressed_bytes=raw_bytes,
            profile_bytes=out_bytes,
            profiles=profiles,
            complete=not damaged,
            fault=str(self.fault) if self.fault else None,
            notes=list(self.notes),
        )

    def reader(
        self,
        name: str,
        columns: Iterable[str] | None = None,
        *,
        batch_rows: int = BATCH_ROWS,
        threads: int | None = None,
    ) -> pa.RecordBatchReader:
        """Stream a table; `columns` chooses and orders columns.

        Raises `UnknownNameError`, `ConsumedError`; while it is read `FormatError` and `LimitError`.
        """
        resolve([name], PROFILE_TABLES)
        wanted = schema(name, columns)
        chosen = {name: tuple(wanted.names)}
        batches = self.scan([name], columns=chosen, batch_rows=batch_rows, threads=threads)
        return pa.RecordBatchReader.from_batches(wanted, (batch for _, batch in batches))

    def scan(
        self,
        names: str | Iterable[str] = "default",
        *,
        columns: Mapping[str, Iterable[str]] | None = None,
        batch_rows: int = BATCH_ROWS,
        threads: int | None = None,
    ) -> Iterator[Named]:
        """Iterate over `(name, RecordBatch)` of many tables in one pass.

        A row of `stacks`, `frames` or `label_sets` comes before the first that refers to it.
        """
        if batch_rows < 1:
            raise ValueError(f"batch_rows must be positive, not {batch_rows}")
        if threads is not None and threads < 1:
            raise ValueError(f"threads must be positive, not {threads}")
        if self._input.consumed:
            raise ConsumedError(f"{self.name}: a stream can be read once, and it was read")
        schemas = {
            name: schema(name, (columns or {}).get(name)) for name in resolve(names, PROFILE_TABLES)
        }
        self.fault, self.notes, self._cancelled = None, [], False
        return self._pass(schemas, batch_rows)

    def to_parquet(
        self, path: str | os.PathLike[str], tables: str | Iterable[str] = "default", **options: Any
    ) -> Mapping[str, TableWritten]:
        """Write tables as Parquet into the new folder `path`; see `Trace.to_parquet`."""
        from gotrace.sinks.parquet import write_parquet

        schemas = {name: schema(name) for name in resolve(tables, PROFILE_TABLES)}
        return write_parquet(
            self.scan(tables),
            schemas,
            path,
            source={"name": self.name},
            notes=self.notes,
            **options,
        )

    def cancel(self) -> None:
        """Stop the pass that is running, from any thread; what it reads next is the end."""
        self._cancelled = True

    # --- one pass -----------------------------------------------------------------------------

    def _pass(self, schemas: dict[str, pa.Schema], batch_rows: int) -> Iterator[Named]:
        limits = self._input.limits
        deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
        rows = 0
        batches = self._named(self._decoded(schemas))
        if self.on_error == "skip":
            held = list(batches)
            batches = iter([] if self.fault else held)
        for name, table in batches:
            for batch in _in_batches(table, schemas[name], batch_rows):
                if self._cancelled:
                    return
                rows += batch.num_rows
                if limits.rows is not None and rows > limits.rows:
                    raise LimitError(f"{self.name}: more than {limits.rows} rows (limit rows)")
                if deadline is not None and time.monotonic() > deadline:
                    limit = f"not done after {limits.seconds:g} s (limit seconds)"
                    raise LimitError(f"{self.name}: {limit}")
                if batch.num_rows:
                    yield name, batch

    def decoded(self) -> Iterator[RawProfile]:
        """Decode the profiles of the file one by one, to lists of numbers: what analyses read.

        Raises as a pass over tables does; see `on_error`.
        """
        if self._input.consumed:
            raise ConsumedError(f"{self.name}: a stream can be read once, and it was read")
        self.fault, self.notes, self._cancelled = None, [], False
        profiles = self._named(raw for raw, _ in self._profiles())
        if self.on_error == "skip":
            held = list(profiles)
            profiles = iter([] if self.fault else held)
        return profiles

    def _decoded(
        self, schemas: Mapping[str, pa.Schema]
    ) -> Iterator[tuple[str, pa.Table | pa.RecordBatch]]:
        from gotrace.tables.profile_batches import ProfileBatches
        from gotrace.tables.profile_keys import Known

        order = sorted(
            (name for name in schemas if name != "notes"),
            key=lambda name: name not in ("frames", "stacks", "label_sets"),
        )
        known = Known()
        for raw, header in self._profiles():
            batches = ProfileBatches(raw, header)
            for name in order:
                for table in batches.tables(schemas[name], name, known):
                    yield name, table
        if "notes" in schemas:
            notes = pa.Table.from_pylist(self.notes, schema("notes"))
            yield "notes", notes.select(schemas["notes"].names)

    def _profiles(self) -> Iterator[tuple[RawProfile, dict[str, Any]]]:
        """Decode the profiles one by one; with each what `profiles` says that it does not."""
        from gotrace._core import decode_profile
        from gotrace.tables.profile_raw import RawProfile

        start = number = 0
        try:
            data, container = self._bytes()
            header = {"profile": 0, "container": container, "format": "proto"}
            if head := text_profile(bytes(data[:HEAD_BYTES])):
                from gotrace.tables.profile_text import decode_text

                raw = decode_text(bytes(data), self._text_fault)
                yield (
                    RawProfile(raw, self._input.limits.memory_bytes),
                    header | {"format": head.kind, "offset": 0, "bytes": len(data)},
                )
                return
            while start < len(data) or (not start and not data):
                raw = decode_profile(data, start, self._input.limits.memory_bytes)
                end = raw["end"]
                if raw["replaced"]:
                    text = f"{raw['replaced']} texts were not UTF-8; broken bytes were replaced"
                    self._note("info", "not_utf8", text, start)
                place = {"profile": number, "offset": start, "bytes": end - start}
                yield RawProfile(raw, self._input.limits.memory_bytes), header | place
                start, number = end, number + 1
        except FormatError as error:
            error.source = error.source or self.name
            self.fault = error
            if self.on_error == "fail":
                raise
            self._note("error", "damage", error.reason, error.offset)

    def _named(self, made: Iterator[Made]) -> Iterator[Made]:
        """Iterate; the error of a limit says which source it is about."""
        try:
            yield from made
        except LimitError as error:
            if self.name not in str(error):
                raise LimitError(f"{self.name}: {error}") from None
            raise

    def _text_fault(self, reason: str, offset: int) -> None:
        """Raise for a line that can't be read; to salvage means to pass it over."""
        error = FormatError(reason, offset=offset, source=self.name)
        if self.on_error != "salvage":
            raise error
        self.fault = self.fault or error
        self._note("error", "damage", reason, offset)

    def _note(self, severity: str, code: str, text: str, offset: int | None) -> None:
        note: dict[str, Any] = dict.fromkeys(schema("notes").names)
        self.notes.append(
            {**note, "severity": severity, "code": code, "text": text, "offset": offset}
        )

    def _bytes(self) -> tuple[Chunk, str | None]:
        """All decompressed bytes: a profile can't be decoded before its end is there."""
        size, most = self._input.source.size, self._input.limits.memory_bytes
        at_once = size is not None and size <= most
        opened = self._input.open(at_once=at_once)
        with closing(opened):
            data = self._joined(opened.chunks, stay=at_once)
        container = opened.plain.compression
        if container and bytes(data[:2]) == b"\x1f\x8b":
            inner = Plain(iter([data]), self._input.limits, self.name, at_once=True)
            data = self._joined(iter(inner), stay=True)
            container = f"{container}+gzip"
            self._note("info", "packed_twice", "the profile is packed twice", 0)
        self._read = (opened.plain.raw_bytes, len(data), container)
        return data, container

    def _joined(self, chunks: Iterator[Chunk], *, stay: bool) -> Chunk:
        """Put chunks together; only with `stay` one is still there when the next one is."""
        most, size, pieces = self._input.limits.memory_bytes, 0, list[Chunk]()
        for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise LimitError(f"{self.name}: more than {most} bytes (limit memory_bytes)")
            pieces.append(chunk if stay else bytes(chunk))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _in_batches(
    table: pa.Table | pa.RecordBatch, wanted: pa.Schema, batch_rows: int
) -> Iterator[pa.RecordBatch]:
    """Give a table in batches of so many rows at most, with the schema that is there."""
    if isinstance(table, pa.RecordBatch):
        for start in range(0, table.num_rows, batch_rows):
            whole = not start and table.num_rows <= batch_rows
            yield table if whole else table.slice(start, batch_rows)
        return
    for batch in table.to_batches(max_chunksize=batch_rows):
        yield pa.RecordBatch.from_arrays(batch.columns, schema=wanted)


def _plain_times(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Make `time` a number: Python has no time with nanoseconds."""
    place = batch.schema.get_field_index("time")
    return batch.set_column(place, "time", batch.column(place).cast(pa.int64()))
