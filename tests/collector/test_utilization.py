"""Mutator utilization: equal to Go's where Go's is asked for, to its definition where it is not."""

from __future__ import annotations

import io
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gotrace
from gotrace.analyses.utilization import COUNTED, PARTS, QUANTILES, mmu, mutator_utilization
from gotrace.tables.schema import schema
from gotrace.testing import GoStatus, ProcStatus, TraceWriter
from tests.core.decoding import readable, real
from tests.golab import peers, toolchain

TRACES = (
    *("gc-go1.22", "gc-go1.27", "gc-generations-go1.23", "gc-generations-go1.26"),
    *("gc-stress-go1.24", "annotations-generations-go1.25", "flightrecorder-go1.26", "io-go1.27"),
)
WINDOWS = [step * 10**power for power in range(3, 10) for step in (1, 3)]


# --- Go's numbers ---------------------------------------------------------------------------------


@pytest.mark.go
@pytest.mark.parametrize("per_proc", [False, True])
@pytest.mark.parametrize("counting", [COUNTED, PARTS, ("stw",), ("background", "sweep")])
@pytest.mark.parametrize("name", readable(TRACES))
def test_equal_to_go(name: str, counting: tuple[str, ...], per_proc: bool, tmp_path: Path) -> None:
    toolchain.require()
    path = tmp_path / "trace"
    path.write_bytes(real(name))
    go = of_go(path, counting, per_proc)
    trace = gotrace.open(path)
    if go is None:
        with pytest.raises(ValueError, match="go tool trace fails on this trace"):
            mutator_utilization(trace, counting, per_proc=per_proc, compat="go")
        return
    points, curve = go
    ours = mutator_utilization(trace, counting, per_proc=per_proc, compat="go")
    assert intervals(points) == list(zip(*(ours[name].to_pylist() for name in FIELDS), strict=True))
    worst = mmu(ours, WINDOWS)
    for ours_of, go_of in zip(worst["utilization"].to_pylist(), curve, strict=True):
        assert math.isclose(ours_of, go_of, abs_tol=1e-9)


FIELDS = ("series", "start_ns", "end_ns", "utilization")


def of_go(
    path: Path, counting: tuple[str, ...], per_proc: bool
) -> tuple[list[tuple[int, int, float]], list[float]] | None:
    flags = ",".join([*counting, *(["perproc"] if per_proc else [])])
    windows = ",".join(map(str, WINDOWS))
    lines = peers.analysis("utilization", "-flags", flags, "-windows", windows, path)
    rows = [line.split() for line in lines]
    if any(row[0] == "panic" for row in rows):
        return None
    points = [(int(r[1]), int(r[2]), float(r[3])) for r in rows if r[0] == "point"]
    return points, [float(r[2]) for r in rows if r[0] == "mmu"]


def intervals(points: list[tuple[int, int, float]]) -> list[tuple[int, int, int, float]]:
    return [
        (series, start, end, value)
        for (series, start, value), (next_, end, _) in pairwise(points)
        if series == next_
    ]


# --- ours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("counting", [COUNTED, PARTS, ("assist",)])
@pytest.mark.parametrize("name", TRACES)
def test_equal_to_its_definition(name: str, counting: tuple[str, ...]) -> None:
    trace = gotrace.open(real(name))
    table = mutator_utilization(trace, counting)
    work = trace.table("gc_work").to_pylist()
    metrics = [m for m in trace.table("metrics").to_pylist() if "gomaxprocs" in m["name"]]
    rows = table.to_pylist()
    assert rows[0]["start_ns"] == metrics[0]["time_ns"]
    assert rows[-1]["end_ns"] == trace.table("syncs")["time_ns"][-1].as_py()
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        assert following is None or row["end_ns"] == following["start_ns"]
        for at in {row["start_ns"], row["end_ns"] - 1}:
            procs = next(m["value"] for m in reversed(metrics) if m["time_ns"] <= at)
            on = [w for w in work if w["start_ns"] <= at < w["end_ns"] and counts(w, counting)]
            stopped = any(w["class"] == "stw" for w in on)
            busy = procs if stopped else min(procs, len({w["proc"] for w in on}))
            assert (row["procs"], row["gc_procs"], row["stopped"]) == (procs, busy, stopped)
            assert row["utilization"] == 1 - busy / procs


def counts(work: dict[str, Any], counting: tuple[str, ...]) -> bool:
    part = {"mark": "background"}.get(work["class"], work["class"])
    return part in counting and work["name"] != "GC (idle)"


@pytest.mark.parametrize("name", TRACES)
def test_each_proc(name: str) -> None:
    """All procs together are what the procs are one by one, but for dedicated workers."""
    trace = gotrace.open(real(name))
    counting = ("stw", "assist", "sweep")
    each = mutator_utilization(trace, counting, per_proc=True).to_pylist()
    taken = sum((1 - row["utilization"]) * row["duration_ns"] for row in each)
    whole = mutator_utilization(trace, counting).to_pylist()
    assert math.isclose(
        taken, sum(row["gc_procs"] * row["duration_ns"] for row in whole), abs_tol=1
    )
    there = sum(row["duration_ns"] for row in each)
    assert there == sum(row["procs"] * row["duration_ns"] for row in whole)


