"""Samples one by one: how their labels are written."""

from __future__ import annotations

import gotrace
from gotrace.analyses.profile_columns import each_profile
from gotrace.analyses.samples import traces_of
from tests.analyses import proto


def test_labels_come_in_the_order_of_pprof() -> None:
    """It sorts lines with padded keys: short keys first; texts before numbers."""
    labels = {"path": "/p", "t": "short", "ünï": ["b", "a"], "bytes": (2048, "bytes")}
    labels["a label longer than that"] = "last"
    data = proto.build([("leaf main.main", [1, 10], labels)])
    (columns,) = each_profile(gotrace.open(data))
    (row,) = traces_of(columns).to_pylist()
    texts = ["t: short", "ünï: b a", "path: /p", "a label longer than that: last"]
    assert row["labels"] == [*texts, "bytes: 2kB"]
