"""One decoded profile as Arrow tables: the core's lists of numbers, given names, types and keys.

A column that nobody asked for is not built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa

from gotrace.arrays import Ints
from gotrace.tables.profile_keys import Known, LabelSets, StackKeys
from gotrace.tables.profile_raw import RawProfile, array_of, offsets_of
from gotrace.tables.profile_tables import LINE

Columns = Mapping[str, Callable[[], Any]]
"""What makes each column of a table."""

_MOST_ITEMS: Final = 1 << 28
"""Items of lists in one piece of a table: a list's offsets have 31 bits."""


class ProfileBatches:
    """The tables of one profile.

    `header` are the columns of `profiles` that are not in the message: profile, container, format,
    offset, bytes.
    """

    def __init__(self, raw: RawProfile, header: Mapping[str, Any]) -> None:
        self._raw = raw
        self._header = header

    def tables(
        self, wanted: pa.Schema, name: str, known: Known
    ) -> Iterator[pa.Table | pa.RecordBatch]:
        """Give the wanted columns of a table, in pieces that Arrow can hold."""
        if name == "stacks":
            yield from self._keys.stacks(wanted, known.stacks)
        elif name == "frames":
            yield self._keys.frames(known.frames).select(wanted.names)
        elif name == "label_sets":
            yield self._labels.table(known.label_sets).select(wanted.names)
        elif name in ("samples", "sample_values"):
            for first, last in self._pieces():
                part = _Samples(self, first, last)
                columns = part.samples() if name == "samples" else part.sample_values()
                yield _built(columns, wanted)
        elif name == "profiles":
            yield _one_row(self._profile_row(), wanted)
        else:
            makers: Mapping[str, Callable[[], Columns]] = {
                "locations": self._locations,
                "functions": self._functions,
                "mappings": self._mappings,
            }
            yield _built(makers[name](), wanted)

    @cached_property
    def _keys(self) -> StackKeys:
        return StackKeys(self._raw)

    @cached_property
    def _labels(self) -> LabelSets:
        return LabelSets(self._raw)

    @cached_property
    def _sample_stacks(self) -> Ints:
        return self._keys.of_samples()

    @cached_property
    def _sample_labels(self) -> pa.Array:
        return self._labels.of_samples()

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """Give ranges of samples; nearly always one."""
        ends, values = self._raw.ints("sample_refs"), self._raw.count("type")
        first = 0
        while True:
            before = int(ends[first - 1]) if first else 0
            last = int(np.searchsorted(ends, before + _MOST_ITEMS, "right"))
            last = min(max(last, first + 1), first + _MOST_ITEMS // (values + 1) + 1, len(ends))
            yield first, last
            first = last
            if first >= len(ends):
                return

    def _profile(self, rows: int) -> pa.Array:
        return array_of(np.full(rows, self._header["profile"], np.int32))

    def _flags(self, name: str) -> Callable[[], pa.Array]:
        return lambda: pa.array(self._raw.ints(name) != 0)

    # --- the tables of the message ------------------------------------------------------------

    def _profile_row(self) -> dict[str, Any]:
        raw = self._raw
        scalars = raw.ints("scalars").tolist()

        def text(number: int) -> str | None:
            return raw.string(scalars[number]) or None

        def named(name: str) -> list[str]:
            return [raw.string(number) for number in raw.ints(name).tolist()]

        types = zip(named("type"), named("type_unit"), strict=True)
        return {
            **self._header,
            "sample_types": [{"type": kind, "unit": unit} for kind, unit in types],
            "period_type": text(11),
            "period_unit": text(0),
            "period": scalars[12] or None,
            "time": scalars[9] or None,
            "duration_ns": scalars[10] or None,
            "comments": named("comments"),
            "drop_frames": text(7),
            "keep_frames": text(8),
            "doc_url": text(15),
            "default_sample_type": text(14),
            "samples": raw.count("sample_refs"),
            "locations": raw.count("location_id"),
            "functions": raw.count("function_id"),
            "mappings": raw.count("mapping_id"),
        }

    def _locations(self) -> Columns:
        raw = self._raw

        def mappings() -> pa.Array:
            ids = raw.ints("location_mapping")
            return pa.array(ids, mask=ids == 0)

        return {
            "profile": lambda: self._profile(raw.count("location_id")),
            "location_id": lambda: raw.int64("location_id"),
            "mapping_id": mappings,
            "address": lambda: raw.uint64("address"),
            "is_folded": self._flags("is_folded"),
            "lines": self._lines,
            "frame_id": lambda: self._keys.of_locations(),
        }

    def _lines(self) -> pa.Array:
        # `location_lines` says where the lines of a location end; the last of them is its own.
        raw = self._raw
        ends = raw.ints("location_lines")
        inlined = np.ones(raw.count("line"), np.bool_)
        inlined[ends[np.diff(ends, prepend=0) > 0] - 1] = False
        line = pa.StructArray.from_arrays(
            [
                raw.int64("line_function"),
                array_of(self._keys.line_frames),
                raw.int64("line"),
                raw.int64("column"),
                pa.array(inlined),
            ],
            fields=list(LINE),
        )
        offsets = array_of(offsets_of(ends).astype(np.int32))
        kind = pa.list_(pa.field("item", LINE, nullable=False))
        return pa.ListArray.from_arrays(offsets, line, type=kind)

    def _functions(self) -> Columns:
        raw = self._raw
        return {
            "profile": lambda: self._profile(raw.count("function_id")),
            "function_id": lambda: raw.int64("function_id"),
            "name": lambda: raw.text("function_name"),
            "system_name": lambda: raw.text("system_name"),
            "file": lambda: raw.text("function_file"),
            "start_line": lambda: raw.int64("start_line"),
        }

    def _mappings(self) -> Columns:
        raw = self._raw
        flags = ("has_functions", "has_filenames", "has_line_numbers", "has_inline_frames")
        return {
            "profile": lambda: self._profile(raw.count("mapping_id")),
            "mapping_id": lambda: raw.int64("mapping_id"),
            "memory_start": lambda: raw.uint64("memory_start"),
            "memory_limit": lambda: raw.uint64("memory_limit"),
            "file_offset": lambda: raw.uint64("file_offset"),
            "file": lambda: raw.text("mapping_file"),
            "build_id": lambda: raw.text("build_id"),
            **{name: self._flags(name) for name in flags},
        }


class _Samples:
    """A range of the samples of a profile."""

    def __init__(self, of: ProfileBatches, first: int, last: int) -> None:
        self._of = of
        self._raw = of._raw
        self._first, self._rows = first, last - first
        self._types = self._raw.count("type")

    def samples(self) -> Columns:
        return {
            "profile": lambda: self._of._profile(self._rows),
            "sample": lambda: array_of(self._numbers()),
            "stack_id": lambda: array_of(self._stacks()),
            "location_ids": self._location_ids,
            "label_set_id": self._label_sets,
            "values": self._values,
        }

    def sample_values(self) -> Columns:
        types = self._types

        def kind(name: str) -> pa.Array:
            number = np.tile(np.arange(types), self._rows)
            self._raw.check_text(self._raw.ints(name), self._rows)
            return self._raw.needed_text(name).take(pa.array(number))

        return {
            "profile": lambda: self._of._profile(self._rows * types),
            "sample": lambda: pa.array(np.repeat(self._numbers(), types)),
            "stack_id": lambda: pa.array(np.repeat(self._stacks(), types)),
            "label_set_id": lambda: self._label_sets().take(
                pa.array(np.repeat(np.arange(self._rows), types))
            ),
            "type": lambda: kind("type"),
            "unit": lambda: kind("type_unit"),
            "value": self._flat_values,
        }

    def _numbers(self) -> Ints:
        return np.arange(self._first, self._first + self._rows)

    def _stacks(self) -> Ints:
        return self._of._sample_stacks[self._first : self._first + self._rows]

    def _label_sets(self) -> pa.Array:
        return self._of._sample_labels.slice(self._first, self._rows)

    def _location_ids(self) -> pa.Array:
        ends = self._raw.ints("sample_refs")[self._first : self._first + self._rows]
        start = int(self._raw.ints("sample_refs")[self._first - 1]) if self._first else 0
        offsets = offsets_of(ends - start).astype(np.int32)
        ids = self._raw.int64("refs").slice(start, int(offsets[-1]))
        return pa.ListArray.from_arrays(array_of(offsets), ids, type=_NUMBERS)

    def _flat_values(self) -> pa.Array:
        start = self._first * self._types
        return self._raw.int64("values").slice(start, self._rows * self._types)

    def _values(self) -> pa.Array:
        offsets = np.arange(self._rows + 1, dtype=np.int32) * np.int32(self._types)
        return pa.ListArray.from_arrays(array_of(offsets), self._flat_values(), type=_NUMBERS)


_NUMBERS: Final = pa.list_(pa.field("item", pa.int64(), nullable=False))


def _built(columns: Columns, wanted: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([columns[name]() for name in wanted.names], schema=wanted)


@lru_cache(maxsize=64)
def _row_type(wanted: pa.Schema) -> pa.DataType:
    return pa.struct(list(wanted))


def _one_row(values: Mapping[str, Any], wanted: pa.Schema) -> pa.RecordBatch:
    row = pa.array([values], _row_type(wanted))
    return pa.RecordBatch.from_arrays(row.flatten(), schema=wanted)
