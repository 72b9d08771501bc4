"""What a merge gives: profiles in files, and a summary of the groups."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa

from gotrace.analyses.merge_groups import GroupBy, Merged
from gotrace.analyses.units import scaled_label
from gotrace.cli.aligned import aligned
from gotrace.cli.answers import shell_word
from gotrace.cli.profile_output import write_columns
from gotrace.cli.stack_text import wall_second
from gotrace.cli.terminal import clean, count, next_steps
from gotrace.sinks.aside import directory_aside, explained, write_manifest
from gotrace.sinks.profile_proto import ENDINGS, ending_of
from gotrace.tables.schema import schema

_LONGEST_NAME = 100
_ROWS = 40

Written = Mapping[tuple["str | None", ...], str]
"""Names of the files, by the values of their groups."""


def check_output(path: str | None, is_grouped: bool) -> None:
    """Refuse a name that does not say what to write, before anything is read."""
    if path is None:
        return
    is_profile = ending_of(path) is not None
    if is_grouped and is_profile:
        raise click.UsageError(f"-o {clean(path)} is one file: for groups give a new folder")
    if not is_grouped and not is_profile:
        endings = ", ".join(ENDINGS)
        raise click.UsageError(f"-o {clean(path)} is no name of a profile: {endings}")


def write_groups(
    groups: Sequence[Merged], by: Sequence[GroupBy], path: str, *, overwrite: bool
) -> Written:
    """Write the groups: one as a file, several as the files of a folder that is whole or absent."""
    if not by:
        write_columns(groups[0].profile, path, overwrite=overwrite)
        return {(): path}
    names = _names(groups)
    with (
        explained("writing profiles", path),
        directory_aside(path, overwrite=overwrite) as aside,
    ):
        files = []
        for group, name in zip(groups, names, strict=True):
            samples = write_columns(group.profile, str(aside / name), overwrite=False)
            length = (aside / name).stat().st_size
            files.append({"name": name, "rows": samples, "bytes": length})
        write_manifest(aside, {"tables": {"merged": _listed(groups, files)}})
    folder = Path(path)
    return {
        group.values: os.fspath(folder / name) for group, name in zip(groups, names, strict=True)
    }


def _names(groups: Sequence[Merged]) -> list[str]:
    """Name the files after their groups, all different whatever a file system makes of case."""
    names: dict[str, None] = {}
    taken: set[str] = set()
    for group in groups:
        words = ["none" if value is None else value or "empty" for value in group.values]
        plain = re.sub(r"[^A-Za-z0-9._=+@-]+", "-", "_".join(words)).lstrip(".-")
        plain = name = plain[:_LONGEST_NAME] or "group"
        number = 2
        while name.lower() in taken:
            name, number = f"{plain}~{number}", number + 1
        taken.add(name.lower())
        names[f"{name}.pb.gz"] = None
    return list(names)


def _listed(groups: Sequence[Merged], files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "rows": sum(file["rows"] for file in files),
        "files": [
            {**file, "group": list(group.values), "profiles": group.profiles}
            for file, group in zip(files, groups, strict=True)
        ],
    }


def summary_table(groups: Sequence[Merged], written: Written | None) -> pa.Table:
    """Give the table `merged`."""
    rows = [
        {
            "group": _group(group),
            "file": (written or {}).get(group.values),
            "profiles": group.profiles,
            "first_time": group.first_ns,
            "last_time": group.last_ns,
            "restarts": group.restarts,
            "samples": len(group.profile.labels),
            "totals": [
                {"type": kind, "unit": unit, "value": total} for kind, unit, total in _totals(group)
            ],
        }
        for group in groups
    ]
    return pa.Table.from_pylist(rows, schema("merged"))


def summary_lines(
    groups: Sequence[Merged],
    by: Sequence[GroupBy],
    group_by: Sequence[str],
    path: str | None,
    written: Written | None,
    words: Sequence[str],
) -> Iterator[str]:
    """Say what was added up, group by group, and what to do with it."""
    shown = groups
    if len(groups) > _ROWS:
        shown = sorted(groups, key=lambda group: -group.profiles)[:_ROWS]
    profiles = sum(group.profiles for group in groups) if not _by_label(by) else None
    added = f"{count(profiles, 'profile')} in " if profiles is not None else ""
    yield f"{added}{count(len(groups), 'group')}" if by else count(groups[0].profiles, "profile")
    kinds = list(dict.fromkeys(kind for group in groups for kind, *_ in _totals(group)))
    head = ["profiles", "stacks", *kinds, "restarts", "first", "last", ", ".join(group_by)]
    rows = [
        [
            f"{group.profiles:,}",
            f"{len(group.profile.labels):,}",
            *_cells(group, kinds),
            str(group.restarts) if group.restarts else "",
            wall_second(group.first_ns) if group.first_ns is not None else "",
            wall_second(group.last_ns) if group.last_ns is not None else "",
            (_group(group) or "(none)") if by else "",
        ]
        for group in shown
    ]
    yield ""
    place = len(kinds) + 2
    yield from aligned(head, rows, optional=(place + 2, place + 1, *range(2, place - 1)))
    if len(shown) < len(groups):
        yield f"  … and {count(len(groups) - len(shown), 'group')} more: --format csv"
    yield ""
    if path is None:
        inputs = " ".join(shell_word(word) for word in words[:3])
        target = "merged/" if by else "merged.pb.gz"
        grouped = "".join(f" --group-by {shell_word(text)}" for text in group_by)
        more = " …" if len(words) > 3 else ""
        yield from next_steps(f"gotrace merge {inputs}{more}{grouped} -o {target}")
        return
    first = shell_word(next(iter((written or {}).values()), path))
    yield from next_steps(f"gotrace top {first}", f"gotrace flame {first} -o flame.html")


def _by_label(by: Sequence[GroupBy]) -> bool:
    return any(each.label for each in by)


def _cells(group: Merged, kinds: Sequence[str]) -> Iterator[str]:
    totals = {kind: (unit, total) for kind, unit, total in _totals(group)}
    for kind in kinds:
        unit, total = totals.get(kind, ("", None))
        yield "" if total is None else scaled_label(total, unit)


def _totals(group: Merged) -> list[tuple[str, str, int]]:
    sums = group.profile.values.sum(axis=0, dtype=np.int64).tolist()
    types = group.profile.types
    return [(kind, unit, total) for (kind, unit), total in zip(types, sums, strict=True)]


def _group(group: Merged) -> str | None:
    if not group.values:
        return None
    return ", ".join("(none)" if value is None else value for value in group.values)
