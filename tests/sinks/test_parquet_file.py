"""Parquet by our own encoder: other readers find in it what pyarrow's own files have."""

from __future__ import annotations

from itertools import pairwise
from unittest.mock import patch

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gotrace.sinks import parquet_file
from gotrace.sinks.encodings import encodings
from gotrace.sinks.parquet_file import ParquetFile, leaves_of
from gotrace.tables.schema import TABLES

REASON = pa.dictionary(pa.int16(), pa.utf8())
STATE = pa.dictionary(pa.int8(), pa.utf8())
SHARE = pa.struct([pa.field("reason", pa.utf8()), pa.field("ns", pa.int64(), nullable=False)])
INTS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)
TEXTS = st.text(max_size=12) | st.sampled_from(["", "select", "chan receive"])

#: (type, values) of everything that goes through our encoder.
KINDS = {
    "int64": (pa.int64(), INTS),
    "int32": (pa.int32(), st.integers(-(2**31), 2**31 - 1) | st.integers(0, 2)),
    "uint64": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "bool": (pa.bool_(), st.booleans()),
    "text": (pa.utf8(), TEXTS),
    "binary": (pa.binary(), st.binary(max_size=8)),
    "wall": (pa.timestamp("ns", tz="UTC"), st.integers(0, 2**62)),
    "state": (STATE, st.sampled_from(["running", "waiting", "é"])),
    "reason": (REASON, st.sampled_from(["sync", "sleep", ""])),
}


def written(schema, row_groups, name="t", order=(), **packing):
    """The bytes of a file with row groups, each a list of batches."""
    options = {**encodings(name, schema, order), "compression": "zstd", "compression_level": 1}
    options.update(packing)
    sink = pa.BufferOutputStream()
    file = ParquetFile(sink, schema, leaves_of(schema, options), options)
    for batches in row_groups:
        file.write_row_group(batches, sum(batch.num_rows for batch in batches))
    file.close()
    return sink.getvalue()


def read(data, **options):
    return pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True, **options)


def rows(table):
    """Rows as Python has them, instants as numbers."""
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            column = table.column(index).cast(pa.int64())
            table = table.set_column(index, field.with_type(pa.int64()), column)
    return table.to_pylist()


@st.composite
def columns(draw):
    """(field, row groups of chunks): a column of any kind, plain or in a list."""
    kind, values = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    nullable = draw(st.booleans())
    values = st.none() | values if nullable else values
    shape = draw(st.sampled_from(["plain", "list", "shares"]))
    if pa.types.is_dictionary(kind):
        shape = "plain"  # pyarrow does not read lists of them from two row groups
    item_nullable, is_in_list = nullable, shape != "plain"
    if shape == "list":
        kind = pa.list_(pa.field("item", kind, nullable=item_nullable))
    if shape == "shares":
        kind = pa.list_(pa.field("item", SHARE, nullable=False))
        values = st.fixed_dictionaries({"reason": st.none() | TEXTS, "ns": INTS})
    if is_in_list:
        nullable = draw(st.booleans())
        lists = st.lists(values, max_size=4)
        values = st.none() | lists if nullable else lists
    runs = st.lists(st.tuples(values, st.sampled_from([1, 1, 2, 7, 8, 9, 200])), max_size=12)
    chunks = st.lists(runs, min_size=1, max_size=3)
    groups = [
        [[value for value, count in run for _ in range(count)] for run in group]
        for group in draw(st.lists(chunks, max_size=2))
    ]
    return pa.field("c", kind, nullable=nullable), groups


