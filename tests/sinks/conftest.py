"""Real traces, decoded once, as the sinks take them: (table, batch) pairs in their order."""

from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

from gotrace._core import TraceDecoder
from gotrace.tables import schema as tables
from gotrace.tables.columns import DICTIONARIES

REAL = Path(__file__).parents[1] / "data" / "real"
SCHEMAS = {name: tables.schema(name) for name in tables.TABLES}


def decode(path: Path, batch_rows: int = 4096) -> list[tuple[str, pa.RecordBatch]]:
    words = {name: list(values) for name, values in DICTIONARIES.items()}
    decoder = TraceDecoder(SCHEMAS, words, salvage=True, batch_rows=batch_rows)
    batches = []

    def drain():
        while (got := decoder.next_batch()) is not None:
            batches.append((got[0], pa.record_batch(got[1])))

    with path.open("rb") as packed, zstandard.open(packed) as plain:
        while data := plain.read(1 << 16):
            decoder.feed(data)
            drain()
    decoder.finish()
    drain()
    return batches


class Decoded:
    """A trace's batches, and its tables whole."""

    def __init__(self, path: Path) -> None:
        self.name = path.name.removesuffix(".trace.zst")
        self.batches = decode(path)
        self.schemas = SCHEMAS
        self.start_ns = self.of("syncs")[0].column("time_ns")[0].as_py()

    def of(self, table: str) -> list[pa.RecordBatch]:
        return [batch for name, batch in self.batches if name == table]

    def table(self, table: str) -> pa.Table:
        return pa.Table.from_batches(self.of(table), SCHEMAS[table])

    def some(self, table: str) -> list[pa.RecordBatch]:
        """The first few thousand rows, where Python looks at every value."""
        return self.of(table)[:1]


_TRACES = sorted(REAL.glob("*-go1.27.trace.zst"))


@pytest.fixture(scope="session", params=_TRACES, ids=lambda path: path.name.split(".trace")[0])
def trace(request):
    """One real trace after the other."""
    return Decoded(request.param)


@pytest.fixture(scope="session")
def annotated():
    """Tasks, regions, logs with hostile text: a trace in which most tables have rows."""
    return Decoded(REAL / "annotations-go1.27.trace.zst")


@pytest.fixture(scope="session")
def busy():
    """Some 15,000 events."""
    return Decoded(REAL / "alloc-go1.27.trace.zst")


def growing(batches_of_words: list[list[str]]) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    """Batches whose `reason` dictionary gets longer, each list a prefix of the next."""
    kind = pa.dictionary(pa.int16(), pa.utf8())
    schema = pa.schema([pa.field("seq", pa.int64(), nullable=False), pa.field("reason", kind)])
    batches = []
    for number, words in enumerate(batches_of_words):
        codes = pa.array([0, None, len(words) - 1], pa.int16())
        reason = pa.DictionaryArray.from_arrays(codes, pa.array(words))
        seq = pa.array(range(3 * number, 3 * number + 3), pa.int64())
        batches.append(pa.record_batch([seq, reason], schema=schema))
    return schema, batches


GROWING = [["a", "b"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d", "e"], ["a", "b", "c"]]


@pytest.fixture
def grown():
    """Schema and batches of a table whose `reason` grows."""
    return growing(GROWING)
