"""The inputs of a verb: opened with the wanted mode, watched, and their damage reported."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from gotrace.cli.terminal import BAD, OK, PARTIAL, Failure, count, say, size

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.errors import GotraceError
    from gotrace.sources.base import Chunk, Source
    from gotrace.tables.profile import Profile
    from gotrace.tables.trace import Trace

Command = TypeVar("Command", bound=Callable[..., Any])

STREAM = "-"
"""Standard input, in the place of a path."""


def on_error_option(command: Command) -> Command:
    """Add `--on-error` to a verb."""
    option: Callable[[Command], Command] = click.option(
        "--on-error",
        type=click.Choice(["fail", "salvage", "skip"]),
        default="salvage",
        show_default=True,
        help="At damage: stop; read every generation that is whole (exit code 3); or leave the "
        "file out.",
    )
    return option(command)


def open_input(
    given: Any, on_error: str, seen: Callable[[int], None] | None = None
) -> Trace | Profile:
    """Open a path or a source; `seen` is told how many bytes of it a pass has read, as it reads.

    `skip` looks through the whole file first; a damaged one raises `Failure`.
    """
    import gotrace

    if given == STREAM and sys.stdin.isatty():
        raise click.UsageError("standard input is a terminal: give a file, or pipe a trace in")
    source: Any = given
    if seen is not None:
        source = watched(given, seen)
    if on_error != "skip":
        return gotrace.open(source, on_error=on_error)  # type: ignore[arg-type]
    opened = gotrace.open(source, on_error="fail")
    if given == STREAM:
        raise click.UsageError("--on-error skip has to read a file twice: not from a pipe")
    try:
        for _ in opened.scan([]):
            pass
    except gotrace.FormatError as error:
        error.readable = None
        raise Failure(f"{error}; left out, --on-error salvage reads what is whole") from None
    return opened


def open_trace(given: Any, on_error: str, seen: Callable[[int], None] | None = None) -> Trace:
    """Open a trace as `open_input` does; anything else raises `Failure`."""
    from gotrace.tables.trace import Trace

    source = open_input(given, on_error, seen)
    if not isinstance(source, Trace):
        raise Failure(
            f"{source.name}: a pprof profile, and this verb reads execution traces; "
            "gotrace top, flame and list read it"
        )
    return source


def report_damage(traces: Iterable[Trace | Profile], *, nothing: bool = False) -> int:
    """Say in a line what was wrong with each input after it was read; return the exit code.

    `nothing` says that the damage left nothing to read.
    """
    code = OK
    for trace in traces:
        errors = [note for note in trace.notes if note["severity"] == "error"]
        for note in trace.notes:
            if note["severity"] == "warning":
                say(f"{trace.name}: {note['text']}")
        if errors:
            if nothing:
                say(f"{trace.name}: nothing can be read of it: {_summary(errors)}")
            else:
                more = " (gotrace info lists the faults)" if len(errors) > 1 else ""
                say(f"{trace.name}: damaged: {_summary(errors)}; the rest was read{more}")
            code = BAD if nothing else PARTIAL
    return code


def is_damaged(source: Trace | Profile) -> bool:
    """Whether the last pass met damage."""
    return any(note["severity"] == "error" for note in source.notes)


def first_fault(source: Trace | Profile) -> str:
    """Say what the last pass found wrong, in a line."""
    return _summary([note for note in source.notes if note["severity"] == "error"])


_EVIDENCE: Final = {"trace": ("generations", "syncs"), "profile": ("profiles",)}
"""Tables that tell whether anything is left of a damaged source, by its kind."""


def is_empty(source: Trace | Profile) -> bool:
    """Whether nothing is left of a damaged source: a pass of its own, over a file."""
    return sum(_weight(*named) for named in source.scan(_EVIDENCE[source.kind])) <= 0


def _weight(name: str, batch: pa.RecordBatch) -> int:
    """How much more there is, by a batch of evidence: events that are no syncs, or profiles."""
    import pyarrow.compute as pc

    if name == "generations":
        return pc.sum(batch.column("events")).as_py() or 0
    return {"syncs": -1, "profiles": 1}.get(name, 0) * int(batch.num_rows)


def as_option(error: GotraceError) -> str:
    """Write an error's message with the command line's words for what Python calls on_error."""
    return str(error).replace("on_error='salvage'", "--on-error salvage")


def check_once(files: Sequence[str]) -> None:
    """Refuse standard input twice."""
    if list(files).count(STREAM) > 1:
        raise click.UsageError("standard input (-) can be read once")


class Delivery:
    """One pass over the tables of a source that ends in a `Failure` when nothing was readable.

    Iterate for `(table, batch)` of `names` alone, cut by the `filters` of `Trace.scan`. Whether
    damage left anything is told by tables that are looked at in the same pass.
    """

    def __init__(self, source: Trace | Profile, names: Sequence[str], **filters: Any) -> None:
        self._source = source
        self._names = names
        self._filters = filters

    def __iter__(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Iterate over the batches; `Failure` at the end when damage left nothing."""
        left = 0
        looked_at = dict.fromkeys([*self._names, *_EVIDENCE[self._source.kind]])
        for name, batch in self._source.scan(list(looked_at), **self._filters):
            left += _weight(name, batch)
            if name in self._names:
                yield name, batch
        if is_damaged(self._source) and left <= 0:
            said = first_fault(self._source)
            raise Failure(f"{self._source.name}: nothing can be read of it: {said}")


