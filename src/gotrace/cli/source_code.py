"""The source of a program, found in folders by the names that profiles have for its files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from typing import Final

_MOST_BYTES: Final = 16 << 20
_TAB: Final = "    "


class SourceCode:
    """Finds files by the end of their path: what follows the longest part that is missing here.

    Without folders only a file that lies where the profile says is read.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._read = cache(_read)

    def lines(self, file: str, function: str, start: int, last: int) -> Sequence[str] | None:
        """Give the lines of a file; None when none is found that can be the one.

        The one has so many lines, and names the function in its first line, where that is known.
        """
        for path in self._candidates(file):
            lines = self._read(path)
            if lines is not None and last <= len(lines) and _fits(lines, function, start):
                return lines
        return None

    def _candidates(self, file: str) -> list[str]:
        if not self._folders:
            return [file] if os.path.isabs(file) else []
        parts = [part for part in re.split(r"[/\\]+", file) if part not in ("", ".", "..")]
        return [
            os.path.join(folder, *parts[begin:])
            for begin in range(len(parts))
            for folder in self._folders
        ]


def _fits(lines: Sequence[str], function: str, start: int) -> bool:
    if not 0 < start <= len(lines):
        return not start
    name = re.split(r"[.\[(]", re.sub(r"(\.func\d+|\.gowrap\d+|\.\d+|-fm|\[.*?\])+$", "", function))
    first = lines[start - 1]
    return "func" in first or name[-1] in first


def _read(path: str) -> tuple[str, ...] | None:
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _MOST_BYTES:
            return None
        with open(path, encoding="utf-8", errors="replace") as file:
            return tuple(line.rstrip("\r\n").replace("\t", _TAB) for line in file)
    except OSError:
        return None
