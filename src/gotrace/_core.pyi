"""The compiled core: bytes in, Arrow batches out. Sans I/O."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from typing_extensions import disjoint_base

__all__ = [
    "Batch",
    "CallGraph",
    "CriticalPath",
    "DelaySums",
    "FlameTree",
    "GenerationIndex",
    "GoUtilization",
    "IdSet",
    "LastStacks",
    "NumberBlock",
    "PairSums",
    "StackTable",
    "TextPairs",
    "TraceDecoder",
    "add_rows",
    "add_to_parents",
    "address_keys",
    "decode_profile",
    "distinct_lists",
    "expand_lists",
    "frame_keys",
    "label_set_keys",
    "list_keys",
    "list_members",
    "narrow_rows_of_ids",
    "number_stacks",
    "preorder",
    "profile_end",
    "rows_of_ids",
    "site_keys",
    "sort_lists",
    "take_lists",
    "track_packets",
    "windowed_means",
]

_Numbers = Any
"""A contiguous array of the type that the docstring names: numpy's, or any buffer."""

class _SchemaExportable(Protocol):
    def __arrow_c_schema__(self) -> object: ...

@disjoint_base
class Batch:
    """One Arrow record batch, to be taken once through the Arrow PyCapsule interface."""

    @property
    def num_rows(self) -> int: ...
    @property
    def address(self) -> int:
        """Where its ArrowArray is, for who has the schema and moves it out at once."""
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Move the batch out: `(schema capsule, array capsule)`. A second call raises."""

@disjoint_base
class GenerationIndex:
    """Find the generations of a trace without decoding them."""

    def __new__(cls, *, salvage: bool = False, max_memory: int = ...) -> GenerationIndex: ...
    @property
    def left_out(self) -> int:
        """Bytes of the source that need not be fed next."""
    def feed(self, data: bytes | bytearray | memoryview, *, following: int = 0) -> None:
        """Lend decompressed bytes, until `next_generation` gives None."""
    def finish(self) -> None:
        """Say that no more bytes will come."""
    def next_generation(self) -> dict[str, int | bool | None] | None:
        """Describe the next generation; None: feed more, or the end after `finish`."""

@disjoint_base
class TraceDecoder:
    """Decode an execution trace of Go 1.22 to 1.27."""

    def __new__(
        cls,
        tables: Mapping[str, _SchemaExportable],
        dictionaries: Mapping[str, Sequence[str]],
        *,
        batch_rows: int = 65536,
        salvage: bool = False,
        max_memory: int = ...,
        threads: int = 1,
        go_numbers: bool = False,
    ) -> TraceDecoder: ...
    @property
    def minor(self) -> int | None:
        """Minor version of the header (22, 23, 25, 26), None before 16 bytes were fed."""
    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Lend decompressed bytes, until `next_batch` gives None."""
    def skip_to(self, offset: int, *, syncs: int) -> None:
        """Go on with the generation at `offset`, which has so many generations before it."""
    def finish(self, *, goes_on: bool = False) -> None:
        """Say that no more bytes will come; the trace itself may go on behind them."""
    def cancel(self) -> None:
        """Make `next_batch` raise InterruptedError soon, from any thread."""
    def next_batch(self) -> tuple[str, Batch] | None:
        """`(table, Batch)`, or None: feed more, or after `finish` the end."""

@disjoint_base
class StackTable:
    """Distinct rows of int64 numbers, each with a tag, in the order they were first seen."""

    def __new__(cls) -> StackTable: ...
    def __len__(self) -> int: ...
    @property
    def total_refs(self) -> int: ...
    def intern(
        self,
        offsets: _Numbers,
        refs: _Numbers,
        tags: _Numbers,
        ids: _Numbers,
        names: _Numbers | None = None,
    ) -> None:
        """Write the number of every row into `ids`; all arrays are int64.

        With `names` every reference counts as the name that it has there.
        """
    def copy_to(self, offsets: _Numbers, refs: _Numbers, tags: _Numbers) -> None:
        """Copy the rows into int64 arrays of `len + 1`, `total_refs` and `len`."""
    def take_sorted(
        self, ranks: _Numbers, tag_ranks: _Numbers, order: _Numbers, tags: _Numbers
    ) -> tuple[NumberBlock, NumberBlock]:
        """Sort the rows that `order` names; give their offsets and the ranks of their numbers.

        The ranks are narrow, if they fit.

        They are in the order of the ranks of their numbers, the shorter of two first, then of the
        ranks of their tags, which go to `tags`.
        """

