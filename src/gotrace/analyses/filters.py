"""Filters of google/pprof, with its exact meaning, as masks over locations and samples.

They run in its order: frames that the profile itself drops; labels as frames (tagroot, tagleaf);
focus, ignore, hide, show; show_from; tagfocus, tagignore; tagshow, taghide; prune_from. A regular
expression is looked for in the function, its file, and the file of the mapping.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gotrace.analyses.label_filters import label_frames, named_labels, sample_filter
from gotrace.analyses.names import matches, simplified
from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.arrays import Bools, Ints


@dataclass(frozen=True)
class Filters:
    """What of a profile is wanted; None and "" filter nothing.

    Attributes:
        focus, ignore: keep, leave out samples with a matching location.
        hide, show: leave out matching frames, keep only those.
        show_from: leave out what is above the matching frame nearest to the root.
        prune_from: leave out what is below the matching frame nearest to the leaf.
        tagfocus, tagignore: keep, leave out samples by label: `regex,regex`, `key=regex`, or a
            range of numbers: `32kb`, `:64kb`, `4mb:`, `1mb:2mb`, `key=…`.
        tagshow, taghide: keep, leave out labels by key.
        tagroot, tagleaf: keys of labels that become frames at the root, at the leaf.
        all_frames: keep the frames that the profile itself says to drop.
    """

    focus: str | None = None
    ignore: str | None = None
    hide: str | None = None
    show: str | None = None
    show_from: str | None = None
    prune_from: str | None = None
    tagfocus: str | None = None
    tagignore: str | None = None
    tagshow: str | None = None
    taghide: str | None = None
    tagroot: str | None = None
    tagleaf: str | None = None
    all_frames: bool = False


def prepare(profile: ProfileColumns, filters: Filters, unit: str = "minimum") -> ProfileColumns:
    """Apply what comes before the total is taken: dropped frames and labels as frames."""
    drop = profile.facts.get("drop_frames")
    if drop and not filters.all_frames:
        profile = _prune(profile, drop, profile.facts.get("keep_frames"))
    if filters.tagroot or filters.tagleaf:
        profile = label_frames(profile, filters.tagroot or "", filters.tagleaf or "", unit)
    return profile


def apply(profile: ProfileColumns, filters: Filters) -> ProfileColumns:
    """Apply everything else; ValueError for a bad regular expression."""
    if filters.focus or filters.ignore or filters.hide or filters.show:
        profile = _by_name(profile, filters)
    if filters.show_from:
        profile = _show_from(profile, filters.show_from)
    if filters.tagfocus or filters.tagignore:
        keep = np.ones(len(profile.labels), np.bool_)
        if filters.tagfocus:
            keep &= sample_filter(profile, filters.tagfocus, "tagfocus")[profile.labels]
        if filters.tagignore:
            keep &= ~sample_filter(profile, filters.tagignore, "tagignore")[profile.labels]
        profile = keep_samples(profile, keep)
    if filters.tagshow or filters.taghide:
        profile = named_labels(profile, filters.tagshow, filters.taghide)
    if filters.prune_from:
        profile = _prune_from(profile, filters.prune_from)
    return profile


def keep_samples(profile: ProfileColumns, keep: Bools) -> ProfileColumns:
    """Leave samples out."""
    sizes = np.diff(profile.offsets)
    return replace(
        profile,
        values=np.ascontiguousarray(profile.values[keep]),
        offsets=_offsets(sizes[keep]),
        locations=profile.locations[np.repeat(keep, sizes)],
        labels=profile.labels[keep],
    )


def _offsets(sizes: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])


def _any(mask: Bools, offsets: Ints) -> Bools:
    """Say of each slice whether anything in it is true."""
    sums = _offsets(mask.astype(np.int64))
    found: Bools = sums[offsets[1:]] > sums[offsets[:-1]]
    return found


def _lines_matching(profile: ProfileColumns, pattern: str, what: str) -> Bools:
    """Say of each line whether its function or file matches; without a function it does not."""
    hit = matches(pattern, profile.function_names, what)
    hit = np.append(hit | matches(pattern, profile.function_files, what), False)
    found: Bools = hit[profile.functions]
    return found


def _mapped_matching(profile: ProfileColumns, pattern: str, what: str) -> Bools:
    """Say of each location whether the file of its mapping matches."""
    found: Bools = np.append(matches(pattern, profile.mapping_files, what), False)[profile.mappings]
    return found


def _by_name(profile: ProfileColumns, filters: Filters) -> ProfileColumns:
    count = len(profile.addresses)

    def matching(pattern: str, what: str) -> Bools:
        lines = _any(_lines_matching(profile, pattern, what), profile.line_offsets)
        return lines | _mapped_matching(profile, pattern, what)

    ignored = matching(filters.ignore, "ignore") if filters.ignore else np.zeros(count, np.bool_)
    focused = matching(filters.focus, "focus") if filters.focus else np.ones(count, np.bool_)
    focused &= ~ignored
    keep = _any(focused[profile.locations], profile.offsets)
    keep &= ~_any(ignored[profile.locations], profile.offsets)

    hidden = np.zeros(count, np.bool_)
    kept = np.ones(len(profile.lines), np.bool_)
    sizes = np.diff(profile.line_offsets)
    if filters.hide:
        mapped = _mapped_matching(profile, filters.hide, "hide")
        hit = _lines_matching(profile, filters.hide, "hide")
        touched = _any(hit, profile.line_offsets) | mapped
        kept &= ~(hit | np.repeat(mapped, sizes))
        hidden |= touched & ~_any(kept, profile.line_offsets)
    if filters.show:
        mapped = _mapped_matching(profile, filters.show, "show")
        wanted = _lines_matching(profile, filters.show, "show") | (profile.functions < 0)
        kept &= wanted | np.repeat(mapped, sizes)
        hidden |= ~_any(kept, profile.line_offsets)
    profile = _keep_lines(profile, kept)
    if hidden.any():
        seen = ~hidden[profile.locations]
        keep &= _any(seen, profile.offsets)
        profile = _keep_locations(profile, seen)
    return keep_samples(profile, keep)


def _keep_lines(profile: ProfileColumns, kept: Bools) -> ProfileColumns:
    sums = _offsets(kept.astype(np.int64))
    return replace(
        profile,
        line_offsets=sums[profile.line_offsets],
        functions=profile.functions[kept],
        lines=profile.lines[kept],
        columns=profile.columns[kept],
    )


def _keep_locations(profile: ProfileColumns, kept: Bools) -> ProfileColumns:
    sums = _offsets(kept.astype(np.int64))
    return replace(profile, offsets=sums[profile.offsets], locations=profile.locations[kept])


def _place(offsets: Ints) -> Ints:
    """Give each element its place in its slice."""
    starts: Ints = np.repeat(offsets[:-1], np.diff(offsets))
    return np.arange(len(starts)) - starts


def _last(mask: Bools, offsets: Ints) -> Ints:
    """Give the last true place of each slice, -1 for none."""
    last = np.full(len(offsets) - 1, -1, np.int64)
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    np.maximum.at(last, owner[mask], _place(offsets)[mask])
    return last


def _first(mask: Bools, offsets: Ints) -> Ints:
    """Give the first true place of each slice, -1 for none."""
    far = np.iinfo(np.int64).max
    first = np.full(len(offsets) - 1, far, np.int64)
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    np.minimum.at(first, owner[mask], _place(offsets)[mask])
    first[first == far] = -1
    return first


def _show_from(profile: ProfileColumns, pattern: str) -> ProfileColumns:
    hit = _lines_matching(profile, pattern, "show_from")
    mapped = _mapped_matching(profile, pattern, "show_from")
    last = _last(hit, profile.line_offsets)
    sizes = np.diff(profile.line_offsets)
    whole = mapped | (last < 0)
    profile = _keep_lines(
        profile,
        np.repeat(whole, sizes) | (_place(profile.line_offsets) <= np.repeat(last, sizes)),
    )
    shown = (mapped | (last >= 0))[profile.locations]
    root = _last(shown, profile.offsets)
    keep = root >= 0
    profile_ = _keep_locations(
        profile, _place(profile.offsets) <= np.repeat(root, np.diff(profile.offsets))
    )
    return keep_samples(profile_, keep)


def _function_mask(profile: ProfileColumns, pattern: str, what: str) -> Bools:
    """Match simplified names, one value a function and a last one for no function."""
    names = [simplified(name) for name in profile.function_names]
    hit = matches(pattern, names, what) & np.array([bool(n) for n in profile.function_names], bool)
    return np.append(hit, False)


def _prune_from(profile: ProfileColumns, pattern: str) -> ProfileColumns:
    hit = _function_mask(profile, pattern, "prune_from")[profile.functions]
    first = _first(hit, profile.line_offsets)
    sizes = np.diff(profile.line_offsets)
    profile = _keep_lines(profile, _place(profile.line_offsets) >= np.repeat(first, sizes))
    start = _first((first >= 0)[profile.locations], profile.offsets)
    return _keep_locations(
        profile, _place(profile.offsets) >= np.repeat(start, np.diff(profile.offsets))
    )


def _prune(profile: ProfileColumns, drop: str, keep: str | None) -> ProfileColumns:
    """Drop what the profile says: matching frames below the first other one, and all below them."""
    dropped = _function_mask(profile, f"^({drop})$", "drop_frames")
    if keep:
        dropped &= ~_function_mask(profile, f"^({keep})$", "keep_frames")
    last = _last(dropped[profile.functions], profile.line_offsets)
    sizes = np.diff(profile.line_offsets)
    whole = (last >= 0) & (last == sizes - 1)
    partly = (last >= 0) & ~whole
    cut = np.where(partly, last, -1)
    profile = _keep_lines(profile, _place(profile.line_offsets) > np.repeat(cut, sizes))
    stops, ends = whole[profile.locations], (whole | partly)[profile.locations]
    user = _last(~ends, profile.offsets)
    place = _place(profile.offsets)
    lengths = np.diff(profile.offsets)
    at = _last(ends & (place < np.repeat(user, lengths)), profile.offsets)
    gone = np.zeros(len(lengths), np.bool_)
    has = at >= 0
    gone[has] = stops[profile.offsets[:-1][has] + at[has]]
    first = np.where(has, at + gone, 0)
    return _keep_locations(profile, place >= np.repeat(first, lengths))
