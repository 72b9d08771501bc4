"""`gotrace events`: the events of a trace, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import click

from gotrace.cli.inputs import on_error_option, open_trace, report_damage
from gotrace.cli.moments import seconds, wall
from gotrace.cli.options import window_options
from gotrace.cli.output import (
    FORMATS,
    format_of,
    raw_output_options,
    text_output,
    write_lines,
    write_rows,
)
from gotrace.cli.terminal import BAD, clean, count, fit, say
from gotrace.spec.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.tables.generations import Generation
    from gotrace.tables.trace import Trace

_SHOWN = 12
_SITE_COLUMNS = ("stack_id", "leaf", "site")


@click.command()
@click.argument("file")
@window_options
@click.option(
    "--goroutine",
    "goroutines",
    type=click.IntRange(min=1),
    multiple=True,
    help="Only what this goroutine does, or what is done to it. Repeatable.",
)
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    metavar="KIND",
    multiple=True,
    help=f"Only this kind of event; repeatable. {', '.join(KINDS)}.",
)
@click.option("--limit", type=click.IntRange(min=0), help="Stop after so many events.")
@raw_output_options
@click.option(
    "--wire", is_flag=True, help="The records as the runtime wrote them, in Go's own text form."
)
@on_error_option
def events(
    file: str,
    start: str | None,
    end: str | None,
    goroutines: tuple[int, ...],
    kinds: tuple[str, ...],
    limit: int | None,
    form: str | None,
    path: str | None,
    overwrite: bool,
    wire: bool,
    on_error: str,
) -> int:
    r"""Print the events of FILE in order, a line each.

    Times are seconds from the start of the trace, G, P and M are goroutine, proc and thread that
    the event happened on, and the line ends with the place in the code.

    \b
    gotrace events app.trace --from +1.5s --to +1.6s --goroutine 18
    gotrace events app.trace --kind log --kind task_begin --format json
    """
    if wire:
        from gotrace.cli.wire_text import write_wire

        if start or end or goroutines or kinds or limit is not None or form:
            raise click.UsageError(
                "--wire prints the whole trace: it takes no filter and no format"
            )
        with text_output(path, overwrite=overwrite) as out:
            return write_wire(file, on_error, out)
    form = format_of(path, form, FORMATS)
    wish = _Wish(start, end, goroutines, kinds, limit)
    trace = open_trace(file, on_error)
    chosen = _Chosen(trace, wish)
    if form == "text":
        with text_output(path, overwrite=overwrite) as out:
            rows = _print(chosen, trace.name, out)
    else:
        from gotrace.tables.schema import schema

        rows = write_rows(chosen, schema("events"), form, path, overwrite=overwrite)
    code = report_damage([trace], nothing=not chosen.seen_events)
    if not rows and limit != 0 and code != BAD:
        say(f"no events: {chosen.why_none()}")
    return code


@dataclass(frozen=True)
class _Wish:
    """Which events a user wants."""

    start: str | None
    end: str | None
    goroutines: tuple[int, ...]
    kinds: tuple[str, ...]
    limit: int | None

    @property
    def filters(self) -> dict[str, Any]:
        """The same as arguments of `Trace.scan`, but for the limit."""
        return {
            "start": self.start,
            "end": self.end,
            "kinds": self.kinds or None,
            "goroutines": self.goroutines or None,
        }


class _Chosen:
    """The batches of the events that a user wants, and what else was seen on the way.

    Attributes:
        start_ns: trace time of the first event, once a batch came.
        wall_ns: Unix time of the first event, or None.
        sites: names of the stacks that came so far, clean.
        seen_events: events other than syncs that were looked at.
    """

    def __init__(self, trace: Trace, wish: _Wish) -> None:
        from gotrace.tables.filters import RowFilter

        self._trace = trace
        self._wish = wish
        self._filter = RowFilter("events", **wish.filters)
        self.start_ns: int | None = None
        self.end_ns = 0
        self.wall_ns: int | None = None
        self.sites: dict[int, str] = {}
        self.seen_events = 0
        self._read_all = False
        self._kinds: set[str] = set()
        self._goroutines: set[int] = set()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Iterate over filtered batches, up to the limit."""
        left = self._wish.limit
        if left == 0:
            return
        came = False
        for name, batch in self._in_window():
            came = True
            if name != "events":
                continue
            if left is not None:
                batch = batch.slice(0, left)
                left -= batch.num_rows
            yield batch
            if left == 0:
                return
        if not came:
            for _ in self._rest_of_the_trace():
                pass

    def why_none(self) -> str:
        """Say why there is nothing to print."""
        wish = self._wish
        if not self.seen_events:
            return "the trace has none"
        reasons = [f"the trace has {count(self.seen_events, 'event')} before that"]
        if self.start_ns is not None:
            reasons = [f"the trace lasts {seconds(self.end_ns - self.start_ns)} s"]
        if not (wish.start or wish.end):
            reasons = [f"none of {count(self.seen_events, 'event')} is that"]
        if lacking := [kind for kind in wish.kinds if kind not in self._kinds]:
            here = ", ".join(kind for kind in KINDS if kind in self._kinds)
            reasons.append(f"no {' or '.join(lacking)} (kinds seen: {here})")
        if lacking_ids := [number for number in wish.goroutines if number not in self._goroutines]:
            known = sorted(self._goroutines)
            here = ", ".join(map(str, known[:_SHOWN])) + (", …" if len(known) > _SHOWN else "")
            reasons.append(
                f"no goroutine {' or '.join(map(str, lacking_ids))} (goroutines seen: {here})"
            )
        return "; ".join(reasons)

    def _in_window(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Read the generations that are needed, where that can be; else all, and filter."""
        wish = self._wish
        first = self._first_generation() if wish.start or wish.end else None
        if first is None:
            self._read_all = True
            watched = self._watched()
            return self._filter.apply(watched) if self._filter else watched
        self.start_ns = first.start_ns
        if first.wall_ns is not None and first.snapshot_ns is not None:
            self.wall_ns = first.wall_ns - first.snapshot_ns + (first.start_ns or 0)
        return self._read_window()

    def _read_window(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        chosen = self._trace.scan(
            ["events", "stacks"], columns={"stacks": _SITE_COLUMNS}, **self._wish.filters
        )
        for name, batch in chosen:
            if name == "stacks":
                self._add_sites(batch)
            else:
                yield name, self._observed(batch)

    def _first_generation(self) -> Generation | None:
        from gotrace.errors import FormatError
        from gotrace.tables.generations import hops

        if not hops(self._trace._input):
            return None
        try:
            return self._trace.generations()[0]
        except (FormatError, IndexError):
            return None

    def _rest_of_the_trace(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Look at everything after all, to say why nothing was found."""
        return iter(()) if self._read_all else self._watched()

    def _watched(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        columns = {
            "stacks": _SITE_COLUMNS,
            "syncs": ("time_ns", "snapshot_ns", "wall"),
        }
        held: list[pa.RecordBatch] = []  # until the clock of the first generation is here
        told = False
        for name, batch in self._trace.scan(["events", "stacks", "syncs"], columns=columns):
            if name == "stacks":
                self._add_sites(batch)
            elif name == "events":
                held.append(batch)
            elif not told and batch.num_rows:
                self._add_clock(batch)
                told = True
                yield name, batch
            while told and held:
                yield "events", self._observed(held.pop(0))
        for batch in held:
            yield "events", self._observed(batch)

    def _add_sites(self, batch: pa.RecordBatch) -> None:
        ids, leaves, sites = (column.to_pylist() for column in batch.columns)
        for number, leaf, site in zip(ids, leaves, sites, strict=True):
            if text := site or leaf:
                self.sites[number] = clean(text)

    def _add_clock(self, syncs: pa.RecordBatch) -> None:
        from gotrace.tables.filters import clock_of

        clock = clock_of(syncs)
        self.start_ns = clock.start_ns
        if clock.wall_offset_ns is not None:
            self.wall_ns = clock.start_ns + clock.wall_offset_ns

    def _observed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Remember what is there, for the day that nothing of it is wanted."""
        import pyarrow.compute as pc

        if not batch.num_rows:
            return batch
        if self.start_ns is None:
            self.start_ns = batch.column("time_ns")[0].as_py()
        self.end_ns = batch.column("time_ns")[-1].as_py()
        kinds = batch.column("kind")
        syncs = pc.sum(pc.equal(kinds.indices, KINDS.index("sync"))).as_py()
        self.seen_events += batch.num_rows - syncs
        if self._wish.kinds:
            codes = pc.unique(kinds.indices).to_pylist()
            self._kinds.update(kinds.dictionary[code].as_py() for code in codes)
        if self._wish.goroutines:
            self._goroutines.update(pc.unique(batch.column("goroutine").drop_null()).to_pylist())
        return batch


def _print(chosen: _Chosen, name: str, out: TextIO) -> int:
    from gotrace.cli.event_lines import HEADER, event_lines

    rows = 0
    for batch in chosen:
        assert chosen.start_ns is not None
        if not rows:
            began = f", which was at {wall(chosen.wall_ns)}" if chosen.wall_ns is not None else ""
            out.write(f"{fit('# ' + clean(name))}\n")
            out.write(f"# seconds from the start of the trace{began}\n# {HEADER[2:]}\n")
        rows += batch.num_rows
        write_lines(event_lines(batch, chosen.start_ns, chosen.sites), out)
    out.flush()
    return rows
