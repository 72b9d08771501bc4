"""A tree drawn with lines: which of its nodes are shown, and what stands before each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gotrace.arrays import Bools, Ints


class Line(NamedTuple):
    """A line of the drawing.

    Attributes:
        node: the node; for a line that stands for children left out, their parent.
        prefix: lines that lead to it.
        hidden: how many children it stands for; 0 for a node itself.
        weight: what these add up to.
    """

    node: int
    prefix: str
    hidden: int = 0
    weight: int = 0


def largest(parents: Ints, sizes: Ints, least: float, most: int) -> Bools:
    """Say which nodes to show: at most `most`, none below `least`, all with their ancestors."""
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] >= least]
    shown = np.zeros(len(sizes), np.bool_)
    shown[order[:most] if most else order] = True
    shown[0] = True
    for node in range(len(sizes) - 1, 0, -1):  # parents come first
        if shown[node]:
            shown[parents[node]] = True
    return shown


def drawn(
    parents: Ints, sizes: Ints, shown: Bools, omitted: Bools, least: float = 0
) -> Iterator[Line]:
    """Draw the shown nodes, the largest of siblings first.

    What is `omitted` of a node's children has a line of its own, unless it is below `least`. A node
    that is all that is left of its parent is not indented, so that deep stacks fit.
    """
    children: dict[int, list[int]] = {}
    for node in np.flatnonzero(shown)[1:].tolist():
        children.setdefault(int(parents[node]), []).append(node)
    counts, weights = (
        np.bincount(parents[omitted], each, len(parents)).astype(np.int64)
        for each in (None, sizes[omitted])
    )
    stack, below = [Line(0, "")], {0: ""}
    while stack:
        line = stack.pop()
        yield line
        if line.hidden:
            continue
        node, lead = line.node, below.pop(line.node)
        left = sorted(children.get(node, ()), key=lambda child: -int(sizes[child]))
        rest = Line(node, f"{lead}└ ", int(counts[node]), int(weights[node]))
        has_rest = rest.hidden > 0 and rest.weight >= least
        if len(left) == 1 and not has_rest:
            below[left[0]] = lead
            stack.append(Line(left[0], lead))
            continue
        lines = []
        for place, child in enumerate(left):
            last = place == len(left) - 1 and not has_rest
            below[child] = lead + ("  " if last else "│ ")
            lines.append(Line(child, lead + ("└ " if last else "├ ")))
        stack += reversed([*lines, *([rest] if has_rest else [])])
