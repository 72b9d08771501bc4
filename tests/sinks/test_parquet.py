"""Parquet: what is read back is what went in, laid out as it should be."""

import json

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from gotrace import UnknownNameError
from gotrace.sinks.parquet import TableWritten, write_parquet
from gotrace.tables import schema as tables


def plain(table):
    """The table without dictionaries, which no reader keeps as they were."""
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = table.column(index).cast(pa.utf8())
            table = table.set_column(index, field.with_type(pa.utf8()), column)
    return table


def test_pyarrow_reads_back_what_went_in(trace, tmp_path):
    written = write_parquet(trace.batches, trace.schemas, tmp_path / "out")
    assert list(written) == list(trace.schemas)
    for name, schema in trace.schemas.items():
        wanted = trace.table(name)
        path = tmp_path / "out" / f"{name}.parquet"
        got = pq.read_table(path)
        assert plain(got).equals(plain(wanted)), name
        assert got.schema.names == schema.names
        assert [f.metadata for f in got.schema] == [f.metadata for f in schema]
        assert written[name] == TableWritten(wanted.num_rows, path.stat().st_size, (path.name,))


def test_duckdb_and_polars_read_the_same(trace, tmp_path):
    write_parquet(trace.batches, trace.schemas, tmp_path / "out")
    for name in trace.schemas:
        path = str(tmp_path / "out" / f"{name}.parquet")
        wanted = plain(trace.table(name)).to_pylist()
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            got = connection.sql(f"SELECT * FROM '{path}'").to_arrow_table()
        instants = {f.name for f in trace.schemas[name] if pa.types.is_timestamp(f.type)}
        assert without(got.to_pylist(), instants) == without(wanted, instants), name
        got = pl.read_parquet(path)
        assert without(got.to_dicts(), instants) == without(wanted, instants), name
        for column in instants:
            nanoseconds = trace.table(name).column(column).cast(pa.int64()).to_pylist()
            assert got[column].to_physical().to_list() == nanoseconds


def without(rows, columns):
    """Rows without instants: Python's own have no nanoseconds."""
    return [{key: value for key, value in row.items() if key not in columns} for row in rows]


