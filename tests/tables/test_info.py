"""What is this file."""

import gotrace


def test_info_of_a_trace_with_a_wall_clock(real):
    info = gotrace.open(real("gc-generations-go1.26")).info()
    assert (info.kind, info.header, info.runtimes) == ("trace", "go 1.26", "Go 1.26 or 1.27")
    assert info.compression == "zstd"
    assert 0 < info.compressed_bytes < info.trace_bytes
    assert info.duration_ns == info.end_ns - info.start_ns > 0
    assert info.events == sum(info.kinds.values()) == sum(g["events"] for g in info.generations) + 1
    assert next(iter(info.kinds)) == "state_transition"
    assert info.clock_source == "clock_snapshot"
    assert info.clock_error_ns == 64
    assert info.wall_start.year >= 2024
    assert info.complete is True
    assert info.fault is None
    assert info.notes == []


def test_info_of_an_old_format_admits_what_it_cannot_know(real):
    info = gotrace.open(real("io-go1.22")).info()
    assert info.complete is None
    assert (info.clock_source, info.wall_start, info.clock_error_ns) == ("none", None, None)


def test_info_of_damage(cut):
    info = gotrace.open(cut, on_error="salvage").info()
    assert info.complete is False
    assert info.notes[0]["severity"] == "error"
