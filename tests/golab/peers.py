"""Go's own trace reader as the reference for ours: Python's side of the programs in `peers/`.

    dump_trace(path)                                # everything, as pyarrow tables
    count_events(path, repeat=5)                    # the benchmark peer
    summarize(path)                                 # goroutines, regions and tasks, Go's numbers
    analysis("related", path)                       # what Go makes of it otherwise
    golden_cases(), fuzz_cases()                    # Go's own test inputs, read from its sources

All of it needs the reference toolchain in the cache (see `toolchain`); tests call
`toolchain.require()` first. Traces may be plain or zstd-compressed (`.zst`).
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from tests.golab.toolchain import REFERENCE, GoError, Toolchain

PEERS = Path(__file__).with_name("peers")

TEXT_COLUMNS = ("reason", "name", "message", "experiment", "arguments")

#: Columns of `Dump.events`, in the order of the dump's event lines.
EVENT_SCHEMA = pa.schema(
    [
        ("seq", pa.int64()),
        ("time_ns", pa.int64()),
        ("kind", pa.string()),
        ("thread", pa.int64()),
        ("proc", pa.int64()),
        ("goroutine", pa.int64()),
        ("context_stack", pa.int64()),
        ("resource", pa.string()),
        ("resource_id", pa.int64()),
        ("from_state", pa.string()),
        ("to_state", pa.string()),
        ("reason", pa.binary()),
        ("stack", pa.int64()),
        ("name", pa.binary()),
        ("value", pa.uint64()),
        ("value2", pa.uint64()),
        ("value3", pa.uint64()),
        ("task", pa.int64()),
        ("parent_task", pa.int64()),
        ("message", pa.binary()),
        ("experiment", pa.binary()),
        ("arguments", pa.binary()),
        ("snapshot_ns", pa.int64()),
        ("mono_ns", pa.uint64()),
        ("wall_ns", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Frame:
    """One frame of a stack. Texts are bytes because traces need not hold UTF-8."""

    pc: int
    function: bytes
    file: bytes
    line: int


@dataclass(frozen=True)
class Blob:
    """A batch of experimental data (for the alloc/free experiment: type tables) of one sync."""

    seq: int
    experiment: bytes
    thread: int
    data: bytes


@dataclass(frozen=True)
class Dump:
    """All that Go's reader says about a trace."""

    events: pa.Table  #: as EVENT_SCHEMA; null where there is none
    stacks: dict[int, tuple[Frame, ...]]  #: by the numbers in context_stack and stack, leaf first
    blobs: list[Blob]
    verdict: str  #: "end", "error" (the reader refused what came next) or "panic" (Go fell over)
    message: str  #: of the error or panic, else empty


@dataclass(frozen=True)
class GoldenCase:
    """One of Go's golden tests: what goes in and what Go's reader must say to it."""

    name: str
    trace: bytes
    text: bytes  #: the text form from which Go made `trace`
    failure: str | None  #: None if it must be read whole, else a regular expression of the error


@dataclass(frozen=True)
class FuzzCase:
    """One file of Go's fuzz corpus; reading it must neither crash nor hang."""

    name: str
    trace: bytes


# ---------------------------------------------------------------------------------------------
# Running the peers


def peer(name: str) -> Path:
    """The built peer program; building it takes seconds the first time, nothing after that."""
    toolchain = Toolchain(REFERENCE)
    if not toolchain.installed:
        raise GoError(f"go {REFERENCE} is not installed")
    return toolchain.build_cached(PEERS / name, overlay=f"internal/trace/gotrace_{name}")


def profile_peer(command: str, *paths: Path, repeat: int | None = None) -> bytes:
    """What google/pprof's package `profile` writes; see the head of `peers/profile/main.go`."""
    options = () if repeat is None else ("-repeat", str(repeat))
    return _run(profile_binary(), command, *options, *map(str, paths))


def profile_binary() -> Path:
    """The built peer of profiles, a package of Go's commands, which hold google/pprof."""
    toolchain = Toolchain(REFERENCE)
    if not toolchain.installed:
        raise GoError(f"go {REFERENCE} is not installed")
    return toolchain.build_cached(PEERS / "profile", overlay="cmd/gotrace_profile")


