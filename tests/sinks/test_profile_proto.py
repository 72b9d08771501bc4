"""profile.proto out: what is written is what was read, field by field, by the protobuf library."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import gotrace
from gotrace.sinks import profile_proto, protobuf_rows
from gotrace.sinks.profile_proto import ending_of, write_profile
from tests.profiles.proto import Packed, random_profile

TABLES = ("profiles", "samples", "label_sets", "locations", "functions", "mappings")


def tables_of(data: bytes) -> dict[str, pa.Table]:
    source = gotrace.open(data)
    return {name: source.table(name) for name in TABLES}


def written(tables: dict[str, pa.Table], **options: Any) -> bytes:
    out = io.BytesIO()
    write_profile(tables, out, **options)
    return out.getvalue()


def content(data: bytes) -> Any:
    """A profile with every string in the place of its number, broken ones repaired."""
    p = Packed()
    p.ParseFromString(data)
    text = [raw.decode("utf-8", "replace") for raw in p.string_table]
    texts = {"type", "unit", "key", "str", "num_unit", "filename", "build_id", "name"}
    texts |= {"system_name", "drop_frames", "keep_frames", "default_sample_type", "doc_url"}

    def plain(message: Any) -> Any:
        found = {}
        for field, value in message.ListFields():
            if field.name == "string_table":
                continue
            if field.type == field.TYPE_MESSAGE:
                many = not hasattr(value, "ListFields")
                found[field.name] = [plain(m) for m in value] if many else plain(value)
            elif field.name in texts:
                found[field.name] = text[value]
            elif field.name == "comment":
                found[field.name] = [text[number] for number in value]
            else:
                found[field.name] = list(value) if hasattr(value, "extend") else value
        return {name: value for name, value in found.items() if value != ""}

    return plain(p)


@pytest.mark.parametrize("seed", range(25))
def test_what_is_written_is_what_was_read(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_proto, "_SAMPLES_AT_ONCE", 7)
    data = random_profile(seed).SerializeToString()
    tables = tables_of(data)
    again = written(tables, compression=None)
    assert content(again) == content(data)
    for name, table in tables_of(again).items():
        places = ("offset", "bytes")
        kept = [column for column in table.schema.names if column not in places]
        assert table.select(kept).equals(tables[name].select(kept)), name


def test_several_profiles_are_written_one_behind_the_other() -> None:
    data = [random_profile(seed).SerializeToString() for seed in (1, 2)]
    again = written(tables_of(b"".join(data)), compression=None)
    assert again == b"".join(written(tables_of(one), compression=None) for one in data)


def test_packing() -> None:
    tables = tables_of(random_profile(3).SerializeToString())
    plain = written(tables, compression=None)
    packed = written(tables)
    assert gzip.decompress(packed) == plain
    assert packed == written(tables)
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    assert unpacker.decompress(written(tables, compression="zstd")) == plain


def test_an_empty_profile() -> None:
    empty = written(tables_of(Packed(string_table=[b""], comment=[0]).SerializeToString()))
    assert content(gzip.decompress(empty)) == {"comment": [""]}


def test_a_sample_without_its_values() -> None:
    tables = tables_of(random_profile(4).SerializeToString())
    samples = tables["samples"]
    place = samples.schema.get_field_index("values")
    short = pa.array([[]] * samples.num_rows, samples.schema.field("values").type)
    tables["samples"] = samples.set_column(place, samples.schema.field("values"), short)
    with pytest.raises(ValueError, match="does not have"):
        written(tables)


def test_a_label_set_without_its_labels() -> None:
    tables = tables_of(random_profile(5).SerializeToString())
    tables["label_sets"] = tables["label_sets"].slice(0, 0)
    with pytest.raises(ValueError, match="in no row of label_sets"):
        written(tables)


def test_endings() -> None:
    names = ("a/CPU.PB.GZ", "a.pb", "a.pb.zst", "default.pgo", "a.parquet", "pb")
    assert [ending_of(name) for name in names] == [".pb.gz", ".pb", ".pb.zst", ".pgo", None, None]


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5), max_size=8))
def test_varints(lists: list[list[int]]) -> None:
    offsets = np.cumsum([0, *map(len, lists)])
    flat = np.array([number for each in lists for number in each], np.int64)
    samples = protobuf_rows.message(2, protobuf_rows.packed(2, offsets, flat))
    found = Packed()
    found.ParseFromString(protobuf_rows.encoded(samples))
    assert [list(sample.value) for sample in found.sample] == lists
