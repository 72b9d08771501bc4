"""The Parquet files of one table: batches pile up to a row group, row groups to a file."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gotrace.sinks.aside import to_json
from gotrace.sinks.encodings import for_rows

Metadata = Mapping[str, object]


@dataclass(frozen=True)
class Limits:
    """When a row group and a file are full."""

    row_group_rows: int
    row_group_bytes: int
    file_bytes: int


@dataclass
class File:
    """One file, under its name in the directory."""

    name: str
    rows: int = 0
    bytes: int = 0


class TableFiles:
    """The files of one table, while they are written.

    With an executor a row group is encoded while the next one piles up; there is never more than
    one at work, so the bytes are the same.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        schema: pa.Schema,
        source: Metadata,
        limits: Limits,
        options: Mapping[str, Any],
        executor: Executor | None = None,
    ) -> None:
        self._folder = folder
        self._name = name
        self._schema = schema
        self._source = source
        self._limits = limits
        self._options = options
        self._executor = executor
        self._pile: list[pa.RecordBatch] = []
        self._rows = 0
        self._bytes = 0
        self._files: list[File] = []
        self._sink: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None
        self._at_work: Future[None] | None = None
        self._lock = threading.Lock()  # of these two, which two threads look at
        self._abandoned = False
        self._encoding = False

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch; write as many row groups as are full."""
        if not batch.schema.equals(self._schema):
            raise ValueError(_difference(self._name, self._schema, batch.schema))
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, self._limits.row_group_rows - self._rows)
            start += part.num_rows
            self._pile.append(part)
            self._rows += part.num_rows
            self._bytes += part.nbytes
            if (
                self._rows >= self._limits.row_group_rows
                or self._bytes >= self._limits.row_group_bytes
            ):
                self._hand_over()

    def flush(self) -> None:
        """Hand over the last row group."""
        if self._rows:
            self._hand_over()

    def finish(self) -> list[File]:
        """Write what is left and close the last file; a table of one file gets the plain name."""
        self.flush()
        self._wait()
        if not self._files:
            self._open([])
        self._close_file()
        if len(self._files) == 1:
            only = self._files[0]
            plain = f"{self._name}.parquet"
            os.rename(self._folder / only.name, self._folder / plain)
            only.name = plain
        return self._files

    def abandon(self) -> None:
        """Let go of unfinished files without writing their end, whatever is wrong with them.

        Does not wait for a row group that is being encoded (but where open files can't be removed):
        that ends by itself, and no other file is opened. Nor for memory: what piled up goes with
        the error, which came to be heard at once and not after a hundred megabytes were freed.
        """
        if os.name == "nt" and self._at_work is not None:
            self._at_work.exception()
        with self._lock:
            self._abandoned = True
            if not self._encoding:
                self._let_go()

    def _let_go(self) -> None:
        if self._writer is not None:
            self._writer.is_open = False  # else pyarrow closes the file, whole, when it forgets it
        self._writer = None
        if self._sink is not None and not self._sink.closed:
            self._sink.close()

    def _hand_over(self) -> None:
        pile, rows = self._pile, self._rows
        self._pile, self._rows, self._bytes = [], 0, 0
        if self._executor is None:
            self._write_row_group(pile, rows)
        else:
            self._wait()
            self._at_work = self._executor.submit(self._write_row_group, pile, rows)

    def _wait(self) -> None:
        if self._at_work is not None:
            self._at_work.result()
            self._at_work = None

    def _write_row_group(self, pile: list[pa.RecordBatch], rows: int) -> None:
        with self._lock:
            if self._abandoned:
                return
            if self._writer is None:
                self._open(pile)
            self._encoding = True
        try:
            self._encode(pile, rows)
        finally:
            with self._lock:
                self._encoding = False
                if self._abandoned:
                    self._let_go()

    def _encode(self, pile: list[pa.RecordBatch], rows: int) -> None:
        assert self._writer is not None
        assert self._sink is not None
        # A dictionary that grew would make Arrow leave the dictionary encoding within the group.
        table = pa.Table.from_batches(pile, self._schema).unify_dictionaries()
        pile.clear()
        self._writer.write_table(table, row_group_size=rows)
        self._files[-1].rows += rows
        if self._sink.tell() >= self._limits.file_bytes:
            self._close_file()

    def _open(self, first: list[pa.RecordBatch]) -> None:
        name = f"{self._name}-{len(self._files):05}.parquet"
        self._files.append(File(name))
        self._sink = pa.OSFile(str(self._folder / name), "wb")
        metadata = {
            **(self._schema.metadata or {}),
            b"gotrace.source": to_json(self._source).encode(),
        }
        options = for_rows(self._options, pa.Table.from_batches(first, self._schema))
        schema = self._schema.with_metadata(metadata)
        self._writer = pq.ParquetWriter(self._sink, schema, **options)

    def _close_file(self) -> None:
        if self._writer is None or self._sink is None:
            return
        self._writer.close()
        self._files[-1].bytes = self._sink.tell()
        self._sink.close()
        self._writer = self._sink = None


def _difference(name: str, wanted: pa.Schema, got: pa.Schema) -> str:
    for field in wanted:
        if field.name not in got.names:
            return f"a batch of {name} lacks the column {field.name!r}"
        other = got.field(field.name)
        if not other.equals(field):
            return f"a batch of {name} has {other} where the schema has {field}"
    return f"a batch of {name} has the columns {got.names}, the schema {wanted.names}"
