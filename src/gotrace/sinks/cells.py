"""Arrow columns as columns of text: JSON values, and plain cells for CSV."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

PIECE_ROWS: Final = 8192
"""Rows that are turned into text at once: bounds the memory, and the 2 GiB of a utf8 column."""

_IDS: Final = frozenset({"goroutine", "thread", "task", "address", "parent", "fingerprint"})
_ID_BEGINS: Final = ("by_", "parent_")
_ID_ENDS: Final = ("_id", "_ids")


def is_id(name: str, kind: pa.DataType) -> bool:
    """Say whether a column holds 64-bit ids, which JSON writes as strings.

    JavaScript, jq and others read JSON numbers as doubles: beyond 2**53 they change an id.
    """
    if pa.types.is_list(kind):
        kind = kind.value_type
    if not (pa.types.is_int64(kind) or pa.types.is_uint64(kind)):
        return False
    return name in _IDS or name.startswith(_ID_BEGINS) or name.endswith(_ID_ENDS)


def json_column(name: str, column: pa.Array) -> pa.Array:
    """Give a column as JSON values in ASCII, null as `null`."""
    kind = column.type
    if is_id(name, kind) and not pa.types.is_list(kind):
        text = pc.binary_join_element_wise('"', column.cast(pa.utf8()), '"', "")
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        text = column.cast(pa.utf8())  # DuckDB's sums are decimals
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        text = _by_value(column, json.dumps)
    elif pa.types.is_timestamp(kind):
        text = pc.binary_join_element_wise('"', _instant(column), '"', "")
    else:
        text = pa.array([json_text(name, kind, value) for value in column], pa.utf8())
    return pc.fill_null(text, "null")


def plain_column(name: str, column: pa.Array) -> pa.Array:
    """Give a column as cells: numbers and text as they are, lists as JSON, bytes as base64."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_timestamp(kind):
        return _instant(column)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([_base64(value.as_py()) for value in column], pa.utf8())
    if pa.types.is_nested(kind):
        return pa.array([json_text(name, kind, value) for value in column], pa.utf8())
    return column


def json_text(name: str, kind: pa.DataType, value: pa.Scalar) -> str | None:
    """Give one value as JSON text; None for null."""
    if not value.is_valid:
        return None
    return json.dumps(_json_value(name, kind, value.as_py()), separators=(",", ":"))


def _json_value(name: str, kind: pa.DataType, value: Any) -> Any:
    if value is None:
        return None
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_json_value(name, kind.value_type, item) for item in value]
    if pa.types.is_struct(kind):
        return {f.name: _json_value(f.name, f.type, value[f.name]) for f in kind}
    if is_id(name, kind):
        return str(value)
    if pa.types.is_floating(kind) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return _base64(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | time | timedelta | UUID):
        return str(value)
    return value


def _by_value(column: pa.Array, convert: Callable[[str], str]) -> pa.Array:
    """Convert every distinct text once."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = pa.array([convert(value) for value in column.dictionary.to_pylist()], pa.utf8())
    return values.take(column.indices)


def _instant(column: pa.Array) -> pa.Array:
    """RFC 3339 with all digits of the unit; times are UTC."""
    return pc.replace_substring(column.cast(pa.utf8()), " ", "T")


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")
