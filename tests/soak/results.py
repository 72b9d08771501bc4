"""What the soak tests measured, kept for who cites it: bench/results/soak.json."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.machine import ROOT, machine

SOAK = os.environ.get("GOTRACE_SOAK", "") not in ("", "0")
PATH = ROOT / "bench" / "results" / "soak.json"


def record(name: str, **figures: Any) -> None:
    """Print figures; under `make soak` also write them down, in the place of older ones."""
    print(f"{name}: {figures}")
    if not SOAK:
        return
    kept = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    kept[name] = {**figures, **machine()}
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
