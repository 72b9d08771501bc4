"""Streaming decompression of gzip and zstd, told by their first bytes, with a limit on growth."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from gotrace.errors import FormatError, LimitError, TruncatedError
from gotrace.limits import Limits
from gotrace.sources.base import Chunk

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_FIRST_OUT_BYTES = 1 << 14  # enough to tell what it is, and soon thrown away
_OUT_BYTES = 1 << 20
_WHOLE_OUT_BYTES = 1 << 25  # between two looks at the limits, and at Ctrl-C
_SHORTEST_GZIP = 18
_MORE_THAN_SAID = 64  # room behind the length that a gzip file says: the end is then seen at once
_ZSTD_IN_BYTES = 1 << 14  # a slice this small can't become more than some hundred megabytes
_RATIO_FROM_BYTES = 64 << 20

_REFUSED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
}


class Plain:
    """Decompressed bytes of a source and what was found around them.

    With `at_once` chunks are long, for who needs all bytes together.

    Attributes:
        compression: "gzip", "zstd" or None.
        raw_bytes: bytes read from the source so far.
        out_bytes: bytes that came out so far.
    """

    def __init__(
        self, raw: Iterator[Chunk], limits: Limits, name: str, *, at_once: bool = False
    ) -> None:
        self._raw = raw
        self._limits = limits
        self._name = name
        self._at_once = at_once
        self.raw_bytes = 0
        self.out_bytes = 0
        head, counted = take(self._counted(), 6)
        self.compression: str | None = None
        if head.startswith(_GZIP):
            self.compression = "gzip"
        elif head.startswith(_ZSTD) or _is_skippable(head):
            self.compression = "zstd"
        for magic, what in _REFUSED.items():
            if head.startswith(magic):
                raise FormatError(
                    f"compressed with {what}, which is not read; decompress it first, or use gzip "
                    "or zstd",
                    source=name,
                    offset=0,
                )
        self._input = counted

    def __iter__(self) -> Iterator[Chunk]:
        """Iterate over the decompressed chunks; damage raises FormatError after what was whole."""
        if self.compression == "gzip":
            chunks = self._gunzip()
        elif self.compression == "zstd":
            chunks = self._unzstd()
        else:
            chunks = self._input
        for chunk in chunks:
            self.out_bytes += len(chunk)
            self._check_growth()
            yield chunk

    def close(self) -> None:
        """Close what the source opened."""
        close = getattr(self._raw, "close", None)
        if close is not None:
            close()

    def _counted(self) -> Iterator[Chunk]:
        for chunk in self._raw:
            self.raw_bytes += len(chunk)
            yield chunk

    def _gunzip(self) -> Iterator[Chunk]:
        from isal import igzip_lib

        decoder = None
        members = 0
        out_bytes = _WHOLE_OUT_BYTES if self._at_once else _FIRST_OUT_BYTES
        for raw in self._input:
            data: Chunk = raw
            while len(data) or (decoder and not decoder.needs_input and not decoder.eof):
                if decoder is None:
                    data = _after_padding(data) if members else data
                    if not len(data):
                        break
                    decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
                try:
                    room = _room(data, out_bytes) if self._at_once else out_bytes
                    out = decoder.decompress(data, room)
                except igzip_lib.error as error:  # type: ignore[misc]
                    raise self._damaged(f"the gzip data is damaged ({error})") from None
                data = b""
                if out:
                    yield out
                    out_bytes = max(out_bytes, _OUT_BYTES)
                if decoder.eof:
                    data, decoder, members = decoder.unused_data, None, members + 1
        if decoder is not None:
            raise self._cut("gzip")

    def _unzstd(self) -> Iterator[Chunk]:
        import zstandard

        context = zstandard.ZstdDecompressor()
        decoder = None
        for raw in self._input:
            view = memoryview(raw)
            for start in range(0, len(view), _ZSTD_IN_BYTES):
                data: Chunk = view[start : start + _ZSTD_IN_BYTES]
                while len(data):
                    decoder = decoder or context.decompressobj()
                    try:
                        out = decoder.decompress(data)
                    except zstandard.ZstdError as error:
                        raise self._damaged(f"the zstd data is damaged ({error})") from None
                    data = b""
                    if out:
                        yield out
                    if decoder.eof:
                        data, decoder = decoder.unused_data, None
        if decoder is not None:
            raise self._cut("zstd")

    def _damaged(self, reason: str) -> FormatError:
        return FormatError(reason, offset=self.out_bytes, source=self._name)

    def _cut(self, what: str) -> TruncatedError:
        reason = f"the {what} data ends in the middle, after {self.raw_bytes} compressed bytes"
        return TruncatedError(reason, offset=self.out_bytes, source=self._name)

    def _check_growth(self) -> None:
        most = self._limits.decompressed_bytes
        if most is not None and self.out_bytes > most:
            raise LimitError(f"{self._name}: more than {most} bytes (limit decompressed_bytes)")
        if self.compression is None or self.out_bytes < _RATIO_FROM_BYTES:
            return
        ratio = self._limits.inflate_ratio
        if self.out_bytes > ratio * self.raw_bytes:
            raise LimitError(
                f"{self._name}: {self.raw_bytes} compressed bytes became {self.out_bytes}, more "
                f"than {ratio:g} times as many (limit inflate_ratio)"
            )


def take(chunks: Iterator[Chunk], count: int) -> tuple[bytes, Iterator[Chunk]]:
    """Return the first `count` bytes (fewer at the end), and all chunks with these in front."""
    head = b""
    while len(head) < count:
        chunk = next(chunks, None)
        if chunk is None:
            break
        if not head and len(chunk) >= count:
            return bytes(chunk[:count]), chain([chunk], chunks)
        head += chunk
    return head[:count], chain([head] if head else [], chunks)


def _room(data: Chunk, most: int) -> int:
    """Say how many bytes may come out: what the last four say, if `data` is one whole file.

    With room for just what comes nothing is allocated twice. The four may say anything.
    """
    if len(data) < _SHORTEST_GZIP:
        return most
    said = int.from_bytes(data[-4:], "little") + _MORE_THAN_SAID
    return min(max(said, len(data)), most)


def _is_skippable(head: bytes) -> bool:
    return len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50


def _after_padding(data: Chunk) -> Chunk:
    """Drop the zeros that tape and block tools put behind a gzip member."""
    if data[0]:
        return data
    return bytes(data).lstrip(b"\0")
