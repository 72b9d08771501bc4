"""Hold the `events` of a trace to the rules that every execution obeys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.arrays import Bools, Ints
from gotrace.spec import words
from gotrace.testing import checks
from gotrace.testing.checks import CARRIED, NULL, Complaint, Rows

ROWS_AT_ONCE: Final = 1 << 19
"""How many rows are looked at together; the more, the less is carried over."""

_NUMBERS: Final = (
    "seq",
    "time_ns",
    "thread",
    "resource_id",
    "context_stack_id",
    "stack_id",
    "task",
    "parent_task",
)
_WORDS: Final = {
    "kind": words.KINDS,
    "resource": words.RESOURCES,
    "from_state": words.STATES,
    "to_state": words.STATES,
}
COLUMNS: Final = (*_NUMBERS, *_WORDS, "name", "value")
"""The columns of `events` that are looked at."""

_KIND: Final = {word: code for code, word in enumerate(words.KINDS)}

Events: TypeAlias = pa.RecordBatch | pa.Table
"""Some rows of `events`, in order."""


def validate(events: Events | Iterable[Events], *, gaps: bool = False, most: int = 50) -> list[str]:
    """Return what is wrong with the events of a trace: complaints by `seq`, none if all is well."""
    validator = Validator(gaps=gaps, most=most)
    for batch in [events] if isinstance(events, pa.RecordBatch | pa.Table) else events:
        validator.feed(batch)
    return validator.finish()


def validate_syncs(syncs: pa.Table) -> list[str]:
    """Return what is wrong with the table `syncs` of a trace of Go 1.25 or later.

    Every sync but the last has a clock snapshot, and its three clocks go on from the one before. On
    systems with coarse clocks (Windows) snapshots of short generations may be equal.
    """
    complaints = []
    rows = syncs.to_pylist()
    for before, row in zip([None, *rows], rows[:-1], strict=False):
        for clock in ("snapshot_ns", "mono_ns", "wall"):
            if row[clock] is None:
                complaints.append(f"seq {row['seq']}: a sync without {clock}")
            elif before is not None and before[clock] is not None and row[clock] <= before[clock]:
                complaints.append(f"seq {row['seq']}: {clock} does not go on")
    return complaints


class Validator:
    """The same as `validate`, for events that come in pieces; memory does not grow with them.

    Args:
        gaps: the trace was salvaged: a generation whose statuses come from `undetermined` begins
            anew, and numbers of syncs only rise.
        most: how many complaints are kept; the rest is counted.
    """

    def __init__(self, *, gaps: bool = False, most: int = 50) -> None:
        self._gaps = gaps
        self._most = most
        self._complaints: list[Complaint] = []
        self._left_out = 0
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._names: dict[str | None, int] = {}
        self._last_seq = -1
        self._last_time = 0
        self._last_sync = 0
        self._first_seq: int | None = None
        self._restart_seq: int | None = None
        self._states: Rows | None = None
        self._ranges: Rows | None = None
        self._tasks: Rows | None = None

    def feed(self, events: Events) -> None:
        """Take the next rows of `events`; of its columns only COLUMNS are needed."""
        if isinstance(events, pa.RecordBatch):
            events = pa.Table.from_batches([events])
        events = events.select(list(COLUMNS))
        for start in range(0, len(events), ROWS_AT_ONCE):
            piece = events.slice(start, ROWS_AT_ONCE)
            self._pending.append(piece)
            self._pending_rows += len(piece)
            if self._pending_rows >= ROWS_AT_ONCE:
                self._flush()

    def finish(self) -> list[str]:
        """Return the complaints, in order of the events that they are about."""
        self._flush()
        lines = [f"seq {seq}: {text}" for seq, text in sorted(self._complaints)]
        if self._left_out:
            lines.append(f"and {self._left_out} more")
        return lines

    def _flush(self) -> None:
        if not self._pending:
            return
        table = pa.concat_tables(self._pending, promote_options="permissive")
        self._pending, self._pending_rows = [], 0
        rows = self._rows(table)
        for part in self._parts(rows):
            self._check(part)

    def _parts(self, rows: Rows) -> Iterator[Rows]:
        """Cut where a trace with gaps begins anew, and forget there what was before."""
        cuts = [0]
        sync = np.flatnonzero(rows.kind == _KIND["sync"])
        if self._gaps and len(sync):
            unknown = np.flatnonzero(rows.from_state == checks.UNDETERMINED)
            generations = np.searchsorted(sync, unknown, side="right") - 1
            cuts += [int(sync[g]) for g in np.unique(generations) if g >= 0 and sync[g] > 0]
        for start, stop in zip(cuts, [*cuts[1:], len(rows)], strict=True):
            part = rows.take(np.arange(start, stop))
            if start or (self._gaps and (part.from_state == checks.UNDETERMINED).any()):
                self._states = self._ranges = self._tasks = None
                self._first_seq = self._restart_seq = None
            yield part

    def _check(self, rows: Rows) -> None:
        names = [name or "" for name in self._names]
        sync = rows.take(rows.kind == _KIND["sync"])
        self._complain(checks.rising(rows, self._last_seq, self._last_time))
        if not self._gaps:
            self._complain(checks.syncs(sync, self._last_sync))
        if len(sync):
            self._last_sync = int(sync.value[-1])
        self._last_seq, self._last_time = int(rows.seq[-1]), int(rows.time_ns[-1])
        known, deaths = self._check_transitions(rows, sync)
        self._check_ranges(rows, deaths, names)
        self._check_tasks(rows, names)
        self._complain(checks.labels(rows.take(rows.kind == _KIND["label"]), known))
        self._complain(checks.metrics(rows.take(rows.kind == _KIND["metric"]), names))

    def _check_transitions(self, rows: Rows, sync: Rows) -> tuple[Ints, Rows]:
        """Return the goroutines that were seen, and the transitions in which one ended."""
        rows_here = rows.take(rows.kind == _KIND["state_transition"])
        if self._first_seq is None and len(rows_here):
            self._first_seq = int(rows_here.seq[0])
        self._complain(checks.legal(rows_here))
        whole = (rows_here.resource >= 0) & (rows_here.from_state >= 0) & (rows_here.to_state >= 0)
        rows_here = rows_here.take(whole)
        self._complain(checks.stopped_with_stack(rows_here))
        columns = ("seq", "resource", "resource_id", "from_state", "to_state", "thread")
        states, first = (
            rows_here.select(*columns).after(self._states).grouped("resource", "resource_id")
        )
        self._complain(checks.chained(states, first, self._first_generation_until(sync)))
        self._complain(checks.bound(states, first))
        goroutines = np.unique(states.resource_id[states.resource == checks.GOROUTINE])
        last = states.take(checks.last_of_groups(first) & (states.to_state != checks.NOTEXIST))
        last.columns["thread"] = self._bindings(states, first)
        self._states = _carried(last)
        gone = (rows_here.to_state == checks.NOTEXIST) & (rows_here.resource == checks.GOROUTINE)
        return goroutines, rows_here.take(gone)

    def _bindings(self, states: Rows, first: Bools) -> Ints:
        """Return the threads of the last rows; a repeated status on no thread keeps the old one."""
        repeated = (states.thread == NULL) & (states.from_state == states.to_state)
        filled = checks.fill(states.thread, repeated, first)
        last: Ints = filled[checks.last_of_groups(first) & (states.to_state != checks.NOTEXIST)]
        return last

    def _first_generation_until(self, sync: Rows) -> int:
        """Return the number of the sync that ends the first generation, or one after all.

        As for Go's reader that is the first with an event, which may have none before it.
        """
        if self._restart_seq is None and self._first_seq is not None:
            later = sync.seq[sync.seq > self._first_seq]
            if len(later):
                self._restart_seq = int(later[0])
        after_all = int(np.iinfo(np.int64).max)
        return after_all if self._restart_seq is None else self._restart_seq

    def _check_ranges(self, rows: Rows, deaths: Rows, names: list[str]) -> None:
        kinds = [_KIND["range_begin"], _KIND["range_active"], _KIND["range_end"]]
        mine = rows.take(np.isin(rows.kind, kinds))
        mine.columns["open"] = (mine.kind != _KIND["range_end"]).astype(np.int64)
        mine = mine.select("seq", "kind", "name", "resource", "resource_id", "open")
        mine, first = mine.after(self._ranges).grouped("name", "resource", "resource_id")
        self._complain(checks.ranges(mine, first, names))
        self._complain(checks.deaths_in_ranges(mine, first, deaths, names))
        self._ranges = _carried(mine.take(checks.last_of_groups(first) & (mine.open == 1)))

    def _check_tasks(self, rows: Rows, names: list[str]) -> None:
        mine = rows.take(np.isin(rows.kind, [_KIND["task_begin"], _KIND["task_end"]]))
        mine.columns["open"] = (mine.kind == _KIND["task_begin"]).astype(np.int64)
        mine = mine.select("seq", "task", "parent_task", "name", "open")
        mine, first = mine.after(self._tasks).grouped("task")
        self._complain(checks.tasks(mine, first, names))
        self._tasks = _carried(mine.take(checks.last_of_groups(first) & (mine.open == 1)))

    def _complain(self, complaints: Iterator[Complaint]) -> None:
        for complaint in complaints:
            if len(self._complaints) < self._most:
                self._complaints.append(complaint)
            else:
                self._left_out += 1

    # --- from Arrow to numbers --------------------------------------------------------------

    def _rows(self, table: pa.Table) -> Rows:
        columns = {name: _numbers(table[name]) for name in _NUMBERS}
        for name, closed_set in _WORDS.items():
            columns[name] = _codes(table[name], {word: i for i, word in enumerate(closed_set)})
        columns["value"] = _numbers(table["value"])
        columns["value_is_null"] = np.asarray(pc.is_null(table["value"])).astype(np.int64)
        columns["name"] = self._name_codes(table["name"])
        return Rows(columns)

    def _name_codes(self, column: pa.ChunkedArray) -> Ints:
        """Give each name a number, the same in every piece."""
        encoded = pc.dictionary_encode(column).unify_dictionaries().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.chunk(0)
        for name in encoded.dictionary.to_pylist():
            self._names.setdefault(name, len(self._names))
        return _codes_of(encoded, self._names)


def _carried(rows: Rows) -> Rows:
    rows.columns["seq"] = np.full(len(rows), CARRIED, dtype=np.int64)
    return rows


def _numbers(column: pa.ChunkedArray) -> Ints:
    """Turn integers into int64, null into NULL; no id and no value that matters is negative."""
    filled = pc.fill_null(pc.cast(column, pa.int64(), safe=False), NULL)
    return np.asarray(filled.to_numpy(), dtype=np.int64)


def _codes(column: pa.ChunkedArray, codes: dict[str, int]) -> Ints:
    """Turn words into their codes, null and words of no set into NULL."""
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    encoded = column.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    return _codes_of(encoded, codes)


def _codes_of(encoded: pa.DictionaryArray, codes: dict[str | None, int] | dict[str, int]) -> Ints:
    by_index = [codes.get(word, NULL) for word in encoded.dictionary.to_pylist()]
    table = np.array([*by_index, NULL], dtype=np.int64)
    index = pc.fill_null(pc.cast(encoded.indices, pa.int64()), len(by_index))
    found: Ints = table[np.asarray(index.to_numpy(zero_copy_only=False))]
    return found
