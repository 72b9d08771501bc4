"""Codes are for ever: a word keeps its place, new ones come behind."""

from __future__ import annotations

import hashlib

import pytest

from gotrace.spec import words

PINNED = {
    "KINDS": (14, "fd14bc4ede275672"),
    "RESOURCES": (3, "00e107abc14ca947"),
    "STATES": (7, "2660f46426eecccb"),
    "RANGE_CLASSES": (4, "adf7b369138279c8"),
    "OPS": (3, "ce8a1bfda13e7c85"),
    "OBJECTS": (3, "bfcdb1cec15577d0"),
    "WAITS": (47, "fede0f2e3d36e24e"),
    "TRACE_REASONS": (18, "2966d08fb1806be9"),
    "REASONS": (69, "5365569bc2189eaa"),
}


@pytest.mark.parametrize("name", PINNED)
def test_prefix_is_pinned(name: str) -> None:
    count, digest = PINNED[name]
    assert (
        hashlib.sha256("\n".join(getattr(words, name)[:count]).encode()).hexdigest()[:16] == digest
    )


@pytest.mark.parametrize("name", PINNED)
def test_words_are_distinct(name: str) -> None:
    closed_set = getattr(words, name)
    assert len(set(closed_set)) == len(closed_set)
    if "REASONS" not in name:
        assert all(word == word.lower() and word.isidentifier() for word in closed_set)


def test_trace_reasons_are_the_first_reasons() -> None:
    assert words.REASONS[: len(words.TRACE_REASONS)] == words.TRACE_REASONS
