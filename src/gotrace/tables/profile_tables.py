"""The tables of a pprof profile, described as `schema` describes those of a trace.

A file may hold several profiles: `profile` numbers them from 0, and the ids of locations, functions
and mappings are the file's own, good within one profile only. Contents are joined by `stack_id`
and `frame_id`, which are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from gotrace.tables.columns import WALL, Column, Table, flag, i32, i64, listing, text, u64

_SUMMARY = frozenset({"summary", "default", "all"})
_DEFAULT = frozenset({"default", "all"})
_ALL = frozenset({"all"})

_PROFILE = i32("profile", "number of the profile in its file, from 0", need=True)
_SAMPLE = i64("sample", "number of the sample in its profile, from 0", need=True)
_STACK = i64("stack_id", "content hash of the frames; joins `stacks`", need=True)
_LABELS = i64("label_set_id", "content hash of the labels; joins `label_sets`; null for none")


def _field(name: str, kind: pa.DataType, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable)


VALUE_TYPE: Final = pa.struct([_field("type", pa.utf8()), _field("unit", pa.utf8())])
"""A kind of value that every sample has one of."""

LINE: Final = pa.struct(
    [
        _field("function_id", pa.int64()),
        _field("frame_id", pa.int64()),
        _field("line", pa.int64()),
        _field("column", pa.int64()),
        _field("inlined", pa.bool_()),
    ]
)
"""A line of a location; all but the last of a location were inlined."""

_PROFILES = Table(
    "profiles",
    "profile; a file may hold several",
    ("profile",),
    _SUMMARY,
    (
        _PROFILE,
        listing("sample_types", VALUE_TYPE, "what the values of a sample are, in their order"),
        text("period_type", "what is counted between two samples"),
        text("period_unit", "unit of the period"),
        i64("period", "how much of it between two samples; null for unknown"),
        Column("time", WALL, "when it began (CPU) or was taken (the others); null for unknown"),
        i64("duration_ns", "how long it recorded; null for a snapshot"),
        listing("comments", pa.utf8(), "free text"),
        text("drop_frames", "pattern of functions to leave out, with all that they call"),
        text("keep_frames", "pattern of functions to keep all the same"),
        text("doc_url", "page about this kind of profile"),
        text("default_sample_type", "type to show first; null for the last one"),
        text("container", "what it was packed in: gzip, zstd, gzip+gzip; null for nothing"),
        text("format", "proto, or the kind of text: heap, contention, goroutine…", need=True),
        i64("offset", "where it begins, in the decompressed file", need=True),
        i64("bytes", "its length, decompressed", unit="bytes", need=True),
        i64("samples", "rows of `samples`", need=True),
        i64("locations", "rows of `locations`", need=True),
        i64("functions", "rows of `functions`", need=True),
        i64("mappings", "rows of `mappings`", need=True),
    ),
)

_SAMPLES = Table(
    "samples",
    "sample, with all its values",
    ("profile", "sample"),
    _DEFAULT,
    (
        _PROFILE,
        _SAMPLE,
        _STACK,
        listing("location_ids", pa.int64(), "locations of the stack, leaf first"),
        _LABELS,
        listing("values", pa.int64(), "values, in the order of `profiles.sample_types`"),
    ),
)

_SAMPLE_VALUES = Table(
    "sample_values",
    "value of a sample",
    ("profile", "sample"),
    _ALL,
    (
        _PROFILE,
        _SAMPLE,
        _STACK,
        _LABELS,
        text("type", "what the value is", need=True),
        text("unit", "its unit", need=True),
        i64("value", "the value, as it stands in the profile: already scaled", need=True),
    ),
)

_LABEL_SETS = Table(
    "label_sets",
    "label of a distinct set of labels",
    (),
    _DEFAULT,
    (
        i64("label_set_id", "content hash of all labels of the set, in order", need=True),
        i32("position", "place of the label in its set, from 0", need=True),
        text("key", "the label's key", need=True),
        text("str", "its text; null for a number"),
        i64("num", "its number, 0 too; null for a text"),
        text("unit", "unit of the number; null for none"),
    ),
    "A key may come several times in a set.",
)

_LOCATIONS = Table(
    "locations",
    "location: an address, and the lines that it stands for",
    ("profile",),
    _DEFAULT,
    (
        _PROFILE,
        i64("location_id", "the file's id of it; 64 unsigned bits, kept as signed", need=True),
        i64("mapping_id", "mapping of the address; joins `mappings`; null for none"),
        u64("address", "address of the instruction; 0 for unknown"),
        flag("is_folded", "the linker folded several functions into this address"),
        listing("lines", LINE, "innermost first; empty where there are no symbols"),
        i64("frame_id", "frame of the bare address, where there are no lines; joins `frames`"),
    ),
)

_FUNCTIONS = Table(
    "functions",
    "function",
    ("profile",),
    _DEFAULT,
    (
        _PROFILE,
        i64("function_id", "the file's id of it; 64 unsigned bits, kept as signed", need=True),
        text("name", "name for people"),
        text("system_name", "name as the linker has it"),
        text("file", "source file"),
        i64("start_line", "line that it begins in; 0 for unknown", need=True),
    ),
)

_MAPPINGS = Table(
    "mappings",
    "mapping: a file in the memory of the program",
    ("profile",),
    _DEFAULT,
    (
        _PROFILE,
        i64("mapping_id", "the file's id of it; 64 unsigned bits, kept as signed", need=True),
        u64("memory_start", "first address"),
        u64("memory_limit", "address behind the last"),
        u64("file_offset", "where in the file the first address is"),
        text("file", "the file, or a name in brackets"),
        text("build_id", "what tells this build from all others"),
        flag("has_functions", "the producer looked functions up"),
        flag("has_filenames", "the producer looked files up"),
        flag("has_line_numbers", "the producer looked lines up"),
        flag("has_inline_frames", "the producer looked inlined calls up"),
    ),
    "Go sets `has_functions` alone, though it gives files and lines too.",
)

OWN_TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        _PROFILES,
        _SAMPLES,
        _SAMPLE_VALUES,
        _LABEL_SETS,
        _LOCATIONS,
        _FUNCTIONS,
        _MAPPINGS,
    )
}
"""The tables that only profiles have; `stacks`, `frames` and `notes` are those of a trace."""
