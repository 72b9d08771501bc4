"""An input as the decoder wants it: any source, decompressed, its kind known."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gotrace.limits import Limits
from gotrace.sources.base import Chunk, Source
from gotrace.sources.compressed import Plain, take
from gotrace.sources.local import MemorySource, PathSource, StreamSource
from gotrace.sources.sniff import HEAD_BYTES, HEADER_BYTES, Sniffed, is_trace_header, sniff


def source_of(given: Any, name: str | None = None) -> Source:
    """Turn what a user gives into a source: path, "-", URL, bytes, binary file, or a source.

    `OSError` for a path that can't be read, `TypeError` for what is none of these.
    """
    if isinstance(given, Source):
        return given
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if isinstance(given, str):
        from gotrace.sources.remote import UrlSource, scheme

        if given == "-":
            return StreamSource(sys.stdin.buffer, name or "<stdin>")
        return UrlSource(given) if scheme(given) else PathSource(given)
    if isinstance(given, bytes | bytearray | memoryview):
        return MemorySource(given, name or "<bytes>")
    if hasattr(given, "read"):
        return StreamSource(given, name)
    raise TypeError(
        f"can't read a trace from {type(given).__name__}: give a path, a URL, bytes "
        "or a binary file"
    )


@dataclass
class Opened:
    """One pass over an input: its kind, and its decompressed chunks from the start."""

    sniffed: Sniffed
    plain: Plain
    chunks: Iterator[Chunk]

    def close(self) -> None:
        """End the pass and close what it opened."""
        self.plain.close()


class Input:
    """A source with its compression and kind. `open` begins a pass, `peek` looks at the head.

    `peek` on a stream that can't be read again keeps what it read for the pass that follows.
    """

    def __init__(self, source: Source, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self._lock = threading.Lock()
        self._waiting: Opened | None = None
        self._peeked: tuple[Sniffed, str | None] | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.source.name

    def peek(self) -> tuple[Sniffed, str | None]:
        """Return the kind and the compression, without using the input up."""
        with self._lock:
            if self._peeked is None:
                opened = self._begin()
                if self.source.reopenable:
                    opened.close()
                else:
                    self._waiting = opened
            assert self._peeked is not None
            return self._peeked

    def open(self, *, at_once: bool = False) -> Opened:
        """Begin a pass; `ConsumedError` when the source is a stream that was read before.

        With `at_once` chunks are as long as can be, for who needs all bytes together.
        """
        with self._lock:
            opened, self._waiting = self._waiting, None
            return opened or self._begin(at_once=at_once)

    def close(self) -> None:
        """Close what was opened for a look and is waiting for a pass."""
        with self._lock:
            opened, self._waiting = self._waiting, None
        if opened is not None:
            opened.close()

    @property
    def consumed(self) -> bool:
        """Whether another pass would raise `ConsumedError`."""
        return self.source.consumed and self._waiting is None

    def _begin(self, *, at_once: bool = False) -> Opened:
        raw = self.source.chunks(at_once=at_once)
        plain = Plain(raw, self.limits, self.name, at_once=at_once)
        if at_once and self._peeked is not None:  # who needs all bytes sees what they are
            return Opened(self._peeked[0], plain, iter(plain))
        # A live stream should not wait for more than its header to be known.
        head, chunks = take(iter(plain), HEADER_BYTES)
        if not is_trace_header(head):
            head, chunks = take(chunks, HEAD_BYTES)
        sniffed = sniff(head, self.name)
        self._peeked = (sniffed, plain.compression)
        return Opened(sniffed, plain, chunks)
