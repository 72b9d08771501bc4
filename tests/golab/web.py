"""The pages of `go tool trace`, asked over HTTP: what its web interface says of a trace.

with web_of(path) as web:
    web.profile("regionio", type="lookup")      # bytes of profile.proto
    web.tasks(), web.regions(), web.groups()    # the tables, numbers as they are shown
"""

from __future__ import annotations

import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from tests.golab.peers import go_unquoted, plain_file
from tests.golab.toolchain import GoError, Toolchain

_ADDRESS = re.compile(r"listening on (http://\S+)")
_ROW = re.compile(r"<tr>\s*<td>(.*?)</td>\s*<td><a href=\"[^\"]*\">(\d+)</a></td>\s*<td>", re.S)
_BIN = re.compile(
    r'<td class="histoTime" align="right">(?:<a [^>]*>)?([^<]*)(?:</a>)?</td>.*?'
    r'<div style="position:relative">(\d+)</div>',
    re.S,
)
_GROUP = re.compile(
    r'<code><a href="[^"]*">(.*?)</a></code></td>\s*<td>(\d+)</td>\s*<td>(.*?)</td>', re.S
)
_PART = re.compile(r"([\d.]+)(h|ms|m|µs|ns|s)")
_NS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "µs": 10**3, "ns": 1}
_NAMELESS = "(Inactive, no stack trace sampled)"


@dataclass(frozen=True)
class TypeRow:
    """A type of task or region: how many, and its histogram as (lower edge in ns, count).

    Names need not be UTF-8: `raw` is what a question has to give.
    """

    raw: bytes
    count: int
    bins: list[tuple[int, int]]

    @property
    def name(self) -> str:
        """The name as our tables have it."""
        return self.raw.decode(errors="replace")


@dataclass(frozen=True)
class Web:
    """A server of `go tool trace` that runs."""

    address: str

    def profile(self, page: str, **query: object) -> bytes | None:
        """One of the profiles, gzipped; None where Go has none for this question."""
        try:
            return self._get(page, **query, raw=1)
        except urllib.error.HTTPError:
            return None

    def tasks(self) -> list[TypeRow]:
        return [TypeRow(name.encode(), n, bins) for name, n, bins in self._types("usertasks")]

    def regions(self) -> list[TypeRow]:
        """One row for each type and root function, as on the page."""
        rows = []
        for text, n, bins in self._types("userregions"):
            quoted = re.search(r"<pre>(.*?)<br>", text, re.S)
            assert quoted is not None
            raw = go_unquoted(unescape(quoted.group(1))[1:-1])
            rows.append(TypeRow(raw, n, bins))
        return rows

    def groups(self) -> dict[str, tuple[int, int]]:
        """How many goroutines each group has, and how long they ran, in ns."""
        page = self._get("goroutines").decode(errors="replace")
        return {
            "" if name == _NAMELESS else unescape(name): (int(count), nanoseconds(time))
            for name, count, time in _GROUP.findall(page)
        }

    def _types(self, page: str) -> Iterator[tuple[str, int, list[tuple[int, int]]]]:
        text = self._get(page).decode(errors="replace")
        rows = list(_ROW.finditer(text))
        for row, behind in zip(rows, [*rows[1:], None], strict=False):
            bins = _BIN.findall(text, row.end(), behind.start() if behind else len(text))
            held = [(nanoseconds(edge), int(count)) for edge, count in bins if int(count)]
            yield unescape(row.group(1)), int(row.group(2)), held

    def _get(self, page: str, **query: object) -> bytes:
        url = f"{self.address}/{page}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            content: bytes = answer.read()
            return content


def nanoseconds(text: str) -> int:
    """A duration as Go writes it."""
    return round(sum(float(number) * _NS[unit] for number, unit in _PART.findall(text)))


@contextmanager
def web_of(path: Path, go: Toolchain) -> Iterator[Web]:
    """Serve a trace, plain or .zst, for as long as the block lasts."""
    with plain_file(path) as plain:
        server = subprocess.Popen(
            [str(go.go_command), "tool", "trace", "-http=127.0.0.1:0", str(plain)],
            env={**go.environment(), "BROWSER": "true"},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stderr is not None
            said = []
            for line in server.stderr:
                said.append(line)
                if match := _ADDRESS.search(line):
                    yield Web(match.group(1))
                    break
            else:
                raise GoError(f"go tool trace {path}: {''.join(said)}")
        finally:
            server.terminate()
            server.wait()
            assert server.stderr is not None
            server.stderr.close()
