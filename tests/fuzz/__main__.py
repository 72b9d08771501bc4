"""Fuzz a target, on all cores, for a time or a number of executions.

    python -m tests.fuzz trace --seconds 60
    python -m tests.fuzz trace --executions 20000000 --results bench/results/fuzz-trace.json
    python -m tests.fuzz trace --keep       # what covers most becomes the corpus that is committed
    python -m tests.fuzz trace FILE…        # run inputs again, those of findings for one

Exit code 1 says that something was found; the input and how to run it again are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.fuzz import corpus, seeds
from tests.fuzz.build import OUT, ROOT, TARGETS, BuildError, build
from tests.machine import machine

#: Long enough for every state of the order, short enough to be quick.
MOST_BYTES = 2048
MOST_KEPT_BYTES = 1024
SECONDS_OF_AN_INPUT = 60  #: of the clock, on a machine that may be busy
FLAGS = (
    *("-use_value_profile=0", "-entropic=0", "-reload=60", "-print_final_stats=1"),
    "-detect_leaks=0",
    *(f"-timeout={SECONDS_OF_AN_INPUT}", "-rss_limit_mb=2048", "-malloc_limit_mb=512"),
)
#: As quick as it gets: what was freed stays in the cache, no call stacks, which a second run tells.
SANITIZER = {
    "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64:"
    "malloc_context_size=0:max_malloc_fill_size=0:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def environment() -> dict[str, str]:
    """What the executable needs to find Python, the packages and the tests."""
    return {
        **os.environ,
        **SANITIZER,
        "GOTRACE_FUZZ_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
    }


class Run:
    """One process of the fuzzer, its output in a log of its own."""

    def __init__(self, program: Path, number: int, arguments: list[str]) -> None:
        self.log = OUT / "logs" / f"{program.name}-{number}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(program), *FLAGS, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
                cwd=ROOT,
            )

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def figures(self) -> dict[str, int]:
        """Executions, and edges covered."""
        executions = re.findall(r"stat::number_of_executed_units: (\d+)", self.text)
        covered = re.findall(r"cov: (\d+)", self.text)
        return {
            "executions": int(executions[-1]) if executions else 0,
            "edges": int(covered[-1]) if covered else 0,
        }


def fuzz(target: str, options: argparse.Namespace) -> int:
    program = build(target)
    found = OUT / "findings" / target
    grown, sown, kept = (OUT / name / target for name in ("corpus", "seeds", "kept"))
    for folder in (found, grown):
        folder.mkdir(parents=True, exist_ok=True)
    seeds.write(target, sown)
    corpus.unpack(target, kept)
    dictionary = OUT / f"{target}.dict"
    dictionary.write_text(seeds.dictionary(target), encoding="ascii")
    arguments = [
        *(f"-dict={dictionary}", f"-artifact_prefix={found}/", f"-max_len={MOST_BYTES}"),
        *(str(grown), str(sown), str(kept)),
    ]
    if options.seconds:
        arguments.append(f"-max_total_time={options.seconds}")
    if options.executions:
        arguments.append(f"-runs={options.executions // options.workers + 1}")
    start = time.monotonic()
    runs = [Run(program, i, arguments) for i in range(options.workers)]
    codes = [run.process.wait() for run in runs]
    seconds = time.monotonic() - start
    figures = [run.figures() for run in runs]
    result = {
        "executions": sum(one["executions"] for one in figures),
        "edges": max(one["edges"] for one in figures),
        "seconds": round(seconds, 1),
        "workers": options.workers,
        "findings": sum(map(bool, codes)),
        **machine(),
    }
    for run, code in zip(runs, codes, strict=True):
        if code:
            print(run.text[-6000:])
            print(f"found by {run.log}; run it again: python -m tests.fuzz {target} FILE")
    print(
        f"{target}: {result['executions']:,} executions in {seconds:.0f} s "
        f"({result['executions'] / seconds:,.0f} a second), {result['edges']:,} edges, "
        f"{result['findings']} findings"
    )
    if options.results:
        add_result(target, options.results, result)
    return 1 if any(codes) else 0


def add_result(target: str, path: Path, run: dict[str, Any]) -> None:
    """Add a run to those of the file; all of one day and machine may be added up."""
    runs = [run]
    if path.exists():
        runs = [*json.loads(path.read_text(encoding="utf-8"))["runs"], run]
    executions = sum(one["executions"] for one in runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    result = {"target": target, "executions": executions, "runs": runs}
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def again(target: str, inputs: list[Path]) -> int:
    """Run inputs once each, and say what came of it."""
    command = [str(build(target)), *FLAGS, *map(str, inputs)]
    verbose = {**environment(), "GOTRACE_FUZZ_VERBOSE": "1"}
    verbose["ASAN_OPTIONS"] += ":malloc_context_size=20"
    return subprocess.run(command, env=verbose, cwd=ROOT).returncode


def keep(target: str) -> int:
    """Merge what was found interesting into the smallest set that covers as much."""
    program = build(target)
    merged = OUT / "merged" / target
    for old in merged.glob("*"):
        old.unlink()
    folders = [OUT / name / target for name in ("kept", "seeds", "corpus")]
    for folder in (merged, *folders):
        folder.mkdir(parents=True, exist_ok=True)
    corpus.unpack(target, folders[0])
    command = [
        str(program),
        *FLAGS,
        "-set_cover_merge=1",
        f"-max_len={MOST_KEPT_BYTES}",
        str(merged),
    ]
    done = subprocess.run([*command, *map(str, folders)], env=environment(), cwd=ROOT)
    if done.returncode == 0:
        corpus.pack(target, merged)
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("inputs", nargs="*", type=Path, help="run these instead")
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--executions", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--results", type=Path, help="write the figures into this file")
    parser.add_argument("--keep", action="store_true", help="make the committed corpus anew")
    options = parser.parse_args()
    try:
        if options.inputs:
            return again(options.target, options.inputs)
        if options.keep:
            return keep(options.target)
        if not options.seconds and not options.executions:
            parser.error("say how long: --seconds or --executions")
        return fuzz(options.target, options)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
