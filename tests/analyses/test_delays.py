"""The four profiles of a trace: equal to `go tool trace -pprof`, and to a plain restatement."""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gotrace
from gotrace._core import DelaySums
from gotrace.analyses.delays import COLUMNS, VIEWS, delay_profile, delays
from gotrace.analyses.profile_columns import ProfileColumns, from_tables
from gotrace.analyses.selection import Where
from gotrace.spec.words import KINDS, RESOURCES, STATES
from tests.core.decoding import real
from tests.golab import toolchain

#: What each version of the format has, and what only some programs do.
COMPARED = (
    *("blocking-go1.22", "blocking-generations-go1.25", "blocking-generations-go1.27"),
    *("io-go1.22", "io-go1.27", "syscalls-go1.23", "syscalls-go1.27"),
    *("cgo-generations-go1.22", "cgo-go1.27", "coro-go1.23", "coro-go1.27"),
    *("gc-stress-go1.26", "annotations-generations-go1.25", "restart-go1.27"),
)


@pytest.mark.go
@pytest.mark.parametrize("name", COMPARED)
def test_equal_to_go(name: str, tmp_path: Path) -> None:
    go = toolchain.require()
    path = tmp_path / name
    path.write_bytes(real(name))
    trace = gotrace.open(path)
    for by in VIEWS:
        assert by_stack(delay_profile(trace, by, compat="go")) == by_stack(of_go(go, path, by))


def of_go(go: toolchain.Toolchain, trace: Path, by: str) -> ProfileColumns:
    done = subprocess.run(
        [str(go.go_command), "tool", "trace", f"-pprof={by}", str(trace)],
        env=go.environment(),
        capture_output=True,
        check=True,
    )
    return from_tables(gotrace.open(done.stdout))


def by_stack(profile: ProfileColumns) -> dict[tuple[tuple[str, str, int], ...], tuple[int, int]]:
    """Sums by frames. Go joins stacks of the same addresses, which no frame and address 0 are."""
    sums: defaultdict[tuple[tuple[str, str, int], ...], list[int]] = defaultdict(lambda: [0, 0])
    for row, values in enumerate(profile.values.tolist()):
        frames = []
        for location in profile.locations[profile.offsets[row] : profile.offsets[row + 1]]:
            for line in range(profile.line_offsets[location], profile.line_offsets[location + 1]):
                at = profile.functions[line]
                function, file = profile.function_names[at], profile.function_files[at]
                if function:
                    frames.append((function, file, int(profile.lines[line])))
        sums[tuple(frames)][0] += values[0]
        sums[tuple(frames)][1] += values[1]
    return {frames: (count, total) for frames, (count, total) in sums.items()}


def test_an_id_that_lives_twice() -> None:
    trace = gotrace.open(real("cgo-go1.27"))
    ours, go = (
        sum(delays(trace, "syscall", compat=each)["contentions"].to_pylist())
        for each in (None, "go")
    )
    assert ours > go > 0


def test_tables_in_memory_do_too() -> None:
    trace = gotrace.open(real("blocking-go1.27"))
    events = {"events": trace.table("events", COLUMNS)}
    for by in VIEWS:
        assert delays(events, by).equals(delays(trace, by))
    # Words may be in another order in a file that someone else wrote.
    words = events["events"]["reason"].combine_chunks()
    other = pa.DictionaryArray.from_arrays(
        pa.array(np.asarray(words.indices.fill_null(0)) + 1, mask=np.asarray(words.is_null())),
        pa.concat_arrays([pa.array(["another"]), words.dictionary]),
    )
    renamed = events["events"].set_column(COLUMNS.index("reason"), "reason", other)
    assert delays({"events": renamed}, "sync").equals(delays(trace, "sync"))


def test_the_longest_comes_first() -> None:
    table = delays(gotrace.open(real("blocking-go1.27")), "sync")
    assert table.schema.equals(gotrace.schema("delays"))
    totals = table["delay_ns"].to_pylist()
    assert totals == sorted(totals, reverse=True)
    assert min(totals) > 0


def test_no_such_view() -> None:
    with pytest.raises(gotrace.UnknownNameError, match="did you mean 'sync'"):
        delays({}, "syncs")


