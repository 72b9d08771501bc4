"""`gotrace merge`: many profiles as one, in groups, and what counters grew by."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import pytest

import gotrace
from gotrace.analyses.profile_columns import ProfileColumns, from_tables
from tests.analyses import proto

HOUR = 3600 * 10**9
HEAP = "alloc_space/bytes inuse_space/bytes"


def total(path: Path, value: int = -1) -> int:
    return int(from_tables(gotrace.open(path)).values[:, value].sum())


def content(path: Path) -> dict[tuple[str, ...], list[int]]:
    """What each stack of functions weighs."""
    p: ProfileColumns = from_tables(gotrace.open(path))
    found: dict[tuple[str, ...], list[int]] = {}
    for i in range(len(p.labels)):
        at = p.locations[p.offsets[i] : p.offsets[i + 1]]
        lines = [p.functions[p.line_offsets[j] : p.line_offsets[j + 1]] for j in at]
        stack = tuple(p.function_names[f] for each in lines for f in each)
        found[stack] = (p.values[i] + found.get(stack, 0)).tolist()
    return found


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two hosts, three hours, and files that are no profile."""
    for number, (host, hour) in enumerate(itertools.product("ab", range(3))):
        folder = tmp_path / "archive" / f"host-{host}"
        folder.mkdir(parents=True, exist_ok=True)
        samples = [
            ("work main", [1, 100 + number], {"tenant": "x"}),
            (f"only{number} main", [1, 1], {"tenant": "y"}),
        ]
        facts = {"time_nanos": 480_000 * HOUR + hour * HOUR + number, "base": 0x1000 * number}
        (folder / f"cpu-{hour}.pb.gz").write_bytes(proto.build(samples, **facts))
    return tmp_path / "archive"


