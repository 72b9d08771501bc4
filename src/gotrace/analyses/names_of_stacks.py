"""What stacks are called."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.reading import Reading, Tables


def sites(tables: Tables, ids: Iterable[int]) -> dict[int, str]:
    """Give the place in the code of some stacks: their site, else their leaf. One pass."""
    wanted = pa.array(sorted(set(ids)), pa.int64())
    found: dict[int, str] = {}
    if not len(wanted):
        return found
    for _, batch in Reading(tables, {"stacks": ("stack_id", "site", "leaf")}):
        kept = batch.filter(pc.is_in(batch.column("stack_id"), wanted))
        for id, site, leaf in zip(*(column.to_pylist() for column in kept.columns), strict=True):
            found[id] = site or leaf or ""
    return found
