"""What `gotrace info` says of a file of profiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gotrace.analyses.units import scaled_label
from gotrace.cli.answers import shell_word
from gotrace.cli.moments import duration
from gotrace.cli.stack_text import wall_second
from gotrace.cli.terminal import clean, count, fit, next_steps, size
from gotrace.tables.profile import ProfileInfo

_PROFILES_SHOWN = 3
_NOTES_SHOWN = 5


def lines(told: ProfileInfo) -> Iterator[str]:
    """Write what a file is, profile by profile, and what to do with it."""
    yield clean(told.source)
    packed = f", {told.compression} {size(told.compressed_bytes)}" if told.compression else ""
    what = "pprof profile" if len(told.profiles) < 2 else f"{len(told.profiles):,} pprof profiles"
    yield _fact("kind", what)
    yield _fact("size", f"{size(told.profile_bytes)}{packed}")
    yield _fact("complete", "yes" if told.complete else "no, see notes")
    for number, profile in enumerate(told.profiles[:_PROFILES_SHOWN]):
        if len(told.profiles) > 1:
            yield _fact("", f"--- profile {number}, at byte {profile['offset']:,}")
        for name, text in _facts(profile):
            yield _fact(name, text)
    if len(told.profiles) > _PROFILES_SHOWN:
        yield _fact("", f"… and {len(told.profiles) - _PROFILES_SHOWN:,} more: table profiles")
    yield _fact("notes", "none" if not told.notes else count(len(told.notes), "note"))
    for note in told.notes[:_NOTES_SHOWN]:
        where = f"at byte {note['offset']}: " if note["offset"] is not None else ""
        yield _fact("", f"{note['severity']}: {where}{note['text']}")
    if any(profile["samples"] for profile in told.profiles):
        file = shell_word(told.source)
        labelled = any(profile["labels"] for profile in told.profiles)
        yield from next_steps(
            f"gotrace top {file}",
            f"gotrace flame {file} -o flame.html",
            *([f"gotrace tags {file}"] if labelled else []),
        )


def _facts(profile: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if profile["program"]:
        build = f" (build {profile['build_id']})" if profile["build_id"] else ""
        yield "program", f"{profile['program']}{build}"
    if profile["format"] != "proto":
        yield "format", profile["format"]
    if profile["time"] is not None:
        yield "time", wall_second(profile["time"])
    if profile["duration_ns"]:
        yield "duration", duration(profile["duration_ns"])
    if profile["period"]:
        period = scaled_label(profile["period"], profile["period_unit"] or "")
        yield "period", f"{period} of {profile['period_type'] or 'unknown'}"
    first = profile["default_sample_type"]
    named = first in [total["type"] for total in profile["totals"]]
    last = len(profile["totals"]) - 1
    widest = max((len(clean(total["type"])) for total in profile["totals"]), default=0)
    for place, total in enumerate(profile["totals"]):
        is_default = total["type"] == first if named else place == last
        value = scaled_label(total["value"], total["unit"])
        mark = "  shown first" if is_default and last else ""
        yield "values" if not place else "", f"{total['type']:{widest}}  {value:>10}{mark}"
    counts = [
        count(profile[name], name.removesuffix("s"))
        for name in ("samples", "locations", "functions", "mappings")
    ]
    yield "counts", ", ".join(counts)
    if profile["labels"]:
        of = (f"{key} ({number:,})" for key, number in profile["labels"].items())
        yield "labels", f"{', '.join(of)}: samples with the key"
    for name in ("drop_frames", "keep_frames", "doc_url"):
        if profile[name]:
            yield name.replace("_frames", "").replace("_url", ""), profile[name]
    for place, comment in enumerate(profile["comments"] or ()):
        yield "comments" if not place else "", comment


def _fact(name: str, text: str) -> str:
    return fit(f"  {name:12} {clean(text)}")
