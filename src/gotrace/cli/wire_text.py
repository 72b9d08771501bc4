"""The records of a trace as the runtime wrote them, as `gotrace events --wire` prints them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from gotrace.cli.inputs import STREAM, open_trace
from gotrace.cli.output import write_lines
from gotrace.cli.terminal import OK, PARTIAL, say


def write_wire(file: str, on_error: str, out: TextIO) -> int:
    """Write Go's text form of a trace; return the exit code."""
    from gotrace.limits import DEFAULT
    from gotrace.sources.input import Input, source_of
    from gotrace.sources.sniff import check_version, not_built
    from gotrace.wire import bytes_to_text

    if on_error == "skip" or (file == STREAM and sys.stdin.isatty()):
        open_trace(file, on_error)
    given = Input(source_of(file), DEFAULT)
    passing = given.open()
    salvage = on_error == "salvage"
    if passing.sniffed.kind != "trace" or passing.sniffed.minor is None:
        raise not_built(passing.sniffed.kind, given.name)
    check_version(passing.sniffed.minor, given.name, lenient=salvage)
    chunks = (bytes(chunk) for chunk in passing.chunks)
    text = bytes_to_text(chunks, given.name, "salvage" if salvage else "fail", any_version=salvage)
    damage = _Damage()
    write_lines((line.rstrip("\n") for line in damage.watch(text)), out)
    out.flush()
    if damage.line:
        say(f"{damage.line}; what follows it was printed as Bytes")
        return PARTIAL
    return OK


class _Damage:
    """Sees the comment that stands before what is no record."""

    line = ""

    def watch(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            if line.startswith("# "):
                self.line = line[2:].rstrip("\n")
            yield line