def test_one_of_all(run, archive, tmp_path):
    out = tmp_path / "all.pb.gz"
    result = run("merge", archive, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "6 profiles"
    assert lines[2].split() == ["profiles", "stacks", "samples", "cpu", "first", "last"]
    assert lines[3].split()[:4] == ["6", "7", "12", "621ns"]
    assert lines[-2:] == [f"next: gotrace top {out}", f"      gotrace flame {out} -o flame.html"]
    assert content(out)["work", "main"] == [6, 615]
    assert run("merge", archive, "-o", out).exit_code == 2
    assert run("merge", archive, "-o", out, "--overwrite").exit_code == 0


def test_order_changes_nothing(run, archive, tmp_path):
    files = sorted(archive.rglob("*.pb.gz"))
    for number, order in enumerate((files, files[::-1], files[3:] + files[:3])):
        for threads in (1, 3):
            out = tmp_path / f"{number}-{threads}.pb"
            assert run("merge", *order, "-o", out, "--threads", threads).exit_code == 0
    assert len({path.read_bytes() for path in tmp_path.glob("*.pb")}) == 1


def test_groups_by_folder_and_time(run, archive, tmp_path):
    out = tmp_path / "out"
    words = ["merge", archive, "--group-by", "path:-2", "--group-by", "time:1h", "-o", out]
    result = run(*words)
    assert result.exit_code == 0
    assert "6 profiles in 6 groups" in result.stdout
    assert sorted(path.name for path in out.iterdir()) == [
        "_gotrace.json",
        *(f"host-{h}_2024-10-04T0{n}-00-00Z.pb.gz" for h in "ab" for n in range(3)),
    ]
    assert total(out / "host-b_2024-10-04T02-00-00Z.pb.gz") == 106
    manifest = json.loads((out / "_gotrace.json").read_text())
    assert manifest["tables"]["merged"]["files"][0]["group"] == ["host-a", "2024-10-04T00:00:00Z"]
    assert run(*words).exit_code == 2
    assert run(*words, "--overwrite").exit_code == 0


def test_groups_by_label(run, archive, tmp_path):
    out = tmp_path / "out"
    result = run("merge", archive, "--group-by", "label:tenant", "-o", out)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "2 groups"
    assert total(out / "x.pb.gz") == 615
    assert total(out / "y.pb.gz") == 6


def test_groups_by_pattern_and_what_has_none(run, archive):
    result = run("merge", archive, "--group-by", r"path:host-([b-z])", "--format", "json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["group"], row["profiles"]) for row in rows] == [("b", 3), ("(none)", 3)]
    assert list(rows[0]) == gotrace.schema("merged").names
    assert rows[0]["totals"][1] == {"type": "cpu", "unit": "nanoseconds", "value": 315}


def test_names_of_groups_make_harmless_files(run, tmp_path):
    samples = [("a", [1, 1], {"k": name}) for name in ("../../x", "", ".hidden", "A", "a", "ü/e")]
    path = tmp_path / "in.pb"
    path.write_bytes(proto.build(samples))
    assert run("merge", path, "--group-by", "label:k", "-o", tmp_path / "out").exit_code == 0
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {
        *("_gotrace.json", "A.pb.gz", "a~2.pb.gz", "hidden.pb.gz", "x.pb.gz", "e.pb.gz"),
        "0.pb.gz",  # an empty text is a number to a profile
    }


@pytest.mark.parametrize("by", ["tenant", "label:", "time:1y", "time:0h", "path:", "path:("])
def test_groups_by_nothing_known(run, archive, by):
    result = run("merge", archive, "--group-by", by)
    assert result.exit_code == 2
    assert "--group-by" in result.stderr


def test_builds_join_by_function(run, tmp_path):
    for number in (1, 2):
        data = proto.build([(f"a:{number} main", [1, 5], {})], base=number << 20)
        (tmp_path / f"{number}.pb").write_bytes(data)
    out = tmp_path / "out.pb.gz"
    run("merge", tmp_path / "*.pb", "-o", out)
    assert len(from_tables(gotrace.open(out)).labels) == 2
    run("merge", tmp_path / "*.pb", "-o", out, "--overwrite", "--level", "function")
    assert len(from_tables(gotrace.open(out)).labels) == 1


def test_types_and_units_that_differ(run, tmp_path):
    (tmp_path / "1.pb").write_bytes(proto.build([("a", [5], {})], "cpu/microseconds"))
    (tmp_path / "2.pb").write_bytes(proto.build([("a", [3, 7], {})]))
    out = tmp_path / "out.pb"
    assert run("merge", tmp_path / "1.pb", tmp_path / "2.pb", "-o", out).exit_code == 0
    merged = from_tables(gotrace.open(out))
    assert merged.types == (("samples", "count"), ("cpu", "nanoseconds"))
    assert merged.values.tolist() == [[3, 5007]]


def test_filters(run, archive, tmp_path):
    out = tmp_path / "out.pb.gz"
    run("merge", archive, "--focus", "work", "--taghide", ".", "-o", out)
    left = from_tables(gotrace.open(out))
    assert [labels for labels in left.label_sets if labels] == []
    assert content(out) == {("work", "main"): [6, 615]}
    empty = run("merge", archive, "--focus", "nobody")
    assert "nothing is left" in empty.stderr


def test_what_is_no_profile_is_left_out(run, archive, trace):
    (archive / "page.html").write_text("<!doctype html>", encoding="utf-8")
    shutil.copy(trace, archive / "app.trace")
    whole = (archive / "host-a" / "cpu-0.pb.gz").read_bytes()
    (archive / "cut.pb").write_bytes(whole[: len(whole) // 2])
    result = run("merge", archive)
    assert result.exit_code == 3
    assert result.stdout.splitlines()[0] == "6 profiles"
    assert "a web page" in result.stderr
    assert "merge adds up profiles, and this is a trace" in result.stderr
    assert "cut.pb: nothing can be read of it" in result.stderr
    for number in range(20):
        (archive / f"{number}.txt").write_text("no", encoding="utf-8")
    result = run("merge", archive)
    assert "23 files in all could not be read" in result.stderr
    assert result.stderr.count("\n") == 11
    assert run("merge", archive / "page.html").exit_code == 2
    assert run("merge", archive / "page.html", archive / "cut.pb").exit_code == 2


def test_units_that_do_not_convert_are_left_out(run, archive):
    (archive / "odd.pb").write_bytes(proto.build([("a", [1], {})], "cpu/bytes"))
    result = run("merge", archive)
    assert result.exit_code == 3
    assert "cpu is measured in" in result.stderr


def test_what_counters_grew_by(run, tmp_path):
    """Each folder is a process; what is no counter is as in the last snapshot."""
    steps = {
        "a": [[100, 9], [150, 8], [400, 7]],
        "b": [[1000, 5], [20, 6], [30, 4]],  # restarted between the first and the second
    }
    for host, values in steps.items():
        (tmp_path / host).mkdir()
        for hour, row in enumerate(values):
            data = proto.build([("make main", row, {})], HEAP, time_nanos=(9 - hour) * HOUR)
            (tmp_path / host / f"{hour}.pb").write_bytes(data)
        for hour, row in enumerate(values):  # names sort against the time
            data = proto.build([("make main", row, {})], HEAP, time_nanos=(1 + hour) * HOUR)
            (tmp_path / host / f"{9 - hour}.pb").write_bytes(data)
            (tmp_path / host / f"{hour}.pb").unlink()
    out = tmp_path / "out.pb.gz"
    result = run("merge", tmp_path, "--delta", "--format", "json", "-o", out)
    (row,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert (row["profiles"], row["restarts"]) == (6, 1)
    assert content(out) == {("make", "main"): [300 + 20 + 10, 7 + 4]}
    grouped = run("merge", tmp_path / "?", "--delta", "--group-by", "path:-2", "--format", "json")
    rows = [json.loads(line) for line in grouped.stdout.splitlines() if line.startswith("{")]
    assert [(r["group"], r["restarts"], r["totals"][0]["value"]) for r in rows] == [
        ("a", 0, 300),
        ("b", 1, 30),
    ]


def test_names_of_outputs(run, archive, tmp_path):
    assert "no name of a profile" in run("merge", archive, "-o", tmp_path / "x.parquet").stderr
    result = run("merge", archive, "--group-by", "path:0", "-o", tmp_path / "x.pb.gz")
    assert "give a new folder" in result.stderr
    assert "next: gotrace merge" in run("merge", archive).stdout
