"""`gotrace.open`: from whatever the user has to a `Trace` or a `Profile`."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

from gotrace.limits import Limits
from gotrace.sources.input import Input, source_of
from gotrace.sources.sniff import check_version, not_built
from gotrace.tables.passes import OnError, salvages
from gotrace.tables.profile import Profile
from gotrace.tables.trace import Trace


def open(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Any,
    *,
    on_error: OnError = "fail",
    limits: Limits | None = None,
    name: str | None = None,
) -> Trace | Profile:
    """Open a trace or a profile; its kind and compression are told by its first bytes.

    `source` is a path, "-" for standard input, a URL (http, https, s3, gs, az, file), bytes, or an
    open binary file. `on_error`: "fail" raises at the first fault; "salvage" delivers every whole
    generation, or profile, and says in `notes` what is missing; "skip" gives no rows of a damaged
    source. `limits` bounds memory, rows, growth and time of a pass. `name` is for messages.

    Raises `FormatError` for what is neither, `UnsupportedVersionError` (a `FormatError`) for one
    that can't be read, `TruncatedError` for an empty file, `OSError` as the system gives it.
    """
    salvage = salvages(on_error)
    given = Input(source_of(source, name), limits or Limits())
    sniffed, _ = given.peek()
    if sniffed.kind == "profile" and not sniffed.text:
        return Profile(given, on_error=on_error)
    if sniffed.kind != "trace" or sniffed.minor is None:
        raise not_built(sniffed.kind, given.name)
    check_version(sniffed.minor, given.name, lenient=salvage)
    return Trace(given, on_error=on_error)


def reopen(path: str, on_error: OnError, limits: Limits) -> Trace | Profile:
    """Open again what was pickled."""
    return open(path, on_error=on_error, limits=limits)
