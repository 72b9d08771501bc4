"""Real traces that the tables are read from."""

from pathlib import Path

import pytest

REAL = Path(__file__).parents[1] / "data" / "real"


@pytest.fixture(scope="session")
def real():
    """Path of a recorded trace: real("io-go1.27")."""
    return lambda name: REAL / f"{name}.trace.zst"


@pytest.fixture
def cut(real, tmp_path):
    """Return a damaged copy: whole generations of Go 1.26, then half of one."""
    import zstandard

    with zstandard.open(real("gc-generations-go1.26"), "rb") as file:
        data = file.read()
    path = tmp_path / "cut.trace"
    path.write_bytes(data[: len(data) * 2 // 3])
    return path
