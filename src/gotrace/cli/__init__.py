"""The command line: one file a verb, one word an idea (claimed: being written)."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    raise SystemExit("gotrace: the command line is not built yet")
