"""Samples whose stack is several stacks and words, one on top of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.analyses.stack_profiles import StackCollector
from gotrace.arrays import Ints, Rows

_NONE = -1
_GOEXIT = "runtime.goexit"


@dataclass(frozen=True)
class Piece:
    """One stack of every sample, or one frame with a word in it.

    Attributes:
        stacks: ids, -1 for none; or positions in `words`.
        upside_down: the root is the first frame of the piece, not the leaf.
        words: names of frames that are no functions.
    """

    stacks: Ints
    upside_down: bool = False
    words: tuple[str, ...] = ()

    @staticmethod
    def of_words(numbers: Ints, words: Sequence[str]) -> Piece:
        """Make a piece that is one frame with a word."""
        return Piece(numbers, words=tuple(words))


def joined(
    stacks: StackCollector,
    pieces: Sequence[Piece],
    values: Ints,
    types: tuple[tuple[str, str], ...],
    facts: Mapping[str, Any],
) -> ProfileColumns:
    """Make a profile of samples whose frames are those of all pieces, the leaf's piece first.

    Raises ValueError for a stack or a frame that did not come.
    """
    ids = np.unique(np.concatenate([p.stacks for p in pieces if not p.words]))
    ids = ids[ids != _NONE]
    words = [word for piece in pieces for word in piece.words]
    base = stacks.profile(ids, np.zeros((len(ids), len(types)), np.int64), types, facts)
    base = _with_words(base, words)
    offsets, locations = _slices(base, ids, pieces)
    return replace(
        base,
        values=np.ascontiguousarray(values),
        offsets=offsets,
        locations=locations,
        labels=np.zeros(len(values), np.int64),
    )


def _with_words(profile: ProfileColumns, words: Sequence[str]) -> ProfileColumns:
    """Append a location for each word, and a sample that is it alone."""
    count = len(words)
    more = np.arange(count, dtype=np.int64)
    last = profile.line_offsets[-1]
    return replace(
        profile,
        offsets=np.concatenate([profile.offsets, profile.offsets[-1] + 1 + more]),
        locations=np.concatenate([profile.locations, len(profile.addresses) + more]),
        line_offsets=np.concatenate([profile.line_offsets, last + 1 + more]),
        functions=np.concatenate([profile.functions, len(profile.function_names) + more]),
        lines=np.concatenate([profile.lines, np.zeros(count, np.int64)]),
        columns=np.concatenate([profile.columns, np.zeros(count, np.int64)]),
        addresses=np.concatenate([profile.addresses, np.zeros(count, np.uint64)]),
        mappings=np.concatenate([profile.mappings, np.full(count, _NONE)]),
        function_names=(*profile.function_names, *words),
        function_files=(*profile.function_files, *[""] * count),
        function_starts=np.concatenate([profile.function_starts, np.zeros(count, np.int64)]),
    )


def _ends_in_goexit(base: ProfileColumns) -> Ints:
    """Say of each stack, as 1 or 0, whether its root is the frame that some tools leave out."""
    if _GOEXIT not in base.function_names or not len(base.locations):
        return np.zeros(len(base.offsets) - 1, np.int64)
    number = base.function_names.index(_GOEXIT)
    function = np.append(base.functions, _NONE)
    last = function[base.line_offsets[1:] - 1]
    of_location = np.where(np.diff(base.line_offsets) > 0, last, _NONE)
    roots = base.locations[np.maximum(base.offsets[1:] - 1, 0)]
    found = (of_location[roots] == number) & (np.diff(base.offsets) > 0)
    ends: Ints = found.astype(np.int64)
    return ends


def _slices(base: ProfileColumns, ids: Ints, pieces: Sequence[Piece]) -> tuple[Ints, Rows]:
    """Put the frames of the pieces of each sample one behind the other."""
    samples = len(pieces[0].stacks)
    length_of = np.diff(base.offsets) - _ends_in_goexit(base)
    starts = np.zeros((samples, len(pieces)), np.int64)
    sizes = np.zeros((samples, len(pieces)), np.int64)
    behind = len(ids)
    for column, piece in enumerate(pieces):
        if piece.words:
            row, some = behind + piece.stacks, np.ones(samples, np.bool_)
            behind += len(piece.words)
        else:
            row, some = np.searchsorted(ids, piece.stacks), piece.stacks != _NONE
        row = np.where(some, row, 0)
        if len(base.offsets) > 1:
            starts[:, column] = base.offsets[:-1][row]
            sizes[:, column] = np.where(some, length_of[row], 0)
    size = sizes.reshape(-1)
    ends = np.cumsum(size)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - size, size)
    turned = np.tile([piece.upside_down for piece in pieces], samples)
    turned = np.repeat(turned, size)
    length, start = np.repeat(size, size), np.repeat(starts.reshape(-1), size)
    at = start + np.where(turned, length - 1 - within, within)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes.sum(axis=1))])
    return offsets, base.locations[at]