def test_nothing_is_taken_outside_of_the_collector() -> None:
    trace = gotrace.open(real("gc-go1.27"))
    cycles = trace.table("gc_cycles").to_pylist()
    for row in mutator_utilization(trace).to_pylist():
        inside = [c for c in cycles if c["start_ns"] <= row["start_ns"] < c["end_ns"]]
        assert inside or row["utilization"] == 1 or worker_goes_on(trace, row)


def worker_goes_on(trace: Any, row: dict[str, Any]) -> bool:
    work = trace.table("gc_work").to_pylist()
    return any(
        w["class"] in ("mark", "assist") and w["start_ns"] < row["end_ns"] <= w["end_ns"]
        for w in work
    )


def test_a_window_of_time() -> None:
    trace = gotrace.open(real("gc-go1.27"))
    whole = mutator_utilization(trace).to_pylist()
    middle = whole[len(whole) // 2]["start_ns"] + 1
    parts = [mutator_utilization(trace, end=middle), mutator_utilization(trace, start=middle)]
    rows = [row for part in parts for row in part.to_pylist()]
    assert sum(r["utilization"] * r["duration_ns"] for r in rows) == pytest.approx(
        sum(r["utilization"] * r["duration_ns"] for r in whole)
    )
    assert rows[-1]["end_ns"] == whole[-1]["end_ns"]


# --- the curve ------------------------------------------------------------------------------------


@st.composite
def utilizations(draw: st.DrawFn) -> pa.Table:
    """One or two series of steps."""
    rows = []
    for series in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, 10))
        for _ in range(draw(st.integers(1, 12))):
            length = draw(st.integers(1, 9))
            share = draw(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
            rows.append(
                {
                    "series": series,
                    "start_ns": at,
                    "end_ns": at + length,
                    "duration_ns": length,
                    "utilization": share,
                }
            )
            at += length
    return pa.Table.from_pylist(rows, schema=schema("mutator_utilization"))


@given(utilizations(), st.integers(1, 60))
def test_mmu_equals_brute_force(table: pa.Table, window: int) -> None:
    found = mmu(table, [window]).to_pylist()[0]
    means = brute_force(table, window, 4)
    assert math.isclose(found["utilization"], min(means), abs_tol=1e-9)
    at_least = [found[name] for name in QUANTILES]
    assert at_least == sorted(at_least)
    assert all(min(means) - 1e-9 <= each <= max(means) + 1e-9 for each in at_least)


@given(utilizations(), st.integers(1, 30))
def test_quantiles_equal_dense_sampling(table: pa.Table, window: int) -> None:
    found = mmu(table, [window]).to_pylist()[0]
    dense = np.sort(brute_force(table, window, 64))
    for name, quantile in QUANTILES.items():
        # What lies between the samples is as wide as the samples are apart.
        low = dense[max(0, int(quantile * len(dense)) - 3)]
        high = dense[min(len(dense) - 1, int(quantile * len(dense)) + 3)]
        assert low - 0.02 <= found[name] <= high + 0.02


def brute_force(table: pa.Table, window: int, per_ns: int) -> list[float]:
    """The means of all windows whose begin is a fraction of a nanosecond."""
    means = []
    for series in table["series"].unique().to_pylist():
        rows = [row for row in table.to_pylist() if row["series"] == series]
        values = np.concatenate(
            [np.full(row["duration_ns"] * per_ns, row["utilization"]) for row in rows]
        )
        length = min(window * per_ns, len(values))
        sums = np.append(0, np.cumsum(values))
        means += ((sums[length:] - sums[:-length]) / length).tolist()
    return means


def test_windows_by_themselves() -> None:
    table = mutator_utilization(gotrace.open(real("gc-go1.27")))
    curve = mmu(table)
    assert curve.schema.equals(gotrace.schema("mmu"))
    lengths = curve["window_ns"].to_pylist()
    assert lengths[:4] == [1_000, 2_000, 5_000, 10_000]
    assert lengths[-1] == table["end_ns"][-1].as_py() - table["start_ns"][0].as_py()
    shares = curve["utilization"].to_pylist()
    assert shares[0] == 0
    assert shares[-1] == max(shares)
    assert mmu(table, [0]).to_pylist()[0]["utilization"] == 0
    assert mmu(schema("mutator_utilization").empty_table()).num_rows == 0


def test_no_such_part() -> None:
    with pytest.raises(gotrace.UnknownNameError, match="did you mean 'sweep'"):
        mutator_utilization({}, ["sweeps"])


@pytest.mark.parametrize("compat", [None, "go"])
@pytest.mark.parametrize("number", [2**16 + 1, 2**64 - 1])
def test_an_absurd_gomaxprocs_is_a_limit(number: int, compat: str | None) -> None:
    out = io.BytesIO()
    with TraceWriter(out) as writer:
        thread = writer.thread(1)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        thread.procs_change(number)
    with pytest.raises(gotrace.LimitError, match="GOMAXPROCS"):
        mutator_utilization(gotrace.open(out.getvalue()), per_proc=True, compat=compat)
