"""Programs that some tests need, and not every machine has."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(what: str, required: str) -> NoReturn:
    """Skip a test for want of a program; fail it where the variable `required` is 1."""
    if os.environ.get(required) == "1":
        pytest.fail(f"needs {what}", pytrace=False)
    pytest.skip(f"needs {what}")
