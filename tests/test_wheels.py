"""The wheels that are configured, and what the compiled module says about the GIL."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHONS = ("cp310", "cp311", "cp312", "cp313", "cp314", "cp314t")
PLATFORMS = {
    "linux": ("manylinux_x86_64", "manylinux_aarch64", "musllinux_x86_64", "musllinux_aarch64"),
    "macos": ("macosx_x86_64", "macosx_arm64"),
    "windows": ("win_amd64", "win_arm64"),
}


@pytest.mark.skipif(
    importlib.util.find_spec("cibuildwheel") is None, reason="cibuildwheel needs Python 3.11"
)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_cibuildwheel_knows_every_build(platform: str) -> None:
    command = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers"]
    done = subprocess.run(
        [*command, "--platform", platform, str(ROOT)], capture_output=True, text=True, check=True
    )
    wanted = {f"{python}-{machine}" for python, machine in product(PYTHONS, PLATFORMS[platform])}
    assert set(done.stdout.split()) == wanted


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL in any case"
)
def test_the_core_leaves_the_gil_off() -> None:
    code = "import sys, gotrace._core; print(sys._is_gil_enabled())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
