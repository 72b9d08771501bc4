"""How long goroutines were in a state, and why: the four profiles of `go tool trace -pprof`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gotrace._core import DelaySums
from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.analyses.reading import Reading, Span, Tables, window_of
from gotrace.analyses.selection import EVERYTHING, Selection, Where, select
from gotrace.analyses.stack_profiles import StackCollector
from gotrace.analyses.sums import codes_in, held_numbers, ints
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

COLUMNS: Final = (
    *(
        "time_ns",
        "kind",
        "resource",
        "resource_id",
        "from_state",
        "to_state",
        "reason",
        "context_stack_id",
    ),
)
"""What is read of `events`."""


def delays(
    tables: Tables,
    by: str,
    *,
    start: When | None = None,
    end: When | None = None,
    where: Where = EVERYTHING,
    compat: str | None = None,
) -> pa.Table:
    """Sum up delays by the stack of the event that began them: the table `delays`.

    `by` is one of `VIEWS`. As in Go, a delay counts when it has ended; what a goroutine waited
    before it ran for the first time does not count, unless it never ran. An id that lives twice is
    two goroutines; with `compat="go"` only its last life counts. `start` and `end` cut delays to
    that time. `where` says whose delays count and in which regions, as the pages of `go tool trace`
    do; what lies in a region counts whether or not the goroutine ran before. Reads `events`. Raises
    `UnknownNameError`, ValueError for a time that the clock cannot place.
    """
    sums = _Summing(by, tables, start, end, where, compat)
    for _, batch in Reading(tables, {"events": COLUMNS}):
        sums.add(batch)
    return sums.table()


def delay_profile(
    tables: Tables,
    by: str,
    *,
    start: When | None = None,
    end: When | None = None,
    where: Where = EVERYTHING,
    compat: str | None = None,
) -> ProfileColumns:
    """Give the same as a profile: contentions and delay by stack. Reads `stacks` and `frames` too.

    A delay whose event has no stack is a sample without frames.
    """
    return profile_and_span(tables, by, start=start, end=end, where=where, compat=compat)[0]


def profile_and_span(
    tables: Tables,
    by: str,
    *,
    start: When | None = None,
    end: When | None = None,
    where: Where = EVERYTHING,
    compat: str | None = None,
) -> tuple[ProfileColumns, Span]:
    """Give the profile, and how much of the trace was read."""
    sums = _Summing(by, tables, start, end, where, compat)
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
        self,
        by: str,
        tables: Tables,
        start: When | None,
        end: When | None,
        where: Where,
        compat: str | None,
    ) -> None:
        if by not in VIEWS:
            raise unknown_name("view", by, VIEWS)
        self._passes = VIEWS[by].passes
        first, last = window_of(tables, start, end)
        self._sums = DelaySums(
            STATES.index(VIEWS[by].state), start=first, end=last, lives_as_one=compat == "go"
        )
        self._choose(select(tables, where, start=start, end=end, compat=compat))

    def _choose(self, chosen: Selection) -> None:
        if chosen.coverage is None:
            if chosen.ids is not None:
                self._sums.choose(chosen.ids)
            return
        stretches = chosen.coverage.stretches
        wanted = chosen.has(stretches[0])
        self._sums.cover(*(np.ascontiguousarray(column[wanted]) for column in stretches))

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch of events."""
        reason = batch.column("reason")
        passes = np.ones(len(reason.dictionary) + 1, np.uint8)
        if self._passes is not None:
            passes[:-1] = [self._passes(word) for word in reason.dictionary.to_pylist()]
            passes[-1] = 0
        reasons, stacks = _whole(reason.indices), _whole(batch.column("context_stack_id"))
        self._sums.add(
            held_numbers(batch.column("time_ns"), np.int64),
            _small(batch.column("kind"), KINDS),
            _small(batch.column("resource"), RESOURCES),
            held_numbers(batch.column("resource_id"), np.int64),
            _small(batch.column("from_state"), STATES),
            _small(batch.column("to_state"), STATES),
            held_numbers(reasons.cast(pa.int16()), np.int16),
            _bits(reasons),
            passes,
            held_numbers(stacks, np.int64),
            _bits(stacks),
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


def _small(column: pa.DictionaryArray, words: Sequence[str]) -> npt.NDArray[np.int8]:
    """Give words as codes in `words`, int8, anything for null. What is decoded is not copied."""
    if column.indices.type == pa.int8() and column.dictionary.to_pylist() == list(words):
        found: npt.NDArray[np.int8] = held_numbers(column.indices, np.int8)
        return found
    return codes_in(column, words).astype(np.int8)


def _whole(column: pa.Array) -> pa.Array:
    """Give a column that is no slice of another, so that its bits of validity begin with it."""
    return pa.concat_arrays([column]) if column.offset else column


def _bits(column: pa.Array) -> npt.NDArray[np.uint8]:
    """Give the bits of validity; none where nothing is null."""
    bits = column.buffers()[0] if column.null_count else None
    return np.zeros(0, np.uint8) if bits is None else np.frombuffer(bits, np.uint8)
