"""The example under docs is short, runs, and answers all five."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "five_questions.py"


def test_the_example_answers_five_questions() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 40
    assert [line[5:7] for line in text.splitlines() if line.startswith("# %% ")][1:] == [
        f"{number}." for number in range(1, 6)
    ]
    done = subprocess.run([sys.executable, EXAMPLE], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for answer in ("main.request.func1.2", "main.go:49", "request", "by_goroutine", "(sleep)"):
        assert answer in done.stdout, answer