UNDETERMINED, NOTEXIST, RUNNABLE, RUNNING, WAITING, SYSCALL = range(6)
FROM = {
    NOTEXIST: (RUNNABLE, WAITING, SYSCALL),
    UNDETERMINED: (RUNNABLE, RUNNING, WAITING, SYSCALL),
    RUNNABLE: (RUNNING, RUNNABLE),
    RUNNING: (RUNNABLE, WAITING, SYSCALL, NOTEXIST),
    WAITING: (RUNNABLE, WAITING),
    SYSCALL: (RUNNING, RUNNABLE, NOTEXIST),
}


@st.composite
def transitions(draw: st.DrawFn) -> list[tuple[int, int, int, int, bool, int]]:
    """Rows (time, goroutine, from, to, counted, stack) of some goroutines that live and die."""
    states: dict[int, int] = {}
    rows = []
    time = 0
    for _ in range(draw(st.integers(0, 40))):
        time += draw(st.integers(1, 5))
        goroutine = draw(st.integers(1, 4))
        before = states.get(goroutine, draw(st.sampled_from([NOTEXIST, UNDETERMINED])))
        after = draw(st.sampled_from(FROM[before]))
        states[goroutine] = after
        rows.append((time, goroutine, before, after, draw(st.booleans()), draw(st.integers(-1, 3))))
    return rows


@given(transitions(), st.sampled_from([RUNNABLE, WAITING, SYSCALL]), st.booleans(), st.data())
def test_sums_equal_a_plain_restatement(rows, state, cut, data) -> None:
    start, end = (data.draw(st.integers(0, 120)) for _ in range(2)) if cut else (0, 10**6)
    sums = DelaySums(state, start=start, end=end)
    add(sums, rows)
    assert found_in(sums) == restated(rows, state, start, end)


def add(sums: DelaySums, rows) -> None:
    """Add rows in two batches."""
    for part in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        times, goroutines, before, after, counted, stacks = (
            zip(*part, strict=True) if part else ([()] * 6)
        )
        sums.add(
            np.array(times, np.int64),
            np.full(len(part), KINDS.index("state_transition"), np.int8),
            np.full(len(part), RESOURCES.index("goroutine"), np.int8),
            np.array(goroutines, np.int64),
            np.array(before, np.int8),
            np.array(after, np.int8),
            np.zeros(len(part), np.int16),
            np.packbits(np.array(counted, np.bool_), bitorder="little"),
            np.array([1, 0], np.uint8),
            np.array(stacks, np.int64),
            np.packbits(np.array(stacks, np.int64) >= 0, bitorder="little"),
        )
    sums.finish()


def found_in(sums: DelaySums) -> dict[int, tuple[int, int]]:
    out = [np.empty(len(sums), np.int64) for _ in range(3)]
    sums.copy_to(*out)
    return {stack: (count, total) for stack, count, total in zip(*map(list, out), strict=True)}


def restated(rows, state, start, end) -> dict[int, tuple[int, int]]:
    """Every delay of every life on its own, cut to when its goroutine had run and to the window."""
    lives: Counter[int] = Counter()
    ran: dict[tuple[int, int], int] = {}
    for time, goroutine, before, after, _, _ in rows:
        lives[goroutine] += before in (NOTEXIST, UNDETERMINED)
        if after == RUNNING:
            ran.setdefault((goroutine, lives[goroutine]), time)
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for life, stack, since, until in every_delay(rows, state):
        length = min(until, end) - max(since, start, ran.get(life, 0))
        if length > 0:
            sums[stack][0] += 1
            sums[stack][1] += length
    return {stack: (count, total) for stack, (count, total) in sums.items()}


@given(transitions(), st.sampled_from([RUNNABLE, WAITING, SYSCALL]))
def test_lives_as_one_equal_a_plain_restatement(rows, state) -> None:
    """As Go: only from when the last life ran, or all, if that never did."""
    sums = DelaySums(state, lives_as_one=True)
    add(sums, rows)
    assert found_in(sums) == restated(as_one_life(rows), state, 0, 10**6)


