"""How long goroutines were in a state, and why: the four profiles of `go tool trace -pprof`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gotrace._core import DelaySums
from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.analyses.reading import Reading, Span, Tables, window_of
from gotrace.analyses.stack_profiles import StackCollector
from gotrace.analyses.sums import codes, codes_in, ints
from gotrace.errors import unknown_name
from gotrace.spec.words import KINDS, RESOURCES, STATES
from gotrace.tables.schema import schema
from gotrace.tables.times import When


@dataclass(frozen=True)
class View:
    """Which delays a profile counts: the state, and the reasons for being in it."""

    state: str
    meaning: str
    passes: Callable[[str], bool] | None = None


VIEWS: Final[Mapping[str, View]] = {
    "net": View("waiting", "waiting for the network", lambda reason: reason == "network"),
    "sync": View(
        "waiting",
        "waiting for channels, locks and the like",
        lambda reason: any(word in reason for word in ("chan", "sync", "select")),
    ),
    "syscall": View("syscall", "in system calls"),
    "sched": View("runnable", "ready to run, but not running"),
}
"""The views of `go tool trace`, with the reasons that it counts."""

TYPES: Final = (("contentions", "count"), ("delay", "nanoseconds"))
FACTS: Final = {"period": 1, "period_type": "trace", "period_unit": "count"}

_STATES: Final = ("from_state", "to_state")
COLUMNS: Final = (
    *("time_ns", "kind", "resource", "resource_id", *_STATES, "reason", "context_stack_id"),
)
"""What is read of `events`."""


def delays(
    tables: Tables,
    by: str,
    *,
    start: When | None = None,
    end: When | None = None,
    compat: str | None = None,
) -> pa.Table:
    """Sum up delays by the stack of the event that began them: the table `delays`.

    `by` is one of `VIEWS`. As in Go, a delay counts when it has ended; what a goroutine waited
    before it ran for the first time does not count, unless it never ran. An id that lives twice is
    two goroutines; with `compat="go"` only its last life counts. `start` and `end` cut delays to
    that time. Reads `events`. Raises `UnknownNameError`, ValueError for a time that the clock
    cannot place.
    """
    sums = _Summing(by, tables, start, end, compat)
    for _, batch in Reading(tables, {"events": COLUMNS}):
        sums.add(batch)
    return sums.table()


def delay_profile(
    tables: Tables,
    by: str,
    *,
    start: When | None = None,
    end: When | None = None,
    compat: str | None = None,
) -> ProfileColumns:
    """Give the same as a profile: contentions and delay by stack. Reads `stacks` and `frames` too.

    A delay whose event has no stack is a sample without frames.
    """
    return profile_and_span(tables, by, start=start, end=end, compat=compat)[0]


def profile_and_span(
    tables: Tables,
    by: str,
    *,
    start: When | None = None,
    end: When | None = None,
    compat: str | None = None,
) -> tuple[ProfileColumns, Span]:
    """Give the profile, and how much of the trace was read."""
    sums = _Summing(by, tables, start, end, compat)
    stacks = StackCollector()
    reading = Reading(tables, {"events": COLUMNS, **stacks.columns})
    for name, batch in reading:
        if name == "events":
            sums.add(batch)
        else:
            stacks.add(name, batch)
    table = sums.table()
    values = np.column_stack([ints(table[name]) for name in ("contentions", "delay_ns")])
    profile = stacks.profile(ints(table["stack_id"], -1), values, TYPES, FACTS)
    return profile, reading.span


class _Summing:
    """Delays while the events go by."""

    def __init__(
        self, by: str, tables: Tables, start: When | None, end: When | None, compat: str | None
    ) -> None:
        if by not in VIEWS:
            raise unknown_name("view", by, VIEWS)
        self._passes = VIEWS[by].passes
        first, last = window_of(tables, start, end)
        self._sums = DelaySums(
            STATES.index(VIEWS[by].state), start=first, end=last, lives_as_one=compat == "go"
        )

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch of events."""
        kinds = codes_in(batch.column("kind"), KINDS)
        resources = codes_in(batch.column("resource"), RESOURCES)
        of_goroutine = resources == RESOURCES.index("goroutine")
        at = np.flatnonzero((kinds == KINDS.index("state_transition")) & of_goroutine)
        counted = np.ones(len(at), np.uint8)
        if self._passes is not None:
            counted = _holds(batch.column("reason"), self._passes)[at]
        before, after = (codes_in(batch.column(name), STATES)[at] for name in _STATES)
        self._sums.add(
            ints(batch.column("time_ns"))[at],
            ints(batch.column("resource_id"))[at],
            before.astype(np.int8),
            after.astype(np.int8),
            counted,
            ints(batch.column("context_stack_id"), -1)[at],
        )

    def table(self) -> pa.Table:
        """Give the sums, the longest delay first."""
        self._sums.finish()
        stacks, counts, totals = (np.empty(len(self._sums), np.int64) for _ in range(3))
        self._sums.copy_to(stacks, counts, totals)
        order = np.lexsort((stacks, -totals))
        ids = pa.array(stacks[order], mask=stacks[order] < 0)
        columns = [ids, pa.array(counts[order]), pa.array(totals[order])]
        return pa.table(columns, schema=schema("delays"))


def _holds(column: pa.DictionaryArray, passes: Callable[[str], bool]) -> npt.NDArray[np.uint8]:
    """Say for each row whether its word passes, 1 or 0; each word is asked about once."""
    of_word = [passes(word) for word in column.dictionary.to_pylist()]
    found: npt.NDArray[np.uint8] = np.array([*of_word, False], np.uint8)[codes(column)]
    return found
