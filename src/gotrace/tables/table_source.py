"""`TableSource`: what `gotrace.open` gives, whatever kind of file it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from gotrace.sources.input import Input
from gotrace.tables.handle import TableHandle
from gotrace.tables.passes import OnError, salvages

if TYPE_CHECKING:
    import pandas as pd

Own = TypeVar("Own", bound="TableSource")


class TableSource(ABC):
    """A source of named tables, each decoded when it is read."""

    kind: str

    def __init__(self, given: Input, *, on_error: OnError = "fail") -> None:
        salvages(on_error)
        self._input = given
        self.on_error: OnError = on_error
        self.name = given.name

    @property
    @abstractmethod
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that it can give."""

    @abstractmethod
    def reader(self, *given: Any, **choices: Any) -> pa.RecordBatchReader:
        """Stream a table."""

    @abstractmethod
    def cancel(self) -> None:
        """Stop what is running, from any thread; what it reads next is the end."""

    def __getitem__(self, name: str) -> TableHandle:
        """Return a handle of a table; it decodes each time it is read."""
        return TableHandle(self, name)

    def table(self, name: str, columns: Iterable[str] | None = None, **choices: Any) -> pa.Table:
        """Return a whole table in memory; `choices` as for `reader`."""
        return self.reader(name, columns, **choices).read_all()

    def pandas(
        self, name: str, columns: Iterable[str] | None = None, **choices: Any
    ) -> pd.DataFrame:
        """Return a table as a pandas DataFrame that keeps the Arrow types."""
        return TableHandle(self, name).pandas(columns, **choices)

    def close(self) -> None:
        """Cancel what runs, and let go of a stream that was not read. `with` does it."""
        self.cancel()
        self._input.close()

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<gotrace.{type(self).__name__} {self.name!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by path, for workers in other processes."""
        from gotrace.tables.open import reopen

        path = self._input.source.path
        if path is None:
            raise TypeError(f"{self.name}: only a {self.kind} with a path or URL can be pickled")
        return reopen, (path, self.on_error, self._input.limits)
