"""Arrow IPC: files and streams, read back; dictionaries that grow."""

import io

import polars as pl
import pyarrow as pa
import pytest

from gotrace.sinks.ipc import file_schema, write_ipc


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_streams_read_back_exactly(trace, compression):
    for name, schema in trace.schemas.items():
        file = io.BytesIO()
        rows = write_ipc(trace.of(name), schema, file, stream=True, compression=compression)
        got = pa.ipc.open_stream(file.getvalue()).read_all()
        got.validate(full=True)
        assert rows == got.num_rows
        assert got.schema.equals(schema, check_metadata=True)
        assert got.to_batches() == [batch for batch in trace.of(name) if batch.num_rows], name
        if rows:
            assert pl.read_ipc_stream(io.BytesIO(file.getvalue())).height == rows


def test_files_read_back(trace, tmp_path):
    for name, schema in trace.schemas.items():
        path = tmp_path / f"{name}.arrow"
        assert write_ipc(trace.of(name), schema, path) == trace.table(name).num_rows
        with pa.memory_map(str(path)) as mapped:
            got = pa.ipc.open_file(mapped).read_all()
            got.validate(full=True)
            assert got.schema.equals(file_schema(schema), check_metadata=True)
            assert got.equals(trace.table(name).cast(file_schema(schema)))
        frame = pl.read_ipc(path)
        assert frame.columns == schema.names
        assert frame.height == got.num_rows
        words = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        assert (
            not words
            or frame.select(words).to_dicts() == trace.table(name).select(words).to_pylist()
        )


def test_only_reason_is_utf8_in_a_file(trace):
    for schema in trace.schemas.values():
        for was, now in zip(schema, file_schema(schema), strict=True):
            assert now.type == (pa.utf8() if was.name.endswith("reason") else was.type)


def test_a_dictionary_grows_in_a_stream(grown):
    schema, batches = grown
    file = io.BytesIO()
    write_ipc(batches, schema, file, stream=True)
    reader = pa.ipc.open_stream(file.getvalue())
    wanted = [batch.to_pylist() for batch in batches]
    assert [batch.to_pylist() for batch in reader] == wanted
    assert reader.stats.num_dictionary_deltas == 2
    assert reader.schema.equals(schema)


def test_a_dictionary_grows_in_a_file(grown):
    schema, batches = grown
    file = io.BytesIO()
    write_ipc(batches, schema, file)
    wanted = [row for batch in batches for row in batch.to_pylist()]
    assert pa.ipc.open_file(file.getvalue()).read_all().to_pylist() == wanted
    assert pl.read_ipc(io.BytesIO(file.getvalue())).to_dicts() == wanted


def test_no_batches_and_wrong_batches(annotated):
    schema = annotated.schemas["logs"]
    for stream, read in ((True, pa.ipc.open_stream), (False, pa.ipc.open_file)):
        file = io.BytesIO()
        assert write_ipc([], schema, file, stream=stream) == 0
        assert read(file.getvalue()).read_all().num_rows == 0
        with pytest.raises(ValueError, match="a batch has the columns"):
            write_ipc(annotated.of("tasks"), schema, io.BytesIO(), stream=stream)


def test_a_file_that_failed_has_no_end(annotated):
    def batches():
        yield from annotated.of("events")
        raise RuntimeError

    file = io.BytesIO()
    with pytest.raises(RuntimeError):
        write_ipc(batches(), annotated.schemas["events"], file)
    with pytest.raises(pa.ArrowInvalid):
        pa.ipc.open_file(file.getvalue())
