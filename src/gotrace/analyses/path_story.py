"""The critical path of a goroutine, with names for what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.critical_path import critical_path
from gotrace.analyses.names_of_stacks import COLUMNS, places
from gotrace.analyses.reading import Reading, Span, Tables
from gotrace.errors import UnknownNameError
from gotrace.tables.schema import schema
from gotrace.tables.times import When


@dataclass
class PathStory:
    """The critical path of a goroutine.

    Attributes:
        span: the stretch of the trace that was asked for.
        start_ns, end_ns: what of it the goroutine lived.
        path: the table `critical_path`; empty for a goroutine that is not there.
        sites: place in the code by stack.
        names: entry function by goroutine.
    """

    span: Span
    start_ns: int
    end_ns: int
    path: pa.Table
    sites: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)


def path_story(
    tables: Tables, goroutine: int, *, start: When | None = None, end: When | None = None
) -> PathStory:
    """Find out when a goroutine lived, then who held it up in that time.

    Of an id that lives several times it is the last life. Raises what `critical_path` raises.
    """
    columns = {"goroutines": ("goroutine", "created_at_ns", "ended_at_ns")}
    reading = Reading(tables, columns, start=start, end=end)
    created, ended = None, None
    for _, batch in reading:
        for row in batch.filter(pc.equal(batch.column("goroutine"), goroutine)).to_pylist():
            created, ended = row["created_at_ns"], row["ended_at_ns"]
    span = reading.span
    first = span.start_ns if created is None else max(span.start_ns, created)
    last = span.end_ns if ended is None else min(span.end_ns, ended)
    told = PathStory(span, first, last, schema("critical_path").empty_table())
    if first < last:
        told.path = path_if_any(tables, goroutine, first, last)
        told.sites, told.names = names_of(tables, told.path, (), first, last)
    return told


def path_if_any(tables: Tables, goroutine: int, start_ns: int, end_ns: int) -> pa.Table:
    """Give the table `critical_path`, empty where the goroutine has no part in that time."""
    try:
        return critical_path(tables, goroutine, start_ns, end_ns)
    except UnknownNameError:
        return schema("critical_path").empty_table()


def names_of(
    tables: Tables, path: pa.Table, stacks: Iterable[int | None], start_ns: int, end_ns: int
) -> tuple[dict[int, str], dict[int, str]]:
    """Give the places of the stacks of a path, and of some more, and its goroutines' names."""
    wanted = {*stacks, *path["stack_id"].unique().to_pylist()} - {None}
    ids, goroutines = pa.array(wanted, pa.int64()), path["goroutine"].unique()
    sites: dict[int, str] = {}
    names: dict[int, str] = {}
    columns = {"stacks": COLUMNS, "goroutines": ("goroutine", "name")}
    for name, batch in Reading(tables, columns, start=start_ns, end=end_ns):
        if name == "stacks":
            sites.update(places(batch.filter(pc.is_in(batch.column("stack_id"), ids))))
        else:
            kept = batch.filter(pc.is_in(batch.column("goroutine"), goroutines))
            pairs = zip(*(column.to_pylist() for column in kept.columns), strict=True)
            names |= {id: text for id, text in pairs if text}
    return sites, names
