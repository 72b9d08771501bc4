"""Parquet: one table as one file, or into a pipe, encoded as the files of a folder are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq

from gotrace.sinks.aside import Target, opened
from gotrace.sinks.encodings import encodings
from gotrace.sinks.parquet import ROW_GROUP_ROWS, ZSTD_LEVEL
from gotrace.tables.schema import TABLES


def write_single_parquet(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    target: Target,
    *,
    overwrite: bool = False,
) -> int:
    """Write one table as Parquet and return the number of rows.

    Args:
        batches: of that schema; a row group of them is held.
        schema: any; a table of gotrace's gets the encodings of its columns.
        target: a path (written aside, renamed at the end) or a binary file.
        overwrite: replace an existing file.

    Raises `FileExistsError`, `OSError`.
    """
    name = (schema.metadata or {}).get(b"gotrace.table", b"").decode()
    order = TABLES[name].order if name in TABLES else ()
    packing = {"compression": "zstd", "compression_level": ZSTD_LEVEL}
    options = {**encodings(name, schema, order), **packing}
    rows = 0
    with opened(target, "writing Parquet", overwrite=overwrite) as out:
        writer = pq.ParquetWriter(out, schema, **options)
        encoder = ThreadPoolExecutor(1, "gotrace-parquet")  # so that Ctrl-C need not wait for it
        try:
            for group in _row_groups(batches, schema):
                encoder.submit(writer.write_table, group).result()
                rows += group.num_rows
        except BaseException:
            writer.is_open = False  # or it would write its footer when it is collected
            raise
        finally:
            encoder.shutdown(wait=False, cancel_futures=True)
        writer.close()
    return rows


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    pile: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        pile.append(batch)
        held += batch.num_rows
        if held >= ROW_GROUP_ROWS:
            yield pa.Table.from_batches(pile, schema).unify_dictionaries()
            pile, held = [], 0
    if held:
        yield pa.Table.from_batches(pile, schema).unify_dictionaries()
