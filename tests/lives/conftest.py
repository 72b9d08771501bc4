"""Traces for the tests of lives: what was recorded, written by hand, and random programs."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.core.decoding import decode, real, real_names
from tests.goldens import TRACES, Golden, all_goldens, load
from tests.testing.programs import RealisticProgram, random_trace

TABLES = (
    *("goroutine_states", "goroutines", "goroutine_transitions", "wakeups", "regions"),
    *("proc_states", "procs", "thread_states", "threads", "metrics", "notes", "syncs"),
)
RANDOM = [f"random {minor} {seed}" for minor in (22, 23, 25, 26) for seed in range(3)]


def is_sound(golden: Golden) -> bool:
    """Whether a program could have written it, as far as Go's validator knows."""
    sound = golden.sections["expect"].startswith("success")
    return sound and not golden.options and "complaints" not in golden.sections


GOLDENS = [f"golden {each.name}" for each in all_goldens() if is_sound(each)]


def content(name: str) -> bytes:
    if name.startswith("golden"):
        return load(TRACES / f"{name.split()[1]}.test").trace
    if not name.startswith("random"):
        return real(name)
    _, minor, seed = name.split()
    return random_trace(int(seed), int(minor), 2000, RealisticProgram)


@pytest.fixture(scope="package", params=[*real_names(), *GOLDENS, *RANDOM])
def tables(request: pytest.FixtureRequest) -> dict[str, pa.Table]:
    """All tables of lives of one trace."""
    # Regions that end in the wrong order are a fault to Go, and to us unless we salvage.
    salvage = request.param.startswith("misnested")
    decoded = decode(content(request.param), TABLES, salvage=salvage)
    assert decoded.error is None
    return {name: decoded.table(name) for name in TABLES}
