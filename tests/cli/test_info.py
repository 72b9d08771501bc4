"""`gotrace info`: what is this file, and what of it is not whole."""

from __future__ import annotations

import json
import re

import pytest

import gotrace
from gotrace.analyses.profile_columns import from_tables
from tests.analyses import proto
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


PROFILES = REAL.parent / "profiles"


def facts_of(text: str) -> dict[str, str]:
    lines = [line[2:] for line in text.splitlines() if line.startswith("  ")]
    return {line[:12].strip(): line[13:] for line in lines if line[:12].strip()}


def test_text_says_what_a_profile_is(run):
    path = PROFILES / "heap-go1.27.pb.gz"
    result = run("info", path)
    assert (result.exit_code, result.stderr) == (0, "")
    facts = facts_of(result.stdout)
    assert facts["kind"] == "pprof profile"
    assert re.match(r"/\S+ \(build [0-9a-f]", facts["program"])
    assert facts["period"] == "512B of space"
    assert facts["values"].startswith("alloc_objects")
    assert re.search(r"inuse_space +[0-9.]+[kM]B  shown first", result.stdout)
    assert re.match(r"bytes \(\d+\): samples with the key", facts["labels"])
    assert f"next: gotrace top {path}" in result.stdout


def test_json_of_a_profile(run):
    path = PROFILES / "cpu-go1.27.pb.gz"
    told = json.loads(run("info", path, "--format", "json").stdout)
    (profile,) = told["profiles"]
    assert told["kind"] == "profile"
    columns = from_tables(gotrace.open(path))
    totals = {total["type"]: total["value"] for total in profile["totals"]}
    assert list(totals.values()) == columns.values.sum(axis=0).tolist()
    with_label = [number for number in columns.labels if columns.label_sets[number]]
    assert profile["labels"] == {"kind": len(with_label), "tenant": len(with_label)}


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.pb.gz")), ids=lambda path: path.name)
def test_every_real_profile(run, path):
    result = run("info", path)
    assert result.exit_code == 0
    assert facts_of(result.stdout)["complete"] == "yes"


def test_several_profiles_in_a_file(run, tmp_path):
    path = tmp_path / "many.pb"
    path.write_bytes(b"".join(proto.build([("a", [1, n], {})]) for n in range(1, 6)))
    result = run("info", path)
    assert "5 pprof profiles" in result.stdout
    assert "--- profile 2, at byte" in result.stdout
    assert "… and 2 more: table profiles" in result.stdout


def test_totals_do_not_overflow(run, tmp_path):
    path = tmp_path / "huge.pb"
    path.write_bytes(proto.build([("a", [1, -(2**63)], {}), ("b", [1, 2**63 - 1], {})]))
    (profile,) = json.loads(run("info", path, "--format", "json").stdout)["profiles"]
    assert profile["totals"][1]["value"] == 2**64 - 1


def test_a_profile_that_is_cut(run, tmp_path):
    path = tmp_path / "cut.pb"
    path.write_bytes(proto.build([("a", [1, 7], {})])[:-9])
    result = run("info", path)
    assert result.exit_code == 2
    assert "complete     no" in result.stdout
    assert "nothing can be read of it" in result.stderr
