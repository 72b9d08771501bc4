"""Real traces, Go's golden tests and Go's fuzz corpus: every event, column and frame as in Go."""

from __future__ import annotations

import re

import pytest

from gotrace.testing import validate
from tests.core.decoding import real, real_names
from tests.differential.exceptions import explained
from tests.differential.go_reader import read_with_both
from tests.golab import peers, toolchain

GO = toolchain.available()
GOLDENS = peers.golden_cases() if GO else []
FUZZ = peers.fuzz_cases() if GO else []


@pytest.mark.parametrize("name", real_names())
def test_a_real_trace(name: str) -> None:
    both = read_with_both(real(name))
    assert both.differences() == []
    assert (both.go.verdict == "end") == (not name.startswith("misnested"))


@pytest.mark.parametrize("case", GOLDENS, ids=lambda case: case.name)
def test_a_golden_of_go(case: peers.GoldenCase) -> None:
    both = read_with_both(case.trace)
    assert both.differences() == []
    if case.failure is None:
        assert both.ours.error is None
        assert validate(both.ours.table("events")) == []
    else:
        assert both.ours.error is not None
        assert re.search(case.failure, both.go.message)


def test_there_are_twenty_two_goldens_and_seventeen_fuzz_cases() -> None:
    assert (len(GOLDENS), len(FUZZ)) == (22, 17)


@pytest.mark.parametrize("case", FUZZ, ids=lambda case: case.name)
def test_a_fuzz_case_of_go(case: peers.FuzzCase) -> None:
    both = read_with_both(case.trace)
    assert both.differences() == [] or explained(both, case.trace) is not None
