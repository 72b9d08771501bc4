"""The compiled core: bytes in, Arrow batches out. Sans I/O."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from typing_extensions import disjoint_base

__all__ = ["Batch", "GenerationIndex", "TraceDecoder"]

class _SchemaExportable(Protocol):
    def __arrow_c_schema__(self) -> object: ...

@disjoint_base
class Batch:
    """One Arrow record batch, to be taken once through the Arrow PyCapsule interface."""

    @property
    def num_rows(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Move the batch out: `(schema capsule, array capsule)`. A second call raises."""

@disjoint_base
class GenerationIndex:
    """Find the generations of a trace without decoding them."""

    def __new__(cls, *, salvage: bool = False, max_memory: int = ...) -> GenerationIndex: ...
    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Lend decompressed bytes, until `next_generation` gives None."""
    def finish(self) -> None:
        """Say that no more bytes will come."""
    def next_generation(self) -> dict[str, int | bool | None] | None:
        """Describe the next generation; None: feed more, or the end after `finish`."""

@disjoint_base
class TraceDecoder:
    """Decode an execution trace of Go 1.22 to 1.27."""

    def __new__(
        cls,
        tables: Mapping[str, _SchemaExportable],
        dictionaries: Mapping[str, Sequence[str]],
        *,
        batch_rows: int = 65536,
        salvage: bool = False,
        max_memory: int = ...,
    ) -> TraceDecoder: ...
    @property
    def minor(self) -> int | None:
        """Minor version of the header (22, 23, 25, 26), None before 16 bytes were fed."""
    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Lend decompressed bytes, until `next_batch` gives None."""
    def finish(self) -> None:
        """Say that no more bytes will come."""
    def cancel(self) -> None:
        """Make `next_batch` raise InterruptedError soon, from any thread."""
    def next_batch(self) -> tuple[str, Batch] | None:
        """`(table, Batch)`, or None: feed more, or after `finish` the end."""
