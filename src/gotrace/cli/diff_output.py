"""A comparison as a file of another tool, by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gotrace.analyses.sides import Sides
    from gotrace.cli.stack_input import Question, Stacks

Write = Callable[["Stacks", "Stacks", "Question", "Sides", str, bool], None]


def writer_of(path: str | None) -> Write | None:
    """Find what writes a file of this name; None for a table, and for text."""
    if path is None:
        return None
    from gotrace.sinks.profile_proto import ending_of

    if ending_of(path):
        return _profile
    return _folded if path.lower().endswith((".folded", ".collapsed")) else None


def _folded(
    base: Stacks, other: Stacks, question: Question, sides: Sides, path: str, overwrite: bool
) -> None:
    from gotrace.analyses.flame import flame_diff_table
    from gotrace.sinks.flame_files import write_folded_diff

    write_folded_diff(flame_diff_table(sides), path, overwrite=overwrite)


def _profile(
    base: Stacks, other: Stacks, question: Question, sides: Sides, path: str, overwrite: bool
) -> None:
    """Write the other less the base, every value type, as `go tool pprof -base` has it."""
    import numpy as np

    from gotrace.analyses.merge import Merger
    from gotrace.cli.profile_output import filtered, write_columns
    from gotrace.cli.stack_input import answering

    with answering():
        plus, minus = (filtered(each.columns, question) for each in (other, base))
        if sides.scale != 1:
            scaled = np.rint(plus.values * sides.scale).astype(np.int64)
            plus = replace(plus, values=scaled)
        merger = Merger("exact")
        merger.add(plus)
        merger.add(replace(minus, values=-minus.values))
        left = merger.result()
    write_columns(left, path, overwrite=overwrite)
