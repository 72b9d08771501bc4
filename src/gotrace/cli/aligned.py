"""Columns of short texts for people, that fit a width."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from gotrace.cli.terminal import WIDTH, clean, fit

_GAP: Final = "  "
_UNIT: Final = re.compile(r"(\d) (ns|µs|ms|s|min|h|%)\b")
_NONE: Final[Mapping[int, int]] = {}
_LEAST: Final = 10
"""Width that the last column is not cut below."""


def width_of_page() -> int:
    """Give the columns that text may take: of a terminal that is narrower than usual, its own."""
    if not sys.stdout.isatty():
        return WIDTH
    import shutil

    return max(40, min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns))


def aligned(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    left: Sequence[int] = (),
    indent: str = "  ",
    optional: Sequence[int] = (),
    most: Mapping[int, int] = _NONE,
    least: int = 3 * _LEAST,
    width: int | None = None,
) -> Iterator[str]:
    """Align rows under their head; numbers stand right, the last column and `left` stand left.

    Columns in `optional` are left out, the first of them first, until the last has room: `least`;
    columns without any text are always left out. Texts are cleaned here; where they do not fit,
    the widest of the last column and of `left` are cut, and those in `most` to their width.
    """
    from gotrace.sinks.text import cells, clip

    width = width or width_of_page()
    table = [list(map(clean, row)) for row in (head, *rows)]
    if len(table) == 1:
        return
    columns = list(range(len(head)))
    last = columns[-1]
    widths = [max(cells(row[at]) for row in table) for at in columns]
    widths = [min(wide, most.get(at, wide)) for at, wide in enumerate(widths)]
    shown = [at for at in columns if at == last or any(row[at] for row in table[1:])]

    def room() -> int:
        return width - len(indent) - sum(widths[at] + len(_GAP) for at in shown if at != last)

    for at in optional:
        if room() >= min(widths[last], least):
            break
        if at in shown:
            shown.remove(at)
    texts = [at for at in shown if at in left and at != last]
    shares = _shares(
        [*(widths[at] for at in texts), widths[last]], room() + sum(widths[at] for at in texts)
    )
    for at, share in zip([*texts, last], shares, strict=True):
        widths[at] = max(_LEAST, share) if at == last else share
    for row in table:
        parts = []
        for at in shown:
            text = clip(row[at], widths[at])
            blanks = " " * (widths[at] - cells(text))
            parts.append(text + blanks if at in left or at == last else blanks + text)
        yield fit((indent + _GAP.join(parts)).rstrip(), width)


def _shares(widths: Sequence[int], room: int) -> list[int]:
    """Divide room among columns: what is narrow keeps its width, the others get the same."""
    shares = list(widths)
    for place, at in enumerate(sorted(range(len(widths)), key=widths.__getitem__)):
        shares[at] = min(widths[at], max(_LEAST, room // (len(widths) - place)))
        room -= shares[at]
    return shares


def wrapped(text: str, indent: str = "  ", width: int | None = None) -> list[str]:
    """Break a text into lines of the page, but no number from its unit; clean."""
    import textwrap

    lines = textwrap.wrap(
        _UNIT.sub("\\1\u00a0\\2", clean(text)),
        width or width_of_page(),
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines]


def short_name(name: str | None) -> str:
    """Write a function, or a site, without the path of its package: pkg.(*Type).Method."""
    if not name:
        return "(unknown)"
    path, slash, rest = name.partition(" ")
    start = path.split("(", 1)[0].rfind("/") + 1
    return path[start:] + slash + rest


def line_first(site: str) -> str:
    """Write a site, or a function, with the line first: where it is cut, the line stays."""
    function, _, line = site.partition(" ")
    return f"{line} {function}".strip()
