"""Stacks of a trace, weighed by what their goroutines did: running, waiting, waking others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import LastStacks, PairSums
from gotrace.analyses.clipping import pairs_of, within
from gotrace.analyses.joined_stacks import Piece, joined
from gotrace.analyses.profile_columns import Label, ProfileColumns
from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.analyses.sampled_runs import Runs, SampledRuns
from gotrace.analyses.selection import Selection, Where, select
from gotrace.analyses.stack_profiles import StackCollector
from gotrace.analyses.sums import Sums, codes, codes_in, ints
from gotrace.arrays import Bools, Ints
from gotrace.errors import unknown_name
from gotrace.spec.words import STATES, WAITS, WAKES
from gotrace.tables.times import When

SAMPLE_NS: Final = 10_000_000
"""What a CPU sample stands for: Go's profiler takes a hundred a second, if nobody changes it."""

_RUNNABLE, _RUNNING = STATES.index("runnable"), STATES.index("running")
_WAITING, _SYSCALL = STATES.index("waiting"), STATES.index("syscall")
_NONE: Final = -1


@dataclass(frozen=True)
class View:
    """What stacks are weighed by.

    Attributes:
        meaning: for people.
        states: codes of the states whose time counts; none for views of points in time.
        reasons: which reasons count, for waiting; None for all.
        tells_state: whether a last frame says what the goroutine did.
        by_waker: whether the stack of who ended the wait stands below, upside down.
    """

    meaning: str
    states: frozenset[int] = frozenset()
    reasons: Callable[[str], bool] | None = None
    tells_state: bool = False
    by_waker: bool = False


_ALL = frozenset({_RUNNABLE, _RUNNING, _WAITING, _SYSCALL})

VIEWS: Final[Mapping[str, View]] = {
    "wall": View("all time of goroutines, running or not", _ALL, tells_state=True),
    "cpu": View("time on a processor, by samples"),
    "offcpu": View("time not running", _ALL - {_RUNNING}, tells_state=True),
    "net": View(
        "time waiting for the network", frozenset({_WAITING}), lambda reason: reason == "network"
    ),
    "sync": View(
        "time waiting for channels, locks and the like",
        frozenset({_WAITING}),
        lambda reason: any(word in reason for word in ("chan", "sync", "select")),
    ),
    "syscall": View("time in system calls", frozenset({_SYSCALL})),
    "sched": View("time ready to run, but not running", frozenset({_RUNNABLE})),
    "wakeup": View("time waiting, by who ended it", frozenset({_WAITING}), by_waker=True),
}
"""By the word of `--by`."""

_STATE_COLUMNS: Final = (
    "goroutine",
    "start_ns",
    "end_ns",
    "state",
    "reason",
    "wait",
    "stack_id",
    "end_stack_id",
    "next_state",
    "by_kind",
    "by_stack_id",
)
_SAMPLE_COLUMNS: Final = ("time_ns", "goroutine", "stack_id")
_KEYS: Final = ("stack", "word", "above", "waker")
_WORDS: Final = (*WAITS, "running", "ready", "woken by")


def trace_profile(
    tables: Tables,
    by: str = "wall",
    *,
    start: When | None = None,
    end: When | None = None,
    group: str | None = None,
    goroutine: int | None = None,
    region: str | None = None,
    task: int | None = None,
    at_least_ns: int | None = None,
    at_most_ns: int | None = None,
    creators: bool = False,
) -> ProfileColumns:
    """Weigh the stacks of a trace: columns as of a profile, with a count and a time in ns.

    `by` is one of `VIEWS`. `start` and `end` cut what is counted to a stretch of time; `group` is
    the name of the entry function or, where none is called that, text in it, `goroutine` an id,
    `region` the name of user regions, `task` the id of a user task, `at_least_ns` and `at_most_ns`
    how long regions took: only time in these counts. `creators` puts the stack of the `go`
    statement above each goroutine's own. What goroutines did is also a label of the samples,
    `state`. Of "wall" the total is the sum of all lifetimes.

    Raises `UnknownNameError`, ValueError for a time that the trace cannot place.
    """
    where = Where(group, goroutine, region, task, at_least_ns, at_most_ns, creators)
    return profile_and_span(tables, by, start=start, end=end, where=where)[0]


