"""The text form of a trace, as Go's internal/trace/raw reads and writes it.

    Trace Go1.26
    # Comments and blank lines are skipped.
    EventBatch gen=1 m=100 time=5 size=0000000004
    ProcStatus dt=1 p=0 pstatus=1
    String id=1
        data="main.main"
    Stack id=1 nframes=1
        pc=1 func=1 file=2 line=3

All arguments of the spec, in its order, unsigned decimal. Some things are ours. The first two mean
nothing to Go, whose tool reads them all the same; the others it refuses:

- A leading zero of a number is a byte of padding of its varint, so that a trace of the runtime
  comes back from its text as it was; Go's tool writes it minimally.
- The padding of a length that the text does not show stands in a comment above the data,
  `# len=00014`.
- A comment may stand behind an event.
- `Bytes` with `data=` below it stands for bytes that are no record.

Every event is known under every header, as in Go's trace reader, where Go's raw tool knows for each
header only what its Go version wrote. A size is written as given; it may lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from gotrace.errors import FormatError, UnsupportedVersionError
from gotrace.spec.trace_events import (
    EVENT_BY_NAME,
    FRAME_ARGS,
    HEADERS,
    MAX_BATCH_BYTES,
    EventSpec,
)
from gotrace.wire.binary import (
    MAX_UINT64,
    RAW_BYTES,
    RUNTIME_SIZE_BYTES,
    Frame,
    Readable,
    Record,
    Source,
    WireReader,
    encode,
)
from gotrace.wire.quoting import quote, unquote

# What Go's unicode.IsSpace holds; str.split would take the separators 1c to 1f as well.
_SPACES: Final = "\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_TOKEN: Final = re.compile(f"[{_SPACES}]*([^{_SPACES}#]*)")
_REST: Final = re.compile(f"[{_SPACES}]*")
_NUMBER: Final = re.compile("[0-9]+")
_DATA: Final = re.compile(f"[{_SPACES}]*data[{_SPACES}]*=(.*)", re.DOTALL)
_DATA_PADDING: Final = re.compile(f"[{_SPACES}]*# len=(0+)[0-9]+")
_SPECS: Final = {**EVENT_BY_NAME, RAW_BYTES.name: RAW_BYTES}

Text = str | bytes | Readable | Iterable[bytes] | Iterable[str]
"""Where text comes from: all of it, a binary file, or chunks of any sizes."""


class WireTextError(FormatError):
    """A line that is not what the text form asks for; `line` is its number, from 1."""

    def __init__(self, reason: str, line: int, source: str | None = None) -> None:
        super().__init__(reason, source=source)
        self.line = line

    def __str__(self) -> str:
        """Name the line where FormatError has the offset."""
        return f"{self.source + ': ' if self.source else ''}line {self.line}: {self.reason}"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the line."""
        return (type(self), (self.reason, self.line, self.source))


class TextReader:
    """Read the text form: iterate for records, once.

    `minor` is the number in the first line; one that no Go version writes is refused unless
    `any_version`.

    Raises:
        WireTextError: at the first line that is not as it should be.
    """

    def __init__(self, source: Text, name: str | None = None, any_version: bool = False) -> None:
        self.name = name
        self.line = 0
        self._skipped = ""
        self._lines = _lines(source)
        self.minor = self._header(any_version)

    def __iter__(self) -> Iterator[Record]:
        """Yield the record of every line, or lines."""
        while (line := self._next()) is not None:
            yield self._record(line)

    def _header(self, any_version: bool) -> int:
        line = self._next()
        if line is None:
            raise self._error("an empty text; a trace begins with `Trace Go1.NN`")
        word, position = _token(line, 0)
        version, position = _token(line, position)
        minor = version.removeprefix("Go1.")
        if word != "Trace" or version == minor or not _NUMBER.fullmatch(minor):
            raise self._error("a trace begins with `Trace Go1.NN`")
        self._expect_end(line, position)
        if int(minor) not in HEADERS and not any_version:
            raise self._error(f"no trace of format v2 has the version Go1.{minor}")
        return int(minor)

    def _record(self, line: str) -> Record:
        name, position = _token(line, 0)
        spec = _SPECS.get(name)
        if spec is None:
            raise self._error(f"no event has the name {name!r}")
        args, padding = self._args(line, position, spec.args)
        frames: list[Frame] = []
        if spec.is_stack:
            if args[1] > MAX_BATCH_BYTES // 4:
                raise self._error(f"a stack of {args[1]} frames fits in no batch")
            for _ in range(args[1]):
                frame, extra = self._args(self._more(spec), 0, FRAME_ARGS)
                frames.append((frame[0], frame[1], frame[2], frame[3]))
                padding += extra
        data = None
        if spec.has_data:
            data = self._data(self._more(spec))
            if spec is not RAW_BYTES:
                zeros = _DATA_PADDING.match(self._skipped)
                padding.append(_padding(len(zeros[1]), len(data)) if zeros else 0)
        widths = tuple(padding) if any(padding) else ()
        return Record(spec, tuple(args), tuple(frames), data, widths)

    def _args(
        self, line: str, position: int, names: tuple[str, ...]
    ) -> tuple[list[int], list[int]]:
        args, padding = [], []
        for name in names:
            token, position = _token(line, position)
            if not token:
                raise self._error(f"the argument {name!r} is missing")
            found, equals, digits = token.partition("=")
            if not equals or not _NUMBER.fullmatch(digits):
                raise self._error(f"not an argument: {token!r}")
            if found != name:
                raise self._error(f"the argument {found!r} where {name!r} was expected")
            value = int(digits)
            if value > MAX_UINT64:
                raise self._error(f"{name} has more than 64 bits")
            args.append(value)
            padding.append(_padding(len(digits) - len(str(value)), value))
        self._expect_end(line, position)
        return args, padding

    def _data(self, line: str) -> bytes:
        match = _DATA.fullmatch(line)
        if match is None:
            raise self._error('`data="..."` was expected')
        try:
            return unquote(match[1].strip("\t\n\v\f\r \u0085\u00a0"))
        except ValueError as error:
            raise self._error(f"data: {error}") from None

    def _expect_end(self, line: str, position: int) -> None:
        position = _REST.match(line, position).end()  # type: ignore[union-attr]
        if position < len(line) and line[position] != "#":
            raise self._error(f"more than was expected: {line[position:]!r}")

    def _more(self, spec: EventSpec) -> str:
        line = self._next()
        if line is None:
            raise self._error(f"the text ends inside this {spec.name}")
        return line

    def _next(self) -> str | None:
        """Return the next line that is neither blank nor a comment."""
        self._skipped = ""
        for line in self._lines:
            self.line += 1
            if _token(line, 0)[0]:
                return line
            self._skipped = line
        return None

    def _error(self, reason: str) -> WireTextError:
        return WireTextError(reason, self.line, self.name)


