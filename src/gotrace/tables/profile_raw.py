"""One decoded profile, as the core's lists of numbers: seen as arrays, its strings as text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.arrays import Ints, Rows
from gotrace.errors import LimitError
from gotrace.limits import DEFAULT

_HASHED_BYTES: Final = 1 << 30
_LONG_NAME: Final = 1 << 10
"""What is hashed at most: so many bytes, and so many a name."""

_MOST_TEXT: Final = (1 << 31) - 1
"""Bytes that a utf8 column can hold."""


class Texts(NamedTuple):
    """Texts for the core: one run of bytes, and the offsets of each text in it."""

    offsets: Ints
    data: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, texts: list[str]) -> Texts:
        """Lay texts down."""
        encoded = [text.encode() for text in texts]
        sizes = np.fromiter(map(len, encoded), np.int64, count=len(encoded))
        return cls(offsets_of(np.cumsum(sizes)), np.frombuffer(b"".join(encoded), np.uint8))


class RawProfile:
    """What `decode_profile` gave, by the names of its lists.

    Few bytes may name a long text, or a location of many lines, again and again: what is made of
    them is checked against `memory_bytes` before it is made, and raises LimitError.
    """

    def __init__(self, raw: Mapping[str, Any], memory_bytes: int = DEFAULT.memory_bytes) -> None:
        self.raw = raw
        self._memory = min(memory_bytes, _MOST_TEXT)
        self._most = memory_bytes

    def check_room(self, wanted: int, what: str) -> None:
        """Raise LimitError for more bytes than may be made at once."""
        if wanted > self._most:
            raise LimitError(
                f"{what} would take {wanted} bytes, more than {self._most} (limit memory_bytes)"
            )

    def check_text(self, numbers: Ints, times: int = 1) -> None:
        """Raise LimitError for too much text: strings by their numbers, each so many times."""
        wanted = int(self._sizes[numbers].sum()) * times
        if wanted > self._memory:
            raise LimitError(
                f"a column of text would take {wanted} bytes, more than {self._memory} "
                "(limit memory_bytes)"
            )

    def check_hashed(self, numbers: Ints) -> None:
        """Raise LimitError for strings, by their numbers, that would take too long to hash."""
        wanted = int(self._sizes[numbers].sum())
        most = _HASHED_BYTES + _LONG_NAME * len(numbers)
        if wanted > most:
            raise LimitError(f"names of {wanted} bytes would be hashed, more than {most}")

    def count(self, name: str) -> int:
        """Give the length of a list."""
        return len(self.raw[name])

    def ints(self, name: str) -> Ints:
        """Give a list as an array; nothing is copied."""
        return as_ints(self.raw[name])

    def int64(self, name: str) -> pa.Array:
        """Give a list as an Arrow array; nothing is copied."""
        return self._arrow(name, pa.int64())

    def uint64(self, name: str) -> pa.Array:
        """Give a list of addresses."""
        return self._arrow(name, pa.uint64())

    def _arrow(self, name: str, kind: pa.DataType) -> pa.Array:
        block = self.raw[name]
        return pa.Array.from_buffers(kind, len(block), [None, pa.py_buffer(block)])

    @cached_property
    def texts(self) -> Texts:
        """The string table."""
        data = np.frombuffer(self.raw["text"], np.uint8)
        return Texts(offsets_of(self.ints("string_end")), data)

    @cached_property
    def _sizes(self) -> Ints:
        return np.diff(self.texts.offsets)

    def with_bracket(self, numbers: Ints) -> Ints:
        """Give those of some strings, by their numbers, that have a [ in them, each once."""
        offsets, data = self.texts
        brackets = np.flatnonzero(data == ord("["))
        with_one = np.unique(np.searchsorted(offsets, brackets, "right") - 1)
        found: Ints = with_one[np.isin(with_one, numbers)] if len(with_one) else with_one
        return found

    @cached_property
    def strings(self) -> pa.Array:
        """The string table; null where it is empty."""
        offsets = self.texts.offsets
        is_text = np.packbits(np.diff(offsets) > 0, bitorder="little")
        is_small = offsets[-1] <= np.iinfo(np.int32).max
        buffers = [
            pa.py_buffer(is_text),
            pa.py_buffer(offsets.astype(np.int32) if is_small else offsets),
            pa.py_buffer(self.raw["text"]),
        ]
        kind = pa.utf8() if is_small else pa.large_utf8()
        return pa.Array.from_buffers(kind, len(offsets) - 1, buffers)

    @cached_property
    def plain_strings(self) -> list[str]:
        """The string table as Python has it."""
        whole: bytes = self.raw["text"]
        bounds = pairwise(self.texts.offsets.tolist())
        if whole.isascii():
            text = whole.decode("ascii")
            return [text[start:end] for start, end in bounds]
        return [whole[start:end].decode() for start, end in bounds]

    def string(self, number: int) -> str:
        """Give one string."""
        start, end = self.texts.offsets[number : number + 2].tolist()
        return str(self.raw["text"][start:end], "utf-8")

    def text(self, name: str) -> pa.Array:
        """Give the texts that a list names, null for the empty one."""
        self.check_text(self.ints(name))
        found = self.strings.take(self.int64(name))
        return found if found.type == pa.utf8() else found.cast(pa.utf8())

    def needed_text(self, name: str) -> pa.Array:
        """Give the texts that a list names, the empty one too."""
        return pc.fill_null(self.text(name), "")


def array_of(numbers: npt.NDArray[Any]) -> pa.Array:
    """See numbers as an Arrow array without nulls: `pa.array` looks longer at what it is given."""
    kind = _ARROW[numbers.dtype.char]
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])


_ARROW: Final = {
    np.dtype(name).char: kind
    for name, kind in (("i4", pa.int32()), ("i8", pa.int64()), ("u8", pa.uint64()))
}


def as_ints(numbers: Any) -> Ints:
    """See the core's numbers as an array."""
    return np.frombuffer(numbers, np.int64)


def as_rows(numbers: Any) -> Rows:
    """See rows that the core found as an array; nearly always they are narrow."""
    rows: Rows = np.frombuffer(numbers, np.int32 if numbers.narrow else np.int64)
    return rows


def offsets_of(ends: Ints) -> Ints:
    """Put the start of the first list in front of the ends of all."""
    offsets = np.empty(len(ends) + 1, np.int64)
    offsets[0], offsets[1:] = 0, ends
    return offsets
