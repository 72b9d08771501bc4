"""Points in time and durations, as people read them. How they are given is `tables.times`."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Final

import click

SECOND: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


class When(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A command line value that is a point in time; it stays the text that was given."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the text, or end with a usage error."""
        from gotrace.tables.times import point

        try:
            point(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class Length(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A command line value that says how long something takes; it becomes ns."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Understand the text, or end with a usage error."""
        from gotrace.tables.times import length

        if isinstance(value, int):
            return value
        try:
            return length(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def seconds(nanoseconds: int) -> str:
    """Write nanoseconds as seconds, exactly: 0.000026816."""
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    return f"{sign}{rest // SECOND}.{rest % SECOND:09d}"


def duration(nanoseconds: int) -> str:
    """Write a duration for people, to a few digits: 950 ns, 13.2 ms, 1.234 s, 12 min 3 s."""
    if nanoseconds < 1_000:
        return f"{nanoseconds} ns"
    for unit, scale in (("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < 999.5 * scale:
            return f"{nanoseconds / scale:.3g} {unit}"
    if nanoseconds < 60 * SECOND:
        return f"{nanoseconds / SECOND:.3f} s"
    minutes, rest = divmod(round(nanoseconds / SECOND), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def wall(nanoseconds: int) -> str:
    """Write nanoseconds since 1970 as RFC 3339 in UTC, whatever the time zone."""
    whole, rest = divmod(nanoseconds, SECOND)
    return f"{_EPOCH + timedelta(seconds=whole):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
