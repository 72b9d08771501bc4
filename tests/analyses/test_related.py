"""Related goroutines: those of Go, and how far away they are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import gotrace
from gotrace.analyses.related import related
from tests.core.decoding import readable, real
from tests.golab import peers, toolchain

TRACES = ("blocking-go1.22", "io-go1.27", "annotations-go1.25", "coro-go1.27")


@pytest.mark.go
@pytest.mark.parametrize("name", readable(TRACES))
def test_equal_to_go(name: str, tmp_path: Path) -> None:
    toolchain.require()
    path = tmp_path / "trace"
    path.write_bytes(real(name))
    lines = peers.analysis("related", path)
    trace = gotrace.open(path)
    needed = {
        "goroutine_transitions": trace.table("goroutine_transitions"),
        "goroutines": trace.table("goroutines"),
    }
    for line in lines[:: max(1, len(lines) // 40)]:
        goroutine, *others = map(int, line.split())
        found = related(needed, goroutine)
        assert sorted(found["goroutine"].to_pylist()) == sorted(others)


def test_how_far_and_how_often() -> None:
    trace = gotrace.open(real("blocking-go1.27"))
    wakes: Counter[tuple[int, int]] = Counter()
    for row in trace.table("goroutine_transitions").to_pylist():
        if row["from_state"] == "waiting" and row["by_goroutine"] is not None:
            wakes[row["goroutine"], row["by_goroutine"]] += 1
    names = {row["goroutine"]: row["name"] for row in trace.table("goroutines").to_pylist()}
    for goroutine in sorted({woken for woken, _ in wakes})[:5]:
        table = related(trace, goroutine, depth=4)
        assert table.schema.equals(gotrace.schema("related_goroutines"))
        rows = table.to_pylist()
        assert (rows[0]["goroutine"], rows[0]["distance"]) == (goroutine, 0)
        near = {row["goroutine"]: row["distance"] for row in rows}
        for row in rows:
            assert row["name"] == names[row["goroutine"]]
            steps = [
                near[woken] for woken, waker in wakes if waker == row["goroutine"] and woken in near
            ]
            if row["distance"]:
                assert row["distance"] == min(steps) + 1
                assert row["wakeups"] == sum(
                    times
                    for (woken, waker), times in wakes.items()
                    if waker == row["goroutine"] and near.get(woken) == row["distance"] - 1
                )


def test_an_unknown_goroutine() -> None:
    rows = related(gotrace.open(real("coro-go1.27")), 10**12).to_pylist()
    assert rows == [{"goroutine": 10**12, "name": None, "distance": 0, "wakeups": 0}]
