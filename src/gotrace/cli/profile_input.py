"""The stacks of a profile, for the verbs over stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gotrace.analyses.profile_columns import ProfileColumns
    from gotrace.cli.stack_input import Question
    from gotrace.tables.profile import Profile


def stacks(source: Profile, question: Question) -> ProfileColumns:
    """Read the samples of a profile; several profiles in one file are added up."""
    from gotrace.analyses.merge import merge
    from gotrace.analyses.profile_columns import each_profile
    from gotrace.cli.stack_input import answering

    with answering():
        found = list(each_profile(source, compat=question.compat))
        return found[0] if len(found) == 1 else merge(found, "exact")
