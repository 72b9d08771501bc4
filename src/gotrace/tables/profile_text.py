"""Profiles as text (`debug=1`, and those of gperftools): to the lists that profile.proto gives.

Go writes the addresses of a stack in one line and says in comments what they are; it leaves out
`runtime.goexit` and the frames of the runtime at the leaf. Addresses without a comment behind the
first that has one are `runtime.goexit`, those before are told as `runtime.hidden`: frames of the
runtime whose names are not there.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import numpy as np

from gotrace._core import NumberBlock
from gotrace.errors import FormatError
from gotrace.sources.sniff import text_profile

Fault = Callable[[str, int], None]
"""Told what is wrong, and at which byte; it raises unless damage is to be passed over."""

HIDDEN: Final = "runtime.hidden"
"""Stands for a frame of the runtime that the text leaves out."""

# No pattern here can be made to try twice what it has read: lines come from strangers.
_STACK = rb" @((?: +0x[0-9a-f]{1,16})*) *"
_HEAP_SAMPLE = re.compile(
    rb" *(-?\d{1,19}): *(-?\d{1,19}) *\[ *(\d{1,19}): *(\d{1,19}) *\]" + _STACK
)
_COUNT_SAMPLE = re.compile(rb" *(\d{1,19})" + _STACK)
_CONTENTION_SAMPLE = re.compile(rb" *(\d{1,19}) +(\d{1,19})" + _STACK)
_LABEL = re.compile(rb'"((?:[^"\\]|\\.)*)":"((?:[^"\\]|\\.)*)"(?:, |\Z)')
_ADDRESS = re.compile(rb"0x[0-9a-f]{1,16}")
_RANGE = re.compile(rb"([0-9a-f]{1,16})-([0-9a-f]{1,16}):?")
_MAPS = (b"MAPPED_LIBRARIES:", b"--- Memory map: ---")

_FOUR_TYPES = ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")


def decode_text(data: bytes, fault: Fault) -> dict[str, Any]:
    """Decode a profile as text to the lists of numbers that `decode_profile` gives.

    `fault` is told of every line that is none of such a profile.
    """
    head = text_profile(data)
    if head is None:
        raise FormatError("the text does not begin as a profile does", offset=0)
    lines, builder = _Lines(data), _Builder(fault)
    lines.first()
    if head.kind == "heap":
        _heap(lines, builder, head.word, head.rate)
    elif head.kind in ("contention", "mutex"):
        _contention(lines, builder, head.kind == "mutex")
    else:
        _count(lines, builder, head.kind)
    return builder.lists(len(data))


# --- the kinds ----------------------------------------------------------------------------------


def _heap(lines: _Lines, builder: _Builder, word: str, rate: int) -> None:
    # Early heap profilers of C++ wrote twice the rate, and so does Go to this day.
    period = {"heap": rate // 2, "heap_v2": rate, "heapz_v2": rate}.get(word, 1)
    sampled = period if word in ("heap", "heap_v2", "heapz_v2") and period > 1 else 0
    for name in _FOUR_TYPES:
        builder.value_type(name, "count" if name.endswith("objects") else "bytes")
    builder.period("space", "bytes", period)
    for stack in _stacks(lines, _HEAP_SAMPLE, builder):
        inuse_objects, inuse_bytes, objects, size = map(int, stack.fields)
        values = [*_unsampled(objects, size, sampled)]
        values += _unsampled(inuse_objects, inuse_bytes, sampled)
        block = size // objects if objects else inuse_bytes // inuse_objects if inuse_objects else 0
        stack.labels.append(("bytes", "", block))
        builder.sample(stack, values)


def _unsampled(count: int, size: int, period: int) -> tuple[int, int]:
    """Estimate what a sampled count and size stand for; each byte was taken with 1 in `period`."""
    if count <= 0 or size <= 0 or not period:
        return count, size
    share = 1 - math.exp(-(size / count) / period)
    scale = 1 / share if share else 1
    return int(count * scale), int(size * scale)


def _count(lines: _Lines, builder: _Builder, kind: str) -> None:
    builder.value_type(kind, "count")
    builder.period(kind, "count", 1)
    for stack in _stacks(lines, _COUNT_SAMPLE, builder):
        builder.sample(stack, [int(stack.fields[0])])


def _contention(lines: _Lines, builder: _Builder, is_mutex: bool) -> None:
    given: dict[str, int] = {}
    builder.value_type("contentions", "count")
    builder.value_type("delay", "nanoseconds")
    for stack in _stacks(lines, _CONTENTION_SAMPLE, builder, given):
        # Go's runtime counts each sampled event of a mutex for all that it stands for.
        period = 1 if is_mutex else given.get("sampling period", 1) or 1
        cycles, count = map(int, stack.fields)
        hertz = given.get("cycles/second", 0)
        delay = int(cycles * period / (hertz / 1e9)) if hertz else cycles
        builder.sample(stack, [count * period, delay])
    builder.period("contentions", "count", 1 if is_mutex else given.get("sampling period", 1))
    builder.scalars[10] = given.get("ms since reset", 0) * 1_000_000


# --- stacks -------------------------------------------------------------------------------------


@dataclass
class _Stack:
    """A sample's line and the comments that follow it."""

    offset: int
    fields: list[bytes]
    addresses: list[int]
    frames: list[tuple[int, str, str, int]] = field(default_factory=list)
    labels: list[tuple[str, str, int]] = field(default_factory=list)


