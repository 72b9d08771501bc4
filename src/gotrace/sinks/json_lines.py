"""JSON lines: one object a row, every column in it, in ASCII."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gotrace.sinks.aside import Target, opened
from gotrace.sinks.cells import PIECE_ROWS, json_column


def write_json_lines(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    target: Target,
    *,
    overwrite: bool = False,
) -> int:
    """Write one table as JSON lines and return the number of rows.

    64-bit ids are strings, because many readers make doubles of numbers; times, sizes, counts and
    `value` columns are numbers with all their digits. Instants are RFC 3339, bytes base64. Text is
    escaped to ASCII, so that no name can move a terminal's cursor.

    Args:
        batches: of that schema; written as they come.
        schema: its names are the keys, in its order.
        target: a path (written aside, renamed at the end) or a binary file.
        overwrite: replace an existing file.

    Raises `FileExistsError`, `OSError`.
    """
    rows = 0
    with opened(target, "writing JSON lines", overwrite=overwrite) as file:
        for batch in batches:
            for start in range(0, batch.num_rows, PIECE_ROWS):
                file.write(_lines(batch.slice(start, PIECE_ROWS), schema))
            rows += batch.num_rows
    return rows


def _lines(batch: pa.RecordBatch, schema: pa.Schema) -> bytes:
    parts: list[Any] = []
    for index, (field, column) in enumerate(zip(schema, batch.columns, strict=True)):
        parts.append(f"{',' if index else '{'}{json.dumps(field.name)}:")
        parts.append(json_column(field.name, column))
    if not parts:
        return b"{}\n" * int(batch.num_rows)
    lines = pc.binary_join_element_wise(*parts, "}\n", "")
    # Rows without nulls lie one behind the other in the values of the column.
    length: int = pc.sum(pc.binary_length(lines)).as_py()
    return bytes(memoryview(lines.buffers()[2])[:length])
