"""Protobuf messages written a column at a time: many rows at once, no object for any of them.

A message without text is a list of varints: tags, lengths and values. Many messages are `Rows`,
slices of one array of numbers; a message inside another is its numbers behind a tag and a length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gotrace.arrays import Ints

_VARINT, _BYTES = 0, 2


class Rows(NamedTuple):
    """Lists of varints: those of row i are `numbers[offsets[i]:offsets[i + 1]]`, uint64."""

    offsets: Ints
    numbers: npt.NDArray[np.uint64]

    @property
    def sizes(self) -> Ints:
        """How many numbers each row has."""
        return np.diff(self.offsets)


def field(number: int, values: Any) -> Rows:
    """Give a field of single numbers, one a row; 0 is left out, as protobuf does."""
    numbers = np.asarray(values).astype(np.int64, copy=False).view(np.uint64)
    there = np.flatnonzero(numbers)
    pairs = np.empty((len(there), 2), np.uint64)
    pairs[:, 0], pairs[:, 1] = number << 3 | _VARINT, numbers[there]
    return Rows(_offsets((numbers != 0) * 2), pairs.reshape(-1))


def packed(number: int, offsets: Ints, values: Any) -> Rows:
    """Give a packed field, a list a row; an empty list is left out."""
    numbers = np.asarray(values).astype(np.int64, copy=False).view(np.uint64)
    return _behind_length(number, Rows(offsets, numbers), keep_empty=False)


def message(number: int, rows: Rows) -> Rows:
    """Make each row a field that holds it as a message."""
    return _behind_length(number, rows, keep_empty=True)


def grouped(rows: Rows, offsets: Ints) -> Rows:
    """Put rows together: row i of the result is rows `offsets[i]` to `offsets[i + 1]`."""
    return Rows(rows.offsets[offsets], rows.numbers)


def joined(*parts: Rows) -> Rows:
    """Put the parts of each row behind each other."""
    sizes = np.stack([part.sizes for part in parts])
    offsets = _offsets(sizes.sum(axis=0))
    numbers = np.empty(offsets[-1], np.uint64)
    starts = offsets[:-1].copy()
    for part, size in zip(parts, sizes, strict=True):
        numbers[_places(starts, size)] = part.numbers[_places(part.offsets[:-1], size)]
        starts += size
    return Rows(offsets, numbers)


def taken(rows: Rows, at: Ints) -> Rows:
    """Give rows by position, in another order or several times."""
    sizes = rows.sizes[at]
    return Rows(_offsets(sizes), rows.numbers[_places(rows.offsets[:-1][at], sizes)])


def encoded(rows: Rows) -> bytes:
    """Write all rows, one behind the other."""
    numbers = rows.numbers[rows.offsets[0] : rows.offsets[-1]]
    sizes = _varint_sizes(numbers)
    ends = np.cumsum(sizes)
    out = np.empty(ends[-1] if len(ends) else 0, np.uint8)
    at = ends - sizes
    for place in range(int(sizes.max(initial=0))):
        more = sizes > place + 1
        byte = (numbers & np.uint64(0x7F)).astype(np.uint8)
        out[at] = byte | (more.astype(np.uint8) << 7)
        numbers, at, sizes = numbers[more] >> np.uint64(7), at[more] + 1, sizes[more]
    return out.tobytes()


def number_field(number: int, value: int) -> bytes:
    """Write one field of a number, that is not negative."""
    return _varint(number << 3 | _VARINT) + _varint(value)


def text_field(number: int, text: bytes) -> bytes:
    """Write one field of text or of a whole message."""
    return b"".join((_varint(number << 3 | _BYTES), _varint(len(text)), text))


def _varint(number: int) -> bytes:
    if number <= 0x7F:
        return _SHORT[number]
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_SHORT = [bytes([number]) for number in range(0x80)]


def _behind_length(number: int, rows: Rows, *, keep_empty: bool) -> Rows:
    sizes = rows.sizes
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(_varint_sizes(rows.numbers))])
    lengths = ends[rows.offsets[1:]] - ends[rows.offsets[:-1]]
    there = np.ones(len(sizes), np.bool_) if keep_empty else sizes > 0
    heads = np.empty((int(there.sum()), 2), np.uint64)
    heads[:, 0], heads[:, 1] = number << 3 | _BYTES, lengths[there]
    return joined(Rows(_offsets(there * 2), heads.reshape(-1)), rows)


def _varint_sizes(numbers: npt.NDArray[np.uint64]) -> Ints:
    sizes = np.ones(len(numbers), np.int64)
    rest = numbers
    at = np.flatnonzero(rest > 0x7F)
    while len(at):
        sizes[at] += 1
        rest = rest[rest > 0x7F] >> np.uint64(7)
        at = at[rest > 0x7F]
    return sizes


def _offsets(sizes: Any) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])


def _places(starts: Ints, sizes: Ints) -> Ints:
    """Give the positions of slices, all behind each other."""
    ends = np.cumsum(sizes)
    places: Ints = np.arange(ends[-1] if len(ends) else 0)
    places += np.repeat(starts - (ends - sizes), sizes)
    return places
