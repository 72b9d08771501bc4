"""What the fuzzers begin with: corpora of Go, goldens, small real files; and dictionaries."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

from gotrace.spec.trace_events import EVENTS
from tests.core.decoding import real, real_names
from tests.golab import peers, toolchain
from tests.goldens import all_goldens
from tests.profiles.proto import random_profile

#: How a seed is decoded at first (see trace_target.pyx): events and lives; all under salvage.
KNOBS = (bytes((0b0000_0000, 0, 3, 0, 127, 0, 0, 0)), bytes((0b0000_1101, 0, 2, 0, 60, 7, 4, 0)))
LONGEST = 8192

#: The same of a profile (see profile_target.pyx): its lists; its tables, of damage what is left.
PROFILE_KNOBS = (bytes(4), bytes((1, 0, 0, 0)), bytes((33, 0, 0, 0)))
DATA = Path(__file__).parents[1] / "data"


def trace_seeds() -> Iterator[tuple[str, bytes]]:
    """Names and inputs."""
    traces = [(golden.name, golden.trace) for golden in all_goldens()]
    traces += [(name, real(name)) for name in real_names() if len(real(name)) <= LONGEST]
    for name, trace in (*traces, *go_corpora()):
        for i, knobs in enumerate(KNOBS):
            yield f"{name}-{i}", knobs + trace


def go_corpora() -> Iterator[tuple[str, bytes]]:
    """Go's golden traces and fuzz corpus, where the reference toolchain is installed."""
    if not toolchain.available():
        return
    cases = (*peers.golden_cases(), *peers.fuzz_cases())
    yield from ((case.name, case.trace) for case in cases if len(case.trace) <= LONGEST)


def trace_dictionary() -> Iterator[tuple[str, bytes]]:
    """Every event, with small arguments."""
    for event in EVENTS:
        yield event.name, bytes((event.id, *(1 for _ in event.args)))


def profile_seeds() -> Iterator[tuple[str, bytes]]:
    """Names and inputs: real profiles, as messages and as text, and made ones that have all."""
    profiles = [(f"random-{seed}", random_profile(seed, samples=8)) for seed in range(12)]
    messages = [(name, made.SerializeToString()) for name, made in profiles]
    for folder in ("profiles", "profile_texts"):
        for path in sorted((DATA / folder).glob("*.gz")):
            messages.append((f"{folder}-{path.name}", gzip.decompress(path.read_bytes())))
    messages.append(("two", messages[0][1] + messages[1][1]))
    messages.append(("packed-twice", gzip.compress(gzip.compress(messages[0][1]))))
    for name, message in messages:
        for i, knobs in enumerate(PROFILE_KNOBS):
            if len(message) <= LONGEST:
                yield f"{name}-{i}", knobs + message


def profile_dictionary() -> Iterator[tuple[str, bytes]]:
    """Tags of all fields, and the words of profiles as text."""
    for number in range(1, 16):
        yield f"number{number}", bytes((number << 3,))
        yield f"bytes{number}", bytes((number << 3 | 2, 2))
    for i, word in enumerate(_TEXT_WORDS):
        yield f"word{i}", word


_TEXT_WORDS = (
    *(b"heap profile: 1: 2 [3: 4] @ heap/1048576\n", b"goroutine profile: total 3\n"),
    *(b"--- contention:\ncycles/second=1\n", b"--- mutex:\n", b"sampling period=1\n"),
    *(
        b"1: 2 [3: 4] @ 0x1 0x2\n",
        b"1 @ 0x1 0x2\n",
        b"5 6 @ 0x1\n",
        b"#\t0x1\tmain.f+0x1\tf.go:1\n",
    ),
    *(b'# labels: {"a":"b"}\n', b"MAPPED_LIBRARIES:\n", b"1-2 r-xp 00000000 00:00 0 /bin/a\n"),
)

#: By target: the seeds, and what libFuzzer may insert.
SEEDS = {"trace": trace_seeds, "profile": profile_seeds}
DICTIONARIES = {"trace": trace_dictionary, "profile": profile_dictionary}


def dictionary(target: str) -> str:
    """What libFuzzer may insert, in its own form."""
    lines = []
    for name, entry in DICTIONARIES[target]():
        escaped = "".join(f"\\x{byte:02x}" for byte in entry)
        lines.append(f'{name}="{escaped}"\n')
    return "".join(lines)


def write(target: str, folder: Path) -> None:
    """Write the seeds into a folder, one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS[target]():
        (folder / name).write_bytes(data)
