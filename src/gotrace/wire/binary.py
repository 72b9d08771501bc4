"""A trace's bytes as header, batches and records, and back, byte for byte.

Records come as they stand in the file, one after another, structural ones included; this is the
view of Go's internal/trace/raw. `WireReader.batches` is the other view, of Go's reader: a flat list
of self-delimiting batches. Both stream and hold one record or one batch in memory.

The runtime reserves ten bytes for the size of every batch and fills them in later, so non-minimal
varints are the rule in real traces. A record remembers how many bytes more than needed each number
took, and what is read is written back identically.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from gotrace.errors import FormatError, TruncatedError, UnsupportedVersionError
from gotrace.spec.trace_events import (
    EVENT_BY_ID,
    EVENT_BY_NAME,
    HEADER_BYTES,
    HEADERS,
    HEADERS_V1,
    MAX_BATCH_BYTES,
    EventSpec,
    header,
)

CHUNK_BYTES: Final = 1 << 18
MAX_UINT64: Final = 2**64 - 1
RUNTIME_SIZE_BYTES: Final = 10
"""What the runtime reserves for the size of a batch."""

RAW_BYTES: Final = EventSpec(-1, "Bytes", has_data=True)
"""Not an event: bytes that are no record and are written as they are (tests, damaged traces)."""

_EVENT_BATCH: Final = EVENT_BY_NAME["EventBatch"]
_EXPERIMENTAL_BATCH: Final = EVENT_BY_NAME["ExperimentalBatch"]
_END_OF_GENERATION: Final = EVENT_BY_NAME["EndOfGeneration"]
_SPECS: Final = tuple(EVENT_BY_ID.get(event_id) for event_id in range(256))
_HEADER: Final = re.compile(rb"go 1\.(\d{1,3}) trace\0*", re.DOTALL)

Frame = tuple[int, int, int, int]


class Readable(Protocol):
    """A binary file."""

    def read(self, size: int = ..., /) -> bytes:
        """Return at most `size` bytes, none at the end."""


Source = bytes | bytearray | memoryview | Readable | Iterable[bytes]
"""Where bytes come from: bytes, a binary file, or chunks of any sizes."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: an event, or a piece of structure.

    `args` are all arguments in the order of the spec, `dt` included, as written. A Stack has
    `frames`; a String, an ExperimentalBatch and RAW_BYTES have `data`. `padding` counts for each
    number of the record (arguments, frames, length of data) the bytes beyond its shortest form; it
    is empty when there are none. `offset` is where the record began, -1 when it was not read.
    """

    spec: EventSpec
    args: tuple[int, ...] = ()
    frames: tuple[Frame, ...] = ()
    data: bytes | None = None
    padding: tuple[int, ...] = ()
    offset: int = field(default=-1, compare=False)

    def __getitem__(self, name: str) -> int:
        """Return the argument of that name."""
        return self.args[self.spec.args.index(name)]


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of a trace: its header's fields and its payload, not looked into.

    An EndOfGeneration is a batch without fields or payload. `experiment` is 0 in an EventBatch.
    """

    spec: EventSpec
    offset: int
    generation: int = 0
    thread: int = 0
    time: int = 0
    experiment: int = 0
    payload_offset: int = 0
    payload: bytes = b""

    @property
    def kind(self) -> EventSpec:
        """What the payload is, by its first byte as Go decides it.

        EventBatch: plain events. Strings, Stacks, CPUSamples, Frequency, Sync: that structure.
        """
        if self.spec is not _EVENT_BATCH or not self.payload:
            return self.spec
        first = _SPECS[self.payload[0]]
        if first is not None and first.name in _STRUCTURES:
            return first
        return self.spec

    def records(self) -> Iterator[Record]:
        """Decode the payload; an experimental one is opaque and has none.

        Raises:
            FormatError: at the first byte that is no record, or where the payload ends inside one.
        """
        if self.spec is not _EVENT_BATCH:
            return
        position, payload = 0, self.payload
        while position < len(payload):
            try:
                record, position = _decode(payload, position, self.payload_offset)
            except IndexError:
                raise FormatError(
                    "a record does not fit in its batch", offset=self.payload_offset + position
                ) from None
            yield record


_STRUCTURES: Final = frozenset({"Strings", "Stacks", "CPUSamples", "Frequency", "Sync"})


