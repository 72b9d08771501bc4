"""Profiles as profile.proto: what `go tool pprof` and everything else that knows pprof reads."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.arrays import Ints
from gotrace.sinks.aside import Target, opened
from gotrace.sinks.protobuf_rows import (
    Rows,
    encoded,
    field,
    grouped,
    joined,
    message,
    packed,
    taken,
    text_field,
)

Compression = Literal["gzip", "zstd"]

ENDINGS: Final[Mapping[str, Compression | None]] = {
    ".pb.gz": "gzip",
    ".pprof": "gzip",
    ".pgo": "gzip",
    ".prof": "gzip",
    ".pb.zst": "zstd",
    ".pb": None,
}
"""Endings of names of profiles, and what such a file is packed with."""

_SAMPLES_AT_ONCE: Final = 1 << 16

_TEXTS: Final = {
    "label_sets": ("key", "str", "unit"),
    "mappings": ("file", "build_id"),
    "functions": ("name", "system_name", "file"),
}
"""Columns of text, in the order in which their strings are numbered."""


def write_profile(
    tables: Mapping[str, pa.Table],
    target: Target,
    *,
    compression: Compression | None = "gzip",
    overwrite: bool = False,
) -> int:
    """Write the tables of a profile as profile.proto, and return the number of samples.

    `tables` has `profiles`, `samples`, `label_sets`, `locations`, `functions` and `mappings`, with
    the columns that `gotrace.schema` lists less those that follow from others (`stack_id`,
    `frame_id`, counts). Nothing is lost: read again they are equal. Several profiles are written
    one behind the other, which gotrace reads but Go does not. Raises `FileExistsError`, `OSError`;
    ValueError for a sample that lacks values.
    """
    samples = 0
    with (
        opened(target, "writing a profile", overwrite=overwrite) as file,
        _compressed(file, compression) as out,
    ):
        for number in tables["profiles"].column("profile").to_pylist():
            one = {name: _of_profile(table, number) for name, table in tables.items()}
            for piece in encode_profile(one):
                out.write(piece)
            samples += one["samples"].num_rows
    return samples


def ending_of(path: str | os.PathLike[str]) -> str | None:
    """Return the ending of a profile's name, None for a name that is none of a profile."""
    name = os.fspath(path).lower()
    return next((ending for ending in ENDINGS if name.endswith(ending)), None)


def encode_profile(tables: Mapping[str, pa.Table]) -> Iterator[bytes]:
    """Encode one profile, piece by piece; a piece holds some tens of thousands of samples."""
    facts = tables["profiles"].slice(0, 1)
    tables = {**tables, "label_sets": _used_labels(tables["label_sets"], tables["samples"])}
    strings = _Strings(tables, facts)
    types = [facts.column("sample_types").combine_chunks().flatten().field(i) for i in (0, 1)]
    kinds = [field(1, strings.of(types[0])), field(2, strings.of(types[1]))]
    yield encoded(message(1, joined(*kinds)))
    yield from _samples(tables, strings, len(types[0]))
    yield encoded(message(3, _mappings(tables["mappings"], strings)))
    yield encoded(message(4, _locations(tables["locations"])))
    yield encoded(message(5, _functions(tables["functions"], strings)))
    for text in strings.texts:
        yield text_field(6, text)
    yield _facts(facts, strings)


class _Strings:
    """The string table: every text of a profile has a number, "" the first."""

    def __init__(self, tables: Mapping[str, pa.Table], facts: pa.Table) -> None:
        columns = [tables[name].column(text) for name, texts in _TEXTS.items() for text in texts]
        types = facts.column("sample_types").combine_chunks().flatten()
        scalars = ("period_type", "period_unit", "drop_frames", "keep_frames", "doc_url")
        columns = [
            pa.array([""]),
            *types.flatten(),
            *columns,
            *(facts.column(name) for name in (*scalars, "default_sample_type")),
            facts.column("comments").combine_chunks().flatten(),
        ]
        whole = pa.concat_arrays([_plain(column).cast(pa.large_utf8()) for column in columns])
        self._known = pc.fill_null(whole, "").dictionary_encode().dictionary
        self.texts = [text.as_buffer().to_pybytes() for text in self._known]

    def of(self, column: Any) -> Ints:
        """Give the number of each text, 0 for null."""
        texts = _plain(column).cast(pa.large_utf8())
        found = pc.index_in(texts, value_set=self._known)
        return np.asarray(pc.fill_null(found, 0)).astype(np.int64)


def _samples(tables: Mapping[str, pa.Table], strings: _Strings, types: int) -> Iterator[bytes]:
    labels, of_set = _labels(tables["label_sets"], strings)
    samples = tables["samples"]
    for start in range(0, samples.num_rows, _SAMPLES_AT_ONCE):
        part = samples.slice(start, _SAMPLES_AT_ONCE)
        values, offsets = _list(part.column("values"))
        if (np.diff(offsets) != types).any():
            raise ValueError(f"a sample does not have {types} values")
        refs, ref_offsets = _list(part.column("location_ids"))
        yield encoded(
            message(
                2,
                joined(
                    packed(1, ref_offsets, refs),
                    packed(2, offsets, values),
                    taken(labels, of_set(part.column("label_set_id"))),
                ),
            )
        )


def _used_labels(table: pa.Table, samples: pa.Table) -> pa.Table:
    """Give the labels of the samples, set by set in the order of their first use."""
    used = samples.column("label_set_id").combine_chunks().drop_null().unique()
    lost = used.filter(pc.invert(pc.is_in(used, value_set=_plain(table.column("label_set_id")))))
    if len(lost):
        raise ValueError(f"label set {lost[0]} is in no row of label_sets")
    rank = pc.index_in(table.column("label_set_id"), value_set=used)
    table = table.append_column("rank", rank).filter(pc.is_valid(rank))
    return table.sort_by([("rank", "ascending"), ("position", "ascending")])


