"""One pass over one trace: bytes into the decoder, batches of the wanted tables out."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Any, Literal, NamedTuple, TypeAlias

import pyarrow as pa

from gotrace.errors import FormatError, LimitError, UnsupportedVersionError
from gotrace.sources.base import CHUNK_BYTES, Chunk, GoOn
from gotrace.sources.compressed import Plain
from gotrace.sources.input import Input
from gotrace.sources.sniff import HEADER_BYTES, KNOWN_MINORS, check_version, not_built
from gotrace.tables.columns import DICTIONARIES
from gotrace.tables.schema import schema

OnError: TypeAlias = Literal["fail", "salvage", "skip"]
Named: TypeAlias = "tuple[str, pa.RecordBatch]"

BATCH_ROWS = 65536


class Window(NamedTuple):
    """A stretch of whole generations, the only ones to be decoded.

    Attributes:
        start, end: its bytes in the trace.
        generations_before: how many stand before it.
        goes_on: whether others follow.
        text: what that means for the rows, for a note.
    """

    start: int
    end: int
    generations_before: int
    goes_on: bool
    text: str


FindWindow: TypeAlias = "Callable[[Input, GoOn], Window | None]"


class Pass:
    """Iterate over `(table, RecordBatch)` of one decode; each table's batches are in its order.

    Attributes:
        fault: the error that ended the pass or, under `salvage`, damaged the source; or None.
        notes: rows of the table `notes` so far, as dicts, whether the table was asked for or not.
        minor: NN of the header `go 1.NN trace`, once the pass has begun.
        whole: whether the pass came to the end of the source.
        raw_bytes, trace_bytes: bytes read from the source, and after decompression.
    """

    def __init__(
        self,
        given: Input,
        schemas: Mapping[str, pa.Schema],
        *,
        salvage: bool,
        batch_rows: int = BATCH_ROWS,
        threads: int = 1,
        go_numbers: bool = False,
        skipped: FormatError | None = None,
        find_window: FindWindow | None = None,
    ) -> None:
        self._input = given
        self._schemas = dict(schemas)
        self._asked_notes = "notes" in self._schemas
        # Notes are few and cost nothing; all their columns are kept for `Trace.notes`.
        self._notes_schema = self._schemas.setdefault("notes", schema("notes"))
        self._schemas["notes"] = schema("notes")
        self._salvage = salvage
        self._batch_rows = batch_rows
        self._threads = threads
        self._go_numbers = go_numbers
        self._skipped = skipped
        self._find_window = find_window
        self._rows = 0
        self._decoder: Any = None
        self._cancelled = False
        self._deadline: float | None = None
        self.fault: FormatError | None = None
        self.notes: list[dict[str, Any]] = []
        self.minor: int | None = None
        self.whole = False
        self._plain: Plain | None = None

    @property
    def raw_bytes(self) -> int:
        """Bytes read from the source so far."""
        return self._plain.raw_bytes if self._plain is not None else 0

    @property
    def trace_bytes(self) -> int:
        """Bytes of the trace itself so far."""
        return self._plain.out_bytes if self._plain is not None else 0

    def cancel(self) -> None:
        """Stop the pass soon, from any thread, also while it waits for bytes of a stream."""
        self._cancelled = True
        decoder = self._decoder
        if decoder is not None:
            decoder.cancel()

    def __iter__(self) -> Generator[Named, None, None]:
        """Decode; raises the typed errors of `gotrace.errors` with their source set.

        A pass that is `skipped` for the damage that an earlier one found gives nothing.
        """
        if self._skipped is not None:
            self.fault = self._skipped
            return
        if self._input.limits.seconds is not None:
            self._deadline = time.monotonic() + self._input.limits.seconds
        self._input.source.go_on = self._go_on
        try:
            yield from self._run()
        except FormatError as error:
            error.source = error.source or self._input.name
            if error.readable is None and not self._salvage:
                error.readable = self._way_on(error)
            self.fault = error
            raise
        except LimitError as error:
            if self._input.name not in str(error):
                raise LimitError(f"{self._input.name}: {error}") from None
            raise
        finally:
            self._input.source.go_on = None
            # Not later: a trace remembers its last pass; and at its end pyarrow drops the reader in
            # a way that does not bear another thread meanwhile, which the end of a decoder lets in.
            self._decoder = None

    def _run(self) -> Iterator[Named]:
        opened = self._input.open()
        self._plain = opened.plain
        with closing(opened):
            if opened.sniffed.kind != "trace":
                raise not_built(opened.sniffed.kind, self._input.name)
            self.minor = opened.sniffed.minor
            assert self.minor is not None
            check_version(self.minor, self._input.name, lenient=self._salvage)
            if self.minor > KNOWN_MINORS[-1]:
                text = f"a trace of Go 1.{self.minor}, newer than this gotrace: what is known of it"
                yield from self._note("newer_version", text, "warning", 0)
            self._decoder = self._make_decoder()
            window = None
            if self._find_window is not None:
                window = self._find_window(self._input, self._go_on)
            if window is not None:
                yield from self._note("window", window.text, "info", window.start)
                broken = yield from self._feed(self._part(window))
            else:
                broken = yield from self._feed(opened.chunks)
            self._decoder.finish(goes_on=window is not None and window.goes_on)
            try:
                yield from self._drain()
            except FormatError as error:
                raise broken or error from None
            if broken is not None:
                if not self._salvage:
                    raise broken
                self.fault = broken
                yield from self._note("input_damaged", broken.reason, "error", broken.offset)
            self.whole = not self._cancelled

    def _make_decoder(self) -> Any:
        from gotrace._core import TraceDecoder

        return TraceDecoder(
            self._schemas,
            DICTIONARIES,
            batch_rows=self._batch_rows,
            threads=self._threads,
            go_numbers=self._go_numbers,
            salvage=self._salvage,
            max_memory=self._input.limits.memory_bytes,
        )

    def _part(self, window: Window) -> Iterator[Chunk]:
        """Read the header, then the window alone."""
        buffer = memoryview(bytearray(CHUNK_BYTES))
        with self._input.source.read_at() as read:
            yield buffer[: read(0, buffer[:HEADER_BYTES])]
            self._decoder.skip_to(window.start, syncs=window.generations_before)
            offset = window.start
            while count := read(offset, buffer[: window.end - offset]):
                yield buffer[:count]
                offset += count

    def _feed(self, chunks: Iterator[Chunk]) -> Generator[Named, None, FormatError | None]:
        """Feed all chunks; return the error of a source whose compression broke off, or None."""
        while not self._cancelled:
            try:
                chunk = next(chunks, None)
            except FormatError as error:
                return error
            if chunk is None:
                break
            self._decoder.feed(chunk)
            yield from self._drain()
        return None

    def _drain(self) -> Iterator[Named]:
        while self._go_on():
            try:
                item = self._decoder.next_batch()
            except InterruptedError:
                return
            if item is None:
                return
            name, native = item
            # The capsules would bring the schema along, which costs more than all else of a batch.
            batch = pa.RecordBatch._import_from_c(native.address, self._schemas[name])
            yield from self._deliver(name, batch)

    def _deliver(self, name: str, batch: pa.RecordBatch) -> Iterator[Named]:
        self._rows += batch.num_rows
        most = self._input.limits.rows
        if most is not None and self._rows > most:
            raise LimitError(f"{self._input.name}: more than {most} rows (limit rows)")
        if name != "notes":
            yield name, batch
            return
        self.notes.extend(batch.to_pylist())
        if self._asked_notes:
            chosen = batch.select(self._notes_schema.names)
            yield name, pa.RecordBatch.from_arrays(chosen.columns, schema=self._notes_schema)

    def _note(
        self, code: str, text: str, severity: str, offset: int | None = None
    ) -> Iterator[Named]:
        row = {"offset": offset, "severity": severity, "code": code, "text": text}
        yield from self._deliver("notes", pa.RecordBatch.from_pylist([row], self._schemas["notes"]))

    def _go_on(self) -> bool:
        """Whether it was not cancelled; LimitError when its time is up."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            limit = self._input.limits.seconds
            raise LimitError(f"{self._input.name}: not done after {limit:g} s (limit seconds)")
        return not self._cancelled

    def _way_on(self, error: FormatError) -> str | None:
        if self._decoder is None or isinstance(error, UnsupportedVersionError):
            return None
        return "on_error='salvage' reads every generation that is whole"


def limited_schemas(
    names: tuple[str, ...], columns: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, pa.Schema]:
    """Return the schema of each table, cut to `columns[table]` where that is given."""
    columns = columns or {}
    return {name: schema(name, columns.get(name)) for name in names}


def salvages(on_error: OnError) -> bool:
    """Whether a mode goes on after damage; ValueError for a mode that is none."""
    if on_error not in ("fail", "salvage", "skip"):
        raise ValueError(f"on_error is 'fail', 'salvage' or 'skip', not {on_error!r}")
    return on_error == "salvage"
