"""Few bytes that stand for much: a limit says so, soon, and before the memory is taken."""

from __future__ import annotations

import gzip
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest

import gotrace
from tests.profiles.proto import Packed
from tests.timing import within

HUGE = b"a function name that is far too long " * (1 << 16)
MANY = 5000
MOST_MIB = 400


def profile(*more: bytes) -> Any:
    p = Packed(string_table=[b"", b"samples", b"count", b"main.f", b"f.go", *more])
    p.sample_type.add(type=1, unit=2)
    return p


def frames() -> Any:
    """A thousand samples of a thousand times a location that has a thousand lines."""
    p = profile()
    p.function.add(id=1, name=3, filename=4)
    for id in (1, 2):
        made = p.location.add(id=id)
        for line in range(1000):
            made.line.add(function_id=1, line=line)
    for number in range(1000):
        bits = [1 + (number >> bit & 1) for bit in range(10)]
        p.sample.add(value=[1], location_id=bits + [1] * 990)
    return p


def names() -> Any:
    """One long text that every function has for its name."""
    p = profile(HUGE)
    for id in range(1, MANY):
        p.function.add(id=id, name=5, system_name=5, filename=5)
        p.location.add(id=id).line.add(function_id=id, line=1)
        p.sample.add(location_id=[id], value=[1])
    return p


def files() -> Any:
    """One function of a long file, in which every line is another frame."""
    p = profile(HUGE)
    p.function.add(id=1, name=3, filename=5)
    for id in range(1, MANY):
        p.location.add(id=id).line.add(function_id=1, line=id)
        p.sample.add(location_id=[id], value=[1])
    return p


def labels() -> Any:
    p = profile(HUGE)
    p.location.add(id=1)
    for number in range(MANY):
        sample = p.sample.add(location_id=[1], value=[1])
        sample.label.add(key=5, str=5)
        sample.label.add(key=3, num=number)
    return p


def types() -> Any:
    p = profile(HUGE)
    p.sample_type[0].type = 5
    p.location.add(id=1)
    for _ in range(MANY):
        p.sample.add(location_id=[1], value=[1])
    return p


@pytest.mark.parametrize("make", [frames, names, files, labels, types])
def test_what_comes_again_and_again(make: Callable[[], Any]) -> None:
    data = make().SerializeToString()
    before, start = peak_mib(), time.process_time()
    with pytest.raises(gotrace.LimitError, match=r"<bytes>: .*(memory_bytes|hashed)"):
        for _ in gotrace.open(data).scan("all"):
            pass
    assert time.process_time() - start < within(3)
    assert peak_mib() - before < MOST_MIB


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def test_a_tree_of_too_many_frames() -> None:
    with pytest.raises(gotrace.LimitError, match="1000000000 frames"):
        gotrace.flame(gotrace.open(frames().SerializeToString()))
    assert gotrace.top(gotrace.open(frames().SerializeToString())).num_rows == 1


def test_a_stack_without_end() -> None:
    """Nothing is recursive: a deep stack is one of many rows."""
    p = profile()
    p.function.add(id=1, name=3, filename=4)
    for id in (1, 2):
        p.location.add(id=id).line.add(function_id=1, line=id)
    p.sample.add(location_id=[1, 2] * 100_000, value=[1])
    source = gotrace.open(p.SerializeToString())
    assert source.table("stacks", ["depth"])["depth"].to_pylist() == [200_000]
    flame = gotrace.flame(source)
    assert (flame.num_rows, flame["depth"][-1].as_py()) == (200_001, 200_000)


def test_bombs_in_gzip() -> None:
    """Zeros behind a profile, packed once and twice: growth is watched on the way."""
    head = profile().SerializeToString() + b"\x32\xff\xff\xff\x7f"
    bomb = gzip.compress(head + bytes(256 << 20), 9)
    limits = gotrace.Limits(inflate_ratio=500)
    for data, limit in ((bomb, limits), (gzip.compress(bomb, 9), limits)):
        before, start = peak_mib(), time.process_time()
        with pytest.raises(gotrace.LimitError, match="inflate_ratio"):
            gotrace.open(data, limits=limit).table("samples")
        assert time.process_time() - start < within(3)
        assert peak_mib() - before < MOST_MIB
    with pytest.raises(gotrace.LimitError, match="memory_bytes"):
        small = gotrace.Limits(memory_bytes=64 << 20)
        gotrace.open(bomb, limits=small).table("samples")
