"""The content hashes of frames and stacks, and what a function's name says.

These are the reference for docs/stack-keys.md. The compiled core calls `frame_row` once per
distinct frame and `stack_row` once per distinct stack. A hash is the first 8 bytes, big-endian, of
SHA-256 over a domain and the content, its top bit cleared, 0 replaced by 1: an int64 that is
positive, the same in every file, run and machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from struct import Struct
from typing import NamedTuple

__all__ = [
    "FrameRow",
    "FunctionName",
    "StackRow",
    "address_id",
    "fold",
    "frame_id",
    "frame_row",
    "function_name",
    "label_set_id",
    "site_of",
    "stack_id",
    "stack_row",
]

_LENGTH = Struct("<I")
_LINE = Struct("<q")
_WORD = Struct("<Q")
_NUMBER = Struct("<?q")
_LOW_63 = (1 << 63) - 1

# Packages whose frames at the leaf depend on the tool: dumps hide some, traces trim some, profiles
# keep all. Only with them gone does one wait have one key everywhere.
_LEAF_SIDE = frozenset({"runtime", "sync", "sync/atomic", "syscall", "time"})
_LEAF_SIDE_TREES = ("internal/", "runtime/internal/")


class FunctionName(NamedTuple):
    """What a function's name says. `package` is "" for a name without one."""

    folded: str
    package: str
    is_std: bool
    is_runtime: bool
    is_leaf_side: bool
    short: str


class FrameRow(NamedTuple):
    """A row of `frames`, less what the caller has."""

    frame_id: int
    function: str
    package: str
    is_std: bool
    is_runtime: bool


class StackRow(NamedTuple):
    """A row of `stacks`, less what the caller has; None and "" stand for null."""

    stack_id: int
    site_stack_id: int
    fingerprint: int
    leaf: str
    root: str
    site: str | None
    site_function: str | None
    site_file: str | None
    site_line: int | None


def frame_id(function: str | bytes, file: str | bytes, line: int) -> int:
    """Hash a frame: its folded function, its file, its line (64 bits, signed)."""
    function, file = _bytes(function), _bytes(file)
    parts = (_LENGTH.pack(len(function)), function, _LENGTH.pack(len(file)), file)
    return _hash(b"gotrace.frame.v1\0" + b"".join(parts) + _LINE.pack(_signed(line)))


def address_id(image: str | bytes, address: int) -> int:
    """Hash a frame without symbols: build id or file of its image, address within it."""
    image = _bytes(image)
    head = b"gotrace.addr.v1\0" + _LENGTH.pack(len(image)) + image
    return _hash(head + _WORD.pack(address & 0xFFFFFFFFFFFFFFFF))


def stack_id(frame_ids: Sequence[int]) -> int:
    """Hash a stack: its frame ids, leaf first."""
    return _hash(b"gotrace.stack.v1\0" + _words(len(frame_ids)).pack(*frame_ids))


def fingerprint(functions: Sequence[str | bytes]) -> int:
    """Hash functions alone, leaf first: the key that no edit of a line and no build changes."""
    parts = [b"gotrace.fingerprint.v1\0"]
    for function in functions:
        raw = _bytes(function)
        parts += (_LENGTH.pack(len(raw)), raw)
    return _hash(b"".join(parts))


def label_set_id(labels: Sequence[tuple[str, str | None, int | None, str | None]]) -> int:
    """Hash labels (key, text, number, unit) in their order."""
    parts = [b"gotrace.labels.v1\0"]
    for key, text, number, unit in labels:
        for part in (key, text or "", unit or ""):
            raw = part.encode()
            parts += (_LENGTH.pack(len(raw)), raw)
        parts.append(_NUMBER.pack(number is not None, number or 0))
    return _hash(b"".join(parts))


def frame_row(function: str, file: str, line: int) -> FrameRow:
    """Give what the frame (function, file, line) adds to its row of `frames`."""
    name = function_name(function)
    key = frame_id(name.folded, file, line)
    return FrameRow(key, name.folded, name.package, name.is_std, name.is_runtime)


