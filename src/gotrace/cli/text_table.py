"""Rows as a table of text, at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from gotrace.cli.terminal import WIDTH, clean, fit

if TYPE_CHECKING:
    import pyarrow as pa

_LOOK_AHEAD: Final = 1000
"""Rows that decide how wide the columns are; later ones are cut to that."""

_NARROWEST: Final = 8
_GAP: Final = "  "


def table_lines(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, width: int = WIDTH
) -> Iterator[str]:
    """Yield a header, a rule and a line per row; nothing when there is no row.

    Columns that do not fit are cut, then left out from the right, and a last line says so.
    """
    import pyarrow as pa

    rows = _rows(batches)
    head = [row for row, _ in zip(rows, range(_LOOK_AHEAD), strict=False)]
    if not head:
        return
    names = [clean(name) for name in schema.names]
    widths = _widths(names, head, width)
    numeric = [
        pa.types.is_integer(f.type) or pa.types.is_floating(f.type) or pa.types.is_decimal(f.type)
        for f in schema
    ]
    shown = len(widths)
    yield _line(names[:shown], widths, numeric)
    yield _GAP.join("-" * each for each in widths)
    for row in chain(head, rows):
        yield _line(row[:shown], widths, numeric)
    if shown < len(names):
        hidden = ", ".join(names[shown:])
        yield fit(
            f"({len(names) - shown} columns do not fit: {hidden}; --format csv has all)", width
        )


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[list[str]]:
    for batch in batches:
        columns = [_texts(column) for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield list(row)


def _texts(column: pa.Array) -> list[str]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.utf8())
    return [_text(value) for value in column.to_pylist()]


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bytes):
        return value.hex(" ")
    return clean(str(value))


def _widths(names: list[str], rows: list[list[str]], width: int) -> list[int]:
    """Give every column what it needs; if that is too much, cut the widest, then drop the last."""
    needs = [max(len(name), *(_cells(row[i]) for row in rows)) for i, name in enumerate(names)]
    widths = list(needs)
    while _total(widths) > width:
        widest = max(range(len(widths)), key=lambda i: widths[i])
        if widths[widest] > max(_NARROWEST, 24):
            widths[widest] = max(_NARROWEST, widths[widest] - max(1, _total(widths) - width))
            widths[widest] = max(widths[widest], 24)
        elif len(widths) > 1:
            widths.pop()
        else:
            return [width]
    return widths


def _total(widths: list[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _cells(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _line(cells: list[str], widths: list[int], numeric: list[bool]) -> str:
    padded = []
    for text, width, right in zip(cells, widths, numeric, strict=False):
        cut = fit(text, width)
        space = " " * (width - _cells(cut))
        padded.append(space + cut if right else cut + space)
    return _GAP.join(padded).rstrip()
