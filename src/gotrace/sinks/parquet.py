"""Parquet: one pass over batches of many tables, one directory, finished or not there.

Row groups hold `row_group_rows` rows whatever the size of the batches. A table is one file,
`events.parquet`, or, when it passes `file_bytes`, `events-00000.parquet`, `events-00001.parquet`
and so on. A table without rows is a file with a schema. The same batches give the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gotrace.errors import unknown_name
from gotrace.sinks.aside import MANIFEST, directory_aside, explained
from gotrace.sinks.encodings import encodings

ROW_GROUP_ROWS: Final = 1 << 20
"""Rows of a row group; 131,072 makes narrow time windows faster to read, at the same size."""

ROW_GROUP_BYTES: Final = 128 << 20
"""Arrow bytes of one table that are held for a row group, at most (and one batch)."""

FILE_BYTES: Final = 512 << 20
"""A file that is this long is closed and the next one begun, between two row groups."""

Metadata = Mapping[str, object]


@dataclass(frozen=True)
class TableWritten:
    """What was written of one table.

    Attributes:
        rows: rows in all its files.
        bytes: length of its files together.
        files: their names, in the order of the rows.
    """

    rows: int
    bytes: int
    files: tuple[str, ...]


def write_parquet(
    batches: Iterable[tuple[str, pa.RecordBatch]],
    schemas: Mapping[str, pa.Schema],
    directory: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    source: Metadata | None = None,
    notes: Sequence[Metadata] = (),
    order: Mapping[str, Sequence[str]] | None = None,
    compression: str = "zstd",
    compression_level: int | None = 3,
    row_group_rows: int = ROW_GROUP_ROWS,
    row_group_bytes: int = ROW_GROUP_BYTES,
    file_bytes: int = FILE_BYTES,
) -> Mapping[str, TableWritten]:
    """Write the batches of many tables, in any mixture, as a directory of Parquet files.

    Args:
        batches: (table, batch) pairs; the batches of one table in the table's order.
        schemas: the tables to write; each gets a file, with rows or without.
        directory: made by this call; must not exist, or be empty.
        overwrite: replace a directory that an earlier call wrote, and nothing else.
        source: facts about the input (name, bytes, sha256); JSON values. Files get what is in it
            when they are begun, the manifest what is in it at the end.
        notes: rows of `notes` for the manifest, read at the end.
        order: columns that the rows of a table are sorted by, ascending; default: what
            `gotrace.tables.schema` says of a table of that name.
        compression, compression_level: as in pyarrow.
        row_group_rows, row_group_bytes, file_bytes: see the constants.

    Returns:
        What was written of every table, in the order of `schemas`.

    Raises:
        FileExistsError: the directory holds something.
        UnknownNameError: a batch of a table that `schemas` does not have.
        ValueError: a batch whose columns are not those of the schema.
        OSError: disk full and the like, with errno and path.

    After any error, and Ctrl-C, nothing is left. Memory: one row group of every table.
    """
    if min(row_group_rows, row_group_bytes, file_bytes) < 1:
        raise ValueError("row_group_rows, row_group_bytes and file_bytes must be at least 1")
    for name in schemas:
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name of a table")
    source = {} if source is None else source
    order = _order_of(schemas) if order is None else order
    limits = (row_group_rows, row_group_bytes, file_bytes)
    with (
        explained("writing Parquet", directory),
        directory_aside(directory, overwrite=overwrite) as aside,
    ):
        tables = {
            name: _TableFiles(
                aside,
                name,
                schema,
                source,
                limits,
                {
                    **encodings(name, schema, order.get(name, ())),
                    "compression": compression,
                    "compression_level": compression_level,
                },
            )
            for name, schema in schemas.items()
        }
        try:
            for name, batch in batches:
                if name not in tables:
                    raise unknown_name("table", name, tables)
                tables[name].add(batch)
            written = {name: table.finish() for name, table in tables.items()}
        finally:
            for table in tables.values():
                table.close()
        _write_manifest(aside, written, schemas, source, notes)
    return {
        name: TableWritten(
            sum(f.rows for f in files), sum(f.bytes for f in files), tuple(f.name for f in files)
        )
        for name, files in written.items()
    }


@dataclass
class _File:
    name: str
    rows: int = 0
    bytes: int = 0


class _TableFiles:
    """The files of one table: batches pile up to a row group, row groups to a file."""

    def __init__(
        self,
        folder: Path,
        name: str,
        schema: pa.Schema,
        source: Metadata,
        limits: tuple[int, int, int],
        options: dict[str, Any],
    ) -> None:
        self._folder = folder
        self._name = name
        self._schema = schema
        self._source = source
        self._row_group_rows, self._row_group_bytes, self._file_bytes = limits
        self._options = options
        self._pile: list[pa.RecordBatch] = []
        self._rows = 0
        self._bytes = 0
        self._files: list[_File] = []
        self._sink: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch; write as many row groups as are full."""
        if not batch.schema.equals(self._schema):
            raise ValueError(_difference(self._name, self._schema, batch.schema))
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, self._row_group_rows - self._rows)
            start += part.num_rows
            self._pile.append(part)
            self._rows += part.num_rows
            self._bytes += part.nbytes
            if self._rows >= self._row_group_rows or self._bytes >= self._row_group_bytes:
                self._write_row_group()

    def finish(self) -> list[_File]:
        """Write what is left and close the last file; a table of one file gets the plain name."""
        if self._rows:
            self._write_row_group()
        if not self._files:
            self._open()
        self._close_file()
        if len(self._files) == 1:
            only = self._files[0]
            plain = f"{self._name}.parquet"
            os.rename(self._folder / only.name, self._folder / plain)
            only.name = plain
        return self._files

    def close(self) -> None:
        """Let go of an unfinished file without writing its end."""
        self._pile.clear()
        self._writer = None
        if self._sink is not None and not self._sink.closed:
            self._sink.close()

    def _write_row_group(self) -> None:
        if self._writer is None:
            self._open()
        assert self._writer is not None
        assert self._sink is not None
        table = pa.Table.from_batches(self._pile, self._schema)
        # A dictionary that grew would make Arrow leave the dictionary encoding within the group.
        table = table.unify_dictionaries()
        self._writer.write_table(table, row_group_size=self._rows)
        self._files[-1].rows += self._rows
        self._pile.clear()
        self._rows = self._bytes = 0
        if self._sink.tell() >= self._file_bytes:
            self._close_file()

    def _open(self) -> None:
        name = f"{self._name}-{len(self._files):05}.parquet"
        self._files.append(_File(name))
        self._sink = pa.OSFile(str(self._folder / name), "wb")
        metadata = {
            **(self._schema.metadata or {}),
            b"gotrace.source": _json(self._source).encode(),
        }
        self._writer = pq.ParquetWriter(
            self._sink, self._schema.with_metadata(metadata), **self._options
        )

    def _close_file(self) -> None:
        if self._writer is None or self._sink is None:
            return
        self._writer.close()
        self._files[-1].bytes = self._sink.tell()
        self._sink.close()
        self._writer = self._sink = None