def _stacks(
    lines: _Lines,
    sample: re.Pattern[bytes],
    builder: _Builder,
    given: dict[str, int] | None = None,
) -> Iterator[_Stack]:
    """Iterate over the samples; attributes before them go into `given`, maps into the builder."""
    stack: _Stack | None = None
    for line, offset in lines:
        if found := sample.fullmatch(line):
            if stack is not None:
                yield stack
            *fields, addresses = found.groups()
            stack = _Stack(offset, fields, [int(address, 16) for address in addresses.split()])
        elif line.startswith(b"#"):
            if stack is not None:
                _comment(stack, line, offset, builder.fault)
        elif line in _MAPS:
            builder.mappings += _read_maps(lines, builder.fault)
        elif given is not None and stack is None and _is_attribute(line, given):
            continue
        elif line.strip():
            builder.fault(f"a line that is none of a profile: {line[:60]!r}", offset)
    if stack is not None:
        yield stack


def _is_attribute(line: bytes, given: dict[str, int]) -> bool:
    name, equals, number = line.partition(b"=")
    if not equals or not number.strip().isdigit() or len(number) > 20:
        return False
    given[_text(name.strip())] = int(number)
    return True


def _comment(stack: _Stack, line: bytes, offset: int, fault: Fault) -> None:
    """Read what a comment says of the stack above it; what people wrote is passed over."""
    if line.startswith(b"# labels: {") and line.endswith(b"}"):
        labels, at = line[len(b"# labels: {") : -1], 0
        while at < len(labels):
            label = _LABEL.match(labels, at)
            if label is None:
                fault(f"labels that can't be read: {line[:60]!r}", offset)
                return
            stack.labels.append((_unquoted(label[1]), _unquoted(label[2]), 0))
            at = label.end()
    elif line.startswith(b"#\t"):
        address, *rest = [part for part in line[2:].split(b"\t") if part] or [b""]
        if not _ADDRESS.fullmatch(address) or len(rest) not in (0, 2):
            fault(f"a frame that can't be read: {line[:60]!r}", offset)
            return
        name, place = (rest[0], rest[1]) if rest else (b"", b"")
        file, _, number = place.rpartition(b":")
        at = int(number) if number.isdigit() and len(number) < 19 else 0
        name = name.rpartition(b"+")[0] or name
        stack.frames.append((int(address, 16), _text(name), _text(file), at))