@disjoint_base
class TextPairs:
    """Pairs of texts that were met, each with its number."""

    def __new__(cls) -> TextPairs: ...
    def __len__(self) -> int: ...
    def find(
        self,
        firsts: tuple[str, ...],
        seconds: tuple[str, ...],
        numbers: _Numbers,
        new: Callable[[str, str], int],
    ) -> None:
        """Write the number of each pair; one that is met first gets what `new(first, second)` says.

        `numbers` is int64.
        """

@disjoint_base
class FlameTree:
    """Stacks as one tree of parent pointers; node 0 is the root, parents come first."""

    def __new__(cls) -> FlameTree: ...
    def __len__(self) -> int: ...
    def insert(
        self, offsets: _Numbers, keys: _Numbers, inlined: _Numbers, leaves: _Numbers
    ) -> None:
        """Insert stacks of keys (int32, not negative), root first; `leaves` gets their nodes."""
    def copy_to(self, parents: _Numbers, keys: _Numbers, seen: _Numbers) -> None:
        """Copy the nodes; `seen` has 1 for inlined and 2 for called."""

@disjoint_base
class CallGraph:
    """Edges between nodes, in the order they were met."""

    def __new__(cls) -> CallGraph: ...
    def __len__(self) -> int: ...
    def build(
        self,
        starts: _Numbers,
        ends: _Numbers,
        locations: _Numbers,
        entry_offsets: _Numbers,
        entry_nodes: _Numbers,
        entry_inlined: _Numbers,
        kept: _Numbers,
        values: _Numbers,
        flat: _Numbers,
        cum: _Numbers,
        stacks: _Numbers,
    ) -> None:
        """Walk stacks of locations, each with its value; fill flat, cum, stacks by node.

        A stack lies leaf first between its start and its end; a location has some entries,
        innermost first, each with its node.
        """
    def copy_to(
        self,
        callers: _Numbers,
        callees: _Numbers,
        values: _Numbers,
        inlined: _Numbers,
        residual: _Numbers,
    ) -> None:
        """Copy the edges into arrays of `len`."""

def track_packets(
    kind: int,
    times: _Numbers,
    tracks: _Numbers,
    *,
    ends: _Numbers | None = None,
    names: _Numbers | None = None,
    counts: _Numbers | None = None,
    flows: _Numbers | None = None,
    flow_field: int = 0,
    annotation_names: _Numbers | None = None,
    annotations: _Numbers | None = None,
) -> bytearray:
    """Write rows of int64 columns as packets of Perfetto's track events.

    `kind` is the type of the events; with `ends` each row has another of `kind + 1` at its end.
    `names` are numbers of interned names, 0 for none; `counts` the values of a counter; `flows`
    numbers of flows, 0 for none, in `flow_field`. `annotations` has a row for each of
    `annotation_names`, of numbers of interned texts, 0 for none. ValueError for columns that differ
    in length.
    """

@disjoint_base
class DelaySums:
    """Sums of the time that goroutines are in one state, by the stack of the event that led there.

    Of each delay counts what lies from `start` to `end` and not before the goroutine first ran.
    `lives_as_one`: what an id lived before its last life counts as before it ran, as in Go.
    """

    def __new__(
        cls,
        state: int,
        *,
        start: int | None = None,
        end: int | None = None,
        lives_as_one: bool = False,
    ) -> DelaySums: ...
    def choose(self, goroutines: _Numbers) -> None:
        """Count these goroutines alone. Comes before any event."""
    def cover(self, goroutines: _Numbers, starts: _Numbers, ends: _Numbers) -> None:
        """Count this time alone, whether or not the goroutine ran before. Comes before any event.

        Raises ValueError where rows of a goroutine are apart, out of order or overlap.
        """
    def __len__(self) -> int: ...
    def add(
        self,
        times: _Numbers,
        kinds: _Numbers,
        resources: _Numbers,
        ids: _Numbers,
        from_states: _Numbers,
        to_states: _Numbers,
        reasons: _Numbers,
        has_reason: _Numbers,
        passes: _Numbers,
        stacks: _Numbers,
        has_stack: _Numbers,
    ) -> None:
        """Take events in their order, columns of `events`; only goroutines are looked at.

        Times, ids and stacks are int64, codes of words int8, of reasons int16. `has_*` are bits of
        validity, uint8, none where nothing is null. `passes` (uint8) says of each reason whether
        delays for it count, at last of none.
        """
    def finish(self) -> None:
        """Count what goroutines waited that never ran: the trace is over."""
    def copy_to(self, stacks: _Numbers, counts: _Numbers, totals: _Numbers) -> None:
        """Copy the sums into int64 arrays of `len`."""

