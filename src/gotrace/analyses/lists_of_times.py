"""Sums of columns whose rows are lists of (text, ns), by group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.sums import Sums, ints
from gotrace.arrays import Bools, Ints


class ListSums:
    """Adds up how times divide.

    Args:
        word: name of the text in the lists that `lists` gives.
    """

    def __init__(self, word: str) -> None:
        self._word = word
        self._sums = Sums(("group", "of"), ("ns",))

    def add(self, group: Ints, column: pa.Array) -> None:
        """Add the lists of some rows, each to its group."""
        owner, texts, times = _taken_apart(column)
        if len(owner):
            columns = {"group": pa.array(group[owner]), "of": texts, "ns": pa.array(times)}
            self._sums.add(pa.table(columns))

    def lists(self, groups: int) -> pa.Array:
        """Give a list for every group, the longest time first, then by text."""
        held: list[list[dict[str, Any]]] = [[] for _ in range(groups)]
        sums = self._sums.table()
        rows = [] if sums is None else sums.to_pylist()
        for row in sorted(rows, key=lambda row: (-row["ns"], row["of"] or "")):
            held[row["group"]].append({self._word: row["of"] or "", "ns": row["ns"]})
        fields = [
            pa.field(self._word, pa.utf8(), nullable=False),
            pa.field("ns", pa.int64(), nullable=False),
        ]
        item = pa.field("item", pa.struct(fields), nullable=False)
        return pa.array(held, pa.list_(item))


def sum_of(column: pa.Array, text: str) -> Ints:
    """Give the ns under one text in the list of each row, 0 for none."""
    owner, texts, times = _taken_apart(column)
    sums = np.zeros(len(column), np.int64)
    if len(owner):
        hit: Bools = np.asarray(pc.fill_null(pc.equal(texts, text), False)).astype(np.bool_)
        np.add.at(sums, owner[hit], times[hit])
    return sums


def _taken_apart(column: pa.Array) -> tuple[Ints, pa.Array, Ints]:
    """Give the row, the text and the ns of everything in the lists."""
    owner = ints(pc.list_parent_indices(column))
    held = column.flatten()
    texts = held.field(0)
    if pa.types.is_dictionary(texts.type):
        texts = texts.cast(texts.type.value_type)
    return owner, texts, ints(held.field(1))
