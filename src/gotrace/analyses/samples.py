"""Samples one by one, and by label: the tables `traces` and `tags`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

from gotrace.analyses.call_graph import total_of
from gotrace.analyses.filters import Filters, apply, prepare
from gotrace.analyses.frames import frame_stacks, inverted
from gotrace.analyses.label_filters import label_units
from gotrace.analyses.profile_columns import LabelSet, ProfileColumns
from gotrace.analyses.units import scaled_label
from gotrace.tables.schema import schema


def tags_of(
    profile: ProfileColumns,
    value: str | None = None,
    *,
    filters: Filters | None = None,
    unit: str = "minimum",
) -> pa.Table:
    """Sum a value type by label: the table `tags`. Numbers are written in `unit`."""
    filters = filters or Filters()
    profile = prepare(profile, filters)
    column = profile.type_index(value)
    total = total_of(profile.values[:, column], profile)
    profile = apply(profile, filters)
    units = label_units(profile)
    count = len(profile.label_sets)
    samples = np.bincount(profile.labels, minlength=count).tolist()
    spent = np.zeros(count, np.int64)
    np.add.at(spent, profile.labels, profile.values[:, column])
    sums: dict[str, dict[str, list[int]]] = {}
    for labels, each, number in zip(profile.label_sets, spent.tolist(), samples, strict=True):
        if not number:
            continue
        for label in labels:
            text = label.text
            if text is None:
                text = scaled_label(label.num or 0, units.get(label.key, label.key), unit)
            sums_of = sums.setdefault(label.key, {}).setdefault(text, [0, 0])
            sums_of[0] += each
            sums_of[1] += number
    rows = [
        (key, text, sums[key][text])
        for key in sorted(sums)
        for text in sorted(sums[key], key=lambda text: (-abs(sums[key][text][0]), text))
    ]
    share = 1 / total if total else 0.0
    return pa.table(
        [
            pa.array([key for key, _, _ in rows], pa.utf8()),
            pa.array([text for _, text, _ in rows], pa.utf8()),
            pa.array([each for _, _, (each, _) in rows], pa.int64()),
            pa.array([abs(each) * share for _, _, (each, _) in rows], pa.float64()),
            pa.array([number for _, _, (_, number) in rows], pa.int64()),
        ],
        schema=schema("tags"),
    )


def traces_of(
    profile: ProfileColumns,
    value: str | None = None,
    *,
    granularity: str = "functions",
    inlines: bool = True,
    filters: Filters | None = None,
    unit: str = "minimum",
    compat: str | None = None,
) -> pa.Table:
    """List the samples that the filters leave, each with its stack: the table `traces`.

    A sample without a frame is left out, as by google/pprof. `unit` is what the numbers of labels
    that become frames are written in.
    """
    filters = filters or Filters()
    profile = apply(prepare(profile, filters, unit), filters)
    column = profile.type_index(value)
    units = label_units(profile)
    # One row a sample, so each has a column of its own kind: its number, which is never 0.
    numbers = np.arange(1, len(profile.labels) + 1)
    rows = [
        (number, frames, inlined)
        for number, frames, inlined in _frames(profile, numbers, granularity, inlines, compat)
        if frames
    ]
    values = profile.values[:, column].tolist()
    labels = [_label_lines(labels, units) for labels in profile.label_sets]
    label_of = profile.labels.tolist()
    return pa.table(
        [
            pa.array([number for number, _, _ in rows], pa.int64()),
            pa.array([values[number] for number, _, _ in rows], pa.int64()),
            pa.array([frames for _, frames, _ in rows], schema("traces").field("frames").type),
            pa.array([inlined for _, _, inlined in rows], schema("traces").field("inlined").type),
            pa.array(
                [labels[label_of[number]] for number, _, _ in rows],
                schema("traces").field("labels").type,
            ),
        ],
        schema=schema("traces"),
    )


def _frames(
    profile: ProfileColumns,
    numbers: np.ndarray,
    granularity: str,
    inlines: bool,
    compat: str | None,
) -> list[tuple[int, list[str], list[bool]]]:
    """Give number, frames (leaf first) and inlined flags of every sample.

    Stacks that are the same share one list.
    """
    ones = np.ones((len(numbers), 1), np.int64)
    stacks = inverted(frame_stacks(profile, ones, granularity, inlines=inlines, compat=compat))
    names = stacks.of.names
    lists = []
    for start, end in pairwise(stacks.offsets.tolist()):
        frames = [names[node] for node in stacks.nodes[start:end]]
        lists.append((frames, stacks.inlined[start:end].astype(bool).tolist()))
    return [(number, *lists[id]) for number, id in enumerate(stacks.of_samples.tolist())]


def _label_lines(labels: LabelSet, units: dict[str, str]) -> list[str]:
    """Write labels as `key: values`, texts before numbers, each in the order of google/pprof.

    It sorts lines whose keys are padded to ten, so that short keys come first.
    """
    texts: dict[str, list[str]] = {}
    numbers: dict[str, list[str]] = {}
    for label in labels:
        if label.text is not None:
            texts.setdefault(label.key, []).append(label.text)
        else:
            number = scaled_label(label.num or 0, units.get(label.key, label.key), "auto")
            numbers.setdefault(label.key, []).append(number)
    return [
        line
        for kind in (texts, numbers)
        for _, line in sorted(
            (key.rjust(10), f"{key}: {' '.join(values)}") for key, values in kind.items()
        )
    ]
