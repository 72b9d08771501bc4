"""The schemas as data, and the docs page made from them."""

from pathlib import Path

import pyarrow as pa
import pytest

import gotrace
from gotrace.tables import docs
from gotrace.tables.columns import DICTIONARIES
from gotrace.tables.schema import SETS, TABLES, resolve

ROOT = Path(__file__).parents[2]


def test_docs_page_is_up_to_date():
    assert (ROOT / docs.PAGE).read_text(encoding="utf-8") == docs.page()


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_is(name):
    schema = gotrace.schema(name)
    assert schema.metadata[b"gotrace.table"] == name.encode()
    assert schema.metadata[b"gotrace.schema_version"] == str(gotrace.SCHEMA_VERSION).encode()
    for field, column in zip(schema, TABLES[name].columns, strict=True):
        meaning = field.metadata[b"description"].decode()
        assert meaning
        assert not meaning.endswith(".")
        if field.name.endswith("_ns"):
            assert field.metadata[b"unit"] == b"ns"
        if field.name.endswith("_bytes"):
            assert field.metadata[b"unit"] == b"bytes"
        if pa.types.is_unsigned_integer(field.type):
            assert field.name in ("value", "value2", "value3", "address")
        if pa.types.is_dictionary(field.type):
            assert len(DICTIONARIES[column.words]) < 2 ** (field.type.index_type.bit_width - 1)


def test_columns_are_chosen_and_ordered():
    assert gotrace.schema("events", ["kind", "seq"]).names == ["kind", "seq"]
    with pytest.raises(gotrace.UnknownNameError, match="did you mean 'time_ns'"):
        gotrace.schema("events", ["time"])
    with pytest.raises(KeyError, match="did you mean 'events'"):
        gotrace.schema("event")


def test_sets_are_within_each_other():
    summary, default, everything = (set(resolve(name)) for name in SETS)
    assert summary < default < everything == set(TABLES)
    assert resolve("events, summary")[0] == "events"
    assert resolve(["logs", "events", "logs"]) == ("events", "logs")
    with pytest.raises(gotrace.UnknownNameError, match="table or set"):
        resolve("defualt")
