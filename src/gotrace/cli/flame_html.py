"""Flames and comparisons of them as one HTML page, a value type beside the other."""

from __future__ import annotations

from collections.abc import Callable

from gotrace.analyses.flame import flame_diff_table
from gotrace.analyses.sides import Sides
from gotrace.cli.flame_output import Flame
from gotrace.cli.stack_input import Question, Stacks
from gotrace.cli.stack_text import filter_text, wall_second
from gotrace.cli.terminal import count, say
from gotrace.sinks.flame_page import PageFlame, write_flame_page


def write_flames(flame: Flame, path: str, *, overwrite: bool) -> None:
    """Write a page with the flame of every value type that has one, the wanted one first shown."""
    stacks, question = flame.stacks, flame.question
    columns = stacks.columns
    wanted = columns.type_index(question.by)
    filled = [at for at in range(len(columns.types)) if at == wanted or columns.values[:, at].any()]
    flames = [PageFlame(flame.table(str(at)), *columns.types[at]) for at in filled]
    left_out = write_flame_page(
        flames,
        path,
        title=stacks.name,
        facts={**_times(stacks), **_filters(question)},
        shown=filled.index(wanted),
        overwrite=overwrite,
    )
    _told(left_out)


def write_comparison(
    base: Stacks,
    other: Stacks,
    question: Question,
    compare: Callable[[str], Sides],
    path: str,
    *,
    overwrite: bool,
) -> None:
    """Write a page with the comparison of every value type that both have; `compare` makes it."""
    ours = {kind for kind, _ in base.columns.types}
    wanted = other.columns.types[other.columns.type_index(question.by)][0]
    kinds = [kind for kind, _ in other.columns.types if kind in ours]
    sides = [compare(kind) for kind in kinds]
    flames = [PageFlame(flame_diff_table(each), each.kind, each.unit) for each in sides]
    left_out = write_flame_page(
        flames,
        path,
        title=f"{base.name} → {other.name}",
        facts={"base": base.name, "new": other.name, **_filters(question)},
        shown=kinds.index(wanted),
        overwrite=overwrite,
    )
    _told(left_out)


def _times(stacks: Stacks) -> dict[str, str]:
    from gotrace.cli.moments import duration

    facts, told = stacks.columns.facts, {}
    if facts.get("time_ns"):
        told["time"] = wall_second(facts["time_ns"])
    if facts.get("duration_ns"):
        told["duration"] = duration(facts["duration_ns"])
    return told


def _filters(question: Question) -> dict[str, str]:
    return {"filters": filter_text(question)} if question.given_filters else {}


def _told(left_out: int) -> None:
    if left_out:
        say(f"{count(left_out, 'node')} too small to see were left out of the page")
