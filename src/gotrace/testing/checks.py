"""The rules of the event model, each over arrays of rows: what `Validator` puts together.

They are the invariants that Go's own test validator holds its reader to (internal/trace/testtrace),
with the legal transitions added. Rows are grouped by what they speak of with one stable sort, so
that a rule about a resource's history is a comparison of neighbours; what was before the rows at
hand is put in front of them as rows without a number (`CARRIED`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gotrace.arrays import Bools, Ints
from gotrace.spec import transitions, words

Complaint = tuple[int, str]
"""Sequence number of the row, what is wrong with it."""

NULL: Final = -1
CARRIED: Final = -1
"""The sequence number of what was before."""

GOROUTINE: Final = words.RESOURCES.index("goroutine")
PROC: Final = words.RESOURCES.index("proc")
NOTEXIST: Final = words.STATES.index("notexist")
UNDETERMINED: Final = words.STATES.index("undetermined")


def _table_of(pairs: dict[str, Any]) -> Bools:
    table = np.zeros((len(words.RESOURCES), len(words.STATES), len(words.STATES)), dtype=bool)
    for resource, legal in pairs.items():
        for before, after in legal.items():
            for state in after:
                at = words.RESOURCES.index(resource), words.STATES.index(before)
                table[at][words.STATES.index(state)] = True
    return table


LEGAL: Final = _table_of(dict(transitions.LEGAL))
EXECUTING: Final = np.array(
    [
        [state in transitions.EXECUTING.get(resource, ()) for state in words.STATES]
        for resource in words.RESOURCES
    ]
)


@dataclass(slots=True)
class Rows:
    """Columns of some rows, nulls and words as numbers; all of one length."""

    columns: dict[str, Ints]

    def __getattr__(self, name: str) -> Ints:
        try:
            return self.columns[name]
        except KeyError:
            raise AttributeError(name) from None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def take(self, index: Ints | Bools) -> Rows:
        """Return these of the rows."""
        return Rows({name: column[index] for name, column in self.columns.items()})

    def select(self, *names: str) -> Rows:
        """Return these of the columns."""
        return Rows({name: self.columns[name] for name in names})

    def after(self, earlier: Rows | None) -> Rows:
        """Return these rows with earlier ones, of the same columns, in front."""
        if earlier is None or not len(earlier):
            return self
        return Rows(
            {name: np.concatenate((earlier.columns[name], c)) for name, c in self.columns.items()}
        )

    def grouped(self, *keys: str) -> tuple[Rows, Bools]:
        """Sort by keys, in order within; the rows, and which of them begin a group."""
        columns = [self.columns[key] for key in reversed(keys)]
        order = np.lexsort(columns) if len(self) else np.zeros(0, dtype=np.int64)
        rows = self.take(order)
        first = np.ones(len(rows), dtype=bool)
        if len(rows) > 1:
            first[1:] = np.any([rows.columns[k][1:] != rows.columns[k][:-1] for k in keys], axis=0)
        return rows, first


def before(column: npt.NDArray[Any], first: Bools, none: int) -> npt.NDArray[Any]:
    """Return for each row what the row before it in its group has, `none` for the first."""
    shifted = np.empty_like(column)
    shifted[1:] = column[:-1]
    shifted[first] = none
    return shifted


def last_of_groups(first: Bools) -> Bools:
    """Say which rows end a group."""
    last = np.ones(len(first), dtype=bool)
    last[:-1] = first[1:]
    return last


# --- the rules --------------------------------------------------------------------------------


def rising(rows: Rows, last_seq: int, last_time: int) -> Iterator[Complaint]:
    """Demand that times rise strictly and numbers have no gaps."""
    seq, time = rows.seq, rows.time_ns
    wrong = np.diff(seq, prepend=last_seq) != 1
    for i in np.flatnonzero(wrong):
        previous = seq[i - 1] if i else last_seq
        yield int(seq[i]), f"comes after seq {previous}"
    wrong = np.diff(time, prepend=last_time) <= 0
    for i in np.flatnonzero(wrong):
        previous = time[i - 1] if i else last_time
        yield int(seq[i]), f"time {time[i]} does not come after {previous}"


def syncs(rows: Rows, last: int) -> Iterator[Complaint]:
    """Demand that syncs are numbered 1, 2, 3."""
    for seq, value in zip(rows.seq.tolist(), rows.value.tolist(), strict=True):
        last += 1
        if value != last:
            yield seq, f"sync {value} where {last} was expected"
            last = value


def legal(rows: Rows) -> Iterator[Complaint]:
    """Demand that every transition is one of the legal ones."""
    known = (rows.resource >= 0) & (rows.from_state >= 0) & (rows.to_state >= 0)
    known &= rows.resource_id != NULL
    for i in np.flatnonzero(~known):
        yield int(rows.seq[i]), "a transition without a resource or its states"
    fine = LEGAL[rows.resource, rows.from_state, rows.to_state]
    for i in np.flatnonzero(known & ~fine):
        yield _at(rows, i), f"{_who(rows, i)} cannot go {_states(rows, i)}"


def chained(rows: Rows, first: Bools, restart_seq: int) -> Iterator[Complaint]:
    """Demand that the old state is the last new one, undetermined only in the first generation."""
    previous = before(rows.to_state, first, UNDETERMINED)
    known = np.where(
        first, np.isin(rows.from_state, (UNDETERMINED, NOTEXIST)), rows.from_state == previous
    )
    for i in np.flatnonzero(~known & (rows.seq != CARRIED)):
        was = "was never seen" if first[i] else f"was {words.STATES[previous[i]]}"
        yield _at(rows, i), f"{_who(rows, i)} {was}, yet goes {_states(rows, i)}"
    late = (rows.from_state == UNDETERMINED) & (rows.seq > restart_seq)
    for i in np.flatnonzero(late):
        yield _at(rows, i), f"{_who(rows, i)} is undetermined after the first generation"


def bound(rows: Rows, first: Bools) -> Iterator[Complaint]:
    """Demand that what executes is bound to one thread, and is alone of its kind there."""
    executing = EXECUTING[rows.resource, rows.to_state]
    was = before(executing, first, 0)
    thread = np.where(executing, rows.thread, NULL)
    # A status that repeats itself on no thread says nothing; it neither binds nor unbinds.
    repeated = executing & (rows.from_state == rows.to_state) & (rows.thread == NULL)
    homeless = executing & (rows.thread == NULL) & ~repeated & (rows.seq != CARRIED)
    for i in np.flatnonzero(homeless):
        yield _at(rows, i), f"{_who(rows, i)} is {words.STATES[rows.to_state[i]]} on no thread"
    thread = fill(thread, repeated & was, first)
    at = before(thread, first, NULL)
    moved = executing & was & (at != NULL) & (thread != NULL) & (at != thread)
    for i in np.flatnonzero(moved):
        yield (
            _at(rows, i),
            f"{_who(rows, i)} moves from thread {at[i]} to {thread[i]} as it executes",
        )
    yield from _alone(rows, first, thread, at)


def _alone(rows: Rows, first: Bools, thread: Ints, at: Ints) -> Iterator[Complaint]:
    """Turn bindings into intervals of row numbers and look for two on one thread."""
    begins = (thread != NULL) & (thread != at)
    change = np.flatnonzero(begins | first | ((thread != at) & (at != NULL)))
    start = np.flatnonzero(begins)
    if not len(start):
        return
    following = np.append(change, len(rows))[np.searchsorted(change, start, side="right")]
    group = np.cumsum(first)
    ended = np.zeros(len(start), dtype=bool)
    inside = following < len(rows)
    ended[inside] = group[following[inside]] == group[start[inside]]
    forever = np.iinfo(np.int64).max
    end_seq = np.full(len(start), forever)
    end_seq[ended] = rows.seq[following[ended]]
    spans = Rows(
        {
            "resource": rows.resource[start],
            "thread": thread[start],
            "start": rows.seq[start],
            "end": end_seq,
            "row": start,
        }
    )
    spans, new_thread = spans.grouped("resource", "thread", "start")
    new_thread = np.ones(len(spans), dtype=bool)
    new_thread[1:] = (spans.resource[1:] != spans.resource[:-1]) | (
        spans.thread[1:] != spans.thread[:-1]
    )
    previous_end = before(spans.end, new_thread, -2)
    for i in np.flatnonzero((spans.start < previous_end) & (spans.start != CARRIED)):
        row, other = spans.row[i], spans.row[i - 1]
        yield (
            _at(rows, row),
            f"{_who(rows, row)} executes on thread {spans.thread[i]}, where"
            f" {_who(rows, other)} does since seq {rows.seq[other]}",
        )


def fill(column: Ints, where: Bools, first: Bools) -> Ints:
    """Give some rows the value of the nearest earlier row that is not one of them."""
    if not where.any():
        return column
    source = np.where(where & ~first, 0, np.arange(len(column)))
    filled: Ints = column[np.maximum.accumulate(source)]
    return filled


def stopped_with_stack(rows: Rows) -> Iterator[Complaint]:
    """Demand that a goroutine which stops executing stands where its thread stands."""
    goroutine = rows.resource == GOROUTINE
    leaves = (
        goroutine
        & EXECUTING[rows.resource, rows.from_state]
        & ~EXECUTING[rows.resource, rows.to_state]
    )
    for i in np.flatnonzero(leaves & (rows.stack_id != rows.context_stack_id)):
        yield _at(rows, i), f"{_who(rows, i)} stops on another stack than its thread's"


def ranges(rows: Rows, first: Bools, names: list[str]) -> Iterator[Complaint]:
    """Demand that a range begins when it is not going on, and ends when it is."""
    going_on = before(rows.open, first, 0)
    begin = rows.kind == words.KINDS.index("range_begin")
    end = rows.kind == words.KINDS.index("range_end")
    for wrong, text in (
        (begin & (going_on == 1), "begins again"),
        (end & (going_on == 0), "ends without having begun"),
    ):
        for i in np.flatnonzero(wrong & (rows.seq != CARRIED)):
            scope = f" of {_who(rows, i)}" if rows.resource[i] != NULL else ""
            yield _at(rows, i), f"range {names[rows.name[i]]!r}{scope} {text}"


def deaths_in_ranges(
    rows: Rows, first: Bools, deaths: Rows, names: list[str]
) -> Iterator[Complaint]:
    """Demand that no goroutine dies within a range of its own."""
    dead: dict[int, list[int]] = {}
    scoped = rows.resource == GOROUTINE
    mine = np.isin(deaths.resource_id, rows.resource_id[scoped])
    for number, seq in zip(
        deaths.resource_id[mine].tolist(), deaths.seq[mine].tolist(), strict=True
    ):
        dead.setdefault(number, []).append(seq)
    if not dead:
        return
    last = last_of_groups(first)
    forever = np.iinfo(np.int64).max
    until = np.append(rows.seq[1:], forever)
    until[last] = forever
    for i in np.flatnonzero(scoped & (rows.open == 1)):
        for seq in dead.get(int(rows.resource_id[i]), ()):
            if rows.seq[i] < seq < until[i]:
                name = names[rows.name[i]]
                yield seq, f"{_who(rows, i)} dies within its range {name!r}"


def tasks(rows: Rows, first: Bools, names: list[str]) -> Iterator[Complaint]:
    """Demand that a task begins once while it lives, and ends as what it began."""
    for i in np.flatnonzero(rows.task == NULL):
        yield _at(rows, i), "the background task neither begins nor ends"
    active = before(rows.open, first, 0) == 1
    name = before(rows.name, first, NULL)
    parent = before(rows.parent_task, first, NULL)
    begins = rows.open == 1
    real = rows.seq != CARRIED
    for i in np.flatnonzero(begins & active & real):
        yield _at(rows, i), f"task {rows.task[i]} begins again"
    ends = ~begins & active & real
    for i in np.flatnonzero(ends & (name != rows.name)):
        told = names[rows.name[i]] if rows.name[i] != NULL else ""
        was = names[name[i]] if name[i] != NULL else ""
        yield _at(rows, i), f"task {rows.task[i]} ends as {told!r} and began as {was!r}"
    for i in np.flatnonzero(ends & (parent != rows.parent_task)):
        yield _at(rows, i), f"task {rows.task[i]} ends with another parent than it began with"


def labels(rows: Rows, goroutines: Ints) -> Iterator[Complaint]:
    """Demand that a label says something, of a goroutine that there is."""
    for i in np.flatnonzero(rows.name == NULL):
        yield _at(rows, i), "an empty label"
    for i in np.flatnonzero(rows.resource != GOROUTINE):
        yield _at(rows, i), "a label of no goroutine"
    unknown = (rows.resource == GOROUTINE) & ~np.isin(rows.resource_id, goroutines)
    for i in np.flatnonzero(unknown):
        yield _at(rows, i), f"a label of {_who(rows, i)}, which was never seen"


def metrics(rows: Rows, names: list[str]) -> Iterator[Complaint]:
    """Demand that a metric has a value, and a name with a unit as in runtime/metrics."""
    united = np.array([*(":" in name for name in names), False])
    for i in np.flatnonzero(~united[rows.name]):
        yield _at(rows, i), "a metric whose name has no unit"
    for i in np.flatnonzero(rows.value_is_null == 1):
        yield _at(rows, i), "a metric without a value"


def _at(rows: Rows, row: Any) -> int:
    return int(rows.seq[row])


def _who(rows: Rows, row: Any) -> str:
    return f"{words.RESOURCES[rows.resource[row]]} {rows.resource_id[row]}"


def _states(rows: Rows, row: Any) -> str:
    return f"{words.STATES[rows.from_state[row]]} -> {words.STATES[rows.to_state[row]]}"