def as_one_life(rows) -> list[tuple[int, int, int, int, bool, int]]:
    """The same rows of goroutines whose ids do not come back, as if only their last life ran.

    Ids come back of what C calls in: what was there before, or began in a system call.
    """
    numbers: dict[int, int] = {}
    again: set[int] = set()
    last_began: dict[int, int] = {}
    for at, (_, goroutine, before, _, _, _) in enumerate(rows):
        if before in (NOTEXIST, UNDETERMINED):
            last_began[goroutine] = at
    out = []
    for at, (time, goroutine, before, after, counted, stack) in enumerate(rows):
        born = before in (NOTEXIST, UNDETERMINED)
        if born and goroutine not in again:
            numbers[goroutine] = numbers.get(goroutine, 0) + 1
            if before == UNDETERMINED or after == SYSCALL:
                again.add(goroutine)
        elif born:
            before = WAITING
        one = goroutine + 10 * numbers[goroutine]
        if goroutine in again and at < last_began[goroutine] and after == RUNNING:
            after = NOTEXIST  # ends a delay, and is no run
        out.append((time, one, before, after, counted, stack))
    return out


def every_delay(rows, state) -> list[tuple[tuple[int, int], int, int, int]]:
    """Each delay that ended: its life, stack, begin and end."""
    lives: Counter[int] = Counter()
    open_delays: dict[tuple[int, int], tuple[int, int]] = {}
    found = []
    for time, goroutine, before, after, counted, stack in rows:
        lives[goroutine] += before in (NOTEXIST, UNDETERMINED)
        life = (goroutine, lives[goroutine])
        if life not in open_delays:
            if after == state and counted:
                open_delays[life] = (time, stack)
        elif after != state:
            since, own = open_delays.pop(life)
            found.append((life, own, since, time))
    return found


@given(transitions(), st.data())
def test_time_that_is_chosen(rows, data) -> None:
    """Stretches count, whether or not the goroutine ran before; others do not."""
    stretches = []
    for goroutine in data.draw(st.sets(st.integers(1, 5))):
        edges = sorted(data.draw(st.sets(st.integers(0, 200), max_size=12)))
        stretches += [(goroutine, *pair) for pair in zip(edges[::2], edges[1::2], strict=False)]
    sums = DelaySums(WAITING)
    sums.cover(*(np.array([each[at] for each in stretches], np.int64) for at in range(3)))
    add(sums, rows)
    chosen = [(life[0], since, until) for life, _, since, until in every_delay(rows, WAITING)]
    total = sum(
        max(0, min(until, end) - max(since, start))
        for goroutine, since, until in chosen
        for who, start, end in stretches
        if who == goroutine
    )
    assert sum(found_in(sums)[stack][1] for stack in found_in(sums)) == total


def test_stretches_come_in_order() -> None:
    sums = DelaySums(WAITING)
    for column in ([7, 8, 7], [7, 7, 7]):
        with pytest.raises(ValueError, match="not in order"):
            sums.cover(*(np.array(each, np.int64) for each in (column, [1, 1, 3], [5, 5, 9])))


def test_goroutines_that_are_chosen() -> None:
    trace = gotrace.open(real("blocking-go1.27"))
    groups = {name for name in trace.table("goroutines")["name"].to_pylist() if name}
    whole = sum(delays(trace, "sync", compat="go")["delay_ns"].to_pylist())
    parts = [delays(trace, "sync", where=Where(group=name), compat="go") for name in groups]
    assert sum(sum(part["delay_ns"].to_pylist()) for part in parts) == whole > 0
    one = delays(trace, "sync", where=Where(goroutine=1))
    assert 0 < sum(one["delay_ns"].to_pylist()) < whole
    # A name that none has is text in it.
    texts = delays(trace, "sync", where=Where(group="main.main.f"))
    assert 0 < sum(texts["delay_ns"].to_pylist()) <= whole


def test_states_are_those_of_the_words() -> None:
    assert STATES[:6] == ("undetermined", "notexist", "runnable", "running", "waiting", "syscall")


def test_windows_add_up() -> None:
    trace = gotrace.open(real("blocking-go1.27"))
    middle = trace.clock().start_ns + (trace.info().duration_ns or 0) // 2
    parts = [delays(trace, "sync", end=middle), delays(trace, "sync", start=middle)]
    total = sum(sum(part["delay_ns"].to_pylist()) for part in parts)
    assert min(part.num_rows for part in parts) > 0
    assert total == sum(delays(trace, "sync")["delay_ns"].to_pylist())
