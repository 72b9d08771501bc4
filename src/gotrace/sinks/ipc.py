"""Arrow IPC: one table as a file (random access) or a stream (pipes)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from gotrace.sinks.aside import Target, opened

_CLOSED = pa.int8()
"""Index type of the closed sets, whose dictionaries never change; a wider one may grow."""


def file_schema(schema: pa.Schema) -> pa.Schema:
    """Give the schema that a table has in an IPC file: `reason` columns are utf8 there.

    Readers of the file format want one dictionary for the whole file, and `reason` can grow behind
    its pinned words while the trace is read. The schema does not depend on the data.
    """
    fields = [
        field.with_type(field.type.value_type) if _grows(field.type) else field for field in schema
    ]
    return pa.schema(fields, metadata=schema.metadata)


def write_ipc(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    target: Target,
    *,
    stream: bool = False,
    compression: Literal["lz4", "zstd"] | None = None,
    overwrite: bool = False,
) -> int:
    """Write one table as Arrow IPC and return the number of rows.

    A file has the columns of `file_schema(schema)`. A stream keeps all dictionaries; one that grew
    is sent on as a delta.

    Args:
        batches: of that schema; written as they come, never held.
        schema: written even when there is no batch.
        target: a path (written aside, renamed at the end) or a binary file.
        stream: the stream format, which needs no seek; else the file format, which can be mapped
            and read from anywhere.
        compression: of the buffers; None can be read without a copy.
        overwrite: replace an existing file.

    Raises `FileExistsError`, `OSError` (disk full and the like), `ValueError` for a batch of
    another schema.
    """
    options = pa.ipc.IpcWriteOptions(compression=compression, emit_dictionary_deltas=True)
    written = schema if stream else file_schema(schema)
    create: Any = pa.ipc.new_stream if stream else pa.ipc.new_file
    rows = 0
    with opened(target, "writing Arrow IPC", overwrite=overwrite) as file:
        # No `with`: leaving it on an error would write the footer, and the file would look whole.
        writer = create(file, written, options=options)
        for batch in batches:
            if not batch.schema.equals(schema):
                raise ValueError(f"a batch has the columns {batch.schema}, not {schema}")
            writer.write_batch(_prepared(batch, written))
            rows += batch.num_rows
        writer.close()
    return rows


def _grows(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind)) and kind.index_type != _CLOSED


def _prepared(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for column, field in zip(batch.columns, schema, strict=True):
        if column.type != field.type:
            column = column.cast(field.type)
        elif pa.types.is_dictionary(column.type) and column.null_count:
            column = _zero_under_nulls(column)
        columns.append(column)
    return pa.record_batch(columns, schema=schema)


def _zero_under_nulls(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """Give null rows the code 0: what stands there means nothing, yet Polars refuses a -1."""
    codes = pc.fill_null(column.indices, 0).to_numpy(zero_copy_only=False)
    nulls = pc.is_null(column.indices).to_numpy(zero_copy_only=False)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=nulls), column.dictionary)
