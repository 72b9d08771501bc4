"""What a table's description is made of: columns, tables, types. The tables are in `schema`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pyarrow as pa

from gotrace.spec import words

DICTIONARIES: Final[Mapping[str, Sequence[str]]] = {
    "kind": words.KINDS,
    "resource": words.RESOURCES,
    "state": words.STATES,
    "wake": words.WAKES,
    "class": words.RANGE_CLASSES,
    "op": words.OPS,
    "object": words.OBJECTS,
    "wait": words.WAITS,
    "reason": words.REASONS,
}
"""The pinned words of every closed set, by the set's name; `reason` may grow behind its list."""

WORDS = pa.dictionary(pa.int8(), pa.utf8())
"""Type of a column of closed words."""

REASON = pa.dictionary(pa.int16(), pa.utf8())
"""Type of the `reason` columns."""

INT64, INT32, UINT64, FLOAT64 = pa.int64(), pa.int32(), pa.uint64(), pa.float64()
BOOL, TEXT = pa.bool_(), pa.utf8()
WALL = pa.timestamp("ns", tz="UTC")


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, unit and meaning.

    Attributes:
        name: lower snake case; a unit is its suffix.
        type: Arrow type.
        meaning: one line, no full stop.
        unit: ns, bytes, Hz or "" for none.
        nullable: whether null occurs; null always means that there is none.
        words: name of the closed set in `DICTIONARIES`, for dictionary columns.
    """

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""
    nullable: bool = True
    words: str | None = None

    def field(self) -> pa.Field:
        """Give the Arrow field, with meaning and unit as metadata."""
        metadata = {"description": self.meaning}
        if self.unit:
            metadata["unit"] = self.unit
        return pa.field(self.name, self.type, nullable=self.nullable, metadata=metadata)


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: its name in every face of gotrace.
        row: what one row is.
        order: columns that the rows are sorted by, in the order of the stream; () for none.
        sets: the named sets it belongs to, of `summary`, `default`, `all`.
        columns: in the order of the table.
        meaning: what a reader should know besides.
    """

    name: str
    row: str
    order: tuple[str, ...]
    sets: frozenset[str]
    columns: tuple[Column, ...]
    meaning: str = ""

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}


def i64(name: str, meaning: str, *, need: bool = False, unit: str = "") -> Column:
    """Give an int64 column; the unit comes from the name's suffix when not given."""
    unit = unit or ("ns" if name.endswith("_ns") else "bytes" if name.endswith("_bytes") else "")
    return Column(name, INT64, meaning, unit, not need)


def i32(name: str, meaning: str, *, need: bool = False) -> Column:
    """Give an int32 column."""
    return Column(name, INT32, meaning, nullable=not need)


def u64(name: str, meaning: str) -> Column:
    """Give a uint64 column: an address, or a number whose meaning its row says."""
    return Column(name, UINT64, meaning)


def f64(name: str, meaning: str, *, need: bool = False) -> Column:
    """Give a float64 column: a share, a rate, a mean."""
    return Column(name, FLOAT64, meaning, nullable=not need)


def flag(name: str, meaning: str, *, need: bool = True) -> Column:
    """Give a boolean column."""
    return Column(name, BOOL, meaning, nullable=not need)


def text(name: str, meaning: str, *, need: bool = False) -> Column:
    """Give a utf8 column."""
    return Column(name, TEXT, meaning, nullable=not need)


def word(name: str, words_of: str, meaning: str, *, need: bool = False) -> Column:
    """Give a dictionary column over a closed set."""
    kind = REASON if words_of == "reason" else WORDS
    return Column(name, kind, meaning, nullable=not need, words=words_of)


def listing(name: str, item: pa.DataType, meaning: str, *, need: bool = True) -> Column:
    """Give a list column without nulls, in the list or inside it."""
    kind = pa.list_(pa.field("item", item, nullable=False))
    return Column(name, kind, meaning, nullable=not need)


def shares(name: str, key: str, meaning: str) -> Column:
    """Give a list column of (key, ns): how a time divides, by text, without zeros."""
    item = pa.struct([pa.field(key, TEXT), pa.field("ns", INT64, nullable=False)])
    return listing(name, item, meaning, need=False)


SUMMARY: Final = frozenset({"summary", "default", "all"})
"""Sets of a table that every conversion has."""

DEFAULT: Final = frozenset({"default", "all"})
ALL: Final = frozenset({"all"})

INTERVAL: Final = (
    i64("start_ns", "begin, on the trace clock", need=True),
    i64("end_ns", "end, on the trace clock, not within the interval", need=True),
    i64("duration_ns", "end_ns - start_ns", need=True),
    i64("start_seq", "event that opened it, or the sync it was clipped at", need=True),
    i64("end_seq", "event that closed it, or the last event it was clipped at", need=True),
)
"""Columns that every table of intervals has."""

OPEN: Final = (
    flag("open_start", "it began before the trace did, at an unknown time"),
    flag("open_end", "it had not ended when the trace did"),
)
"""And these, at the end of its own columns."""

BY_CLOSING: Final = ("end_seq", "start_seq")
"""Order of a table of intervals."""
