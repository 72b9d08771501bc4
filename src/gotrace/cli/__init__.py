"""The command line, one file a verb; `app` is the registry and the only place that exits."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line on `sys.argv`; return the exit code."""
    try:
        from gotrace.cli.app import run

        code = run()
    except KeyboardInterrupt:
        code = 130
    if "pyarrow.dataset" in sys.modules:
        # A scan that nobody read to its end has threads that wait for an interpreter which, while
        # it shuts down, waits for them: leave without that.
        sys.stderr.flush()
        os._exit(code)
    return code