@contextmanager
def plain_file(path: Path) -> Iterator[Path]:
    """The path of an uncompressed copy of a `.zst` file, or the path itself."""
    if path.suffix != ".zst":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="gotrace-plain-") as scratch:
        plain = Path(scratch) / path.stem
        with pa.input_stream(str(path), compression="zstd") as stream:
            plain.write_bytes(stream.read())
        yield plain


def dump_trace(path: Path | str) -> Dump:
    """Everything that Go's reader delivers for a trace, whatever the trace."""
    with (
        plain_file(Path(path)) as trace,
        tempfile.TemporaryDirectory(prefix="gotrace-dump-") as scratch,
    ):
        definitions = Path(scratch) / "definitions"
        output = _run(peer("dump"), "-definitions", str(definitions), str(trace))
        stacks, blobs = _parse_definitions(definitions.read_bytes())
    header, _, rest = output.partition(b"\n")
    if not header.startswith(b"gotrace-dump\t1\t"):
        raise GoError(f"not a dump: {header!r}")
    # The last line has the verdict; the text of an error holds no newline, they are escaped.
    last_start = rest.rfind(b"\n", 0, -1) + 1
    verdict, events, *message = rest[last_start:].rstrip(b"\n").split(b"\t")
    table = _parse_events(rest[:last_start])
    if table.num_rows != int(events):
        raise GoError(f"dump has {table.num_rows} events and says {events.decode()}")
    return Dump(
        events=table,
        stacks=stacks,
        blobs=blobs,
        verdict=verdict.decode(),
        message=_unescape(message[0]).decode(errors="replace") if message else "",
    )


def count_events(
    path: Path | str, repeat: int = 1, *, summarize: bool = False
) -> tuple[int, list[float]]:
    """Number of events, and the seconds of each run, of Go's bare ReadEvent loop.

    With `summarize` every event also goes through Go's Summarizer. Only traces that Go reads to
    their end can be counted.
    """
    options = ["-repeat", str(repeat), *(["-summarize"] if summarize else [])]
    with plain_file(Path(path)) as trace:
        output = _run(peer("count"), *options, str(trace))
    runs = [line.split() for line in output.decode().splitlines()]
    return int(runs[0][0]), [float(seconds) for _, seconds in runs]


@dataclass(frozen=True)
class Summary:
    """What Go's Summarizer says, as the lines of the program `summarize` (see there)."""

    goroutines: list[dict[str, Any]]
    regions: list[dict[str, Any]]
    tasks: list[dict[str, Any]]


def summarize(path: Path | str) -> Summary:
    """Go's numbers of every goroutine, region and task of a trace that it reads to its end."""
    with plain_file(Path(path)) as trace:
        lines = [json.loads(line) for line in _run(peer("summarize"), str(trace)).splitlines()]
    kinds: dict[str, list[dict[str, Any]]] = {"goroutine": [], "region": [], "task": []}
    for line in lines:
        kinds[line.pop("kind")].append(line)
    return Summary(*kinds.values())


def analysis(*arguments: str | Path) -> list[str]:
    """The lines that Go's own analyses print; see the head of `peers/analyses/main.go`."""
    return _run(peer("analyses"), *map(str, arguments)).decode().splitlines()


def wire_from_text(text: bytes) -> bytes:
    """Trace bytes from the text form, by Go's own converter."""
    return _run(peer("rawtext"), "wire", stdin=text)


def text_from_wire(trace: bytes) -> bytes:
    """The text form of trace bytes, by Go's own converter."""
    return _run(peer("rawtext"), "text", stdin=trace)


def golden_cases() -> list[GoldenCase]:
    """Go's golden tests, straight from its sources."""
    return [_golden_case(path) for path in sorted(_testdata().glob("tests/*.test"))]


def fuzz_cases() -> list[FuzzCase]:
    """Go's fuzz corpus, straight from its sources."""
    return [
        FuzzCase(path.name, _fuzz_bytes(path.read_text(encoding="utf-8")))
        for path in sorted(_testdata().glob("fuzz/FuzzReader/*"))
    ]


# ---------------------------------------------------------------------------------------------
# Parsing what they say