def _order_of(schemas: Mapping[str, pa.Schema]) -> Mapping[str, Sequence[str]]:
    from gotrace.tables.schema import TABLES

    return {name: TABLES[name].order for name in schemas if name in TABLES}


def _difference(name: str, wanted: pa.Schema, got: pa.Schema) -> str:
    for field in wanted:
        if field.name not in got.names:
            return f"a batch of {name} lacks the column {field.name!r}"
        other = got.field(field.name)
        if not other.equals(field):
            return f"a batch of {name} has {other} where the schema has {field}"
    return f"a batch of {name} has the columns {got.names}, the schema {wanted.names}"


def _write_manifest(
    folder: Path,
    written: Mapping[str, Sequence[_File]],
    schemas: Mapping[str, pa.Schema],
    source: Metadata,
    notes: Sequence[Metadata],
) -> None:
    from gotrace import __version__
    from gotrace.tables.schema import SCHEMA_VERSION

    manifest = {
        "gotrace": __version__,
        "schema_version": SCHEMA_VERSION,
        "source": dict(source),
        "tables": {
            name: {
                "rows": sum(file.rows for file in files),
                "bytes": sum(file.bytes for file in files),
                "files": [vars(file) for file in files],
                "columns": {field.name: str(field.type) for field in schemas[name]},
            }
            for name, files in written.items()
        },
        "notes": [dict(note) for note in notes],
    }
    (folder / MANIFEST).write_text(_json(manifest, indent=1) + "\n", encoding="utf-8")


def _json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (os.PathLike, bytes)):
        return os.fsdecode(value)
    raise TypeError(f"{type(value).__name__} has no place in a manifest")
