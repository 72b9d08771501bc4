"""A flame as a file of another tool, by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gotrace.cli.stack_input import Question, Stacks, answering

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Flame:
    """The flame that is asked for."""

    stacks: Stacks
    question: Question
    upside_down: bool

    def table(self, value: str | None = None) -> pa.Table:
        """Make the table `flame`, of another value type than the wanted one by its name."""
        from gotrace.analyses.flame import flame_of

        with answering():
            return flame_of(
                self.stacks.columns,
                value or self.question.by,
                **self.question.choices,
                upside_down=self.upside_down,
            )


Write = Callable[[Flame, str, bool], None]


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


def _page(flame: Flame, path: str, overwrite: bool) -> None:
    from gotrace.cli.flame_html import write_flames

    write_flames(flame, path, overwrite=overwrite)


def _folded(flame: Flame, path: str, overwrite: bool) -> None:
    from gotrace.sinks.flame_files import write_folded

    write_folded(flame.table(), path, overwrite=overwrite)


def _speedscope(flame: Flame, path: str, overwrite: bool) -> None:
    from gotrace.sinks.flame_files import write_speedscope

    columns = flame.stacks.columns
    kind, unit = columns.types[columns.type_index(flame.question.by)]
    name = f"{flame.stacks.name} {kind}"
    write_speedscope(flame.table(), path, name=name, unit=unit, overwrite=overwrite)


def _profile(flame: Flame, path: str, overwrite: bool) -> None:
    from gotrace.cli.profile_output import filtered, write_columns

    write_columns(filtered(flame.stacks.columns, flame.question), path, overwrite=overwrite)


_WRITERS: Final[dict[str, Write]] = {
    ".html": _page,
    ".htm": _page,
    ".folded": _folded,
    ".collapsed": _folded,
    ".speedscope.json": _speedscope,
}
