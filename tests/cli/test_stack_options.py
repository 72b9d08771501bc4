"""Every option of the verbs over stacks means what the analyses, which Go is compared with, do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gotrace
from gotrace.analyses.call_graph import Trim, call_graph, edge_table, top_table
from gotrace.analyses.filters import Filters
from gotrace.analyses.flame import flame_of
from gotrace.analyses.profile_columns import each_profile
from gotrace.analyses.samples import tags_of, traces_of
from tests.analyses.conftest import made_profile
from tests.analyses.pprof_cases import CASES, split, words_of

OF_GRAPHS = {"sort", "relative_percentages", "drop_negative"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("options") / "made.pb"
    path.write_bytes(made_profile())
    return path


@pytest.mark.parametrize("compat", ["go", None])
@pytest.mark.parametrize("case", CASES)
def test_options(run: Any, made: Path, case: str, compat: str | None) -> None:
    (columns,) = each_profile(gotrace.open(made), compat=compat)
    given, choices = split(CASES[case])
    filters, value = Filters(**given), CASES[case].get("sample_index")
    words = [*words_of(CASES[case]), "--unit=ns", *(["--compat=go"] if compat else [])]

    def rows(verb: str, *more: object) -> list[dict[str, Any]]:
        result = run(verb, made, *more, *words, "--format=json")
        assert result.exit_code == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]

    def same(found: list[dict[str, Any]], table: Any) -> bool:
        plain = [{**row, "address": row.get("address") and str(row["address"])} for row in table]
        return [{"address": None, **row} for row in found] == plain

    trim = Trim(6, 0.005, 0.001)
    few = ["-n", 6, "--nodefraction", 0.005, "--edgefraction", 0.001]
    graphs = {"filters": filters, "unit": "ns", "compat": compat, **choices}
    graph = call_graph(columns, value, trim=trim, **graphs)
    assert same(rows("top", *few), top_table(graph).to_pylist())
    assert same(rows("tree", *few), edge_table(graph).to_pylist())
    if OF_GRAPHS & set(CASES[case]):
        return
    stacks = {"filters": filters, "unit": "ns"}
    assert same(
        rows("traces"), traces_of(columns, value, compat=compat, **stacks, **choices).to_pylist()
    )
    assert same(rows("flame"), flame_of(columns, value, **stacks, **choices).to_pylist())
    if not choices:
        assert same(rows("tags"), tags_of(columns, value, **stacks).to_pylist())