@settings(max_examples=200, deadline=None)
@given(columns(), st.integers(0, 9), st.sampled_from([1, 7, 64, parquet_file.PAGE_LEVELS]))
def test_what_is_read_is_what_was_written(column, cut, page_levels):
    field, groups = column
    schema = pa.schema([field])
    batches = [
        [batch_of(schema, chunk).slice(cut if len(chunk) > cut else 0) for chunk in group]
        for group in groups
        if any(group)
    ]
    with patch.object(parquet_file, "PAGE_LEVELS", page_levels):
        data = written(schema, batches)
    wanted = pa.Table.from_batches([b for group in batches for b in group], schema)
    file = read(data)
    got = file.read()
    got.validate(full=True)
    assert got.schema.equals(schema)
    assert rows(got) == rows(wanted)
    for number, group in enumerate(batches):
        part = pa.Table.from_batches(group, schema).column(0)
        assert file.metadata.row_group(number).num_rows == len(part)
        if not pa.types.is_list(field.type):
            check_statistics(file.metadata.row_group(number).column(0).statistics, part)


def batch_of(schema, values):
    kind = schema.field(0).type
    if pa.types.is_timestamp(kind):
        return pa.record_batch([pa.array(values, pa.int64()).cast(kind)], schema=schema)
    return pa.record_batch([pa.array(values, kind)], schema=schema)


def check_statistics(statistics, column):
    assert statistics.null_count == column.null_count
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.utf8())
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    if len(column) == column.null_count:
        assert not statistics.has_min_max
        return
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        found = {"min": min(plain := column.cast(pa.binary()).drop_null().to_pylist())}
        found["max"] = max(plain)
        assert [_encoded(statistics.min), _encoded(statistics.max)] == [found["min"], found["max"]]
    elif statistics.logical_type.type != "TIMESTAMP":
        found = pc.min_max(column).as_py()
        assert (statistics.min, statistics.max) == (found["min"], found["max"])


def _encoded(bound):
    return bound.encode() if isinstance(bound, str) else bound


