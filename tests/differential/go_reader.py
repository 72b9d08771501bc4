"""Decode with both readers, ours and Go's, and say where they differ."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.core.decoding import Decoded, decode
from tests.differential.compare import differences
from tests.golab import peers

SHIFTED = ("events", "stacks", "frames")


@dataclass(frozen=True)
class Both:
    """What the two readers made of the same bytes."""

    ours: Decoded
    go: peers.Dump

    def differences(self) -> list[str]:
        """Where rows and verdict differ; nothing when they are equal."""
        ours = self.ours
        found = differences(*(ours.table(name) for name in SHIFTED), self.go)
        if (ours.error is None) != (self.go.verdict == "end"):
            found.append(f"we say {ours.error!r}, Go says {self.go.verdict}: {self.go.message}")
        return found


def read_with_both(data: bytes) -> Both:
    with tempfile.TemporaryDirectory(prefix="gotrace-both-") as scratch:
        path = Path(scratch) / "trace"
        path.write_bytes(data)
        return Both(decode(data, SHIFTED), peers.dump_trace(path))
