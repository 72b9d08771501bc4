"""One decoded profile as Arrow tables: the core's lists of numbers, given names, types and keys.

What costs (content hashes, names of frames) is made when a table that needs it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import sha256
from struct import pack
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import number_stacks
from gotrace.tables.profile_tables import LINE, VALUE_TYPE
from gotrace.tables.schema import schema
from gotrace.tables.stack_keys import address_id, frame_row, stack_row

Ints = npt.NDArray[np.int64]

_DEEPEST: Final = frozenset({32, 64, 128})
"""Stacks are cut at these depths: before Go 1.23, of the CPU profiler, since Go 1.23."""


class Known:
    """Stacks, frames and label sets that were given out before: each has one row in a pass."""

    def __init__(self) -> None:
        self.stacks: set[int] = set()
        self.frames: set[int] = set()
        self.label_sets: set[int] = set()


class ProfileBatches:
    """The tables of one profile.

    `raw` is what `decode_profile` gave; `header` are the columns of `profiles` that are not in the
    message: profile, container, format, offset, bytes.
    """

    def __init__(self, raw: Mapping[str, Any], header: Mapping[str, Any]) -> None:
        self._raw = raw
        self._header = header

    def table(self, wanted: pa.Schema, name: str, known: Known) -> pa.Table:
        """Give the wanted columns of a table; the others are not built."""
        makers: dict[str, Callable[[Known], dict[str, Any]]] = {
            "profiles": self._profiles,
            "samples": self._samples,
            "sample_values": self._sample_values,
            "label_sets": self._label_sets,
            "locations": self._locations,
            "functions": self._functions,
            "mappings": self._mappings,
            "stacks": self._stacks,
            "frames": self._frames,
        }
        columns, arrays = makers[name](known), []
        for field in wanted:
            given = columns[field.name]
            given = given() if callable(given) else given
            arrays.append(given if isinstance(given, pa.Array) else pa.array(given, field.type))
        return pa.Table.from_arrays(arrays, schema=wanted)

    # --- lists of numbers as arrays -----------------------------------------------------------

    def _ints(self, name: str) -> Ints:
        return _as_ints(self._raw[name])

    def _int64(self, name: str) -> pa.Array:
        block = self._raw[name]
        return pa.Array.from_buffers(pa.int64(), len(block), [None, pa.py_buffer(block)])

    def _uint64(self, name: str) -> pa.Array:
        block = self._raw[name]
        return pa.Array.from_buffers(pa.uint64(), len(block), [None, pa.py_buffer(block)])

    def _flags(self, name: str) -> pa.Array:
        return pa.array(self._ints(name) != 0)

    def _ids(self, name: str) -> pa.Array:
        """Give ids, where 0 stands for none."""
        ids = self._ints(name)
        return pa.array(ids, mask=ids == 0)

    def _lists(self, ends: str, items: pa.Array, kind: pa.DataType) -> pa.Array:
        return pa.ListArray.from_arrays(self._offsets(ends), items, type=kind)

    def _offsets(self, ends: str) -> pa.Array:
        return pa.array(np.concatenate([[0], self._ints(ends)]).astype(np.int32))

    @cached_property
    def _strings(self) -> pa.Array:
        """The string table; null where it is empty."""
        ends = self._ints("string_end")
        offsets = np.concatenate([[0], ends])
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self._raw["text"])]
        whole = pa.Array.from_buffers(pa.large_utf8(), len(ends), buffers)
        return pc.if_else(pc.equal(whole, ""), None, whole).cast(pa.utf8())

    @cached_property
    def _texts(self) -> list[str | None]:
        texts: list[str | None] = self._strings.to_pylist()
        return texts

    def _text(self, name: str) -> pa.Array:
        return self._strings.take(pa.array(self._ints(name)))

    def _needed_text(self, name: str) -> pa.Array:
        return pc.fill_null(self._text(name), "")

    def _profile(self, rows: int) -> pa.Array:
        return pa.array(np.full(rows, self._header["profile"], np.int32))

    # --- the tables of the message ------------------------------------------------------------

    def _profiles(self, _: Known) -> dict[str, Any]:
        scalars = self._ints("scalars").tolist()
        texts = self._texts
        types = pa.StructArray.from_arrays(
            [self._needed_text("type"), self._needed_text("type_unit")], fields=list(VALUE_TYPE)
        )
        return {
            "profile": [self._header["profile"]],
            "sample_types": [types.to_pylist()],
            "period_type": [texts[scalars[11]]],
            "period_unit": [texts[scalars[0]]],
            "period": [scalars[12] or None],
            "time": [scalars[9] or None],
            "duration_ns": [scalars[10] or None],
            "comments": [self._needed_text("comments").to_pylist()],
            "drop_frames": [texts[scalars[7]]],
            "keep_frames": [texts[scalars[8]]],
            "doc_url": [texts[scalars[15]]],
            "default_sample_type": [texts[scalars[14]]],
            "container": [self._header["container"]],
            "format": [self._header["format"]],
            "offset": [self._header["offset"]],
            "bytes": [self._header["bytes"]],
            "samples": [len(self._raw["sample_refs"])],
            "locations": [len(self._raw["location_id"])],
            "functions": [len(self._raw["function_id"])],
            "mappings": [len(self._raw["mapping_id"])],
        }

    def _samples(self, _: Known) -> dict[str, Any]:
        rows = len(self._raw["sample_refs"])
        kinds = schema("samples")
        return {
            "profile": self._profile(rows),
            "sample": pa.array(np.arange(rows)),
            "stack_id": lambda: self._sample_stacks,
            "location_ids": lambda: self._lists(
                "sample_refs", self._int64("refs"), kinds.field("location_ids").type
            ),
            "label_set_id": lambda: self._sample_label_sets,
            "values": lambda: pa.ListArray.from_arrays(
                pa.array(np.arange(rows + 1, dtype=np.int32) * np.int32(len(self._raw["type"]))),
                self._int64("values"),
                type=kinds.field("values").type,
            ),
        }

    def _sample_values(self, _: Known) -> dict[str, Any]:
        rows, types = len(self._raw["sample_refs"]), len(self._raw["type"])
        each = pa.array(np.repeat(np.arange(rows), types))
        kind = pa.array(np.tile(np.arange(types), rows))
        return {
            "profile": self._profile(rows * types),
            "sample": each,
            "stack_id": lambda: self._sample_stacks.take(each),
            "label_set_id": lambda: self._sample_label_sets.take(each),
            "type": self._needed_text("type").take(kind),
            "unit": self._needed_text("type_unit").take(kind),
            "value": self._int64("values"),
        }

    def _locations(self, _: Known) -> dict[str, Any]:
        rows = len(self._raw["location_id"])
        return {
            "profile": self._profile(rows),
            "location_id": self._int64("location_id"),
            "mapping_id": self._ids("location_mapping"),
            "address": self._uint64("address"),
            "is_folded": self._flags("is_folded"),
            "lines": self._lines,
            "frame_id": lambda: pa.array([self._bare.get(row) for row in range(rows)], pa.int64()),
        }

    def _lines(self) -> pa.Array:
        # `location_lines` says where the lines of a location end; the last of them is its own.
        ends = self._ints("location_lines")
        inlined = np.ones(len(self._raw["line"]), np.bool_)
        inlined[ends[np.diff(ends, prepend=0) > 0] - 1] = False
        line = pa.StructArray.from_arrays(
            [
                self._int64("line_function"),
                pa.array(self._line_frames, pa.int64()),
                self._int64("line"),
                self._int64("column"),
                pa.array(inlined),
            ],
            fields=list(LINE),
        )
        return self._lists("location_lines", line, pa.list_(_item(LINE)))

    def _functions(self, _: Known) -> dict[str, Any]:
        return {
            "profile": self._profile(len(self._raw["function_id"])),
            "function_id": self._int64("function_id"),
            "name": self._text("function_name"),
            "system_name": self._text("system_name"),
            "file": self._text("function_file"),
            "start_line": self._int64("start_line"),
        }

    def _mappings(self, _: Known) -> dict[str, Any]:
        return {
            "profile": self._profile(len(self._raw["mapping_id"])),
            "mapping_id": self._int64("mapping_id"),
            "memory_start": self._uint64("memory_start"),
            "memory_limit": self._uint64("memory_limit"),
            "file_offset": self._uint64("file_offset"),
            "file": self._text("mapping_file"),
            "build_id": self._text("build_id"),
            "has_functions": self._flags("has_functions"),
            "has_filenames": self._flags("has_filenames"),
            "has_line_numbers": self._flags("has_line_numbers"),
            "has_inline_frames": self._flags("has_inline_frames"),
        }

    # --- labels -------------------------------------------------------------------------------

    @cached_property
    def _sets(self) -> list[tuple[int, list[tuple[str, str | None, int | None, str | None]]]]:
        """Each distinct set: its id and its labels, in order."""
        texts, sets, start = self._texts, [], 0
        columns = [self._ints(f"set_{name}").tolist() for name in ("key", "str", "num", "unit")]
        rows = list(zip(*columns, strict=True))
        for end in self._ints("set_end").tolist():
            labels = [
                (texts[key] or "", texts[text], None if texts[text] and not num else num, texts[u])
                for key, text, num, u in rows[start:end]
            ]
            sets.append((label_set_id(labels), labels))
            start = end
        return sets

    @cached_property
    def _sample_label_sets(self) -> pa.Array:
        numbers = self._ints("sample_set")
        ids = pa.array([key for key, _ in self._sets], pa.int64())
        return ids.take(pa.array(numbers, mask=numbers < 0))

    def _label_sets(self, known: Known) -> dict[str, Any]:
        rows = []
        for key, labels in self._sets:
            if key not in known.label_sets:
                known.label_sets.add(key)
                rows += [(key, place, *label) for place, label in enumerate(labels)]
        return _columns("label_sets", rows)

    # --- frames and stacks --------------------------------------------------------------------

    @cached_property
    def _line_content(self) -> list[tuple[str, str, int]]:
        names = self._needed_text("function_name").to_pylist()
        files = self._needed_text("function_file").to_pylist()
        rows, lines = self._ints("line_row").tolist(), self._ints("line").tolist()
        return [(names[row], files[row], line) for row, line in zip(rows, lines, strict=True)]

    @cached_property
    def _line_frames(self) -> list[int]:
        return [frame_row(*content).frame_id for content in self._line_content]

    @cached_property
    def _images(self) -> dict[int, tuple[str, int]]:
        """Build id or file, and address in it, of each location that has no lines."""
        mappings: dict[int, tuple[str, int]] = {}
        builds, files = self._text("build_id").to_pylist(), self._text("mapping_file").to_pylist()
        starts, offsets = (self._uint64(n).to_pylist() for n in ("memory_start", "file_offset"))
        for row, key in enumerate(self._ints("mapping_id").tolist()):
            image = builds[row] or files[row] or ""
            mappings.setdefault(key, (image, offsets[row] - starts[row]))
        of_location = self._ints("location_mapping").tolist()
        addresses = self._uint64("address").to_pylist()
        counts = np.diff(np.concatenate([[0], self._ints("location_lines")]))
        images = {}
        for row in np.flatnonzero(counts == 0).tolist():
            image, shift = mappings.get(of_location[row], ("", 0))
            images[row] = (image, (addresses[row] + shift) & 0xFFFFFFFFFFFFFFFF)
        return images

    @cached_property
    def _bare(self) -> dict[int, int]:
        return {row: address_id(*image) for row, image in self._images.items()}

    def _frames(self, known: Known) -> dict[str, Any]:
        rows: list[tuple[Any, ...]] = []
        for frame, (function, file, line) in zip(
            self._line_frames, self._line_content, strict=True
        ):
            if frame not in known.frames:
                known.frames.add(frame)
                named = frame_row(function, file, line)
                place = (file or None, line if file else None, named.package or None)
                flags = (named.is_std, named.is_runtime, None, None)
                rows.append((frame, named.function or None, *place, *flags))
        for row, frame in self._bare.items():
            if frame not in known.frames:
                known.frames.add(frame)
                image, address = self._images[row]
                rows.append((frame, None, None, None, None, False, False, image or None, address))
        return _columns("frames", rows)

    @cached_property
    def _numbered(self) -> tuple[Ints, Ints, Ints]:
        """Stack of each sample; end of each stack among the rows of locations, and these."""
        named = map(self._ints, ("sample_refs", "refs", "location_id"))
        numbers, ends, rows = map(_as_ints, number_stacks(*named))
        return numbers, ends, rows

    @cached_property
    def _stack_rows(self) -> list[tuple[Any, list[int], list[str], int]]:
        """Of each distinct stack: keys and site, frames, functions, addresses."""
        ends = [0, *self._ints("location_lines").tolist()]
        frames, content, bare = self._line_frames, self._line_content, self._bare
        of_location = [
            (
                [bare[row]] if row in bare else frames[ends[row] : ends[row + 1]],
                [("", "", 0)] if row in bare else content[ends[row] : ends[row + 1]],
            )
            for row in range(len(ends) - 1)
        ]
        _, stack_ends, members = self._numbered
        rows, start, stacks = members.tolist(), 0, []
        for end in stack_ends.tolist():
            ids: list[int] = []
            lines: list[tuple[str, str, int]] = []
            for row in rows[start:end]:
                ids += of_location[row][0]
                lines += of_location[row][1]
            functions = [line[0] for line in lines]
            keys = stack_row(ids, functions, [line[1] for line in lines], [x[2] for x in lines])
            stacks.append((keys, ids, functions, end - start))
            start = end
        return stacks

    @cached_property
    def _sample_stacks(self) -> pa.Array:
        ids = pa.array([keys.stack_id for keys, *_ in self._stack_rows], pa.int64())
        return ids.take(pa.array(self._numbered[0]))

    def _stacks(self, known: Known) -> dict[str, Any]:
        deepest = max((addresses for *_, addresses in self._stack_rows), default=0)
        rows = []
        for keys, ids, functions, addresses in self._stack_rows:
            if keys.stack_id in known.stacks:
                continue
            known.stacks.add(keys.stack_id)
            ends = (keys.leaf or None, keys.root or None)
            site = (keys.site, keys.site_function, keys.site_file, keys.site_line)
            cut = addresses == deepest and addresses in _DEEPEST
            head = (keys.stack_id, keys.site_stack_id, keys.fingerprint, len(ids))
            rows.append((*head, ids, functions, *ends, *site, cut))
        return _columns("stacks", rows)


def label_set_id(labels: list[tuple[str, str | None, int | None, str | None]]) -> int:
    """Hash labels in their order: 64 bits, positive; see docs/stack-keys.md for the recipe."""
    parts = [b"gotrace.labels.v1\0"]
    for key, text, num, unit in labels:
        for part in (key, text or "", unit or ""):
            raw = part.encode()
            parts += (pack("<I", len(raw)), raw)
        parts.append(pack("<?q", num is not None, num or 0))
    return (int.from_bytes(sha256(b"".join(parts)).digest()[:8], "big") & (1 << 63) - 1) or 1


def _as_ints(numbers: Any) -> Ints:
    return np.frombuffer(numbers, np.int64)


def _item(kind: pa.DataType) -> pa.Field:
    return pa.field("item", kind, nullable=False)


def _columns(name: str, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    names = schema(name).names
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return dict(zip(names, map(list, columns), strict=True))
