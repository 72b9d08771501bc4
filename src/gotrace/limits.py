"""Every limit in one place, with its safe default."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "MOST_PATH_INTERVALS", "MOST_PROCS", "Limits"]

MOST_PATH_INTERVALS = 20_000_000
"""Intervals of goroutines that a critical path is looked for in: they are held, some 2 GB."""

MOST_PROCS = 1 << 16
"""Procs that an analysis makes room for: eight times as many as any Linux has processors."""


@dataclass(frozen=True)
class Limits:
    """What one pass over one source may use; reaching a limit raises `LimitError`.

    Attributes:
        memory_bytes: memory of the decoder for generations in flight and its tables.
        rows: rows of all tables together that one pass may deliver; None for no limit.
        decompressed_bytes: bytes that come out of a compressed input; None for no limit.
        inflate_ratio: decompressed bytes per compressed byte, checked after the first 64 MiB.
        seconds: wall time of one pass; None for no limit.
    """

    memory_bytes: int = 4 << 30
    rows: int | None = None
    decompressed_bytes: int | None = None
    inflate_ratio: float = 2000.0
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and value <= 0:
                raise ValueError(f"limit {name} must be positive, not {value!r}")


DEFAULT = Limits()
