"""`gotrace sql`: questions in SQL, over traces and profiles."""

from __future__ import annotations

import contextlib
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.inputs import (
    STREAM,
    check_once,
    is_damaged,
    is_empty,
    on_error_option,
    open_input,
    report_damage,
    rereadable,
)
from gotrace.cli.interrupts import forget, interruptible
from gotrace.cli.many import Many
from gotrace.cli.options import compat_option
from gotrace.cli.output import FORMATS, format_of, write_rows
from gotrace.cli.terminal import OK, PARTIAL, clean_lines, say

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.tables.connect import Library

_BATCH_ROWS = 65536


@click.command()
@click.argument("words", metavar='FILE... ["SELECT ..."]', nargs=-1, required=True)
@click.option("-f", "script", metavar="QUERY.SQL", help="Read the query from a file.")
@click.option(
    "-o",
    "path",
    metavar="OUT",
    help="File to write: .parquet, .csv, .json, .arrow; .duckdb for a database with the result, "
    "or without a query with all tables.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Text by default, or what the ending of -o says.",
)
@compat_option()
@click.option("--overwrite", is_flag=True, help="Replace OUT.")
@on_error_option
def sql(
    words: tuple[str, ...],
    script: str | None,
    path: str | None,
    form: str | None,
    compat: str | None,
    overwrite: bool,
    on_error: str,
) -> int:
    r"""Ask traces and profiles in SQL (DuckDB's). Every table of `gotrace schema` is there.

    Only the columns that the query names are decoded. With several files every table has a column
    `source`. Without a query: an interactive shell, or the query from standard input.

    \b
    gotrace sql app.trace "SELECT kind, count(*) FROM events GROUP BY ALL ORDER BY 2 DESC"
    gotrace sql *.trace -f query.sql -o result.parquet
    gotrace sql heap.pb.gz "SELECT site, sum(value) FROM sample_values JOIN stacks USING (stack_id)
        WHERE type = 'inuse_space' GROUP BY ALL ORDER BY 2 DESC LIMIT 10"
    """
    files, query = _files_and_query(words, script)
    check_once(files)
    known = (*FORMATS, "duckdb")
    form = format_of(path, form, known)
    if query is None and form != "duckdb" and not (sys.stdin.isatty() and not path):
        if STREAM in files or sys.stdin.isatty():
            raise click.UsageError("no query: give one in quotes, or with -f")
        query = sys.stdin.read()
    with contextlib.ExitStack() as inputs:
        library, failed = _open(files, on_error, inputs, compat)
        _ask(library, query, form, path, overwrite)
        damaged = [source for source in library.sources if is_damaged(source)]
        code = report_damage(library.sources, nothing=bool(damaged) and all(map(is_empty, damaged)))
    if len(damaged) + failed < len(files):
        return PARTIAL if code or failed else OK
    return code


def _ask(library: Library, query: str | None, form: str, path: str | None, overwrite: bool) -> None:
    """Answer the query, or open the shell."""
    connection = library.connect()
    try:
        if form == "duckdb":
            assert path is not None
            with interruptible(partial(_stop, library, connection)):
                _to_database(library, connection, query, path, overwrite)
        elif query is None:
            _shell(library, connection)
        else:
            _answer(library, connection, query, form, path, overwrite)
    except Exception as error:
        raise _typed(library, error) from error
    finally:
        for source in library.sources:
            source.cancel()  # what DuckDB still reads ahead is not wanted
    connection.close()


def _files_and_query(words: tuple[str, ...], script: str | None) -> tuple[list[str], str | None]:
    """Tell files from the query: the last word, when it has a space and is no file."""
    if script is not None:
        with open(script, encoding="utf-8") as file:
            return list(words), file.read()
    last = words[-1]
    is_query = any(char.isspace() for char in last) and not os.path.exists(last)
    files = list(words[:-1] if is_query else words)
    if not files:
        raise click.UsageError("name at least one file before the query")
    return files, last if is_query else None


def _open(
    files: list[str], on_error: str, inputs: contextlib.ExitStack, compat: str | None
) -> tuple[Library, int]:
    """Open the inputs; of several, those that can be read, and how many can't."""
    from gotrace.tables.connect import Library

    many = Many(files, lambda file: open_input(inputs.enter_context(rereadable(file)), on_error))
    sources = [source for _, source in many]
    return Library(sources, compat=compat), many.failed


