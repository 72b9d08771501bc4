"""Decode with both readers, ours and Go's, and say where they differ."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.core.decoding import Decoded, decode
from tests.differential.compare import differences
from tests.golab import peers

TABLES = ("events", "stacks", "frames")


@dataclass(frozen=True)
class Both:
    """What the two readers made of the same bytes."""

    ours: Decoded
    go: peers.Dump

    def row_differences(self, most_line: int = 2**64, without_last_sync: bool = False) -> list[str]:
        """Where the rows differ that both delivered, or that there are more of them.

        Go's lines are taken for `most_line` at most; our last row can be left out if it is a sync,
        which is what comes in the place of a generation that is rejected.
        """
        events, stacks, frames = (self.ours.table(name) for name in TABLES)
        if without_last_sync and len(events) and events["kind"][-1].as_py() == "sync":
            events = events.slice(0, len(events) - 1)
        return differences(events, stacks, frames, self.go, most_line)

    def differences(self) -> list[str]:
        """Where rows and verdict differ; nothing when they are equal."""
        ours = self.ours
        found = self.row_differences()
        if (ours.error is None) != (self.go.verdict == "end"):
            found.append(f"we say {ours.error!r}, Go says {self.go.verdict}: {self.go.message}")
        return found


def read_with_both(data: bytes) -> Both:
    with tempfile.TemporaryDirectory(prefix="gotrace-both-") as scratch:
        path = Path(scratch) / "trace"
        path.write_bytes(data)
        return Both(decode(data, TABLES), peers.dump_trace(path))