@disjoint_base
class GoUtilization:
    """The mutator utilization that `go tool trace` shows, with its errors.

    `failed_at` is the time of the event at which Go panics, -1 for none.
    """

    failed_at: int
    def __new__(cls, *, per_proc: bool = False) -> GoUtilization: ...
    def add(
        self,
        times: _Numbers,
        kinds: _Numbers,
        what: _Numbers,
        procs: _Numbers,
        goroutines: _Numbers,
        resources: _Numbers,
        from_states: _Numbers,
        to_states: _Numbers,
        values: _Numbers,
    ) -> None:
        """Take events in order: int64, of codes int8.

        `what` is 1 a stopped world, 2 an assist, 3 a sweep, 4 GOMAXPROCS, 5 a mark worker, 6 a
        dedicated one, 0 what does not count. `from_states` is -1 but for goroutines.
        """
    def finish(self) -> None:
        """End every series."""
    def series_of(self) -> list[int]:
        """Say how many points each series has."""
    def copy_to(self, number: int, times: _Numbers, values: _Numbers) -> None:
        """Copy a series into arrays of its length, int64 and float64."""

def windowed_means(
    times: _Numbers,
    sums: _Numbers,
    values: _Numbers,
    window: int,
    starts: _Numbers,
    means: _Numbers,
) -> int:
    """Write the means of a step function over a window that moves, and return how many.

    `values` (float64, n) hold from `times` to the next (int64, n + 1), `sums` (float64, n + 1) are
    their integral. Between the instants written, at most 2n + 2, the mean is linear.
    """

@disjoint_base
class CriticalPath:
    """Segments of the path that an end was reached by, in the order of time."""

    def __new__(cls) -> CriticalPath: ...
    def __len__(self) -> int: ...
    def walk(
        self,
        offsets: _Numbers,
        starts: _Numbers,
        ends: _Numbers,
        wakers: _Numbers,
        makers: _Numbers,
        waiting: _Numbers,
        goroutine: int,
        start: int,
        end: int,
    ) -> None:
        """Walk back from `end` to `start`, beginning with a goroutine, a number from 0.

        `offsets` says where the intervals of each goroutine lie in the other arrays: begin, end,
        who ended a wait, who made the goroutine (int32, -1 for nobody), whether it is a wait.
        """
    def copy_to(
        self,
        intervals: _Numbers,
        goroutines: _Numbers,
        starts: _Numbers,
        ends: _Numbers,
        depths: _Numbers,
    ) -> None:
        """Copy the segments into arrays of `len`; an interval is -1 where nothing is known."""

@disjoint_base
class LastStacks:
    """The stack that was seen last of each goroutine that is alive."""

    def __new__(cls) -> LastStacks: ...
    def __len__(self) -> int: ...
    def fill(self, goroutines: _Numbers, stacks: _Numbers, ended: _Numbers) -> None:
        """Write the last stack of its goroutine over each -1 of `stacks`.

        Rows of a goroutine come in the order of time; `ended` (uint8) says that none follows.
        """

@disjoint_base
class PairSums:
    """Sums and counts of int64 numbers by pair (a, b) and kind, from 0 to below `kinds`.

    Sums wrap around. Memory grows with the pairs.
    """

    def __new__(cls, kinds: int) -> PairSums: ...
    @property
    def kinds(self) -> int: ...
    def __len__(self) -> int: ...
    def add(self, a: _Numbers, b: _Numbers, kinds: _Numbers, values: _Numbers) -> None:
        """Add numbers (int64) of pairs (int64 each) and kinds (int8, -1 for what is left out)."""
    def find(self, a: _Numbers, b: _Numbers, rows: _Numbers) -> None:
        """Write the row of each pair, -1 for one that was not added."""
    def copy_to(self, a: _Numbers, b: _Numbers, sums: _Numbers, counts: _Numbers) -> None:
        """Copy the pairs in order of first sight; sums and counts are (pairs, kinds)."""

def add_rows(ids: _Numbers, values: _Numbers, sums: _Numbers) -> bool:
    """Add each row of `values` to the row of `sums` that `ids` names; False on an overflow.

    The values of a row lie side by side, and so do the sums.
    """

def add_to_parents(parents: _Numbers, values: _Numbers) -> bool:
    """Add every row into its parent's, children first; False on an overflow."""

def preorder(
    parents: _Numbers, siblings: _Numbers, order: _Numbers, depths: _Numbers, ends: _Numbers
) -> None:
    """Write the nodes depth first: old numbers, depths, ends of subtrees."""

