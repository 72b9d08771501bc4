"""What `go tool trace` shows in its pages, for every real trace: profiles, tasks, regions, groups.

One server a trace answers all questions; what is compared is sample by sample and bin by bin.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby

import pytest

import gotrace
from gotrace.analyses.delays import VIEWS, delay_profile
from gotrace.analyses.goroutines import goroutines
from gotrace.analyses.profile_columns import from_tables
from gotrace.analyses.selection import Where
from gotrace.analyses.tasks import regions, tasks
from tests.analyses.test_delays import by_stack
from tests.core.decoding import readable, real_names
from tests.golab import record, toolchain
from tests.golab.web import Web, web_of

#: The oldest and the newest of each kind; all were compared when this was written, in 3 minutes.
KINDS = [list(of_kind) for _, of_kind in groupby(real_names(), lambda name: name.rsplit("-", 1)[0])]
NAMES = readable(
    sorted({each[end] for each in KINDS for end in (0, -1) if not each[0].startswith("misnested")})
)
PAGES = {"net": "io", "sync": "block", "syscall": "syscall", "sched": "sched"}


@pytest.mark.go
@pytest.mark.parametrize("name", NAMES)
def test_pages(name: str) -> None:
    path = record.REAL / f"{name}.trace.zst"
    trace = gotrace.open(path)
    with web_of(path, toolchain.require()) as web:
        groups = groups_of(web, trace)
        types = regions_of(web, trace)
        tasks_of(web, trace)
        for by in VIEWS:
            compare(web, trace, by, PAGES[by], Where())
            for group in groups[:2]:
                compare(web, trace, by, PAGES[by], Where(group=group), name=group)
            for region, raw in types[:2]:
                page = f"region{PAGES[by]}"
                compare(web, trace, by, page, Where(region=region), type=raw)
            for region, raw in types[:1]:
                where = Where(region=region, at_least_ns=10_000, at_most_ns=3_000_000)
                compare(web, trace, by, page, where, type=raw, latmin="10us", latmax="3ms")


def compare(
    web: Web, trace: gotrace.Trace, by: str, page: str, where: Where, **query: object
) -> None:
    go = web.profile(page, **query)
    assert go is not None
    ours = by_stack(delay_profile(trace, by, where=where, compat="go"))
    assert ours == by_stack(from_tables(gotrace.open(go))), (by, where)


def groups_of(web: Web, trace: gotrace.Trace) -> list[str]:
    """Compare the groups of goroutines; give the names of those that ran longest."""
    table = goroutines(trace, compat="go")
    ours: Counter[str] = Counter()
    ran: Counter[str] = Counter()
    for row in table.to_pylist():
        ours[row["group"] or ""] += row["count"]
        ran[row["group"] or ""] += row["exec_ns"]
    expected = web.groups()
    assert ours == {name: count for name, (count, _) in expected.items()}
    for name, (_, ns) in expected.items():
        assert abs(ran[name] - ns) <= ns * 1e-9 + 1  # written with some digits
    return [name for name, _ in ran.most_common() if name]


def regions_of(web: Web, trace: gotrace.Trace) -> list[tuple[str, bytes]]:
    """Compare the types of regions, which Go tells apart by where goroutines begin too.

    Give the names of the most frequent, as ours and as they are.
    """
    raw: dict[str, bytes] = {}
    counts: Counter[str] = Counter()
    bins: dict[str, Counter[int]] = {}
    for row in web.regions():
        raw[row.name] = row.raw
        counts[row.name] += row.count
        bins.setdefault(row.name, Counter()).update(dict(row.bins))
    table = regions(trace, compat="go").to_pylist()
    assert {row["name"] or "": row["count"] for row in table} == counts
    for row in table:
        assert histogram(row) == bins[row["name"] or ""]
    return [(name, raw[name]) for name, _ in counts.most_common()]


def tasks_of(web: Web, trace: gotrace.Trace) -> None:
    expected = {row.name: row for row in web.tasks()}
    ours = {row["name"] or "": row for row in tasks(trace, compat="go").to_pylist()}
    counts = Counter({name: row["count"] for name, row in ours.items()})
    more = Counter({name: row.count for name, row in expected.items()}) - counts
    assert more in ({}, {"": 1})  # the background task, which has no name
    assert counts.total() + more.total() == sum(row.count for row in expected.values())
    for name, row in ours.items():
        assert histogram(row) == dict(expected[name].bins)


def histogram(row: dict[str, object]) -> dict[int, int]:
    return {each["from_ns"]: each["count"] for each in row["histogram"]}  # type: ignore[attr-defined]
