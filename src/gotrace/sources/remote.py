"""Sources elsewhere: http and https by the standard library, object stores by pyarrow.fs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from gotrace.errors import GotraceError
from gotrace.sources.base import Chunk, GoOn, Source
from gotrace.sources.local import patience, read_into, some_reader

_URL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)://")
_TIMEOUT_SECONDS = 60.0


def scheme(text: str) -> str | None:
    """Return the scheme of a URL in lower case, or None when the text is no URL."""
    match = _URL.match(text)
    return match.group(1).lower() if match else None


class UrlSource(Source):
    """An http or https URL, or an object: s3://, gs://, az:// (abfs://), hdfs://, file://."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.name = self.path = url
        self._scheme = scheme(url) or ""

    def _read(self) -> Iterator[Chunk]:
        with self._open() as stream:
            yield from read_into(some_reader(stream), _patience(self, stream))

    def _open(self) -> BinaryIO:
        if self._scheme in ("http", "https"):
            from urllib.request import Request, urlopen

            request = Request(self.name, headers={"Accept-Encoding": "identity"})
            return urlopen(request, timeout=_TIMEOUT_SECONDS)  # type: ignore[no-any-return]
        return self._open_object()

    def _open_object(self) -> BinaryIO:
        import pyarrow as pa
        from pyarrow import fs

        url = self.name
        if self._scheme in ("az", "azure"):
            url = "abfs" + url[len(self._scheme) :]
        try:
            filesystem, path = fs.FileSystem.from_uri(url)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise GotraceError(
                f"{self.name}: this kind of address can't be read: {error}"
            ) from None
        return filesystem.open_input_stream(path, compression=None)  # type: ignore[no-any-return]


def _patience(source: Source, answer: Any) -> GoOn | None:
    """Return what waits for the bytes of an HTTP answer; None where a layer may hold some back.

    A read of ours is longer than the buffer of the answer, so nothing stays in there; before the
    first one the begin of the body may.
    """
    socket = sys.modules.get("socket")
    inner: Any = getattr(getattr(getattr(answer, "fp", None), "raw", None), "_sock", None)
    if socket is None or type(inner) is not socket.socket or answer.chunked:
        return None
    wait = patience(source, inner.fileno(), _TIMEOUT_SECONDS)
    begun = False

    def go_on() -> bool:
        nonlocal begun
        if begun and wait is not None and answer.length != 0:
            return wait()
        begun = True
        return True

    return go_on
