"""The page of differences says what the tests allow."""

from pathlib import Path

from tests.differential.exceptions import page

PAGE = Path(__file__).parents[2] / "docs" / "differences-from-go.md"


def test_the_page_is_the_list() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