def many(count):
    """A batch that needs several pages of every column, with every way to encode."""
    rising = pa.array(range(count), pa.int64())
    spread = [(i * 2654435761) % 2**40 for i in range(count)]
    columns = {
        "seq": rising,
        "few": pa.array([None if i % 7 == 0 else i // 1000 for i in range(count)], pa.int64()),
        "spread": pa.array(spread, pa.int64()),
        "address": pa.array([2**63 + value for value in spread], pa.uint64()),
        "life": pa.array([i % 3 for i in range(count)], pa.int32()),
        "late": pa.array([None if i < count // 2 else i for i in range(count)], pa.int64()),
        "flag": pa.array([i % 5 == 0 for i in range(count)]),
        "name": pa.array([f"main.f{i % 300}" for i in range(count)]),
        "message": pa.array([f"{value} is said and will not be said again" for value in spread]),
        "none": pa.nulls(count, pa.utf8()),
        "ids": pa.array([list(range(i % 4)) for i in range(count)], pa.list_(ITEM)),
    }
    schema = pa.schema([pa.field(name, array.type) for name, array in columns.items()])
    return pa.record_batch(list(columns.values()), schema=schema)


ITEM = pa.field("item", pa.int64(), nullable=False)


def test_many_pages_are_read_alike_by_all(tmp_path):
    batch = many(150_000)
    path = tmp_path / "t.parquet"
    path.write_bytes(written(batch.schema, [[batch]], order=("seq",)))
    table = pa.Table.from_batches([batch])
    assert read(path.read_bytes()).read().equals(table)
    assert pl.read_parquet(path).to_arrow().cast(batch.schema).equals(table)
    with duckdb.connect() as connection:
        for name in batch.schema.names:
            got = connection.sql(f"SELECT {name} FROM '{path}'").to_arrow_table()
            assert got.column(0).cast(batch.schema.field(name).type).equals(table.column(name))
    encoded = {c["path_in_schema"].split(".")[0]: c["encodings"] for c in chunks_of(path)}
    assert "DELTA_BINARY_PACKED" in encoded["seq"]
    assert "RLE_DICTIONARY" in encoded["few"]
    assert "DELTA_BINARY_PACKED" in encoded["spread"], "150,000 values that differ"
    assert "RLE_DICTIONARY" not in encoded["message"]


def chunks_of(path):
    group = pq.read_metadata(path).row_group(0)
    return [group.column(index).to_dict() for index in range(group.num_columns)]


def test_pages_are_indexed(tmp_path):
    batch = many(150_000)
    data = written(batch.schema, [[batch]]).to_pybytes()
    for chunk in footer(data)[4][0][1]:
        name = chunk[3][3][0].decode()
        at, size = chunk[4], chunk[5]
        pages = struct(data, at)[0][1]
        assert sum(page[2] for page in pages) <= chunk[3][7]
        assert pages[0][1] == chunk[3][9]
        assert [page[3] for page in pages] == sorted({page[3] for page in pages})
        assert chunk[6] == at + size
        index = struct(data, chunk[6])[0]
        column = batch.column(name)
        if name == "ids":
            continue
        firsts = [page[3] for page in pages] + [batch.num_rows]
        for number, (first, end) in enumerate(pairwise(firsts)):
            part = column.slice(first, end - first)
            assert index[5][number] == part.null_count
            assert index[1][number] == (part.null_count == len(part))
            if not index[1][number] and pa.types.is_integer(part.type):
                found = pc.min_max(part).as_py()
                signed = pa.types.is_signed_integer(part.type)
                for bounds, which in ((index[2], "min"), (index[3], "max")):
                    told = int.from_bytes(bounds[number], "little", signed=signed)
                    assert told == found[which], name
        assert index[4] == {"seq": 1, "late": 1, "few": 1}.get(name, index[4])


def footer(data):
    size = int.from_bytes(data[-8:-4], "little")
    found, end = struct(data, len(data) - 8 - size)
    assert end == len(data) - 8
    return found


def struct(data, at):
    """A struct of Thrift's compact protocol as {id: value}, and where it ends."""
    found, number = {}, 0
    while data[at]:
        kind, step = data[at] & 15, data[at] >> 4
        at += 1
        if step == 0:
            step, at = zigzag(data, at)
            number = 0
        number += step
        found[number], at = (kind == 1, at) if kind < 3 else value(data, at, kind)
    return found, at + 1


def value(data, at, kind):
    if kind == 3:
        return data[at], at + 1
    if kind in (4, 5, 6):
        return zigzag(data, at)
    if kind == 8:
        size, at = varint(data, at)
        return data[at : at + size], at + size
    if kind == 12:
        return struct(data, at)
    assert kind == 9
    size, item = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = varint(data, at)
    items = []
    for _ in range(size):
        got, at = (data[at] == 1, at + 1) if item < 3 else value(data, at, item)
        items.append(got)
    return items, at


def varint(data, at):
    number = shift = 0
    while data[at] > 127:
        number |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
    return number | data[at] << shift, at + 1


def zigzag(data, at):
    number, at = varint(data, at)
    return number >> 1 ^ -(number & 1), at


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_of_a_trace_is_ours(name):
    schema = TABLES[name]
    fields = pa.schema([column.field() for column in schema.columns])
    assert leaves_of(fields, encodings(name, fields, schema.order)) is not None


def test_types_that_are_left_to_pyarrow():
    for kind in (pa.float64(), pa.list_(pa.list_(pa.int64())), pa.list_(SHARE)):
        schema = pa.schema([("c", kind)])
        assert leaves_of(schema, encodings("t", schema, ())) is None


@pytest.mark.parametrize("compression", ["none", "snappy", "lz4", "gzip", "brotli", "zstd"])
def test_compressions(compression):
    batch = many(1000)
    level = 1 if compression in ("gzip", "brotli", "zstd") else None
    packing = {"compression": compression, "compression_level": level}
    assert read(written(batch.schema, [[batch]], **packing)).read().to_batches() == [batch]


def test_a_null_where_none_may_be():
    schema = pa.schema([pa.field("c", pa.int64(), nullable=False)])
    batch = pa.record_batch([pa.array([1, None])], schema=schema)
    with pytest.raises(ValueError, match="a null"):
        written(schema, [[batch]])
