"""Sources on this machine: files by path, memory, open binary files and pipes."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from gotrace.sources.base import CHUNK_BYTES, Chunk, ReadAt, Source


class PathSource(Source):
    """A file by its path, read into one buffer that is used again.

    Never mapped: a file that is cut while it is mapped kills the process that reads it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = self.name = os.fspath(path)
        status = os.stat(self.path)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(21, "is a folder, not a trace", self.path)
        self.reopenable = stat.S_ISREG(status.st_mode)
        self.size = status.st_size if self.reopenable else None

    def _read(self) -> Iterator[Chunk]:
        with open(self.name, "rb", buffering=0) as file:
            yield from read_into(file.readinto)

    @contextmanager
    def read_at(self) -> Iterator[ReadAt]:
        """Open the file for reads at any place."""
        with open(self.name, "rb", buffering=0) as file:

            def read(offset: int, buffer: memoryview) -> int:
                file.seek(offset)
                return file.readinto(buffer) or 0

            yield read


class MemorySource(Source):
    """Bytes that are in memory already; nothing is copied."""

    def __init__(self, data: Any, name: str = "<bytes>") -> None:
        super().__init__()
        self.name = name
        self._view = memoryview(data).cast("B")
        self.size = len(self._view)

    def _read(self) -> Iterator[Chunk]:
        for start in range(0, len(self._view), CHUNK_BYTES):
            yield self._view[start : start + CHUNK_BYTES]

    @contextmanager
    def read_at(self) -> Iterator[ReadAt]:
        """Give what copies from any place."""

        def read(offset: int, buffer: memoryview) -> int:
            part = self._view[offset : offset + len(buffer)]
            buffer[: len(part)] = part
            return len(part)

        yield read


class StreamSource(Source):
    """An open binary file, from where it stands. Can be read again only when it can seek."""

    def __init__(self, file: BinaryIO, name: str | None = None) -> None:
        super().__init__()
        if isinstance(file, io.TextIOBase):
            raise TypeError("a trace is bytes: open the file in binary mode ('rb')")
        given = getattr(file, "name", None)
        self.name = name or (given if isinstance(given, str) else "<stream>")
        self._file = file
        try:
            self._start = file.tell() if file.seekable() else None
        except (AttributeError, OSError):
            self._start = None
        self.reopenable = self._start is not None

    def _read(self) -> Iterator[Chunk]:
        if self._start is not None:
            self._file.seek(self._start)
        if hasattr(self._file, "readinto"):
            yield from read_into(some_reader(self._file))
            return
        read = getattr(self._file, "read1", self._file.read)
        while chunk := read(CHUNK_BYTES):
            yield chunk


def some_reader(file: Any) -> Callable[[memoryview], int | None]:
    """Return what reads as much into a buffer as there is, and waits only when there is nothing.

    `readinto` of pipes, sockets and HTTP answers that are buffered waits until the buffer is full.
    """
    read: Callable[[memoryview], int | None] = getattr(file, "readinto1", None) or file.readinto
    return read


def read_into(read: Callable[[memoryview], int | None]) -> Iterator[Chunk]:
    """Iterate over what `read(buffer)` puts into one reused buffer, until it puts nothing."""
    buffer = memoryview(bytearray(CHUNK_BYTES))
    while count := read(buffer):
        yield buffer[:count]
