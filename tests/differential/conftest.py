"""All of this needs Go's own reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golab import toolchain

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.go)


@pytest.fixture(scope="session", autouse=True)
def go() -> toolchain.Toolchain:
    return toolchain.require()
