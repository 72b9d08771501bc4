"""Traces for the command line: a real one whole, cut, and cut before anything is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner, Result

from gotrace.cli.app import cli

REAL = Path(__file__).parents[1] / "data" / "real"
ANNOTATED = "annotations-generations-go1.25.trace.zst"


@pytest.fixture(scope="session")
def packed() -> Path:
    """A trace with logs, tasks and regions, as it lies there: zstd."""
    return REAL / ANNOTATED


@pytest.fixture(scope="session")
def trace_bytes(packed: Path) -> bytes:
    data = packed.read_bytes()
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


@pytest.fixture(scope="session")
def trace(tmp_path_factory: pytest.TempPathFactory, trace_bytes: bytes) -> Path:
    path = tmp_path_factory.mktemp("cli") / "app.trace"
    path.write_bytes(trace_bytes)
    return path


@pytest.fixture(scope="session")
def cut(tmp_path_factory: pytest.TempPathFactory, trace_bytes: bytes) -> Path:
    """Two generations are whole, the third is not."""
    path = tmp_path_factory.mktemp("cli") / "cut.trace"
    path.write_bytes(trace_bytes[:9000])
    return path


@pytest.fixture(scope="session")
def hopeless(tmp_path_factory: pytest.TempPathFactory, trace_bytes: bytes) -> Path:
    """Not one generation is whole."""
    path = tmp_path_factory.mktemp("cli") / "hopeless.trace"
    path.write_bytes(trace_bytes[:3000])
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text("<!doctype html><title>Not found\u202e</title>", encoding="utf-8")
    return path


Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run a command line in this process."""

    def run(*words: object, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(cli, [str(word) for word in words], input=stdin)
        assert not isinstance(result.exception, AssertionError), result.exception
        return result

    return run
