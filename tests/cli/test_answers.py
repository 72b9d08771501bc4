"""The verbs that answer questions over a trace: pages, formats, and why an answer is empty."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import gotrace
from gotrace.cli.sched import _no_site
from gotrace.sinks.text import cells
from gotrace.testing import GoStatus, ProcStatus, TraceWriter
from tests.cli.conftest import REAL, Run

VERBS = ("goroutines", "blocking", "sched", "tasks", "regions")
RESULTS = {
    "blocking": "blocking",
    "sched": "sched_latency",
    "goroutines": "goroutine_groups",
    "tasks": "task_groups",
    "regions": "region_groups",
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_page_fits_and_says_what_is_next(run: Run, packed: Path, verb: str) -> None:
    result = run(verb, packed)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == str(packed)
    assert "of a trace, from 20" in lines[1]
    page = [line for line in lines if str(packed) not in line]
    assert max(map(cells, page)) <= 100
    assert any(line.startswith("next: gotrace ") for line in lines)
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_formats_hold_the_table(run: Run, packed: Path, tmp_path: Path, verb: str) -> None:
    path = tmp_path / "answer.parquet"
    assert run(verb, packed, "-o", path).exit_code == 0
    table = pq.read_table(path)
    assert table.schema.names == gotrace.schema(RESULTS[verb]).names
    rows = [json.loads(line) for line in run(verb, packed, "--format", "json").stdout.splitlines()]
    assert len(rows) == table.num_rows > 0
    assert rows[0].keys() == set(table.schema.names)


@pytest.mark.parametrize("verb", VERBS)
def test_a_part_of_the_time(run: Run, packed: Path, verb: str) -> None:
    result = run(verb, packed, "--from", "+1ms", "--to", "+5ms")
    assert result.exit_code == 0, result.output
    assert "+0.001000000 to +0.005000000 of a trace that began at 20" in result.stdout


@pytest.mark.parametrize("verb", [*VERBS, "gc"])
def test_a_part_behind_the_end(run: Run, packed: Path, verb: str) -> None:
    result = run(verb, packed, "--from", "+9s")
    assert result.exit_code == 0, result.output
    assert "+9.000000000 to +9.000000000 of a trace" in result.stdout
    assert result.stderr.startswith("gotrace: no ")


@pytest.mark.parametrize("verb", VERBS)
def test_damage_is_told(run: Run, cut: Path, hopeless: Path, verb: str) -> None:
    assert run(verb, cut).exit_code == 3
    result = run(verb, hopeless)
    assert result.exit_code == 2
    assert "nothing can be read of it" in result.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_standard_input(run: Run, trace: Path, verb: str) -> None:
    result = run(verb, "-", stdin=trace.read_bytes())
    assert result.exit_code == 0, result.output
    assert "next: gotrace" in result.stdout


def test_the_story_of_a_goroutine(run: Run, packed: Path) -> None:
    result = run("goroutines", packed, "--id", 1)
    assert result.exit_code == 0, result.output
    assert "goroutine 1  main.main" in result.stdout
    assert " running " in result.stdout
    assert "next: gotrace events" in result.stdout
    rows = run("goroutines", packed, "--id", 1, "--format", "json").stdout.splitlines()
    assert {json.loads(row)["goroutine"] for row in rows} == {"1"}


def test_the_story_of_a_task(run: Run, packed: Path) -> None:
    tasks = gotrace.open(packed).table("tasks").to_pylist()
    task = max(tasks, key=lambda row: row["regions"])["task"]
    result = run("tasks", packed, "--id", task)
    assert result.exit_code == 0, result.output
    assert f"task {task} " in result.stdout
    assert "the critical path" in result.stdout
    assert f"--task {task}" in result.stdout
    result = run("tasks", packed, "--id", task, "--from", "+1ms")
    assert result.exit_code == 2
    assert "leave out --from and --to" in result.stderr


def test_why_there_is_no_answer(run: Run, packed: Path) -> None:
    for words, reason in (
        (("goroutines", packed, "--group", "no such name"), "no group has 'no such name'"),
        (("goroutines", packed, "--id", 987654321), "no goroutine 987654321 here; there are 1, "),
        (("tasks", packed, "--name", "no such name"), "no type of task has 'no such name'"),
        (("blocking", packed, "--wait", "mutexx"), "nothing waits for 'mutexx' here, but for "),
        (("blocking", packed, "--at", "no such name"), "no place has 'no such name'"),
        (("tasks", packed, "--id", 987654321), "no task 987654321; there are "),
        (("goroutines", packed, "--from", "+1h"), "the stretch of it that was asked for, is empty"),
    ):
        result = run(*words)
        assert result.exit_code == 0, result.output
        assert reason in result.stderr


def test_switches_to_coroutines_are_not_the_runtimes(run: Run) -> None:
    page = run("blocking", REAL / "coro-go1.27.trace.zst").stdout
    assert "ended by a switch" in " ".join(page.split())
    assert _no_site({"by_goroutine": 7}) == "(no stack was recorded)"
    assert "timers" in _no_site({"by_goroutine": None})


def test_a_trace_without_tasks_says_how_to_have_some(run: Run) -> None:
    path = Path(__file__).parents[1] / "data" / "real" / "blocking-go1.27.trace.zst"
    for verb, maker in (("tasks", "NewTask"), ("regions", "StartRegion")):
        assert f"runtime/trace.{maker} makes them" in run(verb, path).stderr


def test_flame_of_a_trace(run: Run, packed: Path, tmp_path: Path) -> None:
    result = run("flame", packed)
    assert result.exit_code == 0, result.output
    assert "wall" in result.stdout
    assert "main.main" in result.stdout
    path = tmp_path / "off.folded"
    assert run("flame", packed, "--by", "offcpu", "-o", path).exit_code == 0
    assert "main.main;" in path.read_text(encoding="utf-8")
    assert run("top", packed, "--by", "sched").exit_code == 0
    narrow = run("flame", packed, "--region", "no such region")
    assert narrow.exit_code == 0
    assert narrow.stderr


def test_options_of_traces_are_refused_for_profiles(run: Run, tmp_path: Path) -> None:
    from tests.analyses.conftest import made_profile

    path = tmp_path / "made.pb"
    path.write_bytes(made_profile())
    result = run("flame", path, "--group", "main")
    assert result.exit_code == 2
    assert "--group is of traces alone" in result.stderr


def test_two_traces_side_by_side(run: Run, packed: Path, tmp_path: Path) -> None:
    other = Path(__file__).parents[1] / "data" / "real" / "annotations-go1.27.trace.zst"
    result = run("diff", packed, other)
    assert result.exit_code == 0, result.output
    assert "numbers changed by four standard errors" in result.stdout
    assert max(cells(line) for line in result.stdout.splitlines() if "next" not in line) <= 130
    path = tmp_path / "diff.parquet"
    assert run("diff", packed, other, "-o", path).exit_code == 0
    assert pq.read_table(path).schema.names == gotrace.schema("trace_diff").names
    assert "offcpu" in run("diff", packed, other, "--by", "offcpu").stdout


def test_a_trace_is_no_profile_to_diff_with(run: Run, packed: Path, tmp_path: Path) -> None:
    from tests.analyses.conftest import made_profile

    path = tmp_path / "made.pb"
    path.write_bytes(made_profile())
    result = run("diff", packed, path)
    assert result.exit_code == 2
    assert "diff compares two of a kind" in result.stderr


def test_every_table_about_the_scheduler(run: Run, packed: Path, tmp_path: Path) -> None:
    for what, name in (
        ("windows", "sched_windows"),
        ("bursts", "sched_bursts"),
        ("procs", "proc_utilization"),
    ):
        path = tmp_path / f"{what}.parquet"
        assert run("sched", packed, "--what", what, "-o", path).exit_code == 0
        assert pq.read_table(path).schema.names == gotrace.schema(name).names


def test_the_page_of_the_scheduler_says_when_and_why(run: Run, packed: Path) -> None:
    page = run("sched", packed).stdout
    for part in (
        "waits for a proc: half within",
        "over time, +",
        "; up to ",
        "busy with goroutines",
    ):
        assert part in page, part


EVIL = "main.\x1b[31mred\u202e\n\x9b2J"


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A trace whose every name is a stranger's."""
    path = tmp_path / "evil.trace"
    with path.open("wb") as file, TraceWriter(file) as trace:
        thread = trace.thread(100)
        thread.proc_status(0, ProcStatus.RUNNING)
        thread.go_status(1, GoStatus.RUNNING)
        stack = [(EVIL, f"{EVIL}.go", 7)]
        thread.user_task_begin(3, EVIL, stack=stack)
        thread.user_region_begin(EVIL, task=3, stack=stack)
        for goroutine in range(2, 12):
            thread.go_create(goroutine, start=stack, stack=stack)
        thread.user_log(EVIL, EVIL, task=3, stack=stack)
        thread.go_block(EVIL, stack=stack)
        for goroutine in range(2, 12):
            thread.go_start(goroutine)
            if goroutine == 2:
                thread.go_unblock(1, stack=stack)
            thread.go_destroy()
        thread.go_start(1)
        thread.user_region_end(EVIL, task=3, stack=stack)
        thread.user_task_end(3, stack=stack)
        thread.go_stop(stack=stack)
    return path


