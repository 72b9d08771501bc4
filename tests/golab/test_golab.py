"""The Go lab itself: what it hands to other tests must be whole and what it claims to be."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.compute as pc
import pytest

from tests.golab import peers, record, record_profiles, toolchain

pytestmark = pytest.mark.go

REAL_TRACES = list(record.real_traces())


@pytest.fixture(scope="module", autouse=True)
def go() -> toolchain.Toolchain:
    return toolchain.require()


def readme_rows() -> list[dict[str, str]]:
    lines = (record.REAL / "README.md").read_text(encoding="utf-8").splitlines()
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|")
    ]
    head, _rule, *rows = table
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("trace", REAL_TRACES, ids=lambda trace: trace.path.name)
def test_real_trace_is_as_its_readme_row_says(trace: record.RealTrace) -> None:
    rows = {row["file"]: row for row in readme_rows()}
    row = rows[trace.path.name]
    content = trace.read()
    dump = peers.dump_trace(trace.path)

    assert content[:16] == b"go 1.%d trace\0\0\0" % trace.toolchain.header_minor
    assert row["header"] == f"go 1.{trace.toolchain.header_minor}"
    assert row["Go"] == trace.toolchain.version
    assert dump.verdict == row["verdict"] == ("error" if trace.recording.misnested else "end")
    assert dump.events.num_rows == int(row["events"])
    assert len(content) == int(row["bytes"])
    assert trace.path.stat().st_size == int(row["packed"])


def test_readme_and_directory_list_the_same_files() -> None:
    named = [row["file"] for row in readme_rows()]
    assert named == [trace.path.name for trace in REAL_TRACES]
    assert sorted(named) == sorted(path.name for path in record.REAL.glob("*.trace.zst"))
    sizes = [trace.path.stat().st_size for trace in REAL_TRACES]
    assert max(sizes) <= record.MAX_FILE_BYTES
    assert sum(sizes) <= record.MAX_TOTAL_BYTES


def test_real_traces_name_no_path_of_the_machine_that_recorded_them() -> None:
    for trace in REAL_TRACES:
        assert not re.search(rb"/(root|home|tmp|Users)/", trace.read()), trace.path.name


def test_dump_words_are_those_of_the_events_table() -> None:
    seen: dict[str, set[str]] = {"kind": set(), "resource": set(), "from_state": set()}
    for trace in REAL_TRACES:
        events = peers.dump_trace(trace.path).events
        for column, values in seen.items():
            values.update(v for v in pc.unique(events[column]).to_pylist() if v is not None)
    assert seen["kind"] == {
        *("sync", "metric", "label", "stack_sample", "range_begin", "range_active", "range_end"),
        *("task_begin", "task_end", "region_begin", "region_end", "log"),
        *("state_transition", "experimental"),
    }
    assert seen["resource"] == {"goroutine", "proc"}
    assert seen["from_state"] == {
        *("undetermined", "notexist", "runnable", "running", "waiting", "syscall", "idle"),
    }


def test_dump_keeps_awkward_texts_whole() -> None:
    dump = peers.dump_trace(record.REAL / "annotations-go1.27.trace.zst")
    logs = dump.events.filter(pc.equal(dump.events["kind"], "log"))
    messages = logs["message"].to_pylist()
    for message in (
        b"",
        b"-",
        b'tab\tnewline\nreturn\rquote"backslash\\',
        b"nul\0inside",
        b"latin-1 \xfcmlaut",
        b"x" * 1023 + b"\xc3",  # cut inside a character by the runtime
    ):
        assert message in messages
    assert None in logs["name"].to_pylist()  # an empty category
    assert None in logs["task"].to_pylist()  # a log of the background task


def test_every_stack_number_is_defined() -> None:
    dump = peers.dump_trace(record.REAL / "io-go1.27.trace.zst")
    used = {*dump.events["stack"].to_pylist(), *dump.events["context_stack"].to_pylist()} - {None}
    assert used == set(dump.stacks)
    assert any(
        frame.function == b"net/http.(*conn).serve" and frame.file == b"net/http/server.go"
        for frames in dump.stacks.values()
        for frame in frames
    )


def test_events_come_in_order_with_their_stacks() -> None:
    dump = peers.dump_trace(record.REAL / "coro-go1.27.trace.zst")
    events = dump.events.to_pylist()
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert events[0]["kind"] == events[-1]["kind"] == "sync"
    assert events[0]["wall_ns"] is not None
    assert events[-1]["wall_ns"] is None
    begun = (event for event in events if event["from_state"] == "notexist" and event["stack"])
    starts = {dump.stacks[event["stack"]][0].function for event in begun}
    assert {b"main.moved.func1", b"runtime.corostart"} <= starts


def test_count_agrees_with_dump() -> None:
    path = record.REAL / "blocking-go1.27.trace.zst"
    events, seconds = peers.count_events(path, repeat=2)
    assert events == peers.dump_trace(path).events.num_rows
    assert len(seconds) == 2
    assert peers.count_events(path, summarize=True)[0] == events


def test_go_reader_does_with_its_golden_tests_what_they_expect(tmp_path: Path) -> None:
    cases = peers.golden_cases()
    assert len(cases) == 22
    for case in cases:
        assert peers.wire_from_text(case.text) == case.trace, case.name
        path = tmp_path / case.name
        path.write_bytes(case.trace)
        dump = peers.dump_trace(path)
        if case.failure is None:
            assert dump.verdict == "end", case.name
        else:
            assert dump.verdict == "error", case.name
            assert re.search(case.failure, dump.message), case.name


def test_go_reader_survives_its_fuzz_corpus(tmp_path: Path) -> None:
    cases = peers.fuzz_cases()
    assert len(cases) == 17
    for case in cases:
        path = tmp_path / case.name
        path.write_bytes(case.trace)
        assert peers.dump_trace(path).verdict in ("end", "error"), case.name


def test_text_form_goes_both_ways() -> None:
    content = REAL_TRACES[0].read()
    assert peers.text_from_wire(content).startswith(b"Trace Go1.22\nEventBatch gen=1 ")
    # Go's writer uses the shortest varints, so only the second round is equal byte for byte.
    shortest = peers.wire_from_text(peers.text_from_wire(content))
    assert peers.wire_from_text(peers.text_from_wire(shortest)) == shortest


def test_missing_toolchain_skips_or_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOTRACE_GO_CACHE", str(tmp_path))
    monkeypatch.delenv("GOTRACE_REQUIRE_GO", raising=False)
    assert not toolchain.available()
    with pytest.raises(pytest.skip.Exception, match=r"needs Go 1\.27\.3: run `make go-toolchains`"):
        toolchain.require()
    monkeypatch.setenv("GOTRACE_REQUIRE_GO", "1")
    with pytest.raises(pytest.fail.Exception, match=r"needs Go 1\.27\.3"):
        toolchain.require()


def test_real_profiles_are_as_their_readme_says() -> None:
    rows = "".join(map(record_profiles.readme_row, record_profiles.real_profiles()))
    readme = record_profiles.PROFILES / "README.md"
    assert readme.read_text(encoding="utf-8") == record_profiles.README_HEAD + rows
    named = {profile.path for profile in record_profiles.real_profiles()}
    assert named == set(record_profiles.PROFILES.glob("*.pb.gz"))
