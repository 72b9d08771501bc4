"""`gotrace list`: source lines with what they cost; the source is found by the end of its path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gotrace
from gotrace.cli.source_code import SourceCode
from tests.analyses import proto

SOURCE = """\
package app

func run() {
\tfor i := range 9 {
\t\twork(i)
\t}
}

func work(n int) {
\tspin(n)
\x1b[31m
\tspin(n + 1)
}
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "cpu.pb"
    samples = [("spin:99 work:10 run:5", [1, 30], {}), ("work:12 run:5", [1, 10], {})]
    made = proto.parse(proto.build(samples))
    starts = {"run": 3, "work": 9}
    for function in made.function:
        function.start_line = starts.get(made.string_table[function.name], 0)
    path.write_bytes(made.SerializeToString())
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("run.go", "work.go"):
        (folder / name).write_text(SOURCE, encoding="utf-8")
    return folder


def test_lines_with_source(run, profile, checkout):
    result = run("list", profile, "^(run|work)$", "--source-dir", checkout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[3:-2] == [
        "",
        "run",
        "  flat 0 (0%), cum 40ns (100%)  /src/run.go",
        "            3  func run() {",
        "            4      for i := range 9 {",
        "      40ns  5          work(i)",
        "            6      }",
        "            7  }",
        "            8",
        "",
        "work",
        "  flat 10ns (25.00%), cum 40ns (100%)  /src/work.go",
        "             9  func work(n int) {",
        "      30ns  10      spin(n)",
        "            11  \\x1b[31m",
        "10ns  10ns  12      spin(n + 1)",
        "            13  }",
    ]


def test_lines_without_source(run, profile, checkout):
    result = run("list", profile, "work")
    assert "      30ns  10" in result.stdout.splitlines()
    assert "--source-dir DIR" in result.stdout
    other = run("list", profile, "spin", "--source-dir", checkout)
    assert "30ns  30ns  99" in other.stdout.splitlines()


def test_as_a_table(run, profile, checkout):
    result = run("list", profile, "work", "--source-dir", checkout, "--format", "json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert list(rows[0]) == gotrace.schema("source_lines").names
    assert [(row["line"], row["flat"], row["cum"], row["source"]) for row in rows] == [
        (10, 0, 30, "    spin(n)"),
        (12, 10, 10, "    spin(n + 1)"),
    ]


def test_bad_questions(run, profile, tmp_path):
    assert run("list", profile).exit_code == 2
    assert run("list", profile, "(").exit_code == 2
    assert run("list", profile, "work", "--source-dir", tmp_path / "no").exit_code == 2
    none = run("list", profile, "nobody")
    assert none.exit_code == 0
    assert "matches none of 3 functions" in none.stderr


def test_files_are_found_by_the_end_of_their_path(tmp_path: Path) -> None:
    (tmp_path / "pkg" / "deep").mkdir(parents=True)
    (tmp_path / "pkg" / "deep" / "x.go").write_text("\n\nfunc Deep() {}\n")
    (tmp_path / "x.go").write_text("\n\nfunc Top() {}\n")
    code = SourceCode([str(tmp_path)])
    for file in ("/home/me/src/pkg/deep/x.go", "mod@v1.2.3/pkg/deep/x.go", "../pkg/deep/x.go"):
        assert code.lines(file, "pkg.Deep", 3, 3) == ("", "", "func Deep() {}")
    assert code.lines("/elsewhere/x.go", "main.Top", 3, 3) == ("", "", "func Top() {}")


def test_what_cannot_be_the_file_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "x.go").write_text("\n\nvar x = 1\n")
    code = SourceCode([str(tmp_path)])
    assert code.lines("x.go", "main.f", 3, 3) is None  # no function begins there
    assert code.lines("x.go", "main.f", 0, 9) is None  # it is too short
    assert code.lines("x.go", "main.x", 3, 3) is not None
    assert code.lines("missing.go", "main.f", 0, 1) is None
    (tmp_path / "bin.go").write_bytes(b"\xff\xfe\n")
    assert code.lines("bin.go", "main.f", 0, 1) == ("\ufffd\ufffd",)


def test_without_folders_only_where_the_profile_says(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "x.go").write_text("func f() {}\n")
    monkeypatch.chdir(tmp_path)
    code = SourceCode([])
    assert code.lines("x.go", "f", 1, 1) is None
    assert code.lines(str(tmp_path / "x.go"), "f", 1, 1) == ("func f() {}",)
