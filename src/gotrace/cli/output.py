"""Rows for machines: one stream of batches as JSON lines, CSV, Arrow or Parquet."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

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
            yield sys.stdout.buffer
        return
    from gotrace.sinks.aside import file_aside

    with file_aside(path, overwrite=overwrite) as aside, open(aside, "wb") as file:
        yield file


class Rows(Protocol):
    """Takes the batches of one schema, and writes them to a binary file."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Write a batch."""

    def close(self) -> None:
        """Write what ends the file; the file itself stays open."""


def rows_to(out: BinaryIO, schema: pa.Schema, form: str, *, stream: bool = False) -> Rows:
    """Begin to write rows; Arrow is a file, or with `stream` what a pipe can take."""
    if form == "json":
        return _Json(out, schema)
    if form == "csv":
        return _Csv(out, schema)
    if form == "arrow":
        return _Arrow(out, schema, stream)
    return _Parquet(out, schema)


def write_rows(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    form: str,
    out: BinaryIO,
    *,
    stream: bool = True,
) -> int:
    """Write batches of one schema; return the number of rows."""
    writer = rows_to(out, schema, form, stream=stream)
    rows = 0
    for batch in batches:
        writer.write(batch)
        rows += batch.num_rows
        if stream:
            out.flush()
    writer.close()
    out.flush()
    return rows


class _Json:
    r"""One object a line; ids are text, and everything beyond ASCII is \u escaped."""

    def __init__(self, out: BinaryIO, schema: pa.Schema) -> None:
        import json

        self._out = out
        self._names = schema.names
        self._ids = [_is_id(field.name, field.type) for field in schema]
        self._encode = json.JSONEncoder(separators=(",", ":"), default=_json_value).encode

    def write(self, batch: pa.RecordBatch) -> None:
        columns = []
        for column, is_id in zip(batch.columns, self._ids, strict=True):
            values = _python_values(column)
            columns.append([None if v is None else str(v) for v in values] if is_id else values)
        rows = (dict(zip(self._names, row, strict=True)) for row in zip(*columns, strict=True))
        self._out.write("".join(f"{self._encode(row)}\n" for row in rows).encode())

    def close(self) -> None:
        return


class _Csv:
    """Plain CSV: text that a spreadsheet would take for a formula gets an apostrophe in front."""

    def __init__(self, out: BinaryIO, schema: pa.Schema) -> None:
        import pyarrow as pa
        from pyarrow import csv

        self._out = out
        self._names = schema.names
        self._options = csv.WriteOptions(include_header=False)
        self._on_terminal = out.isatty()
        columns = [pa.array([], pa.utf8()) for _ in schema]
        header = pa.RecordBatch.from_arrays(columns, names=schema.names)
        csv.write_csv(header, out)

    def write(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa
        from pyarrow import csv

        columns = [_csv_column(column, self._on_terminal) for column in batch.columns]
        plain = pa.RecordBatch.from_arrays(columns, names=self._names)
        csv.write_csv(plain, self._out, self._options)

    def close(self) -> None:
        return


class _Arrow:
    """Arrow IPC; a dictionary that grows (reason) goes on where it did."""

    def __init__(self, out: BinaryIO, schema: pa.Schema, stream: bool) -> None:
        import pyarrow as pa

        options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
        begin = pa.ipc.new_stream if stream else pa.ipc.new_file
        self._writer = begin(out, schema, options=options)

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


class _Parquet:
    """Parquet, encoded as `gotrace.sinks.parquet` does."""

    def __init__(self, out: BinaryIO, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        from gotrace.sinks.encodings import encodings
        from gotrace.tables.schema import TABLES

        name = (schema.metadata or {}).get(b"gotrace.table", b"").decode()
        order = TABLES[name].order if name in TABLES else ()
        options = encodings(name, schema, order)
        self._writer = pq.ParquetWriter(
            out, schema, **{**options, "compression": "zstd", "compression_level": 3}
        )

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


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
