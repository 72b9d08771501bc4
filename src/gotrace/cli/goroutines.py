"""`gotrace goroutines`: where goroutines spend their time, by what they run; the life of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.aligned import aligned, short_name, wrapped
from gotrace.cli.answers import (
    Window,
    answer_options,
    brief,
    header,
    next_lines,
    shell_word,
    trace_of,
    word_of,
)
from gotrace.cli.inputs import report_damage
from gotrace.cli.options import compat_option, limit_option
from gotrace.cli.output import Output
from gotrace.cli.terminal import BAD, count, say

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.analyses.reading import Span

_BY = {"exec": "exec_ns", "sched": "sched_ns", "block": "block_ns", "count": "count"}


@click.command()
@click.argument("file")
@click.option(
    "--group-by",
    type=click.Choice(["name", "site"]),
    default="name",
    show_default=True,
    help="Entry function, or place of the go statement.",
)
@click.option(
    "--group",
    metavar="TEXT",
    help="Only the group TEXT, or those with TEXT in their names, in detail.",
)
@click.option("--id", "goroutine", type=click.IntRange(min=1), help="The story of one goroutine.")
@click.option("--related", is_flag=True, help="With --id: who woke it, and who woke those.")
@click.option("--path", "critical", is_flag=True, help="With --id: its critical path.")
@click.option(
    "--sort",
    type=click.Choice(list(_BY)),
    default="exec",
    show_default=True,
    help="What the largest comes first of.",
)
@limit_option(20)
@compat_option()
@answer_options
def goroutines(
    file: str,
    group_by: str,
    group: str | None,
    goroutine: int | None,
    related: bool,
    critical: bool,
    sort: str,
    limit: int,
    compat: str | None,
    window: Window,
    out: Output,
    on_error: str,
) -> int:
    r"""Say where the goroutines of FILE spent their time: running, queueing, blocked.

    \b
    gotrace goroutines app.trace                       groups by entry function
    gotrace goroutines app.trace --group-by site       by go statement
    gotrace goroutines app.trace --id 18 --from +1s    the life of goroutine 18, with wakers
    gotrace goroutines app.trace --id 18 --path        back from its end, who held it up
    """
    if compat and (goroutine or any(window.values())):
        raise click.UsageError("--compat go: Go has no numbers of a part of the trace")
    if (related or critical) and goroutine is None:
        option = "--related" if related else "--path"
        raise click.UsageError(f"{option}: of which goroutine? --id says it")
    with trace_of(file, on_error) as trace:
        if critical and goroutine is not None:
            from gotrace.cli.path_text import tell_path

            return tell_path(trace, goroutine, window, out)
        if related and goroutine is not None:
            from gotrace.cli.related_text import tell_related

            return tell_related(trace, goroutine, limit, window, out)
        if goroutine is not None:
            from gotrace.cli.story import tell

            return tell(trace, goroutine, limit, window, out)
        from gotrace.analyses.goroutines import grouped

        table, span = grouped(trace, group_by, **window, compat=compat)
        table = _chosen(table, group, sort)
        page = _Page(trace.name, table, span, group_by, detailed=group is not None, limit=limit)
        out.write(table, page.lines())
        code = report_damage([trace], nothing=not span.duration_ns)
        if not table.num_rows and code != BAD:
            say(f"no goroutines: {_why_none(trace, group, span)}")
        return code


def _chosen(table: pa.Table, group: str | None, sort: str) -> pa.Table:
    import pyarrow.compute as pc

    if group is not None:
        exact = pc.fill_null(pc.equal(table["group"], group), False)
        text = pc.fill_null(pc.match_substring(table["group"], group), False)
        table = table.filter(exact if pc.any(exact).as_py() else text)
    return table.sort_by([(_BY[sort], "descending"), ("group", "ascending")])


def _why_none(trace: Any, group: str | None, span: Span) -> str:
    if group is not None:
        return f"no group has {group!r} in its name; without --group all are listed"
    if not span.duration_ns:
        return "the trace, or the stretch of it that was asked for, is empty"
    return "none is in this stretch of the trace"


class _Page:
    """The groups as text."""

    def __init__(
        self,
        name: str,
        table: pa.Table,
        span: Span,
        group_by: str,
        *,
        detailed: bool,
        limit: int,
    ) -> None:
        self._name, self._span = name, span
        self._by = "entry function" if group_by == "name" else "go statement"
        self._groups = table.num_rows
        self._goroutines = sum(table["count"].to_pylist())
        self._exec = sum(table["exec_ns"].to_pylist())
        self._rows = table.slice(0, limit).to_pylist()
        self._detailed = detailed

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        about = f"{count(self._goroutines, 'goroutine')} in {count(self._groups, 'group')}"
        yield from header(self._name, self._span, f"{about} by {self._by}")
        if not self._rows:
            return
        yield from self._details() if self._detailed else self._table()
        if (more := self._groups - len(self._rows)) > 0:
            yield f"  … and {count(more, 'group')} more: --limit {self._groups}"
        yield from next_lines(*self._next())

    def _table(self) -> Iterator[str]:
        head = ["count", "alive", "exec", "%", "sched", "syscall", "assist", "blocked", "mostly"]
        rows = [
            [
                f"{row['count']:,}",
                f"{row['alive']:,}" if row["alive"] else "",
                brief(row["exec_ns"]),
                self._share(row["exec_ns"]),
                brief(row["sched_ns"]),
                brief(row["syscall_ns"] + row["syscall_block_ns"]),
                brief(row["assist_ns"]) if row["assist_ns"] else "",
                brief(row["block_ns"]),
                row["block"][0]["reason"] if row["block"] else "",
                short_name(row["group"]),
            ]
            for row in self._rows
        ]
        yield from aligned([*head, self._by], rows, left=(8,), optional=(3, 6, 8), most={8: 12})
        yield ""
        yield from wrapped(
            "alive: at the end; exec: running; sched: ready, but waiting for a proc; blocked: "
            "waiting, mostly for what is named; sums over the group"
        )

    def _details(self) -> Iterator[str]:
        for place, row in enumerate(self._rows):
            if place:
                yield ""
            yield from _detail(row)

    def _share(self, part: int) -> str:
        return f"{100 * part / self._exec:.0f} %" if self._exec else ""

    def _next(self) -> list[str]:
        file = shell_word(self._name)
        if self._detailed:
            group = word_of(self._rows[0]["group"] or "")
            own = f" --group {group}" if group and self._by == "entry function" else ""
            return [f"gotrace flame {file} --by wall{own}", f"gotrace blocking {file}"]
        names = (row["group"] for row in self._rows if not row["is_system"])
        word = word_of(short_name(next(names, None)).split(" ")[0])
        detail = f" --group {word}" if word and "unknown" not in word else ""
        return [
            f"gotrace goroutines {file}{detail or ' --group-by site'}",
            f"gotrace blocking {file}",
            f"gotrace sched {file}",
        ]


def _detail(row: dict[str, Any]) -> Iterator[str]:
    """Yield everything about a group."""
    yield from wrapped(row["group"] or "(unknown)", "")
    yield f"  {count(row['count'], 'goroutine')}, {row['alive']:,} alive at the end"
    times = [
        [label, brief(row[f"{name}_ns"]), *_spread(row, name)]
        for label, name in (
            ("running", "exec"),
            ("ready, no proc", "sched"),
            ("blocked", "block"),
            ("syscall", "syscall"),
            ("syscall, proc lost", "syscall_block"),
            ("GC assist, within", "assist"),
            ("unknown", "unknown"),
            ("life", "total"),
        )
        if row[f"{name}_ns"]
    ]
    head = ["", "sum", "p50", "p90", "p99", "max", "of each goroutine"]
    yield from aligned(head, [[*each, ""] for each in times], left=(0,))
    for kind, label in (("block", "blocked in"), ("range", "in")):
        word = "reason" if kind == "block" else "name"
        parts = [f"{each[word] or 'no reason given'} {brief(each['ns'])}" for each in row[kind]]
        if parts:
            yield from wrapped(f"{label}: {', '.join(parts[:8])}")


def _spread(row: dict[str, Any], name: str) -> list[str]:
    if f"{name}_p50_ns" not in row:
        return [""] * 4
    return [brief(row[f"{name}_{short}_ns"]) for short in ("p50", "p90", "p99", "max")]
