"""Many tables in one pass, each into a file of its own; the folder is whole or not there.

`gotrace.sinks.parquet` does this for Parquet. The sinks of one table pull their batches; here every
table has a thread in which its sink waits for the next one.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_BATCHES_HELD = 4


class _AbandonedError(Exception):
    """Ends a sink whose output is not wanted any more."""


class _Sink(threading.Thread):
    """One table: what is put goes to the sink, in order."""

    def __init__(self, schema: pa.Schema, form: str, path: Path) -> None:
        super().__init__(name=f"gotrace-{path.name}", daemon=True)
        self.path = path
        self.rows = 0
        self._schema = schema
        self._form = form
        self._waiting: queue.Queue[pa.RecordBatch | None] = queue.Queue(_BATCHES_HELD)
        self._opened = threading.Event()
        self._abandoned = False
        self._error: BaseException | None = None

    def run(self) -> None:
        from gotrace.cli.output import write_rows

        try:
            self.rows = write_rows(self._batches(), self._schema, self._form, str(self.path))
        except _AbandonedError:
            return
        except BaseException as error:
            self._error = error
            while not self._abandoned and self._waiting.get() is not None:
                pass  # whoever puts must not wait for ever

    def put(self, batch: pa.RecordBatch) -> None:
        """Hand a batch over; raises what went wrong with an earlier one."""
        if self._error is not None:
            raise self._error
        self._waiting.put(batch)

    def finish(self) -> None:
        """Wait until the file is there."""
        self._waiting.put(None)
        self.join()
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        """Let go of the file, unfinished.

        Does not wait for a batch that is being written (but where open files can't be removed): the
        thread ends behind it. It has to have begun, or it would open its file later.
        """
        self._abandoned = True
        while self.is_alive() and not (self._opened.is_set() and os.name != "nt"):
            self._put_end()
            self.join(0.01)
        self._put_end()

    def _put_end(self) -> None:
        with contextlib.suppress(queue.Full):  # then there is something that it wakes up for
            self._waiting.put_nowait(None)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        self._opened.set()
        while (batch := self._waiting.get()) is not None:
            if self._abandoned:
                break
            yield batch
        if self._abandoned:
            raise _AbandonedError


def write_folder(
    batches: Iterable[tuple[str, pa.RecordBatch]],
    schemas: Mapping[str, pa.Schema],
    directory: str,
    form: str,
    *,
    overwrite: bool,
    source: Mapping[str, object],
    notes: Sequence[Mapping[str, object]],
) -> Mapping[str, tuple[int, int]]:
    """Write the batches of many tables as CSV or Arrow; return rows and bytes by table.

    `notes` is read at the end. Raises as `gotrace.sinks.parquet.write_parquet`.
    """
    from gotrace.sinks.aside import directory_aside, explained, write_manifest

    with (
        explained(f"writing {form}", directory),
        directory_aside(directory, overwrite=overwrite) as aside,
    ):
        sinks = {
            name: _Sink(schema, form, aside / f"{name}.{form}") for name, schema in schemas.items()
        }
        for sink in sinks.values():
            sink.start()
        try:
            for name, batch in batches:
                sinks[name].put(batch)
            for sink in sinks.values():
                sink.finish()
        except BaseException as error:
            for sink in sinks.values():
                sink.abandon()
            if isinstance(error, Exception):  # the interpreter's end would kill what is in pyarrow
                for sink in sinks.values():
                    sink.join()
            raise
        written = {name: (sink.rows, sink.path.stat().st_size) for name, sink in sinks.items()}
        tables = {
            name: {
                "rows": rows,
                "bytes": length,
                "files": [{"name": f"{name}.{form}", "rows": rows, "bytes": length}],
                "columns": {field.name: str(field.type) for field in schemas[name]},
            }
            for name, (rows, length) in written.items()
        }
        write_manifest(aside, {"source": source, "tables": tables, "notes": list(notes)})
    return written
