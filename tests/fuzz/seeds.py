"""What the fuzzers begin with: Go's corpora, our goldens, small real traces; and a dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gotrace.spec.trace_events import EVENTS
from tests.core.decoding import real, real_names
from tests.golab import peers, toolchain
from tests.goldens import all_goldens

#: How a seed is decoded at first (see trace_target.pyx): events and lives; all under salvage.
KNOBS = (bytes((0b0000_0000, 0, 3, 0, 127, 0, 0, 0)), bytes((0b0000_1101, 0, 2, 0, 60, 7, 4, 0)))
LONGEST = 8192


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


#: By target: the seeds, and what libFuzzer may insert.
SEEDS = {"trace": trace_seeds}
DICTIONARIES = {"trace": trace_dictionary}


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
