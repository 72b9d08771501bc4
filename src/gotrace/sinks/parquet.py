"""Parquet: one pass over batches of many tables, one directory, finished or not there.

Row groups hold `row_group_rows` rows whatever the size of the batches. A table is one file,
`events.parquet`, or, when it passes `file_bytes`, `events-00000.parquet`, `events-00001.parquet`
and so on. A table without rows is a file with a schema. The same batches give the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from gotrace.errors import unknown_name
from gotrace.sinks.aside import directory_aside, explained, write_manifest
from gotrace.sinks.encodings import encodings
from gotrace.sinks.parquet_table import File, Limits, Metadata, TableFiles
from gotrace.tables.threads import usable_threads

ROW_GROUP_ROWS: Final = 1 << 18
"""Rows of a row group. Measured: 131,072 to 1 Mi rows differ by 3 % in bytes, not in time, but
readers skip by row group, and one of every table is held in memory."""

ROW_GROUP_BYTES: Final = 128 << 20
"""Arrow bytes of one table that are held for a row group, at most (and one batch)."""

ZSTD_LEVEL: Final = 1
"""How hard zstd tries; see bench/README.md for what more of it costs."""

FILE_BYTES: Final = 512 << 20
"""A file that is this long is closed and the next one begun, between two row groups."""


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
    threads: int | None = None,
    compression: str = "zstd",
    compression_level: int | None = ZSTD_LEVEL,
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
        threads: how many tables are encoded at once, beside the decoder; None: as many as there
            are processors for this process; 1 starts none, and Ctrl-C waits for a row group then.
        compression, compression_level: as in pyarrow.
        row_group_rows, row_group_bytes, file_bytes: see the constants.

    Returns:
        What was written of every table, in the order of `schemas`.

    Raises:
        FileExistsError: the directory holds something.
        UnknownNameError: a batch of a table that `schemas` does not have.
        ValueError: a batch whose columns are not those of the schema.
        OSError: disk full and the like, with errno and path.

    After any error, and Ctrl-C, nothing is left. Memory: one row group of every table, two with
    threads. The bytes are the same for any `threads`.
    """
    alone = threads == 1
    threads = usable_threads(None) if threads is None else threads
    limits = Limits(row_group_rows, row_group_bytes, file_bytes)
    if min(threads, row_group_rows, row_group_bytes, file_bytes) < 1:
        raise ValueError(f"threads and limits must be at least 1: {threads=}, {limits}")
    for name in schemas:
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name of a table")
    source = {} if source is None else source
    order = _order_of(schemas) if order is None else order
    packing = {"compression": compression, "compression_level": compression_level}
    executor = None if alone else ThreadPoolExecutor(threads, "gotrace-parquet")
    try:
        with (
            explained("writing Parquet", directory),
            directory_aside(directory, overwrite=overwrite) as aside,
        ):
            tables = {}
            for name, schema in schemas.items():
                options = {**encodings(name, schema, order.get(name, ())), **packing}
                tables[name] = TableFiles(aside, name, schema, source, limits, options, executor)
            written = _pass(batches, tables)
            listed = {name: _listed(files, schemas[name]) for name, files in written.items()}
            write_manifest(aside, {"source": source, "tables": listed, "notes": list(notes)})
    finally:
        if executor is not None:  # what it still does after an error is for files that are gone
            executor.shutdown(wait=False, cancel_futures=True)
    return {
        name: TableWritten(_sum(files, "rows"), _sum(files, "bytes"), tuple(f.name for f in files))
        for name, files in written.items()
    }


def _pass(
    batches: Iterable[tuple[str, pa.RecordBatch]], tables: Mapping[str, TableFiles]
) -> dict[str, list[File]]:
    try:
        for name, batch in batches:
            if name not in tables:
                raise unknown_name("table", name, tables)
            tables[name].add(batch)
        for table in tables.values():
            table.flush()
        return {name: table.finish() for name, table in tables.items()}
    finally:
        for table in tables.values():
            table.abandon()


def _order_of(schemas: Mapping[str, pa.Schema]) -> Mapping[str, Sequence[str]]:
    from gotrace.tables.schema import TABLES

    return {name: TABLES[name].order for name in schemas if name in TABLES}


def _sum(files: Iterable[File], what: str) -> int:
    return sum(getattr(file, what) for file in files)


def _listed(files: Sequence[File], fields: pa.Schema) -> dict[str, object]:
    return {
        "rows": _sum(files, "rows"),
        "bytes": _sum(files, "bytes"),
        "files": [vars(file) for file in files],
        "columns": {field.name: str(field.type) for field in fields},
    }
