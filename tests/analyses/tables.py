"""Tables of traces, made by hand: rows as dicts, columns as the schema has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

import gotrace

Rows = Iterable[Mapping[str, Any]]


def made(**tables: Rows) -> dict[str, pa.Table]:
    """Make tables; a column that a row lacks is null, false, 0 or an empty list."""
    return {name: _table(name, list(rows)) for name, rows in tables.items()}


def _table(name: str, rows: list[Mapping[str, Any]]) -> pa.Table:
    wanted = gotrace.schema(name)
    for row in rows:
        assert row.keys() <= set(wanted.names), row.keys() - set(wanted.names)
    columns = [_column(field, [row.get(field.name) for row in rows]) for field in wanted]
    return pa.table(columns, schema=wanted)


def _column(field: pa.Field, values: list[Any]) -> pa.Array:
    if not field.nullable:
        none = _none(field.type)
        values = [none if value is None else value for value in values]
    if pa.types.is_dictionary(field.type):
        return pa.array(values, pa.utf8()).dictionary_encode().cast(field.type)
    return pa.array(values, field.type)


def _none(kind: pa.DataType) -> Any:
    if pa.types.is_list(kind):
        return []
    return False if pa.types.is_boolean(kind) else "" if pa.types.is_string(kind) else 0
