"""What kind of file is this? Told by its first bytes, never by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from gotrace.errors import FormatError, TruncatedError, UnsupportedVersionError

HEAD_BYTES = 4096
"""How many decompressed bytes `sniff` wants to see, of what is no trace."""

HEADER_BYTES = 16
"""Length of a trace's header, by which it is known."""

KNOWN_MINORS: Final = (22, 23, 25, 26)
"""Headers of format v2 that are read: `go 1.NN trace`; runtimes of Go 1.22 to 1.27 write them."""

RUNTIMES: Final = {22: "Go 1.22", 23: "Go 1.23 or 1.24", 25: "Go 1.25", 26: "Go 1.26 or 1.27"}
"""Which runtimes write a header."""

Kind = Literal["trace", "profile", "dump", "memstats"]

_HEADER = re.compile(rb"go 1\.(\d{1,2}) trace\0{3,4}")
_DUMP = re.compile(
    rb"(?:\A|\n)(?:goroutine \d+ (?:gp=\S+ )?(?:m=\S+ )?(?:mp=\S+ )?\[|SIGQUIT: quit|"
    rb"fatal error: |goroutine profile: total \d+|panic: )"
)
_MEMSTATS = re.compile(rb'"(?:HeapAlloc|NumGC|PauseTotalNs)"\s*:|# runtime\.MemStats')
_LEGACY_PROFILE = re.compile(rb"(?:heap profile: \d|--- (?:heap|contention|threadz)|# cpuprofile)")

_MAGIC: Final = (
    (b"\x7fELF", "an ELF program"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a PNG picture"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "gzip inside another compression"),
    (b"\x28\xb5\x2f\xfd", "zstd inside another compression"),
)


@dataclass(frozen=True)
class Sniffed:
    """What the first bytes say.

    Attributes:
        kind: "trace", "profile", "dump" or "memstats".
        minor: NN of a trace's header `go 1.NN trace`, else None.
    """

    kind: Kind
    minor: int | None = None


def is_trace_header(head: bytes) -> bool:
    """Whether the first `HEADER_BYTES` are all that `sniff` needs."""
    header = _HEADER.match(head)
    return header is not None and header.end() >= HEADER_BYTES


def sniff(head: bytes, name: str) -> Sniffed:
    """Tell the kind of the input from its first decompressed bytes, at most `HEAD_BYTES`.

    Raises `TruncatedError` for an empty input or a part of a header, and `FormatError` with a
    guess of what it is for everything that no Go program writes.
    """
    if not head:
        raise TruncatedError(
            "the file is empty; was the program stopped before trace.Stop?", source=name, offset=0
        )
    header = _HEADER.match(head)
    if header and is_trace_header(head):
        return Sniffed("trace", int(header.group(1)))
    if len(head) < 16 and b"go 1.".startswith(head[:5]):
        raise TruncatedError("ends inside the header of a Go trace", source=name, offset=len(head))
    if _is_profile(head) or _LEGACY_PROFILE.match(head):
        return Sniffed("profile")
    if _DUMP.search(head):
        return Sniffed("dump")
    if _MEMSTATS.search(head):
        return Sniffed("memstats")
    raise FormatError(f"not a Go trace: {_guess(head)}", source=name, offset=0)


def check_version(minor: int, name: str, *, lenient: bool = False) -> None:
    """Raise `UnsupportedVersionError` for a header that is not read.

    With `lenient` a header newer than the known ones passes: the decoder tries it.
    """
    if minor in KNOWN_MINORS or (lenient and minor > KNOWN_MINORS[-1]):
        return
    known = f"gotrace reads the traces of Go 1.22 to 1.27 (headers {_list(KNOWN_MINORS)})"
    if minor < KNOWN_MINORS[0]:
        reason = f"a trace in the old format of Go 1.21 and before (its header says Go 1.{minor})"
    elif minor > KNOWN_MINORS[-1]:
        reason = f"a trace of Go 1.{minor}, newer than this gotrace"
        known += "; on_error='salvage' (gotrace convert does so) tries it all the same"
    else:
        reason = f"the header says Go 1.{minor}, a format that no release of Go writes"
    raise UnsupportedVersionError(reason, source=name, offset=0, readable=known)


def not_built(kind: Kind, name: str) -> FormatError:
    """Give the error for a kind of Go file that this version recognizes but does not read."""
    what = {
        "profile": "a pprof profile",
        "dump": "a goroutine dump",
        "memstats": "memory statistics",
        "trace": "a trace",
    }[kind]
    hint = " (go tool pprof reads it)" if kind == "profile" else ""
    return FormatError(
        f"{what}{hint}; this version of gotrace reads execution traces", source=name, offset=0
    )


def _is_profile(head: bytes) -> bool:
    """Whether the bytes begin as profile.proto does: a ValueType of one or two small varints."""
    if len(head) < 4 or head[0] != 0x0A or not 2 <= head[1] <= 22:
        return False
    return (
        head[2] in (0x08, 0x10) and len(head) > head[1] + 2 and head[head[1] + 2] in _PROFILE_TAGS
    )


_PROFILE_TAGS = frozenset({0x0A, 0x12, 0x1A, 0x22, 0x2A, 0x32, 0x48, 0x50, 0x5A})


def _guess(head: bytes) -> str:
    for magic, what in _MAGIC:
        if head.startswith(magic):
            return f"this is {what}"
    text = _as_text(head)
    if text is None:
        return f"it begins with the bytes {head[:16].hex(' ')}"
    start = text.lstrip("\ufeff \t\r\n")[:512].lower()
    what = "text"
    if start.startswith(("<!doctype", "<html", "<?xml", "<")):
        what = "a web page"
    elif start.startswith(("{", "[")):
        what = "JSON"
    return f"this is {what}, saved in place of a trace? It says {_quote(text)}"


def _as_text(head: bytes) -> str | None:
    for cut in range(4):
        try:
            text = head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        controls = sum(1 for char in text if char < " " and char not in "\t\r\n\f")
        return text if not controls else None
    return None


def _quote(text: str) -> str:
    """Return the first words of a page, without its tags and without control characters."""
    bare = re.sub(r"<(script|style)\b.*?(</\1>|\Z)|<[^>]*(>|\Z)", " ", text, flags=re.S | re.I)
    words = " ".join((bare if bare.strip() else text).split())
    shown = "".join(char if char.isprintable() else "?" for char in words)
    return f'"{shown[:100]}{"…" if len(shown) > 100 else ""}"'


def _list(numbers: tuple[int, ...]) -> str:
    return ", ".join(f"1.{number}" for number in numbers)
