"""`gotrace schema`: the tables and their columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.terminal import WIDTH

if TYPE_CHECKING:
    from gotrace.tables.columns import Table


@click.command()
@click.argument("table", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or JSON for programs.",
)
def schema(table: str | None, form: str) -> None:
    r"""List the tables, or the columns of TABLE: types, units, meanings.

    \b
    gotrace schema                     every table in a line
    gotrace schema events              its columns
    gotrace schema --format json       everything
    """
    from gotrace.tables import schema as page

    tables = [page.table(table)] if table else list(page.ALL_TABLES.values())
    if form == "json":
        import json

        document = {
            "schema_version": page.SCHEMA_VERSION,
            "tables": [_document(each) for each in tables],
        }
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    lines = _columns(tables[0]) if table else _tables(tables)
    click.echo("\n".join(lines))


def _tables(tables: list[Table]) -> Iterator[str]:
    widest = max(len(each.name) for each in tables)
    for each in tables:
        smallest = min(each.sets, key=_set_rank, default="result")
        head = f"{each.name:{widest}}  {smallest:7}  "
        yield from _wrapped(f"one row per {each.row}", head, " " * len(head))
    yield ""
    yield "Second column: the smallest set with the table (summary is within default, within all)."
    yield "A result is what an analysis gives."
    yield "Next: gotrace schema TABLE for its columns"


def _columns(table: Table) -> Iterator[str]:
    from gotrace.tables.columns import DICTIONARIES

    yield from _wrapped(f"{table.name}: one row per {table.row}", "", "  ")
    if table.meaning:
        yield from _wrapped(table.meaning, "  ", "  ")
    ordered = [f"sorted by {', '.join(table.order)}"] if table.order else []
    of = f"in the sets {_sets(table)}" if table.sets else "made by an analysis, in no file"
    yield f"  {'; '.join([*ordered, of])}"
    yield ""
    names = max(len(column.name) for column in table.columns)
    kinds = max(len(_type(column.type)) for column in table.columns)
    units = max(max(len(column.unit) for column in table.columns), 4)
    yield f"  {'column':{names}}  {'type':{kinds}}  null  {'unit':{units}}  meaning"
    for column in table.columns:
        null = "yes" if column.nullable else "no"
        head = f"  {column.name:{names}}  {_type(column.type):{kinds}}  {null:4}  "
        head += f"{column.unit:{units}}  "
        yield from _wrapped(column.meaning, head, " " * len(head))
    used = {column.words: column.name for column in table.columns if column.words}
    for words in used:
        yield ""
        listed = ", ".join(DICTIONARIES[words])
        yield from _wrapped(f"words of {words}: {listed}", "  ", "    ")


def _document(table: Table) -> dict[str, Any]:
    from gotrace.tables.columns import DICTIONARIES

    return {
        "name": table.name,
        "row": table.row,
        "meaning": table.meaning or None,
        "order": list(table.order),
        "sets": sorted(table.sets, key=_set_rank),
        "columns": [
            {
                "name": column.name,
                "type": _type(column.type),
                "nullable": column.nullable,
                "unit": column.unit or None,
                "meaning": column.meaning,
                "words": list(DICTIONARIES[column.words]) if column.words else None,
            }
            for column in table.columns
        ],
    }


def _sets(table: Table) -> str:
    return ", ".join(sorted(table.sets, key=_set_rank))


def _set_rank(name: str) -> int:
    return ("summary", "default", "all").index(name)


def _type(kind: Any) -> str:
    """Write an Arrow type shortly: word (dictionary of utf8), list<int64>."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return f"dict<{kind.index_type}>"
    if pa.types.is_list(kind):
        return f"list<{_type(kind.value_type)}>"
    return str(kind).replace("string", "utf8")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    import textwrap

    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False
    )
