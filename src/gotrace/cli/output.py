"""Where a verb's rows go: which format, and which of the sinks writes it."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TextIO, TypeVar

import click

from gotrace.cli.terminal import binary_output, clean

if TYPE_CHECKING:
    import pyarrow as pa

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS: Final = ("text", "json", "csv", "arrow", "parquet")
"""What the rows of one table are written as."""

EXTENSIONS: Final = {
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".parquet": "parquet",
    ".duckdb": "duckdb",
    ".txt": "text",
}
"""What `-o` decides by."""

BINARY: Final = frozenset({"arrow", "parquet"})

_SINKS: Final = {
    "json": ("json_lines", "write_json_lines"),
    "csv": ("csv", "write_csv"),
    "arrow": ("ipc", "write_ipc"),
    "parquet": ("single_parquet", "write_single_parquet"),
}
"""Module and function that write one table, by the format."""

_WRITE_BYTES: Final = 1 << 16


def format_of(path: str | None, form: str | None, known: Iterable[str]) -> str:
    """Decide the format by `--format`, else by the ending of `-o`; text without either."""
    if form is not None or path is None:
        return form or "text"
    by_ending = EXTENSIONS.get(os.path.splitext(path)[1].lower())
    if by_ending is None or by_ending not in known:
        endings = [ending for ending, name in EXTENSIONS.items() if name in known]
        raise click.UsageError(
            f"-o {clean(path)}: no format has this ending; there are {', '.join(endings)}, "
            "or give --format"
        )
    return by_ending


@dataclass(frozen=True)
class Output:
    """Where the answer of a verb goes.

    Attributes:
        form: one of `FORMATS`.
        path: the file; None for standard output.
        overwrite: whether a file that is there is replaced.
    """

    form: str
    path: str | None
    overwrite: bool

    def write(self, table: pa.Table, lines: Iterable[str]) -> None:
        """Write a table in a format for machines, or `lines` as text."""
        if self.form != "text":
            batches = table.to_batches()
            write_rows(batches, table.schema, self.form, self.path, overwrite=self.overwrite)
            return
        with text_output(self.path, overwrite=self.overwrite) as out:
            write_lines(lines, out)


def output_options(command: Command) -> Command:
    """Add format, output file and overwrite to a verb; it gets them as `out`."""

    @functools.wraps(command)
    def asked(form: str | None, path: str | None, overwrite: bool, **given: Any) -> Any:
        out = Output(format_of(path, form, FORMATS), path, overwrite)
        return command(out=out, **given)

    return raw_output_options(asked)  # type: ignore[return-value]


def raw_output_options(command: Command) -> Command:
    """Add the same to a verb that writes other files too; it gets `form`, `path`, `overwrite`."""
    options: list[Callable[[Any], Any]] = [
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            help="Text by default, or what the ending of -o says. JSON is an object a line.",
        ),
        click.option("-o", "path", metavar="OUT", help="File to write, instead of stdout."),
        click.option("--overwrite", is_flag=True, help="Replace OUT."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@contextlib.contextmanager
def text_output(path: str | None, *, overwrite: bool) -> Iterator[TextIO]:
    """Give where text goes: a file that is whole or not there, or standard output."""
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    from gotrace.sinks.aside import opened

    with opened(path, "writing text", overwrite=overwrite) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="\n", write_through=True)
        yield text
        text.flush()
        text.detach()


def write_lines(lines: Iterable[str], out: TextIO) -> None:
    """Write lines in pieces of some size; each leaves at once, for whoever reads along."""
    pending: list[str] = []
    length = 0
    for line in lines:
        pending.append(line)
        length += len(line) + 1
        if length >= _WRITE_BYTES:
            out.write("\n".join([*pending, ""]))
            out.flush()
            pending.clear()
            length = 0
    if pending:
        out.write("\n".join([*pending, ""]))


def write_rows(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    form: str,
    path: str | None,
    *,
    overwrite: bool = False,
) -> int:
    """Write one table to a file, or without a path to standard output; return the rows."""
    if form == "text":
        from gotrace.sinks.text import write_text

        with text_output(path, overwrite=overwrite) as file:
            return write_text(batches, schema, file)
    if path is None:
        return _stream_rows(batches, schema, form)
    return _writer(form)(batches, schema, path, overwrite=overwrite)


def _stream_rows(batches: Iterable[pa.RecordBatch], schema: pa.Schema, form: str) -> int:
    """Write rows to standard output; what is written leaves batch by batch."""
    if form in BINARY:
        out = binary_output(form)
    else:
        sys.stdout.flush()
        out = sys.stdout.buffer
    if form == "csv" and sys.stdout.isatty():
        batches = (_for_terminal(batch) for batch in batches)
    how = {"stream": True} if form == "arrow" else {}
    return _writer(form)(_flushing(batches, out), schema, out, **how)


def _writer(form: str) -> Callable[..., int]:
    """Import the sink of a format."""
    module, name = _SINKS[form]
    write: Callable[..., int] = getattr(import_module(f"gotrace.sinks.{module}"), name)
    return write


def _flushing(batches: Iterable[pa.RecordBatch], out: BinaryIO) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        out.flush()


def _for_terminal(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Make the text of a batch harmless; its types stay."""
    import pyarrow as pa

    columns = [
        pa.array([None if text is None else clean(text) for text in column.to_pylist()], pa.utf8())
        if pa.types.is_string(column.type)
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
