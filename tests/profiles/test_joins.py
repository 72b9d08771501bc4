"""Keys join what one program left, and what two builds of it left: with real programs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

import gotrace
from tests.golab import toolchain

pytestmark = pytest.mark.go

PROGRAM = Path(toolchain.__file__).parent / "programs" / "joins" / "main.go"
WAITING = ("receive", "send", "choose", "lock", "await")


@pytest.fixture(scope="module", params=["1.22.10", toolchain.REFERENCE])
def left(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the program left, and what a build left in which every line is another one."""
    go, folder = toolchain.require(request.param), tmp_path_factory.mktemp("joins")
    for build, head in (("one", ""), ("two", "// An edit.\n\n")):
        out = folder / build
        out.mkdir()
        source = PROGRAM.read_text(encoding="ascii")
        (out / "main.go").write_text(head + source, encoding="ascii")
        go.build(out, out / "program")
        subprocess.run([out / "program", "-o", out], check=True)
    return folder


def stacks(path: Path) -> dict[int, dict[str, Any]]:
    return {row["stack_id"]: row for row in gotrace.open(path).table("stacks").to_pylist()}


def parked(path: Path, key: str) -> dict[str, int]:
    """The key of each function that goroutines wait in."""
    found = {}
    for row in stacks(path).values():
        if row["site_function"] in {f"main.{name}" for name in WAITING}:
            assert found.setdefault(row["site_function"], row[key]) == row[key]
    return found


def test_a_goroutine_profile_with_a_trace(left: Path) -> None:
    """The place where each waits is one key in both."""
    trace = gotrace.open(left / "one" / "app.trace")
    known = stacks(left / "one" / "app.trace")
    waits = trace.table("goroutine_states", ["stack_id", "state"])
    ids = waits.filter(pc.equal(waits["state"], "waiting"))["stack_id"].to_pylist()
    waited = {known[id]["site_stack_id"] for id in ids if id is not None}
    profile = parked(left / "one" / "goroutine.pb.gz", "site_stack_id")
    assert sorted(profile) == sorted(f"main.{name}" for name in WAITING)
    assert set(profile.values()) <= waited


def test_a_cpu_profile_with_the_samples_of_its_trace(left: Path) -> None:
    """Both are of the same signals; profiles lack the runtime.goexit at the root of each."""
    samples = gotrace.open(left / "one" / "app.trace").table("cpu_samples")
    assert samples.num_rows > 20
    traced = stacks(left / "one" / "app.trace")
    traced = {id: traced[id] for id in samples["stack_id"].to_pylist()}
    sites = {row["site_stack_id"] for row in traced.values()}
    frames = {tuple(row["frame_ids"][:-1]) for row in traced.values()}
    assert {row["functions"][-1] for row in traced.values() if row["site"]} == {"runtime.goexit"}
    joined = exact = total = 0
    known = stacks(left / "one" / "cpu.pb.gz")
    for row in gotrace.open(left / "one" / "cpu.pb.gz").table("samples").to_pylist():
        stack, count = known[row["stack_id"]], row["values"][0]
        if "main.spin" in stack["functions"]:
            total += count
            joined += count * (stack["site_stack_id"] in sites)
            exact += count * (tuple(stack["frame_ids"]) in frames)
    assert total > 20
    assert joined >= 0.9 * total
    assert exact >= 0.9 * total


def test_two_builds(left: Path) -> None:
    """Lines and addresses are others, functions are not."""
    one, two = (left / build / "goroutine.pb.gz" for build in ("one", "two"))
    assert parked(one, "fingerprint") == parked(two, "fingerprint")
    for key in ("stack_id", "site_stack_id"):
        assert not set(parked(one, key).values()) & set(parked(two, key).values())
