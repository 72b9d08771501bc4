"""`go tool pprof` as the reference: its reports read back as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"-?[0-9.]+")


@dataclass(frozen=True)
class Row:
    name: str
    flat: int
    cum: int


@dataclass(frozen=True)
class Block:
    """One node of the tree report: its callers and callees with what they weigh."""

    row: Row
    callers: tuple[tuple[str, int], ...]
    callees: tuple[tuple[str, int], ...]


def number(text: str) -> int:
    found = _NUMBER.match(text)
    assert found, text
    return round(float(found[0]))


def top(text: str) -> list[Row]:
    """Read a -top report; the name keeps its (inline) mark."""
    lines = text.splitlines()
    heads = (i for i, line in enumerate(lines) if line.split()[:2] == ["flat", "flat%"])
    rows = []
    for line in lines[next(heads, len(lines)) + 1 :]:
        flat, _, _, cum, _, name = line.split(None, 5)
        rows.append(Row(name, number(flat), number(cum)))
    return rows


def tree(text: str) -> list[Block]:
    """Read a -tree or -peek report."""
    blocks: list[Block] = []
    callers: list[tuple[str, int]] = []
    callees: list[tuple[str, int]] = []
    row: Row | None = None
    started = False
    for line in text.splitlines():
        if line.startswith("-----"):
            if row is not None:
                blocks.append(Block(row, tuple(callers), tuple(callees)))
            callers, callees, row, started = [], [], None, True
        elif started and "|" in line and "flat%" not in line:
            left, _, name = line.partition("| ")
            words = left.split()
            if len(words) >= 5:
                row = Row(name, number(words[0]), number(words[3]))
            else:
                (callers if row is None else callees).append((name.strip(), number(words[0])))
    return blocks


def tags(text: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    key = ""
    for line in text.splitlines():
        head = re.match(r"\s*(.+): +Total (\S+)", line)
        if head:
            key = head[1].strip()
            found[key] = {}
        elif line.strip():
            value = re.match(r"\s*(\S+)(?: \([^)]*\))?:\s(.*)", line)
            assert value, line
            found[key][value[2].strip()] = number(value[1])
    return found


def traces(text: str) -> list[tuple[int, list[str], list[str]]]:
    """Read a -traces report: value, frames, label lines of each sample."""
    samples = []
    blocks = re.split(r"^-+\+-+\n", text, flags=re.MULTILINE)[1:]
    for block in blocks:
        frames, labels, value = [], [], None
        for line in block.splitlines():
            if value is None and re.match(r"^\s*[^ ].*:  ", line):
                key, _, rest = line.partition(":  ")
                labels.append(f"{key.strip()}: {rest}")
                continue
            if value is None:
                first, _, name = line.strip().partition("   ")
                value = number(first)
                frames.append(name)
            else:
                frames.append(line.strip())
        if value is not None:
            samples.append((value, frames, labels))
    return samples


def listing(text: str) -> dict[str, dict[int, tuple[int, int]]]:
    """Read a -list report: flat and cum by line, by function."""
    found: dict[str, dict[int, tuple[int, int]]] = {}
    function = ""
    for line in text.splitlines():
        if head := re.match(r"ROUTINE =+ (.*) in ", line):
            function = head[1]
            found.setdefault(function, {})
        elif row := re.match(r"\s*(\S+)\s+(\S+)\s+(\d+):", line):
            flat, cum = (0 if cell == "." else number(cell) for cell in row.groups()[:2])
            if flat or cum:
                found[function][int(row[3])] = (flat, cum)
    return found
