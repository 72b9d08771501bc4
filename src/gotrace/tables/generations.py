"""The index of a trace's generations, from the headers of its batches: nothing is decoded."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gotrace.errors import FormatError

if TYPE_CHECKING:
    from gotrace.sources.input import Input

__all__ = ["Generation", "index"]


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
        complete: whether its end marker is there; None before Go 1.26, whose format has none.
    """

    number: int
    offset: int
    bytes: int
    batches: int
    threads: int
    start_ns: int | None
    freq_hz: int | None
    complete: bool | None


def index(given: Input, *, salvage: bool) -> list[Generation]:
    """List the generations of a trace in order.

    Raises FormatError at the first damage of the framing, unless `salvage`; damage inside a batch
    is not seen here.
    """
    from gotrace._core import GenerationIndex

    found: list[Generation] = []
    opened = given.open()
    finder = GenerationIndex(salvage=salvage, max_memory=given.limits.memory_bytes)
    with closing(opened):
        try:
            for chunk in opened.chunks:
                finder.feed(chunk)
                found += _drain(finder)
            finder.finish()
            found += _drain(finder)
        except FormatError as error:
            error.source = error.source or given.name
            raise
    return found


def _drain(finder: Any) -> list[Generation]:
    found: list[Generation] = []
    while (row := finder.next_generation()) is not None:
        found.append(Generation(**row))
    return found
