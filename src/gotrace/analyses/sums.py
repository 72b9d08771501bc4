"""Sums of streams by key, and numbers for names that come again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gotrace.arrays import Bools, Ints

Codes = npt.NDArray[np.int8]

_HELD_ROWS: Final = 1 << 18
_BYTE: Final = 256


class Sums:
    """Sum columns by keys over batches; memory grows with the distinct keys.

    Args:
        keys: names of the columns that make a group; null is a key like others.
        values: names of int64 columns.
    """

    def __init__(self, keys: Sequence[str], values: Sequence[str]) -> None:
        self._keys, self._values = list(keys), list(values)
        self._parts: list[pa.Table] = []
        self._rows = 0
        self._limit = _HELD_ROWS

    def add(self, rows: pa.Table | pa.RecordBatch) -> None:
        """Add rows that have these columns."""
        table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        if not table.num_rows:
            return
        part = self._grouped(table.select([*self._keys, *self._values]))
        self._parts.append(part)
        self._rows += part.num_rows
        if self._rows > self._limit:
            whole = self._grouped(pa.concat_tables(self._parts))
            self._parts, self._rows = [whole], whole.num_rows
            self._limit = max(_HELD_ROWS, 2 * whole.num_rows)

    def table(self) -> pa.Table | None:
        """Give a row a key, sums under the names of the values; None when nothing was added."""
        if not self._parts:
            return None
        return self._grouped(pa.concat_tables(self._parts))

    def _grouped(self, table: pa.Table) -> pa.Table:
        grouped = table.group_by(self._keys, use_threads=False)
        sums = grouped.aggregate([(name, "sum") for name in self._values])
        columns = [*self._keys, *(f"{name}_sum" for name in self._values)]
        return sums.select(columns).rename_columns([*self._keys, *self._values])


class Numbering:
    """Gives every text the same small number each time, in order of first sight."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def values(self) -> list[Any]:
        """What was numbered, by number; None may be among it."""
        return list(self.numbers)

    def of(self, column: pa.Array) -> Ints:
        """Give the number of every value, int64; Python looks at the distinct ones alone."""
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        column = column.dictionary_encode(null_encoding="encode")
        numbers = self.numbers
        local = np.array(
            [numbers.setdefault(value, len(numbers)) for value in column.dictionary.to_pylist()],
            np.int64,
        )
        found: Ints = local[np.asarray(column.indices).astype(np.int64)]
        return found


def ints(column: pa.Array | pa.ChunkedArray, none: int = 0) -> Ints:
    """Give an integer column as int64, with `none` for null."""
    if column.null_count:
        column = column.fill_null(none)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return np.asarray(column).astype(np.int64, copy=False)


def taken(column: pa.Array, rows: Ints, none: int = 0) -> Ints:
    """Give some rows of an int64 column, with `none` for null, without looking at the others."""
    values = held_numbers(column, np.int64)[rows]
    return np.where(_valid(column)[rows], values, none) if column.null_count else values


def whole(column: Any) -> Any:
    """Give a column in one piece."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column


def codes(column: pa.DictionaryArray) -> Ints:
    """Give the codes of a column of words, -1 for null; they mean what its dictionary says."""
    return ints(column.indices, -1)


def codes_in(column: pa.Array, words: Sequence[str]) -> Codes:
    """Give the position in `words`, fewer than 128, of each word; -1 for null and for others."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    known = {word: at for at, word in enumerate(words)}
    here = [known.get(word, -1) for word in column.dictionary.to_pylist()]
    table = np.array([*here, -1], np.int8)
    indices = column.indices
    if not pa.types.is_int8(indices.type) or len(table) > _BYTE:
        if indices.null_count:
            indices = indices.fill_null(len(here))
        found: Codes = table[np.asarray(indices)]
        return found
    # A byte for a byte is several times faster than a gather.
    padded = table.tobytes() + bytes(_BYTE - len(table))
    held = held_numbers(indices, np.int8).tobytes().translate(padded)
    found = np.frombuffer(held, np.int8)
    return np.where(_valid(indices), found, np.int8(-1)) if indices.null_count else found


def held_numbers(column: pa.Array, kind: Any) -> Any:
    """Give the numbers of a column as they lie there, anything for null."""
    buffer = column.buffers()[1]
    held = np.zeros(0, kind) if buffer is None else np.frombuffer(buffer, kind)
    return held[column.offset : column.offset + len(column)]


def _valid(column: pa.Array) -> Bools:
    """Say of each row of a column that has nulls whether it is none."""
    bits = np.frombuffer(column.buffers()[0], np.uint8)
    flags = np.unpackbits(bits, count=column.offset + len(column), bitorder="little")
    return flags[column.offset :].view(np.bool_)
