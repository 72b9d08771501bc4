"""Flames to look at, and what a page must say about them, worked out path by path."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa

import gotrace
from gotrace.analyses.profile_columns import ProfileColumns, from_tables
from tests.analyses import proto

Path = tuple[str, ...]


def profile(*samples: tuple[str, list[int]]) -> ProfileColumns:
    """A profile of stacks, leaf first, with their counts and times."""
    return from_tables(proto.tables(proto.build([(s, v, {}) for s, v in samples])))


def stacks(flame: pa.Table, value: str = "self") -> Counter[Path]:
    """The stacks of a flame, root first, with their own values."""
    found: Counter[Path] = Counter()
    path: list[str] = []
    for row in flame.select(["depth", "name", value]).to_pylist():
        path[max(row["depth"] - 1, 0) :] = [row["name"]] if row["depth"] else []
        if row[value]:
            found[tuple(path)] += row[value]
    return found


def prefixes(weighted: Counter[Path]) -> dict[str, int]:
    """The sum below each path, the paths written with slashes."""
    sums: dict[str, int] = defaultdict(int)
    for path, value in weighted.items():
        for length in range(len(path) + 1):
            sums["/".join(path[:length])] += value
    return dict(sums)


def inverted(weighted: Counter[Path]) -> Counter[Path]:
    """The same stacks from their leaves on."""
    turned: Counter[Path] = Counter()
    for path, value in weighted.items():
        turned[path[::-1]] += value
    return turned


def around(weighted: Counter[Path], name: str) -> tuple[Counter[Path], Counter[Path]]:
    """Callers, nearest first, and callees of a function, from where it is outermost."""
    callers: Counter[Path] = Counter()
    callees: Counter[Path] = Counter()
    for path, value in weighted.items():
        if name in path:
            at = path.index(name)
            callers[path[:at][::-1]] += value
            callees[path[at + 1 :]] += value
    return callers, callees


def made(count: int, names: int = 4000, seed: int = 1) -> pa.Table:
    """A flame of so many nodes, as deep and as wide as those of large services."""
    rng = random.Random(seed)
    packages = [f"github.com/acme/shop/internal/{word}{at}" for at in range(60) for word in "abc"]
    packages += ["main", "runtime", "net/http", "encoding/json", "sync"]
    pool = [
        f"{rng.choice(packages)}.{rng.choice(['(*Server).Do', 'serve', 'Map[...].Get'])}{at}"
        for at in range(names)
    ]
    depth = [0]
    for _ in range(count - 1):
        climb = rng.random() < 0.55
        back = 0 if climb else int(rng.expovariate(0.25))
        depth.append(min(max(depth[-1] + 1 - back, 1), 60))
    frame = [None, *(rng.choice(pool) for _ in depth[1:])]
    own = np.array([int(rng.paretovariate(1.1) * 1e5) % 10**10 for _ in depth], np.int64)
    own[0] = 0
    return _flame(depth, frame, own)


def _flame(depth: list[int], names: list[str | None], own: np.ndarray) -> pa.Table:
    count = len(depth)
    parents: list[int | None] = [None] * count
    open_at = [0] * (max(depth) + 2)
    for node in range(1, count):
        parents[node] = open_at[depth[node] - 1]
        open_at[depth[node]] = node
    end, total = list(range(1, count + 1)), own.tolist()
    for node in range(count - 1, 0, -1):
        above = parents[node]
        assert above is not None
        end[above] = max(end[above], end[node])
        total[above] += total[node]
    columns = {
        "node": range(count),
        "parent": parents,
        "depth": depth,
        "subtree_end": end,
        "name": names,
        "function": names,
        "inlined": [False] * count,
        "self": own.tolist(),
        "total": total,
    }
    schema = gotrace.schema("flame")
    zeros = {field.name: [0] * count for field in schema if not field.nullable}
    nulls = {field.name: [None] * count for field in schema}
    found = {**nulls, **zeros, **{name: list(values) for name, values in columns.items()}}
    return pa.table(found, schema=schema)
