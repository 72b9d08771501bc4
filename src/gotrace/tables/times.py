"""Points in time as users write them: +12.5s, RFC 3339, nanoseconds of the trace clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TypeAlias

When: TypeAlias = "int | str | datetime"

_SECOND = 10**9
_UNITS = {"h": 3600 * _SECOND, "m": 60 * _SECOND, "s": _SECOND, "ms": 10**6, "us": 10**3, "ns": 1}
_SPELLED = {"µs": "us", "μs": "us", "": "s"}  # micro sign and Greek mu
_PART = r"(\d+)(?:\.(\d+))?\s*(ns|us|µs|μs|ms|s|m|h)"
_RELATIVE = re.compile(rf"\+\s*(?:(?:{_PART}\s*)+|\d+(?:\.\d+)?)")
_PARTS = re.compile(rf"{_PART}?")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Clock:
    """Where a trace stands in time.

    Attributes:
        start_ns: trace time of its first event.
        wall_offset_ns: wall time (Unix ns) minus trace time, None where the trace has no wall.
    """

    start_ns: int
    wall_offset_ns: int | None


@dataclass(frozen=True)
class Point:
    """A point in time that may wait for the trace's clock. `origin`: "trace", "start", "wall"."""

    origin: str
    ns: int

    def resolve(self, clock: Clock) -> int:
        """Return it as ns of the trace clock; ValueError for wall time in a trace without it."""
        if self.origin == "start":
            return clock.start_ns + self.ns
        if self.origin == "trace":
            return self.ns
        if clock.wall_offset_ns is None:
            raise ValueError(
                "this trace has no wall clock (Go 1.25 and later write it); "
                "give seconds from its start, like +1.5s"
            )
        return self.ns - clock.wall_offset_ns


def point(given: When) -> Point:
    """Understand a point in time; ValueError with examples for text that is none."""
    if isinstance(given, bool):
        raise TypeError("a time is ns, text or a datetime, not a bool")
    if isinstance(given, int):
        return Point("trace", given)
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise ValueError("a datetime needs a time zone: datetime(…, tzinfo=timezone.utc)")
        return Point("wall", (given - _EPOCH) // timedelta(microseconds=1) * 1000)
    text = given.strip()
    if text.isdigit():
        return Point("trace", int(text))
    if _RELATIVE.fullmatch(text):
        return Point("start", _duration(text))
    if match := _RFC3339.fullmatch(text):
        day, clock, part, zone = match.groups()
        zone = "+00:00" if zone in "Zz" else zone
        try:
            seconds = (datetime.fromisoformat(f"{day}T{clock}{zone}") - _EPOCH) // timedelta(
                seconds=1
            )
        except ValueError as error:
            raise ValueError(f"{text!r}: {error}") from None
        return Point("wall", seconds * 10**9 + int((part or "").ljust(9, "0")))
    raise ValueError(
        f"{text!r} is no time: give +1.5s or +1h2m from the start of the trace, "
        "2026-01-31T12:00:00.5Z, or nanoseconds of the trace clock"
    )


def length(text: str) -> int:
    """Understand how long something takes, in ns: 10ms, 1m30s, a number of seconds; ValueError."""
    given = f"+{text.strip()}"
    if not _RELATIVE.fullmatch(given):
        raise ValueError(f"{text!r} is no length of time: give 250us, 10ms, 1.5s or 1m30s")
    return _duration(given)


def _duration(text: str) -> int:
    """Add up the parts of +1h2m3.5s; a bare number is seconds."""
    total, last = 0, len(_UNITS)
    for whole, part, unit in _PARTS.findall(text):
        unit = _SPELLED.get(unit, unit)
        rank = list(_UNITS)[::-1].index(unit)
        if rank >= last:
            raise ValueError(f"{text!r} is no time: units go from large to small, like +1h2m3.5s")
        last = rank
        scale = _UNITS[unit]
        total += int(whole) * scale + (int(part) * scale // 10 ** len(part) if part else 0)
    return total
