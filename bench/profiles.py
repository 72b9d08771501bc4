"""Real profiles that speed is measured on, recorded when they are needed.

A Go program of 384 functions, made here, walks a call tree at random and spends memory, CPU or
goroutines at the ends of its walks, as large services do: tens of thousands of distinct stacks.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.golab.toolchain import cache_dir, require

WALKER = Path(__file__).parent / "workloads" / "walker"
PACKAGES = ("store", "codec", "router", "cache", "index", "auth", "queue", "metrics")
FUNCTIONS = 48
"""Functions of each package."""

KINDS = {
    "heap": ("-heap", "40000"),
    "cpu": ("-cpu", "20s"),
    "goroutine": ("-goroutines", "20000"),
}
"""The kinds of profile, and what the program is told."""


def profile(kind: str) -> Path:
    """Path of a profile as Go writes it, gzip; `.pb` beside it is the same uncompressed."""
    return _recorded(kind, *KINDS[kind])[0]


def heaps(count: int) -> list[Path]:
    """Paths of heap profiles of one service: its instances, each looked at several times."""
    paths: list[Path] = []
    for instance in range(-(-count // 10)):
        options = ("-heap", "8000", "-snapshots", "10", "-seed", str(instance + 1))
        paths += _recorded(f"instance{instance}", *options)
    return paths[:count]


def million() -> Path:
    """Path of a heap profile with a million samples."""
    return _recorded("million", "-heap", "1000000")[0]


def plain(path: Path) -> Path:
    """The profile uncompressed, beside the packed one."""
    unpacked = path.with_suffix("")
    if not unpacked.exists():
        unpacked.write_bytes(gzip.decompress(path.read_bytes()))
    return unpacked


def _recorded(name: str, *options: str) -> list[Path]:
    folder = cache_dir() / "bench" / "profiles" / name
    if not folder.exists():
        with tempfile.TemporaryDirectory(prefix="gotrace-walker-") as scratch:
            program = _program(Path(scratch))
            out = Path(scratch) / "out"
            out.mkdir()
            subprocess.run([program, "-o", out, *options], check=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(out, folder)
    return sorted(folder.glob("*.pb.gz"))


def _program(scratch: Path) -> Path:
    """Build the walker with its functions, each in a package as services have them."""
    for source in WALKER.glob("*.go"):
        shutil.copy(source, scratch)
    for package in PACKAGES:
        methods = "\n".join(_method(package, number) for number in range(FUNCTIONS))
        names = ", ".join(f"(*{package}Server)(nil).{_name(package, i)}" for i in range(FUNCTIONS))
        text = f"package main\n\ntype {package}Server struct{{}}\n\n{methods}\n"
        text += f"func init() {{\n\tsteps = append(steps, {names})\n}}\n"
        (scratch / f"{package}_server.go").write_text(text, encoding="ascii")
    binary = scratch / "walker"
    require().build(scratch, binary)
    return binary


def _name(package: str, number: int) -> str:
    return f"handle{package.title()}Request{number:02}"


def _method(package: str, number: int) -> str:
    """Write a function that calls another one from each of four lines."""
    head = f"func (s *{package}Server) {_name(package, number)}(w *walk, depth int) int {{"
    own = PACKAGES.index(package) * FUNCTIONS + number
    callees = [(own * 4 + line) * 7919 % (len(PACKAGES) * FUNCTIONS) for line in range(4)]
    calls = [
        f"\tcase {line}:\n\t\treturn steps[{callee}](w, depth-1) + {line}"
        for line, callee in enumerate(callees)
    ]
    lines = [
        *("//go:noinline", head, "\tif depth <= 0 {", "\t\treturn w.end(w)", "\t}"),
        *("\tswitch w.call() {", *calls, "\t}", "\treturn 0", "}\n"),
    ]
    return "\n".join(lines)
