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
        if question.compat == "go":
            return _as_go(source, question)
        return trace_profile(source, question.by or DEFAULT, **question.where)


def _as_go(source: Trace, question: Question) -> ProfileColumns:
    """Give one of the four profiles of `go tool trace`, its delay under the view's name."""
    from dataclasses import replace

    from gotrace.analyses.delays import VIEWS, delay_profile
    from gotrace.analyses.selection import Where

    where = dict(question.where)
    if where.pop("creators", None):
        raise ValueError("--compat go: Go's profiles have no stacks of creators")
    window = {name: where.pop(name, None) for name in ("start", "end")}
    by = question.by or "none"
    profile = delay_profile(source, by, where=Where(**where), compat="go", **window)
    types = (profile.types[0], (by, profile.types[1][1]))
    facts = {**profile.facts, "views": tuple(VIEWS)}
    return replace(profile, types=types, default_type=by, facts=facts)
