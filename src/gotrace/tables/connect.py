"""`gotrace.connect`: SQL over traces and profiles. Only what a query needs is decoded."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.dataset as ds

from gotrace.tables.schema import ALL_TABLES, ALL_TABLES_OF, schema

if TYPE_CHECKING:
    import duckdb

    from gotrace.tables.passes import Named
    from gotrace.tables.profile import Profile
    from gotrace.tables.trace import Trace

CACHE_BYTES: Final = 1 << 30
"""Arrow bytes of decoded columns that a connection keeps, at most."""

SOURCE: Final = "source"
"""The column that says which file a row is from; there when a connection has several."""

_KNOWN: Final = tuple(dict.fromkeys(name for tables in ALL_TABLES_OF.values() for name in tables))
"""Every table that a source may have."""

Columns = Mapping[str, Sequence[str]]


def connect(
    *sources: Any,
    database: str = ":memory:",
    cache_bytes: int = CACHE_BYTES,
    compat: str | None = None,
    **options: Any,
) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection in which every table of the traces and profiles is a view.

    `sources` are what `gotrace.open` takes, or what it gave; `options` go to `gotrace.open`. With
    several, every table has a last column `source` with the name of the file. Nothing is decoded
    before a query scans a table, and then only the columns that the query names, once, into a cache
    of at most `cache_bytes`. With `compat="go"` the tables of traces are those of
    `Trace.reader(..., compat="go")`. The connection is DuckDB's own: all it can do works.

    Raises ValueError without a source, and what `gotrace.open` raises. What goes wrong while a
    query decodes is an error of DuckDB's, and typed in `fault` of the source.
    """
    library = Library(sources, cache_bytes=cache_bytes, compat=compat, **options)
    return library.connect(database)


