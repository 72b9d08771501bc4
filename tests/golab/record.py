"""Records the small real traces in `tests/data/real`, with every Go version that we read.

    python -m tests.golab.record                # all of them, and the README there
    python -m tests.golab.record gc coro        # those of these programs
    python -m tests.golab.record --readme       # only the README, from the files

Every recording is a program of `programs/` run once by one Go version. Not every program is run
with every version: together they cover each feature with each version of the header that has it.
Traces are never the same twice, so whatever is pinned about them has to be pinned anew after this.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tests.golab import peers
from tests.golab.toolchain import REFERENCE, VERSIONS, Toolchain, have_c_compiler

PROGRAMS = Path(__file__).with_name("programs")
REAL = Path(__file__).parents[1] / "data" / "real"

MAX_FILE_BYTES = 300_000
MAX_TOTAL_BYTES = 6_000_000
MAX_ATTEMPTS = 30


@dataclass(frozen=True)
class Recording:
    """One way to run a program, and the Go minor versions to run it with."""

    name: str
    program: str
    minors: tuple[int, ...]
    arguments: tuple[str, ...] = ()
    godebug: str = ""
    misnested: bool = False  #: Go's reader refuses it
    needs: bytes = b""  #: a wire event that takes luck to catch; recorded again until it is there


def short_generations(milliseconds: float) -> str:
    return f"traceadvanceperiod={int(milliseconds * 1e6)}"


RECORDINGS = (
    Recording("blocking", "blocking", (22, 23, 24, 25, 26, 27), ("-duration=40ms", "-scale=1")),
    Recording(
        "blocking-generations",
        "blocking",
        (22, 23, 24, 25, 26, 27),
        ("-duration=60ms", "-scale=1"),
        short_generations(2),
    ),
    Recording("waits", "waits", (22, 27)),
    Recording("annotations", "annotations", (22, 23, 24, 25, 26, 27)),
    Recording(
        "annotations-generations",
        "annotations",
        (22, 23, 25, 26),
        ("-scale=20",),
        "traceadvanceperiod=0",
    ),
    Recording("misnested", "misnested", (22, 25, 27), misnested=True),
    Recording("gc", "gc", (22, 24, 25, 27), ("-duration=40ms",)),
    Recording(
        "gc-generations",
        "gc",
        (22, 23, 25, 26),
        ("-duration=40ms", "-scale=2"),
        short_generations(5),
    ),
    Recording(
        "gc-stress",
        "gc",
        (22, 24, 25, 26),
        ("-duration=25ms", "-scale=2"),
        "traceadvanceperiod=0",
        needs=b"GCSweepActive",
    ),
    Recording("io", "io", (22, 23, 25, 27)),
    Recording("syscalls", "syscalls", (22, 23, 24, 25, 26, 27), godebug=short_generations(15)),
    Recording("cgo", "cgo", (22, 23, 24, 25, 26, 27)),
    Recording("cgo-generations", "cgo", (22, 23, 25, 26), godebug=short_generations(3)),
    Recording("coro", "coro", (23, 24, 25, 26, 27)),
    Recording("coro-generations", "coro", (23, 25, 27), ("-scale=200",), short_generations(1)),
    Recording("cpuprofile", "cpuprofile", (22, 23, 25, 26), ("-duration=200ms",)),
    Recording(
        "cpuprofile-generations",
        "cpuprofile",
        (24, 25, 27),
        ("-duration=200ms",),
        short_generations(30),
    ),
    Recording("alloc", "alloc", (23, 24, 25, 26, 27), godebug="traceallocfree=1"),
    Recording(
        "alloc-generations",
        "alloc",
        (23, 25, 27),
        godebug=f"traceallocfree=1,{short_generations(2)}",
    ),
    Recording("odds", "odds", (23, 27)),
    Recording("odds-midway", "odds", (25,), ("-midway",), short_generations(4)),
    Recording("restart", "restart", (22, 23, 25, 27)),
    Recording(
        "flightrecorder",
        "flightrecorder",
        (25, 26, 27),
        ("-duration=80ms", "-scale=1"),
        short_generations(10),
    ),
)


@dataclass(frozen=True)
class RealTrace:
    """A committed trace and what is known of it without reading it."""

    path: Path
    recording: Recording
    toolchain: Toolchain

    def read(self) -> bytes:
        """The uncompressed trace."""
        with pa.input_stream(str(self.path), compression="zstd") as stream:
            content = stream.read()
            assert isinstance(content, bytes)
            return content


def real_traces() -> Iterator[RealTrace]:
    """All traces that are recorded, whether or not their files exist."""
    by_minor = {Toolchain(version).minor: Toolchain(version) for version in VERSIONS}
    for recording in RECORDINGS:
        for minor in recording.minors:
            path = REAL / f"{recording.name}-go1.{minor}.trace.zst"
            yield RealTrace(path, recording, by_minor[minor])


def record(trace: RealTrace) -> None:
    """Run the program and keep its trace, once Go's reader has said what we expect of it."""
    source = PROGRAMS / trace.recording.program
    binary = trace.toolchain.build_cached(source, cgo=trace.recording.program == "cgo")
    for _attempt in range(MAX_ATTEMPTS):
        if (packed := _record_once(trace, binary)) is not None:
            trace.path.parent.mkdir(parents=True, exist_ok=True)
            trace.path.write_bytes(packed)
            return
    raise SystemExit(f"{trace.path.name}: no luck in {MAX_ATTEMPTS} attempts")