@pytest.mark.parametrize(
    "words",
    [
        ("goroutines",),
        ("goroutines", "--group", "main"),
        ("goroutines", "--group-by", "site"),
        ("goroutines", "--id", 1),
        ("goroutines", "--id", 5),
        ("goroutines", "--id", 1, "--path"),
        ("goroutines", "--id", 1, "--related"),
        ("blocking",),
        ("sched",),
        ("tasks",),
        ("tasks", "--id", 3),
        ("regions",),
        ("flame",),
        ("flame", "--by", "wakeup"),
    ],
    ids=lambda words: "-".join(map(str, words)),
)
def test_names_of_strangers_move_no_cursor(run: Run, evil: Path, words: tuple[object, ...]) -> None:
    verb, *options = words
    result = run(verb, evil, *options)
    assert result.exit_code == 0, result.output
    assert not {*result.output} & {"\x1b", "\x9b", "\u202e", "\r"}
    assert "\\x1b[31mred\\u202e" in result.stdout


def test_the_writers_scene_is_told_as_it_was(run: Run, evil: Path) -> None:
    table = gotrace.goroutines(gotrace.open(evil)).to_pylist()
    assert sum(row["count"] for row in table) == 11
    (burst,) = gotrace.sched(gotrace.open(evil), "bursts").to_pylist()
    assert (burst["by_goroutine"], burst["woken"], burst["wakeups"]) == (1, 10, 10)
    page = run("tasks", evil, "--id", 3).stdout
    assert "1 goroutine, 1 region, 1 log" in page


