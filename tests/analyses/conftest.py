"""Profiles that are made to compare with Go."""

from __future__ import annotations

from typing import Any

from tests.analyses import proto


def made_profile(**facts: Any) -> bytes:
    """What real profiles seldom hold together: inlines, recursion, every kind of label."""
    return proto.build(
        [
            ("leaf+mid main.run main.main", [3, 300], {"tenant": "a", "bytes": (64, "bytes")}),
            (
                "leaf+mid:9 main.run:8 main.main",
                [2, 250],
                {"tenant": "b", "bytes": (2048, "bytes")},
            ),
            ("rec rec:3 rec:4+mid main.main", [5, 500], {"tenant": ["a", "c"], "depth": 3}),
            ("@16 leaf main.run main.main", [1, 90], {"request": 4096}),
            ("@32", [1, 80], {}),
            ("main.work(int) ns.call(x) main.main", [4, 370], {"tenant": "b", "depth": 700}),
            ("mid leaf+rec main.main", [7, 777], {"tenant": "z", "bytes": (1 << 20, "bytes")}),
            ("main.run+main.main", [1, 1], {}),
            ("tiny main.main", [1, 1], {"path": "/p", "t": "short"}),
            ("", [1, 11], {"tenant": "none"}),
            ("leaf mid tiny rec", [2, -120], {}),
        ],
        **facts,
    )
