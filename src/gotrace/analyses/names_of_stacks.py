"""What stacks are called: the place in the code that says most, in few words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.reading import Reading, Tables

COLUMNS: Final = ("stack_id", "site", "functions")
"""What `places` needs of `stacks`."""

_RUNTIME: Final = "runtime."


def places(batch: pa.RecordBatch) -> Iterator[tuple[int, str]]:
    """Give (stack_id, place) of stacks: the site; without one the first function above the runtime.

    A place is "" for a stack without a frame.
    """
    columns = (batch.column(name).to_pylist() for name in COLUMNS)
    for id, site, functions in zip(*columns, strict=True):
        if site is None:
            own = (name for name in functions if name and not name.startswith(_RUNTIME))
            site = next(own, functions[0] if functions else "")
        yield id, site or ""


def sites(tables: Tables, ids: Iterable[int]) -> dict[int, str]:
    """Give the places of some stacks, in one pass."""
    wanted = pa.array(sorted(set(ids)), pa.int64())
    found: dict[int, str] = {}
    if len(wanted):
        for _, batch in Reading(tables, {"stacks": COLUMNS}):
            found.update(places(batch.filter(pc.is_in(batch.column("stack_id"), wanted))))
    return found