def text_to_bytes(
    source: Text, name: str | None = None, any_version: bool = False
) -> Iterator[bytes]:
    """Write the binary form of a text, in chunks."""
    reader = TextReader(source, name, any_version)
    return encode(reader.minor, reader)


def bytes_to_text(
    source: Source, name: str | None = None, on_error: str = "fail", any_version: bool = False
) -> Iterator[str]:
    """Write the text of a trace, a record at a time.

    With `on_error="salvage"` what follows the first fault becomes `Bytes` under a comment that
    names it, and the text still stands for the whole file.

    Raises:
        FormatError: at the first byte that is no record, if `on_error` is "fail".
    """
    reader = WireReader(source, name, any_version)
    yield f"Trace Go1.{reader.minor}\n"
    try:
        for record in reader:
            yield text_line(record) + "\n"
    except UnsupportedVersionError:
        raise
    except FormatError as error:
        if on_error == "fail":
            raise
        yield f"# {error}\n"
        for chunk in reader.rest():
            for start in range(0, len(chunk), MAX_BATCH_BYTES // 16):
                piece = bytes(chunk[start : start + MAX_BATCH_BYTES // 16])
                yield text_line(Record(RAW_BYTES, data=piece)) + "\n"


def text_line(record: Record) -> str:
    """Write a record as Go's tool does, without the newline: one line, or one and those below it.

    Go's tool forgets the data of an empty string on the way from bytes to text, and cannot read its
    own text then; here `data=""` is written.
    """
    names = list(record.spec.args)
    values = list(record.args)
    padding = record.padding or (0,) * (len(values) + 4 * len(record.frames) + 1)
    words = [
        f"{name}={'0' * zeros}{value}"
        for name, value, zeros in zip(names, values, padding[: len(names)], strict=True)
    ]
    lines = [" ".join([record.spec.name, *words])]
    position = len(names)
    for frame in record.frames:
        zeros_of_frame = padding[position : position + 4]
        position += 4
        fields = zip(FRAME_ARGS, frame, zeros_of_frame, strict=True)
        lines.append("\t" + " ".join(f"{name}={'0' * z}{value}" for name, value, z in fields))
    if record.spec.has_data:
        data = record.data or b""
        if record.spec is not RAW_BYTES and padding[-1] and record.padding:
            lines.append(f"\t# len={'0' * padding[-1]}{len(data)}")
        lines.append(f"\tdata={quote(data)}")
    return "\n".join(lines)


def _padding(zeros: int, value: int) -> int:
    """Return the bytes that zeros stand for: no more than fit, for Go reads any number of them."""
    return min(zeros, RUNTIME_SIZE_BYTES - max(1, (value.bit_length() + 6) // 7))


def _token(line: str, position: int) -> tuple[str, int]:
    """Return the next word and the position behind it; empty at the end or before a comment."""
    match = _TOKEN.match(line, position)
    assert match is not None
    return match[1], match.end()


def _lines(source: Text) -> Iterator[str]:
    """Split at newlines alone, as Go's line scanner: a carriage return before one goes with it."""
    pending = ""
    for chunk in _text_chunks(source):
        *whole, pending = (pending + chunk).split("\n")
        for line in whole:
            yield line.removesuffix("\r")
    if pending:
        yield pending.removesuffix("\r")


def _text_chunks(source: Text) -> Iterator[str]:
    """Decode without losing a byte: one that is not UTF-8 only matters inside of quotes."""
    if isinstance(source, str):
        yield source
        return
    import codecs

    from gotrace.wire.binary import _chunks

    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for chunk in _chunks(source):  # type: ignore[arg-type]
        yield chunk if isinstance(chunk, str) else decoder.decode(chunk)
    yield decoder.decode(b"", final=True)
