"""TrackEvents, read with Perfetto's own schema and played as its trace processor plays them.

With GOTRACE_TRACE_PROCESSOR=PATH the real trace processor takes them too.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gotrace
from gotrace.sinks.perfetto import PerfettoWritten, write_perfetto
from tests.core.decoding import real

protos = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2")

TRACES = (
    *("annotations-go1.22", "annotations-go1.27", "gc-go1.22", "gc-stress-go1.26"),
    *("blocking-go1.23", "coro-go1.24", "cpuprofile-go1.26"),
)


@dataclass
class Slice:
    name: str
    start: int
    end: int
    notes: dict[str, str]
    depth: int
    flows: tuple[int, ...]


@dataclass
class Played:
    """A file as the trace processor understands it."""

    tracks: dict[int, Any] = field(default_factory=dict)
    slices: dict[int, list[Slice]] = field(default_factory=lambda: defaultdict(list))
    instants: dict[int, list[Slice]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    clocks: list[dict[int, int]] = field(default_factory=list)

    def named(self, name: str) -> int:
        return next(uuid for uuid, track in self.tracks.items() if track.name == name)

    def below(self, name: str) -> list[int]:
        parent = self.named(name)
        return [uuid for uuid, track in self.tracks.items() if track.parent_uuid == parent]


def play(path: Path) -> Played:
    """Resolve texts in the order of the file, then play the events in the order of time."""
    trace = protos.Trace()
    trace.ParseFromString(path.read_bytes())
    played, events = Played(), []
    texts: dict[str, dict[int, str]] = {
        name: {} for name in ("event_names", "debug_annotation_names")
    } | {"debug_annotation_string_values": {}}
    for number, packet in enumerate(trace.packet):
        refuse_unknown(packet)
        assert packet.trusted_packet_sequence_id == 1
        assert packet.sequence_flags == 1 if number == 0 else packet.sequence_flags in (0, 2)
        if packet.HasField("track_descriptor"):
            assert packet.track_descriptor.uuid not in played.tracks
            played.tracks[packet.track_descriptor.uuid] = packet.track_descriptor
        for name, known in texts.items():
            for entry in getattr(packet.interned_data, name):
                assert entry.iid not in known
                text = entry.str.decode() if name.endswith("values") else entry.name
                known[entry.iid] = text
        if packet.HasField("clock_snapshot"):
            clocks = packet.clock_snapshot.clocks
            played.clocks.append({clock.clock_id: clock.timestamp for clock in clocks})
        if packet.HasField("track_event"):
            event = packet.track_event
            assert packet.timestamp > 0
            notes = {
                texts["debug_annotation_names"][note.name_iid]: texts[
                    "debug_annotation_string_values"
                ][note.string_value_iid]
                for note in event.debug_annotations
            }
            name = texts["event_names"][event.name_iid] if event.name_iid else ""
            events.append((packet.timestamp, event, name, notes))
    events.sort(key=lambda each: each[0])
    replay(events, played)
    return played


def replay(events: list[tuple[int, Any, str, dict[str, str]]], played: Played) -> None:
    stacks: dict[int, list[Slice]] = defaultdict(list)
    kinds = protos.TrackEvent.Type
    for time, event, name, notes in events:
        track = event.track_uuid
        assert track in played.tracks
        if event.type == kinds.TYPE_SLICE_BEGIN:
            flows = tuple(event.terminating_flow_ids)
            new = Slice(name, time, -1, notes, len(stacks[track]), flows)
            assert name
            stacks[track].append(new)
            played.slices[track].append(new)
        elif event.type == kinds.TYPE_SLICE_END:
            stacks[track].pop().end = time
        elif event.type == kinds.TYPE_INSTANT:
            assert name
            flows = tuple(event.flow_ids)
            played.instants[track].append(Slice(name, time, time, notes, 0, flows))
        else:
            assert event.type == kinds.TYPE_COUNTER
            assert event.HasField("counter_value")
            assert played.tracks[track].HasField("counter")
            played.counts[track].append((time, event.counter_value))
    assert not any(stacks.values())


def refuse_unknown(message: Any) -> None:
    from google.protobuf.unknown_fields import UnknownFieldSet

    assert not len(UnknownFieldSet(message)), message
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            is_list = hasattr(value, "__len__")
            for inner in value if is_list else [value]:
                refuse_unknown(inner)


@pytest.fixture(scope="module", params=TRACES)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[gotrace.Trace, PerfettoWritten, Played]:
    trace = gotrace.open(real(request.param))
    assert isinstance(trace, gotrace.Trace)
    path = tmp_path_factory.mktemp("perfetto") / "x.pftrace"
    said = write_perfetto(trace, path)
    return trace, said, play(path)


Written = tuple[gotrace.Trace, PerfettoWritten, Played]


def test_it_is_what_it_says(written: Written) -> None:
    _, said, played = written
    assert said.slices == sum(map(len, played.slices.values()))
    assert said.instants == sum(map(len, played.instants.values()))
    assert said.counts == sum(map(len, played.counts.values()))
    assert said.tracks == len(played.tracks)
    for track in played.tracks.values():
        assert not track.parent_uuid or track.parent_uuid in played.tracks


def test_lanes_of_goroutines(written: Written) -> None:
    trace, _, played = written
    names = dict(
        zip(*(trace.table("goroutines")[c].to_pylist() for c in ("goroutine", "name")), strict=True)
    )
    expected = defaultdict(list)
    for row in trace.table("goroutine_states").to_pylist():
        if row["start_ns"] < row["end_ns"]:
            name = row["state"]
            if name == "waiting":
                name = row["wait"] or row["reason"] or name
            expected[row["goroutine"]].append((row["start_ns"], row["end_ns"], name))
    found = {}
    for uuid in played.below("Goroutines"):
        label = played.tracks[uuid].name
        number, _, name = label.removeprefix("G").partition(" ")
        assert (name or None) == names[int(number)]
        assert {slice_.depth for slice_ in played.slices[uuid]} <= {0}
        found[int(number)] = [(s.start, s.end, s.name) for s in played.slices[uuid]]
    assert {g: sorted(rows) for g, rows in found.items() if rows} == {
        g: sorted(rows) for g, rows in expected.items()
    }


def test_lanes_of_procs_and_threads(written: Written) -> None:
    trace, _, played = written
    for group, letter, column in (("Procs", "P", "proc"), ("Threads", "M", "thread")):
        expected = defaultdict(list)
        for row in trace.table(f"{column}_states").to_pylist():
            if row["state"] != "idle" and row["start_ns"] < row["end_ns"]:
                goroutine = row["goroutine"]
                own = (row["start_ns"], row["end_ns"], goroutine and f"G{goroutine}")
                expected[f"{letter}{row[column]}"].append(own)
        lanes = {played.tracks[uuid].name: played.slices[uuid] for uuid in played.below(group)}
        found = {
            name: [
                (s.start, s.end, None if s.name == "scheduler" else s.name.split()[0])
                for s in slices
            ]
            for name, slices in lanes.items()
            if slices
        }
        assert found == {name: sorted(rows) for name, rows in expected.items()}
        assert {s.depth for slices in lanes.values() for s in slices} <= {0}


def test_flows_go_from_wakers_to_the_woken(written: Written) -> None:
    trace, _, played = written
    begins = {
        flow: (played.tracks[uuid].name, instant)
        for uuid, instants in played.instants.items()
        for instant in instants
        for flow in instant.flows
    }
    ends = {
        flow: (played.tracks[uuid].name, slice_)
        for uuid, slices in played.slices.items()
        for slice_ in slices
        for flow in slice_.flows
    }
    assert begins.keys() == ends.keys()
    woken = [
        row
        for row in trace.table("goroutine_states").to_pylist()
        if row["state"] == "runnable"
        and row["by_goroutine"] is not None
        and row["start_ns"] < row["end_ns"]
    ]
    assert len(begins) == len(woken)
    for flow, (waker, instant) in begins.items():
        name, slice_ = ends[flow]
        assert instant.start == slice_.start
        assert instant.notes["goroutine"] == name
        assert slice_.notes["woken by"] == waker
        assert slice_.name == "runnable"


def test_counters(written: Written) -> None:
    trace, _, played = written
    metrics = trace.table("metrics").to_pylist()
    for name, metric in (
        ("heap", "/memory/classes/heap/objects:bytes"),
        ("heap goal", "/gc/heap/goal:bytes"),
        ("GOMAXPROCS", "/sched/gomaxprocs:threads"),
    ):
        values = [(m["time_ns"], m["value"]) for m in metrics if m["name"] == metric]
        lanes = [u for u in played.below("Counters") if played.tracks[u].name == name]
        assert [played.counts[uuid] for uuid in lanes] == ([values] if values else [])
    states = trace.table("goroutine_states")
    starts, ends = (np.asarray(states[name]) for name in ("start_ns", "end_ns"))
    for state in ("running", "runnable", "syscall", "waiting"):
        lanes = [u for u in played.below("Counters") if played.tracks[u].name.endswith(state)]
        of_state = np.array([word == state for word in states["state"].to_pylist()])
        for time, value in played.counts[lanes[0]][::97] if lanes else ():
            assert value == (of_state & (starts <= time) & (time < ends)).sum()


def test_ranges_regions_and_tasks(written: Written) -> None:
    trace, _, played = written
    by_name: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for uuid, slices in played.slices.items():
        for slice_ in slices:
            by_name[f"{played.tracks[uuid].name}/{slice_.name}"].append((slice_.start, slice_.end))
    lane_of = {"stw": "world stopped", "mark": "mark phase", "assist": "assists", "sweep": "sweeps"}
    expected: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in trace.table("ranges").to_pylist():
        expected[f"{lane_of[row['class']]}/{row['name']}"].append((row["start_ns"], row["end_ns"]))
    for row in trace.table("regions").to_pylist():
        expected[f"regions/{row['name'] or '(no name)'}"].append((row["start_ns"], row["end_ns"]))
    for row in trace.table("tasks").to_pylist():
        name = row["name"] or "(no name)"
        expected[f"{name}/{name}"].append((row["start_ns"], row["end_ns"]))
    for name, rows in expected.items():
        times = [time for row in rows if row[0] < row[1] for time in row]
        # Regions that are open at the begin are told apart by a nanosecond each.
        found = [time for row in by_name[name] for time in row]
        assert np.allclose(sorted(found), sorted(times), rtol=0, atol=8), name


def test_logs_and_samples(written: Written) -> None:
    trace, _, played = written
    found = [s for instants in played.instants.values() for s in instants]
    logs = [row for row in trace.table("logs").to_pylist() if row["goroutine"] is not None]
    messages = sorted(row["message"] for row in logs if row["message"])
    assert sorted(s.notes["message"] for s in found if "message" in s.notes) == messages
    samples = trace.table("cpu_samples")["goroutine"].drop_null()
    assert len([s for s in found if s.name == "CPU sample"]) == len(samples)


def test_a_window(tmp_path: Path) -> None:
    trace = gotrace.open(real("annotations-go1.27"))
    whole = write_perfetto(trace, tmp_path / "whole.pftrace")
    start = whole.span.start_ns + whole.span.duration_ns // 3
    end = start + whole.span.duration_ns // 3
    part = write_perfetto(trace, tmp_path / "part.pftrace", start=start, end=end)
    played = play(tmp_path / "part.pftrace")
    times = [t for slices in played.slices.values() for s in slices for t in (s.start, s.end)]
    assert (min(times), max(times)) == (start, end)
    assert 0 < part.slices < whole.slices
    nested = [s for slices in played.slices.values() for s in slices if s.depth]
    assert all(s.start <= s.end for s in nested)


def test_the_wall_clock(tmp_path: Path) -> None:
    write_perfetto(gotrace.open(real("annotations-go1.27")), tmp_path / "x.pftrace")
    ((boot, wall),) = [clock.items() for clock in play(tmp_path / "x.pftrace").clocks]
    assert (boot[0], wall[0]) == (6, 1)
    info = gotrace.open(real("annotations-go1.27")).info()
    assert info.wall_start is not None
    assert abs(wall[1] / 1e9 - info.wall_start.timestamp()) < 1e-3
    write_perfetto(gotrace.open(real("annotations-go1.22")), tmp_path / "old.pftrace")
    assert play(tmp_path / "old.pftrace").clocks == []


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.pftrace", "b.pftrace")]
    for file in files:
        write_perfetto(gotrace.open(real("gc-go1.22")), file)
    assert files[0].read_bytes() == files[1].read_bytes()
    with pytest.raises(FileExistsError):
        write_perfetto(gotrace.open(real("gc-go1.22")), files[0])


@pytest.mark.skipif(
    "GOTRACE_TRACE_PROCESSOR" not in os.environ, reason="no trace processor is named"
)
def test_the_trace_processor(tmp_path: Path) -> None:
    from perfetto.trace_processor import TraceProcessor, TraceProcessorConfig

    said = write_perfetto(gotrace.open(real("annotations-go1.27")), tmp_path / "x.pftrace")
    config = TraceProcessorConfig(bin_path=os.environ["GOTRACE_TRACE_PROCESSOR"])
    with TraceProcessor(trace=str(tmp_path / "x.pftrace"), config=config) as processor:
        rows = processor.query("SELECT count(*) AS n FROM slice WHERE dur >= 0")
        assert next(iter(rows)).n == said.slices + said.instants
        errors = processor.query(
            "SELECT name, value FROM stats WHERE severity = 'error' AND value > 0"
        )
        assert [(row.name, row.value) for row in errors] == []
