"""The stacks of an execution trace, for the verbs over stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gotrace.analyses.profile_columns import ProfileColumns
    from gotrace.cli.stack_input import Question
    from gotrace.tables.trace import Trace

DEFAULT = "wall"


def stacks(source: Trace, question: Question) -> ProfileColumns:
    """Weigh the stacks of a trace by the view that was asked for."""
    from gotrace.analyses.trace_flame import trace_profile
    from gotrace.cli.stack_input import answering

    with answering():
        return trace_profile(source, question.by or DEFAULT, **question.where)