def _typed(library: Library, error: Exception) -> Exception:
    """Prefer the source's own error to what is left of it behind DuckDB."""
    import duckdb

    from gotrace.errors import GotraceError

    if isinstance(error, duckdb.Error):
        for source in library.sources:
            if source.on_error == "fail" and isinstance(source.fault, GotraceError):
                return source.fault
    return error


def _answer(
    library: Library, connection: Any, query: str, form: str, path: str | None, overwrite: bool
) -> None:
    """Run a query and write what it gives."""
    from gotrace.tables.connect import needs

    if not query.strip().strip(";").strip():
        raise click.UsageError("the query is empty")
    library.fetch(needs(query))
    with interruptible(partial(_stop, library, connection)):
        rows = _run(connection, query, form, path, overwrite)
    if rows == 0:
        say(f"no rows: {_why_none(connection, query)}")


def _stop(library: Library, connection: Any) -> None:
    """Stop a query, and what it decodes in threads of DuckDB's."""
    connection.interrupt()
    for source in library.sources:
        source.cancel()


def _run(
    connection: Any, query: str, form: str, path: str | None = None, overwrite: bool = False
) -> int | None:
    """Write the result of the last statement; None when it has none, else how many rows."""
    relation = connection.sql(query)
    if relation is None:  # a statement that has no result
        return None
    reader = _reader(relation)
    return write_rows(reader, reader.schema, form, path, overwrite=overwrite)


def _reader(relation: Any) -> pa.RecordBatchReader:
    """Stream a result as Arrow, by the name that DuckDB's version has for it."""
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read(_BATCH_ROWS)


def _why_none(connection: Any, query: str) -> str:
    """Say which of the tables that a query reads are empty."""
    import duckdb

    from gotrace.errors import GotraceError
    from gotrace.tables.connect import needs

    try:
        empty = [
            name
            for name in needs(query)
            if not connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        ]
    except (duckdb.Error, GotraceError):
        empty = []
    if empty:
        return f"the table {' and '.join(empty)} of this input is empty"
    return "the tables have rows, the query's conditions match none"


def _to_database(
    library: Library, connection: Any, query: str | None, path: str, overwrite: bool
) -> None:
    """Write the result, or without a query every table, into a new DuckDB file."""
    from gotrace.sinks.aside import file_aside

    with file_aside(path, overwrite=overwrite) as aside:
        quoted = str(aside).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS gotrace_out")
        try:
            if query is not None:
                bare = query.strip().rstrip(";")
                connection.execute(f"CREATE TABLE gotrace_out.result AS {bare}")
            else:
                for name in library.tables:
                    connection.execute(f"CREATE TABLE gotrace_out.{name} AS SELECT * FROM {name}")
        finally:
            try:
                connection.execute("DETACH gotrace_out")
            finally:  # what DuckDB keeps beside a file that it could not finish
                aside.with_name(f"{aside.name}.wal").unlink(missing_ok=True)


def _shell(library: Library, connection: Any) -> None:
    """Read statements up to a semicolon, and answer each; .quit or the end of input leaves."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (gives input() its history and arrow keys)
    from gotrace.cli.app import message_of

    click.echo("Every table of `gotrace schema` is here; statements end with ; and .quit leaves.")
    pending = ""
    while True:
        try:
            line = input("   ...> " if pending else "gotrace> ")
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            forget()
            click.echo()
            pending = ""
            continue
        if not pending and line.strip().startswith("."):
            if not _dot(line.split()):
                return
            continue
        pending = f"{pending}{line}\n"
        if not pending.strip():
            pending = ""
        if not line.rstrip().endswith(";") or not pending:
            continue
        query, pending = pending, ""
        try:
            with interruptible(partial(_stop, library, connection)):
                rows = _run(connection, query, "text")
            if rows == 0:
                say(f"no rows: {_why_none(connection, query)}")
        except KeyboardInterrupt:
            forget()
            say("interrupted")
        except Exception as error:
            message = error.message if isinstance(error, click.UsageError) else message_of(error)
            if message is None:
                raise
            say(message)


def _dot(command: list[str]) -> bool:
    """Do .tables, .schema TABLE or .quit; False to leave."""
    from gotrace.cli.schema import schema
    from gotrace.errors import UnknownNameError

    if command[0] in (".quit", ".exit", ".q"):
        return False
    if command[0] in (".tables", ".schema"):
        try:
            assert schema.callback is not None
            schema.callback(command[1] if len(command) > 1 else None, "text")
        except UnknownNameError as error:
            say(str(error))
    else:
        click.echo("\n".join(clean_lines(".tables, .schema TABLE, .quit; or SQL with a ; behind")))
    return True