def _read_maps(lines: _Lines, fault: Fault) -> list[tuple[int, int, int, str]]:
    """Read what is left as lines of /proc/self/maps: start, end, offset, file."""
    maps = []
    for line, offset in lines:
        parts = line.split(None, 5)
        found = _RANGE.fullmatch(parts[0]) if len(parts) >= 5 else None
        if found and re.fullmatch(rb"[0-9a-f]{1,16}", parts[2]):
            start, end, shift = (int(part, 16) for part in (*found.groups(), parts[2]))
            maps.append((start, end, shift, _text(parts[5].rstrip()) if parts[5:] else ""))
        elif line.strip():
            fault(f"a line that is none of a memory map: {line[:60]!r}", offset)
    return maps


def _places(stack: _Stack) -> list[list[tuple[str, str, int]]]:
    """Say of each address which frames it stands for, innermost first; [] for no symbols."""
    frames = [(address, list(group)) for address, group in groupby(stack.frames, lambda f: f[0])]
    at, places = 0, list[list[tuple[str, str, int]]]()
    shown = False
    for address, run in groupby(stack.addresses):
        repeats = len(list(run))
        lines: list[tuple[str, str, int]] = []
        if at < len(frames) and frames[at][0] in (address, address - 1):
            lines = [frame[1:] for frame in frames[at][1]]
            at, shown = at + 1, True
        elif frames:
            lines = [("runtime.goexit" if shown else HIDDEN, "", 0)] * repeats
        each = len(lines) // repeats  # a function that calls itself from one place
        for i in range(repeats):
            place = lines[i * each : (i + 1) * each]
            places.append([] if place and not place[0][0] else place)
    return places


# --- the lists ----------------------------------------------------------------------------------


class _Builder:
    """Samples as they come, to the lists of a message."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.scalars = [0] * 16
        self.mappings: list[tuple[int, int, int, str]] = []
        self._lists: dict[str, list[int]] = {}
        self._strings: dict[str, int] = {"": 0}
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[int, int] = {}
        self._lines: dict[int, list[tuple[str, str, int]]] = {}
        self._sets: dict[tuple[tuple[str, str, int], ...], int] = {}

    def value_type(self, name: str, unit: str) -> None:
        self._put(type=self._string(name), type_unit=self._string(unit))

    def period(self, name: str, unit: str, period: int) -> None:
        self.scalars[11], self.scalars[0] = self._string(name), self._string(unit)
        self.scalars[12] = period

    def sample(self, stack: _Stack, values: list[int]) -> None:
        if not all(-(1 << 63) <= value < 1 << 63 for value in values):
            self.fault("a number is longer than 64 bits", stack.offset)
            return
        for address, lines in zip(stack.addresses, _places(stack), strict=True):
            # A stack has the addresses behind the calls.
            call = address - 1 if address else 0
            number = self._locations.setdefault(call, len(self._locations) + 1)
            known = self._lines.setdefault(number, lines)
            if not known or known[0][0] == HIDDEN:  # another stack may say what it is
                self._lines[number] = lines or known
            self._put(refs=number)
        for value in values:
            self._put(values=value)
        self._put(sample_refs=len(self._lists.get("refs", ())), sample_set=self._set(stack))

    def lists(self, size: int) -> dict[str, Any]:
        """Give the lists by the names that `decode_profile` has for them."""
        for number, (start, end, shift, file) in enumerate(self.mappings, 1):
            self._put(mapping_id=number, memory_start=start, memory_limit=end)
            self._put(file_offset=shift, mapping_file=self._string(file))
            self._put(build_id=0, **dict.fromkeys(_MAPPING_FLAGS, 0))
        for address, number in self._locations.items():
            self._put_location(address, number)
        encoded = [text.encode() for text in self._strings]
        given: dict[str, list[int]] = {
            **self._lists,
            "location_mapping": self._mappings_of(list(self._locations)),
            "string_end": np.cumsum([len(text) for text in encoded]).tolist(),
            "scalars": self.scalars,
        }
        numbers = {
            name: NumberBlock.copy_of(np.array([_signed(n) for n in given.get(name, ())], np.int64))
            for name in _LISTS
        }
        return {**numbers, "text": b"".join(encoded), "replaced": 0, "end": size}

    def _put(self, **numbers: int) -> None:
        for name, number in numbers.items():
            self._lists.setdefault(name, []).append(number)

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def _put_location(self, address: int, number: int) -> None:
        for name, file, line in self._lines[number]:
            function = self._function(name, file)
            self._put(line_function=function, line_row=function - 1, line=line, column=0)
        self._put(location_id=number, address=address, is_folded=0)
        self._put(location_lines=len(self._lists.get("line", ())))

    def _function(self, name: str, file: str) -> int:
        number = self._functions.setdefault((name, file), len(self._functions) + 1)
        if number > len(self._lists.get("function_id", ())):
            text = self._string(name)
            self._put(function_id=number, function_name=text, system_name=text)
            self._put(function_file=self._string(file), start_line=0)
        return number

    def _set(self, stack: _Stack) -> int:
        if not stack.labels:
            return -1
        labels = tuple(stack.labels)
        known = self._sets.get(labels)
        if known is not None:
            return known
        for key, text, number in labels:
            self._put(set_key=self._string(key), set_str=self._string(text))
            self._put(set_num=number, set_unit=0)
        self._put(set_end=len(self._lists["set_key"]))
        return self._sets.setdefault(labels, len(self._sets))

    def _mappings_of(self, addresses: list[int]) -> list[int]:
        """Give the number of each address's mapping, 0 for none."""
        order = sorted(range(len(self.mappings)), key=lambda row: self.mappings[row][0])
        starts = [self.mappings[row][0] for row in order]
        found = []
        for address in addresses:
            at = bisect_right(starts, address) - 1
            known = at >= 0 and address < self.mappings[order[at]][1]
            found.append(order[at] + 1 if known else 0)
        return found


