"""Profiles as text: those of Go held against profile.proto of the same moment, and made ones."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gotrace
from gotrace.tables.profile import Profile
from tests.golab.record_profile_texts import recorded

PAIRS = list(recorded())


def opened(given: Any, **options: Any) -> Profile:
    source = gotrace.open(given, **options)
    assert isinstance(source, Profile)
    return source


def samples(source: Profile) -> Iterator[dict[str, Any]]:
    """Every sample with its stack and its labels, in any order."""
    stacks = {row["stack_id"]: row for row in source.table("stacks").to_pylist()}
    sets: dict[Any, list[Any]] = {}
    for row in source.table("label_sets").to_pylist():
        sets.setdefault(row["label_set_id"], []).append((row["key"], row["str"], row["num"]))
    for row in source.table("samples").to_pylist():
        labels = sorted(sets.get(row["label_set_id"], []), key=str)
        yield {"values": row["values"], "labels": labels, **stacks[row["stack_id"]]}


def program_samples(source: Profile) -> list[Any]:
    """What the program itself did: writing a profile leaves traces in the next one."""
    return sorted(
        (sample["values"], sample["labels"], sample["site_stack_id"], sample["fingerprint"])
        for sample in samples(source)
        if any(name.startswith("main.") for name in sample["functions"])
        and "main.write" not in sample["functions"]
    )


@pytest.mark.parametrize(("text", "proto"), PAIRS, ids=lambda path: path.name)
def test_text_says_what_the_proto_says(text: Path, proto: Path) -> None:
    """Values scaled alike, labels, and the keys that do not depend on hidden frames."""
    ours, theirs = opened(text), opened(proto)
    assert program_samples(ours) == program_samples(theirs)
    (said,), (meant,) = ours.info().profiles, theirs.info().profiles
    for column in ("sample_types", "period_type", "period_unit", "period"):
        assert said[column] == meant[column]
    kind = text.name.partition("-")[0]
    assert said["format"] == {"block": "contention"}.get(kind, kind)
    assert not ours.notes


def test_every_kind_and_version_is_recorded() -> None:
    kinds = ("heap", "block", "mutex", "goroutine", "threadcreate")
    wanted = {f"{kind}-go1.{minor}" for kind in kinds for minor in range(21, 28)}
    names = {text.name.removesuffix(".txt.gz") for text, _ in PAIRS}
    assert names == wanted | {"goroutineleak-go1.27"}


HEAP = b"""heap profile: 3: 30 [9: 900] @ heap/1024
1: 10 [4: 400] @ 0x11 0x22 0x22 0x33
#\t0x21\tmain.rec+0x1\t/x/a.go:7
#\t0x21\tmain.rec+0x1\t/x/a.go:7
#\t0x32\tmain.(*T).in+0x2\t\t/x/b.go:8
#\t0x32\tmain.out[...]+0x2\t\tC:/y/c.go:9

0: 0 [0: 0] @

# runtime.MemStats
# Alloc = 7
"""


def test_comments_name_the_addresses() -> None:
    """Inlined frames, a function that calls itself, what is left out at both ends."""
    first, empty = samples(opened(HEAP))
    assert first["functions"] == [
        "runtime.hidden",
        "main.rec",
        "main.rec",
        "main.(*T).in",
        "main.out[...]",
    ]
    assert (first["site"], first["depth"]) == ("main.rec a.go:7", 5)
    assert first["labels"] == [("bytes", None, 100)]
    assert (empty["functions"], empty["values"]) == ([], [0, 0, 0, 0])
    locations = opened(HEAP).table("locations").to_pylist()
    assert [row["address"] for row in locations] == [0x10, 0x21, 0x32]
    assert [[line["inlined"] for line in row["lines"]] for row in locations][2] == [True, False]


def test_samples_without_symbols_have_addresses_in_their_mapping() -> None:
    text = b"""--- contentionz 1 ---
cycles/second = 2000000000
sampling period = 100
ms since reset = 7
discarded samples = 0
 4000 2 @ 0x401000 0x7f0000000010
MAPPED_LIBRARIES:
00400000-00500000 r-xp 00001000 08:01 42      /bin/it
7f0000000000-7f0000001000 r-xp 00000000 00:00 0
"""
    source = opened(text)
    (sample,) = samples(source)
    assert sample["values"] == [200, 200_000]
    assert sample["depth"] == 2
    (profile,) = source.info().profiles
    assert (profile["duration_ns"], profile["period"]) == (7_000_000, 100)
    rows = source.table("mappings").to_pylist()
    assert [(row["memory_start"], row["file_offset"], row["file"]) for row in rows] == [
        (0x400000, 0x1000, "/bin/it"),
        (0x7F0000000000, 0, None),
    ]
    frames = source.table("frames").to_pylist()
    assert [(row["image"], row["address"]) for row in frames] == [
        ("/bin/it", 0x1FFF),
        (None, 0xF),
    ]


@pytest.mark.parametrize(
    ("head", "period", "objects"),
    [("heap/1024", 512, 4), ("heap_v2/512", 512, 4), ("heapprofile", 1, 1), ("growthz", 1, 1)],
)
def test_sampling_of_heaps(head: str, period: int, objects: int) -> None:
    text = f"heap profile: 1: 128 [ 1: 128] @ {head}\n1: 128 [ 1: 128] @ 0x1\n"
    source = opened(text.encode())
    assert source.info().profiles[0]["period"] == period
    assert source.table("samples")["values"].to_pylist()[0][0] == objects


FAULTS = {
    b"nonsense\n": "a line that is none of a profile",
    b"99999999999999999999: 1 [1: 1] @ 0x1\n": "a line that is none of a profile",
    b"9223372036854775808: 1 [1: 1] @ 0x1\n": "a number is longer than 64 bits",
    b"# labels: {oops}\n": "labels that can't be read",
    b"#\tx\ty\tz\n": "a frame that can't be read",
    b"#\t\t\n": "a frame that can't be read",
}


@pytest.mark.parametrize("line", FAULTS)
def test_faults_have_their_place_and_do_not_cost_the_rest(line: bytes) -> None:
    at = HEAP.index(b"\n0: 0")
    text = HEAP[:at] + line + HEAP[at:]
    with pytest.raises(gotrace.FormatError, match=re.escape(FAULTS[line])) as raised:
        opened(text).table("samples")
    assert raised.value.offset == at
    source = opened(text, on_error="salvage")
    assert source.table("samples").num_rows == 2
    assert [note["offset"] for note in source.notes] == [at]
    assert opened(text, on_error="skip").table("samples").num_rows == 0


@pytest.mark.parametrize(
    "line",
    [
        b"# labels: {" + b'"a":"b", ' * 200_000 + b"}",
        b"# labels: {" + b'"' * 1_000_000 + b"}",
        b"#\t0x1\t" + b"+0x1\t" * 200_000,
        b"#\t0x1\t" + b"+0x1:1" * 200_000 + b"\tx",
        b" " * 1_000_000,
        b"1: 1 [1: 1] @" + b" 0x1" * 200_000 + b"!",
        b"=" * 1_000_000,
    ],
    ids=range(7),
)
def test_long_lines_take_no_time(line: bytes) -> None:
    start = time.process_time()
    opened(HEAP + line + b"\n", on_error="salvage").table("samples")
    assert time.process_time() - start < 5
