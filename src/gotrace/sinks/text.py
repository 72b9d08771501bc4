"""Aligned text for people: fits a width, needs no colour, shows nothing that moves a cursor."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TextIO

import pyarrow as pa

SAMPLE_ROWS: Final = 1000
"""Rows that are held to choose columns and widths; later rows keep to them."""

_GAP: Final = "  "
_LEAST: Final = 12
"""Width that a text column is not shrunk below while there are columns to leave out."""

_INSTANTS: Final = frozenset({"time_ns", "start_ns", "end_ns", "snapshot_ns"})
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BRIEF: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

Cell = Callable[[Any], str]


def safe(text: str) -> str:
    r"""Write control, ANSI, bidi, invisible and unassigned characters as `\n`, `\x1b`, `\u202e`.

    For names that come from strangers. All else stays as it is, the backslash too.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_safe_character, text))


def cells(text: str) -> int:
    """Count the terminal cells of safe text: 2 for wide characters, 0 for combining ones."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def clip(text: str, width: int) -> str:
    """Cut safe text to a number of cells; `…` stands for what is missing at the end."""
    if cells(text) <= width:
        return text
    kept, room = [], width - 1
    for character in text:
        room -= _cells_of(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + "…" if width > 0 else ""


def write_text(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    file: TextIO,
    *,
    width: int = 100,
    origin_ns: int | None = None,
    header: bool = True,
) -> int:
    """Write one table as aligned text and return the number of rows.

    Columns without a value in the first `SAMPLE_ROWS` rows are left out; so are those for which
    there is no room (hashes first, then from the right), and a last line names them. Text that is
    too long ends in `…`; a number is never cut, even where its line gets too long. Null is `-`.
    Lines end without blanks.

    Args:
        batches: of that schema.
        schema: its columns in the order they are shown.
        file: a text file; it is not closed.
        width: cells of a line.
        origin_ns: start of the trace on its clock; instants are seconds from it (`+1.000234567s`).
            None: instants are shown as numbers.
        header: write the names of the columns first.

    Raises `OSError` (a closed pipe, say) from the file.
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, not {width}")
    formats = [_format_of(field, origin_ns) for field in schema]
    rows = (
        [show(value) for show, value in zip(formats, row, strict=True)]
        for batch in batches
        for start in range(0, batch.num_rows, SAMPLE_ROWS)
        for row in zip(*_values(batch.slice(start, SAMPLE_ROWS)), strict=True)
    )
    sample = list(itertools.islice(rows, SAMPLE_ROWS))
    layout = _Layout(schema, sample, width)
    if header:
        file.write(layout.line([safe(name) for name in schema.names]))
    count = 0
    for row in itertools.chain(sample, rows):
        file.write(layout.line(row))
        count += 1
    if layout.left_out:
        file.write(clip(f"not shown: {', '.join(layout.left_out)}", width) + "\n")
    return count


class _Layout:
    """Which columns are shown, how wide, and on which side their text stands."""

    def __init__(self, schema: pa.Schema, sample: Sequence[Sequence[str]], width: int) -> None:
        names = [safe(name) for name in schema.names]
        widest = [cells(name) for name in names]
        filled = [not sample] * len(names)
        for row in sample:
            for index, cell in enumerate(row):
                if cell != "-":
                    filled[index] = True
                    widest[index] = max(widest[index], cells(cell))
        shown = [index for index, fills in enumerate(filled) if fills]
        texts = {index for index in shown if _is_text(schema.field(index).type)}
        least = [min(widest[i], _LEAST) if i in texts else widest[i] for i in range(len(names))]
        leave = sorted(shown[1:], key=lambda i: (_is_hash(names[i]), i))
        while leave and _line_width(least, shown) > width:
            shown.remove(leave.pop())
        self.left_out = [names[i] for i, fills in enumerate(filled) if fills and i not in shown]
        self.columns = [
            (index, wide, index in texts)
            for index, wide in zip(shown, _fit(widest, least, shown, width), strict=True)
        ]

    def line(self, row: Sequence[str]) -> str:
        """Align one row."""
        parts = []
        for index, width, left in self.columns:
            text = clip(row[index], width) if left else row[index]
            blanks = " " * (width - cells(text))
            parts.append(text + blanks if left else blanks + text)
        return _GAP.join(parts).rstrip() + "\n"


def _line_width(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[index] for index in shown) + len(_GAP) * (len(shown) - 1)


def _fit(widest: list[int], least: Sequence[int], shown: Sequence[int], width: int) -> list[int]:
    """Shrink the widest text columns, a cell at a time, until the line fits."""
    widths = list(widest)
    while (over := _line_width(widths, shown) - width) > 0:
        able = [index for index in shown if widths[index] > least[index]]
        if not able:
            widths[shown[0]] = max(1, widths[shown[0]] - over)
            break
        widths[max(able, key=lambda index: widths[index])] -= 1
    return [widths[index] for index in shown]


def _is_hash(name: str) -> bool:
    return name.endswith(("stack_id", "frame_ids", "fingerprint"))


def _is_text(kind: pa.DataType) -> bool:
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return not number and not pa.types.is_boolean(kind)


def _values(batch: pa.RecordBatch) -> list[list[Any]]:
    """Columns as Python values; instants as integers, whose nanoseconds Python's own lack."""
    return [
        (column.cast(pa.utf8()) if pa.types.is_timestamp(column.type) else column).to_pylist()
        for column in batch.columns
    ]


def _format_of(field: pa.Field, origin_ns: int | None) -> Cell:
    name, kind = field.name, field.type
    if pa.types.is_boolean(kind):
        return _flag
    if pa.types.is_integer(kind):
        if name.endswith("_ns"):
            if name not in _INSTANTS and not name.endswith("_at_ns"):
                return _number if name == "mono_ns" else duration
            if origin_ns is not None:
                return lambda value: "-" if value is None else _seconds(value - origin_ns)
        return _number
    return _text


def duration(nanoseconds: int | None) -> str:
    """Give a duration in the largest unit that leaves digits before the point: `1.234ms`."""
    if nanoseconds is None:
        return "-"
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if abs(nanoseconds) >= size:
            return f"{nanoseconds / size:.3f}{unit}"
    return f"{nanoseconds}ns"


def _seconds(nanoseconds: int) -> str:
    sign = "-" if nanoseconds < 0 else "+"
    return f"{sign}{abs(nanoseconds) // 10**9}.{abs(nanoseconds) % 10**9:09d}s"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _flag(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "no"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, dict):
        return " ".join(map(_text, value.values()))
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    return safe(str(value))


def _safe_character(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    if character in _BRIEF:
        return _BRIEF[character]
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
