"""Damage of every kind: a typed error under `fail`, what is whole and notes under `salvage`."""

import io
import random

import pytest
import zstandard

import gotrace
from gotrace.errors import FormatError, GotraceError, LimitError

NAMES = {
    22: "annotations-go1.22",
    23: "annotations-go1.24",
    25: "restart-go1.25",
    26: "annotations-go1.27",
}
HEADERS = pytest.mark.parametrize("minor", NAMES)


@pytest.fixture(scope="module")
def data(real):
    def load(name):
        with zstandard.open(real(name), "rb") as file:
            return file.read()

    traces = {minor: load(name) for minor, name in NAMES.items()}
    traces["many"] = load("annotations-generations-go1.26")
    return traces


def uvarint(raw, at):
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def boundaries(raw):
    """Where the batches of a trace begin, and its end."""
    at = 16
    while at < len(raw):
        yield at
        kind = raw[at]
        at += 1
        if kind == 0x34:
            continue
        at += kind == 0x31
        for _ in range(4):
            size, at = uvarint(raw, at)
        at += size
    yield at


def check(raw):
    """Read a trace both ways; return the error of `fail` and the salvaged trace's event rows."""
    strict = gotrace.open(raw)
    fault = None
    try:
        for _ in strict.scan("all"):
            pass
    except FormatError as error:
        fault = error
    except LimitError:
        return None, None
    if fault is not None:
        assert fault.reason
        assert fault.offset is None or 0 <= fault.offset <= len(raw)
    lenient = gotrace.open(raw, on_error="salvage")
    seq, time = 0, 0
    for name, batch in lenient.scan("all"):
        batch.validate(full=True)
        if name == "events":
            numbers, times = batch["seq"].to_pylist(), batch["time_ns"].to_pylist()
            assert numbers == list(range(seq, seq + len(numbers)))
            assert all(a < b for a, b in zip([time, *times], times, strict=False))
            seq, time = seq + len(numbers), times[-1]
    errors = [note["text"] for note in lenient.notes if note["severity"] == "error"]
    if fault is None:  # tables without events are a clean end to Go; who salvages is told of them
        assert all(text.startswith("the trace ends inside generation") for text in errors)
    else:
        assert lenient.notes
    return fault, seq


@HEADERS
def test_cut_at_every_batch(data, minor):
    raw = data[minor]
    *cuts, end = boundaries(raw)
    assert end == len(raw)
    for cut in cuts:
        check(raw[:cut])


@HEADERS
def test_cut_at_any_byte(data, minor):
    raw, rng = data[minor], random.Random(minor)
    for cut in [*range(17, 120), *(rng.randrange(17, len(raw)) for _ in range(400))]:
        fault, rows = check(raw[:cut])
        # Go's reader takes a file that ends before the first event for an empty one; so do we.
        assert minor < 26 or fault is not None or rows <= 2


@HEADERS
def test_flipped_bits(data, minor):
    raw, rng = data[minor], random.Random(minor)
    for _ in range(500):
        damaged = bytearray(raw)
        for _ in range(rng.choice([1, 1, 1, 4])):
            damaged[rng.randrange(16, len(raw))] ^= 1 << rng.randrange(8)
        check(bytes(damaged))


@HEADERS
def test_bytes_missing_or_twice(data, minor):
    raw, rng = data[minor], random.Random(minor)
    for _ in range(150):
        at, length = rng.randrange(16, len(raw)), rng.randrange(1, 300)
        check(raw[:at] + raw[at + length :])
        check(raw[: at + length] + raw[at:])


@HEADERS
def test_sizes_that_lie(data, minor):
    """A batch that says it has 50 GB, tables that say they have as many entries."""
    raw = data[minor]
    huge = b"\x80\xf0\xa4\xb4\xba\x01"
    for at in list(boundaries(raw))[:20]:
        check(raw[:at] + b"\x01\x01\x00\x00" + huge + raw[at:])
        check(raw[:at] + b"\x01\x01\x00\x00\x0c\x04\x05\x01" + huge + b"abc")
        check(raw[:at] + b"\x01\x01\x00\x00\x0c\x02\x03\x01" + huge + b"abc")


@HEADERS
def test_two_traces_in_one_file(data, minor):
    fault, rows = check(data[minor] + data[minor])
    assert fault is not None
    alone = gotrace.open(data[minor]).table("events").num_rows
    assert rows >= alone - 1


def test_a_damaged_generation_costs_that_generation(data, tmp_path):
    raw = data["many"]
    whole = gotrace.open(raw)
    generations = whole.table("generations").to_pylist()
    second = generations[1]
    damaged = bytearray(raw)
    damaged[second["offset"]] = 0xFF
    with pytest.raises(FormatError):
        gotrace.open(bytes(damaged)).table("events")
    salvaged = gotrace.open(bytes(damaged), on_error="salvage")
    kept = {row["number"]: row["events"] for row in salvaged.table("generations").to_pylist()}
    assert second["number"] not in kept
    for row in (generations[0], generations[-1]):
        assert kept[row["number"]] == row["events"]
    assert sum(note["lost_bytes"] or 0 for note in salvaged.notes) == second["bytes"]


@HEADERS
def test_all_bytes_behind_the_last_whole_generation_are_lost(data, minor):
    """A trace that is cut off inside a batch: that batch counts too."""
    raw = data[minor]
    for cut in (len(raw) - 3, len(raw) // 2, 40):
        salvaged = gotrace.open(raw[:cut], on_error="salvage")
        rows = salvaged.table("generations").to_pylist()
        lost = sum(note["lost_bytes"] or 0 for note in salvaged.notes)
        # Of a generation whose order ends early some bytes are kept and the others lost.
        whole = sum(row["bytes"] for row in rows if row["complete"] is not False)
        assert whole + lost <= cut - 16 <= sum(row["bytes"] for row in rows) + lost


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"go 1.2",
        b"go 1.26 trace\0\0\0\xff",
        b"\0" * 5000,
        b"\x1f\x8b\x08",
        b"PK\x03\x04",
        b"x",
    ],
)
@pytest.mark.parametrize("on_error", ["fail", "salvage"])
def test_what_is_no_trace_is_never_rows(raw, on_error):
    try:
        trace = gotrace.open(io.BytesIO(raw), on_error=on_error)
        rows = trace.table("events").num_rows
    except GotraceError:
        return
    assert on_error == "salvage"
    assert rows <= 2
    assert trace.notes
