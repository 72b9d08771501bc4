"""Profiles by the thousand, each added to the group it belongs to.

Groups are by a part of the file's name, by a stretch of time, or by a label. The first two are of
whole profiles and have a `Merger` each; samples are told apart by label when all is added, so that
memory stays that of the distinct stacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from gotrace.analyses.delta import Growth
from gotrace.analyses.filters import keep_samples
from gotrace.analyses.merge import Level, Merger
from gotrace.analyses.profile_columns import ProfileColumns, label_texts
from gotrace.analyses.units import scaled_label

_UNITS: Final = {"s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}


@dataclass(frozen=True)
class GroupBy:
    """What groups are made by; one of its fields is set.

    Attributes:
        label: key of a label.
        window_ns: length of a stretch of time; stretches begin at multiples of it since 1970.
        part: which part of the path, 0 the first folder, -1 the file's name.
        pattern: regular expression on the path; its first group, or all of it, is the value.
    """

    label: str = ""
    window_ns: int = 0
    part: int | None = None
    pattern: re.Pattern[str] | None = None

    @classmethod
    def of(cls, text: str) -> GroupBy:
        """Read label:KEY, time:1h, path:-2 or path:REGEX; ValueError for anything else."""
        kind, _, what = text.partition(":")
        if kind == "label" and what:
            return cls(label=what)
        if kind == "time" and (found := re.fullmatch(r"(\d+)([smhd])", what)) and int(found[1]):
            return cls(window_ns=int(found[1]) * _UNITS[found[2]])
        if kind == "path" and re.fullmatch(r"-?\d+", what):
            return cls(part=int(what))
        if kind == "path" and what:
            try:
                return cls(pattern=re.compile(what))
            except re.error as error:
                raise ValueError(f"{what!r} is no regular expression: {error}") from None
        raise ValueError(
            f"groups are made by label:KEY, time:1h, path:-2 or path:REGEX, not by {text!r}"
        )

    def of_profile(self, profile: ProfileColumns, path: str) -> str | None:
        """Give the group of a whole profile; None where its name or time does not tell."""
        if self.window_ns:
            time_ns = profile.facts.get("time_ns")
            return None if time_ns is None else _window(time_ns, self.window_ns)
        if self.pattern is not None:
            found = self.pattern.search(path)
            return None if found is None else found[1 if found.re.groups else 0]
        parts = [part for part in path.replace("\\", "/").split("/") if part]
        place = self.part or 0
        return parts[place] if -len(parts) <= place < len(parts) else None


def _window(time_ns: int, window_ns: int) -> str:
    moment = np.datetime64(time_ns // window_ns * window_ns, "ns")
    return f"{np.datetime_as_string(moment, unit='s')}Z"


@dataclass(frozen=True)
class Merged:
    """One group.

    Attributes:
        values: what it is the group of, in the order of the rules; None where there is none.
        profile: the sum.
        profiles: how many were added.
        first_ns, last_ns: least and largest time of the profiles; None when no one has one.
        restarts: for a growth, how often the process was seen to begin anew.
    """

    values: tuple[str | None, ...]
    profile: ProfileColumns
    profiles: int
    first_ns: int | None
    last_ns: int | None
    restarts: int | None


class Groups:
    """Adds profiles up, each in its group.

    With `growth` the profiles of a group are snapshots of one process, given in order of time, and
    what is summed is what its counters grew by from the first to the last.
    """

    def __init__(
        self, by: Sequence[GroupBy] = (), level: Level = "exact", *, growth: bool = False
    ) -> None:
        self._by, self._level, self._growth = tuple(by), level, growth
        self._groups: dict[tuple[str | None, ...], _Group] = {}

    def add(self, profile: ProfileColumns, path: str = "", series: str = "") -> None:
        """Add a profile; `series` names the process whose snapshot it is.

        Raises as `Merger.add`.
        """
        values = tuple(by.of_profile(profile, path) for by in self._by if not by.label)
        group = self._groups.get(values)
        if group is None:
            group = self._groups[values] = _Group(self._level, self._growth)
        group.add(profile, series)

    def results(self) -> Iterator[Merged]:
        """Give the groups, sorted by their values; those by label are taken apart here."""
        keys = [by.label for by in self._by if by.label]
        found = []
        for values, group in self._groups.items():
            whole = group.merged(values)
            for labels, profile in _by_labels(whole.profile, keys):
                left, right = iter(values), iter(labels)
                mixed = tuple(next(right if by.label else left) for by in self._by)
                found.append(replace(whole, values=mixed, profile=profile))
        yield from sorted(found, key=lambda each: [(v is None, v or "") for v in each.values])


class _Group:
    def __init__(self, level: Level, growth: bool) -> None:
        self._level, self._growth = level, growth
        self._merger = Merger(level)
        self._series: dict[str, Growth] = {}
        self._profiles = 0
        self._times: list[int] = []

    def add(self, profile: ProfileColumns, series: str) -> None:
        self._profiles += 1
        time_ns = profile.facts.get("time_ns")
        if time_ns is not None:
            self._times = [min([time_ns, *self._times]), max([time_ns, *self._times])]
        if not self._growth:
            self._merger.add(profile)
        elif series in self._series:
            self._series[series].add(profile)
        else:
            self._series[series] = Growth(self._level)
            self._series[series].add(profile)

    def merged(self, values: tuple[str | None, ...]) -> Merged:
        for growth in self._series.values():
            self._merger.add(growth.result())
        restarts = sum(growth.restarts for growth in self._series.values())
        return Merged(
            values,
            self._merger.result(),
            self._profiles,
            self._times[0] if self._times else None,
            self._times[-1] if self._times else None,
            restarts if self._growth else None,
        )


def _by_labels(
    profile: ProfileColumns, keys: Sequence[str]
) -> Iterator[tuple[tuple[str | None, ...], ProfileColumns]]:
    """Take a profile apart by labels; several values of a key are one, with commas between."""
    if not keys:
        yield (), profile
        return

    def value(labels: Any, key: str) -> str | None:
        numbers = [each for each in labels if each.key == key and each.text is None]
        texts = [
            *label_texts(labels, key),
            *(scaled_label(each.num or 0, each.unit or "") for each in numbers),
        ]
        return ",".join(texts) if texts else None

    of_set = [tuple(value(labels, key) for key in keys) for labels in profile.label_sets]
    numbers = {values: number for number, values in enumerate(dict.fromkeys(of_set))}
    of_sample = np.array([numbers[values] for values in of_set], np.int64)[profile.labels]
    for values, number in numbers.items():
        mine = of_sample == number
        if mine.any():
            yield values, keep_samples(profile, mine)
