"""Filters by label, and labels as frames."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gotrace.analyses.names import matcher
from gotrace.analyses.profile_columns import Label, LabelSet, ProfileColumns, label_texts
from gotrace.analyses.units import scale, scaled_label
from gotrace.arrays import Bools

_NUMBER = re.compile(r"([+-]?[0-9]+)([A-Za-z]+)?")


def label_units(profile: ProfileColumns) -> dict[str, str]:
    """Give the unit of every numeric label: the first one met, else bytes or the key itself."""
    units: dict[str, str] = {}
    keys: set[str] = set()
    used = np.unique(profile.labels, return_index=True)
    for number in used[0][np.argsort(used[1])]:
        for label in profile.label_sets[number]:
            if label.text is None:
                keys.add(label.key)
                if label.unit:
                    units.setdefault(label.key, label.unit)
    for key in keys:
        units.setdefault(key, "bytes" if key in ("alignment", "request") else key)
    return units


def sample_filter(profile: ProfileColumns, value: str, what: str) -> Bools:
    """Say of each label set whether a tag filter keeps it."""
    key, equals, rest = value.partition("=")
    wanted, value = (key, rest) if equals else ("", value)
    in_range = _range(value)
    if in_range is not None:
        units = label_units(profile)

        def test(labels: LabelSet) -> bool:
            return any(
                label.text is None
                and (not wanted or label.key == wanted)
                and in_range(label.num or 0, units.get(label.key, label.key))
                for label in labels
            )
    else:
        tests = [matcher(pattern, what) for pattern in value.split(",")]

        def test(labels: LabelSet) -> bool:
            if wanted:
                texts = label_texts(labels, wanted)
                return any(match(text) for match in tests for text in texts)
            pairs = [f"{label.key}:{label.text}" for label in labels if label.text is not None]
            return all(any(map(match, pairs)) for match in tests)

    return np.array([test(labels) for labels in profile.label_sets], np.bool_)


def _range(value: str) -> Callable[[int, str], bool] | None:
    """Read a range of numbers; None when the text is a regular expression instead."""
    found = list(_NUMBER.finditer(value))[:2]
    if not found:
        return None
    low, unit = scale(int(found[0][1]), found[0][2] or "", found[0][2] or "")
    high = low
    first = found[0][0]
    if len(found) == 1:
        if value == f"{first}:":
            high = float("inf")
        elif value == f":{first}":
            low = float("-inf")
        elif value != first:
            return None
    else:
        if value != f"{first}:{found[1][0]}":
            return None
        high, unit_of_high = scale(int(found[1][1]), found[1][2] or "", unit)
        if unit_of_high != unit:
            return None

    def test(number: int, of: str) -> bool:
        scaled, to = scale(number, of, unit)
        return to == unit and low <= scaled <= high

    return test


def named_labels(profile: ProfileColumns, show: str | None, hide: str | None) -> ProfileColumns:
    """Leave labels out by key."""
    shown = matcher(show, "tagshow") if show else lambda _: True
    hidden = matcher(hide, "taghide") if hide else lambda _: False

    def kept(label: Label) -> bool:
        return shown(label.key) and not hidden(label.key)

    sets = tuple(tuple(filter(kept, labels)) for labels in profile.label_sets)
    return replace(profile, label_sets=sets)


def label_frames(profile: ProfileColumns, root: str, leaf: str, unit: str) -> ProfileColumns:
    """Put labels on the stacks as frames; a sample without the key gets a frame without a name.

    The first key is nearest to the root. A frame's file is its key.
    """
    names, files = list(profile.function_names), list(profile.function_files)
    made: dict[tuple[str, str], int] = {}
    first_location, first_function = len(profile.addresses), len(names)

    def location(labels: LabelSet, key: str) -> int:
        numbers = [label for label in labels if label.key == key and label.text is None]
        # One value with a unit makes a unit (or "") of every value, as pprof pads them.
        units = any(label.unit for label in numbers)
        texts = [
            *label_texts(labels, key),
            *(scaled_label(n.num or 0, n.unit or "", unit if units else "") for n in numbers),
        ]
        name = (",".join(texts), key)
        if name not in made:
            made[name] = first_location + len(made)
            names.append(name[0])
            files.append(name[1])
        return made[name]

    def frames(keys: str) -> np.ndarray:
        wanted = [key for key in reversed(keys.split(",")) if key]
        rows = [[location(labels, key) for key in wanted] for labels in profile.label_sets]
        return np.array(rows, np.int64).reshape(len(rows), len(wanted))

    leaves, roots = frames(leaf), frames(root)
    extra = leaves.shape[1] + roots.shape[1]
    sizes = np.diff(profile.offsets)
    offsets = profile.offsets + np.arange(len(profile.offsets)) * extra
    locations = np.empty(offsets[-1], np.int64)
    for place in range(leaves.shape[1]):
        locations[offsets[:-1] + place] = leaves[profile.labels, place]
    for place in range(roots.shape[1]):
        at = offsets[:-1] + leaves.shape[1] + sizes + place
        locations[at] = roots[profile.labels, place]
    shift = np.arange(len(sizes)) * extra + leaves.shape[1]
    locations[np.arange(len(profile.locations)) + np.repeat(shift, sizes)] = profile.locations
    count = len(made)
    more = np.zeros(count, np.int64)
    return replace(
        profile,
        offsets=offsets,
        locations=locations,
        line_offsets=np.append(
            profile.line_offsets, profile.line_offsets[-1] + np.arange(1, count + 1)
        ),
        functions=np.append(profile.functions, first_function + np.arange(count)),
        lines=np.append(profile.lines, more),
        columns=np.append(profile.columns, more),
        addresses=np.append(profile.addresses, more.astype(np.uint64)),
        mappings=np.append(profile.mappings, more - 1),
        function_names=tuple(names),
        function_files=tuple(files),
        function_starts=np.append(profile.function_starts, more),
    )
