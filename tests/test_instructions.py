"""What an event costs, in instructions: a clock says on a shared machine what the others do.

`GOTRACE_REQUIRE_VALGRIND=1` turns a missing valgrind from a skipped test into a failed one.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.floor import instructions
from bench.traces import trace
from tests.needs import lacking

MOST = {"mixed": 300, "pingpong": 220, "spawn": 250, "coro": 135}
"""A seventh above what gcc 12 makes of it; a kind of load that gets dearer wants a reason."""


@pytest.mark.go
@pytest.mark.parametrize("workload", MOST)
def test_an_event_costs_no_more_instructions(workload: str, tmp_path: Path) -> None:
    if shutil.which("valgrind") is None:
        lacking("valgrind", "GOTRACE_REQUIRE_VALGRIND")
    assert instructions(trace(workload, 4), tmp_path) < MOST[workload]
