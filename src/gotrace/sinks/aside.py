"""Output that is whole or not there: written aside, moved into place when it is done.

A kill leaves at most a hidden `.NAME.….partial` beside the target (or inside it, when the target
cannot be renamed over); any failure that Python sees, Ctrl-C too, removes it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final, Union

MANIFEST: Final = "_gotrace.json"
"""Last file of a finished directory; a directory without it is not whole."""

Target = Union[str, "os.PathLike[str]", BinaryIO]
"""Where one table goes: a path, or a binary file that the caller opened and closes."""

_PARTIAL: Final = ".partial"


@contextlib.contextmanager
def directory_aside(target: str | os.PathLike[str], *, overwrite: bool) -> Iterator[Path]:
    """Give an empty hidden directory that becomes `target` when the block ends well.

    The target must not exist, or be empty, or (with `overwrite`) hold nothing but what an earlier
    run wrote, as its `_gotrace.json` lists it. Folders above it are made. Raises `FileExistsError`
    before anything is written, and again when somebody fills the target meanwhile.
    """
    final = Path(os.path.realpath(target))
    _refuse(final, overwrite)
    final.parent.mkdir(parents=True, exist_ok=True)
    # A mount point, or a folder in a parent that is not ours, cannot be replaced: fill it instead.
    inside = final.is_dir() and (os.path.ismount(final) or not os.access(final.parent, os.W_OK))
    name = f".{final.name}.{secrets.token_hex(6)}{_PARTIAL}"
    aside = (final if inside else final.parent) / name
    aside.mkdir()
    try:
        yield aside
        _refuse(final, overwrite)
        if inside:
            _move_up(aside, final)
        else:
            _replace(aside, final)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def write_manifest(directory: Path, facts: Mapping[str, object]) -> None:
    """Write the last file of a directory: who made it, and what is in it.

    `facts` has `tables`: of each its rows and `files`, and of these the name, rows and bytes.
    """
    from gotrace import SCHEMA_VERSION, __version__

    manifest = {"gotrace": __version__, "schema_version": SCHEMA_VERSION, **facts}
    (directory / MANIFEST).write_text(to_json(manifest, indent=1) + "\n", encoding="utf-8")


def to_json(value: object, indent: int | None = None) -> str:
    """Write facts about a source as JSON; paths and bytes as text."""
    return json.dumps(value, indent=indent, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (os.PathLike, bytes)):
        return os.fsdecode(value)
    raise TypeError(f"{type(value).__name__} has no place in a manifest")


@contextlib.contextmanager
def file_aside(target: str | os.PathLike[str], *, overwrite: bool) -> Iterator[Path]:
    """Give a hidden path that becomes the file `target` when the block ends well.

    A device or a pipe (`/dev/stdout`) is given as it is. Raises `FileExistsError` for an existing
    file without `overwrite`, `IsADirectoryError` for a directory.
    """
    final = Path(os.path.realpath(target))
    if final.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a directory, not a file", os.fspath(target))
    if final.exists() and not final.is_file():
        yield final
        return
    if final.exists() and not overwrite:
        raise _exists(final, "is there already")
    final.parent.mkdir(parents=True, exist_ok=True)
    aside = final.with_name(f".{final.name}.{secrets.token_hex(6)}{_PARTIAL}")
    try:
        yield aside
        if final.exists() and not overwrite:
            raise _exists(final, "was written by somebody else meanwhile")
        os.replace(aside, final)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


@contextlib.contextmanager
def opened(target: Target, doing: str, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Give a binary file to write: a new one aside by path, or one that the caller has open.

    A file of the caller is flushed, never closed, and keeps what was written before a failure.
    """
    if not isinstance(target, (str, os.PathLike)):
        if isinstance(target, io.TextIOBase):
            raise TypeError("the output is bytes: open the file in binary mode ('wb')")
        yield target
        target.flush()
        return
    with (
        explained(doing, target),
        file_aside(target, overwrite=overwrite) as aside,
        open(aside, "wb", buffering=1 << 20) as file,
    ):
        yield file


@contextlib.contextmanager
def explained(doing: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Say what was being written, and where, in an `OSError` that comes without a file name.

    Keeps errno and so the class of the error: disk full, no permission, quota, file too large.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        text = f"{os.strerror(error.errno)} while {doing}; nothing was kept of it"
        raise OSError(error.errno, text, os.fspath(path)) from error


def _exists(path: Path, why: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, f"{why}; choose another name or overwrite", str(path))


def _refuse(final: Path, overwrite: bool) -> None:
    if not final.exists():
        return
    if not final.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is a file, not a directory", str(final))
    there = sorted(entry for entry in os.listdir(final) if not entry.endswith(_PARTIAL))
    if not there:
        return
    if not overwrite:
        raise _exists(final, "is a directory with something in it")
    strangers = set(there) - _written(final)
    if strangers:
        what = f"holds {sorted(strangers)[0]!r}, which gotrace did not write there"
        raise FileExistsError(errno.EEXIST, f"{what}; choose another name", str(final))


def _written(final: Path) -> set[str]:
    """Return the names that the manifest in a directory accounts for; empty for no manifest."""
    try:
        manifest = json.loads((final / MANIFEST).read_bytes())
        tables = manifest["tables"].values()
        return {MANIFEST, *(file["name"] for table in tables for file in table["files"])}
    except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError):
        return set()


def _replace(aside: Path, final: Path) -> None:
    """Rename over a missing, an empty or an old directory; the old one comes back on failure."""
    old = None
    if final.is_dir():
        if os.listdir(final):
            old = aside.with_suffix(".old" + _PARTIAL)
            os.rename(final, old)
        else:
            final.rmdir()  # renaming over it is not portable
    try:
        os.rename(aside, final)
    except BaseException:
        if old is not None and not final.exists():
            os.rename(old, final)
        raise
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _move_up(aside: Path, final: Path) -> None:
    """Move the files into the directory around them: old manifest away first, new one last."""
    old = _written(final)
    (final / MANIFEST).unlink(missing_ok=True)
    for name in old - {MANIFEST}:
        (final / name).unlink(missing_ok=True)
    moved: list[Path] = []
    try:
        for name in sorted(os.listdir(aside), key=lambda name: (name == MANIFEST, name)):
            moved.append(final / name)
            os.rename(aside / name, final / name)
        aside.rmdir()
    except BaseException:
        for path in reversed(moved):
            path.unlink(missing_ok=True)
        raise