def watched(given: str, seen: Callable[[int], None]) -> Any:
    """Give the source of an input that tells `seen` how many bytes a pass has read."""
    from gotrace.sources.input import source_of

    inner = source_of(given)
    return _standing_for(inner, inner.name, seen)


@contextlib.contextmanager
def rereadable(given: str) -> Iterator[Any]:
    """Give an input that can be read more than once: a pipe is copied to a file, for the time."""
    import tempfile

    from gotrace.sources.input import source_of

    if given != STREAM and (not os.path.exists(given) or os.path.isfile(given)):
        yield given
        return
    if given == STREAM and sys.stdin.isatty():
        raise click.UsageError("standard input is a terminal: give a file, or pipe a trace in")
    stream = source_of(given)
    with tempfile.NamedTemporaryFile(prefix="gotrace-") as copy:
        for chunk in stream.chunks():
            copy.write(chunk)
        copy.flush()
        yield _standing_for(source_of(copy.name), stream.name)


def _standing_for(inner: Source, name: str, seen: Callable[[int], None] | None = None) -> Source:
    """Wrap a source: another name, and `seen` is told how far each pass is."""
    from contextlib import AbstractContextManager

    from gotrace.sources.base import ReadAt, Source

    class Standing(Source):
        """A source in the place of another."""

        def __init__(self) -> None:
            super().__init__()
            self.name, self.reopenable = name, inner.reopenable

        @property
        def size(self) -> int | None:
            return inner.size

        def read_at(self) -> AbstractContextManager[ReadAt]:
            return inner.read_at()

        def _read(self) -> Iterator[Chunk]:
            read = 0
            inner.go_on = lambda: self.go_on is None or self.go_on()
            for chunk in inner.chunks():
                read += len(chunk)
                if seen is not None:
                    seen(read)
                yield chunk

    return Standing()


def file_bytes(given: str) -> int | None:
    """Return the length of an input, when it is a file."""
    try:
        return os.stat(given).st_size if os.path.isfile(given) else None
    except OSError:
        return None


def _summary(errors: Sequence[dict[str, Any]]) -> str:
    first = errors[0]
    where = f"at byte {first['offset']}: " if first["offset"] is not None else ""
    lost = sum(note["lost_bytes"] or 0 for note in errors)
    more = [count(len(errors), "fault")] if len(errors) > 1 else []
    more += [f"{size(lost)} lost"] if lost else []
    return f"{where}{first['text']}{' (' + ', '.join(more) + ')' if more else ''}"
