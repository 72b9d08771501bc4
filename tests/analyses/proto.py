"""profile.proto by the protobuf library, with no code of gotrace's: what tests compare with.

`tables` gives the tables that a decoder would; `build` writes a profile from a short description.
"""

from __future__ import annotations

import gzip
from typing import Any

import pyarrow as pa

from tests.profiles.proto import profile_class

Profile = profile_class(packed=True, text="string")


def parse(data: bytes) -> Any:
    """Parse a profile, plain or gzip."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    profile = Profile()
    profile.ParseFromString(data)
    return profile


def _signed(number: int) -> int:
    """Keep 64 unsigned bits as signed, as the tables do."""
    return number - (1 << 64) if number >> 63 else number


def tables(data: bytes) -> dict[str, pa.Table]:
    """Give the tables of a profile, shaped as a decoder's."""
    p = parse(data)
    text = list(p.string_table)
    sets: dict[tuple[Any, ...], int] = {}
    samples, label_rows = [], []
    for number, sample in enumerate(p.sample):
        labels = tuple(
            (
                text[lab.key],
                text[lab.str] if lab.str else None,
                None if lab.str else lab.num,
                text[lab.num_unit] if lab.num_unit else None,
            )
            for lab in sample.label
        )
        if labels and labels not in sets:
            sets[labels] = len(sets) + 1
            label_rows += [
                {"label_set_id": sets[labels], "key": k, "str": s, "num": n, "unit": u}
                for k, s, n, u in labels
            ]
        samples.append(
            {
                "profile": 0,
                "sample": number,
                "location_ids": [_signed(id) for id in sample.location_id],
                "label_set_id": sets.get(labels),
                "values": list(sample.value),
            }
        )
    lines = pa.list_(pa.struct([(n, pa.int64()) for n in ("function_id", "line", "column")]))
    return {
        "profiles": pa.table(
            {
                "profile": [0],
                "sample_types": pa.array(
                    [[{"type": text[t.type], "unit": text[t.unit]} for t in p.sample_type]],
                    pa.list_(pa.struct([("type", pa.utf8()), ("unit", pa.utf8())])),
                ),
                "default_sample_type": pa.array([text[p.default_sample_type] or None], pa.utf8()),
                "drop_frames": pa.array([text[p.drop_frames] or None], pa.utf8()),
                "keep_frames": pa.array([text[p.keep_frames] or None], pa.utf8()),
                "time": pa.array([p.time_nanos or None], pa.timestamp("ns", tz="UTC")),
                "duration_ns": pa.array([p.duration_nanos or None], pa.int64()),
                "period": pa.array([p.period or None], pa.int64()),
                "comments": pa.array([[text[c] for c in p.comment]], pa.list_(pa.utf8())),
            }
        ),
        "samples": pa.Table.from_pylist(
            samples,
            pa.schema(
                [
                    ("profile", pa.int64()),
                    ("sample", pa.int64()),
                    ("location_ids", pa.list_(pa.int64())),
                    ("label_set_id", pa.int64()),
                    ("values", pa.list_(pa.int64())),
                ]
            ),
        ),
        "label_sets": pa.Table.from_pylist(
            label_rows,
            pa.schema(
                [
                    ("label_set_id", pa.int64()),
                    ("key", pa.utf8()),
                    ("str", pa.utf8()),
                    ("num", pa.int64()),
                    ("unit", pa.utf8()),
                ]
            ),
        ),
        "locations": pa.table(
            {
                "profile": pa.array([0] * len(p.location), pa.int64()),
                "location_id": pa.array([_signed(x.id) for x in p.location], pa.int64()),
                "mapping_id": pa.array(
                    [_signed(x.mapping_id) or None for x in p.location], pa.int64()
                ),
                "address": pa.array([x.address for x in p.location], pa.uint64()),
                "lines": pa.array(
                    [
                        [
                            {
                                "function_id": _signed(n.function_id),
                                "line": n.line,
                                "column": n.column,
                            }
                            for n in x.line
                        ]
                        for x in p.location
                    ],
                    lines,
                ),
            }
        ),
        "functions": pa.table(
            {
                "function_id": pa.array([_signed(x.id) for x in p.function], pa.int64()),
                "name": pa.array([text[x.name] or None for x in p.function], pa.utf8()),
                "file": pa.array([text[x.filename] or None for x in p.function], pa.utf8()),
                "start_line": pa.array([x.start_line or None for x in p.function], pa.int64()),
            }
        ),
        "mappings": pa.table(
            {
                "mapping_id": pa.array([_signed(x.id) for x in p.mapping], pa.int64()),
                "memory_start": pa.array([x.memory_start for x in p.mapping], pa.uint64()),
                "file_offset": pa.array([x.file_offset for x in p.mapping], pa.uint64()),
                "file": pa.array([text[x.filename] or None for x in p.mapping], pa.utf8()),
                "build_id": pa.array([text[x.build_id] or None for x in p.mapping], pa.utf8()),
            }
        ),
    }


def build(
    samples: list[tuple[str, list[int], dict[str, Any]]],
    types: str = "samples/count cpu/nanoseconds",
    **facts: Any,
) -> bytes:
    """Write a profile: each sample is its stack, values and labels.

    A stack is text, leaf first: `f` is function f in file f.go, `f:3` its line 3, `f+g` f inlined
    into g at one location, `@10` an address without symbols in the second mapping. A label is a
    text, a number, or (number, unit).
    """
    profile = Profile()
    strings = {"": 0}

    def string(text: str) -> int:
        return strings.setdefault(text, len(strings))

    for kind in types.split():
        name, unit = kind.split("/")
        profile.sample_type.add(type=string(name), unit=string(unit))
    base = facts.pop("base", 0x1000)
    for number, (file, start) in enumerate((("/bin/app", base), ("/lib/libc.so", 0x800000)), 1):
        profile.mapping.add(
            id=number,
            memory_start=start,
            memory_limit=start + 0x100000,
            filename=string(file),
            build_id=string(f"build{number}"),
            has_functions=number == 1,
        )
    functions: dict[str, int] = {}
    locations: dict[str, int] = {}

    def function(name: str) -> int:
        if name not in functions:
            functions[name] = len(functions) + 1
            short = name.split("(")[0]
            profile.function.add(
                id=functions[name],
                name=string(name),
                system_name=string(name),
                filename=string(f"/src/{short}.go"),
                start_line=functions[name] * 10,
            )
        return functions[name]

    def location(place: str) -> int:
        if place in locations:
            return locations[place]
        locations[place] = id = len(locations) + (1 << 64) - 100_000
        if place.startswith("@"):
            profile.location.add(id=id, mapping_id=2, address=0x800000 + int(place[1:]))
            return id
        made = profile.location.add(id=id, mapping_id=1, address=base + len(locations) * 16)
        for line in place.split("+"):
            name, _, number = line.partition(":")
            made.line.add(function_id=function(name), line=int(number or 7), column=2)
        return id

    for stack, values, labels in samples:
        sample = profile.sample.add(value=values)
        sample.location_id.extend(location(place) for place in stack.split())
        for key, given in labels.items():
            for value in given if isinstance(given, list) else [given]:
                label = sample.label.add(key=string(key))
                if isinstance(value, str):
                    label.str = string(value)
                elif isinstance(value, int):
                    label.num = value
                else:
                    label.num, label.num_unit = value[0], string(value[1])
    for name, value in facts.items():
        setattr(profile, name, string(value) if isinstance(value, str) else value)
    profile.string_table.extend(strings)
    return profile.SerializeToString()
