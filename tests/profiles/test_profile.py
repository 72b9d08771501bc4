"""Profiles to tables, compared with what the protobuf library reads."""

from __future__ import annotations

import gzip
import random
import signal
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import zstandard

import gotrace
from gotrace._core import decode_profile, frame_keys
from gotrace.tables.profile import Profile
from gotrace.tables.profile_raw import Texts
from gotrace.tables.schema import PROFILE_TABLES
from gotrace.tables.stack_keys import (
    address_id,
    frame_id,
    frame_row,
    label_set_id,
    stack_row,
)
from tests.profiles.proto import Packed, Unpacked, random_profile


def rows(data: bytes, table: str, **options: Any) -> list[dict[str, Any]]:
    return opened(data, **options).table(table).to_pylist()


def opened(data: bytes, **options: Any) -> Profile:
    source = gotrace.open(data, **options)
    assert isinstance(source, Profile)
    return source


def signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


@pytest.mark.parametrize("seed", range(25))
def test_every_field_is_as_protobuf_reads_it(seed: int) -> None:
    p = random_profile(seed)
    data = p.SerializeToString()
    text = [raw.decode("utf-8", "replace") or None for raw in p.string_table]
    need = [t or "" for t in text]

    (profile,) = opened(data).info().profiles
    assert profile["sample_types"] == [
        {"type": need[t.type], "unit": need[t.unit]} for t in p.sample_type
    ]
    assert (profile["period_type"], profile["period_unit"]) == ("cpu", "ns")
    assert (profile["time"], profile["duration_ns"]) == (p.time_nanos, p.duration_nanos)
    assert profile["period"] == p.period
    assert profile["comments"] == [need[c] for c in p.comment]
    assert profile["drop_frames"] == text[p.drop_frames]
    assert profile["keep_frames"] == text[p.keep_frames]
    assert profile["doc_url"] == text[p.doc_url]
    assert profile["default_sample_type"] == text[p.default_sample_type]

    sets: dict[int, list[Any]] = {}
    for row in rows(data, "label_sets"):
        assert row["position"] == len(sets.setdefault(row["label_set_id"], []))
        sets[row["label_set_id"]].append((row["key"], row["str"], row["num"], row["unit"]))
    samples = rows(data, "samples")
    assert len(samples) == len(p.sample)
    for ours, theirs in zip(samples, p.sample, strict=True):
        assert ours["location_ids"] == [signed(id) for id in theirs.location_id]
        assert ours["values"] == list(theirs.value)
        assert sets.get(ours["label_set_id"], []) == [
            (
                need[x.key],
                text[x.str],
                x.num if x.num or not text[x.str] else None,
                text[x.num_unit],
            )
            for x in theirs.label
        ]
    assert [
        (row["sample"], row["type"], row["unit"], row["value"])
        for row in rows(data, "sample_values")
    ] == [
        (i, need[t.type], need[t.unit], v)
        for i, s in enumerate(p.sample)
        for t, v in zip(p.sample_type, s.value, strict=True)
    ]
    assert [
        (row["location_id"], row["mapping_id"], row["address"], row["is_folded"])
        for row in rows(data, "locations")
    ] == [(signed(x.id), signed(x.mapping_id) or None, x.address, x.is_folded) for x in p.location]
    assert [
        [(line["function_id"], line["line"], line["column"], line["inlined"])
         for line in row["lines"]]
        for row in rows(data, "locations")
    ] == [
        [(signed(n.function_id), n.line, n.column, i < len(x.line) - 1)
         for i, n in enumerate(x.line)]
        for x in p.location
    ]  # fmt: skip
    assert [tuple(row.values())[1:] for row in rows(data, "functions")] == [
        (signed(f.id), text[f.name], text[f.system_name], text[f.filename], f.start_line)
        for f in p.function
    ]
    assert [tuple(row.values())[1:] for row in rows(data, "mappings")] == [
        (signed(m.id), m.memory_start, m.memory_limit, m.file_offset, text[m.filename],
         text[m.build_id], m.has_functions, m.has_filenames, m.has_line_numbers,
         m.has_inline_frames)
        for m in p.mapping
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_stacks_have_the_keys_of_their_frames(seed: int) -> None:
    p = random_profile(seed)
    data = p.SerializeToString()
    text = [raw.decode("utf-8", "replace") for raw in p.string_table]
    functions = {f.id: f for f in p.function}
    mappings = {m.id: m for m in p.mapping}
    stacks = {row["stack_id"]: row for row in rows(data, "stacks")}
    frames = {row["frame_id"] for row in rows(data, "frames")}
    locations = {x.id: x for x in p.location}
    for ours, theirs in zip(rows(data, "samples"), p.sample, strict=True):
        ids, names, files, lines = [], [], [], []
        for location in (locations[id] for id in theirs.location_id):
            for line in location.line:
                f = functions[line.function_id]
                names.append(text[f.name])
                files.append(text[f.filename])
                lines.append(line.line)
                ids.append(frame_row(names[-1], files[-1], lines[-1]).frame_id)
            if not location.line:
                m = mappings.get(location.mapping_id)
                image = (text[m.build_id] or text[m.filename]) if m else ""
                shift = m.file_offset - m.memory_start if m else 0
                ids.append(address_id(image, location.address + shift))
                names.append("")
                files.append("")
                lines.append(0)
        expected = stack_row(ids, names, files, lines)
        row = stacks[ours["stack_id"]]
        assert ours["stack_id"] == expected.stack_id
        assert row["site_stack_id"] == expected.site_stack_id
        assert row["fingerprint"] == expected.fingerprint
        assert (row["frame_ids"], row["depth"]) == (ids, len(ids))
        assert frames.issuperset(ids)


def fields_of(message: bytes) -> list[tuple[int, bytes]]:
    """The fields of a message, each with its number."""

    def number(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value |= (message[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 0x80:
                return value, at

    found, at = [], 0
    while at < len(message):
        tag, end = number(at)
        size, end = number(end)
        end += size if tag & 7 == 2 else 0
        found.append((tag >> 3, message[at:end]))
        at = end
    return found


@pytest.mark.parametrize("seed", range(8))
def test_tables_and_strings_stand_before_or_after_what_names_them(seed: int) -> None:
    """Whatever the order of the fields, of messages too; Go has the strings last."""
    data, rng = random_profile(seed).SerializeToString(), random.Random(seed)
    fields = fields_of(data)
    kinds = sorted({number for number, _ in fields})
    rng.shuffle(kinds)
    moved = [field for kind in kinds for number, field in fields if number == kind]
    assert sum(map(len, moved)) == len(data)
    for name in set(PROFILE_TABLES) - {"profiles"}:
        assert opened(b"".join(moved)).table(name).equals(opened(data).table(name)), name


def test_every_member_of_a_gzip_file_may_be_a_profile() -> None:
    parts = [random_profile(seed).SerializeToString() for seed in range(3)]
    packed = b"".join(map(gzip.compress, parts)) + bytes(99)
    assert [row["bytes"] for row in opened(packed).info().profiles] == list(map(len, parts))
    assert opened(packed).table("samples").equals(opened(b"".join(parts)).table("samples"))


def test_numbers_of_labels_are_kept_also_zero() -> None:
    """google/pprof loses a 0 without a unit, and the number beside a text."""
    p = Packed(string_table=[b"", b"n", b"bytes", b"text"])
    p.sample_type.add(type=1, unit=2)
    sample = p.sample.add(value=[1])
    for label in (
        {},
        {"num": 7},
        {"num_unit": 2},
        {"num": -1, "num_unit": 2},
        {"str": 3},
        {"str": 3, "num": 9},
    ):
        sample.label.add(key=1, **label)
    found = [
        (row["key"], row["str"], row["num"], row["unit"])
        for row in rows(p.SerializeToString(), "label_sets")
    ]
    assert found == [
        ("n", None, 0, None),
        ("n", None, 7, None),
        ("n", None, 0, "bytes"),
        ("n", None, -1, "bytes"),
        ("n", "text", None, None),
        ("n", "text", 9, None),
    ]


def test_a_long_decode_hears_ctrl_c() -> None:
    """An exception of a signal's handler ends it at the next look, every few milliseconds."""
    sample = b"\x12\x0c\x0a\x02\x01\x01\x0a\x02\x01\x01\x10\x01\x10\x01"
    location = b"\x22\x02\x08\x01"
    data = b"\x0a\x00\x0a\x00" + location + sample * (4 << 20)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    try:
        start = time.thread_time()
        decode_profile(data, 0, 1 << 34)
        whole = time.thread_time() - start
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        start = time.thread_time()
        with pytest.raises(KeyboardInterrupt):
            decode_profile(data, 0, 1 << 34)
        assert time.thread_time() - start < whole / 2
    finally:
        signal.signal(signal.SIGALRM, before)


def test_packed_and_unpacked_are_one() -> None:
    source = next(p for p in map(random_profile, range(9)) if type(p) is Packed)
    packed = source.SerializeToString()
    unpacked = Unpacked.FromString(packed).SerializeToString()
    assert packed != unpacked
    for name in set(PROFILE_TABLES) - {"profiles"}:
        assert opened(packed).table(name).equals(opened(unpacked).table(name)), name
    # A field of both kinds in one sample goes on where the other left off.
    mixed = bytes.fromhex("0a00" "0a00" "1206" "1003" "1202" "0405")[:4] + bytes.fromhex(
        "1204" "1003" "1004"
    ) + bytes.fromhex("1204" "1202" "0304") + bytes.fromhex("1205" "1003" "120104")  # fmt: skip
    assert [row["values"] for row in rows(mixed, "samples")] == [[3, 4]] * 3


@pytest.mark.parametrize("container", ["gzip", "zstd", "gzip+gzip", "members", "padding"])
def test_containers(container: str) -> None:
    data = random_profile(1).SerializeToString()
    half = len(data) // 2
    packed = {
        "gzip": gzip.compress(data),
        "zstd": zstandard.compress(data),
        "gzip+gzip": gzip.compress(gzip.compress(data)),
        "members": gzip.compress(data[:half]) + gzip.compress(data[half:]),
        "padding": gzip.compress(data) + bytes(512),
    }[container]
    source = opened(packed)
    assert source.table("samples").equals(opened(data).table("samples"))
    said = container if "+" in container or container == "zstd" else "gzip"
    assert source.info().compression == said


def test_several_profiles_in_one_file() -> None:
    parts = [random_profile(seed).SerializeToString() for seed in range(3)]
    # As Go writes: the time first, the strings last.
    go = Packed(time_nanos=7).SerializeToString() + parts[0]
    parts += [go, go]
    whole = opened(b"".join(parts))
    profiles = whole.info().profiles
    assert [row["bytes"] for row in profiles][:3] == [len(part) for part in parts][:3]
    assert sum(row["bytes"] for row in profiles) == sum(map(len, parts))
    samples = whole.table("samples")
    for number, part in enumerate(parts):
        mine = samples.filter(pa.compute.equal(samples["profile"], number))
        assert mine.drop(["profile"]).equals(opened(part).table("samples").drop(["profile"]))
    assert len({row["stack_id"] for row in rows(b"".join(parts), "stacks")}) == len(
        rows(b"".join(parts), "stacks")
    )


FAULTS = {
    "location 9 is named, which is not defined": lambda p: p.sample[0].location_id.append(9999),
    "string 99 is named": lambda p: setattr(p.function[0], "name", 99),
    "has 9 values": lambda p: p.sample[0].value.extend([1] * (9 - len(p.sample_type))),
    "is defined twice": lambda p: p.function.add(id=p.function[0].id),
    "an id is 0": lambda p: p.location.add(address=5),
    "function 12345 is named": lambda p: p.location[0].line.add(function_id=12345),
    "the first string is not empty": lambda p: p.string_table.insert(0, b"x"),
    "string 18446744073709551615 is named": lambda p: setattr(p, "doc_url", -1),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_faults_are_told(reason: str) -> None:
    p = random_profile(2)
    FAULTS[reason](p)
    data = p.SerializeToString()
    with pytest.raises(gotrace.FormatError, match=reason.replace("location 9 ", "location 9999 ")):
        rows(data, "samples")
    source = opened(data, on_error="salvage")
    assert source.table("samples").num_rows == 0
    assert [note["severity"] for note in source.notes][-1:] == ["error"]


@pytest.mark.parametrize("other", [0, 2, 1 << 63, (1 << 63) - 1, (1 << 64) - 1])
def test_a_location_that_no_row_has(other: int) -> None:
    """Also where ids count from 1, and one is as far off as can be."""
    p = Packed(string_table=[b"", b"cpu", b"ns"])
    p.sample_type.add(type=1, unit=2)
    p.location.add(id=1)
    p.sample.add(value=[1], location_id=[1, other])
    p.sample.add(value=[1])
    p.sample.add(value=[1])
    with pytest.raises(gotrace.FormatError, match=f"location {other} is named"):
        rows(p.SerializeToString(), "samples")
    p.location.add(id=other or 5)
    p.sample[0].location_id[1] = other or 5
    assert [row["location_ids"] for row in rows(p.SerializeToString(), "samples")] == [
        [1, signed(other or 5)],
        [],
        [],
    ]


def test_unknown_fields_are_passed_over_and_groups_are_not() -> None:
    data = random_profile(3).SerializeToString()
    unknown = b"\xfa\x01\x02hi" + b"\xf5\x01abcd" + b"\xf1\x01abcdefgh" + b"\xf0\x01\x07"
    assert rows(data + unknown, "samples") == rows(data, "samples")
    with pytest.raises(gotrace.FormatError, match="wire type 3"):
        rows(data + b"\xf3\x01", "samples")


def test_damaged_bytes_give_rows_or_typed_errors() -> None:
    rng = random.Random(4)
    whole = random_profile(5).SerializeToString()
    limits = gotrace.Limits(memory_bytes=64 << 20)
    outcomes = set()
    for _ in range(1500):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 1, 3, 20])):
            data[rng.randrange(len(data))] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        try:
            source = gotrace.open(bytes(data), limits=limits)
            for _, batch in source.scan("all"):
                batch.validate(full=True)
            outcomes.add("fine")
        except (gotrace.FormatError, gotrace.LimitError) as error:
            outcomes.add(type(error).__name__)
    assert outcomes >= {"fine", "FormatError", "TruncatedError"}


def test_limits_hold() -> None:
    many = b"\x12\x00" * 200_000  # two bytes each, and several numbers in memory
    data = random_profile(6).SerializeToString()
    with pytest.raises(gotrace.LimitError, match="memory"):
        opened(b"\x0a\x00" + many, limits=gotrace.Limits(memory_bytes=1 << 20)).table("samples")
    with pytest.raises(gotrace.LimitError, match="memory"):
        bomb = gzip.compress(data + b"\x32\x80\x80\x80\x04" + bytes(8 << 20))
        opened(bomb, limits=gotrace.Limits(memory_bytes=1 << 20)).table("samples")
    with pytest.raises(gotrace.LimitError, match="rows"):
        opened(data, limits=gotrace.Limits(rows=3)).table("samples")


@pytest.mark.parametrize("table", PROFILE_TABLES)
def test_columns_alone_are_those_of_the_whole_table(table: str) -> None:
    source = opened(random_profile(7).SerializeToString())
    whole = source.table(table)
    for column in whole.column_names:
        assert source.table(table, [column]).equals(whole.select([column]))


def test_arrow_keeps_what_the_decoder_no_longer_needs() -> None:
    data = random_profile(8).SerializeToString()
    kept = opened(data).table("samples")
    for seed in range(50):
        opened(random_profile(seed).SerializeToString()).table("samples")
    assert kept.equals(opened(data).table("samples"))


@pytest.mark.parametrize("seed", range(8))
def test_label_sets_and_sites_are_those_of_the_reference(seed: int) -> None:
    p = random_profile(seed)
    data = p.SerializeToString()
    sets: dict[int, list[Any]] = {}
    for row in rows(data, "label_sets"):
        label = (row["key"], row["str"], row["num"], row["unit"])
        sets.setdefault(row["label_set_id"], []).append(label)
    assert {label_set_id(labels) for labels in sets.values()} == set(sets)
    frames = {row["frame_id"]: row for row in rows(data, "frames")}
    for row in rows(data, "stacks"):
        named = [frames[id] for id in row["frame_ids"]]
        expected = stack_row(
            row["frame_ids"],
            row["functions"],
            [frame["file"] or "" for frame in named],
            [frame["line"] or 0 for frame in named],
        )
        assert [row[name] for name in ("leaf", "root")] == [
            expected.leaf or None,
            expected.root or None,
        ]
        found = (row["site"], row["site_function"], row["site_file"])
        assert found == (expected.site, expected.site_function, expected.site_file)


def test_hashes_of_every_length() -> None:
    """What hashlib says of messages of every length around the border of a block."""
    names = ["x" * size for size in range(140)]
    texts = Texts.of(names)
    rows_ = np.arange(len(names))
    keys = np.empty(len(names), np.int64)
    frame_keys(*texts, *texts, rows_, rows_[::-1].copy(), rows_ - 70, keys)
    assert keys.tolist() == [frame_id(name, names[-1 - i], i - 70) for i, name in enumerate(names)]
