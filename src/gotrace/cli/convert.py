"""`gotrace convert`: the tables of a trace or a profile as files."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.inputs import Delivery, file_bytes, on_error_option, open_input, report_damage
from gotrace.cli.options import compat_option, window_options
from gotrace.cli.output import EXTENSIONS, write_rows
from gotrace.cli.terminal import clean, count, fit, size

if TYPE_CHECKING:
    from gotrace.tables.profile import Profile
    from gotrace.tables.trace import Trace

_FORMATS = ("parquet", "arrow", "csv")
_PERFETTO = "perfetto"

Written = Mapping[str, "tuple[int, int]"]
"""Rows and bytes by table."""


@click.command()
@click.argument("file")
@click.option(
    "-o",
    "out",
    metavar="DIR|FILE",
    required=True,
    help="A new folder, or a file for one table: .parquet, .arrow or .csv; or .pftrace.",
)
@click.option(
    "--tables",
    default=None,
    metavar="LIST",
    help="Sets (summary, default, all) and names of tables, with commas between.  "
    "[default: default]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([*_FORMATS, _PERFETTO]),
    help="What the files of a folder are, or one file for Perfetto.  [default: parquet]",
)
@window_options
@click.option(
    "--generation",
    "generations",
    type=click.IntRange(min=1),
    multiple=True,
    help="Only this generation (gotrace info lists them). Repeatable.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Threads that encode Parquet beside the decoder; 1 starts none.  [default: one a core]",
)
@compat_option()
@click.option("--overwrite", is_flag=True, help="Replace what an earlier convert wrote there.")
@on_error_option
def convert(
    file: str,
    out: str,
    tables: str | None,
    form: str | None,
    start: str | None,
    end: str | None,
    generations: tuple[int, ...],
    threads: int | None,
    compat: str | None,
    overwrite: bool,
    on_error: str,
) -> int:
    r"""Write the tables of FILE as Parquet, Arrow or CSV, or a stretch of it for Perfetto.

    FILE is a trace or a profile. A folder gets a file for each table and is complete when it has
    its _gotrace.json. Nothing is left behind when the work is stopped. With --from, --to or
    --generation, of a file that is not compressed only the generations that are needed are read;
    tables without times, like stacks, hold what these refer to.

    \b
    gotrace convert app.trace -o out/                        the default set as Parquet
    gotrace convert app.trace -o events.csv --tables events  one table
    gotrace convert app.trace -o out/ --from +1m --to +1m1s  one second
    gotrace convert app.trace -o x.pftrace --from +1m --to +1m1s
    gotrace convert heap.pb.gz -o heap.pb                    a profile, packed otherwise
    """
    from gotrace.cli.perfetto import ENDINGS, convert_to_perfetto

    if form == _PERFETTO or (form is None and out.lower().endswith(ENDINGS)):
        if tables or generations or threads or compat:
            others = "--tables, --generation, --threads or --compat"
            raise click.UsageError(f"Perfetto's format takes no {others}")
        return convert_to_perfetto(file, out, start, end, overwrite, on_error)
    by_ending = _by_ending(out)
    if by_ending is not None and form not in (None, by_ending):
        raise click.UsageError(f"-o {clean(out)} is not a name for --format {form}")
    with _progress(file) as seen:
        source = open_input(file, on_error, seen)
        window = {"start": start, "end": end, "generations": list(generations) or None}
        if source.kind != "trace" and (compat or any(window.values())):
            raise click.UsageError(f"a {source.kind} has no --from, --to, --generation or --compat")
        if by_ending == "profile":
            return _profile(source, out, tables, overwrite)
        names = _names(source, tables)
        how = {**window, "compat": compat} if source.kind == "trace" else {}
        delivery = Delivery(source, names, **how)
        if by_ending is not None:
            if len(names) != 1:
                raise click.UsageError(
                    f"-o {clean(out)} holds one table: give --tables NAME, or a folder for all"
                )
            written = _one_file(delivery, names[0], by_ending, out, overwrite)
        elif form is None or form == "parquet":
            order: dict[str, Any] | None = {} if compat else None  # Go's rows come in another
            written = _parquet(
                source, delivery, names, out, overwrite=overwrite, threads=threads, order=order
            )
        else:
            written = _folder(source, delivery, names, form, out, overwrite)
    click.echo("\n".join(_summary(written, out)))
    return report_damage([source])


def _names(source: Trace | Profile, tables: str | None) -> tuple[str, ...]:
    from gotrace.tables.schema import ALL_TABLES_OF, resolve

    names = resolve(tables or "default", ALL_TABLES_OF[source.kind])
    if not names:
        raise click.UsageError("--tables names no table")
    return names


def _by_ending(out: str) -> str | None:
    """Return the format of a single file by the ending of its name; None for a folder."""
    from gotrace.sinks.profile_proto import ending_of

    if os.path.isdir(out) or out.endswith(("/", os.sep)):
        return None
    if ending_of(out):
        return "profile"
    form = EXTENSIONS.get(os.path.splitext(out)[1].lower())
    if form is not None and form not in _FORMATS:
        raise click.UsageError(f"-o {clean(out)}: convert writes .parquet, .arrow and .csv")
    return form


def _profile(source: Trace | Profile, out: str, tables: str | None, overwrite: bool) -> int:
    """Write a profile again, in another packing: all of it."""
    from gotrace.analyses.profile_columns import read_tables
    from gotrace.cli.inputs import first_fault, is_damaged
    from gotrace.cli.terminal import Failure
    from gotrace.sinks.profile_proto import ENDINGS, ending_of, write_profile

    if source.kind != "profile":
        raise Failure(
            f"{source.name}: a {source.kind}; gotrace flame -o {clean(out)} makes a profile of it"
        )
    if tables:
        raise click.UsageError(f"-o {clean(out)} holds a whole profile: it takes no --tables")
    read = read_tables(source)
    if is_damaged(source) and not read["profiles"].num_rows:
        raise Failure(f"{source.name}: nothing can be read of it: {first_fault(source)}")
    compression = ENDINGS[ending_of(out) or ""]
    samples = write_profile(read, out, compression=compression, overwrite=overwrite)
    click.echo(fit(f"{count(samples, 'sample')}, {size(os.stat(out).st_size)} in {clean(out)}"))
    return report_damage([source])


def _parquet(
    trace: Trace | Profile,
    delivery: Delivery,
    names: tuple[str, ...],
    out: str,
    **options: Any,
) -> Written:
    from gotrace.sinks.parquet import write_parquet
    from gotrace.tables.schema import schema

    written = write_parquet(
        delivery,
        {name: schema(name) for name in names},
        out,
        source={"name": trace.name},
        notes=_LateNotes(trace),
        **options,
    )
    return {name: (table.rows, table.bytes) for name, table in written.items()}


class _LateNotes(Sequence[Mapping[str, Any]]):
    """The notes of a source, as they are when they are asked for: at the end of the pass."""

    def __init__(self, trace: Trace | Profile) -> None:
        self._trace = trace

    def __len__(self) -> int:
        return len(self._trace.notes)

    def __getitem__(self, index: Any) -> Any:
        return self._trace.notes[index]


def _one_file(delivery: Delivery, name: str, form: str, out: str, overwrite: bool) -> Written:
    from gotrace.tables.schema import schema

    batches = (batch for _, batch in delivery)
    rows = write_rows(batches, schema(name), form, out, overwrite=overwrite)
    return {name: (rows, os.stat(out).st_size)}


def _folder(
    trace: Trace | Profile,
    delivery: Delivery,
    names: tuple[str, ...],
    form: str,
    out: str,
    overwrite: bool,
) -> Written:
    from gotrace.cli.folder import write_folder
    from gotrace.tables.schema import schema

    return write_folder(
        delivery,
        {name: schema(name) for name in names},
        out,
        form,
        overwrite=overwrite,
        source={"name": trace.name},
        notes=_LateNotes(trace),
    )


def _summary(written: Written, out: str) -> Iterator[str]:
    widest = max(map(len, written))
    for name, (rows, length) in written.items():
        yield f"{name:{widest}}  {rows:>13,} {'row ' if rows == 1 else 'rows'}  {size(length):>9}"
    rows = sum(table[0] for table in written.values())
    length = sum(table[1] for table in written.values())
    total = f"{count(len(written), 'table')}, {count(rows, 'row')}, {size(length)}"
    yield fit(f"{total} in {clean(str(Path(out)))}")


@contextlib.contextmanager
def _progress(file: str) -> Iterator[Callable[[int], None] | None]:
    """Show how far the input is read, on a terminal only; give what counts its bytes."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    with bar:
        task = bar.add_task("", total=file_bytes(file))
        yield lambda read: bar.update(task, completed=read)
