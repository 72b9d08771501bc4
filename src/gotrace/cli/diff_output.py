"""A comparison as a file of another tool, by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gotrace.analyses.sides import Sides
    from gotrace.cli.stack_input import Question, Stacks

Compare = Callable[["str | None"], "Sides"]
Write = Callable[["Stacks", "Stacks", "Question", Compare, str, bool], None]


def writer_of(path: str | None) -> Write | None:
    """Find what writes a file of this name; None for a table, and for text."""
    if path is None:
        return None
    from gotrace.sinks.profile_proto import ending_of

    if ending_of(path):
        return _profile
    return next(
        (write for ending, write in _WRITERS.items() if path.lower().endswith(ending)), None
    )


def _page(
    base: Stacks, other: Stacks, question: Question, compare: Compare, path: str, overwrite: bool
) -> None:
    from gotrace.cli.flame_html import write_comparison

    write_comparison(base, other, question, compare, path, overwrite=overwrite)


def _folded(
    base: Stacks, other: Stacks, question: Question, compare: Compare, path: str, overwrite: bool
) -> None:
    from gotrace.analyses.flame import flame_diff_table
    from gotrace.sinks.flame_files import write_folded_diff

    write_folded_diff(flame_diff_table(compare(question.by)), path, overwrite=overwrite)


def _profile(
    base: Stacks, other: Stacks, question: Question, compare: Compare, path: str, overwrite: bool
) -> None:
    """Write the other less the base, every value type, as `go tool pprof -base` has it."""
    import numpy as np

    from gotrace.analyses.merge import Merger
    from gotrace.cli.profile_output import filtered, write_columns
    from gotrace.cli.stack_input import answering

    with answering():
        plus, minus = (filtered(each.columns, question) for each in (other, base))
        both = {kind for kind, _ in minus.types}
        scales = [compare(kind).scale if kind in both else 1.0 for kind, _ in plus.types]
        if any(scale != 1 for scale in scales):
            plus = replace(plus, values=np.rint(plus.values * scales).astype(np.int64))
        merger = Merger("exact")
        merger.add(plus)
        merger.add(replace(minus, values=-minus.values))
        left = merger.result()
    write_columns(left, path, overwrite=overwrite)


_WRITERS: Final[dict[str, Write]] = {
    ".html": _page,
    ".htm": _page,
    ".folded": _folded,
    ".collapsed": _folded,
}
