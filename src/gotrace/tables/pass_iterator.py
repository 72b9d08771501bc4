"""`PassIterator`: the batches of a running pass, for whoever asks for the next one."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, TypeVar

from gotrace.errors import GotraceError

if TYPE_CHECKING:
    from gotrace.tables.passes import Pass

T = TypeVar("T")


class PassIterator(Iterator[T]):
    """Iterate over what a pass gives; letting go of it ends the pass and frees all it holds.

    Several threads may ask: each item goes to one of them, one after the other. A forked process
    may not: `GotraceError`, since the threads and the place in the file stayed behind.
    """

    def __init__(self, passing: Pass, items: Generator[T, None, None]) -> None:
        self._pass = passing
        self._items = items
        self._turn = threading.Lock()
        self._process = os.getpid()

    def __next__(self) -> T:
        if os.getpid() != self._process:
            raise GotraceError("a reader can't go on in a forked process; open the trace there")
        with self._turn:
            return next(self._items)

    def cancel(self) -> None:
        """Stop soon, from any thread; the next item is the end."""
        self._pass.cancel()

    def close(self) -> None:
        """Stop, and close what the pass opened."""
        self._pass.cancel()
        with self._turn:
            self._items.close()