def test_views_of_go_are_told_as_go_tells_them(run: Run, packed: Path) -> None:
    from gotrace.analyses.delays import delay_profile

    wanted = int(delay_profile(gotrace.open(packed), "sync", compat="go").values[:, 1].sum())
    words = ("--by", "sync", "--compat", "go", "--format", "json")
    root = json.loads(run("flame", packed, *words).stdout.splitlines()[0])
    assert root["total"] == wanted
    assert run("flame", packed, "--by", "wall", "--compat", "go").exit_code == 2
    nobody = run("flame", packed, *words, "--group", "main")
    assert "--group main leaves nothing of the trace" in nobody.stderr
    refused = run("flame", packed, *words, "--creators")
    assert "Go's profiles have no stacks of creators" in refused.stderr


def test_numbers_of_go_are_of_the_whole_trace(run: Run, packed: Path) -> None:
    assert run("goroutines", packed, "--compat", "go").exit_code == 0
    assert run("goroutines", packed, "--compat", "go", "--from", "+1ms").exit_code == 2


def test_related_goroutines(run: Run, packed: Path) -> None:
    result = run("goroutines", packed, "--id", "1", "--related")
    assert "woke" in result.stdout
    assert "those of go tool trace" in result.stdout
    table = run("goroutines", packed, "--id", "1", "--related", "--format", "json").stdout
    assert [json.loads(line)["distance"] for line in table.splitlines()][:2] == [0, 1]
    nobody = run("goroutines", packed, "--id", "999999", "--related")
    assert "no goroutine woke goroutine 999999" in nobody.stderr
    assert run("goroutines", packed, "--related").exit_code == 2


def test_the_critical_path_of_a_goroutine(run: Run, packed: Path) -> None:
    text = run("goroutines", packed, "--id", "1", "--path").stdout
    assert "back from the end, who held it up" in text
    rows = run("goroutines", packed, "--id", "1", "--path", "--format", "json").stdout
    segments = [json.loads(line) for line in rows.splitlines()]
    times = [(int(row["start_ns"]), int(row["end_ns"])) for row in segments]
    assert all(first[1] == second[0] for first, second in itertools.pairwise(times))
    lives = gotrace.open(packed).table("goroutines").to_pylist()
    (main,) = (row for row in lives if row["goroutine"] == 1)
    assert times[-1][1] - times[0][0] == main["total_ns"]
    nobody = run("goroutines", packed, "--id", "999999", "--path")
    assert "no critical path: goroutine 999999 has no part in this time" in nobody.stderr
    assert run("goroutines", packed, "--path").exit_code == 2
