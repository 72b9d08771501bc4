"""The content keys of a profile, and the tables that they are about: stacks, frames, label sets.

What costs is made when a table that needs it is asked for, once a profile.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import (
    IdSet,
    address_keys,
    frame_keys,
    label_set_keys,
    list_keys,
    list_members,
    number_stacks,
    site_keys,
)
from gotrace.arrays import Bools, Ints
from gotrace.tables.profile_raw import RawProfile, Texts, as_ints, offsets_of
from gotrace.tables.schema import schema
from gotrace.tables.stack_keys import FunctionName, fold, function_name, site_of

_DEEPEST: Final = (32, 64, 128)
"""Stacks are cut at these depths: before Go 1.23, of the CPU profiler, since Go 1.23."""

_GOEXIT, _LEAF_SIDE, _RUNTIME, _NO_SITE = 1, 2, 4, 8
"""What the core wants to know of a name; its words are in `_core/keys/content_keys.pxi`."""

_LABEL_FIELDS: Final = ("set_key", "set_str", "set_num", "set_unit")

_BYTES_OF_A_FRAME: Final = 32
"""What a frame of a stack takes: its entry, its name, its id, and that in the table."""

_MOST_TEXT: Final = 1 << 30
"""Bytes of text in one piece of a table: a utf8 column ends at 2 GiB."""


class Known:
    """Stacks, frames and label sets that were given out before: each has one row in a pass."""

    def __init__(self) -> None:
        self.stacks, self.frames, self.label_sets = IdSet(), IdSet(), IdSet()


def first_met(ids: Ints, known: IdSet) -> Bools:
    """Say of each id whether it is new, and remember it."""
    is_new = np.empty(len(ids), np.uint8)
    known.add(ids, is_new)
    return is_new.view(np.bool_)


class LabelSets:
    """The distinct sets of labels of a profile."""

    def __init__(self, raw: RawProfile) -> None:
        self._raw = raw

    @cached_property
    def ids(self) -> Ints:
        """The id of each set."""
        ids = np.empty(self._raw.count("set_end"), np.int64)
        ends, keys, texts, numbers, units = map(self._raw.ints, ("set_end", *_LABEL_FIELDS))
        label_set_keys(
            ends, keys, texts, numbers, units, self._raw.texts.offsets, self._raw.texts.data, ids
        )
        return ids

    def of_samples(self) -> pa.Array:
        """Give the id of each sample's set, null for no labels."""
        numbers = self._raw.ints("sample_set")
        return pa.array(self.ids).take(pa.array(numbers, mask=numbers < 0))

    def table(self, known: IdSet) -> pa.Table:
        """Give the rows of `label_sets` that are new."""
        raw = self._raw
        ends = raw.ints("set_end")
        sizes = np.diff(ends, prepend=0)
        texts, numbers = raw.text("set_str"), raw.ints("set_num")
        is_text = np.asarray(texts.is_valid()) & (numbers == 0)
        table = pa.table(
            [
                pa.array(np.repeat(self.ids, sizes)),
                pa.array((np.arange(len(numbers)) - np.repeat(ends - sizes, sizes)).astype("i4")),
                raw.needed_text("set_key"),
                texts,
                pa.array(numbers, mask=is_text),
                raw.text("set_unit"),
            ],
            schema=schema("label_sets"),
        )
        return _chosen(table, np.repeat(first_met(self.ids, known), sizes))


