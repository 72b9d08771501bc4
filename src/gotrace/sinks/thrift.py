"""Thrift's compact protocol, as far as Parquet's page headers and footers need it.

A struct is written from its fields as (id, value), in rising order of the ids: numbers as `I32`,
`I64` or `I16`, `bytes`, `bool`, a `Struct`, a `List`, or `Raw`, bytes that were such a value
already. A field that is None is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias, Union

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_STOP: Final = 0


class I16(int):
    """A number of 16 bits."""


class I32(int):
    """A number of 32 bits."""


class I64(int):
    """A number of 64 bits."""


@dataclass(frozen=True)
class Raw:
    """A value that is encoded already."""

    kind: int
    data: bytes

    @staticmethod
    def of(struct: Struct) -> Raw:
        """Encode a struct that goes into another later."""
        return Raw(_STRUCT, encode(struct))


Value: TypeAlias = Union[I16, I32, I64, bool, bytes, Raw, "list[Value]", "Struct"]


class Struct(tuple[tuple[int, "Value | None"], ...]):
    """Fields as (id, value); ids rise."""

    __slots__ = ()


_KINDS: Final[dict[type, int]] = {
    I16: _I16,
    I32: _I32,
    I64: _I64,
    bool: _TRUE,
    bytes: _BINARY,
    list: _LIST,
    Struct: _STRUCT,
}


def encode(struct: Struct) -> bytes:
    """Give the bytes of a struct."""
    out = bytearray()
    _put_struct(out, struct)
    return bytes(out)


def _put_struct(out: bytearray, struct: Struct) -> None:
    last = 0
    for number, value in struct:
        if value is None:
            continue
        kind = _FALSE if value is False else _kind(value)
        if not 0 < number - last < 16:
            raise ValueError(f"field {number} after {last}")
        out.append(number - last << 4 | kind)
        last = number
        if kind > _FALSE:
            _put_value(out, value, kind)
    out.append(_STOP)


def _put_value(out: bytearray, value: Any, kind: int) -> None:
    if isinstance(value, Raw):
        out += value.data
    elif _I16 <= kind <= _I64:
        _put_varint(out, value << 1 ^ value >> 63)
    elif kind == _STRUCT:
        _put_struct(out, value)
    elif kind == _BINARY:
        _put_varint(out, len(value))
        out += value
    elif kind == _LIST:
        _put_list(out, value)
    else:
        out.append(_TRUE if value else _FALSE)


def _put_list(out: bytearray, items: list[Value]) -> None:
    kind = _kind(items[0]) if items else _STRUCT
    if len(items) < 15:
        out.append(len(items) << 4 | kind)
    else:
        out.append(0xF0 | kind)
        _put_varint(out, len(items))
    for item in items:
        _put_value(out, item, kind)


def _kind(value: Value) -> int:
    return value.kind if isinstance(value, Raw) else _KINDS[type(value)]


def _put_varint(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def fields(data: bytes) -> dict[int, Raw]:
    """Give the fields of a struct by their ids, undecoded."""
    found: dict[int, Raw] = {}
    at = number = 0
    while data[at] != _STOP:
        kind, step = data[at] & 15, data[at] >> 4
        at += 1
        if step == 0:
            step, at = _varint(data, at)
            number = step >> 1 ^ -(step & 1)
        else:
            number += step
        end = at if kind in (_TRUE, _FALSE) else _behind(data, at, kind)
        found[number] = Raw(kind, data[at:end])
        at = end
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] > 0x7F:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
    return value | data[at] << shift, at + 1


def _behind(data: bytes, at: int, kind: int) -> int:
    """Give where a value ends."""
    if kind in (_I16, _I32, _I64):
        return _varint(data, at)[1]
    if kind == _BINARY:
        size, at = _varint(data, at)
        return at + size
    if kind in (_LIST, _SET):
        count, item = data[at] >> 4, data[at] & 15
        at += 1
        if count == 15:
            count, at = _varint(data, at)
        for _ in range(count):
            at = at + 1 if item in (_TRUE, _FALSE) else _behind(data, at, item)
        return at
    if kind == _STRUCT:
        while data[at] != _STOP:
            inner, step = data[at] & 15, data[at] >> 4
            at += 1
            if step == 0:
                _, at = _varint(data, at)
            at = at if inner in (_TRUE, _FALSE) else _behind(data, at, inner)
        return at + 1
    return at + {_BYTE: 1, _DOUBLE: 8}[kind]
