"""Golden traces: one readable file each, with the trace as text and what must come out of it.

`tests/data/traces/NAME.test` is a description, then sections, each under its `-- name --`:

    trace          the trace in Go's text form (gotrace.wire.text), `Bytes` for what is no record
    options        how it is opened, `name value` a line, if not as gotrace opens by default
    expect         `success`, or `fault CLASS OFFSET REASON`
    go             only where Go's reader differs: what it does (`end`, `error` or `panic`, with
                   `same events` if it delivers what we do), and below it why we do otherwise
    open           only where we are not yet as we should be: what is to change
    complaints     only if the events break the rules of gotrace.testing.validate: what it says
    table NAME     rows of a table, aligned; columns of nulls alone are left out

Stacks are shown by their leaf, what is null as `-`. `UPDATE=1 pytest tests/test_goldens.py` writes
expect, complaints and the tables that a file has anew; read the difference before it is committed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

import gotrace
from gotrace.errors import FormatError, GotraceError
from gotrace.testing import validate
from gotrace.wire import text_to_bytes
from gotrace.wire.quoting import quote

TRACES = Path(__file__).parent / "data" / "traces"
SECTION = re.compile(r"^-- ([a-z_ ]+) --$")
ORDER = ("trace", "options", "expect", "go", "open", "complaints")
KEPT = ("trace", "options", "go", "open")


@dataclass
class Golden:
    """One golden file, in its parts."""

    path: Path
    description: str
    sections: dict[str, str]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def trace(self) -> bytes:
        """The trace's bytes; its version may be one that there is not."""
        text = self.sections["trace"]
        return b"".join(text_to_bytes(text, self.path.name, any_version=True))

    @property
    def options(self) -> dict[str, str]:
        lines = self.sections.get("options", "").splitlines()
        return dict(line.split(maxsplit=1) for line in lines)

    @property
    def tables(self) -> list[str]:
        prefix = "table "
        return [name.removeprefix(prefix) for name in self.sections if name.startswith(prefix)]


def load(path: Path) -> Golden:
    """Read a golden file."""
    description: list[str] = []
    sections: dict[str, list[str]] = {}
    lines = description
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        marker = SECTION.match(line)
        if marker:
            lines = sections[marker[1]] = []
        else:
            lines.append(line)
    whole = {name: "".join(lines) for name, lines in sections.items()}
    return Golden(path, "".join(description), whole)


def render(golden: Golden, sections: dict[str, str]) -> str:
    """Write a golden file."""
    known = [name for name in ORDER if name in sections]
    rest = [name for name in sections if name not in ORDER]
    parts = [golden.description]
    parts += [f"-- {name} --\n{sections[name]}" for name in (*known, *rest)]
    return "".join(parts)


def all_goldens() -> list[Golden]:
    """All of them, by name."""
    return [load(path) for path in sorted(TRACES.glob("*.test"))]


# --- what comes out ---------------------------------------------------------------------------


@dataclass
class Outcome:
    """What gotrace makes of a trace: the rows up to the fault, and the fault."""

    tables: dict[str, pa.Table]
    fault: GotraceError | None


def decode(trace: bytes, names: Iterable[str], options: dict[str, str]) -> Outcome:
    """Decode tables in one pass, as far as it goes."""
    wanted = list(dict.fromkeys([*names, "events", "stacks"]))
    batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in wanted}
    fault = None
    try:
        source = gotrace.open(trace, **{"on_error": "fail", **options})
        for name, batch in source.scan(wanted):
            batches[name].append(batch)
    except GotraceError as error:
        fault = error
    tables = {
        name: pa.Table.from_batches(parts, gotrace.schema(name)) for name, parts in batches.items()
    }
    return Outcome(tables, fault)


def outcome_sections(golden: Golden) -> dict[str, str]:
    """The golden's sections as they are today, from its trace."""
    outcome = decode(golden.trace, golden.tables, golden.options)
    sections = {name: golden.sections[name] for name in KEPT if name in golden.sections}
    sections["expect"] = _expectation(outcome.fault)
    gaps = golden.options.get("on_error") == "salvage"
    complaints = validate(outcome.tables["events"], gaps=gaps)
    if complaints:
        sections["complaints"] = "".join(f"{line}\n" for line in complaints)
    leaves = _leaves(outcome.tables["stacks"])
    for name in golden.tables:
        sections[f"table {name}"] = _aligned(outcome.tables[name], leaves)
    return sections


def _expectation(fault: GotraceError | None) -> str:
    if fault is None:
        return "success\n"
    if not isinstance(fault, FormatError):
        return f"fault {type(fault).__name__} - {fault}\n"
    offset = "-" if fault.offset is None else fault.offset
    return f"fault {type(fault).__name__} {offset} {fault.reason}\n"


# --- tables as text ---------------------------------------------------------------------------


def _leaves(stacks: pa.Table) -> dict[int, str]:
    rows = zip(stacks["stack_id"].to_pylist(), stacks["leaf"].to_pylist(), strict=True)
    return {stack_id: leaf or "(no name)" for stack_id, leaf in rows}


def _aligned(table: pa.Table, leaves: dict[int, str]) -> str:
    """Write the columns that have a value, each as wide as its widest."""
    names, cells = [], []
    for name in table.column_names:
        column = table[name]
        if len(table) and column.null_count == len(table):
            continue
        values = column.to_pylist()
        if name.endswith("stack_id") and name != "site_stack_id":
            values = [None if v is None else leaves.get(v, v) for v in values]
            name = name.removesuffix("_id")
        names.append(name)
        cells.append([_cell(value) for value in values])
    widths = [max(map(len, [name, *column])) for name, column in zip(names, cells, strict=True)]
    lines = [names, *zip(*cells, strict=True)] if len(table) else [names]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        plain = value and value != "-" and re.fullmatch(r"[!#-~]+", value)
        return value if plain else json.dumps(value, ensure_ascii=not value.isprintable())
    if isinstance(value, bytes):
        return quote(value)
    if isinstance(value, list):
        return "[" + " ".join(_cell(item) for item in value) + "]"
    return str(value).replace(" ", "T")
