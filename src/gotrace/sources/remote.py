"""Sources elsewhere: http and https by the standard library, object stores by pyarrow.fs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from gotrace.errors import GotraceError
from gotrace.sources.base import Chunk, Source
from gotrace.sources.local import read_into, some_reader

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
            yield from read_into(some_reader(stream))

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
