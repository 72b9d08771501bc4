"""What a profile holds, beside what it says of itself: totals, labels, the program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

COLUMNS: Final = {
    "samples": ("profile", "label_set_id", "values"),
    "label_sets": ("label_set_id", "key"),
    "mappings": ("profile", "file", "build_id"),
}
"""What has to be read for it, beside the table `profiles`."""


class Contents:
    """Takes in batches of the tables of `COLUMNS`, and gives what they hold."""

    def __init__(self) -> None:
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in COLUMNS}

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take in a batch."""
        self._batches[name].append(batch)

    def of(self, profile: dict[str, Any]) -> dict[str, Any]:
        """Give of a row of `profiles`: totals, labels (samples by key), program, build_id."""
        number, types = profile["profile"], profile["sample_types"]
        samples = list(self._of("samples", number))
        mapping = next((batch.slice(0, 1) for batch in self._of("mappings", number)), None)
        program = mapping.to_pylist()[0] if mapping is not None else {}
        return {
            "totals": _totals(samples, types),
            "labels": self._labels(samples),
            "program": program.get("file"),
            "build_id": program.get("build_id"),
        }

    def _of(self, name: str, profile: int) -> Iterable[pa.RecordBatch]:
        for batch in self._batches[name]:
            mine = batch.filter(pc.equal(batch.column("profile"), profile))
            if mine.num_rows:
                yield mine

    def _labels(self, samples: list[pa.RecordBatch]) -> dict[str, int]:
        keys: dict[int, set[str]] = {}
        for batch in self._batches["label_sets"]:
            for row in batch.to_pylist():
                keys.setdefault(row["label_set_id"], set()).add(row["key"])
        counts: Counter[str] = Counter()
        for batch in samples:
            for item in pc.value_counts(batch.column("label_set_id")).to_pylist():
                for key in keys.get(item["values"], ()):
                    counts[key] += item["counts"]
        return dict(sorted(counts.items()))


def _totals(samples: list[pa.RecordBatch], types: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Sum the absolute values of each type, exactly: two halves of a number do not overflow."""
    sums = [0] * len(types)
    for batch in samples:
        values = np.asarray(pc.list_flatten(batch.column("values"))).reshape(-1, len(types))
        sizes = np.abs(values).view(np.uint64)  # of the least number too
        low, high = (sizes & 0xFFFFFFFF).sum(axis=0), (sizes >> np.uint64(32)).sum(axis=0)
        for place in range(len(types)):
            sums[place] += (int(high[place]) << 32) + int(low[place])
    return [{**kind, "value": total} for kind, total in zip(types, sums, strict=True)]
