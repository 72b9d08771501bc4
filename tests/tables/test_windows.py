"""A window decodes its own generations alone, and gives the rows that a full decode gives."""

from __future__ import annotations

import gzip
import io

import pyarrow as pa
import pytest
import zstandard

import gotrace
from gotrace.sources.local import MemorySource

NAMES = (
    "annotations-generations-go1.23",
    "gc-generations-go1.25",
    "cgo-generations-go1.26",
    "coro-generations-go1.27",
)
UNKNOWN_AT_A_START = {
    # What a status says again is new to who starts with it, and nobody's context is known yet.
    "state_transition": {"time_ns", "thread", "proc", "goroutine", "from_state", "to_state"},
    "task_end": {"time_ns", "name", "parent_task"},
}


class Counted(MemorySource):
    """Bytes that know how much of them was read, and how."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[int] = []

    def read_at(self):
        inner = super().read_at()
        reads = self.reads

        class Counting:
            def __enter__(self):
                read = inner.__enter__()

                def counted(offset, buffer):
                    count = read(offset, buffer)
                    reads.append(count)
                    return count

                return counted

            def __exit__(self, *error):
                return inner.__exit__(*error)

        return Counting()


@pytest.fixture(scope="module", params=NAMES)
def data(request, real):
    packed = real(request.param).read_bytes()
    return zstandard.ZstdDecompressor().decompressobj().decompress(packed)


def test_every_generation_gives_the_rows_of_the_full_decode(data):
    trace = gotrace.open(data)
    full = trace.table("events").to_pylist()
    rows = trace.table("generations").to_pylist()
    for generation in rows[:: max(1, len(rows) // 12)]:
        first, last = generation["first_seq"], generation["last_seq"]
        expected = full[first : last + 1]
        alone = trace.table("events", generations=[generation["number"]]).to_pylist()
        assert len(alone) == len(expected)
        skipped = generation is not rows[0]
        assert alone[0]["seq"] == (0 if skipped else first)
        for ours, theirs in zip(alone, expected, strict=True):
            assert ours["kind"] == theirs["kind"]
            differing = {key for key in ours if ours[key] != theirs[key]} - {"seq"}
            assert differing <= UNKNOWN_AT_A_START.get(ours["kind"], {"time_ns"})
            if "time_ns" in differing:  # the generation before has pushed the clock
                assert ours["time_ns"] < theirs["time_ns"] == expected[0]["time_ns"] or (
                    theirs["time_ns"] - expected[0]["time_ns"] < 1_000_000
                )


def test_a_stretch_of_time_is_cut_from_few_generations(data):
    trace = gotrace.open(data)
    whole = trace.table("events", ["time_ns", "kind", "stack_id"])
    index = trace.generations()
    middle = index[len(index) // 2]
    start, end = middle.start_ns + 1_000_000, middle.start_ns + 3_000_000
    expected = [row for row in whole.to_pylist() if start <= row["time_ns"] < end]
    got = trace.table("events", ["time_ns", "kind", "stack_id"], start=start, end=end)
    assert got.to_pylist() == expected
    offset = start - index[0].start_ns
    relative = f"+{offset}ns"
    named = trace.table("events", ["time_ns"], start=relative, end=end)
    assert named.num_rows == len(expected)
    skipped = any(note["code"] == "window" for note in trace.notes)
    assert skipped == (index[-1].start_ns >= end or start > index[1].start_ns + 100_000_000)


def test_only_the_window_is_read(data):
    source = Counted(data)
    trace = gotrace.open(source)
    wanted = max(trace.generations(), key=lambda generation: generation.bytes)
    source.reads.clear()
    trace.table("events", generations=[wanted.number])
    batches = sum(generation.batches for generation in trace.generations())
    assert sum(source.reads) <= wanted.bytes + 16 + 2 * 4096 * (batches + 1)
    (note,) = (note for note in trace.notes if note["code"] == "window")
    assert note["severity"] == "info"
    assert note["offset"] == wanted.offset


class Pipe(io.RawIOBase):
    """Bytes that come once."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        return self._inner.readinto(buffer)


def test_an_open_file_has_windows_too(data, tmp_path):
    path = tmp_path / "a.trace"
    path.write_bytes(data)
    trace = gotrace.open(path)
    number = trace.generations()[1].number
    expected = trace.table("events", generations=[number])
    notes = trace.notes
    assert [note["code"] for note in notes] == ["window"]
    with path.open("rb") as file:
        for given in (io.BytesIO(data), file):
            other = gotrace.open(given)
            assert other.table("events", generations=[number]).equals(expected)
            assert [note["offset"] for note in other.notes] == [notes[0]["offset"]]


def test_streams_and_compressed_traces_are_decoded_from_the_start(data):
    whole = gotrace.open(data)
    generation = whole.table("generations").to_pylist()[1]
    rows = generation["last_seq"] + 1 - generation["first_seq"]
    expected = whole.table("events").slice(generation["first_seq"], rows).combine_chunks()
    for given in (Pipe(data), zstandard.compress(data), gzip.compress(data)):
        trace = gotrace.open(given)
        got = trace.table("events", generations=[generation["number"]]).combine_chunks()
        assert got.to_pylist() == expected.to_pylist()
        assert not any(note["code"] == "window" for note in trace.notes)


def test_of_everything_nothing_is_left_out(data):
    for wishes in ({"start": "+0s"}, {"end": "+1h"}, {"start": "+0s", "end": "+1h"}):
        for given in (data, zstandard.compress(data)):
            trace = gotrace.open(given)
            whole = trace.table("events", ["seq"], **wishes)
            assert whole.num_rows == trace.table("events", ["seq"]).num_rows
            assert not any(note["code"] == "window" for note in trace.notes)


def test_an_empty_window_costs_one_generation(data):
    trace = gotrace.open(data)
    first = trace.generations()[0].start_ns
    assert trace.table("events", ["seq"], end=first - 10**9).num_rows == 0
    assert trace.table("events", ["seq"], start="+1h").num_rows == 0
    assert [note["code"] for note in trace.notes] == ["window"]


def test_all_tables_of_a_scan_are_cut(data):
    trace = gotrace.open(data)
    number = trace.generations()[-1].number
    found: dict[str, int] = {}
    tables = ["events", "generations", "stacks", "goroutine_transitions"]
    for name, batch in trace.scan(tables, generations=[number], kinds=["state_transition"]):
        found[name] = found.get(name, 0) + batch.num_rows
    row = trace.table("generations").to_pylist()[-1]
    assert found["generations"] == 1
    assert 0 < found["events"] < row["events"]
    assert found["stacks"] <= trace.table("stacks", ["depth"]).num_rows
    assert found["goroutine_transitions"] > 0


def test_damage_before_the_window_is_found_by_the_whole_pass(data):
    index = gotrace.open(data).generations()
    broken = bytearray(data)
    broken[index[0].offset] = 0xEE
    number = index[-1].number
    with pytest.raises(gotrace.FormatError):
        gotrace.open(bytes(broken)).table("events", generations=[number])
    rescued = gotrace.open(bytes(broken), on_error="salvage")
    assert rescued.table("events", generations=[number]).num_rows > 0


def test_a_table_is_its_own_clock(data):
    trace = gotrace.open(io.BytesIO(data))
    late = trace.table("syncs", ["time_ns"], start="+1ns")
    assert isinstance(late, pa.Table)
    assert late.num_rows == trace.table("syncs").num_rows - 1
