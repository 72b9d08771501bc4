"""One task: its logs and regions in order, and its critical path; `gotrace tasks --id`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gotrace.cli.aligned import aligned, short_name, wrapped
from gotrace.cli.answers import brief, header, moment, next_lines, shell_word
from gotrace.cli.inputs import report_damage
from gotrace.cli.output import Output
from gotrace.cli.path_text import path_lines
from gotrace.cli.terminal import BAD, count, say

if TYPE_CHECKING:
    from gotrace.analyses.task_story import TaskStory
    from gotrace.tables.trace import Trace

_LINES = 40


def tell(trace: Trace, task: int, out: Output) -> int:
    """Write one task: as text, or its critical path as a table."""
    from gotrace.analyses.task_story import task_story

    told = task_story(trace, task)
    page = _Page(trace.name, told)
    out.write(told.path, page.lines())
    code = report_damage([trace], nothing=not told.span.duration_ns)
    if told.row is None and code != BAD:
        ids = ", ".join(map(str, told.ids)) or "none"
        say(f"no task {task}; there are {ids}")
    return code


class _Page:
    """A task as text."""

    def __init__(self, name: str, told: TaskStory) -> None:
        self._name, self._told, self._span = name, told, told.span

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        row = self._told.row
        if row is None:
            yield from header(self._name, self._span, "no such task")
            return
        name = row["name"] or "(no name)"
        about = f"task {row['task']} {name}: {brief(row['duration_ns'])}"
        yield from header(self._name, self._span, about)
        yield from wrapped(self._begin_and_end(row))
        if self._told.children:
            listed = ", ".join(
                f"{each['task']} {each['name'] or '(no name)'} {brief(each['duration_ns'])}"
                for each in self._told.children[:8]
            )
            yield from wrapped(f"{count(len(self._told.children), 'task')} under it: {listed}")
        yield ""
        yield from self._happenings()
        yield from self._critical_path()
        yield from next_lines(*self._next(row))

    def _begin_and_end(self, row: dict[str, Any]) -> str:
        begin = "it was there before the trace"
        if not row["open_start"]:
            site = short_name(self._told.sites.get(row["stack_id"]))
            begin = f"made at +{self._at(row['start_ns'])} by G{row['by_goroutine']} at {site}"
        end = "not ended" if row["open_end"] else f"ended at +{self._at(row['end_ns'])}"
        if row["end_goroutine"] is not None:
            end += f" by G{row['end_goroutine']}"
        parts = ", ".join(
            count(row[what], what.removesuffix("s")) for what in ("goroutines", "regions", "logs")
        )
        return f"{begin}; {end}; {parts}"

    def _happenings(self) -> Iterator[str]:
        rows = self._told.happenings
        if not rows:
            return
        before = self._told.row["start_ns"] if self._told.row else 0
        lines = []
        for at, row in enumerate(rows[:_LINES]):
            passed = row["time_ns"] - (rows[at - 1]["time_ns"] if at else before)
            who = f"G{row['goroutine']}" if row["goroutine"] is not None else ""
            lines.append([f"+{self._at(row['time_ns'])}", brief(max(passed, 0)), who, row["text"]])
        yield from aligned(["when", "after", "goroutine", "what"], lines, left=(2,))
        if len(rows) > _LINES:
            yield f"  … and {len(rows) - _LINES:,} more"
        yield ""

    def _critical_path(self) -> Iterator[str]:
        if self._told.path.num_rows:
            yield "  the critical path: back from the end, who held it up"
            yield from path_lines(self._told, self._at)

    def _next(self, row: dict[str, Any]) -> list[str]:
        file = shell_word(self._name)
        who = row["end_goroutine"] or row["by_goroutine"]
        go_on = [f"gotrace flame {file} --by wall --task {row['task']}"]
        if who is not None:
            start = self._at(row["start_ns"])
            go_on.append(f"gotrace goroutines {file} --id {who} --from +{start}s")
        return go_on

    def _at(self, time_ns: int) -> str:
        return moment(time_ns, self._span)
