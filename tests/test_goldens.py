"""Every golden trace comes out as its file says, and where Go is there, as Go reads it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gotrace.spec.trace_events import EVENTS
from gotrace.wire import WireReader
from tests.differential.compare import differences
from tests.golab import peers, toolchain
from tests.goldens import Golden, all_goldens, decode, outcome_sections, render

GOLDENS = all_goldens()
each = pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)


@each
def test_golden(golden: Golden) -> None:
    text = render(golden, outcome_sections(golden))
    if os.environ.get("UPDATE") == "1":
        golden.path.write_text(text, encoding="utf-8")
    assert text == golden.path.read_text(encoding="utf-8")


@each
def test_golden_says_what_it_shows(golden: Golden) -> None:
    assert golden.description.strip()
    assert {"trace", "expect"} <= set(golden.sections)
    if "go" in golden.sections:
        verdict, *why = golden.sections["go"].splitlines()
        assert verdict in ("end", "error", "panic", "end, same events", "error, same events")
        assert why


@pytest.mark.go
@each
def test_go_agrees(golden: Golden, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    toolchain.require()
    if "open" in golden.sections:
        request.applymarker(pytest.mark.xfail(reason=golden.sections["open"], strict=True))
    if golden.options:
        pytest.skip("Go has no such options")
    path = tmp_path / "golden.trace"
    path.write_bytes(golden.trace)
    dump = peers.dump_trace(path)
    ours = decode(golden.trace, ("events", "stacks", "frames"), {})
    said = golden.sections.get("go", "").partition("\n")[0]
    default = "end, same events" if ours.fault is None else "error, same events"
    verdict, _, same = (said or default).partition(", ")
    assert dump.verdict == verdict, dump.message
    differ = differences(*(ours.tables[name] for name in ("events", "stacks", "frames")), dump)
    if same:
        assert differ == []
    else:
        assert differ or dump.verdict != default.partition(",")[0], "Go does the same after all"


def test_every_event_has_a_golden() -> None:
    seen = set()
    for golden in GOLDENS:
        try:
            seen |= {record.spec.name for record in WireReader(golden.trace, any_version=True)}
        except ValueError:
            continue
    assert {spec.name for spec in EVENTS} <= seen
