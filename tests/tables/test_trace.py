"""`gotrace.open` and what a Trace gives, on real traces."""

import io
import os
import pickle
import subprocess
import sys
import threading

import pyarrow as pa
import pytest

import gotrace
from gotrace.tables.schema import TABLES
from gotrace.testing import GoStatus, ProcStatus, TraceWriter


def events(source, **choices):
    return gotrace.open(source).table("events", **choices)


@pytest.mark.parametrize("name", ["io-go1.22", "gc-generations-go1.23", "blocking-go1.25"])
@pytest.mark.parametrize("batch_rows", [4, 1000])
def test_batches_of_any_size_are_the_same_rows(real, name, batch_rows):
    trace = gotrace.open(real(name))
    for table in TABLES:
        assert trace.table(table, batch_rows=batch_rows).equals(trace.table(table)), table


def test_a_column_of_nulls_is_whole_in_a_batch_longer_than_batch_rows():
    """All goroutines that a trace ends with come at once, without an end."""
    file = io.BytesIO()
    with TraceWriter(file, 25) as writer:
        thread = writer.thread(1)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        for goroutine in range(2, 200):
            thread.go_create(goroutine)
    trace = gotrace.open(file.getvalue())
    batches = list(trace.reader("goroutines", ["ended_at_ns", "last_stack_id"], batch_rows=4))
    assert sum(batch.num_rows for batch in batches) == 199
    assert max(batch.num_rows for batch in batches) > 100
    for batch in batches:
        batch.validate(full=True)
        nulls = batch["ended_at_ns"].null_count, batch["last_stack_id"].null_count
        assert nulls == (batch.num_rows, batch.num_rows)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_its_schema_and_order(real, name):
    trace = gotrace.open(real("annotations-generations-go1.26"))
    table = trace.table(name)
    table.validate(full=True)
    assert table.schema.equals(gotrace.schema(name), check_metadata=True)
    for field in table.schema:
        assert field.nullable or not table[field.name].null_count, field.name
    if order := TABLES[name].order:
        keys = list(zip(*(table[column].to_pylist() for column in order), strict=True))
        assert keys == sorted(keys)


def test_columns_are_cut_and_ordered(real):
    trace = gotrace.open(real("io-go1.27"))
    whole = trace.table("events")
    some = trace.table("events", ["kind", "time_ns"], goroutines=[1], start="+1ms")
    assert some.schema.names == ["kind", "time_ns"]
    assert trace.table("events", ["name", "seq"]).equals(whole.select(["name", "seq"]))


def test_scan_gives_stacks_before_they_are_used(real):
    seen = set()
    for name, batch in gotrace.open(real("gc-generations-go1.25")).scan(["events", "stacks"]):
        if name == "stacks":
            ids = batch["stack_id"].to_pylist()
            assert not seen.intersection(ids)
            seen.update(ids)
        else:
            used = pa.chunked_array([batch["stack_id"], batch["context_stack_id"]])
            assert seen.issuperset(used.drop_null().to_pylist())


def test_every_way_in_gives_the_same(real, tmp_path):
    path = real("io-go1.25")
    expected = events(path)
    assert events(str(path)).equals(expected)
    assert events(path.read_bytes()).equals(expected)
    assert events(io.BytesIO(path.read_bytes())).equals(expected)
    with path.open("rb") as file:
        assert events(file).equals(expected)


def test_a_stream_can_be_read_once(real):
    reading, writing = os.pipe()

    def write():
        with open(writing, "wb") as file:
            file.write(real("io-go1.25").read_bytes())

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb") as file:
        trace = gotrace.open(file, name="pipe")
        assert trace.table("events").num_rows == events(real("io-go1.25")).num_rows
        with pytest.raises(gotrace.ConsumedError, match="pipe"):
            trace.reader("events")
    thread.join()


def test_others_take_a_handle_or_reader_as_it_is(real):
    import duckdb
    import polars

    trace = gotrace.open(real("io-go1.27"))
    rows = trace.table("events").num_rows
    assert polars.from_arrow(trace.reader("events")).height == rows
    assert polars.DataFrame(trace["events"]).height == rows
    reader = trace.reader("events")  # noqa: F841 - DuckDB finds it by its name
    with duckdb.connect() as connection:
        assert connection.execute("select count(*) from reader").fetchone() == (rows,)
    frame = trace.pandas("events", ["seq", "kind", "stack_id"])
    assert len(frame) == rows
    assert str(frame.dtypes["stack_id"]) == "int64[pyarrow]"
    assert pa.table(trace["logs"]).schema.names == gotrace.schema("logs").names


