"""Columns of a profile back as tables: what a filter or a merge left, to be written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gotrace.analyses.profile_columns import ProfileColumns, whole_rest
from gotrace.arrays import Bools, Ints
from gotrace.tables.schema import schema


def as_tables(profile: ProfileColumns) -> dict[str, pa.Table]:
    """Give the tables `profiles`, `samples`, `label_sets`, `locations`, `functions`, `mappings`.

    They have the columns that a writer needs: no hashes, no counts. Ids are numbers from 1 in the
    order of the columns; what no sample refers to is left out, the first mapping excepted.
    """
    seen = np.zeros(len(profile.addresses), np.bool_)
    seen[profile.locations] = True
    location_ids = _ids(seen)
    lines = np.repeat(seen, np.diff(profile.line_offsets))
    called = _used(profile.functions[lines], len(profile.function_names))
    mapped = _used(profile.mappings[seen], len(profile.mapping_files))
    mapped[:1] = True
    return {
        "profiles": _profiles(profile),
        "samples": pa.table(
            {
                "location_ids": _list(profile.offsets, location_ids[profile.locations]),
                "label_set_id": pa.array(profile.labels, mask=_unlabelled(profile)),
                "values": _list(
                    np.arange(len(profile.labels) + 1) * len(profile.types),
                    profile.values.reshape(-1),
                ),
            }
        ),
        "label_sets": _label_sets(profile),
        "locations": _locations(profile, seen, location_ids, _ids(called), _ids(mapped)),
        "functions": _functions(profile, np.flatnonzero(called)),
        "mappings": _mappings(profile, np.flatnonzero(mapped)),
    }


def _used(positions: Ints, count: int) -> Bools:
    used = np.zeros(count, np.bool_)
    used[positions[positions >= 0]] = True
    return used


def _ids(used: Bools) -> Ints:
    """Give numbers from 1 to what is used; the last one is for -1, none: 0."""
    ids: Ints = np.append(np.cumsum(used, dtype=np.int64) * used, 0)
    return ids


def _list(offsets: Ints, items: Ints) -> pa.Array:
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(items))


def _unlabelled(profile: ProfileColumns) -> Bools:
    empty = np.array([not labels for labels in profile.label_sets], np.bool_)
    found: Bools = empty[profile.labels]
    return found


def _profiles(profile: ProfileColumns) -> pa.Table:
    facts: dict[str, Any] = dict(profile.facts)
    row = {
        "profile": 0,
        "sample_types": [{"type": kind, "unit": unit} for kind, unit in profile.types],
        "default_sample_type": profile.default_type or None,
        "comments": facts.pop("comments", []),
        "time": facts.pop("time_ns", None),
        **facts,
    }
    names = (
        *("profile", "sample_types", "period_type", "period_unit", "period", "time"),
        *("duration_ns", "comments", "drop_frames", "keep_frames", "doc_url"),
        "default_sample_type",
    )
    return pa.table(
        [pa.array([row.get(name)], schema("profiles").field(name).type) for name in names], names
    )


def _label_sets(profile: ProfileColumns) -> pa.Table:
    rows = [
        (number, place, *label)
        for number, labels in enumerate(profile.label_sets)
        for place, label in enumerate(labels)
    ]
    wanted = schema("label_sets")
    columns = zip(*rows, strict=True) if rows else [()] * len(wanted)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, wanted, strict=True)]
    return pa.table(arrays, wanted.names)


def _locations(
    profile: ProfileColumns, seen: Bools, ids: Ints, function_ids: Ints, mapping_ids: Ints
) -> pa.Table:
    sizes = np.diff(profile.line_offsets)
    lines = np.repeat(seen, sizes)
    fields = {
        "function_id": function_ids[profile.functions[lines]],
        "line": profile.lines[lines],
        "column": profile.columns[lines],
    }
    offsets = np.append(np.int64(0), np.cumsum(sizes[seen], dtype=np.int64))
    line = pa.StructArray.from_arrays([pa.array(x) for x in fields.values()], list(fields))
    return pa.table(
        {
            "location_id": ids[:-1][seen],
            "mapping_id": mapping_ids[profile.mappings[seen]],
            "address": profile.addresses[seen],
            "is_folded": whole_rest(profile).folded[seen],
            "lines": pa.LargeListArray.from_arrays(pa.array(offsets), line),
        }
    )


def _functions(profile: ProfileColumns, at: Ints) -> pa.Table:
    system = whole_rest(profile).system_names
    return pa.table(
        {
            "function_id": np.arange(1, len(at) + 1),
            "name": pa.array([profile.function_names[i] or None for i in at], pa.utf8()),
            "system_name": pa.array([system[i] or None for i in at], pa.utf8()),
            "file": pa.array([profile.function_files[i] or None for i in at], pa.utf8()),
            "start_line": profile.function_starts[at],
        }
    )


def _mappings(profile: ProfileColumns, at: Ints) -> pa.Table:
    rest = whole_rest(profile)
    flags = ("has_functions", "has_filenames", "has_line_numbers", "has_inline_frames")
    return pa.table(
        {
            "mapping_id": np.arange(1, len(at) + 1),
            "memory_start": rest.spans[at, 0],
            "memory_limit": rest.spans[at, 1],
            "file_offset": rest.spans[at, 2],
            "file": pa.array([profile.mapping_files[i] or None for i in at], pa.utf8()),
            "build_id": pa.array([profile.mapping_builds[i] or None for i in at], pa.utf8()),
            **{name: rest.flags[at, place] for place, name in enumerate(flags)},
        }
    )
