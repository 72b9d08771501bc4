"""Damaged traces: we accept and reject as Go does and give the same events up to the fault.

`GOTRACE_MUTANTS=10000` tries more than the 200 of a normal run.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.differential.exceptions import EXCEPTIONS, explained
from tests.differential.go_reader import read_with_both
from tests.differential.mutants import mutant
from tests.soak.results import record

FIGURES: Counter[str] = Counter()  #: of this run: mutants, and differences by their exception
COUNT = int(os.environ.get("GOTRACE_MUTANTS", "200"))
AT_ONCE = 25


@pytest.mark.parametrize("first", range(0, COUNT, AT_ONCE))
def test_mutants(first: int) -> None:
    disagreements = []
    for number in range(first, min(first + AT_ONCE, COUNT)):
        one = mutant(number)
        both = read_with_both(one.data)
        found = both.differences()
        why = explained(both, one.data) if found else None
        FIGURES["mutants"] += 1
        FIGURES[f"differs: {why}" if found else "agrees"] += 1
        if found and why is None:
            disagreements.append(f"{number} {one.parent} {one.changes}: {found[:3]}"[:1000])
    assert disagreements == []


def test_a_long_run_is_written_down() -> None:
    if FIGURES["mutants"] > 200:
        record("mutants against Go's reader", **FIGURES)
    assert sum(FIGURES.values()) == 2 * FIGURES["mutants"]


def test_every_exception_has_its_words() -> None:
    names = [exception.name for exception in EXCEPTIONS]
    assert len(set(names)) == len(names)
    assert all(e.go and e.ours and e.why for e in EXCEPTIONS)
