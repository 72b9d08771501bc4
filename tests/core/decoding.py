"""Drive the core's decoder by hand, with every knob that tests turn."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pyarrow as pa

from gotrace._core import TraceDecoder
from gotrace.errors import GotraceError
from gotrace.tables.columns import DICTIONARIES
from gotrace.tables.schema import schema

REAL = Path(__file__).parents[1] / "data" / "real"

#: Every table that the core fills.
TABLES = (
    *(
        "events",
        "goroutine_transitions",
        "goroutine_states",
        "goroutines",
        "wakeups",
        "proc_states",
        "procs",
        "thread_states",
        "threads",
        "ranges",
        "gc_cycles",
        "gc_work",
        "tasks",
        "regions",
        "logs",
        "worker_labels",
    ),
    *("metrics", "cpu_samples", "allocations", "stacks", "frames", "generations", "syncs"),
    "notes",
)

#: A small trace of each header, of several generations each.
OF_EACH_HEADER = {
    22: "restart-go1.22",
    23: "restart-go1.23",
    25: "restart-go1.25",
    26: "restart-go1.27",
}


@dataclass
class Decoded:
    """What came out of one decode."""

    batches: dict[str, list[pa.RecordBatch]]
    order: list[tuple[str, int]] = field(default_factory=list)  #: (table, rows) as they came
    error: Exception | None = None
    minor: int | None = None

    def table(self, name: str) -> pa.Table:
        """One table, whole, with the dictionaries of its batches made one."""
        batches = self.batches[name]
        kind = batches[0].schema if batches else schema(name)
        return pa.Table.from_batches(batches, kind).unify_dictionaries()

    def rows(self, name: str) -> list[dict[str, object]]:
        return self.table(name).to_pylist()


def decoder(
    tables: Iterable[str] = TABLES,
    *,
    batch_rows: int = 65536,
    salvage: bool = False,
    max_memory: int = 1 << 30,
) -> TraceDecoder:
    return TraceDecoder(
        {name: schema(name) for name in tables},
        DICTIONARIES,
        batch_rows=batch_rows,
        salvage=salvage,
        max_memory=max_memory,
    )


def decode(
    data: bytes,
    tables: Iterable[str] = TABLES,
    *,
    chunk: int = 1 << 20,
    batch_rows: int = 65536,
    salvage: bool = False,
    max_memory: int = 1 << 30,
) -> Decoded:
    """Decode bytes that are fed `chunk` at a time; an error ends it and is kept."""
    tables = tuple(tables)
    core = decoder(tables, batch_rows=batch_rows, salvage=salvage, max_memory=max_memory)
    out = Decoded({name: [] for name in tables})
    try:
        for name, batch in drive(core, data, chunk):
            out.batches[name].append(batch)
            out.order.append((name, batch.num_rows))
    except Exception as error:
        if not isinstance(error, GotraceError | MemoryError | InterruptedError):
            raise
        out.error = error.with_traceback(None)  # its frames hold the decoder: a cycle
    out.minor = core.minor
    return out


def drive(core: TraceDecoder, data: bytes, chunk: int) -> Iterator[tuple[str, pa.RecordBatch]]:
    """All batches of a decoder that is fed `chunk` bytes at a time."""
    view = memoryview(data)
    for start in range(0, len(data), chunk):
        core.feed(view[start : start + chunk])
        yield from _drain(core)
    core.finish()
    yield from _drain(core)


def _drain(core: TraceDecoder) -> Iterator[tuple[str, pa.RecordBatch]]:
    while (item := core.next_batch()) is not None:
        name, batch = item
        yield name, pa.record_batch(batch)


@cache
def real(name: str) -> bytes:
    """The bytes of a committed trace."""
    with pa.input_stream(str(REAL / f"{name}.trace.zst"), compression="zstd") as stream:
        content = stream.read()
        assert isinstance(content, bytes)
        return content


def readable(names: Iterable[str]) -> list[str]:
    """These recorded traces; with GOTRACE_EVERY_TRACE=1 all that Go reads to their end."""
    if not os.environ.get("GOTRACE_EVERY_TRACE"):
        return list(names)
    return [name for name in real_names() if not name.startswith("misnested")]


def real_names() -> list[str]:
    return sorted(path.name.removesuffix(".trace.zst") for path in REAL.glob("*.trace.zst"))
