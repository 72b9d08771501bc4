"""A stretch of a trace for Perfetto: a lane for every goroutine, proc and thread, and counters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from gotrace.analyses.concurrency import Concurrency
from gotrace.analyses.reading import Named, Reading, Span, Tables
from gotrace.analyses.sums import codes, codes_in, ints
from gotrace.arrays import Ints
from gotrace.sinks.aside import Target, opened
from gotrace.sinks.track_events import TrackEvents
from gotrace.spec.words import (
    METRIC_GOMAXPROCS,
    METRIC_HEAP_GOAL,
    METRIC_HEAP_OBJECTS,
    RANGE_CLASSES,
    STATES,
)
from gotrace.tables.times import When

# The last digit of a track's number says what it is of, the rest is the id.
_KINDS: Final = 16
_GROUP, _GOROUTINE, _REGIONS, _ASSISTS, _PROC, _SWEEPS, _THREAD, _TASK, _COUNTER = range(9)

_GROUPS: Final = ("Collector", "Counters", "Procs", "Threads", "Tasks", "Goroutines")
_COLLECTOR, _COUNTERS, _PROCS, _THREADS, _TASKS, _GOROUTINES = range(1, 7)
_STOPPED, _MARKING = 11, 12

_METRICS: Final = {
    METRIC_HEAP_OBJECTS: ("heap", "bytes"),
    METRIC_HEAP_GOAL: ("heap goal", "bytes"),
    METRIC_GOMAXPROCS: ("GOMAXPROCS", "count"),
}
_COUNTED: Final = ("running", "runnable", "syscall", "waiting")
_ROWS_AT_ONCE: Final = 1 << 15

_COLUMNS: Final = {
    "stacks": ("stack_id", "site", "leaf"),
    "goroutine_states": (
        *("goroutine", "start_ns", "end_ns", "start_seq", "state", "reason", "wait", "stack_id"),
        *("by_goroutine", "by_stack_id", "by_kind"),
    ),
    "proc_states": ("proc", "start_ns", "end_ns", "state", "thread", "goroutine"),
    "thread_states": ("thread", "start_ns", "end_ns", "state", "proc", "goroutine"),
    "ranges": ("name", "class", "start_ns", "end_ns", "resource_id", "goroutine", "stack_id"),
    "regions": ("goroutine", "task", "name", "start_ns", "end_ns", "depth"),
    "tasks": ("task", "parent_task", "name", "start_ns", "end_ns", "by_goroutine"),
    "logs": ("time_ns", "goroutine", "category", "message"),
    "cpu_samples": ("time_ns", "goroutine", "stack_id"),
    "metrics": ("time_ns", "name", "value"),
}


@dataclass(frozen=True)
class PerfettoWritten:
    """What was written: how much of which kind, and of what stretch of time."""

    slices: int
    instants: int
    counts: int
    tracks: int
    span: Span


def write_perfetto(
    tables: Tables,
    target: Target,
    *,
    start: When | None = None,
    end: When | None = None,
    names: Mapping[int, str | None] | None = None,
    overwrite: bool = False,
) -> PerfettoWritten:
    """Write what happened from `start` to before `end` as TrackEvents of Perfetto.

    What began before `start` begins there. `names` are those of goroutines; None takes a pass over
    the trace to get them. Memory grows with the goroutines and texts of the stretch, not with its
    length. Raises `FileExistsError`, `OSError`, ValueError for a time that the trace cannot place.
    """
    if names is None:
        names, _ = goroutine_names(tables, start=start, end=end)
    reading = Reading(tables, _COLUMNS, start=start, end=end)
    with opened(target, "writing a Perfetto trace", overwrite=overwrite) as file:
        events = TrackEvents(file)
        lanes = _Lanes(events, names, reading.start_ns, reading.end_ns)
        clocked = False
        for name, batch in _gathered(reading):
            if not clocked:
                lanes.clock(reading.span)
                clocked = True
            lanes.add(name, batch)
        span = reading.span
        lanes.finish()
    return PerfettoWritten(events.slices, events.instants, events.counts, events.tracks, span)


def goroutine_names(
    tables: Tables, *, start: When | None = None, end: When | None = None
) -> tuple[dict[int, str | None], Span]:
    """Give the entry function of goroutines, and the stretch of time that was looked at."""
    names: dict[int, str | None] = {}
    reading = Reading(tables, {"goroutines": ("goroutine", "name")}, start=start, end=end)
    for _, batch in reading:
        names.update(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    return names, reading.span


def _gathered(batches: Iterable[Named]) -> Iterator[Named]:
    """Join batches of a table until they are worth the while; stacks come before all else."""
    held: dict[str, list[pa.RecordBatch]] = {}
    rows: dict[str, int] = {}
    for name, batch in batches:
        if name == "stacks":
            yield name, batch
            continue
        held.setdefault(name, []).append(batch)
        rows[name] = rows.get(name, 0) + batch.num_rows
        if rows[name] >= _ROWS_AT_ONCE:
            yield name, _joined(held.pop(name))
            rows[name] = 0
    for name, pile in held.items():
        if rows[name]:
            yield name, _joined(pile)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]


class _Lanes:
    """Puts rows of tables on tracks."""

    def __init__(
        self,
        events: TrackEvents,
        names: Mapping[int, str | None],
        start: int | None,
        end: int | None,
    ) -> None:
        self._events = events
        self._names = names
        self._start = np.iinfo(np.int64).min if start is None else start
        self._end = np.iinfo(np.int64).max if end is None else end
        self._sites: dict[int, str] = {}
        self._numbers: dict[str, dict[int, int]] = {}
        self._levels = {name: Concurrency() for name in _COUNTED}
        for rank, name in enumerate(_GROUPS):
            events.track(_uuid(_GROUP, rank + 1), name, rank=rank, ranked=name != "Counters")
        self._add: dict[str, Callable[[pa.RecordBatch], None]] = {
            "stacks": self._stacks,
            "goroutine_states": self._states,
            "proc_states": self._procs,
            "thread_states": self._threads,
            "ranges": self._ranges,
            "regions": self._regions,
            "tasks": self._tasks,
            "logs": self._logs,
            "cpu_samples": self._samples,
            "metrics": self._metrics,
        }

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take a batch of one of the tables, and its columns."""
        self._add[name](batch)

    # --- tables -----------------------------------------------------------------------------------

    def _stacks(self, batch: pa.RecordBatch) -> None:
        for id, site, leaf in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if site or leaf:
                self._sites[id] = site or leaf

    def _states(self, batch: pa.RecordBatch) -> None:
        batch, starts, ends = self._cut(batch)
        state = codes_in(batch.column("state"), STATES).astype(np.int64)
        goroutine = ints(batch.column("goroutine"))
        tracks = self._goroutine_tracks(goroutine)
        stack, by_stack = self._sites_of(batch, "stack_id"), self._sites_of(batch, "by_stack_id")
        waker = ints(batch.column("by_goroutine"), -1)
        woken = (state == STATES.index("runnable")) & (waker >= 0)
        woken &= ints(batch.column("start_ns")) == starts  # before the stretch nothing is shown
        flows = np.where(woken, ints(batch.column("start_seq")) + 1, 0)
        self._wakers(batch, starts, flows, by_stack)
        by = self._labels(np.where(woken, waker, -1))
        self._events.add_slices(
            tracks,
            starts,
            ends,
            self._state_names(batch, state),
            (("stack", stack), ("woken by", by)),
            flows,
        )
        for name, levels in self._levels.items():
            at = state == STATES.index(name)
            levels.add(starts[at], ends[at])

    def _wakers(self, batch: pa.RecordBatch, times: Ints, flows: Ints, stacks: Ints) -> None:
        """Write an instant where each wakeup came from, with a flow to who was woken."""
        at = np.flatnonzero(flows)
        kinds = self._words(batch.column("by_kind"), self._events.name)[at]
        self._events.add_instants(
            self._goroutine_tracks(ints(batch.column("by_goroutine"), -1)[at]),
            times[at],
            np.where(kinds > 0, kinds, self._events.name("wake")),
            (
                ("goroutine", self._labels(ints(batch.column("goroutine"))[at])),
                ("stack", stacks[at]),
            ),
            flows[at],
        )

    def _state_names(self, batch: pa.RecordBatch, state: Ints) -> Ints:
        """Call a wait by what it waits for, else its reason; all others by the state."""
        name = self._events.name
        waits, reasons, states = (
            self._words(batch.column(column), name) for column in ("wait", "reason", "state")
        )
        waiting = state == STATES.index("waiting")
        of_wait = np.where(waits > 0, waits, np.where(reasons > 0, reasons, states))
        return np.where(waiting, of_wait, states)

    def _procs(self, batch: pa.RecordBatch) -> None:
        batch, starts, ends = self._cut(batch)
        proc, thread = (ints(batch.column(name), -1) for name in ("proc", "thread"))
        tracks = self._tracks(_PROC, _PROCS, proc, "P{}")
        of_thread = self._numbered("thread", thread, "M{}".format, self._events.text)
        self._occupied(batch, starts, ends, tracks, ("thread", of_thread))

    def _threads(self, batch: pa.RecordBatch) -> None:
        batch, starts, ends = self._cut(batch)
        proc, thread = (ints(batch.column(name), -1) for name in ("proc", "thread"))
        tracks = self._tracks(_THREAD, _THREADS, thread, "M{}")
        of_proc = self._numbered("proc", proc, "P{}".format, self._events.text)
        self._occupied(batch, starts, ends, tracks, ("proc", of_proc))

    def _occupied(
        self,
        batch: pa.RecordBatch,
        starts: Ints,
        ends: Ints,
        tracks: Ints,
        other: tuple[str, Ints],
    ) -> None:
        """Write what a proc or a thread had to do: a goroutine, or looking for one."""
        at = np.flatnonzero(codes_in(batch.column("state"), ("running", "syscall")) >= 0)
        goroutine = ints(batch.column("goroutine"), -1)
        labels = self._numbered("goroutine name", goroutine, self._label, self._events.name)
        names = np.where(labels > 0, labels, self._events.name("scheduler"))
        states = self._words(batch.column("state"), self._events.text)
        notes = (("state", states[at]), (other[0], other[1][at]))
        self._events.add_slices(tracks[at], starts[at], ends[at], names[at], notes)

    def _ranges(self, batch: pa.RecordBatch) -> None:
        batch, starts, ends = self._cut(batch)
        classes = codes_in(batch.column("class"), RANGE_CLASSES)
        names = self._words(batch.column("name"), self._events.name)
        of, stacks = ints(batch.column("resource_id"), -1), self._sites_of(batch, "stack_id")
        by = self._labels(ints(batch.column("goroutine"), -1))
        places: dict[str, Callable[[Ints], Ints]] = {
            "stw": lambda of: self._fixed(_STOPPED, "world stopped", len(of)),
            "mark": lambda of: self._fixed(_MARKING, "mark phase", len(of)),
            "assist": lambda of: self._below_goroutine(_ASSISTS, of, "assists"),
            "sweep": self._sweep_tracks,
        }
        for number, name in enumerate(RANGE_CLASSES):
            at = np.flatnonzero(classes == number)
            notes = (("goroutine", by[at]), ("stack", stacks[at]))
            tracks = places[name](of[at])
            self._events.add_slices(tracks, starts[at], ends[at], names[at], notes)

    def _regions(self, batch: pa.RecordBatch) -> None:
        # Regions that all began before the stretch keep their nesting: the outer begins first.
        batch, starts, ends = self._cut(batch)
        starts = np.minimum(starts + np.where(starts == self._start, ints(batch["depth"]), 0), ends)
        tracks = self._below_goroutine(_REGIONS, ints(batch.column("goroutine")), "regions")
        names = self._words(batch.column("name"), self._events.name)
        names = np.where(names > 0, names, self._events.name("(no name)"))
        tasks = self._numbered("task", ints(batch.column("task"), -1), str, self._events.text)
        self._events.add_slices(tracks, starts, ends, names, (("task", tasks),))

    def _tasks(self, batch: pa.RecordBatch) -> None:
        batch, starts, ends = self._cut(batch)
        ids, parents = (ints(batch.column(name), -1) for name in ("task", "parent_task"))
        texts = [name or "(no name)" for name in batch.column("name").to_pylist()]
        name_of = dict(zip(ids.tolist(), texts, strict=True))
        tracks: Ints = _uuid(_TASK, ids)

        def describe(uuid: int) -> None:
            # Tasks of one name share a lane where there is room: Perfetto joins equal names.
            self._events.track(uuid, name_of[uuid // _KINDS], parent=_uuid(_GROUP, _TASKS))

        self._events.tracks_of(tracks, describe)
        number = self._events.text
        self._events.add_slices(
            tracks,
            starts,
            ends,
            np.array([self._events.name(text) for text in texts], np.int64),
            (
                ("task", self._numbered("task", ids, str, number)),
                ("parent", self._numbered("task", parents, str, number)),
                ("goroutine", self._labels(ints(batch.column("by_goroutine"), -1))),
            ),
        )

    def _logs(self, batch: pa.RecordBatch) -> None:
        batch = batch.filter(batch.column("goroutine").is_valid())
        categories = self._words(batch.column("category"), self._events.name)
        self._events.add_instants(
            self._goroutine_tracks(ints(batch.column("goroutine"))),
            ints(batch.column("time_ns")),
            np.where(categories > 0, categories, self._events.name("log")),
            (("message", self._words(batch.column("message"), self._events.text)),),
        )

    def _samples(self, batch: pa.RecordBatch) -> None:
        batch = batch.filter(batch.column("goroutine").is_valid())
        self._events.add_instants(
            self._goroutine_tracks(ints(batch.column("goroutine"))),
            ints(batch.column("time_ns")),
            np.full(batch.num_rows, self._events.name("CPU sample"), np.int64),
            (("stack", self._sites_of(batch, "stack_id")),),
        )

    def _metrics(self, batch: pa.RecordBatch) -> None:
        which = codes_in(batch.column("name"), tuple(_METRICS))
        times = ints(batch.column("time_ns"))
        values = np.minimum(np.asarray(batch.column("value")), np.iinfo(np.int64).max)
        for number, (name, unit) in enumerate(_METRICS.values()):
            at = np.flatnonzero(which == number)
            if len(at):
                track = self._counter(number + 1, name, unit)
                self._events.add_counts(track, times[at], values[at].astype(np.int64))

    def clock(self, span: Span) -> None:
        """Write what the wall clock was, where that is known; before all events."""
        if span.wall_ns is not None:
            self._events.clock(span.origin_ns, span.wall_ns)

    def finish(self) -> None:
        """Write what is known at the end: how many goroutines were in which state."""
        for number, (name, counted) in enumerate(self._levels.items()):
            times, levels = counted.levels()
            if len(times):
                track = self._counter(len(_METRICS) + 1 + number, f"goroutines {name}", "count")
                self._events.add_counts(track, times, levels)

    # --- tracks -----------------------------------------------------------------------------------

    def _goroutine_tracks(self, ids: Ints) -> Ints:
        parent = _uuid(_GROUP, _GOROUTINES)
        tracks: Ints = _uuid(_GOROUTINE, ids)

        def describe(uuid: int) -> None:
            id = uuid // _KINDS
            self._events.track(uuid, self._label(id), parent=parent, rank=id)

        self._events.tracks_of(tracks, describe)
        return tracks

    def _below_goroutine(self, kind: int, ids: Ints, name: str) -> Ints:
        self._goroutine_tracks(ids)
        tracks: Ints = _uuid(kind, ids)
        self._events.tracks_of(
            tracks,
            lambda uuid: self._events.track(uuid, name, parent=_uuid(_GOROUTINE, uuid // _KINDS)),
        )
        return tracks

    def _sweep_tracks(self, procs: Ints) -> Ints:
        self._tracks(_PROC, _PROCS, procs, "P{}")
        tracks: Ints = _uuid(_SWEEPS, procs)
        self._events.tracks_of(
            tracks,
            lambda uuid: self._events.track(uuid, "sweeps", parent=_uuid(_PROC, uuid // _KINDS)),
        )
        return tracks

    def _tracks(self, kind: int, group: int, ids: Ints, form: str) -> Ints:
        tracks: Ints = _uuid(kind, ids)

        def describe(uuid: int) -> None:
            id = uuid // _KINDS
            self._events.track(uuid, form.format(id), parent=_uuid(_GROUP, group), rank=id)

        self._events.tracks_of(tracks, describe)
        return tracks

    def _fixed(self, number: int, name: str, rows: int) -> Ints:
        uuid = _uuid(_GROUP, number)
        if rows:
            self._events.track(uuid, name, parent=_uuid(_GROUP, _COLLECTOR), rank=number)
        return np.full(rows, uuid, np.int64)

    def _counter(self, number: int, name: str, unit: str) -> int:
        uuid: int = _uuid(_COUNTER, number)
        self._events.track(uuid, name, parent=_uuid(_GROUP, _COUNTERS), unit=unit)
        return uuid

    # --- rows -------------------------------------------------------------------------------------

    def _cut(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Ints, Ints]:
        """Cut intervals to the stretch; those that only touch it are left out."""
        starts = np.maximum(ints(batch.column("start_ns")), self._start)
        ends = np.minimum(ints(batch.column("end_ns")), self._end)
        inside = starts < ends
        if inside.all():
            return batch, starts, ends
        return batch.filter(pa.array(inside)), starts[inside], ends[inside]

    def _label(self, goroutine: int) -> str:
        name = self._names.get(goroutine)
        return f"G{goroutine} {name}" if name else f"G{goroutine}"

    def _labels(self, goroutines: Ints) -> Ints:
        """Numbers of the texts that name goroutines; 0 for -1."""
        return self._numbered("goroutine", goroutines, self._label, self._events.text)

    def _sites_of(self, batch: pa.RecordBatch, column: str) -> Ints:
        stacks = ints(batch.column(column), -1)
        return self._numbered("site", stacks, self._sites.get, self._events.text)

    def _numbered(
        self,
        kind: str,
        ids: Ints,
        text_of: Callable[[int], str | None],
        number: Callable[[str], int],
    ) -> Ints:
        """Give the number of the text of each id, 0 for -1; Python looks at each id once."""
        known = self._numbers.setdefault(kind, {})
        encoded = pa.array(ids).dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        for id in distinct:
            if id not in known:
                text = text_of(id) if id != -1 else None
                known[id] = number(text) if text else 0
        found: Ints = np.array([known[id] for id in distinct], np.int64)[ints(encoded.indices)]
        return found

    def _words(self, column: Any, number: Callable[[str], int]) -> Ints:
        """Give the number of each text of a column, 0 for null and for none."""
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        at = codes(column)
        used: Iterable[int] = np.unique(at[at >= 0]).tolist()
        words = column.dictionary
        found = np.zeros(len(words) + 1, np.int64)
        for code in used:
            text = words[code].as_py()
            found[code] = number(text) if text else 0
        return found[at]


def _uuid(kind: int, number: Any) -> Any:
    return number * _KINDS + kind
