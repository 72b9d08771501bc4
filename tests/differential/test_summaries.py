"""Goroutines, regions and tasks: every number as in Go's Summarizer, for every real trace."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import gotrace
from tests.core.decoding import real_names
from tests.golab import peers, record
from tests.testing.programs import RealisticProgram, random_trace

#: Random programs: minor version and seed. They use ids again, inherit regions, block forever.
RANDOM = [f"random {minor} {seed}" for minor in (22, 23, 25, 26) for seed in range(5)]

#: Go reads these to their end; those with misnested regions it refuses.
NAMES = [name for name in real_names() if not name.startswith("misnested")]
SPLIT = ("exec", "sched", "syscall", "syscall_block", "total", "unknown")

Row = dict[str, Any]


def ours(path: Path, compat: str | None) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {"goroutines": [], "regions": [], "tasks": []}
    with gotrace.open(path) as source:
        for table, batch in source.scan(tables, compat=compat):
            tables[table] += batch.to_pylist()
    return tables


def split_of(row: Row) -> Row:
    """Our split, as the peer writes it."""
    split: Row = {key: row[f"{key}_ns"] for key in SPLIT}
    split["block"] = {each["reason"] or "": each["ns"] for each in row["block"]}
    split["range"] = {each["name"]: each["ns"] for each in row["range"]}
    assert row["block_ns"] == sum(split["block"].values())
    return split


def goroutine_of(row: Row) -> Row:
    return {
        "goroutine": row["goroutine"],
        "name": row["name"] or "",
        "created": row["created_at_ns"],
        "started": row["first_run_at_ns"],
        "ended": row["ended_at_ns"],
        "split": split_of(row),
    }


@pytest.fixture(scope="module", params=[*NAMES, *RANDOM])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param in NAMES:
        return record.REAL / f"{request.param}.trace.zst"
    _, minor, seed = request.param.split()
    path = tmp_path_factory.mktemp("random") / "trace"
    path.write_bytes(random_trace(int(seed), int(minor), 2000, RealisticProgram))
    return path


@pytest.fixture(scope="module")
def go(path: Path) -> peers.Summary:
    return peers.summarize(path)


@pytest.fixture(scope="module")
def compatible(path: Path) -> dict[str, list[Row]]:
    return ours(path, "go")


def test_goroutines(go: peers.Summary, compatible: dict[str, list[Row]]) -> None:
    assert len(go.goroutines) > 0
    found = sorted(map(goroutine_of, compatible["goroutines"]), key=lambda row: row["goroutine"])
    assert found == go.goroutines


def region_of(row: Row, last_seq: int) -> tuple[Any, ...]:
    """Go knows no begin before the trace and no end behind it; task 0 is the background."""
    return (
        row["goroutine"],
        row["task"] or 0,
        row["name"] or "",
        None if row["open_start"] else row["start_ns"],
        None if row["open_end"] and row["end_seq"] == last_seq else row["end_ns"],
        repr(split_of(row)),
    )


def regions_of(rows: list[Row], last_seq: int) -> Counter[tuple[Any, ...]]:
    return Counter(region_of(row, last_seq) for row in rows)


def go_regions(go: peers.Summary) -> Counter[tuple[Any, ...]]:
    return Counter(
        (
            *(row[key] for key in ("goroutine", "task", "name", "start", "end")),
            repr({key: row["split"][key] for key in (*SPLIT, "block", "range")}),
        )
        for row in go.regions
    )


def last_seq_of(tables: dict[str, list[Row]]) -> int:
    return max(row["end_seq"] for row in tables["goroutines"])


def test_regions(go: peers.Summary, compatible: dict[str, list[Row]]) -> None:
    """Go forgets those of a goroutine whose id is used again; we have no reason to."""
    last_life = {row["goroutine"]: row["start_seq"] for row in compatible["goroutines"]}
    kept = [
        row
        for row in compatible["regions"]
        if row["open_start"] or row["start_seq"] >= last_life[row["goroutine"]]
    ]
    assert regions_of(kept, last_seq_of(compatible)) == go_regions(go)


def test_random_programs_inherit_regions(path: Path, go: peers.Summary) -> None:
    """What no recorded trace has is in these."""
    if path.name == "trace":
        assert any(row["name"] == "" for row in go.regions)


def differs_on_purpose(row: Row, lives: Counter[int], go_row: Row) -> bool:
    """The four rules: forever, an open syscall without its proc, the name, an id used again."""
    return (
        any(each["reason"] == "forever" for each in row["block"])
        or (row["open_end"] and row["last_state"] == "syscall")
        or (go_row["name"] == "" and row["name"] is not None)
        or lives[row["goroutine"]] > 1
    )


def test_without_compat_only_four_rules_differ(path: Path, go: peers.Summary) -> None:
    tables = ours(path, None)
    expected = {row["goroutine"]: row for row in go.goroutines}
    lives = Counter(row["goroutine"] for row in tables["goroutines"])
    assert lives.keys() == expected.keys()
    same = set()
    for row in tables["goroutines"]:
        go_row = expected[row["goroutine"]]
        if differs_on_purpose(row, lives, go_row):
            continue
        same.add(row["goroutine"])
        if row["open_start"]:  # Go gives the time of the sync
            assert row["created_at_ns"] is None
            row["created_at_ns"] = go_row["created"]
        assert goroutine_of(row) == go_row
    assert len(same) >= len(lives) * 0.6
    last_seq = last_seq_of(tables)
    own = regions_of([row for row in tables["regions"] if row["goroutine"] in same], last_seq)
    # Go lets a goroutine begin in a nameless region of its creator's task.
    theirs = Counter(
        {
            row: count
            for row, count in go_regions(go).items()
            if row[0] in same and not (row[2] == "" and row[3] == expected[row[0]]["created"])
        }
    )
    assert own == theirs


def task_of(row: Row) -> Row:
    return {
        "task": row["task"],
        "name": row["name"] or "",
        "parent": row["parent_task"],
        "start": None if row["open_start"] else row["start_ns"],
        "end": None if row["open_end"] else row["end_ns"],
        "logs": row["logs"],
        "regions": row["regions"],
        "goroutines": row["goroutines"],
    }


def go_tasks(go: peers.Summary) -> list[Row]:
    """Without the background task, which nobody began."""
    tasks = [{**task, "goroutines": len(task["goroutines"] or ())} for task in go.tasks]
    return [task for task in tasks if task["task"] != 0]


def test_tasks(go: peers.Summary, compatible: dict[str, list[Row]]) -> None:
    found = sorted(map(task_of, compatible["tasks"]), key=lambda row: row["task"])
    assert found == go_tasks(go)


def test_without_compat_tasks_count_until_they_end(path: Path, go: peers.Summary) -> None:
    """What comes after the end of a task is Go's alone, and so is a task that is only a parent."""
    found = {row["task"]: task_of(row) for row in ours(path, None)["tasks"]}
    expected = {task["task"]: task for task in go_tasks(go)}
    assert found.keys() <= expected.keys()
    for task, row in expected.items():
        if task not in found:
            assert (row["start"], row["end"], row["goroutines"]) == (None, None, 0)
        else:
            for key in ("logs", "regions", "goroutines"):
                assert found[task].pop(key) <= row[key]
            if found[task]["end"] != row["end"]:  # it ended twice: Go forgets its name
                assert found[task].pop("end") < row["end"]
                assert (found[task].pop("name") == "ends twice") == (row["name"] == "")
            assert found[task].items() <= row.items()
