"""CSV for spreadsheets: header, commas, quoted text; null is an empty cell, empty text is `""`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from gotrace.sinks.aside import Target, opened
from gotrace.sinks.cells import PIECE_ROWS, plain_column

_FORMULA: Final = r"\A([=+\-@\t\r\n\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}])"
"""What spreadsheets take for the begin of a formula, full-width forms too."""


def write_csv(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    target: Target,
    *,
    header: bool = True,
    neutralize: bool = True,
    overwrite: bool = False,
) -> int:
    """Write one table as CSV (UTF-8, RFC 4180 quotes) and return the number of rows.

    Integers are plain digits, booleans `true` and `false`, instants RFC 3339, lists JSON, bytes
    base64.

    Args:
        batches: of that schema; written as they come.
        schema: its names are the header.
        target: a path (written aside, renamed at the end) or a binary file.
        header: write the names first.
        neutralize: put `'` before text that a spreadsheet would run as a formula. Names in a trace
            come from strangers; without it the text is exact.
        overwrite: replace an existing file.

    Raises `FileExistsError`, `OSError`.
    """
    rows = 0
    cells = pa.schema([pa.field(field.name, _cell_type(field.type)) for field in schema])
    options = arrow_csv.WriteOptions(include_header=header, quoting_style="needed")
    with opened(target, "writing CSV", overwrite=overwrite) as file:
        writer = arrow_csv.CSVWriter(file, cells, write_options=options)
        for batch in batches:
            for start in range(0, batch.num_rows, PIECE_ROWS):
                piece = batch.slice(start, PIECE_ROWS)
                columns = [
                    _neutral(plain_column(field.name, column), neutralize)
                    for field, column in zip(schema, piece.columns, strict=True)
                ]
                writer.write_batch(pa.record_batch(columns, schema=cells))
            rows += batch.num_rows
        writer.close()
    return rows


def _cell_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return kind
    return pa.utf8()


def _neutral(column: pa.Array, neutralize: bool) -> pa.Array:
    if not neutralize or not pa.types.is_string(column.type):
        return column
    return pc.replace_substring_regex(column, _FORMULA, r"'\1")
