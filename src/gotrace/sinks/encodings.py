"""How columns are encoded in Parquet, by name and type.

Rising numbers are stored as differences (DELTA_BINARY_PACKED), keys of the table itself as they
are, all else through a dictionary. `for_rows` knows better for ids, from the first rows of a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_RISING: Final = frozenset(
    {"seq", "time_ns", "start_ns", "end_ns", "snapshot_ns", "mono_ns", "task"},
)
"""Columns by name. Tasks are numbered as they are made, so that near rows have near tasks."""

_RISING_ENDS: Final = ("_seq", "_at_ns")
_NEAR: Final = {
    "metrics": ("value",),
    "goroutines": (
        "goroutine",
        "total_ns",
        "exec_ns",
        "sched_ns",
        "syscall_ns",
        "syscall_block_ns",
        "block_ns",
        "block.list.element.ns",
        "range.list.element.ns",
        "unknown_ns",
    ),
}
"""Columns of one table whose neighbours are near each other, or at least seldom the same."""

_IDS: Final = frozenset({"goroutine", "by_goroutine", "resource_id"})
_SAMPLE_ROWS: Final = 1 << 13
"""First rows that say whether there are many of these ids."""

_UNIQUE: Final = {"stacks": ("stack_id",), "frames": ("frame_id",)}
"""Hashes that occur once: a dictionary of them is twice the bytes."""


def encodings(table: str, schema: pa.Schema, order: Sequence[str]) -> dict[str, Any]:
    """Give the `pyarrow.parquet.ParquetWriter` options for a table.

    Args:
        table: its name.
        schema: its columns, or those of them that are written.
        order: columns that its rows are sorted by; those up to the first that is not written are
            named in every row group.
    """
    unique = _UNIQUE.get(table, ())
    near = _NEAR.get(table, ())
    leaves = [leaf for field in schema for leaf in _leaves(field.name, field.type)]
    delta = [path for path, kind in leaves if path in near or _rises(path, kind)]
    dictionary = [
        path
        for path, kind in leaves
        if path not in delta and path not in unique and not pa.types.is_boolean(kind)
    ]
    sorting = []
    for name in order:
        index = schema.get_field_index(name)
        if index < 0:
            break
        sorting.append(pq.SortingColumn(index))
    return {
        "version": "2.6",
        "data_page_version": "1.0",
        "use_dictionary": dictionary,
        "column_encoding": dict.fromkeys(delta, "DELTA_BINARY_PACKED"),
        "write_statistics": True,
        "write_page_index": True,
        "write_page_checksum": True,
        "sorting_columns": sorting or None,
    }


def for_rows(options: Mapping[str, Any], rows: pa.Table) -> Mapping[str, Any]:
    """Change the options for a file that begins with these rows: many ids go as differences.

    Few goroutines, as often as they occur, are best in a dictionary. Where one of eight rows has
    another one, they come and go, and those that are near were made near each other.
    """
    if rows.num_rows < _SAMPLE_ROWS:
        return options
    sample = rows.slice(0, _SAMPLE_ROWS)
    many = [
        name
        for name in options["use_dictionary"]
        if name in _IDS and pc.count_distinct(sample.column(name)).as_py() * 8 > _SAMPLE_ROWS
    ]
    return {
        **options,
        "use_dictionary": [name for name in options["use_dictionary"] if name not in many],
        "column_encoding": {
            **options["column_encoding"],
            **dict.fromkeys(many, "DELTA_BINARY_PACKED"),
        },
    }


def _rises(path: str, kind: pa.DataType) -> bool:
    return pa.types.is_int64(kind) and (path in _RISING or path.endswith(_RISING_ENDS))


def _leaves(path: str, kind: pa.DataType) -> list[tuple[str, pa.DataType]]:
    """Give the Parquet paths of the values in a column, as pyarrow names them, with their types."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _leaves(f"{path}.list.element", kind.value_type)
    if pa.types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return [leaf for f in fields for leaf in _leaves(f"{path}.{f.name}", f.type)]
    return [(path, kind)]
