"""Damaged traces through every table, analysis and sink: an answer or a typed error, and soon.

A few of them always; `GOTRACE_SOAK=1` takes `GOTRACE_MUTANTS` of them (400 if it says nothing).
"""

from __future__ import annotations

import faulthandler
import io
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

import gotrace
from gotrace.analyses.as_tables import as_tables
from gotrace.analyses.delays import profile_and_span
from gotrace.analyses.gc import RESULTS as GC_RESULTS
from gotrace.analyses.related import related
from gotrace.analyses.story import story
from gotrace.analyses.trace_flame import VIEWS
from gotrace.errors import FormatError, GotraceError
from gotrace.sinks.perfetto import write_perfetto
from gotrace.sinks.profile_proto import write_profile
from tests.core.decoding import real, real_names
from tests.differential.mutants import CHANGES
from tests.soak.results import SOAK, record

COUNT = int(os.environ.get("GOTRACE_MUTANTS", "400")) if SOAK else 8
#: No input of these sizes takes a second; on a busy machine it may wait for its turn.
HANG_SECONDS = 300
ANSWERED: list[int] = []


def mutant(number: int) -> tuple[str, list[str], bytes]:
    """A recorded trace with one to four changes, the same for the same number."""
    rng = random.Random(f"analyses {number}")
    parent = rng.choice(real_names())
    data, changes = real(parent), []
    for _ in range(rng.choice((1, 1, 2, 4))):
        name = rng.choice(list(CHANGES))
        try:
            data = CHANGES[name](data, rng)
        except (FormatError, IndexError, ValueError):  # nothing is left that could be changed so
            continue
        changes.append(name)
    return parent, changes, data


def pprof(trace: gotrace.Trace, by: str) -> None:
    write_profile(as_tables(profile_and_span(trace, by)[0]), io.BytesIO())


def of_one_goroutine(trace: gotrace.Trace) -> None:
    """What is asked of one goroutine: the one with the most events."""
    lives = trace.table("goroutines", ["goroutine", "runs", "start_ns", "end_ns"]).to_pylist()
    if not lives:
        return
    most = max(lives, key=lambda life: life["runs"])
    related(trace, most["goroutine"])
    story(trace, most["goroutine"])
    first = min(life["start_ns"] for life in lives)
    gotrace.critical_path(trace, most["goroutine"], first, max(life["end_ns"] for life in lives))


def sql(trace: gotrace.Trace) -> None:
    """DuckDB keeps the text of an error only; the trace has the error."""
    try:
        gotrace.connect(trace).sql("SELECT count(*) FROM events").fetchall()
    except duckdb.Error:
        if trace.fault is None:
            raise


def mmu_of_go(trace: gotrace.Trace) -> None:
    """Where Go's own computation panics there is nothing to be equal to."""
    try:
        gotrace.gc(trace, "mmu", compat="go")
    except ValueError as error:
        if "go tool trace fails on this trace" not in str(error):
            raise


def windows(trace: gotrace.Trace) -> None:
    generations = trace.generations()
    for generation in generations[:2]:
        trace.table("events", generations=[generation.number])
    trace.table("goroutine_states", start="+1ms", end="+5ms")


ANALYSES: dict[str, Callable[[gotrace.Trace], Any]] = {
    "tables": lambda trace: list(trace.scan("all")),
    "small batches": lambda trace: list(trace.scan("all", batch_rows=7)),
    "windows": windows,
    "info": lambda trace: trace.info(),
    "goroutines": gotrace.goroutines,
    "goroutines of Go": lambda trace: gotrace.goroutines(trace, compat="go"),
    "goroutines of a window": lambda trace: gotrace.goroutines(trace, start="+1ms", end="+9ms"),
    "one goroutine": of_one_goroutine,
    "blocking": gotrace.blocking,
    "sched": gotrace.sched,
    **{f"gc {what}": lambda trace, what=what: gotrace.gc(trace, what) for what in GC_RESULTS},
    "gc mmu of Go": mmu_of_go,
    "tasks": gotrace.tasks,
    "regions": gotrace.regions,
    **{f"flame {by}": lambda trace, by=by: gotrace.flame(trace, by) for by in VIEWS},
    **{
        f"pprof {by}": lambda trace, by=by: pprof(trace, by)
        for by in ("net", "sync", "syscall", "sched")
    },
    "perfetto": lambda trace: write_perfetto(trace, io.BytesIO()),
    "diff": lambda trace: gotrace.diff(trace, trace),
    "sql": sql,
}


@pytest.fixture(autouse=True)
def nothing_hangs() -> Iterator[None]:
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("number", range(COUNT))
def test_answers_of_damaged_traces(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    parent, changes, data = mutant(number)
    monkeypatch.setattr(
        "gotrace.tables.trace.usable_threads", lambda threads: threads or 1 + number % 2
    )
    foreign = []
    chosen = ANALYSES if SOAK else random.Random(number).sample(sorted(ANALYSES), 8)
    for name in chosen:
        for on_error in ("salvage",) if number % 4 else ("fail", "skip"):
            began = time.process_time()
            try:
                with gotrace.open(data, on_error=on_error) as trace:
                    ANALYSES[name](trace)
            except GotraceError:
                pass
            except Exception as error:
                foreign.append(f"{name}, {on_error}: {error!r}")
            if time.process_time() - began > 20:
                foreign.append(f"{name}, {on_error}: took {time.process_time() - began:.0f} s")
    assert foreign == [], (parent, changes)
    ANSWERED.append(number)


def test_what_was_answered_is_written_down() -> None:
    record("damaged traces", traces=len(ANSWERED), analyses=len(ANALYSES))
