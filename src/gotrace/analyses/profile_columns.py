"""A profile as columns of dense numbers: what every analysis of profiles works on.

The ids of the tables (`samples`, `locations`, `functions`, `mappings`, `label_sets`) give way to
positions, so that a filter is a mask over locations and a stack is a slice of an array.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.arrays import Bools, Ints, Rows
from gotrace.errors import UnknownNameError, unknown_name
from gotrace.tables.profile import Profile
from gotrace.tables.schema import schema

TABLES: Final = ("profiles", "samples", "label_sets", "locations", "functions", "mappings")
"""The tables that an analysis of profiles reads."""

_FACTS: Final = (
    *("period", "period_type", "period_unit", "time_ns", "duration_ns"),
    *("drop_frames", "keep_frames", "comments", "doc_url"),
)


class Label(NamedTuple):
    """One value of a label: text, or a number with its unit."""

    key: str
    text: str | None
    num: int | None
    unit: str | None


LabelSet = tuple[Label, ...]


@dataclass(frozen=True)
class Rest:
    """What of a profile only a writer wants. Rows that a filter or label frames added have none.

    Attributes:
        system_names: by function, "" for none.
        folded: by location.
        spans: by mapping: its first address, the address behind its last, its file offset; uint64.
        flags: by mapping: whether functions, files, lines, inlined frames were looked up.
    """

    system_names: tuple[str, ...] = ()
    folded: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    spans: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros((0, 3), np.uint64))
    flags: Bools = field(default_factory=lambda: np.zeros((0, 4), np.bool_))


@dataclass
class ProfileColumns:
    """One profile, or many of the same value types.

    Attributes:
        types: (type, unit) of each column of `values`.
        default_type: type that is meant when none is named; "" for the last.
        values: int64, samples by types.
        offsets, locations: the locations of each sample, leaf first, as slices; locations are int32
            or int64.
        labels: position in `label_sets` of each sample.
        label_sets: the empty set is the first.
        line_offsets, functions, lines, columns: the lines of each location, innermost inlined
            function first; a function is -1 for none.
        addresses: uint64, of each location.
        mappings: position of each location's mapping, -1 for none.
        function_names, function_files, function_starts: by function.
        mapping_files, mapping_builds, mapping_bases: by mapping; a base is file offset - start.
        facts: period, period_type, period_unit, time_ns, duration_ns, drop_frames, keep_frames,
            comments, doc_url, as far as they are known.
        rest: what no analysis asks but a profile has, to be written again.
    """

    types: tuple[tuple[str, str], ...]
    default_type: str
    values: Ints
    offsets: Ints
    locations: Rows
    labels: Ints
    label_sets: tuple[LabelSet, ...]
    line_offsets: Ints
    functions: Ints
    lines: Ints
    columns: Ints
    addresses: npt.NDArray[np.uint64]
    mappings: Ints
    function_names: tuple[str, ...]
    function_files: tuple[str, ...]
    function_starts: Ints
    mapping_files: tuple[str, ...] = ()
    mapping_builds: tuple[str, ...] = ()
    mapping_bases: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    facts: dict[str, Any] = field(default_factory=dict)
    rest: Rest = field(default_factory=Rest)

    def type_index(self, name: str | None) -> int:
        """Find a value type: by name, by number, with `inuse_` left out; None is the default.

        As in pprof the default is the profile's own, else the last. Raises `UnknownNameError`.
        """
        names = [kind for kind, _ in self.types]
        if not names:
            raise UnknownNameError("the profile has no value types, so no samples")
        if not name:
            return names.index(self.default_type) if self.default_type in names else len(names) - 1
        if name.isdecimal() and int(name) < len(names):
            return int(name)
        for candidate in (name, f"inuse_{name}"):
            if candidate in names:
                return names.index(candidate)
        raise unknown_name("value type", name, names)


class Source(Protocol):
    """An opened profile, or whatever else gives tables by name."""

    def scan(
        self, names: Sequence[str], *, columns: Mapping[str, Sequence[str]]
    ) -> Iterable[tuple[str, pa.RecordBatch]]:
        """Give tables batch by batch, in one pass."""


Tables = Mapping[str, pa.Table] | Source
"""What analyses take: tables by name, or a source that can give them."""


def from_tables(tables: Tables, *, compat: str | None = None) -> ProfileColumns:
    """Make columns from the tables of one source; several profiles in it are taken together.

    `compat="go"` leaves numeric labels of 0 without a unit out, as google/pprof does. Raises
    ValueError for profiles of differing value types: merge those.
    """
    if isinstance(tables, Profile):
        return _together(list(each_profile(tables, compat=compat)))
    if not isinstance(tables, Mapping):
        tables = read_tables(tables)
    samples, locations = tables["samples"], tables["locations"]
    functions, mappings = tables["functions"], tables["mappings"]
    types, default_type, facts = _header(tables["profiles"])
    offsets, refs = _lists(samples.column("location_ids"))
    line_offsets, lines = _lists(locations.column("lines"), structs=True)
    by_profile = "profile" in locations.schema.names
    owner = _ints(samples.column("profile")) if by_profile else None
    owner_of_refs = np.repeat(owner, np.diff(offsets)) if owner is not None else None
    sets, labels = _label_sets(tables["label_sets"], samples.column("label_set_id"), compat)
    of_location = _owner(locations)
    of_lines = None if of_location is None else np.repeat(of_location, np.diff(line_offsets))
    return ProfileColumns(
        types=types,
        default_type=default_type,
        values=_values(samples.column("values"), len(types)),
        offsets=offsets,
        locations=_positions(
            "location", refs, owner_of_refs, _ints(locations.column("location_id")), of_location
        ),
        labels=labels,
        label_sets=sets,
        line_offsets=line_offsets,
        functions=_positions(
            "function",
            _ints(lines["function_id"]),
            of_lines,
            _ints(functions.column("function_id")),
            _owner(functions),
        ),
        lines=_ints(lines["line"]),
        columns=_ints(lines["column"]),
        addresses=_unsigned(locations.column("address")),
        mappings=_positions(
            "mapping",
            _ints(locations.column("mapping_id")),
            of_location,
            _ints(mappings.column("mapping_id")),
            _owner(mappings),
        ),
        function_names=_texts(functions.column("name")),
        function_files=_texts(functions.column("file")),
        function_starts=_ints(functions.column("start_line")),
        mapping_files=_texts(mappings.column("file")),
        mapping_builds=_texts(mappings.column("build_id")),
        mapping_bases=_unsigned(mappings.column("file_offset"))
        - _unsigned(mappings.column("memory_start")),
        facts=facts,
        rest=_rest(tables),
    )


def read_tables(source: Source) -> dict[str, pa.Table]:
    """Read what an analysis needs of a profile, in one pass; no hashes are made."""
    columns = {
        name: [column for column in schema(name).names if column not in ("stack_id", "frame_id")]
        for name in TABLES
    }
    batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLES}
    for name, batch in source.scan(TABLES, columns=columns):
        batches[name].append(batch)
    return {
        name: pa.Table.from_batches(batches[name], schema(name, columns[name])) for name in TABLES
    }


def each_profile(tables: Tables, *, compat: str | None = None) -> Iterator[ProfileColumns]:
    """Make columns of every profile of one source, each by itself; see `from_tables`."""
    if isinstance(tables, Profile):
        from gotrace.analyses.raw_columns import from_raw

        yield from (from_raw(raw, compat) for raw in tables.decoded())
        return
    if not isinstance(tables, Mapping):
        tables = read_tables(tables)
    profiles = tables["profiles"]
    if profiles.num_rows == 1:
        yield from_tables(tables, compat=compat)
        return
    for number in profiles.column("profile").to_pylist():
        one = {
            name: table.filter(pc.equal(table.column("profile"), number))
            if "profile" in table.schema.names
            else table
            for name, table in tables.items()
        }
        yield from_tables(one, compat=compat)


def _together(profiles: Sequence[ProfileColumns]) -> ProfileColumns:
    """Put the samples of profiles with the same value types behind each other."""
    from gotrace.analyses.merge import concatenated

    if not profiles:
        return from_tables({name: schema(name).empty_table() for name in TABLES})
    if any(profile.types != profiles[0].types for profile in profiles):
        raise ValueError("the profiles differ in their value types: merge them")
    return reduce(concatenated, profiles)


def _rest(tables: Mapping[str, pa.Table]) -> Rest:
    """Read what is there: tables made by hand may lack all of it."""

    def column(table: str, name: str) -> Any:
        known = name in tables[table].schema.names
        return tables[table].column(name) if known else pa.nulls(tables[table].num_rows)

    spans = ("memory_start", "memory_limit", "file_offset")
    flags = ("has_functions", "has_filenames", "has_line_numbers", "has_inline_frames")
    return Rest(
        system_names=_texts(column("functions", "system_name")),
        folded=_ints(column("locations", "is_folded")) != 0,
        spans=np.stack([_unsigned(column("mappings", name)) for name in spans], axis=1),
        flags=np.stack([_ints(column("mappings", name)) != 0 for name in flags], axis=1),
    )


def _header(profiles: pa.Table) -> tuple[tuple[tuple[str, str], ...], str, dict[str, Any]]:
    # Python's own instants lack nanoseconds.
    times = profiles.column("time").cast(pa.int64())
    rows = profiles.drop_columns(["time"]).append_column("time_ns", times).to_pylist()
    if not rows:
        return (), "", {}
    each = [
        tuple((kind["type"] or "", kind["unit"] or "") for kind in row["sample_types"] or ())
        for row in rows
    ]
    if len(set(each)) > 1:
        raise ValueError("the profiles differ in their value types: merge them")
    facts = {name: rows[0][name] for name in _FACTS if rows[0].get(name)}
    return each[0], rows[0].get("default_sample_type") or "", facts


def _plain(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _ints(column: Any) -> Ints:
    return np.asarray(pc.fill_null(_plain(column).cast(pa.int64()), 0)).astype(np.int64)


def _unsigned(column: Any) -> npt.NDArray[np.uint64]:
    return np.asarray(pc.fill_null(_plain(column).cast(pa.uint64()), 0)).astype(np.uint64)


def _texts(column: Any) -> tuple[str, ...]:
    return tuple(text or "" for text in column.to_pylist())


def _owner(table: pa.Table) -> Ints | None:
    return _ints(table.column("profile")) if "profile" in table.schema.names else None


def _lists(column: Any, structs: bool = False) -> tuple[Ints, Any]:
    """Take a list column apart: offsets from 0 and what the lists hold."""
    plain = _plain(column)
    lengths = np.asarray(pc.fill_null(pc.list_value_length(plain), 0)).astype(np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    held = pc.list_flatten(plain)
    if not structs:
        return offsets, _ints(held)
    fields = [held.type.field(i).name for i in range(held.type.num_fields)]
    return offsets, dict(zip(fields, held.flatten(), strict=True))


def _values(column: Any, width: int) -> Ints:
    offsets, flat = _lists(column)
    if len(flat) != (len(offsets) - 1) * width:
        raise ValueError(f"samples do not all have {width} values")
    return np.ascontiguousarray(flat.reshape(-1, width))


def _positions(
    what: str, wanted: Ints, owner: Ints | None, ids: Ints, owner_of_ids: Ints | None
) -> Ints:
    """Find each wanted id among `ids`, of the same profile where both say one; 0 is none: -1.

    Ids are 64 unsigned bits kept as signed, so any number but 0 may be one.
    """
    found = np.full(len(wanted), -1, np.int64)
    some = wanted != 0
    sought = wanted[some]
    if owner is not None and owner_of_ids is not None:
        # Both become numbers of (profile, id) pairs.
        distinct = np.unique(np.concatenate([ids, sought]))
        ids = owner_of_ids * len(distinct) + np.searchsorted(distinct, ids)
        pairs = owner[some] * len(distinct) + np.searchsorted(distinct, sought)
    else:
        pairs = sought
    order = np.argsort(ids, kind="stable")
    place = np.searchsorted(ids[order], pairs)
    hit = place < len(ids)
    hit[hit] = ids[order[place[hit]]] == pairs[hit]
    if not hit.all():
        missing = int(sought[~hit][0]) % 2**64
        raise ValueError(f"{what} {missing} is in no row of the table")
    found[some] = order[place]
    return found


def _label_sets(table: pa.Table, ids: Any, compat: str | None) -> tuple[tuple[LabelSet, ...], Ints]:
    sets: dict[int, list[Label]] = {}
    for row in table.to_pylist():
        label = Label(row["key"] or "", row["str"], row["num"], row["unit"])
        if compat == "go" and label.text is None and not label.num and not label.unit:
            continue
        sets.setdefault(row["label_set_id"], []).append(label)
    number = {id: position + 1 for position, id in enumerate(sets)}
    labels = np.fromiter((number.get(id, 0) for id in ids.to_pylist()), np.int64, count=len(ids))
    return ((), *map(tuple, sets.values())), labels


def whole_rest(profile: ProfileColumns) -> Rest:
    """Give the rest with a row for everything, for what has none an empty one."""
    rest, names, locations = profile.rest, profile.function_names, len(profile.addresses)
    mappings = len(profile.mapping_files)
    if (len(rest.system_names), len(rest.folded), len(rest.spans), len(rest.flags)) == (
        *(len(names), locations),
        *(mappings, mappings),
    ):
        return rest
    return Rest(
        (*rest.system_names, *([""] * (len(names) - len(rest.system_names)))),
        np.append(rest.folded, np.zeros(locations - len(rest.folded), np.bool_)),
        np.append(rest.spans, np.zeros((mappings - len(rest.spans), 3), np.uint64), axis=0),
        np.append(rest.flags, np.zeros((mappings - len(rest.flags), 4), np.bool_), axis=0),
    )


def label_texts(labels: LabelSet, key: str) -> Sequence[str]:
    """Give the text values of a key, in order."""
    return [label.text for label in labels if label.key == key and label.text is not None]
