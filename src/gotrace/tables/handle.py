"""A table of a source, before it is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gotrace.errors import MissingExtraError
from gotrace.tables.schema import schema

if TYPE_CHECKING:
    import pandas as pd

    from gotrace.tables.table_source import TableSource


class TableHandle:
    """One table of one source: its schema costs nothing, every read decodes anew.

    DuckDB, Polars, pandas and everything else that takes `__arrow_c_stream__` takes a handle.
    """

    def __init__(self, source: TableSource, name: str) -> None:
        self.schema = schema(name)
        self.name = name
        self._source = source

    def reader(self, columns: Iterable[str] | None = None, **choices: Any) -> pa.RecordBatchReader:
        """Stream the table; see `Trace.reader`."""
        return self._source.reader(self.name, columns, **choices)

    def table(self, columns: Iterable[str] | None = None, **choices: Any) -> pa.Table:
        """Return the whole table in memory."""
        return self.reader(columns, **choices).read_all()

    def pandas(self, columns: Iterable[str] | None = None, **choices: Any) -> pd.DataFrame:
        """Return the table as a pandas DataFrame that keeps the Arrow types."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("pandas is missing: pip install 'gotrace[pandas]'") from None
        frame: pd.DataFrame = self.table(columns, **choices).to_pandas(types_mapper=pd.ArrowDtype)
        return frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export a new stream over the table (Arrow PyCapsule interface)."""
        return self.reader().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<table {self.name!r} of {self._source.name!r}>"
