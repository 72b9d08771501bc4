"""Points in time, as people give them and as they are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

import click

SECOND: Final = 1_000_000_000
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_DURATION: Final = re.compile(rf"\+?((?:{_PART.pattern})+)", re.ASCII)
_BARE_SECONDS: Final = re.compile(r"\+(\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST: Final = (1 << 63) - 1


@dataclass(frozen=True)
class Moment:
    """A point in time that a user gave: exactly one of the three numbers is known.

    Attributes:
        text: as the user wrote it.
        since_start_ns: nanoseconds from the start of the trace.
        time_ns: nanoseconds on the trace clock.
        wall_ns: nanoseconds since 1970, UTC.
    """

    text: str
    since_start_ns: int | None = None
    time_ns: int | None = None
    wall_ns: int | None = None

    def on(self, start_ns: int, wall_minus_time_ns: int | None) -> int:
        """Return it on the clock of a trace; ValueError when that has no wall clock."""
        if self.time_ns is not None:
            return self.time_ns
        if self.since_start_ns is not None:
            return start_ns + self.since_start_ns
        assert self.wall_ns is not None
        if wall_minus_time_ns is None:
            raise ValueError(
                f"{self.text}: this trace does not say when it was recorded (Go 1.25 and later do);"
                " give seconds from its start, as in +12.5s"
            )
        return self.wall_ns - wall_minus_time_ns


class MomentType(click.ParamType[Moment]):
    """A command line value that is a point in time: `+12.5s`, RFC 3339, or ns."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse the text, or end with a usage error."""
        if isinstance(value, Moment):
            return value
        try:
            return parse_moment(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def parse_moment(text: str) -> Moment:
    """Parse `+12.5s` (from the start), RFC 3339, or nanoseconds on the trace clock."""
    stripped = text.strip()
    if _DURATION.fullmatch(stripped):
        parts = _PART.findall(stripped)
        since = sum(int(Decimal(number) * _UNITS[unit]) for number, unit in parts)
        return Moment(text, since_start_ns=_checked(since, text))
    if bare := _BARE_SECONDS.fullmatch(stripped):
        return Moment(text, since_start_ns=_checked(int(Decimal(bare[1]) * SECOND), text))
    if stripped.isascii() and stripped.isdigit():
        if len(stripped) > 19:
            raise ValueError(f"{text!r} is beyond the clock of any trace")
        return Moment(text, time_ns=_checked(int(stripped), text))
    if match := _RFC_3339.fullmatch(stripped):
        return Moment(text, wall_ns=_rfc_3339(match, text))
    raise ValueError(
        f"{text!r} is no time: give +12.5s from the start, 2026-01-31T23:59:59.5Z, or nanoseconds "
        "on the trace clock"
    )


def seconds(nanoseconds: int) -> str:
    """Write nanoseconds as seconds, exactly: 0.000026816."""
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    return f"{sign}{rest // SECOND}.{rest % SECOND:09d}"


def duration(nanoseconds: int) -> str:
    """Write a duration for people, to a few digits: 950 ns, 13.2 ms, 1.234 s, 12 min 3 s."""
    if nanoseconds < 0:
        return f"-{duration(-nanoseconds)}"
    if nanoseconds < 1_000:
        return f"{nanoseconds} ns"
    for unit, scale in (("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < 1_000 * scale:
            return f"{nanoseconds / scale:.3g} {unit}" if nanoseconds < 999.5 * scale else f"1000 {unit}"
    if nanoseconds < 60 * SECOND:
        return f"{nanoseconds / SECOND:.3f} s"
    minutes, rest = divmod(round(nanoseconds / SECOND), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def wall(nanoseconds: int) -> str:
    """Write nanoseconds since 1970 as RFC 3339 in UTC, whatever the time zone."""
    whole, rest = divmod(nanoseconds, SECOND)
    return f"{(_EPOCH + timedelta(seconds=whole)):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _rfc_3339(match: re.Match[str], text: str) -> int:
    date, clock, fraction, _, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}+00:00")
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: {error}") from None
    since = moment - _EPOCH
    whole = since.days * 86400 + since.seconds
    if sign:
        offset = int(hours) * 3600 + int(minutes) * 60
        whole += -offset if sign == "+" else offset
    return whole * SECOND + int((fraction or "0")[:9].ljust(9, "0"))


def _checked(nanoseconds: int, text: str) -> int:
    if nanoseconds > _LATEST:
        raise ValueError(f"{text!r} is beyond the clock of any trace")
    return nanoseconds
