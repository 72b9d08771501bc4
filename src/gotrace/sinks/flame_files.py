"""The table `flame` as files of other tools: folded text and speedscope's JSON."""

from __future__ import annotations

import json
from typing import Any, Final

import pyarrow as pa

from gotrace import __version__
from gotrace.sinks.aside import Target, opened

_UNITS: Final = {
    "ns": "nanoseconds",
    "nanoseconds": "nanoseconds",
    "us": "microseconds",
    "microseconds": "microseconds",
    "ms": "milliseconds",
    "milliseconds": "milliseconds",
    "s": "seconds",
    "seconds": "seconds",
    "bytes": "bytes",
    "b": "bytes",
}
"""Units that speedscope knows, by how profiles spell them; all others are none."""


def write_folded(flame: pa.Table, target: Target, *, overwrite: bool = False) -> int:
    r"""Write one line a stack, `root;caller;leaf value`, and return the number of lines.

    `;`, newlines, carriage returns and `%` in names are written as %3B, %0A, %0D, %25, so that a
    line can be taken apart again. Stacks of value 0 are left out; a stack without frames has the
    name (no frames). Raises `FileExistsError`, `OSError`.
    """
    return _write_folded(flame, ("self",), target, overwrite)


def write_folded_diff(diff: pa.Table, target: Target, *, overwrite: bool = False) -> int:
    r"""Write the table `flame_diff` as `root;caller;leaf base value` lines; return how many.

    This is what difffolded.pl gives and flamegraph.pl draws. Names are escaped as by
    `write_folded`. Raises `FileExistsError`, `OSError`.
    """
    return _write_folded(diff, ("base_self", "self"), target, overwrite)


def _write_folded(flame: pa.Table, values: tuple[str, ...], target: Target, overwrite: bool) -> int:
    parents, names = (flame.column(name).to_pylist() for name in ("parent", "name"))
    own = list(zip(*(flame.column(name).to_pylist() for name in values), strict=True))
    paths: list[str] = [""] * len(names)
    written = 0
    with opened(target, "writing folded text", overwrite=overwrite) as file:
        for node, name in enumerate(names):
            parent = parents[node]
            if parent is not None:
                above = paths[parent]
                escaped = _escaped(name or "")
                paths[node] = f"{above};{escaped}" if parent else escaped
            if any(own[node]):
                path = paths[node] if parent is not None else "(no frames)"
                file.write(f"{path} {' '.join(map(str, own[node]))}\n".encode())
                written += 1
    return written


def write_speedscope(
    flame: pa.Table, target: Target, *, name: str, unit: str = "", overwrite: bool = False
) -> int:
    """Write speedscope's JSON, one sampled profile, and return its stacks.

    `name` is shown as the title; `unit` is that of the value type. Speedscope has no negative
    weights: stacks with one are left out. Raises `FileExistsError`, `OSError`.
    """
    parents, names, own = _columns(flame)
    files, lines = flame.column("file").to_pylist(), flame.column("line").to_pylist()
    frames: dict[tuple[str, str | None, int | None], int] = {}
    path: list[list[int]] = [[] for _ in names]
    samples, weights = [], []
    for node, frame in enumerate(names):
        parent = parents[node]
        if parent is not None:
            key = (frame or "", files[node], lines[node])
            path[node] = [*path[parent], frames.setdefault(key, len(frames))]
        if own[node] > 0:
            samples.append(path[node])
            weights.append(own[node])
    document = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": f"gotrace {__version__}",
        "name": name,
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(*key) for key in frames]},
        "profiles": [
            {
                "type": "sampled",
                "name": name,
                "unit": _UNITS.get(unit.lower(), "none"),
                "startValue": 0,
                "endValue": sum(weights),
                "samples": samples,
                "weights": weights,
            }
        ],
    }
    with opened(target, "writing speedscope JSON", overwrite=overwrite) as file:
        file.write(json.dumps(document, separators=(",", ":")).encode())
    return len(samples)


def _columns(flame: pa.Table) -> tuple[list[int | None], list[str | None], list[int]]:
    return tuple(flame.column(name).to_pylist() for name in ("parent", "name", "self"))


def _escaped(name: str) -> str:
    for character in "%;\n\r":
        name = name.replace(character, f"%{ord(character):02X}")
    return name


def _frame(name: str, file: str | None, line: int | None) -> dict[str, Any]:
    frame: dict[str, Any] = {"name": name}
    if file is not None:
        frame["file"] = file
    if line is not None:
        frame["line"] = line
    return frame