def profile_and_span(
    tables: Tables,
    by: str = "wall",
    *,
    start: When | None = None,
    end: When | None = None,
    where: Where,
) -> tuple[ProfileColumns, Span]:
    """Weigh stacks, and say what stretch of time that is about."""
    if by not in VIEWS:
        raise unknown_name("view of a trace", by, VIEWS)
    stacks = StackCollector()
    columns: dict[str, Any] = dict(stacks.columns)
    if VIEWS[by].states:
        columns["goroutine_states"] = _STATE_COLUMNS
    if by in ("cpu", "wall"):
        columns["cpu_samples"] = _SAMPLE_COLUMNS
    if by == "wall":
        columns["syncs"] = ("time_ns",)
    reading = Reading(tables, columns, start=start, end=end)
    weighing = _Weighing(by, reading, select(tables, where, start=start, end=end))
    for name, batch in reading:
        if name in stacks.columns:
            stacks.add(name, batch)
        elif batch.num_rows:
            weighing.add(name, batch)
    profile, span = weighing.profile(stacks), reading.span
    facts = {"views": tuple(VIEWS), "duration_ns": span.duration_ns}
    if span.wall_ns is not None:
        facts["time_ns"] = span.wall_ns + span.start_ns - span.origin_ns
    return replace(profile, facts={**profile.facts, **facts}), span


