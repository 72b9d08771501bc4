"""Deadlines on a machine that others use too."""

from __future__ import annotations

import os


def within(seconds: float) -> float:
    """Return the time in which something has to be done, longer where processors are shared."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 1.0
    return seconds * max(1.0, load / (os.cpu_count() or 1))
