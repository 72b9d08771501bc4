"""CSV and JSON lines: exact values, formulas, ids, lists, bytes."""

import base64
import csv
import io
import json

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gotrace.sinks.cells import is_id
from gotrace.sinks.csv import write_csv
from gotrace.sinks.json_lines import write_json_lines

BIG = (1 << 62) + 1


def csv_rows(schema, batches, **options):
    file = io.BytesIO()
    write_csv(batches, schema, file, **options)
    return list(csv.reader(io.StringIO(file.getvalue().decode("utf-8"), newline="")))


def json_rows(schema, batches):
    file = io.BytesIO()
    write_json_lines(batches, schema, file)
    lines = file.getvalue().decode("ascii").split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines]


def as_json(name, kind, value):
    if value is None:
        return None
    if pa.types.is_list(kind):
        return [as_json(name, kind.value_type, item) for item in value]
    if is_id(name, kind):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def test_json_lines_hold_every_value(trace):
    for name, schema in trace.schemas.items():
        if name == "syncs":
            continue
        wanted = [
            {f.name: as_json(f.name, f.type, row[f.name]) for f in schema}
            for batch in trace.some(name)
            for row in batch.to_pylist()
        ]
        assert json_rows(schema, trace.some(name)) == wanted, name


def test_csv_holds_every_value(trace):
    for name, schema in trace.schemas.items():
        rows = csv_rows(schema, trace.some(name), neutralize=False)
        assert rows[0] == schema.names
        table = pa.Table.from_batches(trace.some(name), schema)
        assert len(rows) == table.num_rows + 1
        for index, field in enumerate(schema):
            got = [row[index] for row in rows[1:]]
            if pa.types.is_integer(field.type):
                assert [int(cell) if cell else None for cell in got] == table[index].to_pylist()
            elif pa.types.is_string(field.type) or pa.types.is_dictionary(field.type):
                assert got == [value or "" for value in table[index].to_pylist()]


def test_duckdb_reads_both(busy, tmp_path):
    events = busy.of("events")
    write_csv(events, busy.schemas["events"], tmp_path / "events.csv")
    write_json_lines(events, busy.schemas["events"], tmp_path / "events.jsonl")
    wanted = [
        (seq, reason)
        for seq, reason in zip(
            busy.table("events")["seq"].to_pylist(),
            busy.table("events")["reason"].to_pylist(),
            strict=True,
        )
    ]
    for path in ("events.csv", "events.jsonl"):
        with duckdb.connect() as connection:
            connection.execute(f"SELECT seq, reason FROM '{tmp_path}/{path}' ORDER BY seq")
            assert connection.fetchall() == wanted


def test_wall_clocks_keep_nanoseconds(trace):
    schema, batches = trace.schemas["syncs"], trace.of("syncs")
    instants = [row["wall"] for row in json_rows(schema, batches)]
    assert instants == [row[-1] or None for row in csv_rows(schema, batches)[1:]]
    for text, value in zip(instants, trace.table("syncs")["wall"], strict=True):
        assert (text is None) == (not value.is_valid)
        if text is not None:
            assert text[10] == "T"
            assert text.endswith(f"{value.value % 10**9:09}Z")


TEXTS = pa.schema([("name", pa.utf8())])


def texts(*values):
    return [pa.record_batch([pa.array(values, pa.utf8())], schema=TEXTS)]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff20"])
def test_formulas_are_neutral(begin):
    formula = f'{begin}HYPERLINK("http://x","y")'
    assert csv_rows(TEXTS, texts(formula))[1:] == [["'" + formula]]
    assert csv_rows(TEXTS, texts(formula), neutralize=False)[1:] == [[formula]]
    assert csv_rows(TEXTS, texts("a" + formula, "a\n" + formula))[1:] == [
        ["a" + formula],
        ["a\n" + formula],
    ]
    assert json_rows(TEXTS, texts(formula)) == [{"name": formula}]


