"""Every real trace, decoded whole: valid batches, the same ones whatever way it is read."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gotrace.errors import OrderError
from gotrace.tables.schema import schema
from gotrace.testing import validate
from tests.core.decoding import OF_EACH_HEADER, TABLES, Decoded, decode, real, real_names


def same(one: Decoded, other: Decoded) -> list[str]:
    """The tables in which two decodes differ."""
    return [name for name in TABLES if not one.table(name).equals(other.table(name))]


@pytest.mark.parametrize("name", real_names())
def test_batches_are_valid_and_events_obey_the_rules(name: str) -> None:
    decoded = decode(real(name))
    if name.startswith("misnested"):
        assert isinstance(decoded.error, OrderError)
        assert "innermost" in decoded.error.reason
    else:
        assert decoded.error is None
    for table, batches in decoded.batches.items():
        for batch in batches:
            batch.validate(full=True)
            assert batch.num_rows > 0
            assert batch.schema == schema(table)
    events = decoded.table("events")
    assert events["seq"].to_pylist() == list(range(len(events)))
    times = events["time_ns"].combine_chunks()
    assert pc.all(pc.greater(times[1:], times[:-1])).as_py()
    assert validate(events) == []


@pytest.mark.parametrize("name", real_names())
def test_side_tables_come_first_and_once(name: str) -> None:
    """A row of `stacks` or `frames` is there before the first batch that refers to it."""
    decoded = decode(real(name), batch_rows=500)
    seen = {"stacks": set(), "frames": set()}
    queues = {table: iter(batches) for table, batches in decoded.batches.items()}
    for table, _ in decoded.order:
        batch = next(queues[table])
        if table in seen:
            ids = batch.column(f"{table[:-1]}_id").to_pylist()
            assert not seen[table].intersection(ids)
            assert len(set(ids)) == len(ids)
            seen[table].update(ids)
        if table == "stacks":
            for frame_ids in batch.column("frame_ids").to_pylist():
                assert seen["frames"].issuperset(frame_ids)
        for column in batch.schema.names:
            if column.endswith("stack_id") and column not in ("site_stack_id", "stack_id"):
                refer = set(pc.unique(batch.column(column)).to_pylist()) - {None}
                assert seen["stacks"].issuperset(refer), (table, column)
        if "stack_id" in batch.schema.names and table != "stacks":
            refer = set(pc.unique(batch.column("stack_id")).to_pylist()) - {None}
            assert seen["stacks"].issuperset(refer), table


@pytest.mark.parametrize("batch_rows", [4, 7, 1000])
@pytest.mark.parametrize("name", [*OF_EACH_HEADER.values(), "alloc-go1.27", "syscalls-go1.24"])
def test_rows_do_not_depend_on_batch_rows(name: str, batch_rows: int) -> None:
    whole = decode(real(name))
    pieces = decode(real(name), batch_rows=batch_rows)
    assert same(pieces, whole) == []
    assert max(batch.num_rows for batch in pieces.batches["events"]) <= batch_rows


@pytest.mark.parametrize("name", [n for n in real_names() if "generations" in n])
def test_rows_of_many_generations_do_not_depend_on_batch_rows_or_feeds(name: str) -> None:
    whole = decode(real(name))
    assert same(decode(real(name), batch_rows=1000, chunk=4096), whole) == []


@pytest.mark.parametrize("chunk", [1, 13, 4096])
@pytest.mark.parametrize("name", [*OF_EACH_HEADER.values(), "misnested-go1.22"])
def test_rows_do_not_depend_on_feeds(name: str, chunk: int) -> None:
    whole = decode(real(name))
    pieces = decode(real(name), chunk=chunk)
    assert same(pieces, whole) == []
    assert repr(pieces.error) == repr(whole.error)


@pytest.mark.parametrize("name", [n for n in real_names() if "generations" in n][::3])
def test_a_batch_spans_no_generation(name: str) -> None:
    decoded = decode(real(name))
    first = {row["first_seq"] for row in decoded.rows("generations")}
    for batch in decoded.batches["events"]:
        seqs = batch.column("seq").to_pylist()
        assert not first.intersection(seqs[1:])


def test_feeds_of_any_buffer() -> None:
    data = real("restart-go1.27")
    whole = decode(data)
    for kind in (bytearray, memoryview):
        assert same(decode(kind(data)), whole) == []
    assert same(decode(pa.py_buffer(data).to_pybytes()), whole) == []


def test_tables_of_a_decode_do_not_depend_on_each_other() -> None:
    """Each table alone has the rows that it has among all; notes tell of what was built."""
    for name in ("alloc-generations-go1.27", "annotations-go1.25", "cpuprofile-go1.22"):
        whole = decode(real(name))
        for table in TABLES[:-1]:
            assert decode(real(name), [table]).table(table).equals(whole.table(table)), table


def test_no_table_at_all() -> None:
    decoded = decode(real("restart-go1.25"), [])
    assert decoded.error is None
    assert decoded.order == []
