"""The four kinds of trace that speed is measured on, recorded when they are needed.

`mixed` is a service under load (GC, network, syscalls, tasks, regions, logs), `pingpong` channels
and nothing else, `spawn` millions of short goroutines, `coro` coroutines and syscalls. Beside them
`short`, hundreds of thousands of goroutines that block more often.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.golab.toolchain import cache_dir, require

WORKLOADS = ("mixed", "pingpong", "spawn", "coro")
PROGRAM = Path(__file__).parent / "workloads" / "load"


def trace(workload: str, megabytes: int | None = None) -> Path:
    """Path of a trace of about `megabytes` (GOTRACE_BENCH_MB, else 100), recorded at first use."""
    megabytes = megabytes or int(os.environ.get("GOTRACE_BENCH_MB", "100"))
    path = cache_dir() / "bench" / f"{workload}-{megabytes}mb.trace"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        program = require().build_cached(PROGRAM)
        unfinished = path.with_suffix(".part")
        subprocess.run(
            [program, "-kind", workload, "-o", unfinished, "-size", str(megabytes)], check=True
        )
        unfinished.rename(path)
    return path
