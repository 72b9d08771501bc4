"""Sources on this machine: files by path, memory, open binary files and pipes."""

from __future__ import annotations

import errno
import io
import math
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from gotrace.sources.base import CHUNK_BYTES, Chunk, GoOn, ReadAt, Source

_FIRST_BYTES: Final = 1 << 16
"""What is read first: often it is only looked at."""

_ASK_MS: Final = 50
"""How often a source that waits for bytes asks whether somebody wants them."""


class PathSource(Source):
    """A file by its path, read into one buffer that is used again.

    Never mapped: a file that is cut while it is mapped kills the process that reads it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.name = os.fspath(path)
        # What is read later is the same file, whatever folder the process is in by then.
        self.path = self._path = os.path.abspath(self.name)
        status = os.stat(self.name)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a folder, not a trace", self.name)
        self.reopenable = stat.S_ISREG(status.st_mode)

    @property
    def size(self) -> int | None:
        """Length of a regular file."""
        return os.stat(self._path).st_size if self.reopenable else None

    def _read(self) -> Iterator[Chunk]:
        with self._open() as file:
            yield from read_into(file.readinto, _patience(self, file))

    def _read_at_once(self) -> Iterator[Chunk]:
        if not self.reopenable:
            yield from self._read()
            return
        with self._open() as file:
            if whole := file.readall():
                yield whole

    @contextmanager
    def read_at(self) -> Iterator[ReadAt]:
        """Open the file for reads at any place."""
        with self._open() as file:

            def read(offset: int, buffer: memoryview) -> int:
                file.seek(offset)
                return file.readinto(buffer) or 0

            yield read

    def _open(self) -> io.FileIO:
        return io.FileIO(self._path)


class MemorySource(Source):
    """Bytes that are in memory already; nothing is copied."""

    def __init__(self, data: Any, name: str = "<bytes>") -> None:
        super().__init__()
        self.name = name
        self._view = memoryview(data).cast("B")

    @property
    def size(self) -> int:
        """Length of the bytes."""
        return len(self._view)

    def _read(self) -> Iterator[Chunk]:
        for start in range(0, len(self._view), CHUNK_BYTES):
            yield self._view[start : start + CHUNK_BYTES]

    def _read_at_once(self) -> Iterator[Chunk]:
        if len(self._view):
            yield self._view

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

    @property
    def size(self) -> int | None:
        """Bytes from where it stood, of a file that can tell without being read through."""
        if self._start is None:
            return None
        if isinstance(self._file, io.BytesIO):
            return self._file.getbuffer().nbytes - self._start
        if not isinstance(getattr(self._file, "raw", self._file), io.FileIO):
            return None
        return os.fstat(self._file.fileno()).st_size - self._start

    @contextmanager
    def read_at(self) -> Iterator[ReadAt]:
        """Read at any place, in turns with other passes over the same file."""
        start = self._start or 0

        def read(offset: int, buffer: memoryview) -> int:
            with self._lock:
                self._file.seek(start + offset)
                return _fill(self._file, buffer)

        yield read

    def _read(self) -> Iterator[Chunk]:
        if self._start is None:
            yield from self._stream()
            return
        offset = 0
        buffer = memoryview(bytearray(_FIRST_BYTES))
        with self.read_at() as read:
            while count := read(offset, buffer):
                offset += count
                yield buffer[:count]

    def _stream(self) -> Iterator[Chunk]:
        file: Any = self._file
        if hasattr(file, "read1"):
            # What lies in a buffer of Python's comes first: the system does not know of it.
            if not (first := file.read1(CHUNK_BYTES)):
                return
            yield first
        if hasattr(file, "readinto"):
            yield from read_into(some_reader(file), _patience(self, file))
            return
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def some_reader(file: Any) -> Callable[[memoryview], int | None]:
    """Return what reads as much into a buffer as there is, and waits only when there is nothing.

    `readinto` of pipes, sockets and HTTP answers that are buffered waits until the buffer is full.
    """
    read: Callable[[memoryview], int | None] = getattr(file, "readinto1", None) or file.readinto
    return read


def read_into(
    read: Callable[[memoryview], int | None], wait: GoOn | None = None
) -> Iterator[Chunk]:
    """Iterate over what `read(buffer)` puts into one buffer, used again, until it puts nothing.

    `wait` returns when there is something to read; False ends the reading.
    """
    buffer = memoryview(bytearray(_FIRST_BYTES))
    while wait is None or wait():
        count = read(buffer)
        if count is None:
            text = "gives nothing and does not wait: a trace is read from a file that blocks"
            raise BlockingIOError(errno.EAGAIN, text)
        if not count:
            return
        yield buffer[:count]
        if count == _FIRST_BYTES == len(buffer):
            buffer = memoryview(bytearray(CHUNK_BYTES))


def _fill(file: Any, buffer: memoryview) -> int:
    if hasattr(file, "readinto"):
        return file.readinto(buffer) or 0
    data = file.read(len(buffer))
    buffer[: len(data)] = data
    return len(data)


def _patience(source: Source, file: Any) -> GoOn | None:
    """Return what waits for the bytes of a pipe, socket or terminal; None for what never waits."""
    descriptor = _descriptor(getattr(file, "raw", file))
    return None if descriptor is None else patience(source, descriptor)


def patience(source: Source, descriptor: int, most_s: float = math.inf) -> GoOn | None:
    """Return what waits for bytes, TimeoutError after so long without; None where nothing can.

    A read that waits can't be called off from another thread. This asks `source.go_on` meanwhile.
    """
    if not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)

    def wait() -> bool:
        began = time.monotonic()
        while source.go_on is None or source.go_on():
            if poll.poll(_ASK_MS):
                return True
            if time.monotonic() - began > most_s:
                raise TimeoutError(errno.ETIMEDOUT, f"no bytes for {most_s:.0f} seconds")
        return False

    return wait


def _descriptor(raw: Any) -> int | None:
    """File descriptor of what may wait, if no layer between holds bytes back from the system."""
    if isinstance(raw, io.FileIO):
        mode = os.fstat(raw.fileno()).st_mode
        waits = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)
        return raw.fileno() if waits else None
    socket = sys.modules.get("socket")
    if socket is None or not isinstance(raw, socket.SocketIO):
        return None
    inner = raw._sock
    bare = type(inner) is socket.socket and inner.gettimeout() is None
    return inner.fileno() if bare else None
