"""What words mean as inputs: files, folders, patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from gotrace.cli.paths import expanded
from gotrace.cli.terminal import Failure


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a/1.pb", "a/deep/2.pb", "a/.hidden", "b/3.pb", "b/_gotrace.json", "[x].pb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("word", "files"),
    [
        ("a/1.pb", ["a/1.pb"]),
        ("a", ["a/1.pb", "a/deep/2.pb"]),
        ("b", ["b/3.pb"]),
        ("?", ["a/1.pb", "a/deep/2.pb", "b/3.pb"]),
        ("**/*.pb", ["[x].pb", "a/1.pb", "a/deep/2.pb", "b/3.pb"]),
        ("[x].pb", ["[x].pb"]),
        ("-", ["-"]),
        ("missing.pb", ["missing.pb"]),
        ("https://example.com/a*.pb", ["https://example.com/a*.pb"]),
    ],
)
def test_what_a_word_means(tree: Path, word: str, files: list[str]) -> None:
    assert expanded([word]) == files


@pytest.mark.parametrize("word", ["empty", "*.nothing"])
def test_nothing_is_there(tree: Path, word: str) -> None:
    with pytest.raises(Failure, match="no file is there"):
        expanded([word])
