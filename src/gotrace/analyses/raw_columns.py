"""Columns straight from a decoded profile, without its tables: what many profiles are read by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gotrace._core import narrow_rows_of_ids, rows_of_ids
from gotrace.analyses.profile_columns import Label, LabelSet, ProfileColumns, Rest
from gotrace.arrays import Ints
from gotrace.tables.profile_raw import RawProfile, as_rows, offsets_of

_SPANS = ("memory_start", "memory_limit", "file_offset")
_FLAGS = ("has_functions", "has_filenames", "has_line_numbers", "has_inline_frames")
_TEXT_FACTS = {
    "period_type": 11,
    "period_unit": 0,
    "drop_frames": 7,
    "keep_frames": 8,
    "doc_url": 15,
}
_NUMBER_FACTS = {"period": 12, "time_ns": 9, "duration_ns": 10}
"""Facts by their place among the scalars of a message."""


def from_raw(raw: RawProfile, compat: str | None = None) -> ProfileColumns:
    """Make columns of a profile; the same that its tables give, see `from_tables`.

    Uses `raw` up: the ids of locations and mappings in it become rows.
    """
    narrow_rows_of_ids(raw.raw["refs"], raw.ints("location_id"))
    rows_of_ids(raw.raw["location_mapping"], raw.ints("mapping_id"))
    texts = raw.plain_strings

    def named(numbers: str) -> tuple[str, ...]:
        return tuple([texts[number] for number in raw.ints(numbers).tolist()])

    types = tuple(zip(named("type"), named("type_unit"), strict=True))
    scalars = raw.ints("scalars").tolist()
    sets, labels = _label_sets(raw, texts, compat)
    spans, flags = (_side_by_side(raw, names) for names in (_SPANS, _FLAGS))
    return ProfileColumns(
        types=types,
        default_type=texts[scalars[14]],
        values=raw.ints("values").reshape(raw.count("sample_refs"), len(types)),
        offsets=offsets_of(raw.ints("sample_refs")),
        locations=as_rows(raw.raw["refs"]),
        labels=labels,
        label_sets=sets,
        line_offsets=offsets_of(raw.ints("location_lines")),
        functions=raw.ints("line_row"),
        lines=raw.ints("line"),
        columns=raw.ints("column"),
        addresses=raw.ints("address").view(np.uint64),
        mappings=raw.ints("location_mapping"),
        function_names=named("function_name"),
        function_files=named("function_file"),
        function_starts=raw.ints("start_line"),
        mapping_files=named("mapping_file"),
        mapping_builds=named("build_id"),
        mapping_bases=(raw.ints("file_offset") - raw.ints("memory_start")).view(np.uint64),
        facts=_facts(scalars, texts, named("comments")),
        rest=Rest(
            system_names=named("system_name"),
            folded=raw.ints("is_folded") != 0,
            spans=spans.view(np.uint64),
            flags=flags != 0,
        ),
    )


def _side_by_side(raw: RawProfile, names: Sequence[str]) -> Ints:
    return np.stack([raw.ints(name) for name in names], axis=1)


def _facts(scalars: Sequence[int], texts: Sequence[str], comments: Sequence[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {name: texts[scalars[at]] for name, at in _TEXT_FACTS.items()}
    facts |= {name: scalars[at] for name, at in _NUMBER_FACTS.items()}
    facts["comments"] = list(comments)
    return {name: value for name, value in facts.items() if value}


def _label_sets(
    raw: RawProfile, texts: Sequence[str], compat: str | None
) -> tuple[tuple[LabelSet, ...], Ints]:
    """Give the sets, the empty one first, and the set of each sample."""
    columns = [raw.ints(f"set_{name}").tolist() for name in ("key", "str", "num", "unit")]
    labels = [
        Label(texts[key], texts[text] or None, None if texts[text] and not num else num,
              texts[unit] or None)
        for key, text, num, unit in zip(*columns, strict=True)
    ]  # fmt: skip
    bounds = pairwise(offsets_of(raw.ints("set_end")).tolist())
    sets = [tuple(labels[start:end]) for start, end in bounds]
    numbers = raw.ints("sample_set") + 1
    if compat != "go":
        return ((), *sets), numbers
    # A number of 0 without a unit is no label to google/pprof.
    seen = [tuple(lab for lab in labels if lab.text or lab.num or lab.unit) for labels in sets]
    places: dict[LabelSet, int] = {(): 0}
    place = np.array([0, *(places.setdefault(labels, len(places)) for labels in seen)], np.int64)
    return tuple(places), place[numbers]
