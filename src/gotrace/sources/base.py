"""What every source of bytes is: a name, and chunks that can be had once or again."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TypeAlias

from gotrace.errors import ConsumedError

Chunk: TypeAlias = bytes | memoryview
"""Some bytes; a memoryview is valid until the next chunk is asked for."""

CHUNK_BYTES = 1 << 20
"""How much a source reads at a time."""


ReadAt: TypeAlias = Callable[[int, memoryview], int]
"""Read bytes from an offset into a buffer: how many there were, 0 at the end."""

GoOn: TypeAlias = Callable[[], bool]
"""Whether somebody still wants what is being read; raises when a limit is reached."""


class Source(ABC):
    """Raw bytes as they lie in a file, in memory, or come through a pipe.

    Attributes:
        name: what messages call it.
        path: the path it can be opened by again, in another process too; else None.
        reopenable: whether `chunks` can be called more than once.
        go_on: asked now and then by a source that waits for bytes; False: nobody wants them.
    """

    name: str
    path: str | None = None
    reopenable: bool = True
    go_on: GoOn | None = None

    def __init__(self) -> None:
        self._opened = False
        self._lock = threading.Lock()

    @property
    def size(self) -> int | None:
        """Length in bytes at this moment, when it can be known; then `read_at` works."""
        return None

    def chunks(self, *, at_once: bool = False) -> Iterator[Chunk]:
        """Iterate over the bytes from the start; `ConsumedError` when that is no longer possible.

        With `at_once` all of a file or of memory is one chunk, for who needs it whole anyway.
        `OSError` passes through. Closing the iterator closes what it opened.
        """
        with self._lock:
            if self.consumed:
                raise ConsumedError(
                    f"{self.name}: a stream can be read once, and it was read; "
                    "save it to a file to read it again"
                )
            self._opened = True
        return self._read_at_once() if at_once else self._read()

    @property
    def consumed(self) -> bool:
        """Whether `chunks` would raise `ConsumedError`."""
        return self._opened and not self.reopenable

    def read_at(self) -> AbstractContextManager[ReadAt]:
        """Open it for reads at any place, when its `size` is known."""
        raise NotImplementedError(f"{self.name}: this source is read from the start only")

    def _read_at_once(self) -> Iterator[Chunk]:
        return self._read()

    @abstractmethod
    def _read(self) -> Iterator[Chunk]: ...
