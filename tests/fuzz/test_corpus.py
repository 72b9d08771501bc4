"""What the fuzzers once found interesting, without a fuzzer: every way to decode gives the same."""

from __future__ import annotations

import itertools

import pytest

import gotrace
from tests.core.decoding import TABLES, Decoded, decode
from tests.fuzz import corpus, seeds

#: The first bytes of an input say how the fuzzer decodes it; here it is decoded in every way.
KNOBS = 8
PROFILE_KNOBS = 4
AT_ONCE = 100
INPUTS = list(corpus.inputs("trace").items())


@pytest.mark.parametrize("first", range(0, len(INPUTS), AT_ONCE))
@pytest.mark.parametrize("salvage", [False, True], ids=["fail", "salvage"])
def test_trace(first: int, salvage: bool) -> None:
    for name, data in INPUTS[first : first + AT_ONCE]:
        trace = data[KNOBS:]
        whole = decode(trace, salvage=salvage)
        pieces = decode(trace, salvage=salvage, chunk=7, batch_rows=5)
        assert type(whole.error) is type(pieces.error), name
        assert str(whole.error) == str(pieces.error), name
        for table in TABLES:
            assert whole.table(table).equals(pieces.table(table)), (name, table)
        check(name, whole)
        if salvage:
            assert whole.error is None or not whole.rows("generations"), name


def check(name: str, decoded: Decoded) -> None:
    """The rules that hold whatever the input was (more of them: batch_checks.pxi)."""
    for table in TABLES:
        decoded.table(table).validate(full=True)
    events = decoded.table("events")
    times = events["time_ns"].to_pylist()
    assert events["seq"].to_pylist() == list(range(len(events))), name
    assert all(a < b for a, b in itertools.pairwise(times)), name


def test_profile() -> None:
    """Rows that are sound or a typed error, of what was found and of what it began with."""
    outcomes = set()
    inputs = [*dict(seeds.profile_seeds()).values(), *corpus.inputs("profile").values()]
    for data in {data[PROFILE_KNOBS:] for data in inputs}:
        limits = gotrace.Limits(memory_bytes=64 << 20, rows=200_000)
        for on_error in ("fail", "salvage"):
            try:
                source = gotrace.open(data, on_error=on_error, limits=limits)
                for _, batch in source.scan("all"):
                    batch.validate(full=True)
                outcomes.add("fine")
            except (gotrace.FormatError, gotrace.LimitError) as error:
                outcomes.add(type(error).__name__)
    assert outcomes >= {"fine"}


def test_the_corpus_is_kept() -> None:
    assert len(INPUTS) > 100
