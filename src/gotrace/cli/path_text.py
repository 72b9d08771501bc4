"""The critical path of a goroutine, as `gotrace goroutines --id N --path` tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from gotrace.cli.aligned import aligned, line_first, short_name, wrapped
from gotrace.cli.answers import (
    STATES,
    Window,
    brief,
    header,
    moment,
    next_lines,
    shell_word,
    split_text,
)
from gotrace.cli.inputs import report_damage
from gotrace.cli.output import Output
from gotrace.cli.terminal import BAD, clean, count, say

if TYPE_CHECKING:
    from gotrace.analyses.path_story import PathStory
    from gotrace.analyses.task_story import TaskStory
    from gotrace.tables.trace import Trace

_SEGMENTS = 20


def tell_path(trace: Trace, goroutine: int, window: Window, out: Output) -> int:
    """Write the table `critical_path` of a goroutine, or the same as text."""
    from gotrace.analyses.path_story import path_story

    told = path_story(trace, goroutine, **window)
    out.write(told.path, _lines(trace.name, goroutine, told))
    code = report_damage([trace], nothing=not told.span.duration_ns)
    if not told.path.num_rows and code != BAD:
        say(f"no critical path: goroutine {goroutine} has no part in this time")
    return code


def _lines(file: str, goroutine: int, told: PathStory) -> Iterator[str]:
    name = short_name(told.names.get(goroutine))
    yield from header(file, told.span, f"goroutine {goroutine}  {clean(name)}")
    if not told.path.num_rows:
        return

    def at(time_ns: int) -> str:
        return moment(time_ns, told.span)

    lived = f"+{at(told.start_ns)} to +{at(told.end_ns)}"
    yield from wrapped(f"the critical path, {lived}: back from the end, who held it up")
    yield from path_lines(told, at)
    row = max(told.path.to_pylist(), key=lambda row: row["duration_ns"])
    shown = shell_word(file)
    when = f"--from +{at(row['start_ns'])}s --to +{at(row['end_ns'])}s"
    yield from next_lines(
        f"gotrace goroutines {shown} --id {row['goroutine']} {when}",
        f"gotrace sched {shown} {when}",
    )


def path_lines(told: PathStory | TaskStory, at: Callable[[int], str]) -> Iterator[str]:
    """Yield what a path was spent on, and its long segments in order; short ones are one line."""
    from gotrace.analyses.critical_path import split_of

    sites, names = told.sites, told.names
    segments: list[dict[str, Any]] = told.path.to_pylist()
    yield from wrapped(split_text(split_of(told.path)), "    ")
    longest = sorted(segments, key=lambda row: -row["duration_ns"])[:_SEGMENTS]
    shown = {id(row) for row in longest}
    rows: list[list[str]] = []
    skipped: list[dict[str, Any]] = []

    def put_skipped() -> None:
        if skipped:
            time = sum(row["duration_ns"] for row in skipped)
            rows.append(["", brief(time), "", "", f"{count(len(skipped), 'short segment')}"])
            skipped.clear()

    for row in segments:
        if id(row) not in shown:
            skipped.append(row)
            continue
        put_skipped()
        word = row["wait"] if row["state"] == "waiting" else STATES.get(row["state"], "unknown")
        site = sites.get(row["stack_id"]) if row["stack_id"] is not None else None
        where = line_first(short_name(site or names.get(row["goroutine"])))
        when = f"+{at(row['start_ns'])}"
        lasted = brief(row["duration_ns"])
        rows.append([when, lasted, word or "waiting", f"G{row['goroutine']}", clean(where)])
    put_skipped()
    yield from aligned(["from", "for", "", "goroutine", "where"], rows, left=(2, 3))