class _Weighing:
    """Sums by stack while the batches go by."""

    def __init__(self, by: str, reading: Reading, chosen: Selection) -> None:
        self._by, self._view = by, VIEWS[by]
        self._reading, self._chosen = reading, chosen
        self._sums = Sums(_KEYS, ("count", "ns"))
        self._plain = PairSums(1)  # by stack and word, where nothing else makes a key
        self._last = LastStacks()
        counted = [code in self._view.states for code in range(len(STATES))]
        self._states = np.array([*counted, False], np.bool_)
        self._runs = SampledRuns()

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take a batch of one of the tables."""
        if name == "goroutine_states":
            self._add_states(batch)
        elif name == "cpu_samples" and self._by == "cpu":
            self._add_cpu(batch)
        elif name == "cpu_samples":
            self._add_samples(batch)
        else:
            self._settle(batch.column("time_ns")[-1].as_py())

    def _add_states(self, batch: pa.RecordBatch) -> None:
        state = codes_in(batch.column("state"), STATES)
        goroutine = ints(batch.column("goroutine"))
        own, behind = (ints(batch.column(f"{name}stack_id"), _NONE) for name in ("", "end_"))
        stack = np.where((state == _RUNNING) & (behind != _NONE), behind, own)
        ended = codes_in(batch.column("next_state"), ("notexist",)) == 0
        self._last.fill(goroutine, stack, ended.view(np.uint8))
        counted = self._states[state]
        if self._view.reasons is not None:
            counted &= _passes(batch.column("reason"), self._view.reasons)
        counted &= self._chosen.has(goroutine)
        start, end = self._clipped(batch)
        time = self._chosen.covered(goroutine, start, end)
        counted &= time > 0
        if self._by == "wall":
            running = counted & (state == _RUNNING)
            self._runs.add_runs(
                Runs(goroutine, start, end, stack, time).chosen(np.flatnonzero(running))
            )
            counted &= ~running
        if self._view.by_waker:
            waker = ints(batch.column("by_stack_id"), _NONE)
            rows = np.flatnonzero(counted & (codes_in(batch.column("by_kind"), WAKES) >= 0))
            words = np.full(len(rows), _WORDS.index("woken by"))
            self._put(goroutine[rows], stack[rows], words, time[rows], waker[rows])
            return
        rows = np.flatnonzero(counted)
        words = _WORD_OF_STATE[state[rows]]
        waiting = np.flatnonzero(words == _NONE)
        wait = codes_in(batch.column("wait"), WAITS)[rows[waiting]]
        words[waiting] = np.where(wait < 0, WAITS.index("unknown"), wait)
        self._put(goroutine[rows], stack[rows], words, time[rows])

    def _add_samples(self, batch: pa.RecordBatch) -> None:
        own = batch.filter(pc.is_valid(batch.column("goroutine")))
        columns = ("goroutine", "time_ns", "stack_id")
        self._runs.add_samples(*(ints(own.column(name), _NONE) for name in columns))

    def _settle(self, until_ns: int | None) -> None:
        """Count the runs that end by a time: the tables of the generations before it are here."""
        goroutine, stack, time = self._runs.settled(until_ns)
        self._put(goroutine, stack, np.full(len(time), _WORDS.index("running")), time)

    def _clipped(self, batch: pa.RecordBatch) -> tuple[Ints, Ints]:
        start = ints(batch.column("start_ns"))
        if self._reading.start_ns is not None:
            start = np.maximum(start, self._reading.start_ns)
        return start, start + within(batch, self._reading.start_ns, self._reading.end_ns)

    def _add_cpu(self, batch: pa.RecordBatch) -> None:
        goroutine, time = ints(batch.column("goroutine"), _NONE), ints(batch.column("time_ns"))
        counted = self._chosen.has(goroutine) & self._chosen.holds(goroutine, time)
        stack = ints(batch.column("stack_id"), _NONE)
        words = np.full(len(stack), _WORDS.index("running"))
        weight = np.full(len(stack), SAMPLE_NS)
        self._put(*(each[counted] for each in (goroutine, stack, words, weight)))

    def _put(
        self, goroutine: Ints, stack: Ints, words: Ints, time: Ints, waker: Ints | None = None
    ) -> None:
        above = self._chosen.creator(goroutine)
        if above is None and waker is None:
            self._plain.add(stack, words, np.zeros(len(stack), np.int8), time)
            return
        none = np.full(len(stack), _NONE)
        columns = {
            "stack": stack,
            "word": words,
            "above": none if above is None else above,
            "waker": none if waker is None else waker,
            "count": np.ones(len(stack), np.int64),
            "ns": time,
        }
        self._sums.add(pa.table({name: pa.array(column) for name, column in columns.items()}))

    def profile(self, stacks: StackCollector) -> ProfileColumns:
        """Make the columns of the sums, the longest time first."""
        self._settle(None)
        stack, word, times, counts = pairs_of(self._plain)
        none = np.full(len(stack), _NONE)
        plain = {"stack": stack, "word": word, "above": none, "waker": none}
        plain |= {"count": counts[:, 0], "ns": times[:, 0]}
        sums = self._sums.table()
        rows = {
            name: column if sums is None else np.concatenate([column, ints(sums[name])])
            for name, column in plain.items()
        }
        order = np.lexsort((*(rows[name] for name in _KEYS), -rows["ns"]))
        rows = {name: column[order] for name, column in rows.items()}
        unit = "samples" if self._by == "cpu" else "intervals"
        pieces = [
            Piece(rows["waker"], upside_down=True),
            Piece.of_words(rows["word"], [f"({word})" for word in _WORDS])
            if self._view.tells_state or self._view.by_waker
            else None,
            Piece(rows["stack"]),
            Piece(rows["above"]),
        ]
        profile = joined(
            stacks,
            [piece for piece in pieces if piece is not None],
            np.column_stack([rows["count"], rows["ns"]]),
            ((unit, "count"), (self._by, "nanoseconds")),
            {"period": SAMPLE_NS, "period_type": "cpu"} if self._by == "cpu" else {},
        )
        return _labelled(profile, rows["word"])


def _words(state: Ints, wait: Ints) -> Ints:
    """Say what goroutines did, as a position in `_WORDS`."""
    words = np.where(wait < 0, WAITS.index("unknown"), wait)
    words[state == _RUNNING] = _WORDS.index("running")
    words[state == _RUNNABLE] = _WORDS.index("ready")
    words[state == _SYSCALL] = _WORDS.index("syscall")
    return words


_WORD_OF_STATE: Final = np.full(len(STATES), _NONE)
_WORD_OF_STATE[[_RUNNING, _RUNNABLE, _SYSCALL]] = [
    _WORDS.index(word) for word in ("running", "ready", "syscall")
]


def _passes(column: pa.DictionaryArray, reasons: Callable[[str], bool]) -> Bools:
    of_word = [reasons(word) for word in column.dictionary.to_pylist()]
    found: Bools = np.array([*of_word, False], np.bool_)[codes(column)]
    return found


def _labelled(profile: ProfileColumns, words: Ints) -> ProfileColumns:
    """Label the samples with what their goroutines did."""
    used, labels = np.unique(words, return_inverse=True)
    sets = [(Label("state", _WORDS[word], None, None),) for word in used.tolist()]
    return replace(profile, labels=labels.astype(np.int64) + 1, label_sets=((), *sets))
