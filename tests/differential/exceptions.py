"""Where we decide differently from Go's reader, on purpose: the whole list.

Everything else that we accept or reject otherwise, and every event that differs before a fault, is
a bug of ours. The mutation test holds us to it: it looks each disagreement up here and fails if
none of these explains it. Each entry has the rule, the reason, and a function that recognizes it
from what both readers said and from the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gotrace.errors import FormatError, LimitError, UnsupportedVersionError
from gotrace.wire import Batch, WireReader
from tests.differential.go_reader import Both

HEADER = re.compile(rb"go 1\.(22|23|25|26) trace\0\0\0")
OLD_HEADER = re.compile(rb"go 1\.(11|19|21) trace\0\0\0")


@dataclass(frozen=True)
class Exception_:  # noqa: N801 - the builtin has the better name
    """One documented difference."""

    name: str
    go: str  #: what Go's reader does
    ours: str  #: what we do
    why: str
    recognize: Callable[[Both, bytes], bool]


def _says(both: Both, text: str) -> bool:
    return text in str(both.ours.error)


EXCEPTIONS = (
    Exception_(
        "header",
        go="scans the header, so that `go 1. 26` and `go 1.026` pass, and looks at no byte behind",
        ours="compares 16 bytes",
        why="a header that no runtime writes is not a trace; a lax one makes two files of one kind",
        recognize=lambda both, data: (
            both.ours.error is not None and not HEADER.match(data) and not OLD_HEADER.match(data)
        ),
    ),
    Exception_(
        "old format",
        go="converts traces of Go 1.11 to 1.21",
        ours="rejects them and names the version of Go",
        why="format v1 is not built yet",
        recognize=lambda both, data: (
            OLD_HEADER.match(data) is not None
            and isinstance(both.ours.error, UnsupportedVersionError)
        ),
    ),
    Exception_(
        "frequency 0",
        go="takes a frequency of 0 for none at first and for a division by it later",
        ours="rejects the generation",
        why="times would be infinite",
        recognize=lambda both, _: _says(both, "a clock frequency of 0"),
    ),
    Exception_(
        "ids",
        go="wraps ids above 63 bits to negative numbers, of procs to whatever is left",
        ours="LimitError",
        why="64-bit ids are positive int64, procs int32, in every table; 2**64-1 is `none`",
        recognize=lambda both, _: (
            isinstance(both.ours.error, LimitError) and _says(both, "beyond what gotrace keeps")
        ),
    ),
    Exception_(
        "limits",
        go="has none",
        ours="LimitError for memory, different reasons and vain attempts to order",
        why="hostile input must not take the machine",
        recognize=lambda both, _: isinstance(both.ours.error, LimitError),
    ),
    Exception_(
        "experiments",
        go="panics at a batch of an unknown experiment, once the sync is asked for its batches",
        ours="skips the batch",
        why="what cannot be named can still be left aside",
        recognize=lambda both, data: (
            both.go.verdict == "panic"
            and "index out of range" in both.go.message
            and _has_unknown_experiment(data)
        ),
    ),
    Exception_(
        "end inside a record",
        go="takes a table batch that ends at the border of a field inside a record for the end of "
        "the trace, and says that all is well",
        ours="rejects the generation",
        why="silent loss",
        recognize=lambda both, data: both.go.verdict == "end" and _has_short_record(data),
    ),
    Exception_(
        "overflow of time",
        go="lets times above 63 bits of nanoseconds wrap around",
        ours="rejects the event or generation",
        why="times rise strictly in every table, and wrapped ones mean nothing",
        recognize=lambda both, _: _says(both, "a time beyond 63 bits"),
    ),
    Exception_(
        "statuses",
        go="cuts the status of a goroutine to eight bits before it looks whether it exists",
        ours="rejects the event",
        why="no runtime writes it; cut to eight bits it is another one",
        recognize=lambda both, _: _has_absurd_status(both),
    ),
    Exception_(
        "lines",
        go="lets a line of a frame be any number of 64 bits",
        ours="takes lines above 2**63 - 1 for that",
        why="lines are int64; the event and its stack are worth more than an absurd number",
        recognize=lambda both, _: (
            both.row_differences() != [] and both.row_differences(most_line=2**63 - 1) == []
        ),
    ),
    Exception_(
        "stacks of CPU samples",
        go="panics when an unknown stack of a sample is asked for its frames",
        ours="null, and a note",
        why="one lost stack is no reason to lose a trace",
        recognize=lambda both, _: both.go.verdict == "panic" and _ends_in_a_sample(both),
    ),
)


def _has_unknown_experiment(data: bytes) -> bool:
    return any(batch.experiment > 1 for batch in _batches(data))


def _batches(data: bytes) -> Iterator[Batch]:
    """The batches up to the first fault of the framing."""
    try:
        yield from WireReader(data).batches()
    except FormatError:
        return


def _has_short_record(data: bytes) -> bool:
    """Whether some batch of a table ends inside a record."""
    for batch in _batches(data):
        if batch.kind is not batch.spec:
            try:
                list(batch.records())
            except FormatError as error:
                if "does not fit" in error.reason:
                    return True
    return False


def _has_absurd_status(both: Both) -> bool:
    """Whether we reject a status beyond eight bits."""
    found = re.search(r"status (\d+) does not exist", str(both.ours.error))
    return found is not None and int(found[1]) > 255


def _ends_in_a_sample(both: Both) -> bool:
    """Whether the event that Go panicked at is a sample."""
    n = both.go.events.num_rows
    kinds = both.ours.table("events")["kind"]
    return n < len(kinds) and kinds[n].as_py() == "stack_sample"


def explained(both: Both, data: bytes) -> str | None:
    """Name of the exception that explains why the two differ, or None.

    None of them lets a row differ that both delivered, but for the lines of frames.
    """
    rows = both.row_differences(most_line=2**63 - 1, without_last_sync=both.ours.error is not None)
    if any(found.startswith("row ") for found in rows):
        return None
    for exception in EXCEPTIONS:
        if exception.recognize(both, data):
            return exception.name
    return None


def page() -> str:
    """Write the list as docs/differences-from-go.md has it."""
    lines = [
        "# Where gotrace decides differently from Go's reader",
        "",
        "All of it, on purpose; everything else that differs is a bug. Made from and held to by",
        "`tests/differential/exceptions.py`.",
        "",
        "| what | Go's reader | gotrace | why |",
        "|---|---|---|---|",
    ]
    lines += [f"| {e.name} | {e.go} | {e.ours} | {e.why} |" for e in EXCEPTIONS]
    return "\n".join(lines) + "\n"