def test_formulas_in_dictionaries_are_neutral_and_numbers_are_not():
    schema = pa.schema([("reason", pa.dictionary(pa.int16(), pa.utf8())), ("ns", pa.int64())])
    reason = pa.array(["=1", "a"]).dictionary_encode()
    reason = pa.DictionaryArray.from_arrays(reason.indices.cast(pa.int16()), reason.dictionary)
    batch = pa.record_batch([reason, pa.array([-1, 2])], schema=schema)
    assert csv_rows(schema, [batch])[1:] == [["'=1", "-1"], ["a", "2"]]


def test_null_is_not_empty_text():
    file = io.BytesIO()
    write_csv(texts("", None), TEXTS, file)
    assert file.getvalue() == b'"name"\n""\n\n'
    assert json_rows(TEXTS, texts("", None)) == [{"name": ""}, {"name": None}]


def test_ids_lists_and_bytes():
    block = pa.list_(pa.struct([("reason", pa.utf8()), ("ns", pa.int64())]))
    schema = pa.schema(
        [
            ("stack_id", pa.int64()),
            ("frame_ids", pa.list_(pa.int64())),
            ("address", pa.uint64()),
            ("value", pa.uint64()),
            ("raw", pa.binary()),
            ("block", block),
            ("x", pa.float64()),
            ("ok", pa.bool_()),
        ]
    )
    row = {
        "stack_id": BIG,
        "frame_ids": [BIG, 2],
        "address": 2**64 - 1,
        "value": 2**64 - 1,
        "raw": b"\xff\x00",
        "block": [{"reason": "=1", "ns": -5}],
        "x": float("inf"),
        "ok": True,
    }
    batch = pa.RecordBatch.from_pylist([row, {}], schema=schema)
    assert json_rows(schema, [batch]) == [
        {
            **row,
            "stack_id": str(BIG),
            "frame_ids": [str(BIG), "2"],
            "address": str(2**64 - 1),
            "raw": "/wA=",
            "x": None,
        },
        dict.fromkeys(schema.names),
    ]
    assert csv_rows(schema, [batch])[1:] == [
        [
            str(BIG),
            f'["{BIG}","2"]',
            str(2**64 - 1),
            str(2**64 - 1),
            "/wA=",
            '[{"reason":"=1","ns":-5}]',
            "inf",
            "true",
        ],
        [""] * 8,
    ]


def test_counts_are_numbers_and_ids_are_not(trace):
    ids = {f.name for schema in trace.schemas.values() for f in schema if is_id(f.name, f.type)}
    assert ids == {
        "address",
        "by_goroutine",
        "by_stack_id",
        "by_thread",
        "context_stack_id",
        "creation_stack_id",
        "end_stack_id",
        "fingerprint",
        "frame_id",
        "frame_ids",
        "goroutine",
        "last_stack_id",
        "parent",
        "parent_task",
        "resource_id",
        "site_stack_id",
        "stack_id",
        "task",
        "thread",
        "trigger_stack_id",
    }


@given(st.lists(st.none() | st.text()))
def test_any_text_comes_back(values):
    assert [row["name"] for row in json_rows(TEXTS, texts(*values))] == values
    rows = [[value.replace("\x00", "")] for value in values if value]
    clean = texts(*(value.replace("\x00", "") for value in values if value))
    assert [row or [""] for row in csv_rows(TEXTS, clean, neutralize=False)[1:]] == rows


def test_many_rows_come_in_pieces(busy):
    big = pa.Table.from_batches(busy.of("events")).unify_dictionaries().combine_chunks()
    (batch,) = big.to_batches()
    assert batch.num_rows > 8192
    schema = busy.schemas["events"]
    assert json_rows(schema, [batch]) == json_rows(schema, busy.of("events"))
    assert csv_rows(schema, [batch.slice(5)])[1:] == csv_rows(schema, busy.of("events"))[6:]
