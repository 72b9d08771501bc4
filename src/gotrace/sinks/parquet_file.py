"""One Parquet file, encoded by our core: what pyarrow writes, in half of its time.

pyarrow writes the file without rows, and so says what the schema is in Parquet's words; the pages,
the indexes of them and the footer are ours. Tables with types that traces do not have go through
pyarrow (`leaves_of` gives None).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from isal.isal_zlib import crc32

from gotrace import __version__
from gotrace._core import ParquetEncoder, ParquetRows
from gotrace.sinks.thrift import I16, I32, I64, Raw, Struct, Value, encode, fields

_MAGIC: Final = b"PAR1"
_PLAIN, _RLE, _DELTA, _DICTIONARY = 0, 3, 5, 8
_DATA_PAGE, _DICTIONARY_PAGE = 0, 2
_PHYSICAL: Final = {"BOOLEAN": 0, "INT32": 1, "INT64": 2, "BYTE_ARRAY": 6}
_CODECS: Final = {
    "none": (0, ""),
    "snappy": (1, "snappy"),
    "gzip": (2, "gzip"),
    "brotli": (4, "brotli"),
    "zstd": (6, "zstd"),
    "lz4": (7, "lz4_raw"),
}
"""Parquet's number of a compression, and pyarrow's name of the codec."""

PAGE_LEVELS = 1 << 16
"""Values of a page, nulls and empty lists too: what readers skip by the page indexes."""

_UNORDERED, _ASCENDING, _DESCENDING = 0, 1, 2

_KINDS: Final = {
    pa.int64(): "int64",
    pa.uint64(): "uint64",
    pa.int32(): "int32",
    pa.bool_(): "bool",
    pa.utf8(): "text",
    pa.binary(): "text",
    pa.dictionary(pa.int8(), pa.utf8()): "words_8",
    pa.dictionary(pa.int16(), pa.utf8()): "words_16",
    pa.timestamp("ns", tz="UTC"): "int64",
}
"""What the core calls the types that it encodes."""


@dataclass(frozen=True)
class Leaf:
    """A column as Parquet has it: values, and nothing within them.

    Attributes:
        path: its names, outermost first, as in Parquet's schema.
        kind: what the core calls its type.
        encoding: the one wanted, by Parquet's number.
        where: how the core finds it in a batch.
    """

    path: tuple[str, ...]
    kind: str
    encoding: int
    where: Mapping[str, Any]


def leaves_of(schema: pa.Schema, options: Mapping[str, Any]) -> list[Leaf] | None:
    """Give the leaves of a schema; None where it has types that the core does not encode.

    `options` are those of `gotrace.sinks.encodings`.
    """
    leaves = []
    dictionaries = set(options["use_dictionary"])
    delta = set(options["column_encoding"])
    for column, field in enumerate(schema):
        for path, kind, where in _inside(field):
            if kind not in _KINDS:
                return None
            encoding = _DICTIONARY if ".".join(path) in dictionaries else _PLAIN
            encoding = _DELTA if ".".join(path) in delta else encoding
            where = {"column": column, **where}
            leaves.append(Leaf(path, _KINDS[kind], encoding, where))
    return leaves


def _inside(field: pa.Field) -> Iterator[tuple[tuple[str, ...], pa.DataType, dict[str, Any]]]:
    """Give path, type and place of each leaf of a column; a type that is none for other nesting."""
    if not pa.types.is_list(field.type):
        yield (field.name,), field.type, {"nullable": field.nullable}
        return
    item = field.type.value_field
    path = (field.name, "list", "element")
    lists = {"in_list": True, "list_nullable": field.nullable}
    if not pa.types.is_struct(item.type):
        yield path, item.type, {"nullable": item.nullable, **lists}
        return
    for number in range(item.type.num_fields):
        part = item.type.field(number)
        kind = pa.null() if item.nullable else part.type
        yield (*path, part.name), kind, {"field": number, "nullable": part.nullable, **lists}


@dataclass(frozen=True)
class _Page:
    """A page that was written: where, and what the indexes say of it."""

    offset: int
    size: int
    first_row: int
    values: int
    nulls: int
    least: bytes | None
    greatest: bytes | None


@dataclass(frozen=True)
class _Chunk:
    """A leaf of a row group that was written."""

    leaf: Leaf
    metadata: Struct
    raw: int
    pages: Sequence[_Page]


class ParquetFile:
    """A file that grows by row groups; `close` makes it whole.

    Attributes:
        is_open: whether it lacks its end.
    """

    def __init__(
        self,
        sink: pa.NativeFile,
        schema: pa.Schema,
        leaves: Sequence[Leaf],
        options: Mapping[str, Any],
    ) -> None:
        self.is_open = True
        self._sink = sink
        self._leaves = leaves
        self._empty, self._physical = _without_rows(schema, options)
        self._compression, codec = _CODECS[str(options["compression"] or "none").lower()]
        self._codec = pa.Codec(codec, options["compression_level"]) if codec else None
        self._sorting: list[Value] = [
            Struct(((1, I32(by.column_index)), (2, by.descending), (3, by.nulls_first)))
            for by in options["sorting_columns"] or ()
        ]
        self._encoder = ParquetEncoder()
        self._groups: list[Value] = []
        self._rows = 0
        self._sink.write(_MAGIC)

    def write_row_group(self, batches: Sequence[pa.RecordBatch], rows: int) -> None:
        """Encode batches, of `rows` rows together, at least one, and write them."""
        held = ParquetRows(len(batches))
        for batch, address in zip(batches, held.addresses, strict=True):
            batch._export_to_c(address)  # the capsules would bring the schema along
        start = self._sink.tell()
        chunks = [
            self._write_chunk(held, leaf, kind)
            for leaf, kind in zip(self._leaves, self._physical, strict=True)
        ]
        size = self._sink.tell() - start
        group = Struct(
            (
                (1, [self._write_indexes(chunk) for chunk in chunks]),
                (2, I64(sum(chunk.raw for chunk in chunks))),
                (3, I64(rows)),
                (4, self._sorting or None),
                (5, I64(start)),
                (6, I64(size)),
                (7, I16(len(self._groups))),
            )
        )
        self._groups.append(Raw.of(group))
        self._rows += rows

    def close(self) -> None:
        """Write the end."""
        footer = encode(
            Struct(
                (
                    (1, self._empty[1]),
                    (2, self._empty[2]),
                    (3, I64(self._rows)),
                    (4, self._groups),
                    (5, self._empty.get(5)),
                    (6, f"gotrace version {__version__}".encode()),
                    (7, self._empty.get(7)),
                )
            )
        )
        self._sink.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)
        self.is_open = False

    def _write_chunk(self, held: ParquetRows, leaf: Leaf, physical: int) -> _Chunk:
        encoding, dictionary, pages = self._encoder.encode(
            held, leaf.kind, encoding=leaf.encoding, page_levels=PAGE_LEVELS, **leaf.where
        )
        start = self._sink.tell()
        raw = 0
        if dictionary is not None:
            data, entries = dictionary
            head = (7, Struct(((1, I32(entries)), (2, I32(_PLAIN)))))
            raw += self._write_page(_DICTIONARY_PAGE, data, head)
        written: list[_Page] = []
        row = 0
        for data, levels, rows, nulls, least, greatest in pages:
            offset = self._sink.tell()
            numbers = (I32(levels), I32(encoding), I32(_RLE), I32(_RLE))
            head = (5, Struct(enumerate(numbers, 1)))
            raw += self._write_page(_DATA_PAGE, data, head)
            size = self._sink.tell() - offset
            written.append(_Page(offset, size, row, levels, nulls, least, greatest))
            row += rows
        encodings = {_PLAIN, _RLE, encoding} if dictionary else {_RLE, encoding}
        metadata = Struct(
            (
                (1, I32(physical)),
                (2, [I32(number) for number in sorted(encodings)]),
                (3, [name.encode() for name in leaf.path]),
                (4, I32(self._compression)),
                (5, I64(sum(page.values for page in written))),
                (6, I64(raw)),
                (7, I64(self._sink.tell() - start)),
                (9, I64(written[0].offset)),
                (11, I64(start) if dictionary else None),
                (12, _statistics(leaf, written)),
            )
        )
        return _Chunk(leaf, metadata, raw, written)

    def _write_page(self, kind: int, data: bytes, head: tuple[int, Struct]) -> int:
        """Write a page behind its header; return what both would be uncompressed."""
        body = data if self._codec is None else self._codec.compress(data, asbytes=True)
        check = crc32(body)
        header = encode(
            Struct(
                (
                    (1, I32(kind)),
                    (2, I32(len(data))),
                    (3, I32(len(body))),
                    (4, I32(check - (check >> 31 << 32))),
                    head,
                )
            )
        )
        self._sink.write(header)
        self._sink.write(body)
        return len(header) + len(data)

    def _write_indexes(self, chunk: _Chunk) -> Struct:
        """Write where its pages are and what they hold; give the footer's part of the chunk."""
        locations: list[Value] = [
            Struct(((1, I64(page.offset)), (2, I32(page.size)), (3, I64(page.first_row))))
            for page in chunk.pages
        ]
        offsets_at = self._sink.tell()
        offsets = encode(Struct(((1, locations),)))
        bounds = _column_index(chunk)
        self._sink.write(offsets + bounds)
        return Struct(
            (
                (2, I64(0)),
                (3, chunk.metadata),
                (4, I64(offsets_at)),
                (5, I32(len(offsets))),
                (6, I64(offsets_at + len(offsets)) if bounds else None),
                (7, I32(len(bounds)) if bounds else None),
            )
        )


