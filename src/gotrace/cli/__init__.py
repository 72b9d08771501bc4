"""The command line, one file a verb; `app` is the registry and the only place that exits."""

from __future__ import annotations

import os
import sys
from typing import Final

INTERRUPTED: Final = 130


class _WithoutPandas:
    """Finds no pandas: pyarrow imports it with its first array, and nothing here has use for it."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("the command line does without pandas", name=name)


def main() -> int:
    """Run the command line on `sys.argv`; return the exit code."""
    sys.meta_path.insert(0, _WithoutPandas)
    try:
        from gotrace.cli.app import run

        code = run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED or "pyarrow.dataset" in sys.modules:
        # What was interrupted may have a thread at work for a moment, which nobody has to wait for.
        # A scan that nobody read to its end has threads that wait for an interpreter which, while
        # it shuts down, waits for them: leave without that.
        sys.stderr.flush()
        os._exit(code)
    return code
