"""The story of one goroutine, as `gotrace goroutines --id` tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gotrace.cli.aligned import aligned, line_first, short_name, width_of_page, wrapped
from gotrace.cli.answers import STATES, Window, brief, header, moment, next_lines, shell_word
from gotrace.cli.inputs import report_damage
from gotrace.cli.output import Output
from gotrace.cli.terminal import BAD, clean, count, fit, say

if TYPE_CHECKING:
    from gotrace.analyses.story import Story
    from gotrace.tables.trace import Trace

_WAITS_SHOWN = 5


def tell(trace: Trace, goroutine: int, limit: int, window: Window, out: Output) -> int:
    """Write the life of a goroutine: as text, or its rows of `goroutine_states`."""
    from gotrace.analyses.story import story

    told = story(trace, goroutine, **window)
    page = _Page(trace.name, goroutine, told, limit)
    out.write(told.states, page.lines())
    code = report_damage([trace], nothing=not told.span.duration_ns)
    if not told.states.num_rows and code != BAD:
        say(f"no goroutine {goroutine} here; there are {_some(told.ids)}")
    return code


def _some(ids: list[int]) -> str:
    shown = ", ".join(map(str, ids[:12]))
    return f"{shown}, …" if len(ids) > 12 else shown or "none"


class _Page:
    """The story as text."""

    def __init__(self, name: str, goroutine: int, told: Story, limit: int) -> None:
        self._name, self._goroutine, self._told = name, goroutine, told
        self._span, self._limit = told.span, limit

    def lines(self) -> Iterator[str]:
        """Yield the page."""
        names = [short_name(life["name"]) for life in self._told.lives] or ["(unknown)"]
        if not self._told.states.num_rows:
            yield from header(self._name, self._span, f"no goroutine {self._goroutine}")
            return
        yield from header(self._name, self._span, f"goroutine {self._goroutine}  {names[0]}")
        for life in self._told.lives:
            yield from self._life(life)
        yield from self._waits()
        yield ""
        yield from self._timeline()
        yield from next_lines(*self._next())

    def _life(self, life: dict[str, Any]) -> Iterator[str]:
        partly = self._told.partly
        begin = f"it was there before {'this stretch' if partly else 'the trace'}"
        if life["created_at_ns"] is not None:
            by = f" by G{life['parent']}" if life["parent"] is not None else ""
            site = self._site(life["creation_stack_id"])
            begin = f"made at +{self._at(life['created_at_ns'])}{by}{site and f' at {site}'}"
        end = "it lives on" if partly else "alive at the end"
        if life["ended_at_ns"] is not None:
            end = f"ended at +{self._at(life['ended_at_ns'])}"
        elif not partly and life["last_state"] == "waiting":
            site = self._site(life["last_stack_id"])
            end = f"at the end it waits: {life['last_wait']}{site and f' at {site}'}"
        yield from wrapped(f"{begin}; {end}")
        times = (
            ("running", "exec_ns"),
            ("ready, but not running", "sched_ns"),
            ("blocked", "block_ns"),
            ("in system calls", "syscall_ns"),
            ("in system calls without a proc", "syscall_block_ns"),
        )
        parts = [f"{label} {brief(life[name])}" for label, name in times if life[name]]
        split = ", ".join(parts) or "nothing is known of it"
        runs = f" in {count(life['runs'], 'turn')}" if life["runs"] else ""
        yield from wrapped(f"of {brief(life['total_ns'])}: {split}{runs}")

    def _waits(self) -> Iterator[str]:
        if not self._told.waits:
            return
        yield ""
        rows = [
            [brief(ns), wait, self._site(stack) or "(no stack)"]
            for wait, stack, ns in self._told.waits[:_WAITS_SHOWN]
        ]
        yield from aligned(["waited", "for", "at"], rows, left=(1,))

    def _timeline(self) -> Iterator[str]:
        states = self._told.states.sort_by([("start_ns", "ascending"), ("end_seq", "ascending")])
        rows = states.slice(0, 2 * self._limit + 1).to_pylist()
        turns = list(_turns(rows))
        shown = turns[: self._limit]
        head = ["when", "for", "then ready", "", "on, or by", "where"]
        turns_told = [self._turn(row, after) for row, after in shown]
        yield from aligned(head, turns_told, left=(3, 4), optional=(2,), most={4: 20}, least=22)
        if len(turns) > len(shown) or states.num_rows > len(rows):
            last = shown[-1][1] or shown[-1][0]
            more = f"more follow: --from +{self._at(last['end_ns'])}s, or --limit"
            yield fit(f"  … {more}", width_of_page())

    def _turn(self, row: dict[str, Any], after: dict[str, Any] | None) -> list[str]:
        when = f"{'≤' if row['open_start'] else ''}+{self._at(row['start_ns'])}"
        lasted = f"{brief(row['duration_ns'])}{'+' if row['open_end'] else ''}"
        word = STATES.get(row["state"], row["wait"] or row["state"])
        ready = brief(after["duration_ns"]) if after is not None else ""
        who = self._waker(row)
        where = self._place(row["stack_id"])
        if row["state"] == "running":
            who = f"P{row['proc']}" if row["proc"] is not None else ""
            until = self._place(row["end_stack_id"])
            where = until and f"until {until}"
        elif row["state"] == "runnable":
            verb = {"create": "made", "unblock": "woken", "switch": "switched to"}
            where = verb.get(row["by_kind"] or "", row["reason"] or "")
        return [when, lasted, ready, word, who, where]

    def _waker(self, row: dict[str, Any]) -> str:
        """Name who woke it: the goroutine, and the line, or else the function."""
        if row["by_kind"] is None:
            return ""
        if row["by_goroutine"] is None:
            return "the runtime"
        name, _, line = self._site(row["by_stack_id"]).partition(" ")
        root = short_name(self._told.roots.get(row["by_stack_id"]))
        return f"G{row['by_goroutine']} {line or name or root}".rstrip()

    def _site(self, stack: int | None) -> str:
        """Name a stack; "" for none."""
        site = self._told.sites.get(stack) if stack is not None else None
        return clean(short_name(site)) if site else ""

    def _place(self, stack: int | None) -> str:
        """Name a stack with its line first, which must not be cut."""
        return line_first(self._site(stack))

    def _at(self, time_ns: int) -> str:
        return moment(time_ns, self._span)

    def _next(self) -> list[str]:
        file = shell_word(self._name)
        parent = next((life["parent"] for life in self._told.lives if life["parent"]), None)
        go_on = [f"gotrace events {file} --goroutine {self._goroutine} --limit 50"]
        own = f"gotrace goroutines {file} --id {self._goroutine}"
        if any(self._told.roots):
            go_on += [f"{own} --path", f"{own} --related"]
        if parent is not None:
            go_on.append(f"gotrace goroutines {file} --id {parent}")
        return go_on


def _turns(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Pair a wait with the time ready after it, which a line tells together."""
    at = 0
    while at < len(rows):
        row = rows[at]
        after = rows[at + 1] if at + 1 < len(rows) else None
        if (
            row["state"] in ("waiting", "syscall")
            and after is not None
            and after["state"] == "runnable"
            and after["next_state"] == "running"
        ):
            yield row, after
            at += 2
        else:
            yield row, None
            at += 1