class WireReader:
    """Read a trace's bytes: iterate for records, `batches()` for batches; one of them, once.

    `minor` is the number in the header. An unknown one is refused unless `any_version`; a v1 header
    always is.
    """

    def __init__(self, source: Source, name: str | None = None, any_version: bool = False) -> None:
        self.name = name
        self._chunks = _chunks(source)
        self._buffer = b""
        self._position = 0
        self._base = 0
        self._fill(HEADER_BYTES)
        with _named(name):
            self.minor = parse_header(self._buffer[:HEADER_BYTES], any_version)
        self._position = HEADER_BYTES

    @property
    def offset(self) -> int:
        """Bytes read so far: where the next record begins."""
        return self._base + self._position

    def __iter__(self) -> Iterator[Record]:
        """Yield every record, as Go's raw reader: batches are records too, sizes are not believed.

        Raises:
            FormatError: at the first byte that is no record.
            TruncatedError: where the input ends inside one.
        """
        with _named(self.name):
            while self._position < len(self._buffer) or self._fill(1):
                try:
                    record, position = _decode(self._buffer, self._position, self._base)
                except IndexError:
                    # Ask for twice what was not enough: a long record is not decoded once a chunk.
                    have = len(self._buffer) - self._position
                    if not self._fill(2 * have):
                        raise _truncated(self._buffer, self._position, self._base) from None
                    continue
                self._position = position
                yield record

    def batches(self) -> Iterator[Batch]:
        """Yield every batch, as Go's reader frames them: sizes rule, payloads are skipped.

        Raises:
            FormatError: where no batch can begin, or at a header that is too large or overflows.
            TruncatedError: where the input ends inside one.
        """
        with _named(self.name):
            while self._position < len(self._buffer) or self._fill(1):
                try:
                    batch = _decode_batch(self._buffer, self._position, self._base)
                except IndexError:
                    have = len(self._buffer) - self._position
                    if not self._fill(have + MAX_BATCH_BYTES):
                        raise _truncated(self._buffer, self._position, self._base) from None
                    continue
                self._position += (
                    batch.payload_offset + len(batch.payload) - batch.offset
                    if batch.spec.args
                    else 1
                )
                yield batch

    def rest(self) -> Iterator[bytes]:
        """Yield the bytes that were not read as records: what is behind a fault."""
        if self._position < len(self._buffer):
            yield self._buffer[self._position :]
        self._base += len(self._buffer)
        self._buffer, self._position = b"", 0
        for chunk in self._chunks:
            self._base += len(chunk)
            yield chunk

    def _fill(self, want: int) -> bool:
        """Have at least `want` bytes ahead, or all that there are; False if nothing was added."""
        ahead = len(self._buffer) - self._position
        pieces = [self._buffer[self._position :]]
        start = ahead
        for chunk in self._chunks:
            pieces.append(chunk)
            ahead += len(chunk)
            if ahead >= want:
                break
        self._base += self._position
        self._buffer, self._position = b"".join(pieces), 0
        return ahead > start


def parse_header(data: bytes, any_version: bool = False) -> int:
    """Return the minor version of a trace's first 16 bytes.

    Go scans the header and lets odd spellings pass (`go 1. 26`); here it is compared as bytes.
    """
    match = _HEADER.fullmatch(data)
    if len(data) != HEADER_BYTES or match is None:
        raise FormatError("not a Go execution trace: its first 16 bytes say so", offset=0)
    minor = int(match[1])
    if minor in HEADERS_V1:
        raise UnsupportedVersionError(
            f"a trace of format v1, written by Go {' or '.join(HEADERS_V1[minor])}", offset=0
        )
    if header(minor) != data or not (any_version or minor in HEADERS):
        raise UnsupportedVersionError(f"unknown trace version go 1.{match[1].decode()}", offset=0)
    return minor


def uvarint(value: int, padding: int = 0) -> bytes:
    """Encode a number in base 128, with that many bytes more than it needs."""
    if not 0 <= value <= MAX_UINT64:
        raise ValueError(f"{value} is not a 64-bit unsigned number")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    if padding:
        if len(out) + padding > RUNTIME_SIZE_BYTES:
            raise ValueError("a varint has at most ten bytes")
        out[-1] |= 0x80
        out += b"\x80" * (padding - 1) + b"\0"
    return bytes(out)


def encode_record(record: Record) -> bytes:
    """Write one record as it was read, or minimally if it was not."""
    if record.spec is RAW_BYTES:
        return record.data or b""
    if len(record.args) != len(record.spec.args):
        raise ValueError(f"{record.spec.name} has {len(record.spec.args)} arguments")
    numbers = list(record.args)
    for frame in record.frames:
        numbers += frame
    if record.spec.has_data:
        numbers.append(len(record.data or b""))
    out = bytearray((record.spec.id,))
    if record.padding:
        for number, padding in zip(numbers, record.padding, strict=True):
            out += uvarint(number, padding)
    else:
        for number in numbers:
            if number < 0x80:
                out.append(number)
            else:
                out += uvarint(number)
    return bytes(out + record.data) if record.data else bytes(out)


def encode(minor: int, records: Iterable[Record]) -> Iterator[bytes]:
    """Write a header and records, in chunks."""
    yield header(minor)
    for record in records:
        yield encode_record(record)


