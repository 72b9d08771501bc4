"""`gc_cycles` and `gc_work` against what their definitions say of other tables."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

import gotrace
from tests.core.decoding import decode, real, real_names

Row = dict[str, Any]
TABLES = ("events", "ranges", "metrics", "stacks", "gc_cycles", "gc_work")
MARK_WORKER = "runtime.gcBgMarkWorker"
TRACES = [
    name
    for name in real_names()
    if name.startswith(("alloc", "annotations-generations", "flight", "gc", "syscalls"))
]


@pytest.fixture(params=TRACES)
def tables(request: pytest.FixtureRequest) -> dict[str, list[Row]]:
    decoded = decode(real(request.param), TABLES)
    return {name: decoded.rows(name) for name in TABLES}


def test_work(tables: dict[str, list[Row]]) -> None:
    runs = runs_of(tables["events"])
    expected = [*assists(tables, runs), *workers(tables, runs), *whole_ranges(tables)]
    found = [
        (w["class"], w["name"], w["start_ns"], w["end_ns"], w["proc"], w["goroutine"])
        for w in tables["gc_work"]
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_cycles(tables: dict[str, list[Row]]) -> None:
    marks = sorted(of_class(tables, "mark"), key=lambda mark: mark["start_seq"])
    cycles = tables["gc_cycles"]
    assert [cycle["cycle"] for cycle in cycles] == list(range(1, len(marks) + 1))
    for mark, cycle in zip(marks, cycles, strict=True):
        assert cycle["start_ns"] == mark["start_ns"]
        assert cycle["mark_ns"] == mark["duration_ns"]
        assert cycle["open_start"] == mark["open_start"]
        assert cycle["by_goroutine"] == mark["goroutine"]
        assert cycle["trigger_stack_id"] == mark["stack_id"]
        stops = {name: stops_in(tables, cycle, name) for name in ("sweep", "mark")}
        assert cycle["stw1_ns"] == (sum(lengths(stops["sweep"])) if stops["sweep"] else None)
        assert cycle["stw2_ns"] == (sum(lengths(stops["mark"])) if stops["mark"] else None)
        if not cycle["open_end"]:
            ends = [stop["end_ns"] for stop in stops["mark"]]
            assert cycle["end_ns"] == max(ends, default=mark["end_ns"])
        inside = overlaps([a for a in of_class(tables, "assist") if known(tables, a, cycle)], cycle)
        assert (cycle["assists"], cycle["assist_ns"]) == (len(inside), sum(inside))
        for mode in ("dedicated", "fractional", "idle"):
            work = [w for w in tables["gc_work"] if w["name"] == f"GC ({mode})"]
            assert cycle[f"worker_{mode}_ns"] == sum(overlaps(work, cycle))
        heap, goal = (
            [m for m in tables["metrics"] if m["name"] == name]
            for name in ("/memory/classes/heap/objects:bytes", "/gc/heap/goal:bytes")
        )
        before = last_value(heap, cycle["start_seq"])
        assert cycle["heap_start_bytes"] == (None if cycle["open_start"] else before)
        if not cycle["open_start"]:
            assert cycle["goal_bytes"] == last_value(goal, cycle["start_seq"])
        if not mark["open_end"]:
            assert cycle["heap_end_bytes"] == last_value(heap, mark["end_seq"])
        inner = [m["value"] for m in heap if cycle["start_seq"] < m["seq"] <= cycle["end_seq"]]
        assert cycle["heap_peak_bytes"] == max([*inner, before or 0]) or not inner


def test_rows_are_in_order_and_typed() -> None:
    trace = gotrace.open(real("gc-go1.27"))
    for name in ("gc_cycles", "gc_work"):
        rows = trace.table(name)
        assert rows.schema.equals(gotrace.schema(name))
        keys = list(zip(rows["end_seq"].to_pylist(), rows["start_seq"].to_pylist(), strict=True))
        assert keys == sorted(keys)
        assert len(keys) > 10


def test_a_proc_has_one_mark_worker() -> None:
    for name in ("gc-go1.27", "gc-stress-go1.25", "gc-generations-go1.22"):
        until: dict[int, int] = {}
        work = gotrace.open(real(name)).table("gc_work").to_pylist()
        for row in sorted(work, key=lambda row: row["start_seq"]):
            if row["class"] == "mark":
                assert row["start_ns"] >= until.get(row["proc"], 0)
                until[row["proc"]] = row["end_ns"]


# --- what the definitions say ---------------------------------------------------------------------


def of_class(tables: dict[str, list[Row]], name: str) -> list[Row]:
    return [row for row in tables["ranges"] if row["class"] == name]


def runs_of(events: list[Row]) -> dict[int, list[Row]]:
    """The stretches in which each goroutine was running: on which proc, and where it stopped."""
    runs: defaultdict[int, list[Row]] = defaultdict(list)
    for event in events:
        if event["kind"] != "state_transition" or event["resource"] != "goroutine":
            continue
        if event["from_state"] == event["to_state"]:
            continue
        of_goroutine = runs[event["resource_id"]]
        if event["from_state"] == "running":
            of_goroutine[-1] |= {"end": event["time_ns"], "stack": event["stack_id"]}
        if event["to_state"] == "running":
            first = events[0]["time_ns"] if event["from_state"] == "undetermined" else None
            start = event["time_ns"] if first is None else first
            of_goroutine.append(
                {
                    "start": start,
                    "seen": event["time_ns"],
                    "proc": event["proc"],
                    "end": events[-1]["time_ns"],
                    "stack": None,
                }
            )
    return runs


def assists(tables: dict[str, list[Row]], runs: dict[int, list[Row]]) -> list[tuple[Any, ...]]:
    """What of each assist its goroutine was running."""
    pieces = []
    for assist in of_class(tables, "assist"):
        for run in runs[assist["resource_id"]]:
            begins = run["start"] if assist["open_start"] else run["seen"]
            start, end = max(assist["start_ns"], begins), min(assist["end_ns"], run["end"])
            if start < end:
                where = (run["proc"], assist["resource_id"])
                pieces.append(("assist", assist["name"], start, end, *where))
    return pieces


def workers(tables: dict[str, list[Row]], runs: dict[int, list[Row]]) -> list[tuple[Any, ...]]:
    """From the label to where the worker stops, if it is one."""
    roots = {stack["stack_id"]: stack["root"] for stack in tables["stacks"]}
    pieces = []
    for event in tables["events"]:
        if event["kind"] == "label" and event["name"].startswith("GC "):
            inside = [
                run
                for run in runs[event["goroutine"]]
                if run["seen"] <= event["time_ns"] < run["end"]
            ]
            run = inside[-1]
            if (roots.get(run["stack"]) or MARK_WORKER) == MARK_WORKER:
                where = (event["proc"], event["goroutine"])
                pieces.append(("mark", event["name"], event["time_ns"], run["end"], *where))
    return pieces


def whole_ranges(tables: dict[str, list[Row]]) -> list[tuple[Any, ...]]:
    sweeps = [
        ("sweep", r["name"], r["start_ns"], r["end_ns"], r["resource_id"], r["goroutine"])
        for r in of_class(tables, "sweep")
    ]
    stops = [
        ("stw", r["name"], r["start_ns"], r["end_ns"], None, r["goroutine"])
        for r in of_class(tables, "stw")
        if "GC" in r["name"]
    ]
    return sweeps + stops


def stops_in(tables: dict[str, list[Row]], cycle: Row, which: str) -> list[Row]:
    """Stops that ended in a cycle."""
    return [
        stop
        for stop in of_class(tables, "stw")
        if stop["name"] == f"stop-the-world (GC {which} termination)"
        and cycle["start_seq"] <= stop["start_seq"]
        and stop["end_seq"] <= cycle["end_seq"]
        and not stop["open_end"]
    ]


def known(tables: dict[str, list[Row]], assist: Row, cycle: Row) -> bool:
    """Whether an assist was heard of before the cycle was over."""
    return not assist["open_start"] or cycle["end_seq"] > min(
        event["seq"]
        for event in tables["events"]
        if event["kind"] == "range_active" and event["resource_id"] == assist["resource_id"]
    )


def lengths(rows: list[Row]) -> list[int]:
    return [row["duration_ns"] for row in rows]


def overlaps(rows: list[Row], cycle: Row) -> list[int]:
    both = [
        (max(row["start_ns"], cycle["start_ns"]), min(row["end_ns"], cycle["end_ns"]))
        for row in rows
    ]
    return [end - start for start, end in both if start < end]


def last_value(metrics: list[Row], seq: int) -> int | None:
    values = [metric["value"] for metric in metrics if metric["seq"] < seq]
    return values[-1] if values else None