def test_row_groups_encodings_and_order(busy, tmp_path):
    write_parquet(busy.batches, busy.schemas, tmp_path / "out", row_group_rows=5000)
    file = pq.ParquetFile(tmp_path / "out" / "events.parquet")
    rows = busy.table("events").num_rows
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [5000] * (rows // 5000) + [rows % 5000]
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        assert group.sorting_columns == (pq.SortingColumn(0),)
        for index in range(group.num_columns):
            column = group.column(index)
            delta = column.path_in_schema in ("seq", "time_ns", "task")
            assert ("DELTA_BINARY_PACKED" in column.encodings) == delta, column.path_in_schema
            assert ("RLE_DICTIONARY" in column.encodings) == (not delta)
            assert column.compression == "ZSTD"
            assert column.has_column_index
            assert column.has_offset_index
            assert column.statistics is not None
    assert group.column(0).statistics.max == rows - 1


def test_the_order_that_is_claimed_is_true(trace, tmp_path):
    write_parquet(trace.batches, trace.schemas, tmp_path / "out")
    for name, described in tables.TABLES.items():
        file = pq.ParquetFile(tmp_path / "out" / f"{name}.parquet")
        table = file.read()
        wanted = tuple(pq.SortingColumn(table.schema.get_field_index(c)) for c in described.order)
        for number in range(file.num_row_groups):
            assert file.metadata.row_group(number).sorting_columns == wanted
        if wanted and table.num_rows:
            keys = [(column, "ascending") for column in described.order]
            ranks = pc.sort_indices(table, keys).to_pylist()
            assert ranks == sorted(ranks), name


def test_some_columns_and_their_order(annotated, tmp_path):
    schemas = {"tasks": tables.schema("tasks", ["name", "end_seq", "start_ns"])}
    batches = [("tasks", b.select(["name", "end_seq", "start_ns"])) for b in annotated.of("tasks")]
    write_parquet(batches, schemas, tmp_path / "out")
    group = pq.ParquetFile(tmp_path / "out" / "tasks.parquet").metadata.row_group(0)
    assert group.sorting_columns == (pq.SortingColumn(1),)


def test_nested_columns_are_dictionaries_too(annotated, tmp_path):
    block = pa.list_(pa.struct([("reason", pa.utf8()), ("ns", pa.int64())]))
    schema = pa.schema([("block", block)])
    batch = pa.record_batch([pa.array([[{"reason": "sync", "ns": 5}], []], block)], schema=schema)
    write_parquet([("waits", batch)], {"waits": schema}, tmp_path / "out")
    file = pq.ParquetFile(tmp_path / "out" / "waits.parquet")
    assert file.read().to_batches() == [batch]
    group = file.metadata.row_group(0)
    assert all("RLE_DICTIONARY" in group.column(i).encodings for i in range(group.num_columns))


@pytest.mark.parametrize(
    ("alive", "encoding"), [(10, "RLE_DICTIONARY"), (5000, "DELTA_BINARY_PACKED")]
)
def test_ids_of_many_goroutines_are_differences(alive, encoding, tmp_path):
    schema = pa.schema([pa.field("goroutine", pa.int64()), pa.field("proc", pa.int32())])
    ids = pa.array([None if i % 7 == 0 else i % alive for i in range(20_000)], pa.int64())
    batch = pa.record_batch([ids, pa.array([3] * 20_000, pa.int32())], schema=schema)
    pairs = [("t", batch.slice(at, 4000)) for at in range(0, 20_000, 4000)]
    write_parquet(pairs, {"t": schema}, tmp_path / "out")
    file = pq.ParquetFile(tmp_path / "out" / "t.parquet")
    assert file.read().equals(pa.Table.from_batches([batch]))
    assert pl.read_parquet(tmp_path / "out" / "t.parquet")["goroutine"].to_list() == ids.to_pylist()
    assert encoding in file.metadata.row_group(0).column(0).encodings
    assert "RLE_DICTIONARY" in file.metadata.row_group(0).column(1).encodings


@pytest.mark.parametrize("row_group_rows", [3, 4, 100])
def test_a_dictionary_that_grows_stays_a_dictionary(grown, row_group_rows, tmp_path):
    schema, batches = grown
    pairs = [("t", batch) for batch in batches]
    write_parquet(pairs, {"t": schema}, tmp_path / "out", row_group_rows=row_group_rows)
    file = pq.ParquetFile(tmp_path / "out" / "t.parquet")
    wanted = [row for batch in batches for row in batch.to_pylist()]
    assert file.read().to_pylist() == wanted
    for number in range(file.num_row_groups):
        reason = file.metadata.row_group(number).column(1)
        pages = reason.encodings
        assert pages == ("PLAIN", "RLE", "RLE_DICTIONARY")  # PLAIN is the dictionary's own page
    assert pl.read_parquet(tmp_path / "out" / "t.parquet").to_dicts() == wanted


def test_files_roll_and_read_as_one(busy, tmp_path):
    out = tmp_path / "out"
    limits = {"row_group_rows": 1000, "file_bytes": 20_000}
    written = write_parquet(busy.batches, busy.schemas, out, **limits)
    files = written["events"].files
    assert len(files) > 2
    assert files == tuple(f"events-{number:05}.parquet" for number in range(len(files)))
    assert written["events"].bytes == sum((out / name).stat().st_size for name in files)
    assert all((out / name).stat().st_size >= 20_000 for name in files[:-1])
    got = pa.concat_tables(pq.read_table(out / name) for name in files)
    assert plain(got).equals(plain(busy.table("events")))
    count = duckdb.sql(f"SELECT count(*) FROM '{out}/events-*.parquet'").fetchall()
    assert count == [(busy.table("events").num_rows,)]
    assert written["stacks"].files == ("stacks.parquet",)


def test_a_byte_cap_closes_row_groups(busy, tmp_path):
    write_parquet(busy.batches, busy.schemas, tmp_path / "out", row_group_bytes=1)
    file = pq.ParquetFile(tmp_path / "out" / "events.parquet")
    assert file.num_row_groups == len(busy.of("events"))
    assert plain(file.read()).equals(plain(busy.table("events")))


def test_an_empty_table_is_a_file(tmp_path):
    schemas = {"logs": tables.schema("logs")}
    written = write_parquet([], schemas, tmp_path / "out")
    assert written["logs"].rows == 0
    got = pq.read_table(tmp_path / "out" / "logs.parquet")
    assert got.num_rows == 0
    assert got.schema.names == schemas["logs"].names
    assert duckdb.sql(f"SELECT * FROM '{tmp_path}/out/logs.parquet'").fetchall() == []
    assert pl.read_parquet(tmp_path / "out" / "logs.parquet").height == 0


def test_metadata_and_manifest(annotated, tmp_path):
    source = {"name": "app.trace", "bytes": 5}
    notes = []

    def batches():
        yield from annotated.batches
        source["sha256"] = "late"
        notes.append({"code": "not_utf8", "offset": 16})

    out = tmp_path / "out"
    written = write_parquet(batches(), annotated.schemas, out, source=source, notes=notes)
    metadata = pq.read_schema(out / "tasks.parquet").metadata
    assert metadata[b"gotrace.table"] == b"tasks"
    assert metadata[b"gotrace.schema_version"] == str(tables.SCHEMA_VERSION).encode()
    assert metadata[b"gotrace.version"]
    assert json.loads(metadata[b"gotrace.source"])["name"] == "app.trace"
    manifest = json.loads((out / "_gotrace.json").read_text())
    assert manifest["source"] == {"name": "app.trace", "bytes": 5, "sha256": "late"}
    assert manifest["notes"] == [{"code": "not_utf8", "offset": 16}]
    assert manifest["schema_version"] == tables.SCHEMA_VERSION
    for name, table in manifest["tables"].items():
        assert (table["rows"], table["bytes"]) == (written[name].rows, written[name].bytes)
        assert tuple(file["name"] for file in table["files"]) == written[name].files
    names = {name for table in written.values() for name in table.files}
    assert {path.name for path in out.iterdir()} == names | {"_gotrace.json"}


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_same_batches_give_the_same_bytes(busy, threads, tmp_path):
    limits = {"row_group_rows": 1000, "file_bytes": 20_000}
    for name, count in (("one", 1), ("two", threads)):
        write_parquet(busy.batches, busy.schemas, tmp_path / name, threads=count, **limits)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_batches_that_do_not_belong(annotated, tmp_path):
    batch = annotated.of("logs")[0]
    logs = {"logs": annotated.schemas["logs"]}
    with pytest.raises(UnknownNameError, match="events"):
        write_parquet([("events", batch)], logs, tmp_path / "out")
    with pytest.raises(ValueError, match="lacks the column 'message'"):
        write_parquet([("logs", batch.drop_columns(["message"]))], logs, tmp_path / "out")
    with pytest.raises(ValueError, match="no name"):
        write_parquet([], {"../logs": logs["logs"]}, tmp_path / "out")
    with pytest.raises(ValueError, match="threads=0"):
        write_parquet([], logs, tmp_path / "out", threads=0)
    assert list(tmp_path.iterdir()) == []