_MAPPING_FLAGS: Final = (
    "has_functions",
    "has_filenames",
    "has_line_numbers",
    "has_inline_frames",
)

_LISTS: Final = (
    *("type", "type_unit", "sample_refs", "refs", "values", "sample_set"),
    *("set_end", "set_key", "set_str", "set_num", "set_unit"),
    *("mapping_id", "memory_start", "memory_limit", "file_offset", "mapping_file", "build_id"),
    *_MAPPING_FLAGS,
    *("location_id", "location_mapping", "address", "location_lines", "is_folded"),
    *("line_function", "line", "column", "line_row"),
    *("function_id", "function_name", "system_name", "function_file", "start_line"),
    *("string_end", "comments", "scalars"),
)


class _Lines:
    """Lines without their ends, each with its place."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = len(data) - len(data.lstrip(b"\n"))

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        while self._at < len(self._data):
            start = self._at
            end = self._data.find(b"\n", start)
            end = len(self._data) if end < 0 else end
            self._at = end + 1
            yield self._data[start:end].rstrip(b"\r"), start

    def first(self) -> bytes:
        return next(iter(self))[0]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 == 1 else number


_ESCAPE = re.compile(
    rb"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([0-7]{3})|(.))", re.IGNORECASE | re.DOTALL
)
_SIMPLE: Final = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))


def _unquoted(quoted: bytes) -> str:
    """Undo Go's %q; bytes that are no UTF-8 become U+FFFD."""

    def plain(found: re.Match[bytes]) -> bytes:
        byte, short, long, octal, simple = found.groups()
        if byte or octal:
            return bytes([int(byte, 16) if byte else int(octal, 8) & 255])
        if short or long:
            number = int(short or long, 16)
            return chr(number).encode("utf-8", "replace") if number < 0x110000 else b"\xff"
        return bytes([_SIMPLE.get(simple[0], simple[0])])

    return _text(_ESCAPE.sub(plain, quoted))
