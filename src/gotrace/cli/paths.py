"""Many inputs by few words: folders and patterns, for shells that do not expand them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable

from gotrace.cli.terminal import Failure, clean


def expanded(words: Iterable[str]) -> list[str]:
    """Give the files that words mean: a folder is all files in it, `*` and `**` are patterns.

    What exists, a URL and `-` stay as they are; hidden files are left out. Raises `Failure` for a
    pattern or a folder without a file.
    """
    files: list[str] = []
    for word in words:
        if os.path.exists(word) or not glob.has_magic(word) or "://" in word:
            found = _files_of(word)
        else:
            matching = sorted(glob.iglob(word, recursive=True))
            found = list(dict.fromkeys(file for path in matching for file in _files_of(path)))
        if not found:
            raise Failure(f"{clean(word)}: no file is there")
        files += found
    return files


def folder_of(file: str) -> str:
    """Give the folder of a file, or of a URL."""
    return os.path.dirname(file) or "."


def _files_of(path: str) -> list[str]:
    return sorted(_below(path)) if os.path.isdir(path) else [path]


def _below(folder: str) -> Iterable[str]:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            os.path.join(here, name) for name in names if not name.startswith((".", "_gotrace"))
        )
