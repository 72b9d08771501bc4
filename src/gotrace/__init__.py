"""Execution traces and pprof profiles of Go programs as Arrow tables, and answers over them.

`gotrace.open(path)` gives a `Trace` or a `Profile`; their tables stream as Arrow. Names load when
they are used, so that `import gotrace` costs nothing.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gotrace.analyses.blocking import blocking
    from gotrace.analyses.call_graph import edges, top
    from gotrace.analyses.critical_path import critical_path
    from gotrace.analyses.flame import diff, flame
    from gotrace.analyses.gc import gc
    from gotrace.analyses.goroutines import goroutines
    from gotrace.analyses.sched import sched
    from gotrace.analyses.tasks import regions, tasks
    from gotrace.errors import (
        ConsumedError,
        FormatError,
        GotraceError,
        LimitError,
        MissingExtraError,
        OrderError,
        TruncatedError,
        UnknownNameError,
        UnsupportedVersionError,
    )
    from gotrace.limits import Limits
    from gotrace.tables.connect import connect
    from gotrace.tables.open import open
    from gotrace.tables.profile import Profile
    from gotrace.tables.schema import SCHEMA_VERSION, schema
    from gotrace.tables.trace import Trace

__version__ = "0.1.0"

__all__ = [
    "SCHEMA_VERSION",
    "ConsumedError",
    "FormatError",
    "GotraceError",
    "LimitError",
    "Limits",
    "MissingExtraError",
    "OrderError",
    "Profile",
    "Trace",
    "TruncatedError",
    "UnknownNameError",
    "UnsupportedVersionError",
    "__version__",
    "blocking",
    "connect",
    "critical_path",
    "diff",
    "edges",
    "flame",
    "gc",
    "goroutines",
    "open",
    "regions",
    "sched",
    "schema",
    "tasks",
    "top",
]

_HOMES = {
    "gotrace.analyses.call_graph": "edges top",
    "gotrace.analyses.blocking": "blocking",
    "gotrace.analyses.critical_path": "critical_path",
    "gotrace.analyses.flame": "diff flame",
    "gotrace.analyses.gc": "gc",
    "gotrace.analyses.goroutines": "goroutines",
    "gotrace.analyses.sched": "sched",
    "gotrace.analyses.tasks": "regions tasks",
    "gotrace.errors": (
        "ConsumedError FormatError GotraceError LimitError MissingExtraError OrderError"
        " TruncatedError UnknownNameError UnsupportedVersionError"
    ),
    "gotrace.limits": "Limits",
    "gotrace.tables.connect": "connect",
    "gotrace.tables.open": "open",
    "gotrace.tables.profile": "Profile",
    "gotrace.tables.schema": "SCHEMA_VERSION schema",
    "gotrace.tables.trace": "Trace",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

logging.getLogger("gotrace").addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    """Import a public name from the module it lives in, once."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'gotrace' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
