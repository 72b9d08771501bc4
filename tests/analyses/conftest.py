"""Profiles to compare with Go: real ones, recorded once a session, and made ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.analyses import proto
from tests.golab import toolchain

SPEND = Path(__file__).with_name("spend")
REAL = ("cpu", "heap", "allocs", "block", "mutex", "goroutine", "threadcreate")


@pytest.fixture(scope="session")
def go() -> toolchain.Toolchain:
    return toolchain.require()


@pytest.fixture(scope="session")
def recorded(go: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One real profile of each kind."""
    folder = tmp_path_factory.mktemp("profiles")
    go.run(go.build_cached(SPEND), str(folder))
    return {kind: folder / f"{kind}.pb.gz" for kind in REAL}


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
            ("tiny main.main", [1, 1], {}),
            ("", [1, 11], {"tenant": "none"}),
            ("leaf mid tiny rec", [2, -120], {}),
        ],
        **facts,
    )


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "made.pb"
    path.write_bytes(made_profile())
    return path
