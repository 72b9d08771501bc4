"""The command line, one file a verb; `app` is the registry and the only place that exits."""

from __future__ import annotations


def main() -> int:
    """Run the command line on `sys.argv`; return the exit code."""
    from gotrace.cli.app import run

    return run()
