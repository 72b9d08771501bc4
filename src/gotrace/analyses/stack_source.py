"""Stacks of whatever has some: a profile as it is, a trace by one of its views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from gotrace.analyses.profile_columns import ProfileColumns, from_tables
from gotrace.analyses.selection import Where

_OF_TRACES: Final = ("start", "end", *Where._fields)


def columns_of(tables: Any, value: str | None, choices: dict[str, Any]) -> ProfileColumns:
    """Give the columns of a profile, or of a trace weighed by the view `value` (None: wall).

    What of `choices` says which part of a trace is wanted is taken out of it; it is as for
    `trace_profile`. Raises what `from_tables` or `trace_profile` raises.
    """
    if not is_trace(tables):
        return from_tables(tables, compat=choices.get("compat"))
    from gotrace.analyses.trace_flame import trace_profile

    where = {name: choices.pop(name) for name in _OF_TRACES if name in choices}
    return trace_profile(tables, value or "wall", **where)


def is_trace(tables: Any) -> bool:
    """Whether these are the tables of a trace, or an opened one."""
    if isinstance(tables, Mapping):
        return isinstance(tables.get("goroutine_states"), pa.Table)
    return getattr(tables, "kind", None) == "trace"
