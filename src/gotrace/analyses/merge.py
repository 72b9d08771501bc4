"""Profiles by the thousand as one: memory holds the distinct stacks, whatever their number.

Values of one type are added in the finest unit met; a profile without a type adds nothing to it.
The result does not depend on the order of the profiles: everything in it is sorted by content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from gotrace._core import StackTable, TextPairs, sort_lists
from gotrace.analyses.filters import Filters, prepare
from gotrace.analyses.frames import add_checked
from gotrace.analyses.profile_columns import LabelSet, ProfileColumns, Rest, whole_rest
from gotrace.analyses.units import ratio, same_quantity
from gotrace.arrays import Bools, Ints
from gotrace.tables.profile_raw import as_ints, as_rows, offsets_of

Level = Literal["exact", "function"]

_NAMED: Final = -3
"""Tag of a location that is its functions alone."""

_NO_MAPPING: Final = -2
"""Tag of a location without a mapping: twice the mapping, and 1 more for a folded one."""


class _Image(NamedTuple):
    """What is known of a mapping, from all profiles with it; the same in any order.

    Attributes:
        main: a profile had it first, so it is the program.
        begin: least offset in the file, and the address of that.
        end: largest offset in the file.
    """

    main: bool
    file: str
    begin: tuple[int, int]
    end: int
    flags: Bools

    @property
    def span(self) -> tuple[int, int, int]:
        """First address, the address behind the last, file offset; 64 bits."""
        offset, start = self.begin
        return start, (start + self.end - offset) % 2**64, offset

    def joined(self, other: _Image) -> _Image:
        return _Image(
            self.main or other.main,
            _least(self.file, other.file),
            min(self.begin, other.begin),
            max(self.end, other.end),
            self.flags | other.flags,
        )


class _Numbers(dict[Any, int]):
    """Numbers of what was met; what is new gets the one that `find` says."""

    def __init__(self, find: Callable[[Any], int]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, key: Any) -> int:
        number = self[key] = self._find(key)
        return number


class Merger:
    """Adds profiles up. `level` "function" forgets lines and addresses, so that builds join."""

    def __init__(self, level: Level = "function", *, labels: bool = True) -> None:
        if level not in ("exact", "function"):
            raise ValueError(f"level is exact or function, not {level!r}")
        self._exact = level == "exact"
        self._labels = labels
        self._functions: dict[tuple[str, str, str, int], int] = {}
        self._files: list[str] = []
        self._met, self._named = _Numbers(lambda key: self._function(*key)), TextPairs()
        self._mappings: dict[tuple[str, str], int] = {}
        self._images: list[_Image] = []
        self._label_sets: dict[LabelSet, int] = {(): 0}
        self._unsorted: dict[LabelSet, int] = {(): 0}
        self._locations, self._stacks = StackTable(), StackTable()
        self._sums = np.zeros((0, 0), np.int64)
        self._types: list[tuple[str, str]] = []
        self._asked: tuple[tuple[tuple[str, str], ...], list[int], list[int]] = (), [], []
        self._defaults: set[str] = set()
        self._facts: dict[str, Any] = {}

    def add(self, profile: ProfileColumns) -> None:
        """Add a profile, less the frames that it says to drop.

        Raises OverflowError when a sum does not fit 64 bits, ValueError when two profiles measure
        one type in units that do not convert.
        """
        profile = prepare(profile, Filters())
        ids = self.intern(profile)
        columns, factors = self._columns(profile.types)
        rows = len(self._stacks)
        if self._sums.shape[0] < rows or self._sums.shape[1] < len(self._types):
            # Room to double, so that growing costs no more than the stacks themselves.
            room = rows if rows <= self._sums.shape[0] else max(rows, self._sums.shape[0] * 2)
            grown = np.zeros((max(room, self._sums.shape[0]), len(self._types)), np.int64)
            grown[: self._sums.shape[0], : self._sums.shape[1]] = self._sums
            self._sums = grown
        if columns == list(range(len(self._types))) and set(factors) <= {1}:
            add_checked(ids, profile.values, self._sums)
            columns = []
        for column, (target, factor) in enumerate(zip(columns, factors, strict=False)):
            values = _times(profile.values[:, column : column + 1], factor)
            add_checked(ids, values, self._sums[:, target : target + 1])
        self._defaults.add(profile.default_type)
        _join_facts(self._facts, profile.facts)

    def result(self) -> ProfileColumns:
        """Give the sum; stacks whose values are all zero are left out."""
        values = self._sums[: len(self._stacks)]
        order = sorted(range(len(self._types)), key=lambda i: _type_key(self._types[i]))
        named = self._defaults - {""}
        return self.build(
            np.ascontiguousarray(values[:, order]),
            (values != 0).any(axis=1),
            tuple(self._types[i] for i in order),
            named.pop() if len(named) == 1 else "",
            _settled(self._facts),
        )

    @property
    def stacks(self) -> int:
        """How many stacks with labels are known."""
        return len(self._stacks)

    def intern(self, profile: ProfileColumns) -> Ints:
        """Give every sample the number of its stack and labels here."""
        rest = whole_rest(profile)
        functions = self._intern_functions(profile, rest.system_names)
        mappings = np.array(
            [self._mapping(profile, i, rest) for i in range(len(profile.mapping_files))] + [-1],
            np.int64,
        )
        locations = self._intern_locations(profile, functions, mappings, rest.folded)
        if self._labels:
            labels = self._intern_labels(profile.label_sets)[profile.labels]
        else:
            labels = np.zeros(len(profile.labels), np.int64)
        ids = np.empty(len(profile.labels), np.int64)
        self._stacks.intern(profile.offsets, profile.locations, labels, ids, locations)
        return ids

    def _intern_functions(self, profile: ProfileColumns, systems: Sequence[str]) -> Ints:
        """Give each function its number here, and -1 for none."""
        names, files = profile.function_names, profile.function_files
        numbers = np.full(len(names) + 1, -1)
        if self._exact:
            keys = zip(names, files, systems, profile.function_starts.tolist(), strict=True)
            numbers[:-1] = [*map(self._met.__getitem__, keys)]
        else:
            self._named.find(names, files, numbers[:-1], self._function)
        return numbers

    def _function(self, name: str, file: str, system: str = "", start: int = 0) -> int:
        key = (name, system, file if self._exact else "", start)
        number = self._functions.setdefault(key, len(self._functions))
        if number == len(self._files):
            self._files.append(file)
        self._files[number] = _least(self._files[number], file)
        return number

    def _intern_labels(self, label_sets: Sequence[LabelSet]) -> Ints:
        """Give each set its number here; the order of keys in it tells nothing."""
        known = self._unsorted
        for labels in label_sets:
            if labels not in known:
                number = self._label_sets.setdefault(_sorted(labels), len(self._label_sets))
                known[labels] = number
        return np.array([known[labels] for labels in label_sets], np.int64)

    def _mapping(self, profile: ProfileColumns, i: int, rest: Rest) -> int:
        build, file = profile.mapping_builds[i], profile.mapping_files[i]
        number = self._mappings.setdefault((build, "" if build else file), len(self._mappings))
        start, limit, offset = rest.spans[i].tolist()
        image = _Image(i == 0, file, (offset, start), offset + limit - start, rest.flags[i])
        if number == len(self._images):
            self._images.append(image)
        else:
            self._images[number] = self._images[number].joined(image)
        return number

    def _intern_locations(
        self, profile: ProfileColumns, functions: Ints, mappings: Ints, folded: Bools
    ) -> Ints:
        """Intern locations by content: address, then function, line, column of each line."""
        sizes = np.diff(profile.line_offsets)
        ids = np.empty(len(sizes), np.int64)
        if not self._exact and sizes.all():
            tags = np.full(len(sizes), _NAMED)
            names = np.append(profile.functions, -1)
            self._locations.intern(profile.line_offsets, functions[names], tags, ids)
            return ids
        bases = np.append(profile.mapping_bases, np.uint64(0))
        address = (profile.addresses + bases[profile.mappings]).view(np.int64)
        tags = 2 * mappings[profile.mappings] + folded
        if not self._exact:
            named = sizes > 0
            offsets = offsets_of(np.cumsum(np.maximum(sizes, 1)))
            refs = np.repeat(address, np.maximum(sizes, 1))
            refs[np.repeat(named, np.maximum(sizes, 1))] = functions[profile.functions]
            tags[named] = _NAMED
            self._locations.intern(offsets, refs, tags, ids)
            return ids
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes * 3 + 1)])
        refs = np.zeros(offsets[-1], np.int64)
        refs[offsets[:-1]] = address
        owner = np.repeat(np.arange(len(sizes)), sizes)
        at = 3 * np.arange(len(owner)) + owner + 1
        refs[at] = functions[profile.functions]
        refs[at + 1], refs[at + 2] = profile.lines, profile.columns
        self._locations.intern(offsets, refs, np.ascontiguousarray(tags), ids)
        return ids

    def _columns(self, types: tuple[tuple[str, str], ...]) -> tuple[list[int], list[int]]:
        """Find the column of each type, and by what its values are multiplied to be in its unit."""
        if types != self._asked[0]:
            # What was found for other types holds until a column changes.
            self._asked = types, *self._find_columns(types)
        return self._asked[1:]

    def _find_columns(self, types: tuple[tuple[str, str], ...]) -> tuple[list[int], list[int]]:
        columns, factors = [], []
        for kind, unit in types:
            names = [known.removesuffix("s") for known, _ in self._types]
            short = kind.removesuffix("s")
            if short not in names:
                self._types.append((kind, unit))
                columns.append(len(self._types) - 1)
                factors.append(1)
                continue
            column = names.index(short)
            known, known_unit = self._types[column]
            if not same_quantity(unit, known_unit):
                raise ValueError(f"{kind} is measured in {known_unit!r} and in {unit!r}")
            finer = ratio(known_unit, unit)
            if finer > 1:  # what is summed so far goes to the finer unit
                self._sums[:, column] = _times(self._sums[:, column], round(finer))
            best = unit if finer > 1 or (finer == 1 and unit < known_unit) else known_unit
            self._types[column] = (min(kind, known), best)
            columns.append(column)
            factors.append(round(ratio(unit, best)))
        return columns, factors

    def _known_locations(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Give line offsets, (function, line, column) of each line, tags, addresses."""
        offsets, rows, tags = _rows(self._locations)
        sizes = np.diff(offsets)
        named = tags == _NAMED
        addresses = np.zeros(len(tags), np.int64)
        addresses[~named] = rows[offsets[:-1][~named]]
        if self._exact:
            is_line = np.ones(len(rows), np.bool_)
            is_line[offsets[:-1]] = False
            return (
                offsets_of(np.cumsum((sizes - 1) // 3)),
                rows[is_line].reshape(-1, 3),
                tags,
                addresses,
            )
        lines = np.zeros((int(sizes[named].sum()), 3), np.int64)
        lines[:, 0] = rows[np.repeat(named, sizes)]
        tags[named] = _NO_MAPPING
        return offsets_of(np.cumsum(np.where(named, sizes, 0))), lines, tags, addresses

    def build(
        self,
        values: Ints,
        keep: Bools,
        types: tuple[tuple[str, str], ...],
        default_type: str,
        facts: dict[str, Any],
    ) -> ProfileColumns:
        """Make columns of the stacks to keep, everything in them sorted by content."""
        names = sorted(self._functions.items(), key=lambda item: (*item[0], self._files[item[1]]))
        function_rank = _rank([number for _, number in names])
        # The main program first: it is what a profile is of, to everybody who reads one.
        mapped = sorted(
            self._mappings.items(), key=lambda item: (not self._images[item[1]].main, item[0])
        )
        images = [self._images[number] for _, number in mapped]
        spans = np.array([image.span for image in images], np.uint64).reshape(-1, 3)
        bases = spans[:, 2] - spans[:, 0]
        mapping_rank = _rank([number for _, number in mapped])
        line_offsets, lines, tags, addresses = self._known_locations()
        lines[:, 0] = np.append(function_rank, -1)[lines[:, 0]]
        folded, tags = (tags & 1).astype(np.bool_), np.append(mapping_rank, -1)[tags >> 1]
        location_order = _location_order(line_offsets, lines, (tags, addresses, folded))
        location_rank = _rank(location_order)
        label_sets = sorted(self._label_sets.items(), key=lambda item: _label_key(item[0]))
        label_rank = _rank([number for _, number in label_sets])
        order = np.flatnonzero(keep)
        labels = np.empty(len(order), np.int64)
        offsets, refs = self._stacks.take_sorted(location_rank, label_rank, order, labels)
        tags = tags[location_order]
        line_at, line_offsets = _slices(line_offsets, location_order)
        return ProfileColumns(
            types=types,
            default_type=default_type,
            values=values.take(order, axis=0),
            offsets=as_ints(offsets),
            locations=as_rows(refs),
            labels=labels,
            label_sets=tuple(labels for labels, _ in label_sets),
            line_offsets=line_offsets,
            functions=lines[line_at, 0],
            lines=lines[line_at, 1],
            columns=lines[line_at, 2],
            addresses=addresses[location_order].view(np.uint64)
            - np.append(bases, np.uint64(0))[tags],
            mappings=tags,
            function_names=tuple(key[0] for key, _ in names),
            function_files=tuple(self._files[number] for _, number in names),
            function_starts=np.array([key[3] for key, _ in names], np.int64),
            mapping_files=tuple(image.file for image in images),
            mapping_builds=tuple(build for (build, _), _ in mapped),
            mapping_bases=bases,
            facts=dict(facts),
            rest=Rest(
                tuple(key[1] for key, _ in names),
                folded[location_order],
                spans,
                np.array([image.flags for image in images], np.bool_).reshape(-1, 4),
            ),
        )


def merge(profiles: Iterable[ProfileColumns], level: Level = "function") -> ProfileColumns:
    """Add profiles up; see `Merger`."""
    merger = Merger(level)
    for profile in profiles:
        merger.add(profile)
    return merger.result()


def side_by_side(
    base: ProfileColumns, profile: ProfileColumns, value: str | None
) -> ProfileColumns:
    """Put the samples of two in one, of a value type: the base's values first, the other's next.

    The unit is the finer of the two.
    """
    columns = [each.type_index(value) for each in (base, profile)]
    units = [each.types[column][1] for each, column in zip((base, profile), columns, strict=True)]
    if not same_quantity(*units):
        raise ValueError(f"{units[0]!r} and {units[1]!r} cannot be compared")
    finer = units[1] if ratio(units[0], units[1]) > 1 else units[0]
    sides = []
    for side, each in enumerate((prepare(base, Filters()), prepare(profile, Filters()))):
        values = np.zeros((len(each.labels), 2), np.int64)
        values[:, side] = _times(each.values[:, columns[side]], round(ratio(units[side], finer)))
        kind = profile.types[columns[1]][0]
        types = (("base", finer), (kind, finer))
        sides.append(replace(each, values=values, types=types, default_type=kind))
    joined = concatenated(sides[0], sides[1])
    return replace(joined, facts={})


def concatenated(first: ProfileColumns, second: ProfileColumns) -> ProfileColumns:
    """Put the samples of two with the same types behind each other."""

    def shifted(numbers: Ints, by: int) -> Ints:
        return np.where(numbers < 0, -1, numbers + by)

    def sliced(a: Ints, b: Ints) -> Ints:
        return np.append(a, b[1:] + a[-1])

    def both(name: str) -> Any:
        a, b = getattr(first, name), getattr(second, name)
        return a + b if isinstance(a, tuple) else np.append(a, b, axis=0)

    locations: Any = np.append(first.locations, second.locations + len(first.addresses))
    plain = [
        "values",
        "lines",
        "columns",
        "addresses",
        "label_sets",
        "function_names",
        "function_files",
        "function_starts",
        "mapping_files",
        "mapping_builds",
        "mapping_bases",
    ]
    return replace(
        first,
        offsets=sliced(first.offsets, second.offsets),
        line_offsets=sliced(first.line_offsets, second.line_offsets),
        locations=locations,
        labels=np.append(first.labels, second.labels + len(first.label_sets)),
        functions=np.append(first.functions, shifted(second.functions, len(first.function_names))),
        mappings=np.append(first.mappings, shifted(second.mappings, len(first.mapping_files))),
        **{name: both(name) for name in plain},
        rest=_joined_rest(whole_rest(first), whole_rest(second)),
    )


def _joined_rest(a: Rest, b: Rest) -> Rest:
    return Rest(
        a.system_names + b.system_names,
        np.append(a.folded, b.folded),
        np.append(a.spans, b.spans, axis=0),
        np.append(a.flags, b.flags, axis=0),
    )


def _least(a: str, b: str) -> str:
    """Give the lesser of two texts, whatever came first; "" is none."""
    return min(a, b) if a and b else a or b


def _times(values: Ints, factor: int) -> Ints:
    if factor == 1:
        return values
    if len(values) and int(np.abs(values).max()) > np.iinfo(np.int64).max // factor:
        raise OverflowError("a value does not fit 64 bits in the finer unit")
    return values * factor


def _sorted(labels: LabelSet) -> LabelSet:
    """Sort labels by key; the values of one key keep their order, which means something."""
    return tuple(sorted(labels, key=lambda label: (label.key, label.text is None)))


def _label_key(labels: LabelSet) -> Any:
    return [
        (lab.key, lab.text is None, lab.text or "", lab.num or 0, lab.unit or "") for lab in labels
    ]


def _type_key(kind: tuple[str, str]) -> Any:
    """Sort value types by name, but as pprof has them: counts first, the default's place last."""
    known = [
        "samples",
        "cpu",
        "alloc_objects",
        "alloc_space",
        "inuse_objects",
        "inuse_space",
        "contentions",
        "delay",
    ]
    return (known.index(kind[0]) if kind[0] in known else len(known), kind)


def _rank(order: Any) -> Ints:
    rank = np.empty(len(order), np.int64)
    rank[np.asarray(order, np.int64)] = np.arange(len(order))
    return rank


def _rows(table: StackTable) -> tuple[Ints, Ints, Ints]:
    offsets, refs = np.empty(len(table) + 1, np.int64), np.empty(table.total_refs, np.int64)
    tags = np.empty(len(table), np.int64)
    table.copy_to(offsets, refs, tags)
    return offsets, refs, tags


def _location_order(line_offsets: Ints, lines: Ints, heads: Sequence[Any]) -> Ints:
    """Sort locations by their lines, then by what stands at their head."""
    wide = len(heads)
    count = len(line_offsets) - 1
    offsets = 3 * line_offsets + wide * np.arange(count + 1)
    numbers = np.empty(offsets[-1], np.int64)
    is_head = np.zeros(len(numbers), np.bool_)
    for place, head in enumerate(heads):
        at = offsets[1:] - wide + place
        numbers[at], is_head[at] = head, True
    numbers[~is_head] = lines.reshape(-1)
    order = np.arange(count)
    sort_lists(offsets, numbers, np.zeros(count, np.int64), order)
    return order


def _slices(offsets: Ints, order: Ints) -> tuple[Ints, Ints]:
    """Give the positions of the elements of slices in another order, and the new offsets."""
    sizes = np.diff(offsets)[order]
    moved = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
    return np.arange(moved[-1]) + np.repeat(offsets[:-1][order] - moved[:-1], sizes), moved


def _join_facts(facts: dict[str, Any], more: dict[str, Any]) -> None:
    """Join what is known: earliest time, sum of durations, longest period, all comments.

    Where what the periods count differs, there is no period, in any order.
    """
    for name, value in more.items():
        if name == "comments":
            facts[name] = sorted({*facts.get(name, ()), *value})
        elif name in ("time_ns", "doc_url"):
            facts[name] = min(value, facts.get(name, value))
        elif name == "duration_ns":
            facts[name] = value + facts.get(name, 0)
        elif name == "period":
            facts[name] = max(value, facts.get(name, value))
        elif name in ("period_type", "period_unit"):
            facts[name] = value if facts.get(name, value) == value else None


def _settled(facts: dict[str, Any]) -> dict[str, Any]:
    unlike = any(facts.get(name, "") is None for name in ("period_type", "period_unit"))
    return {
        name: value for name, value in facts.items() if not (unlike and name.startswith("period"))
    }