def _labels(table: pa.Table, strings: _Strings) -> tuple[Rows, Any]:
    """Give the labels of each set, of no set at last; and what finds the sets of samples."""
    rows = message(
        3,
        joined(
            field(1, strings.of(table.column("key"))),
            field(2, strings.of(table.column("str"))),
            field(3, _ints(table.column("num"))),
            field(4, strings.of(table.column("unit"))),
        ),
    )
    owners = table.column("label_set_id").combine_chunks()
    ids = owners.unique()
    sizes = np.bincount(np.asarray(pc.index_in(owners, value_set=ids)), minlength=len(ids))
    offsets = np.concatenate([[0], np.cumsum(sizes), [table.num_rows]]).astype(np.int64)

    def of_set(column: Any) -> Ints:
        place = pc.index_in(_plain(column), value_set=ids)
        return np.asarray(pc.fill_null(place, len(ids))).astype(np.int64)

    return grouped(rows, offsets), of_set


def _mappings(table: pa.Table, strings: _Strings) -> Rows:
    flags = ("has_functions", "has_filenames", "has_line_numbers", "has_inline_frames")
    return joined(
        field(1, _ints(table.column("mapping_id"))),
        field(2, _ints(table.column("memory_start"))),
        field(3, _ints(table.column("memory_limit"))),
        field(4, _ints(table.column("file_offset"))),
        field(5, strings.of(table.column("file"))),
        field(6, strings.of(table.column("build_id"))),
        *(field(7 + place, _ints(table.column(name))) for place, name in enumerate(flags)),
    )


def _locations(table: pa.Table) -> Rows:
    lines, offsets = _structs(table.column("lines"))
    each = message(
        4,
        joined(
            field(1, _ints(lines["function_id"])),
            field(2, _ints(lines["line"])),
            field(3, _ints(lines["column"])),
        ),
    )
    return joined(
        field(1, _ints(table.column("location_id"))),
        field(2, _ints(table.column("mapping_id"))),
        field(3, _ints(table.column("address"))),
        grouped(each, offsets),
        field(5, _ints(table.column("is_folded"))),
    )


def _functions(table: pa.Table, strings: _Strings) -> Rows:
    return joined(
        field(1, _ints(table.column("function_id"))),
        field(2, strings.of(table.column("name"))),
        field(3, strings.of(table.column("system_name"))),
        field(4, strings.of(table.column("file"))),
        field(5, _ints(table.column("start_line"))),
    )


def _facts(facts: pa.Table, strings: _Strings) -> bytes:
    """Write what there is once: each a column of one row."""
    comments = strings.of(facts.column("comments").combine_chunks().flatten())
    period = joined(
        field(1, strings.of(facts.column("period_type"))),
        field(2, strings.of(facts.column("period_unit"))),
    )
    has_period = bool(len(period.numbers))
    return encoded(
        joined(
            field(7, strings.of(facts.column("drop_frames"))),
            field(8, strings.of(facts.column("keep_frames"))),
            field(9, _ints(facts.column("time"))),
            field(10, _ints(facts.column("duration_ns"))),
            *([message(11, period)] if has_period else []),
            field(12, _ints(facts.column("period"))),
            packed(13, np.array([0, len(comments)], np.int64), comments),
            field(14, strings.of(facts.column("default_sample_type"))),
            field(15, strings.of(facts.column("doc_url"))),
        )
    )


class _Out(Protocol):
    def write(self, data: bytes, /) -> Any: ...


@contextlib.contextmanager
def _compressed(file: BinaryIO, compression: Compression | None) -> Iterator[_Out]:
    """Give what compresses into a file. No time and no name goes in: same bytes each run."""
    if compression is None:
        yield file
        return
    if compression == "zstd":
        import zstandard

        with zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) as out:
            yield out
        return
    from isal import igzip

    pack: Any = igzip.IGzipFile
    with pack(filename="", fileobj=file, mode="wb", compresslevel=2, mtime=0) as out:
        yield out


def _of_profile(table: pa.Table, number: int) -> pa.Table:
    if "profile" not in table.schema.names:
        return table
    return table.filter(pc.equal(table.column("profile"), number))


def _plain(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _ints(column: Any) -> Ints:
    """Give whole numbers, flags and instants as int64, 0 for null; uint64 keeps its bits."""
    column = _plain(column)
    if pa.types.is_uint64(column.type):
        return np.asarray(pc.fill_null(column, 0)).view(np.int64)
    return np.asarray(pc.fill_null(column.cast(pa.int64()), 0)).astype(np.int64, copy=False)


def _list(column: Any) -> tuple[Ints, Ints]:
    """Take a list column of numbers apart: what the lists hold, and offsets from 0."""
    held, offsets = _held(column)
    return _ints(held), offsets


def _structs(column: Any) -> tuple[dict[str, Any], Ints]:
    held, offsets = _held(column)
    names = [held.type.field(place).name for place in range(held.type.num_fields)]
    return dict(zip(names, held.flatten(), strict=True)), offsets


def _held(column: Any) -> tuple[Any, Ints]:
    column = _plain(column)
    sizes = np.asarray(pc.fill_null(pc.list_value_length(column), 0)).astype(np.int64)
    return pc.list_flatten(column), np.append(np.int64(0), np.cumsum(sizes, dtype=np.int64))
