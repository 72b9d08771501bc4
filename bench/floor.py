"""How far is our decoder from the floor: reading the numbers of every event, and nothing else?

    python -m bench.floor [WORKLOAD…]

Prints a row for each workload: nanoseconds of an event for `walk.c` (one thread, no order, no
column, the file in memory), for `events` with all columns and one thread, by turns; and the
instructions of an event that callgrind counts in our core (of a trace of 4 MB; needs valgrind).
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.traces import WORKLOADS, trace
from gotrace.spec.trace_events import EVENTS

ROUNDS = 5
DRAIN = """
import sys, gotrace
with gotrace.open(sys.argv[1]).reader("events", threads=1) as reader:
    print(sum(batch.num_rows for batch in reader))
"""


def build_walk(folder: Path) -> Path:
    """Compile `walk.c` with the numbers of each type of event; structure has none."""
    events = {spec.id: len(spec.args) for spec in EVENTS if spec.args[:1] == ("dt",)}
    numbers = ",".join(str(events.get(number, -1)) for number in range(256))
    program = folder / "walk"
    source = Path(__file__).parent / "wire" / "walk.c"
    subprocess.run(["cc", "-O3", f"-DNUMBERS={numbers}", "-o", program, source], check=True)
    return program


def drain(path: Path) -> tuple[int, float]:
    """Events of a trace, and the seconds that `events` takes."""
    import gotrace

    start, rows = time.perf_counter(), 0
    with gotrace.open(path).reader("events", threads=1) as reader:
        for batch in reader:
            rows += batch.num_rows
            del batch
    return rows, time.perf_counter() - start


def costs(report: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The own costs in a callgrind report, each with the object that they are in."""
    names: dict[str, str] = {}
    inside, called = "", False
    for line in report:
        if found := re.match(r"c?ob=(\(\d+\))(?: (.*))?", line):
            name = names.setdefault(found[1], found[2] or "")
            inside = inside if line.startswith("c") else name
        elif line.startswith("calls="):
            called = True  # the next line is the cost of the callee
        elif found := re.fullmatch(r"[-+*\d]\S* (\d+)", line):
            if not called:
                yield inside, int(found[1])
            called = False


def instructions(path: Path, folder: Path) -> float:
    """Instructions of an event in our core."""
    report = folder / "callgrind"
    count = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={report}")
    done = subprocess.run(
        [*count, sys.executable, "-c", DRAIN, path], check=True, capture_output=True, text=True
    )
    lines = report.read_text(encoding="utf-8").splitlines()
    ours = sum(cost for name, cost in costs(lines) if "/gotrace/_core" in name)
    return ours / int(done.stdout)


def main(workloads: list[str]) -> None:
    """Print the table."""
    print("workload   events   walk ns   ours ns   times   instructions")
    with tempfile.TemporaryDirectory() as scratch:
        walk = build_walk(Path(scratch))
        for workload in workloads or WORKLOADS:
            path = trace(workload)
            floor, ours, events = [], [], drain(path)[0]
            for _ in range(ROUNDS):
                lines = subprocess.run([walk, path, "1"], check=True, capture_output=True).stdout
                floor.append(float(lines.split()[1]) / events * 1e9)
                ours.append(drain(path)[1] / events * 1e9)
            low, high = statistics.median(floor), statistics.median(ours)
            counted = "no valgrind"
            if shutil.which("valgrind"):
                counted = f"{instructions(trace(workload, 4), Path(scratch)):.0f}"
            print(
                f"{workload:9} {events / 1e6:5.1f} M {low:9.1f} {high:9.1f} {high / low:7.1f}"
                f"   {counted:>12}"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