def _without_rows(
    schema: pa.Schema, options: Mapping[str, Any]
) -> tuple[dict[int, Raw], list[int]]:
    """Let pyarrow write it without rows: the fields of its footer, the types of its leaves."""
    sink = pa.BufferOutputStream()
    pq.ParquetWriter(sink, schema, **options).close()
    data = sink.getvalue().to_pybytes()
    described = pq.read_metadata(pa.BufferReader(data)).schema
    physical = [_PHYSICAL[described.column(i).physical_type] for i in range(len(described))]
    size = int.from_bytes(data[-8:-4], "little")
    return fields(data[-8 - size : -8]), physical


def _as_number(kind: str, bound: bytes) -> int | bytes:
    """Give what orders a bound among others."""
    if kind.startswith(("text", "words")):
        return bound
    return int.from_bytes(bound, "little", signed=kind.startswith("int"))


def _has_bounds(pages: Sequence[_Page]) -> bool:
    """Whether the least and the greatest are known wherever there are values."""
    return all(
        page.nulls == page.values or (page.least is not None and page.greatest is not None)
        for page in pages
    )


def _statistics(leaf: Leaf, pages: Sequence[_Page]) -> Struct:
    nulls = (3, I64(sum(page.nulls for page in pages)))
    least = [page.least for page in pages if page.least is not None]
    greatest = [page.greatest for page in pages if page.greatest is not None]
    if not (least and greatest and _has_bounds(pages)):
        return Struct((nulls,))
    key = partial(_as_number, leaf.kind)
    exact = ((7, True), (8, True))
    return Struct((nulls, (5, max(greatest, key=key)), (6, min(least, key=key)), *exact))


def _column_index(chunk: _Chunk) -> bytes:
    """Encode the bounds of every page; nothing where one is not known."""
    if not _has_bounds(chunk.pages):
        return b""
    key = partial(_as_number, chunk.leaf.kind)
    known = [
        (key(page.least), key(page.greatest))
        for page in chunk.pages
        if page.least is not None and page.greatest is not None
    ]
    index = Struct(
        (
            (1, [page.least is None for page in chunk.pages]),
            (2, [page.least or b"" for page in chunk.pages]),
            (3, [page.greatest or b"" for page in chunk.pages]),
            (4, I32(_order_of(known))),
            (5, [I64(page.nulls) for page in chunk.pages]),
        )
    )
    return encode(index)


def _order_of(bounds: Sequence[tuple[Any, Any]]) -> int:
    """Whether the bounds of pages rise, fall, or neither."""
    pairs = list(pairwise(bounds))
    if all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairs):
        return _ASCENDING
    if all(a[0] >= b[0] and a[1] >= b[1] for a, b in pairs):
        return _DESCENDING
    return _UNORDERED
