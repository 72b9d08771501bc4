"""Many reports of one profile from one `go tool pprof`: its interactive mode, fed with commands."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.golab.toolchain import Toolchain

_DEFAULTS = {
    **dict.fromkeys(("focus", "ignore", "hide", "show", "show_from", "prune_from"), ""),
    **dict.fromkeys(("tagfocus", "tagignore", "tagshow", "taghide", "tagroot", "tagleaf"), ""),
    **dict.fromkeys(("noinlines", "relative_percentages", "drop_negative"), "false"),
    "granularity": "functions",
    "sort": "flat",
    "sample_index": "",
    "unit": "minimum",
    "nodecount": "1000000",
    "nodefraction": "0",
    "edgefraction": "0",
}

_STRANGE = re.compile("unknown|unrecognized|invalid|parsing|usage", re.IGNORECASE)


class Ask(NamedTuple):
    """A report: `tree`, `top`, `tags`, `traces` or `peek REGEX`, and its settings."""

    report: str
    settings: dict[str, str]


def answers(
    go: Toolchain, path: Path, asks: Sequence[Ask], *more: Path, options: Sequence[str] = ()
) -> list[str]:
    """Give what pprof answers, in the order of what was asked; "" where it has nothing to say.

    It merges `more` profiles with the first, if there are any.
    """
    with tempfile.TemporaryDirectory(prefix="gotrace-pprof-") as scratch:
        lines = []
        for number, ask in enumerate(asks):
            settings = {**_DEFAULTS, **ask.settings}
            lines += [f"{name}={value}" for name, value in settings.items() if name or value]
            lines.append(f"{ask.report} > {scratch}/{number}")
        done = subprocess.run(
            [
                *(str(go.go_command), "tool", "pprof", "-symbolize=none"),
                *(*options, str(path), *map(str, more)),
            ],
            env=go.environment(),
            input="\n".join([*lines, "quit", ""]),
            capture_output=True,
            text=True,
            check=True,
        )
        strange = [line for line in done.stderr.splitlines() if _STRANGE.search(line)]
        assert not strange, strange
        files = [Path(scratch) / str(number) for number in range(len(asks))]
        return [file.read_text() if file.exists() else "" for file in files]