def _record_once(trace: RealTrace, binary: Path) -> bytes | None:
    """A compressed trace, or None if it is too large or lacks what is needed: try again."""
    recording = trace.recording
    with tempfile.TemporaryDirectory(prefix="gotrace-record-") as scratch:
        recorded = Path(scratch) / "trace"
        try:
            trace.toolchain.run(
                binary,
                *("-o", str(recorded), *recording.arguments),
                godebug=recording.godebug,
                timeout_s=10,
            )
        except subprocess.TimeoutExpired:  # seen: 1.23 hangs in gc when it cuts without a pause
            return None
        verdict = peers.dump_trace(recorded).verdict
        if verdict != ("error" if recording.misnested else "end"):
            raise SystemExit(f"{trace.path.name}: Go's reader says {verdict}")
        content = recorded.read_bytes()
    if recording.needs and recording.needs not in peers.text_from_wire(content):
        return None
    packed: bytes = pa.Codec("zstd", compression_level=19).compress(content, asbytes=True)
    return packed if len(packed) <= MAX_FILE_BYTES else None


README_HEAD = f"""\
# Real traces

Written by `python -m tests.golab.record`; don't edit. Each is one run of a program in
`tests/golab/programs` (its head says what it does), compressed with zstd. `generations` in a name
means that the runtime was told to cut generations after milliseconds instead of a second.
Events, verdict: what the reader of Go {REFERENCE} delivers and says in the end; `error` is a trace
that it refuses part of the way through. First: number of the first generation.

| file | program | Go | header | flags | events | generations | first | bytes | packed | verdict |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def readme_row(trace: RealTrace) -> str:
    content = trace.read()
    dump = peers.dump_trace(trace.path)
    syncs = pc.sum(pc.equal(dump.events["kind"], "sync")).as_py()
    generations = syncs - 1 if dump.verdict == "end" else syncs  # the last sync ends the trace
    flags = list(trace.recording.arguments)
    if trace.recording.godebug:
        flags.insert(0, f"GODEBUG={trace.recording.godebug}")
    cells = [
        trace.path.name,
        trace.recording.program,
        trace.toolchain.version,
        content[:7].decode(),
        f"`{' '.join(flags)}`" if flags else "",
        dump.events.num_rows,
        generations,
        first_generation(content),
        len(content),
        trace.path.stat().st_size,
        dump.verdict,
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def first_generation(trace: bytes) -> int:
    """The generation of the first batch: the varint after the header and the batch's type."""
    number = shift = 0
    for byte in trace[17:]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return number


def write_readme() -> None:
    rows = [readme_row(trace) for trace in real_traces()]
    (REAL / "README.md").write_text(README_HEAD + "".join(rows), encoding="utf-8")
    total = sum(trace.path.stat().st_size for trace in real_traces())
    print(f"{len(rows)} traces, {total} bytes")
    if total > MAX_TOTAL_BYTES:
        raise SystemExit(f"more than {MAX_TOTAL_BYTES} bytes")


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.golab.record", description="Record the traces in tests/data/real."
    )
    parser.add_argument("names", nargs="*", help="names of recordings or programs (default: all)")
    parser.add_argument("--readme", action="store_true", help="record nothing, write the README")
    options = parser.parse_args(None if arguments is None else list(arguments))
    known = {name for r in RECORDINGS for name in (r.name, r.program)}
    if unknown := set(options.names) - known:
        parser.error(f"no such recording: {', '.join(sorted(unknown))}")
    if any(not Toolchain(version).installed for version in VERSIONS) or not have_c_compiler():
        parser.error("needs all Go versions (python -m tests.golab.toolchain) and a C compiler")
    if not options.readme:
        for trace in real_traces():
            recording = trace.recording
            if not options.names or {recording.name, recording.program} & set(options.names):
                record(trace)
                print(f"{trace.path.name}: {trace.path.stat().st_size} bytes", flush=True)
    write_readme()
    return 0


if __name__ == "__main__":
    sys.exit(main())