@disjoint_base
class NumberBlock:
    """Numbers of 64 bits, or of 32, that Arrow may hold on to: a read-only buffer."""

    length: int
    narrow: bool
    def __len__(self) -> int: ...
    @staticmethod
    def copy_of(numbers: _Numbers) -> NumberBlock:
        """Make a block with the numbers of an array."""

def decode_profile(
    data: bytes | bytearray | memoryview, start: int, max_memory: int
) -> dict[str, Any]:
    """Decode the profile that begins at `start` to lists of numbers, by name, and its strings.

    `end` says where it ends: several may stand one behind the other. Raises FormatError with the
    offset in `data`, TruncatedError, LimitError, MemoryError.
    """

def profile_end(data: bytes | bytearray | memoryview, start: int) -> int:
    """Where the profile that begins at `start` ends, whatever is wrong inside its fields."""

def number_stacks(
    sample_refs: _Numbers, refs: _Numbers, location_ids: _Numbers
) -> tuple[NumberBlock, NumberBlock, NumberBlock]:
    """Give equal stacks one number: of each sample its stack; of each stack its end, and its rows.

    `sample_refs` are the ends of the samples' lists in `refs`, ids that are all in `location_ids`.
    """

def frame_keys(
    name_offsets: _Numbers,
    names: _Numbers,
    file_offsets: _Numbers,
    files: _Numbers,
    name_of: _Numbers,
    file_of: _Numbers,
    lines: _Numbers,
    keys: _Numbers,
) -> None:
    """Write the `frame_id` of each line: its name, its file (by number), its line."""

def address_keys(
    image_offsets: _Numbers,
    images: _Numbers,
    image_of: _Numbers,
    addresses: _Numbers,
    keys: _Numbers,
) -> None:
    """Write the `frame_id` of addresses without symbols: their image (by number), the address."""

def list_keys(ends: _Numbers, frame_ids: _Numbers, keys: _Numbers) -> None:
    """Write the `stack_id` of each list of frames."""

def site_keys(
    ends: _Numbers,
    frame_ids: _Numbers,
    names_of: _Numbers,
    flags: _Numbers,
    name_offsets: _Numbers,
    names: _Numbers,
    site_stack_ids: _Numbers,
    fingerprints: _Numbers,
    sites: _Numbers,
    roots: _Numbers,
) -> None:
    """Write of each stack the keys without what tools show or hide, its site and its root."""

def label_set_keys(
    ends: _Numbers,
    keys_of: _Numbers,
    texts_of: _Numbers,
    numbers: _Numbers,
    units_of: _Numbers,
    offsets: _Numbers,
    texts: _Numbers,
    keys: _Numbers,
) -> None:
    """Write the `label_set_id` of each list of labels: key, text, number, unit."""

def list_members(
    ends: _Numbers, rows: _Numbers, member_offsets: _Numbers
) -> tuple[NumberBlock, NumberBlock]:
    """Replace every row of lists by its members; the new ends, and the numbers of the members."""

def rows_of_ids(wanted: NumberBlock, ids: _Numbers) -> None:
    """Put in the place of each wanted id its row among `ids`, -1 for one that is none."""

def narrow_rows_of_ids(wanted: NumberBlock, ids: _Numbers) -> None:
    """Do the same in 32 bits, if rows fit: the block is one of int32 from then on."""

def sort_lists(offsets: _Numbers, numbers: _Numbers, tags: _Numbers, order: _Numbers) -> None:
    """Sort the lists that `order` names: by their numbers, the shorter of two first, by tag."""

def take_lists(
    offsets: _Numbers, numbers: _Numbers, order: _Numbers
) -> tuple[NumberBlock, NumberBlock]:
    """Put the lists that `order` names one behind the other; their offsets, their numbers."""

def distinct_lists(
    starts: _Numbers, ends: _Numbers, numbers: _Numbers, ids: _Numbers
) -> NumberBlock:
    """Write into `ids` which of the distinct lists each one is; give the first of each of them."""

def expand_lists(
    starts: _Numbers,
    ends: _Numbers,
    locations: _Numbers,
    entry_offsets: _Numbers,
    entry_nodes: _Numbers,
    entry_inlined: _Numbers,
    offsets: _Numbers,
    nodes: _Numbers,
    inlined: _Numbers,
    leaf_first: bool = False,
) -> None:
    """Write the nodes of stacks of locations, root first; without room only the offsets."""

@disjoint_base
class IdSet:
    """Ids that were met."""

    def __len__(self) -> int: ...
    def add(self, ids: _Numbers, is_new: _Numbers) -> None:
        """Add ids, and write of each whether this is the first time that it is met."""