def stack_row(
    frame_ids: Sequence[int],
    functions: Sequence[str],
    files: Sequence[str],
    lines: Sequence[int],
) -> StackRow:
    """Give the keys and the site of a stack, whose frames are given leaf first.

    The trimmed stack behind `site_stack_id` and `fingerprint` has lost its leaf-side frames of the
    runtime, `internal/...`, `sync`, `syscall`, `time`, and every other frame of package runtime
    (`runtime.main` and `runtime.goexit` at the root among them). Where nothing would be left, it
    is the whole stack without `runtime.goexit`.
    """
    names = [function_name(function) for function in functions]
    end = len(names)
    while end > 0 and names[end - 1].folded == "runtime.goexit":
        end -= 1
    kept = _trim(names, end) or range(end)
    whole = stack_id(frame_ids)
    same = len(kept) == len(names)
    site = next((i for i in range(end) if not names[i].is_std and functions[i]), None)
    return StackRow(
        whole,
        whole if same else stack_id([frame_ids[i] for i in kept]),
        fingerprint([names[i].folded for i in kept]),
        names[0].folded if names else "",
        names[end - 1].folded if end else "",
        *((None,) * 4 if site is None else site_of(names[site], files[site], lines[site])),
    )


@lru_cache(maxsize=1 << 16)
def function_name(function: str) -> FunctionName:
    """Take a function's name apart; see `FunctionName`."""
    folded = fold(function)
    package = _package(folded)
    leaf_side = package in _LEAF_SIDE or package.startswith(_LEAF_SIDE_TREES)
    return FunctionName(
        folded=folded,
        package=package,
        is_std=package in _std_packages(),
        is_runtime=package == "runtime"
        or package.startswith(("runtime/internal/", "internal/runtime/")),
        is_leaf_side=leaf_side,
        short=folded[_package_start(folded) :],
    )


def fold(function: str) -> str:
    """Replace the type arguments of a generic function by `[...]`: one code, one name."""
    if "[" not in function:
        return function
    folded: list[str] = []
    depth = 0
    for char in function:
        if char == "[":
            if depth == 0:
                folded.append("[...]")
            depth += 1
        elif char == "]" and depth:
            depth -= 1
        elif depth == 0:
            folded.append(char)
    return function if depth else "".join(folded)


def site_of(name: FunctionName, file: str, line: int) -> tuple[str, str, str | None, int | None]:
    """Name the place of a frame for people; give its function, file and line."""
    base = file.replace("\\", "/").rpartition("/")[2]
    place = f"{name.short} {base}:{line}" if base else name.short
    return place, name.folded, file or None, line or None


def _trim(names: Sequence[FunctionName], end: int) -> Sequence[int]:
    start = 0
    while start < end and names[start].is_leaf_side:
        start += 1
    return [i for i in range(start, end) if names[i].package != "runtime"]


def _package_start(folded: str) -> int:
    """Where the last element of the package path begins; brackets may hold slashes, paths too."""
    bracket = folded.find("[")
    return folded.rfind("/", 0, bracket if bracket >= 0 else len(folded)) + 1


def _package(folded: str) -> str:
    start = _package_start(folded)
    dot = folded.find(".", start)
    if dot < 0:
        return ""
    path = folded[:dot]
    if ":" in path:  # type:.eq.T and other names that the linker makes
        return ""
    # The linker escapes dots in the last element (gopkg.in/yaml%2ev3) and a few other bytes.
    return _unescape(path) if "%" in path else path


def _unescape(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _signed(line: int) -> int:
    line &= 0xFFFFFFFFFFFFFFFF
    return line - (1 << 64) if line >> 63 else line


def _hash(content: bytes) -> int:
    return (int.from_bytes(sha256(content).digest()[:8], "big") & _LOW_63) or 1


@cache
def _words(count: int) -> Struct:
    return Struct(f"<{count}Q")


@cache
def _std_packages() -> frozenset[str]:
    listing = files("gotrace.tables").joinpath("go_std.txt").read_text(encoding="ascii")
    return frozenset(line for line in listing.splitlines() if not line.startswith("#"))
