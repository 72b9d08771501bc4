"""The compiled core's tables are those of gotrace.spec."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_event_spec_pxd_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "tools/generate_spec.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
