"""One readable line per event, at most 100 columns: when, who, what, where in the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gotrace.cli.moments import seconds
from gotrace.cli.terminal import WIDTH, clean, fit

if TYPE_CHECKING:
    import pyarrow as pa

HEADER: Final = f"{'seconds':>13}  {'goroutine':9} {'proc':4} {'thread':8} event"
"""The line above the first event."""

_LETTER: Final = {"goroutine": "G", "proc": "P", "thread": "M"}


class Row(NamedTuple):
    """The columns of `events` that a line shows."""

    time_ns: int
    kind: str
    thread: int | None
    proc: int | None
    goroutine: int | None
    context_stack_id: int | None
    resource: str | None
    resource_id: int | None
    from_state: str | None
    to_state: str | None
    reason: str | None
    stack_id: int | None
    name: str | None
    value: int | None
    value2: int | None
    value3: int | None
    task: int | None
    parent_task: int | None
    message: str | None


COLUMNS: Final = Row._fields
"""What a batch must have for `event_lines`."""


def event_lines(
    batch: pa.RecordBatch, start_ns: int, sites: Mapping[int, str], width: int = WIDTH
) -> Iterator[str]:
    """Yield the line of every row, times from `start_ns`; `sites` names the stacks, clean."""
    columns = [_values(batch.column(name)) for name in COLUMNS]
    for row in map(Row._make, zip(*columns, strict=True)):
        yield _line(row, start_ns, sites, width)


def _values(column: pa.Array) -> list[Any]:
    """Give a column as Python values, several times faster than `to_pylist` where that is slow."""
    import pyarrow as pa

    if column.null_count == len(column):
        return [None] * len(column)
    if pa.types.is_dictionary(column.type):
        words = [*column.dictionary.to_pylist(), None]
        codes = column.indices.fill_null(len(words) - 1).to_numpy().tolist()
        return [words[code] for code in codes]
    if not pa.types.is_integer(column.type):
        values: list[Any] = column.to_pylist()
        return values
    values = column.fill_null(0).to_numpy().tolist()
    if column.null_count:
        valid = column.is_valid().to_numpy(zero_copy_only=False).tolist()
        values = [value if there else None for value, there in zip(values, valid, strict=True)]
    return values


def _line(row: Row, start_ns: int, sites: Mapping[int, str], width: int) -> str:
    goroutine = "" if row.goroutine is None else f"G{row.goroutine}"
    proc = "" if row.proc is None else f"P{row.proc}"
    thread = "" if row.thread is None else f"M{row.thread}"
    when = seconds(row.time_ns - start_ns)
    text = f"{when:>13}  {goroutine:9} {proc:4} {thread:8} {clean(_what(row))}"
    stack = row.stack_id if row.stack_id is not None else row.context_stack_id
    site = sites.get(stack) if stack is not None else None
    return fit(f"{text}  {site}" if site else text, width)


def _what(row: Row) -> str:
    """Say what happened; every line but a transition's begins with its kind."""
    if row.kind == "state_transition":
        return _transition(row)
    if row.kind.startswith("range_"):
        return _range(row)
    say = _SAY.get(row.kind)
    return f"{row.kind} {say(row)}" if say else f"{row.kind}{_named(row)}"


def _transition(row: Row) -> str:
    reason = f" ({row.reason})" if row.reason else ""
    return f"{_resource(row)} {row.from_state} -> {row.to_state}{reason}"


def _resource(row: Row) -> str:
    if row.resource is None:
        return ""
    number = "?" if row.resource_id is None else row.resource_id
    return f"{_LETTER.get(row.resource, row.resource)}{number}"


def _range(row: Row) -> str:
    of_context = row.resource == "goroutine" and row.resource_id == row.goroutine
    scope = "" if row.resource is None or of_context else f" of {_resource(row)}"
    swept = ""
    if row.kind == "range_end" and row.value is not None:
        swept = f" swept {row.value} bytes, reclaimed {row.value2 or 0}"
    return f"{row.kind}{_named(row)}{scope}{swept}"


def _sync(row: Row) -> str:
    return "" if row.value is None else str(row.value)


def _metric(row: Row) -> str:
    return f"{row.name} = {row.value}"


def _label(row: Row) -> str:
    return f"{_resource(row)} {row.name or ''}"


def _task(row: Row) -> str:
    parent = f" under {row.parent_task}" if row.parent_task is not None else ""
    return f"{row.task}{parent}{_named(row)}"


def _region(row: Row) -> str:
    return f"{row.name or ''}{_of_task(row)}"


def _log(row: Row) -> str:
    category = f"[{row.name}] " if row.name else ""
    return f"{category}{row.message or ''}{_of_task(row)}"


def _experimental(row: Row) -> str:
    values = (str(v) for v in (row.value, row.value2, row.value3) if v is not None)
    return " ".join([row.name or "", *values])


def _named(row: Row) -> str:
    return f" {row.name}" if row.name else ""


def _of_task(row: Row) -> str:
    return f" (task {row.task})" if row.task is not None else ""


_SAY: Final[Mapping[str, Any]] = {
    "sync": _sync,
    "metric": _metric,
    "label": _label,
    "task_begin": _task,
    "task_end": _task,
    "region_begin": _region,
    "region_end": _region,
    "log": _log,
    "experimental": _experimental,
}
