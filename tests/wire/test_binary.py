"""Bytes to records and batches, and back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gotrace.errors import FormatError, TruncatedError, UnsupportedVersionError
from gotrace.spec.trace_events import EVENT_BY_NAME, EVENTS, HEADERS, HEADERS_V1, NONE, header
from gotrace.wire import Record, WireReader, encode, encode_batch, encode_record, uvarint
from gotrace.wire.binary import MAX_UINT64

REAL = sorted((Path(__file__).parents[1] / "data/real").glob("*.trace.zst"))

numbers = st.one_of(
    st.integers(0, 127), st.integers(0, 2**21), st.integers(0, MAX_UINT64), st.just(MAX_UINT64)
)


@st.composite
def records(draw: Callable[[st.SearchStrategy], object]) -> Record:
    spec = draw(st.sampled_from(EVENTS))
    args = [draw(numbers) for _ in spec.args]
    frames: tuple[tuple[int, int, int, int], ...] = ()
    data = None
    if spec.is_stack:
        frames = tuple(draw(st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=5)))
        args[1] = len(frames)
    if spec.has_data:
        data = draw(st.binary(max_size=300))
    written = [*args, *(n for frame in frames for n in frame)]
    if data is not None:
        written.append(len(data))
    padding = [draw(st.integers(0, 10 - len(uvarint(n)))) for n in written]
    widths = tuple(padding) if any(padding) and draw(st.booleans()) else ()
    return Record(spec, tuple(args), frames, data, widths)


traces = st.tuples(st.sampled_from(sorted(HEADERS)), st.lists(records(), max_size=12))


@given(traces)
def test_records_come_back(trace: tuple[int, list[Record]]) -> None:
    minor, written = trace
    data = b"".join(encode(minor, written))
    reader = WireReader(data)
    assert reader.minor == minor
    assert list(reader) == written
    assert reader.offset == len(data)


@given(traces, st.lists(st.integers(1, 40), max_size=30))
def test_chunks_do_not_matter(trace: tuple[int, list[Record]], sizes: list[int]) -> None:
    data = b"".join(encode(*trace))
    chunks, position = [], 0
    for size in sizes:
        chunks.append(data[position : position + size])
        position += size
    chunks.append(data[position:])
    assert list(WireReader(chunks)) == list(WireReader(data))


@given(st.sampled_from(sorted(HEADERS)), st.binary(max_size=200))
def test_any_bytes_are_records_or_a_fault(minor: int, body: bytes) -> None:
    data = header(minor) + body
    reader = WireReader(data)
    read: list[Record] = []
    offset = len(data)
    try:
        read.extend(reader)
    except FormatError as error:
        offset = error.offset or 0
    assert reader.offset <= offset <= len(data)
    assert b"".join(encode(minor, read)) + b"".join(reader.rest()) == data


@given(numbers)
def test_uvarint_takes_what_it_needs(number: int) -> None:
    shortest = uvarint(number)
    assert len(shortest) == max(1, -(-number.bit_length() // 7))
    for padding in range(10 - len(shortest) + 1):
        assert len(uvarint(number, padding)) == len(shortest) + padding


def test_uvarint_refuses_what_is_not_64_bits() -> None:
    for number in (-1, MAX_UINT64 + 1):
        with pytest.raises(ValueError, match="64-bit"):
            uvarint(number)
    with pytest.raises(ValueError, match="ten bytes"):
        uvarint(1, 10)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_traces_come_back_byte_for_byte(path: Path) -> None:
    data = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    reader = WireReader(io.BytesIO(data))
    assert b"".join(encode(reader.minor, reader)) == data
    batches = list(WireReader(data).batches())
    in_batches = sum(1 for batch in batches for _ in batch.records())
    assert in_batches + len(batches) == sum(1 for _ in WireReader(data))


# --- batches ----------------------------------------------------------------------------------


def test_batches_have_offsets_and_kinds() -> None:
    strings = encode_record(Record(EVENT_BY_NAME["Strings"])) + encode_record(
        Record(EVENT_BY_NAME["String"], (1,), data=b"x")
    )
    parts = [
        header(26),
        encode_batch(1, 7, 5, b"\x0b\x01"),
        encode_batch(1, NONE, 9, strings, padded=False),
        encode_batch(1, 7, 5, b"opaque", experiment=1),
        encode_batch(1, 7, 6, b""),
        b"\x34",
    ]
    plain, table, opaque, empty, end = WireReader(parts).batches()
    assert plain.kind.name == "EventBatch"
    assert (plain.offset, plain.generation, plain.thread, plain.time) == (16, 1, 7, 5)
    assert plain.payload == b"\x0b\x01"
    assert [r.spec.name for r in plain.records()] == ["ProcStop"]
    assert next(plain.records()).offset == plain.payload_offset == 16 + 14
    assert table.kind.name == "Strings"
    assert table.thread == NONE
    assert [r.data for r in table.records()] == [None, b"x"]
    assert (opaque.kind.name, opaque.experiment, opaque.payload) == (
        "ExperimentalBatch",
        1,
        b"opaque",
    )
    assert list(opaque.records()) == []
    assert (empty.kind.name, empty.payload) == ("EventBatch", b"")
    assert end.kind.name == "EndOfGeneration"
    assert end.offset == sum(map(len, parts)) - 1


def test_a_size_rules_over_what_is_in_the_batch() -> None:
    lying = encode_batch(1, 7, 5, b"\x10\x01")  # a GoStart without its arguments
    (batch,) = WireReader([header(26), lying]).batches()
    with pytest.raises(FormatError, match="does not fit in its batch") as error:
        list(batch.records())
    assert error.value.offset == batch.payload_offset


@pytest.mark.parametrize(
    ("body", "kind", "offset", "reason"),
    [
        (b"g", FormatError, 16, "no batch begins with the byte 103"),
        (b"\x01\x01\x01", TruncatedError, 16, "inside this EventBatch"),
        (b"\x01\x01\x01\x01\x05abc", TruncatedError, 16, "inside this EventBatch"),
        (b"\x01\x01\x01\x01" + uvarint(65537), FormatError, 16, "65537 bytes"),
        (b"\x01" + b"\xff" * 10 + b"\x01", FormatError, 17, "more than ten bytes"),
        (b"\x01" + b"\xff" * 9 + b"\x02", FormatError, 17, "more than 64 bits"),
        (b"\x31", TruncatedError, 16, "inside this ExperimentalBatch"),
    ],
)
def test_batch_faults(body: bytes, kind: type[FormatError], offset: int, reason: str) -> None:
    with pytest.raises(kind, match=reason) as error:
        list(WireReader(header(26) + body, "x.trace").batches())
    assert error.value.offset == offset
    assert error.value.source == "x.trace"


# --- records and headers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"\0", FormatError, "no event has the number 0"),
        (b"\x35", FormatError, "no event has the number 53"),
        (b"\x10\x01", TruncatedError, "inside this GoStart"),
        (b"\x03\x01" + uvarint(10**6), FormatError, "1000000 frames"),
        (b"\x05\x01" + uvarint(10**6), FormatError, "1000000 bytes"),
        (b"\x05\x01\x04abc", TruncatedError, "inside this String"),
    ],
)
def test_record_faults(body: bytes, kind: type[FormatError], reason: str) -> None:
    with pytest.raises(kind, match=reason) as error:
        list(WireReader(header(26) + b"\x0b\x01" + body))
    assert error.value.offset == 18


@pytest.mark.parametrize("data", [b"", b"go 1.26", b"go 1. 26 trace\0\0", b"\x7fELF" * 4])
def test_not_a_trace(data: bytes) -> None:
    with pytest.raises(FormatError, match="not a Go execution trace"):
        WireReader(data)


@pytest.mark.parametrize("minor", [24, 27, 99, 100])
def test_unknown_versions(minor: int) -> None:
    with pytest.raises(UnsupportedVersionError, match=f"1.{minor}"):
        WireReader(header(minor))
    assert WireReader(header(minor), any_version=True).minor == minor


@pytest.mark.parametrize("minor", HEADERS_V1)
def test_old_versions_are_named(minor: int) -> None:
    with pytest.raises(UnsupportedVersionError, match=rf"v1.*{HEADERS_V1[minor][0]}"):
        WireReader(header(minor), any_version=True)


def test_a_zero_padded_version_is_no_version() -> None:
    with pytest.raises(UnsupportedVersionError):
        WireReader(b"go 1.026 trace\0\0")


def test_memory_is_flat_over_a_long_trace() -> None:
    """The reader takes no chunk before it needs it, and lets go of those behind."""
    taken = 0
    batch = encode_batch(1, 7, 5, b"\x0b\x01" * 1000)

    def chunks():
        nonlocal taken
        yield header(26)
        for _ in range(50):
            taken += 1
            yield batch

    reader = WireReader(chunks())
    for seen, _ in enumerate(reader.batches(), 1):
        assert taken <= seen + 66  # it may look ahead by one largest batch
    records = WireReader(chunks())
    taken = 0
    for seen, _ in enumerate(records):
        assert taken <= seen // 1001 + 2
