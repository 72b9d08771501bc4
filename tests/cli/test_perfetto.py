"""`gotrace convert --format perfetto`."""

from __future__ import annotations

import pytest


def test_a_window(run, trace, tmp_path):
    whole, part = tmp_path / "whole.pftrace", tmp_path / "part.pftrace"
    result = run("convert", trace, "-o", whole)
    assert result.exit_code == 0, result.stderr
    first, last = result.stdout.splitlines()
    assert " slices, " in first
    assert str(whole)[:40] in first or first.endswith("…")
    assert last.startswith("next: open it in the Perfetto UI")
    result = run("convert", trace, "-o", part, "--from", "+10ms", "--to", "+12ms")
    assert result.exit_code == 0
    assert 0 < part.stat().st_size < whole.stat().st_size
    assert run("convert", trace, "-o", part).exit_code == 2
    assert run("convert", trace, "-o", part, "--overwrite").exit_code == 0
    assert part.read_bytes() == whole.read_bytes()


def test_a_name_of_ones_own(run, trace, tmp_path):
    out = tmp_path / "trace.bin"
    assert run("convert", trace, "--format", "perfetto", "-o", out).exit_code == 0
    assert out.stat().st_size > 1000


def test_nothing_there(run, trace, tmp_path):
    out = tmp_path / "x.pftrace"
    result = run("convert", trace, "-o", out, "--from", "+1h")
    assert result.exit_code == 0
    assert "nothing happened there: the stretch of time is empty" in result.stderr


def test_damage(run, cut, hopeless, tmp_path):
    assert run("convert", cut, "-o", tmp_path / "cut.pftrace").exit_code == 3
    result = run("convert", hopeless, "-o", tmp_path / "hopeless.pftrace")
    assert result.exit_code == 2
    assert not (tmp_path / "hopeless.pftrace").exists()


@pytest.mark.parametrize(
    "option", [("--tables", "events"), ("--generation", "1"), ("--threads", "1")]
)
def test_what_it_does_not_take(run, trace, tmp_path, option):
    result = run("convert", trace, "-o", tmp_path / "x.pftrace", *option)
    assert result.exit_code == 2
    assert "takes no --tables" in result.stderr


def test_a_folder(run, trace, tmp_path):
    result = run("convert", trace, "--format", "perfetto", "-o", tmp_path)
    assert "writes one file" in result.stderr
    assert result.exit_code == 2
