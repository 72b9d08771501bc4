"""Text for people: alignment, width, and names that must not move a cursor."""

import io
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gotrace.sinks.text import SAMPLE_ROWS, cells, clip, duration, safe, write_text


def lines(schema, batches, **options):
    file = io.StringIO()
    write_text(batches, schema, file, **options)
    text = file.getvalue()
    assert text.endswith("\n") or not text
    return text.split("\n")[:-1]


def test_real_tables_fit_and_line_up(trace):
    for name, schema in trace.schemas.items():
        rows = sum(batch.num_rows for batch in trace.some(name))
        shown = lines(schema, trace.some(name), origin_ns=trace.start_ns)
        assert all(line == line.rstrip() for line in shown)
        assert len(shown) - rows in (1, 2)
        if rows <= SAMPLE_ROWS:
            assert max(map(cells, shown)) <= 100, name


def test_one_table_exactly():
    schema = pa.schema(
        [
            ("name", pa.utf8()),
            ("start_ns", pa.int64()),
            ("duration_ns", pa.int64()),
            ("empty", pa.utf8()),
            ("seq", pa.int64()),
            ("ok", pa.bool_()),
        ]
    )
    batch = pa.RecordBatch.from_pylist(
        [
            {
                "name": "a",
                "start_ns": 1_000_000_005,
                "duration_ns": 1_234_567,
                "seq": 5,
                "ok": True,
            },
            {"name": "日本", "start_ns": 999_999_999, "duration_ns": 999, "seq": 1234, "ok": False},
            {"seq": 3},
        ],
        schema=schema,
    )
    assert lines(schema, [batch], origin_ns=10**9) == [
        "name       start_ns  duration_ns   seq   ok",
        "a     +0.000000005s      1.235ms     5  yes",
        "日本  -0.000000001s        999ns  1234   no",
        "-                 -            -     3    -",
    ]


def test_what_has_no_room_is_named():
    schema = pa.schema(
        [
            ("a_stack_id", pa.int64()),
            ("b_stack_id", pa.int64()),
            ("name", pa.utf8()),
            ("last", pa.int64()),
        ]
    )
    row = {"a_stack_id": 1 << 60, "b_stack_id": 1 << 60, "name": "n" * 90, "last": 1}
    shown = lines(schema, [pa.RecordBatch.from_pylist([row], schema=schema)], width=50)
    assert shown[0].split() == ["a_stack_id", "name", "last"]
    assert shown[1].split()[1] == "n" * 22 + "…"
    assert shown[2] == "not shown: b_stack_id"


def test_numbers_are_never_cut():
    schema = pa.schema([("seq", pa.int64())])
    batches = [
        pa.record_batch([pa.array([1] * 1000)], schema=schema),
        pa.record_batch([pa.array([10**18])], schema=schema),
    ]
    assert lines(schema, batches)[-1] == str(10**18)


@pytest.mark.parametrize(
    ("stranger", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", r"\x1b[2J\x1b]0;owned\x07"),
        ("a\r\n\tb\x00", r"a\r\n\tb\x00"),
        ("user\u202etxt.exe", r"user\u202etxt.exe"),
        ("\u2066x\u2069\u200b\ufeff\u061c", r"\u2066x\u2069\u200b\ufeff\u061c"),
        ("\x9b31m\x85\x7f", r"\x9b31m\x85\x7f"),
        ("\u2028\U000e0041\ue000", r"\u2028\U000e0041\ue000"),
        ("région 日本 C:\\x", "région 日本 C:\\x"),
    ],
)
def test_strangers_cannot_move_the_cursor(stranger, shown):
    assert safe(stranger) == shown
    schema = pa.schema([(stranger, pa.utf8()), ("list", pa.list_(pa.utf8()))])
    batch = pa.RecordBatch.from_pylist([{stranger: stranger, "list": [stranger]}], schema=schema)
    text = "".join(lines(schema, [batch]))
    assert text.count(shown) == 3
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Zl") for character in text)


@given(st.text(), st.integers(0, 30))
def test_clip_keeps_within(text, width):
    clipped = clip(safe(text), width)
    assert cells(clipped) <= width
    assert clipped == safe(text) or clipped.endswith("…") or width == 0


def test_durations():
    got = [duration(n) for n in (None, 0, 999, 1000, 1_500_000, 2 * 10**9, -1500)]
    assert got == ["-", "0ns", "999ns", "1.000µs", "1.500ms", "2.000s", "-1.500µs"]
