"""Traces for the tests of lives: what was recorded, and random programs."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.core.decoding import decode, real, real_names
from tests.testing.programs import RealisticProgram, random_trace

TABLES = (
    *("goroutine_states", "goroutines", "goroutine_transitions", "wakeups", "regions"),
    *("proc_states", "procs", "thread_states", "threads", "metrics", "notes", "syncs"),
)
RANDOM = [f"random {minor} {seed}" for minor in (22, 23, 25, 26) for seed in range(3)]


def content(name: str) -> bytes:
    if not name.startswith("random"):
        return real(name)
    _, minor, seed = name.split()
    return random_trace(int(seed), int(minor), 2000, RealisticProgram)


@pytest.fixture(scope="package", params=[*real_names(), *RANDOM])
def tables(request: pytest.FixtureRequest) -> dict[str, pa.Table]:
    """All tables of lives of one trace."""
    # Regions that end in the wrong order are a fault to Go, and to us unless we salvage.
    salvage = request.param.startswith("misnested")
    decoded = decode(content(request.param), TABLES, salvage=salvage)
    assert decoded.error is None
    return {name: decoded.table(name) for name in TABLES}
