"""Rows by time, kind, goroutine and generation, picked from batches as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from gotrace.errors import unknown_name
from gotrace.tables.columns import DICTIONARIES
from gotrace.tables.passes import Named
from gotrace.tables.schema import table
from gotrace.tables.times import Clock, When, point

_COLUMNS_OF_WISH: Final = {
    ("start", "end"): (("time_ns",), ("start_ns", "end_ns")),
    ("kinds",): (("kind",),),
    ("goroutines",): (("goroutine", "resource", "resource_id"), ("goroutine",)),
    ("generations",): (("seq",), ("number", "first_seq", "last_seq")),
}
"""What a table must have for a wish: all columns of one of these."""


class RowFilter:
    """What rows of one table a user wants.

    `columns` are the columns it looks at, `side` the other tables that it must see in the same
    pass: times that count from the start wait for the first sync, generations for their own row.
    Raises ValueError for a wish that the table has no column for. A pass that reads a window sets
    `clock`, since it does not see the first sync, and `whole_generations`, when every row that it
    gives is of generations that are wanted.
    """

    def __init__(
        self,
        name: str,
        *,
        start: When | None = None,
        end: When | None = None,
        kinds: Iterable[str] | None = None,
        goroutines: Iterable[int] | None = None,
        generations: Iterable[int] | None = None,
    ) -> None:
        self._name = name
        self._known = table(name).by_name
        self._points = [None if given is None else point(given) for given in (start, end)]
        if kinds is not None and "kind" in self._known and self._known["kind"].words != "kind":
            raise ValueError(f"kinds: the rows of {name} are no events")
        self._kinds = _words(kinds)
        self._goroutines = None if goroutines is None else pa.array(set(goroutines), pa.int64())
        self.generations = None if generations is None else frozenset(generations)
        self.clock: Clock | None = None
        self.whole_generations = False
        self._spans: list[tuple[int, int, bool]] = []
        self._held: deque[pa.RecordBatch] = deque()
        self.columns = self._needed_columns()
        self.side = self._needed_tables()
        self.done = False

    def __bool__(self) -> bool:
        return bool(self.columns)

    @classmethod
    def fitting(cls, name: str, wishes: Mapping[str, Any]) -> RowFilter:
        """Make a filter of those wishes that the table has columns for; a pass has many tables."""
        known = table(name).by_name
        lacking = [] if name == "events" else ["kinds"]
        for wish, choices in _COLUMNS_OF_WISH.items():
            if not any(all(column in known for column in choice) for choice in choices):
                lacking += wish
        return cls(name, **{wish: given for wish, given in wishes.items() if wish not in lacking})

    def bounds(self, clock: Clock) -> tuple[int | None, int | None]:
        """Return start and end as ns of the trace clock; ValueError for a wall that it lacks."""
        start, end = (None if given is None else given.resolve(clock) for given in self._points)
        return start, end

    def apply(self, batches: Iterable[Named]) -> Iterator[Named]:
        """Filter the table's batches; batches of side tables are looked at and dropped."""
        for name, batch in batches:
            for kept in self.push(name, batch):
                yield self._name, kept
            if self.done:
                return
        for kept in self.rest():
            yield self._name, kept

    def push(self, name: str, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take a batch of any table; give what is known to be wanted of its own table by now.

        Once it is `done`, no later row can be wanted.
        """
        self._observe(name, batch)  # its own table may be a side table too
        if name == self._name:
            self._held.append(batch)
        while self._held and not self.done and self._ready(self._held[0]):
            batch = self._held.popleft()
            self.done = self._is_past(batch)
            if not self.done and (kept := self._pick(batch)).num_rows:
                yield kept

    def rest(self) -> Iterator[pa.RecordBatch]:
        """Give what was held, at the end of the pass."""
        for batch in () if self.done else self._held:
            # A damaged generation has no row, so nobody asked for it.
            if self.generations is None and (kept := self._pick(batch)).num_rows:
                yield kept

    def _needed_columns(self) -> tuple[str, ...]:
        needed: list[str] = []
        given = {
            ("start", "end"): any(self._points),
            ("kinds",): self._kinds is not None,
            ("goroutines",): self._goroutines is not None,
            ("generations",): self.generations is not None,
        }
        for wish, choices in _COLUMNS_OF_WISH.items():
            if given[wish]:
                needed += self._require(" and ".join(wish), *choices)
        return tuple(dict.fromkeys(needed))

    def _require(self, wish: str, *choices: tuple[str, ...]) -> tuple[str, ...]:
        for choice in choices:
            if all(column in self._known for column in choice):
                return choice
        raise ValueError(f"{wish}: the table {self._name} has no {choices[0][0]}")

    def _needed_tables(self) -> dict[str, tuple[str, ...]]:
        side: dict[str, tuple[str, ...]] = {}
        if any(given is not None and given.origin != "trace" for given in self._points):
            side["syncs"] = ("time_ns", "snapshot_ns", "wall")
        if self.generations is not None:
            side["generations"] = ("number", "first_seq", "last_seq")
        return side

    def _observe(self, name: str, batch: pa.RecordBatch) -> None:
        if name == "syncs" and self.clock is None and batch.num_rows:
            self.clock = clock_of(batch)
        elif name == "generations" and self.generations is not None:
            for row in batch.to_pylist():
                if row["first_seq"] is not None:
                    wanted = row["number"] in self.generations
                    self._spans.append((row["first_seq"], row["last_seq"], wanted))

    def _ready(self, batch: pa.RecordBatch) -> bool:
        if "syncs" in self.side and self.clock is None:
            return False
        if self.generations is None or "seq" not in self._known or not batch.num_rows:
            return True
        if self.whole_generations:
            return True
        last = pc.max(batch.column("seq")).as_py()
        return any(low <= last <= high for low, high, _ in self._spans)

    def _is_past(self, batch: pa.RecordBatch) -> bool:
        """Whether this and all later rows lie after the end: times rise in point tables."""
        _, end = self.bounds(self.clock or Clock(0, None))
        if end is None or table(self._name).order != ("seq",) or not batch.num_rows:
            return False
        return bool(batch.column("time_ns")[0].as_py() >= end)

    def _pick(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        start, end = self.bounds(self.clock or Clock(0, None))
        first, last = ("time_ns",) * 2 if "time_ns" in self._known else ("start_ns", "end_ns")
        masks: list[Any] = []
        if start is not None:
            masks.append(pc.greater_equal(batch.column(last), start))
        if end is not None:
            masks.append(pc.less(batch.column(first), end))
        if self._kinds is not None:
            masks.append(_is_in_words(batch.column("kind"), self._kinds))
        if self._goroutines is not None:
            masks.append(self._concerns_goroutines(batch))
        if self.generations is not None and "seq" not in self._known:
            masks.append(
                pc.is_in(batch.column("number"), pa.array(sorted(self.generations), pa.int64()))
            )
        elif self.generations is not None and not self.whole_generations:
            seq = batch.column("seq")
            spans = [span for span in self._spans if span[2]]
            masks.append(_any([_between(seq, low, high) for low, high, _ in spans], len(seq)))
        if not masks:
            return batch
        mask = reduce(pc.and_kleene, masks)
        chosen = mask.true_count
        if chosen == batch.num_rows:  # nothing is copied where nothing is cut
            return batch
        return batch.filter(mask) if chosen else batch.slice(0, 0)

    def _concerns_goroutines(self, batch: pa.RecordBatch) -> Any:
        mask = pc.is_in(batch.column("goroutine"), self._goroutines)
        if "resource_id" not in self._known:
            return mask
        about = pc.and_kleene(
            pc.is_in(batch.column("resource_id"), self._goroutines),
            _is_in_words(batch.column("resource"), pa.array(["goroutine"])),
        )
        return pc.or_kleene(mask, pc.fill_null(about, False))


def clock_of(syncs: pa.RecordBatch) -> Clock:
    """Return the clock that the first rows of `syncs` tell (time_ns, snapshot_ns, wall)."""
    snapshot, wall = syncs.column("snapshot_ns")[0].as_py(), syncs.column("wall")[0]
    offset = wall.value - snapshot if snapshot is not None and wall.is_valid else None
    return Clock(syncs.column("time_ns")[0].as_py(), offset)


def _words(kinds: Iterable[str] | None) -> pa.Array | None:
    if kinds is None:
        return None
    chosen = [kinds] if isinstance(kinds, str) else list(kinds)
    for kind in chosen:
        if kind not in DICTIONARIES["kind"]:
            raise unknown_name("kind of event", kind, DICTIONARIES["kind"])
    return pa.array(chosen, pa.utf8())


def _is_in_words(column: pa.DictionaryArray, wanted: pa.Array) -> Any:
    """Compare codes, not words: one look at the dictionary, one at each index."""
    codes = pc.indices_nonzero(pc.is_in(column.dictionary, wanted))
    return pc.is_in(column.indices, codes.cast(column.indices.type))


def _between(column: pa.Array, low: int, high: int) -> Any:
    return pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))


def _any(masks: list[Any], length: int) -> Any:
    return reduce(pc.or_, masks, pa.repeat(False, length))
