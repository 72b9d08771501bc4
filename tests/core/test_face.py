"""The face of the core: columns, wrong names, batches, cancelling, threads, memory."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import threading

import pyarrow as pa
import pytest

from gotrace._core import TraceDecoder
from gotrace.tables.columns import DICTIONARIES
from gotrace.tables.schema import schema
from tests.core.decoding import TABLES, decode, decoder, drive, real

SMALL = "restart-go1.27"


@pytest.mark.parametrize("table", TABLES)
def test_a_projection_has_the_columns_asked_for_and_their_values(table: str) -> None:
    data = real("annotations-go1.27") + b""
    whole = decode(data, [table]).table(table)
    names = schema(table).names
    for wanted in (names[::2], names[::-1], names[-1:]):
        projection = schema(table, wanted)
        core = TraceDecoder({table: projection}, DICTIONARIES)
        batches = [batch for _, batch in drive(core, data, 1 << 20)]
        got = pa.Table.from_batches(batches, projection).unify_dictionaries()
        assert got.schema.names == projection.names
        assert got.equals(whole.select(projection.names)), wanted


def test_a_column_that_the_core_does_not_fill_raises() -> None:
    wrong = pa.schema([pa.field("seq", pa.int64()), pa.field("colour", pa.int64())])
    with pytest.raises(ValueError, match=r"'colour' of table 'events'"):
        list(drive(TraceDecoder({"events": wrong}, DICTIONARIES), real(SMALL), 1 << 20))


def test_a_table_that_the_core_does_not_fill_raises() -> None:
    with pytest.raises((ValueError, KeyError), match="colours"):
        list(drive(TraceDecoder({"colours": schema("events")}, DICTIONARIES), real(SMALL), 1 << 20))


def test_a_type_that_the_core_does_not_know_raises() -> None:
    wrong = pa.schema([pa.field("seq", pa.float32())])
    with pytest.raises(ValueError, match="'seq'"):
        TraceDecoder({"events": wrong}, DICTIONARIES)


def test_a_batch_is_taken_once() -> None:
    core = decoder(["events"])
    core.feed(real(SMALL))
    item = core.next_batch()
    assert item is not None
    name, batch = item
    assert name == "events"
    rows = batch.num_rows
    assert pa.record_batch(batch).num_rows == rows > 0
    with pytest.raises(RuntimeError, match="taken before"):
        pa.record_batch(batch)


def test_batches_outlive_their_decoder() -> None:
    core = decoder(batch_rows=100)
    kept = list(drive(core, real("annotations-go1.27"), 1 << 20))
    del core
    gc.collect()
    again = decode(real("annotations-go1.27"), batch_rows=100)
    for table in TABLES:
        batches = [batch for name, batch in kept if name == table]
        assert batches == again.batches[table]


def test_untaken_batches_are_let_go() -> None:
    core = decoder(batch_rows=50)
    core.feed(real("annotations-go1.27"))
    kept = [core.next_batch() for _ in range(5)]
    del core
    gc.collect()
    assert all(item is not None and item[1].num_rows for item in kept)


def test_feed_twice_and_feed_after_finish_raise() -> None:
    core = decoder()
    core.feed(b"go 1.26")
    with pytest.raises(RuntimeError, match="feed"):
        core.feed(b" trace")
    assert core.next_batch() is None
    core.feed(b" trace\0\0\0")
    assert core.next_batch() is None
    assert core.minor == 26
    core.finish()
    with pytest.raises(RuntimeError, match="finish"):
        core.feed(b"")


def test_an_input_is_lent_no_longer_than_needed() -> None:
    data = bytearray(real(SMALL))
    core = decoder()
    core.feed(data)
    with pytest.raises(BufferError):
        data.append(0)
    while core.next_batch() is not None:
        pass
    data.append(0)


ABANDONED = """
import gc
from tests.core.decoding import decoder

def abandon(core, data):
    core.feed(data)
    try:
        raise ValueError
    except ValueError as error:
        kept = error            # this frame and its traceback hold each other, and the decoder

data = bytearray(b"go 1.26 trace" + bytes(3))
core = decoder()
gc.collect()                    # the oldest of the cycle is cleared first
abandon(core, data)
del core
gc.collect()
data.append(0)
"""


def test_an_abandoned_decoder_in_a_cycle_gives_its_input_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ABANDONED], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_end_stays_the_end_and_an_error_comes_once() -> None:
    core = decoder()
    list(drive(core, real(SMALL), 1 << 20))
    assert core.next_batch() is None
    assert core.next_batch() is None
    broken = decoder()
    broken.feed(b"x" * 100)
    with pytest.raises(ValueError, match="not a Go execution trace"):
        while broken.next_batch() is not None:
            pass
    assert broken.next_batch() is None


def test_cancel_before_and_in_between() -> None:
    core = decoder()
    core.cancel()
    core.feed(real(SMALL))
    with pytest.raises(InterruptedError):
        core.next_batch()
    core = decoder(batch_rows=10)
    core.feed(real(SMALL))
    assert core.next_batch() is not None
    core.cancel()
    with pytest.raises(InterruptedError):
        while core.next_batch() is not None:
            pass


def test_cancel_from_another_thread() -> None:
    data = real("gc-go1.27")
    core = decoder(["events"], batch_rows=4)
    core.feed(data)
    timer = threading.Timer(0.02, core.cancel)
    timer.start()
    with pytest.raises(InterruptedError):
        while core.next_batch() is not None:
            pass
    timer.join()


def test_two_threads_on_one_decoder_raise_or_take_turns() -> None:
    """Never a crash and never a row lost: a batch comes to one of them, or a clean RuntimeError."""
    data = real("gc-go1.27")
    core = decoder(["events"], batch_rows=200)
    core.feed(data)
    rows: list[int] = []
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        while True:
            try:
                item = core.next_batch()
            except RuntimeError as error:
                errors.append(error)
                continue
            except BaseException as error:
                errors.append(error)
                return
            if item is None:
                return
            rows.append(item[1].num_rows)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert all("one thread at a time" in str(error) for error in errors), errors[:3]
    core.finish()
    while (item := core.next_batch()) is not None:
        rows.append(item[1].num_rows)
    assert sum(rows) == decode(data, ["events"]).table("events").num_rows


def test_decoders_of_several_threads_do_not_meet() -> None:
    names = ["blocking-go1.22", "annotations-go1.27", "alloc-go1.26", "syscalls-go1.24"]
    alone = {name: decode(real(name)).table("events") for name in names}
    together: dict[str, pa.Table] = {}

    def work(name: str) -> None:
        for _ in range(5):
            together[name] = decode(real(name), batch_rows=300).table("events")

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for name in names:
        assert together[name].equals(alone[name])


def resident_bytes() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(not hasattr(resource, "getpagesize"), reason="needs /proc")
def test_a_hundred_decoders_leave_nothing_behind() -> None:
    """Finished, abandoned half way, failed: all memory comes back."""
    data = real("alloc-generations-go1.27")

    def once() -> None:
        decode(data)
        decode(data[: len(data) // 2])
        decode(data[: len(data) // 2], salvage=True)
        core = decoder(batch_rows=100)
        core.feed(data)
        core.next_batch()

    for _ in range(100):  # so long the allocator takes to settle
        once()
    gc.collect()
    before = resident_bytes()
    for _ in range(100):
        once()
    gc.collect()
    assert resident_bytes() - before < 8 << 20