class Library:
    """The traces and profiles behind a connection, and what of them is decoded already.

    Attributes:
        sources: what is behind it, in the order given.
        tables: names of all tables that any of them can give.
    """

    def __init__(
        self,
        sources: Sequence[Any],
        *,
        cache_bytes: int = CACHE_BYTES,
        compat: str | None = None,
        **options: Any,
    ) -> None:
        from gotrace.tables.open import open as open_source
        from gotrace.tables.profile import Profile
        from gotrace.tables.trace import Trace, check_compat

        check_compat(compat)
        if not sources:
            raise ValueError("give at least one trace or profile")
        self.sources: list[Trace | Profile] = [
            given if isinstance(given, Trace | Profile) else open_source(given, **options)
            for given in sources
        ]
        have = {name for source in self.sources for name in source.tables}
        self.tables = tuple(name for name in ALL_TABLES if name in have)
        self._cache = _Cache(cache_bytes)
        self._compat = compat
        self._lock = threading.Lock()
        self._labels = _labels([source.name for source in self.sources])

    def connect(self, database: str = ":memory:") -> duckdb.DuckDBPyConnection:
        """Open a DuckDB database with a view of every table."""
        import duckdb

        connection = duckdb.connect(database)
        for name in self.tables:
            connection.register(name, _LazyTable(self.schema(name), self._scan_of(name)))
        return connection

    def schema(self, name: str, columns: Iterable[str] | None = None) -> pa.Schema:
        """Return the schema of a table as queries see it."""
        full = schema(name)
        if len(self.sources) > 1:
            full = full.append(_source_field())
        chosen = full.names if columns is None else list(columns)
        return pa.schema([full.field(column) for column in chosen])

    def fetch(self, needs: Columns) -> None:
        """Decode columns of several tables in one pass over each source, into the cache.

        What does not fit in the cache is left out; a query then decodes it when it scans.
        """
        for index, source in enumerate(self.sources):
            missing = {
                name: lacking
                for name, columns in needs.items()
                if name in source.tables
                and (lacking := self._cache.lacks(index, name, _own(columns)))
            }
            if missing and source._input.source.reopenable:
                self._fill(index, source, missing)

    def scan(self, name: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Iterate over the table's rows of all sources that have it, with these columns."""
        wanted = self.schema(name, columns)
        for index, source in enumerate(self.sources):
            if name not in source.tables:
                continue
            for batch in self._scan_one(index, name, _own(columns)):
                arrays = [
                    batch.column(column)
                    if column != SOURCE or column in batch.schema.names
                    else pa.DictionaryArray.from_arrays(
                        pa.repeat(pa.scalar(0, pa.int32()), batch.num_rows),
                        [self._labels[index]],
                    )
                    for column in wanted.names
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=wanted)

    def _scan_of(self, name: str) -> Callable[[Sequence[str]], Iterator[pa.RecordBatch]]:
        return lambda columns: self.scan(name, columns)

    def _scan_one(self, index: int, name: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        columns = columns or [_narrowest(name)]
        with self._lock:
            kept = self._cache.get(index, name, columns)
        if kept is not None:
            yield from kept
            return
        source = self.sources[index]
        collected = self._cache.collect()
        schemas = {name: columns}
        for _, batch in self._pass(source, schemas):
            collected.add(name, batch)
            yield batch
        with self._lock:
            self._cache.put(index, collected, schemas)

    def _pass(self, source: Trace | Profile, columns: Columns) -> Iterable[Named]:
        from gotrace.tables.trace import Trace

        if isinstance(source, Trace):
            return source.scan(list(columns), columns=columns, compat=self._compat)
        return source.scan(list(columns), columns=columns)

    def _fill(self, index: int, source: Trace | Profile, missing: Columns) -> None:
        collected = self._cache.collect()
        for name, batch in self._pass(source, missing):
            if not collected.add(name, batch):
                source.cancel()
                return
        with self._lock:
            self._cache.put(index, collected, missing)


def needs(query: str) -> dict[str, list[str]]:
    """Ask DuckDB which tables and columns a query reads; empty when it can't tell.

    The query is planned, not run, on empty tables of the same names and columns: the plan of a real
    table names it, with the columns that are left after all that is not needed was thrown out.
    """
    import duckdb

    shadow = duckdb.connect()
    try:
        _keep_empty_tables(shadow)
        for name in _KNOWN:
            shadow.register("empty", schema(name).empty_table())
            shadow.execute(f"CREATE TABLE {name} AS FROM empty")
        found: dict[str, list[str]] = {}
        for statement in duckdb.extract_statements(query):
            if statement.type != duckdb.StatementType.SELECT:
                return {}
            for name, columns in _scans(shadow, statement.query):
                have = found.setdefault(name, [])
                have += [column for column in columns if column not in have]
        return {name: columns or [_narrowest(name)] for name, columns in found.items()}
    except duckdb.Error:
        return {}
    finally:
        shadow.close()


def _keep_empty_tables(shadow: Any) -> None:
    """Switch off what would plan away a table because it is empty."""
    optimizers = {name for (name,) in shadow.execute("FROM duckdb_optimizers()").fetchall()}
    off = optimizers & {"statistics_propagation", "empty_result_pullup"}
    shadow.execute(f"SET disabled_optimizers = '{','.join(sorted(off))}'")


def _scans(shadow: Any, query: str) -> Iterator[tuple[str, list[str]]]:
    import json

    rows = shadow.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
    waiting = list(json.loads(rows[0][1]))
    while waiting:
        node = waiting.pop()
        waiting += node.get("children", [])
        extra = node.get("extra_info", {})
        # "Text" is what DuckDB before 1.2 called it.
        name = str(extra.get("Table") or extra.get("Text") or "").rpartition(".")[2]
        if name in _KNOWN:
            read = re.findall(r"\w+", f"{extra.get('Projections', '')} {extra.get('Filters', '')}")
            yield name, [column for column in ALL_TABLES[name].by_name if column in read]


class _LazyTable(ds.Dataset):  # type: ignore[misc]
    """What DuckDB takes for a pyarrow dataset: it asks for `schema`, then for a `scanner`."""

    def __init__(
        self, fields: pa.Schema, scan: Callable[[Sequence[str]], Iterator[pa.RecordBatch]]
    ) -> None:
        self._fields = fields
        self._scan = scan

    @property
    def schema(self) -> pa.Schema:
        """The table's schema; costs nothing."""
        return self._fields

    def scanner(
        self,
        columns: Sequence[str] | None = None,
        filter: Any = None,  # noqa: A002
        **_: Any,
    ) -> ds.Scanner:
        """Decode `columns`, and those that `filter` looks at; pyarrow applies the filter."""
        chosen = list(self._fields.names if columns is None else columns)
        looked_at = set(re.findall(r"\w+", str(filter))) if filter is not None else set()
        decoded = chosen + [
            name for name in self._fields.names if name in looked_at and name not in chosen
        ]
        if not decoded:
            decoded = self._fields.names[:1]
        fields = pa.schema([self._fields.field(name) for name in decoded])
        reader = pa.RecordBatchReader.from_batches(fields, self._scan(decoded))
        return ds.Scanner.from_batches(reader, columns=chosen, filter=filter)


class _Collected:
    """Batches of one pass, for the cache, as long as they fit."""

    def __init__(self, most_bytes: int) -> None:
        self.batches: dict[str, list[pa.RecordBatch]] | None = {}
        self.bytes = 0
        self._most = most_bytes

    def add(self, name: str, batch: pa.RecordBatch) -> bool:
        """Keep a batch; False, and everything is dropped, once it is too much."""
        if self.batches is None:
            return False
        self.bytes += batch.nbytes
        if self.bytes > self._most:
            self.batches = None
            return False
        self.batches.setdefault(name, []).append(batch)
        return True


class _Cache:
    """Decoded columns by (trace, table); what was used longest ago goes first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._entries: OrderedDict[tuple[int, str], tuple[set[str], list[pa.RecordBatch], int]]
        self._entries = OrderedDict()

    def collect(self) -> _Collected:
        return _Collected(self._most)

    def lacks(self, index: int, name: str, columns: Sequence[str]) -> list[str]:
        """Which columns to decode so that all of `columns` are here: none, or old and new."""
        entry = self._entries.get((index, name))
        if entry is None:
            return list(columns)
        if entry[0].issuperset(columns):
            return []
        return [column for column in ALL_TABLES[name].by_name if column in {*entry[0], *columns}]

    def get(self, index: int, name: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch] | None:
        entry = self._entries.get((index, name))
        if entry is None or not entry[0].issuperset(columns):
            return None
        self._entries.move_to_end((index, name))
        return (batch.select(list(columns)) for batch in entry[1])

    def put(self, index: int, collected: _Collected, columns: Columns) -> None:
        if collected.batches is None:
            return
        for name in columns:
            batches = collected.batches.get(name, [])
            size = sum(batch.nbytes for batch in batches)
            old = self._entries.pop((index, name), None)
            self._bytes += size - (old[2] if old else 0)
            self._entries[index, name] = (set(columns[name]), batches, size)
        while self._bytes > self._most:
            _, (_, _, size) = self._entries.popitem(last=False)
            self._bytes -= size


def _own(columns: Sequence[str]) -> list[str]:
    return [column for column in columns if column != SOURCE]


def _narrowest(name: str) -> str:
    """Return a column that is cheap to decode, for queries that only count rows."""
    for column in ALL_TABLES[name].columns:
        if not column.nullable and pa.types.is_primitive(column.type):
            return column.name
    return ALL_TABLES[name].columns[0].name


def _source_field() -> pa.Field:
    kind = pa.dictionary(pa.int32(), pa.utf8())
    return pa.field(SOURCE, kind, nullable=False, metadata={"description": "name of the file"})


def _labels(names: Sequence[str]) -> list[str]:
    """Return the names, with a number behind those that are there twice."""
    seen: dict[str, int] = {}
    labels = []
    for name in names:
        seen[name] = count = seen.get(name, 0) + 1
        labels.append(name if count == 1 else f"{name} ({count})")
    return labels
