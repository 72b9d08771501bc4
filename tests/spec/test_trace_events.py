"""The table of events is whole, and says what Go's own table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gotrace.spec import trace_events, transitions, words
from gotrace.spec.trace_events import EVENT_BY_NAME, EVENTS, HEADERS, EventSpec
from tests.golab import toolchain


def test_ids_are_all_that_the_format_assigns() -> None:
    assert [spec.id for spec in EVENTS] == [*range(1, 53), *range(128, 137)]


def test_names_are_distinct() -> None:
    assert len(EVENT_BY_NAME) == len(EVENTS)


@pytest.mark.parametrize("spec", EVENTS, ids=lambda spec: spec.name)
def test_spec_is_consistent(spec: EventSpec) -> None:
    assert spec.minor in HEADERS
    assert spec.kind in (None, *words.KINDS)
    assert len(set(spec.args)) == len(spec.args)
    assert "dt" not in spec.args[1:]
    assert len(spec.args) <= trace_events.MAX_TIMED_ARGS
    if spec.begins:
        assert spec.begins in EVENT_BY_NAME
        assert spec.kind in ("range_end", "range_active", "task_end", "region_end", *GO_STATES)
    if spec.stack_args and spec.is_timed:
        assert spec.args[spec.stack_args[0]] == "stack"
    if spec.experiment:
        assert spec.kind == "experimental"


GO_STATES = ("state_transition",)


def test_go_create_has_the_creators_stack_first() -> None:
    assert EVENT_BY_NAME["GoCreate"].stack_args == (3, 2)
    assert EVENT_BY_NAME["UserLog"].string_args == (2, 3)


def test_headers_are_sixteen_bytes() -> None:
    assert trace_events.header(26) == b"go 1.26 trace\0\0\0"
    assert trace_events.header(5) == b"go 1.5 trace\0\0\0\0"


def test_transitions_use_the_states_there_are() -> None:
    for resource, legal in transitions.LEGAL.items():
        assert resource in words.RESOURCES
        for before, after in legal.items():
            assert {before, *after} <= set(words.STATES)
    assert "runnable" in transitions.GOROUTINE["waiting"]
    assert "running" not in transitions.GOROUTINE["waiting"]


# --- against Go's sources ---------------------------------------------------------------------

TABLE = re.compile(r"^\tEv(\w+): \{\n(.*?)^\t\},\n", re.DOTALL | re.MULTILINE)


def go_source(path: str) -> str:
    return Path(toolchain.require().goroot, "src", path).read_text(encoding="utf-8")


@pytest.mark.go
def test_table_equals_gos() -> None:
    source = go_source("internal/trace/tracev2/events.go")
    theirs = {}
    for name, body in TABLE.findall(source):
        args = re.search(r"Args: +\[\]string\{(.*?)\}", body)
        theirs[name] = {
            "args": tuple(re.findall(r'"(\w+)"', args[1])) if args else (),
            "timed": "IsTimedEvent: true" in body,
            "data": bool(re.search(r"HasData: +true", body)),
            "stack": bool(re.search(r"IsStack: +true", body)),
            "begins": m[1] if (m := re.search(r"StartEv: +Ev(\w+)", body)) else None,
            "strings": _numbers(body, "StringIDs"),
            "stacks": _numbers(body, "StackIDs"),
            "experiment": 1 if "Experiment:   AllocFree" in body else 0,
        }
    # Go does not use StartEv for tasks; we say that the end of one ends something.
    ours = {
        spec.name: {
            "args": spec.args,
            "timed": spec.is_timed,
            "data": spec.has_data,
            "stack": spec.is_stack,
            "begins": None if spec.name == "UserTaskEnd" else spec.begins,
            "strings": spec.string_args,
            "stacks": spec.stack_args,
            "experiment": spec.experiment,
        }
        for spec in EVENTS
    }
    assert ours == theirs


def _numbers(body: str, field: str) -> tuple[int, ...]:
    found = re.search(rf"{field}: +\[\]int\{{(.*?)\}}", body)
    return tuple(map(int, re.findall(r"\d+", found[1]))) if found else ()


@pytest.mark.go
@pytest.mark.parametrize("version", toolchain.VERSIONS)
def test_reasons_hold_all_that_a_go_version_says(version: str) -> None:
    root = Path(toolchain.require(version).goroot, "src/runtime")
    file = "trace2runtime.go" if version.startswith("1.22.") else "traceruntime.go"
    runtime = (root / file).read_text(encoding="utf-8")
    trace_reasons = _table(runtime, "traceBlockReasonStrings") + _table(
        runtime, "traceGoStopReasonStrings"
    )
    assert trace_reasons
    assert set(trace_reasons) <= set(words.TRACE_REASONS)
    waits = _table((root / "runtime2.go").read_text(encoding="utf-8"), "waitReasonStrings")
    assert len(waits) > 30
    assert set(waits) - {""} <= set(words.REASONS)


def _table(source: str, name: str) -> list[str]:
    body = re.search(
        rf"var {name} = \[\.\.\.\]string\{{(.*?)^\}}", source, re.DOTALL | re.MULTILINE
    )
    assert body is not None, name
    return re.findall(r'"([^"]*)",', body[1])
