"""Columns of a profile go back to tables, and into a file, with all that a profile holds."""

from __future__ import annotations

import io
from typing import Any

import pytest

import gotrace
from gotrace.analyses.as_tables import as_tables
from gotrace.analyses.filters import Filters, apply, prepare
from gotrace.analyses.merge import merge
from gotrace.analyses.profile_columns import ProfileColumns, from_tables, whole_rest
from gotrace.sinks.profile_proto import write_profile
from tests.analyses.conftest import made_profile
from tests.profiles.proto import random_profile


def read(data: bytes) -> ProfileColumns:
    return from_tables(gotrace.open(data))


def written(profile: ProfileColumns) -> bytes:
    out = io.BytesIO()
    write_profile(as_tables(profile), out)
    return out.getvalue()


def content(profile: ProfileColumns) -> list[Any]:
    """Every sample with all it refers to, and no number of a row."""
    rest = whole_rest(profile)

    def mapping(i: int) -> Any:
        named = profile.mapping_files[i], profile.mapping_builds[i]
        return None if i < 0 else (*named, rest.spans[i].tolist(), rest.flags[i].tolist())

    def line(i: int) -> Any:
        f = profile.functions[i]
        names = (profile.function_names[f], rest.system_names[f], profile.function_files[f])
        function = None if f < 0 else (*names, profile.function_starts[f])
        return function, profile.lines[i], profile.columns[i]

    def location(i: int) -> Any:
        lines = range(profile.line_offsets[i], profile.line_offsets[i + 1])
        place = profile.addresses[i], rest.folded[i], mapping(profile.mappings[i])
        return place, [line(at) for at in lines]

    samples = [
        (
            profile.values[i].tolist(),
            [location(at) for at in profile.locations[profile.offsets[i] : profile.offsets[i + 1]]],
            profile.label_sets[profile.labels[i]],
        )
        for i in range(len(profile.labels))
    ]
    return [profile.types, profile.default_type, profile.facts, samples]


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost_on_the_way(seed: int) -> None:
    profile = read(random_profile(seed).SerializeToString())
    assert content(read(written(profile))) == content(profile)


def test_what_a_filter_leaves_is_written() -> None:
    filters = Filters(focus="rec", hide="mid", tagroot="tenant")
    profile = apply(prepare(read(made_profile()), filters), filters)
    again = read(written(profile))
    assert content(again) == content(profile)
    assert "mid" not in again.function_names
    assert {"a,c", "z"} <= set(again.function_names)


@pytest.mark.parametrize("level", ["exact", "function"])
def test_what_a_merge_gives_is_written(level: Any) -> None:
    merged = merge([read(made_profile()), read(made_profile(base=0x400000))], level)
    again = read(written(merged))
    assert content(again) == content(merged)
    assert again.mapping_files[0] == "/bin/app"


def test_one_profile_merged_exactly_keeps_its_addresses() -> None:
    """What the mapping moved goes back to where the mapping says it is."""
    profile = read(made_profile())
    merged = merge([profile], "exact")
    assert set(merged.addresses.tolist()) == set(profile.addresses.tolist())
    assert sorted(whole_rest(merged).spans.tolist()) == sorted(whole_rest(profile).spans.tolist())
