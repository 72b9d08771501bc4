"""How many threads a pass may use."""

from __future__ import annotations

import os
from pathlib import Path

# A container's share of the machine, in its own view of the control groups: version 2, then 1.
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_QUOTA_V1 = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
_PERIOD_V1 = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")


def usable_threads(wanted: int | None) -> int:
    """Return `wanted`, or without it the processors that this process may keep busy, at least 1."""
    if wanted is not None:
        if wanted < 1:
            raise ValueError(f"threads must be positive, not {wanted}")
        return wanted
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quota = _quota()
    return max(1, count if quota is None else min(count, int(quota)))


def _quota() -> float | None:
    """Processors by the quota of the control group, None without one."""
    try:
        if _QUOTA.exists():
            quota, period = _QUOTA.read_text().split()
        else:
            quota, period = _QUOTA_V1.read_text(), _PERIOD_V1.read_text()
        return None if quota == "max" or int(quota) < 0 else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None  # not Linux, or a layout of its own: the affinity decides
