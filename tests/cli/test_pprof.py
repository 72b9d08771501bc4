"""`gotrace pprof`: a trace's delays as a file for `go tool pprof`."""

from __future__ import annotations

import pytest

import gotrace


def test_a_file(run, trace, tmp_path):
    out = tmp_path / "sched.pb.gz"
    result = run("pprof", trace, "--by", "sched", "-o", out)
    assert result.exit_code == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert first.endswith(f" in {out}"[-20:])
    assert second.startswith("next: go tool pprof")
    profile = gotrace.open(out)
    samples = profile.table("samples")
    assert first.startswith(f"{samples.num_rows} stack")
    kinds = profile.table("profiles")["sample_types"].to_pylist()
    assert [kind["type"] for kind in kinds[0]] == ["contentions", "delay"]
    top = gotrace.top(profile)
    rows = samples.to_pylist()
    assert sum(top["flat"].to_pylist()) == sum(r["values"][1] for r in rows if r["location_ids"])
    assert run("pprof", trace, "--by", "sched", "-o", out).exit_code == 2
    before = out.read_bytes()
    assert run("pprof", trace, "--by", "sched", "-o", out, "--overwrite").exit_code == 0
    assert out.read_bytes() == before


def test_a_pipe(run, trace, tmp_path):
    out = tmp_path / "sync.pb.gz"
    run("pprof", trace, "--by", "sync", "-o", out)
    assert run("pprof", trace, "--by", "sync").stdout_bytes == out.read_bytes()


def test_nothing_to_tell(run, trace, tmp_path):
    out = tmp_path / "net.pb"
    result = run("pprof", trace, "--by", "net", "-o", out)
    assert result.exit_code == 0
    assert "no goroutine waited for the network" in result.stderr
    assert gotrace.open(out).table("samples").num_rows == 0


@pytest.mark.parametrize("arguments", [("--by", "cpu"), ("--by", "net", "-o", "x.csv"), ()])
def test_bad_usage(run, trace, arguments):
    assert run("pprof", trace, *arguments).exit_code == 2


def test_damage(run, cut, hopeless, tmp_path):
    assert run("pprof", cut, "--by", "sync", "-o", tmp_path / "cut.pb").exit_code == 3
    assert run("pprof", hopeless, "--by", "sync", "-o", tmp_path / "hopeless.pb").exit_code == 2
    assert not (tmp_path / "hopeless.pb").exists()