def _run(binary: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run([binary, *arguments], input=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise GoError(f"{binary.name} {' '.join(arguments)}: {said}")
    return done.stdout


def _parse_events(lines: bytes) -> pa.Table:
    if not lines:
        return EVENT_SCHEMA.empty_table()
    names = ["line", *EVENT_SCHEMA.names]
    types = {field.name: field.type for field in EVENT_SCHEMA}
    table = pyarrow.csv.read_csv(
        pa.BufferReader(lines),
        read_options=pyarrow.csv.ReadOptions(column_names=names),
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=types,
            include_columns=EVENT_SCHEMA.names,
            null_values=["-"],
            strings_can_be_null=True,
        ),
    )
    for name in TEXT_COLUMNS:
        column = table.column(name)
        if pc.any(pc.match_substring(column, b"\\")).as_py():
            plain = [None if text is None else _unescape(text) for text in column.to_pylist()]
            index = table.schema.get_field_index(name)
            table = table.set_column(index, EVENT_SCHEMA.field(name), pa.array(plain, pa.binary()))
    return table.cast(EVENT_SCHEMA)


def _parse_definitions(lines: bytes) -> tuple[dict[int, tuple[Frame, ...]], list[Blob]]:
    stacks: dict[int, tuple[Frame, ...]] = {}
    blobs: list[Blob] = []
    for line in lines.split(b"\n")[:-1]:
        kind, *fields = line.split(b"\t")
        if kind == b"stack":
            number, depth, *frames = fields
            stacks[int(number)] = tuple(
                Frame(int(pc_), _unescape(function), _unescape(file), int(line_))
                for pc_, function, file, line_ in zip(
                    frames[0::4], frames[1::4], frames[2::4], frames[3::4], strict=True
                )
            )
            assert len(stacks[int(number)]) == int(depth)
        elif kind == b"blob":
            seq, experiment, thread, data = fields
            data_bytes = bytes.fromhex(data.decode())
            blobs.append(Blob(int(seq), _unescape(experiment), int(thread), data_bytes))
        else:
            raise GoError(f"unknown line in the definitions of a dump: {line[:80]!r}")
    return stacks, blobs


_ESCAPES = {b"\\": b"\\", b"t": b"\t", b"n": b"\n", b"r": b"\r", b"0": b"\0", b"-": b"-"}


def _unescape(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    return re.sub(rb"\\(.)", lambda match: _ESCAPES[match.group(1)], text)


# ---------------------------------------------------------------------------------------------
# Go's own test inputs


@cache
def _testdata() -> Path:
    directory = Toolchain(REFERENCE).goroot / "src" / "internal" / "trace" / "testdata"
    if not directory.is_dir():
        raise GoError(f"no {directory}")
    return directory


def _golden_case(path: Path) -> GoldenCase:
    # txtar: "-- name --" lines start a member; these files have "expect" and "trace".
    head, _, text = path.read_bytes().partition(b"-- trace --\n")
    expectation = head.partition(b"-- expect --\n")[2].decode().splitlines()[0]
    verdict, _, pattern = expectation.partition(" ")
    if verdict not in ("SUCCESS", "FAILURE"):
        raise GoError(f"{path}: unknown expectation {expectation!r}")
    return GoldenCase(
        name=path.stem,
        trace=_run(peer("rawtext"), "golden", str(path)),
        text=text,
        # A Go-quoted string; those in these files are Python literals too.
        failure=ast.literal_eval(pattern) if verdict == "FAILURE" else None,
    )


def _fuzz_bytes(text: str) -> bytes:
    """The bytes of a corpus file: a Go []byte literal, in which non-ASCII stands for its UTF-8."""
    magic, literal = text.splitlines()[:2]
    match = re.fullmatch(r'\[\]byte\("(.*)"\)', literal)
    if magic != "go test fuzz v1" or match is None:
        raise GoError(f"not a fuzz corpus file: {text[:80]!r}")
    return go_unquoted(match.group(1))


_GO_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\\"']))"
)
_GO_SIMPLE = dict(zip("abfnrtv\\\"'", b"\a\b\f\n\r\t\v\\\"'", strict=True))


def go_unquoted(body: str) -> bytes:
    """The bytes of the inside of an interpreted Go string: \\x is a byte, \\u a character."""
    out = bytearray()
    position = 0
    while position < len(body):
        if (match := _GO_ESCAPE.match(body, position)) is not None:
            hexadecimal, short, long, octal, simple = match.groups()
            if hexadecimal:
                out.append(int(hexadecimal, 16))
            elif short or long:
                out += chr(int(short or long, 16)).encode()
            elif octal:
                out.append(int(octal, 8))
            else:
                out.append(_GO_SIMPLE[simple])
            position = match.end()
        else:
            out += body[position].encode()
            position += 1
    return bytes(out)
