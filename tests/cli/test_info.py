"""`gotrace info`: what is this file, and what of it is not whole."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import REAL


def test_text_says_what_the_file_is(run, packed):
    result = run("info", packed)
    assert result.exit_code == 0
    facts = dict(line.strip().split(None, 1) for line in result.stdout.splitlines()[1:-2])
    assert facts["kind"] == "execution trace, header 'go 1.25', written by Go 1.25"
    assert facts["size"] == "951.6 kB, zstd 67.1 kB"
    assert facts["clock"] == "15,625,000 ticks a second"
    assert facts["start"].startswith("2026-11-23T09:48:11.811922Z (within 64 ns")
    assert facts["duration"] == "33.9 ms"
    assert facts["generations"] == "357 (numbers 1 to 357)"
    assert facts["events"] == "41,975"
    assert facts["log"].split() == ["101", "0.2", "%"]
    assert result.stderr == ""


def test_json_has_the_same_facts(run, packed):
    result = run("info", packed, "--format", "json")
    told = json.loads(result.stdout)
    assert told["header"] == "go 1.25"
    assert told["duration_ns"] == 33_860_033
    assert told["kinds"]["log"] == 101
    assert sum(told["kinds"].values()) == told["events"] == 41_975
    assert len(told["generations"]) == 357
    assert told["wall_start"] == "2026-11-23T09:48:11.811922Z"


@pytest.mark.parametrize("path", sorted(REAL.glob("*.trace.zst")), ids=lambda path: path.stem)
def test_every_real_trace(run, path):
    result = run("info", path)
    assert result.exit_code in (0, 3), result.stderr
    assert max(map(len, result.stdout.splitlines()[:-2])) <= 100


def test_damage_is_told_with_code_3(run, cut):
    result = run("info", cut)
    assert result.exit_code == 3
    assert "complete     no, see notes" in result.stdout
    assert "error: at byte 8716: " in result.stdout
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"gotrace: {cut}: damaged: at byte 8716: ")


def test_nothing_readable_is_code_2(run, hopeless):
    result = run("info", hopeless)
    assert result.exit_code == 2
    assert "nothing can be read of it" in result.stderr


def test_fail_names_the_option_that_goes_on(run, cut):
    result = run("info", cut, "--on-error", "fail")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--on-error salvage" in result.stderr
    assert "on_error" not in result.stderr


def test_skip_leaves_a_damaged_file_out(run, cut, trace):
    result = run("info", cut, "--on-error", "skip")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "left out" in result.stderr
    result = run("info", cut, trace, "--on-error", "skip")
    assert result.exit_code == 3
    assert str(trace) in result.stdout
    assert str(cut) not in result.stdout


def test_a_page_in_place_of_a_trace_is_quoted_harmlessly(run, page):
    result = run("info", page)
    assert result.exit_code == 2
    assert "a web page" in result.stderr
    assert "Not found" in result.stderr
    assert "\u202e" not in result.stderr


def test_some_of_many_is_code_3(run, trace, page):
    result = run("info", page, trace, page)
    assert result.exit_code == 3
    assert "41,975" in result.stdout
    assert result.stderr.count("a web page") == 2
    assert run("info", page, page).exit_code == 2


def test_missing_file(run, tmp_path):
    result = run("info", tmp_path / "no.trace")
    assert (result.exit_code, result.stderr) == (
        2,
        f"gotrace: {tmp_path / 'no.trace'}: No such file or directory\n",
    )


def test_standard_input(run, packed):
    result = run("info", "-", stdin=packed.read_bytes())
    assert result.exit_code == 0
    assert "41,975" in result.stdout
    assert run("info", "-", "-", stdin=b"").exit_code == 2
