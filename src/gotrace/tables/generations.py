"""The index of a trace's generations, from the headers of its batches: nothing is decoded."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gotrace.errors import FormatError

if TYPE_CHECKING:
    from gotrace.sources.base import GoOn
    from gotrace.sources.input import Input

__all__ = ["Generation", "hops", "index"]

_PAGE_BYTES = 4096
"""What is read of a batch to see its header; most batches are 64 KiB long."""


@dataclass(frozen=True)
class Generation:
    """Where a generation lies, and when it begins; times as Go's reader converts them.

    Attributes:
        number: the runtime's number.
        offset: of its first batch, in bytes of the decompressed trace.
        bytes: its length there.
        batches: of all kinds.
        threads: that have events in it, the pseudo-thread of final statuses included.
        start_ns: the earliest time of any batch on the trace clock; None without a clock.
        freq_hz: ticks of the trace clock per second; None where no batch tells.
        snapshot_ns, wall_ns: the trace clock and Unix time at one moment; None before Go 1.25.
        complete: whether its end marker is there; None before Go 1.26, whose format has none.
    """

    number: int
    offset: int
    bytes: int
    batches: int
    threads: int
    start_ns: int | None
    freq_hz: int | None
    snapshot_ns: int | None
    wall_ns: int | None
    complete: bool | None


def index(
    given: Input, *, salvage: bool, go_on: GoOn | None = None
) -> Generator[Generation, None, None]:
    """Iterate over the generations of a trace in order, until `go_on` says that nobody wants them.

    Raises FormatError at the first damage of the framing, unless `salvage`; damage inside a batch
    is not seen here.
    """
    from gotrace._core import GenerationIndex

    finder = GenerationIndex(salvage=salvage, max_memory=given.limits.memory_bytes)
    try:
        for found in _hop(given, finder) if hops(given) else _walk(given, finder):
            if go_on is not None and not go_on():
                return
            yield from found
        finder.finish()
        yield from _drain(finder)
    except FormatError as error:
        error.source = error.source or given.name
        raise


def hops(given: Input) -> bool:
    """Whether a part of the trace can be read without what stands before it."""
    return given.source.size is not None and given.peek()[1] is None


def _hop(given: Input, finder: Any) -> Iterator[list[Generation]]:
    """Read the headers alone, a page at a time; give what each page tells."""
    size = given.source.size or 0
    buffer = memoryview(bytearray(_PAGE_BYTES))
    offset = 0
    with given.source.read_at() as read:
        while count := read(offset, buffer):
            offset += count
            finder.feed(buffer[:count], following=max(size - offset, 0))
            yield _drain(finder)
            offset += finder.left_out


def _walk(given: Input, finder: Any) -> Iterator[list[Generation]]:
    """Read everything, one after the other."""
    opened = given.open()
    with closing(opened):
        for chunk in opened.chunks:
            finder.feed(chunk)
            yield _drain(finder)


def _drain(finder: Any) -> list[Generation]:
    found: list[Generation] = []
    while (row := finder.next_generation()) is not None:
        found.append(Generation(**row))
    return found