def encode_batch(
    generation: int,
    thread: int,
    time: int,
    payload: bytes,
    *,
    experiment: int | None = None,
    padded: bool = True,
) -> bytes:
    """Write a batch around a payload; `padded` gives its size ten bytes, as the runtime does."""
    size = uvarint(len(payload))
    if padded:
        size = uvarint(len(payload), RUNTIME_SIZE_BYTES - len(size))
    spec = _EVENT_BATCH if experiment is None else _EXPERIMENTAL_BATCH
    start = bytes((spec.id,)) if experiment is None else bytes((spec.id, experiment))
    return b"".join((start, uvarint(generation), uvarint(thread), uvarint(time), size, payload))


def _decode(buffer: bytes, position: int, base: int) -> tuple[Record, int]:
    """Decode the record at `position`; IndexError where the buffer ends first."""
    start = position
    spec = _SPECS[buffer[position]]
    if spec is None:
        raise FormatError(f"no event has the number {buffer[position]}", offset=base + start)
    position += 1
    args, padding = [], []
    for _ in spec.args:
        byte = buffer[position]
        if byte < 0x80:  # most numbers, and worth not calling anything for
            position += 1
            args.append(byte)
            padding.append(0)
        else:
            position, value, extra = _uvarint(buffer, position, base)
            args.append(value)
            padding.append(extra)
    frames: list[Frame] = []
    if spec.is_stack:
        if args[1] > MAX_BATCH_BYTES // 4:
            raise FormatError(f"a stack of {args[1]} frames fits in no batch", offset=base + start)
        for _ in range(args[1]):
            frame = []
            for _ in range(4):
                position, value, extra = _uvarint(buffer, position, base)
                frame.append(value)
                padding.append(extra)
            frames.append((frame[0], frame[1], frame[2], frame[3]))
    data = None
    if spec.has_data:
        position, length, extra = _uvarint(buffer, position, base)
        padding.append(extra)
        if length > MAX_BATCH_BYTES:
            raise FormatError(f"{length} bytes of data fit in no batch", offset=base + start)
        data = buffer[position : position + length]
        position += length
        if len(data) < length:
            raise IndexError
    widths = tuple(padding) if any(padding) else ()
    return Record(spec, tuple(args), tuple(frames), data, widths, base + start), position


def _decode_batch(buffer: bytes, position: int, base: int) -> Batch:
    """Decode the batch at `position`; IndexError where the buffer ends first."""
    start = position
    spec = _SPECS[buffer[position]]
    position += 1
    if spec is _END_OF_GENERATION:
        return Batch(spec, base + start)
    experiment = 0
    if spec is _EXPERIMENTAL_BATCH:  # one byte for the reader, a varint for the raw tool
        experiment = buffer[position]
        position += 1
    elif spec is not _EVENT_BATCH:
        raise FormatError(
            f"no batch begins with the byte {buffer[start]}; one was expected", offset=base + start
        )
    position, generation, _ = _uvarint(buffer, position, base)
    position, thread, _ = _uvarint(buffer, position, base)
    position, time, _ = _uvarint(buffer, position, base)
    position, size, _ = _uvarint(buffer, position, base)
    if size > MAX_BATCH_BYTES:
        raise FormatError(
            f"a batch of {size} bytes; {MAX_BATCH_BYTES} are the most", offset=base + start
        )
    payload = buffer[position : position + size]
    if len(payload) < size:
        raise IndexError
    return Batch(spec, base + start, generation, thread, time, experiment, base + position, payload)


def _uvarint(buffer: bytes, position: int, base: int) -> tuple[int, int, int]:
    """Decode a number: the position behind it, its value, its padding."""
    start = position
    value = shift = 0
    while True:
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 63:
            raise FormatError("a number of more than ten bytes", offset=base + start)
    if value > MAX_UINT64:
        raise FormatError("a number of more than 64 bits", offset=base + start)
    return position, value, position - start - max(1, (value.bit_length() + 6) // 7)


def _truncated(buffer: bytes, position: int, base: int) -> TruncatedError:
    spec = _SPECS[buffer[position]]
    what = spec.name if spec is not None else "record"
    return TruncatedError(f"the input ends inside this {what}", offset=base + position)


def _chunks(source: Source) -> Iterator[bytes]:
    if isinstance(source, bytes | bytearray | memoryview):
        view = memoryview(source)
        for start in range(0, len(view), CHUNK_BYTES):
            yield bytes(view[start : start + CHUNK_BYTES])
    elif isinstance(source, Iterable) and not hasattr(source, "read"):
        yield from source
    else:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk


class _named:  # noqa: N801 - reads as a statement
    """Put the source's name into the errors that pass."""

    def __init__(self, name: str | None) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, FormatError) and error.source is None:
            error.source = self._name
