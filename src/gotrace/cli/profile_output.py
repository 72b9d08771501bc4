"""What is left of profiles, written as a profile for pprof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gotrace.analyses.profile_columns import ProfileColumns
    from gotrace.cli.stack_input import Question


def filtered(columns: ProfileColumns, question: Question) -> ProfileColumns:
    """Leave of the samples what the filters of a question leave, with all their values."""
    from gotrace.analyses.filters import apply, prepare
    from gotrace.cli.stack_input import answering

    with answering():
        left = apply(prepare(columns, question.filters, question.label_unit), question.filters)
    if question.filters.all_frames:
        return left
    # The frames that it said to drop are gone, and go once only.
    facts = {name: left.facts[name] for name in left.facts if not name.endswith("_frames")}
    return replace(left, facts=facts)


def write_columns(columns: ProfileColumns, path: str, *, overwrite: bool) -> int:
    """Write columns as profile.proto, packed as the ending of the name says."""
    from gotrace.analyses.as_tables import as_tables
    from gotrace.sinks.profile_proto import ENDINGS, ending_of, write_profile

    ending = ending_of(path)
    assert ending is not None
    return write_profile(as_tables(columns), path, compression=ENDINGS[ending], overwrite=overwrite)
