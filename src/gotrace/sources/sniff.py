"""What kind of file is this? Told by its first bytes, never by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

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
_OTHER_PROFILE = re.compile(rb"--- (?:heapz|threadz)|# cpuprofile")

_HEAP_TEXT = re.compile(
    rb"heap profile: *\d+: *\d+ *\[ *\d+: *\d+ *\] *@ *(heap[_a-z0-9]*|growthz?|fragmentationz?)"
    rb"(?:/(\d{1,18}))?"
)
_COUNT_TEXT = re.compile(rb"([^\s:]+) profile: total \d+")
_CONTENTION_TEXT = re.compile(rb"--- (contention|mutex)(?:z\b.*|:)")

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
        text: whether it is a profile in a text format that is not read.
    """

    kind: Kind
    minor: int | None = None
    text: bool = False


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
    if _is_profile(head) or _is_packed_profile(head):
        return Sniffed("profile")
    if text_profile(head):
        return Sniffed("profile")
    if _OTHER_PROFILE.match(head):
        return Sniffed("profile", text=True)
    if _DUMP.search(head):
        return Sniffed("dump")
    if _MEMSTATS.search(head):
        return Sniffed("memstats")
    raise FormatError(f"not a Go trace: {_guess(head)}", source=name, offset=0)


class TextHead(NamedTuple):
    """The first line of a profile as text.

    Attributes:
        kind: heap, contention, mutex, or the word before "profile": goroutine, threadcreate…
        word, rate: of a heap profile, how it is sampled.
    """

    kind: str
    word: str = ""
    rate: int = 0


def text_profile(head: bytes) -> TextHead | None:
    """Tell a profile as text by its first line; None for everything else."""
    line = head[:HEAD_BYTES].lstrip(b"\n").partition(b"\n")[0].rstrip()
    if found := _HEAP_TEXT.fullmatch(line):
        return TextHead("heap", found[1].decode(), int(found[2] or 0))
    if found := _COUNT_TEXT.fullmatch(line):
        return TextHead(found[1].decode("utf-8", "replace"))
    if found := _CONTENTION_TEXT.fullmatch(line):
        return TextHead(found[1].decode())
    return None


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
        "profile": "a pprof profile in a text format",
        "dump": "a goroutine dump",
        "memstats": "memory statistics",
        "trace": "a trace",
    }[kind]
    hint = " (go tool pprof reads it)" if kind == "profile" else ""
    return FormatError(
        f"{what}{hint}; this version of gotrace reads execution traces "
        "and profiles in the format of profile.proto",
        source=name,
        offset=0,
    )


def _is_profile(head: bytes) -> bool:
    """Whether the bytes begin with fields of profile.proto, and with nothing else."""
    at = fields = 0
    while at < len(head) and fields < _FIELDS_SEEN:
        wires = _PROFILE_FIELDS.get(head[at])
        if wires is None or (head[at] == 0x0A and not _is_value_type(head[at + 1 : at + 25])):
            return False
        value, at = _varint(head, at + 1)
        if value is None:
            break
        at += value if wires == 2 else 0
        fields += 1
    return fields > 1 or (fields == 1 and at == len(head) < HEAD_BYTES) or at > len(head) > 4


def _is_value_type(field: bytes) -> bool:
    """Whether a length and what follows are two small numbers, or the head ends within."""
    if not field or field[0] > 22:
        return False
    inner = field[1 : 1 + field[0]]
    return not inner or inner[0] in (0x08, 0x10)


def _varint(data: bytes, at: int) -> tuple[int | None, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            return None, at
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    return None, at


_FIELDS_SEEN: Final = 32
_PROFILE_FIELDS: Final = {
    number << 3 | wire: wire
    for wire, numbers in ((2, (1, 2, 3, 4, 5, 6, 11, 13)), (0, (7, 8, 9, 10, 12, 13, 14, 15)))
    for number in numbers
}


def _is_packed_profile(head: bytes) -> bool:
    """Whether it is gzip again, with a profile inside: uploaders pack what is packed already."""
    if not head.startswith(b"\x1f\x8b"):
        return False
    import zlib

    try:
        return _is_profile(zlib.decompressobj(31).decompress(head, HEAD_BYTES))
    except zlib.error:
        return False


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