def test_time_filter_keeps_the_window(real):
    trace = gotrace.open(real("gc-generations-go1.26"))
    whole = trace.table("events")
    times = whole["time_ns"].to_pylist()
    start, end = times[len(times) // 3], times[len(times) // 2]
    rows = trace.table("events", start=start, end=end)
    assert rows["time_ns"].to_pylist() == [t for t in times if start <= t < end]
    relative = trace.table("events", start=f"+{start - times[0]}ns", end=f"+{end - times[0]}ns")
    assert relative.equals(rows)


def test_interval_filter_keeps_what_touches_the_window(real):
    trace = gotrace.open(real("gc-generations-go1.26"))
    middle = trace.table("ranges")["start_ns"].to_pylist()[5]
    for row in trace.table("ranges", start=middle, end=middle + 1).to_pylist():
        assert row["start_ns"] <= middle <= row["end_ns"]


def test_wall_time_filter(real):
    trace = gotrace.open(real("io-go1.27"))
    first = trace.info().wall_start
    assert first is not None
    assert trace.table("events", start="2020-01-01T00:00:00Z").num_rows > 0
    assert trace.table("events", start="2120-01-01T00:00:00Z").num_rows == 0
    with pytest.raises(ValueError, match="no wall clock"):
        gotrace.open(real("io-go1.22")).table("events", start="2020-01-01T00:00:00Z")


def test_kind_goroutine_and_generation_filters(real):
    trace = gotrace.open(real("annotations-generations-go1.26"))
    whole = trace.table("events").to_pylist()
    logs = trace.table("events", kinds=["log"]).to_pylist()
    assert logs == [row for row in whole if row["kind"] == "log"]
    some = trace.table("events", goroutines=[1]).to_pylist()
    assert some == [
        row
        for row in whole
        if row["goroutine"] == 1 or (row["resource"], row["resource_id"]) == ("goroutine", 1)
    ]
    second = trace.table("generations").to_pylist()[1]
    chosen = trace.table("events", ["seq"], generations=[second["number"]])
    span = range(second["first_seq"], second["last_seq"] + 1)
    assert chosen["seq"].to_pylist() == list(span)


def test_wishes_that_make_no_sense(real):
    trace = gotrace.open(real("io-go1.27"))
    with pytest.raises(gotrace.UnknownNameError, match="kind of event"):
        trace.reader("events", kinds=["logs"])
    with pytest.raises(ValueError, match="stacks has no time_ns"):
        trace.reader("stacks", start=3)
    with pytest.raises(ValueError, match="batch_rows"):
        trace.reader("events", batch_rows=0)
    with pytest.raises(gotrace.UnknownNameError):
        trace["evnts"]
    with pytest.raises(ValueError, match="on_error"):
        gotrace.open(real("io-go1.27"), on_error="ignore")


def test_fail_raises_with_source_and_offset(cut):
    trace = gotrace.open(cut)
    with pytest.raises(gotrace.TruncatedError, match=r"cut\.trace.*salvage") as caught:
        trace.table("events")
    assert caught.value.source == str(cut)
    assert 0 < caught.value.offset <= cut.stat().st_size
    assert trace.fault is caught.value
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), gotrace.TruncatedError)


def test_salvage_delivers_whole_generations_and_notes(cut, real):
    trace = gotrace.open(cut, on_error="salvage")
    rows = trace.table("events")
    assert rows.num_rows
    whole = gotrace.open(real("gc-generations-go1.26")).table("events")
    kept = rows.num_rows - 1  # the sync at the end
    assert rows.slice(0, kept).equals(whole.slice(0, kept))
    assert [note["severity"] for note in trace.notes] == ["error"]
    assert trace.table("notes").to_pylist() == trace.notes
    assert trace.info().complete is False


def test_skip_gives_nothing_of_a_damaged_source(cut, real):
    assert gotrace.open(cut, on_error="skip").table("events").num_rows == 0
    sound = gotrace.open(real("io-go1.27"), on_error="skip")
    assert sound.table("events").num_rows > 0


def test_a_cut_of_the_compression_is_told_as_such(real, tmp_path):
    path = tmp_path / "cut.trace.zst"
    packed = real("gc-generations-go1.26").read_bytes()
    path.write_bytes(packed[: len(packed) - 100])
    with pytest.raises(gotrace.TruncatedError, match="zstd"):
        gotrace.open(path).table("events")
    trace = gotrace.open(path, on_error="salvage")
    assert trace.table("events").num_rows
    assert "zstd" in trace.notes[-1]["text"]


def test_limits(real):
    path = real("io-go1.27")
    limited = gotrace.open(path, limits=gotrace.Limits(rows=100))
    with pytest.raises(gotrace.LimitError, match="limit rows"):
        limited.table("events", batch_rows=50)
    late = gotrace.open(path, limits=gotrace.Limits(seconds=1e-9))
    with pytest.raises(gotrace.LimitError, match="limit seconds"):
        late.table("events")
    with pytest.raises(ValueError, match="rows"):
        gotrace.Limits(rows=0)


def test_cancel_ends_the_reader(real):
    trace = gotrace.open(real("gc-go1.27"))
    reader = trace.reader("events", batch_rows=100)
    first = reader.read_next_batch()
    trace.cancel()
    rest = sum(batch.num_rows for batch in reader)
    assert first.num_rows + rest < trace.table("events").num_rows


def test_pickle_goes_by_path(real):
    with gotrace.open(str(real("io-go1.27")), on_error="salvage") as trace:
        again = pickle.loads(pickle.dumps(trace))
    assert again.on_error == "salvage"
    assert again.table("events").equals(trace.table("events"))
    with pytest.raises(TypeError, match="path"):
        pickle.dumps(gotrace.open(real("io-go1.27").read_bytes()))


def test_import_is_lazy():
    code = "import sys, gotrace; print('pyarrow' in sys.modules, 'duckdb' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
    assert set(gotrace.__all__) <= set(dir(gotrace))
    for name in gotrace.__all__:
        assert getattr(gotrace, name) is not None
