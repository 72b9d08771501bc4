"""Rows for machines: one stream of batches as JSON lines, CSV, Arrow or Parquet."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from gotrace.cli.terminal import binary_output, clean

if TYPE_CHECKING:
    import pyarrow as pa

EXTENSIONS: Final = {
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".parquet": "parquet",
    ".duckdb": "duckdb",
    ".txt": "text",
}
"""What `-o` decides by."""

BINARY: Final = frozenset({"arrow", "parquet", "duckdb"})


def format_of(path: str | None, form: str | None, known: Iterable[str], default: str) -> str:
    """Decide the format by `--format`, else by the extension of `-o`; a usage error for others."""
    if form is None and path is not None:
        extension = os.path.splitext(path)[1].lower()
        form = EXTENSIONS.get(extension)
        if form is None or form not in known:
            endings = [end for end, name in EXTENSIONS.items() if name in known]
            raise click.UsageError(
                f"-o {clean(path)}: no format has this ending; there are {', '.join(endings)}, "
                "or give --format"
            )
    return form or default


@contextlib.contextmanager
def opened(path: str | None, form: str, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Give where bytes go: a file that is whole or not there, or standard output."""
    if path is None:
        if form in BINARY:
            yield binary_output(form)
        else:
            sys.stdout.flush()
            yield click.get_binary_stream("stdout")
        return
    from gotrace.sinks.aside import file_aside

    with file_aside(path, overwrite=overwrite) as aside, open(aside, "wb") as file:
        yield file


def write_rows(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, form: str, out: BinaryIO
) -> int:
    """Write batches of one schema; return the number of rows."""
    writer = {"json": _json, "csv": _csv, "arrow": _arrow, "parquet": _parquet}[form]
    rows = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal rows
        for batch in batches:
            rows += batch.num_rows
            yield batch

    writer(counted(), schema, out)
    out.flush()
    return rows


def write_file(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, form: str, path: str, overwrite: bool
) -> tuple[int, int]:
    """Write one table into one file; return rows and bytes."""
    with opened(path, form, overwrite) as out:
        rows = write_rows(batches, schema, form, out)
        length = out.tell() if out.seekable() else 0
    return rows, length


def _json(batches: Iterable[pa.RecordBatch], schema: pa.Schema, out: BinaryIO) -> None:
    r"""One object a line; ids are text, and everything beyond ASCII is \u escaped."""
    import json

    encode = json.JSONEncoder(separators=(",", ":"), default=_json_value).encode
    names = schema.names
    ids = [_is_id(field.name, field.type) for field in schema]
    for batch in batches:
        columns = []
        for column, is_id in zip(batch.columns, ids, strict=True):
            values = _python_values(column)
            columns.append([None if v is None else str(v) for v in values] if is_id else values)
        lines = (encode(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True))
        out.write("".join(f"{line}\n" for line in lines).encode())


def _is_id(name: str, kind: pa.DataType) -> bool:
    import pyarrow as pa

    known = name.endswith("_id") or name in _ID_COLUMNS or name.startswith("by_")
    return known and pa.types.is_integer(kind)


_ID_COLUMNS: Final = frozenset(
    {"goroutine", "thread", "task", "parent_task", "parent", "fingerprint", "address"}
)


def _python_values(column: pa.Array) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        return [None if v is None else f"{v}" for v in column.cast(pa.utf8()).to_pylist()]
    values: list[Any] = column.to_pylist()
    if pa.types.is_list(column.type) and pa.types.is_int64(column.type.value_type):
        return [None if v is None else [str(item) for item in v] for v in values]
    return values


def _json_value(value: Any) -> Any:
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode()
    return str(value)


def _csv(batches: Iterable[pa.RecordBatch], schema: pa.Schema, out: BinaryIO) -> None:
    """Plain CSV: text that a spreadsheet would take for a formula gets an apostrophe in front."""
    import pyarrow as pa
    from pyarrow import csv

    on_terminal = out.isatty()
    header = True
    empty = pa.RecordBatch.from_arrays([pa.array([], f.type) for f in schema], schema=schema)
    for batch in _or(batches, empty):
        columns = [_csv_column(column, on_terminal) for column in batch.columns]
        plain = pa.RecordBatch.from_arrays(columns, names=schema.names)
        csv.write_csv(plain, out, csv.WriteOptions(include_header=header))
        header = False


def _csv_column(column: pa.Array, on_terminal: bool) -> pa.Array:
    import json

    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
    elif pa.types.is_nested(kind) or pa.types.is_binary(kind):
        values = column.to_pylist()
        texts = [None if v is None else json.dumps(v, default=_json_value) for v in values]
        column = pa.array(texts, pa.utf8())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    column = pc.replace_substring_regex(column, r"^([=+\-@\t\r])", r"'\1")
    if on_terminal:
        cleaned = [None if text is None else clean(text) for text in column.to_pylist()]
        column = pa.array(cleaned, pa.utf8())
    return column


def _arrow(batches: Iterable[pa.RecordBatch], schema: pa.Schema, out: BinaryIO) -> None:
    import pyarrow as pa

    # A dictionary that grows (reason) is written again where it did.
    with pa.ipc.new_stream(out, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _parquet(batches: Iterable[pa.RecordBatch], schema: pa.Schema, out: BinaryIO) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(out, schema, compression="zstd", compression_level=3) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _or(batches: Iterable[pa.RecordBatch], empty: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    found = False
    for batch in batches:
        found = True
        yield batch
    if not found:
        yield empty


def length_of(path: str | Path) -> int:
    """Return the bytes of a file."""
    return os.stat(path).st_size