class StackKeys:
    """Frames and stacks of a profile.

    An entry is a frame of a location: each of its lines, innermost first, or the bare address of a
    location that has none. A name is that of a function; the last is the empty one, of addresses.
    """

    def __init__(self, raw: RawProfile) -> None:
        self._raw = raw
        sizes = np.diff(raw.ints("location_lines"), prepend=0)
        self._bare = np.flatnonzero(sizes == 0)
        self._entries = offsets_of(np.cumsum(np.maximum(sizes, 1)))
        self._line = np.full(self._entries[-1], -1, np.int64)
        is_line = np.ones(len(self._line), np.bool_)
        is_line[self._entries[:-1][self._bare]] = False
        self._line[is_line] = np.arange(raw.count("line"))

    # --- names and frames ---------------------------------------------------------------------

    @cached_property
    def _names(self) -> list[FunctionName]:
        self._raw.check_text(self._raw.ints("function_name"))
        texts = self._raw.plain_strings
        names = [texts[number] for number in self._raw.ints("function_name").tolist()]
        return [*map(function_name, names), function_name("")]

    @cached_property
    def _texts(self) -> Ints:
        """Of each name the string."""
        return np.append(self._raw.ints("function_name"), 0)

    @cached_property
    def _folded(self) -> Texts:
        return Texts.of([name.folded for name in self._names])

    @cached_property
    def _name(self) -> Ints:
        """Of each entry the name."""
        name: Ints = np.append(self._raw.ints("line_row"), len(self._names) - 1)[self._line]
        return name

    def _with_folded(self) -> tuple[Texts, Ints]:
        """Give the string table with folded names behind it, and of each function its name there.

        Only names of generic functions differ, so nearly always nothing is made anew.
        """
        raw = self._raw
        numbers = raw.ints("function_name")
        generic = raw.with_bracket(numbers)
        if not len(generic):
            return raw.texts, numbers
        offsets, data = raw.texts
        folded = Texts.of([fold(raw.string(number)) for number in generic.tolist()])
        place = np.arange(len(offsets) - 1)
        place[generic] = len(place) + np.arange(len(generic))
        texts = Texts(
            np.append(offsets, offsets[-1] + folded.offsets[1:]), np.append(data, folded.data)
        )
        return texts, place[numbers]

    @cached_property
    def line_frames(self) -> Ints:
        """Of each line its frame."""
        raw = self._raw
        rows, lines = raw.ints("line_row"), raw.ints("line")
        ids = np.empty(len(lines), np.int64)
        files = raw.ints("function_file")[rows]
        for numbers in (raw.ints("function_name")[rows], files):
            raw.check_hashed(numbers)
        texts, names = self._with_folded()
        frame_keys(*texts, *raw.texts, names[rows], files, lines, ids)
        return ids

    @cached_property
    def _images(self) -> tuple[list[str], Ints, npt.NDArray[np.uint64]]:
        """Images; of each location without lines its image, and the address in it."""
        raw = self._raw
        texts = raw.plain_strings
        named = zip(raw.ints("build_id").tolist(), raw.ints("mapping_file").tolist(), strict=True)
        images = [*(texts[build] or texts[file] for build, file in named), ""]
        bases = np.append(raw.ints("file_offset") - raw.ints("memory_start"), 0)
        rows: dict[int, int] = {}
        for row, id in enumerate(raw.ints("mapping_id").tolist()):
            rows.setdefault(id, row)
        ids, place = np.unique(raw.ints("location_mapping")[self._bare], return_inverse=True)
        found = np.array([rows.get(id, len(rows)) for id in ids.tolist()], np.int64)
        image = found[place.reshape(-1)]
        addresses = raw.ints("address")[self._bare] + bases[image]
        return images, image, addresses.view(np.uint64)

    @cached_property
    def bare_frames(self) -> Ints:
        """Of each location without lines its frame."""
        images, image, addresses = self._images
        ids = np.empty(len(image), np.int64)
        address_keys(*Texts.of(images), image, addresses, ids)
        return ids

    def of_locations(self) -> pa.Array:
        """Give the frame of each location without lines, null for the others."""
        ids = np.zeros(self._raw.count("location_id"), np.int64)
        ids[self._bare] = self.bare_frames
        return pa.array(ids, mask=ids == 0)

    def frames(self, known: IdSet) -> pa.Table:
        """Give the rows of `frames` that are new: those with lines, then bare addresses."""
        raw = self._raw
        new_lines = np.flatnonzero(first_met(self.line_frames, known))
        new_bare = np.flatnonzero(first_met(self.bare_frames, known))
        images, image, addresses = self._images
        rows = raw.ints("line_row")[new_lines]
        for name in ("function_name", "function_file"):
            raw.check_text(raw.ints(name)[rows])
        names = self._names
        files = raw.text("function_file").take(pa.array(rows))
        folded, package, std, runtime = (
            pa.array(values, kind).take(pa.array(rows))
            for values, kind in (
                ([name.folded or None for name in names], pa.utf8()),
                ([name.package or None for name in names], pa.utf8()),
                ([name.is_std for name in names], pa.bool_()),
                ([name.is_runtime for name in names], pa.bool_()),
            )
        )
        lines = pa.array(raw.ints("line")[new_lines])
        none = len(new_bare)
        image_of = pa.array([text or None for text in images], pa.utf8())
        columns = [
            (pa.array(self.line_frames[new_lines]), pa.array(self.bare_frames[new_bare])),
            (folded, pa.nulls(none, pa.utf8())),
            (files, pa.nulls(none, pa.utf8())),
            (pc.if_else(files.is_valid(), lines, None), pa.nulls(none, pa.int64())),
            (package, pa.nulls(none, pa.utf8())),
            (std, pa.array(np.zeros(none, np.bool_))),
            (runtime, pa.array(np.zeros(none, np.bool_))),
            (pa.nulls(len(rows), pa.utf8()), image_of.take(pa.array(image[new_bare]))),
            (pa.nulls(len(rows), pa.uint64()), pa.array(addresses[new_bare])),
        ]
        return pa.table([pa.concat_arrays(both) for both in columns], schema=schema("frames"))

    # --- stacks -------------------------------------------------------------------------------

    @cached_property
    def _numbered(self) -> tuple[Ints, Ints, Ints]:
        """Stack of each sample; end of each stack among the rows of locations, and these."""
        named = map(self._raw.ints, ("sample_refs", "refs", "location_id"))
        numbers, ends, rows = map(as_ints, number_stacks(*named))
        return numbers, ends, rows

    @cached_property
    def _members(self) -> tuple[Ints, Ints]:
        """End of each stack among its entries, and these."""
        _, ends, rows = self._numbered
        frames = int(np.diff(self._entries)[rows].sum())
        self._raw.check_room(_BYTES_OF_A_FRAME * frames, f"stacks of {frames} frames")
        new_ends, entries = map(as_ints, list_members(ends, rows, self._entries))
        return new_ends, entries

    @cached_property
    def _frame_ids(self) -> Ints:
        ids = np.empty(len(self._line), np.int64)
        ids[self._line >= 0] = self.line_frames
        ids[self._line < 0] = self.bare_frames
        members: Ints = ids[self._members[1]]
        return members

    @cached_property
    def stack_ids(self) -> Ints:
        """The id of each stack."""
        ends, _ = self._members
        ids = np.empty(len(ends), np.int64)
        list_keys(ends, self._frame_ids, ids)
        return ids

    def of_samples(self) -> Ints:
        """Give the id of each sample's stack."""
        ids: Ints = self.stack_ids[self._numbered[0]]
        return ids

    def stacks(self, wanted: pa.Schema, known: IdSet) -> list[pa.Table]:
        """Give the wanted columns of the rows of `stacks` that are new, in pieces."""
        is_new = first_met(self.stack_ids, known)
        ends, entries = self._members
        depths = np.diff(ends, prepend=0)
        names = self._raw.needed_text("function_name").to_pylist()
        longest = max(map(len, names), default=0) * 4
        pieces: list[pa.Table] = []
        columns = self._sited()
        first = 0
        while first < len(ends) or not pieces:
            start = int(ends[first - 1]) if first else 0
            most = start + max(_MOST_TEXT // (longest + 8), 1)
            last = max(int(np.searchsorted(ends, most, "right")), min(first + 1, len(ends)))
            end = int(ends[last - 1]) if last else 0
            offsets = pa.array((offsets_of(ends[first:last] - start)).astype(np.int32))
            piece = {name: column.slice(first, last - first) for name, column in columns.items()}
            piece["stack_id"] = pa.array(self.stack_ids[first:last])
            piece["depth"] = pa.array(depths[first:last].astype(np.int32))
            if "frame_ids" in wanted.names:
                ids = pa.array(self._frame_ids[start:end])
                piece["frame_ids"] = pa.ListArray.from_arrays(
                    offsets, ids, type=wanted.field("frame_ids").type
                )
            if "functions" in wanted.names:
                self._raw.check_text(self._texts[self._name[entries[start:end]]])
                texts = pa.array([*names, ""], pa.utf8())
                piece["functions"] = pa.ListArray.from_arrays(
                    offsets,
                    texts.take(pa.array(self._name[entries[start:end]])),
                    type=wanted.field("functions").type,
                )
            table = pa.table([piece[name] for name in wanted.names], schema=wanted)
            pieces.append(_chosen(table, is_new[first:last]))
            first = last
            if not len(ends):
                break
        return pieces

    def _sited(self) -> dict[str, pa.Array]:
        """Give the columns that do not follow from the frames alone."""
        ends, entries = self._members
        names = self._names
        flags = np.array([_flags(name) for name in names], np.uint8)
        keys = [np.empty(len(ends), np.int64) for _ in range(4)]
        name_of = self._name[entries]
        self._raw.check_hashed(self._texts[name_of])
        site_keys(ends, self._frame_ids, name_of, flags, *self._folded, *keys)
        site_stack_ids, fingerprints, sites, roots = keys
        starts = np.append(0, ends[:-1]) if len(ends) else ends
        leaves = np.where(starts < ends, starts, -1)
        folded = pa.array([name.folded or None for name in names], pa.utf8())

        def names_at(places: Ints) -> pa.Array:
            at = np.append(name_of, len(names) - 1)[places]
            self._raw.check_text(self._texts[at])
            return folded.take(pa.array(at))

        rows = np.append(self._raw.ints("line_row"), -1)[np.append(self._line[entries], -1)[sites]]
        for texts in (self._texts, np.append(self._raw.ints("function_file"), 0)):
            self._raw.check_text(texts[rows], times=2)
        lines, place = np.unique(np.append(self._line[entries], -1)[sites], return_inverse=True)
        chosen = [self._site(line) for line in lines.tolist()]
        at = pa.array(place.reshape(-1))
        sited = {
            name: pa.array([site[i] for site in chosen], kind).take(at)
            for i, (name, kind) in enumerate(
                (
                    ("site", pa.utf8()),
                    ("site_function", pa.utf8()),
                    ("site_file", pa.utf8()),
                    ("site_line", pa.int64()),
                )
            )
        }
        depths = np.diff(self._numbered[1], prepend=0)
        deepest = int(depths.max()) if len(depths) else 0
        cut = (depths == deepest) & (deepest in _DEEPEST)
        return {
            "site_stack_id": pa.array(site_stack_ids),
            "fingerprint": pa.array(fingerprints),
            "leaf": names_at(leaves),
            "root": names_at(roots),
            "truncated": pa.array(cut),
            **sited,
        }

    def _site(self, line: int) -> tuple[str | None, str | None, str | None, int | None]:
        if line < 0:
            return None, None, None, None
        raw = self._raw
        row = int(raw.ints("line_row")[line])
        file = raw.plain_strings[int(raw.ints("function_file")[row])]
        return site_of(self._names[row], file, int(raw.ints("line")[line]))


def _flags(name: FunctionName) -> int:
    return (
        _GOEXIT * (name.folded == "runtime.goexit")
        | _LEAF_SIDE * name.is_leaf_side
        | _RUNTIME * (name.package == "runtime")
        | _NO_SITE * (name.is_std or not name.folded)
    )


def _chosen(table: pa.Table, rows: Bools) -> pa.Table:
    return table if rows.all() else table.filter(pa.array(rows))
