"""The docs page of the tables, made from `schema`: `python -m gotrace.tables.docs [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from gotrace.tables.columns import DICTIONARIES, Column, Table
from gotrace.tables.profile_tables import OWN_TABLES
from gotrace.tables.results import RESULTS
from gotrace.tables.schema import SCHEMA_VERSION, SETS, TABLES

PAGE = Path("docs/tables.md")

_HEAD = f"""# Tables of an execution trace

Made by `make docs` from `src/gotrace/tables/schema.py`; schema version {SCHEMA_VERSION}. The same
text is in the metadata of every field: `gotrace.schema("events")`.

- Times are nanoseconds on the trace clock, as Go's reader reports them. `seq` numbers the events of
  the ordered trace from 0, without gaps.
- Null means that there is none: never -1, 0 or empty text.
- Intervals hold their start and not their end. What began before the trace starts at the sync that
  opened it (`open_start`), what outlived the trace ends at the last event (`open_end`).
- Ids are int64. The three stack keys are content hashes, the same in every file and on every
  machine: [stack-keys.md](stack-keys.md).
- Dictionary columns have constant word lists, given at the end; a code never changes its meaning.
"""

_PROFILE_HEAD = """# Tables of a profile

A profile has these, and `stacks`, `frames` and `notes` as above. A file may hold several profiles,
numbered by `profile`; ids of locations, functions and mappings are good within one.
"""


def page() -> str:
    """Return the whole page as Markdown text."""
    traces = (line for t in TABLES.values() for line in _table(t))
    profiles = (line for t in OWN_TABLES.values() for line in _table(t))
    results = (line for t in RESULTS.values() for line in _table(t))
    pages = (_HEAD, *_sets(), *traces, _PROFILE_HEAD, *profiles, "# Tables of analyses\n", *results)
    return "\n".join([*pages, *_words()])


def type_name(column: Column) -> str:
    """Return a column's Arrow type as people write it."""
    if column.words:
        index = column.type.index_type
        return f"dictionary<{index}, utf8>"
    if pa.types.is_list(column.type):
        return f"list<{_plain(column.type.value_type)}>"
    return _plain(column.type)


def _plain(kind: pa.DataType) -> str:
    return str(kind).replace("string", "utf8")


def _sets() -> Iterator[str]:
    yield "| set | tables |\n|---|---|"
    for name in SETS:
        members = (f"[{t.name}](#{t.name})" for t in TABLES.values() if name in t.sets)
        yield f"| `{name}` | {', '.join(members)} |"
    yield ""


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.name}\n"
    order = f" Sorted by {', '.join(f'`{name}`' for name in table.order)}." if table.order else ""
    more = f" {table.meaning}" if table.meaning else ""
    yield f"One row per {table.row}.{order}{more}\n"
    yield "| column | type | unit | null | meaning |\n|---|---|---|---|---|"
    for column in table.columns:
        null = "null" if column.nullable else ""
        words = f" (set `{column.words}`)" if column.words else ""
        yield (
            f"| {column.name} | {type_name(column)} | {column.unit} | {null} |"
            f" {column.meaning}{words} |"
        )
    yield ""


def _words() -> Iterator[str]:
    yield "## Words\n"
    yield "In the order of their codes, from 0.\n"
    for name, words in DICTIONARIES.items():
        grows = ", and what newer runtimes add behind it" if name == "reason" else ""
        yield f"- `{name}`{grows}: {', '.join(f'`{word}`' for word in words)}"
    yield ""


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date; return the exit code."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{PAGE} is not what schema.py says; run `make docs`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
