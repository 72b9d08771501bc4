"""Regular expressions over names, each evaluated once per distinct name.

The syntax is RE2, which is Go's: Arrow's kernels hold RE2 itself, so a pattern means here what it
means to `go tool pprof`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.arrays import Bools

_RESERVED = ("(anonymous namespace)", "operator()")


def matches(pattern: str, names: Sequence[str], what: str = "pattern") -> Bools:
    """Say of each name whether the pattern is found in it; ValueError for a bad pattern."""
    encoded = pa.array(names, pa.utf8()).dictionary_encode()
    try:
        found = pc.match_substring_regex(encoded.dictionary, pattern)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{what} {pattern!r} is no regular expression: {error}") from None
    if not len(names):
        return np.zeros(0, np.bool_)
    return np.asarray(found.take(encoded.indices)).astype(np.bool_)


def matcher(pattern: str, what: str) -> Callable[[str], bool]:
    """Give a test of single texts that remembers what it was asked."""
    seen: dict[str, bool] = {}
    matches(pattern, [""], what)

    def test(text: str) -> bool:
        if text not in seen:
            seen[text] = bool(matches(pattern, [text], what)[0])
        return seen[text]

    return test


def simplified(name: str) -> str:
    """Cut a leading dot and the argument list of a C++ name, which drop_frames do not see."""
    name = name.removeprefix(".")
    at = name.find("(")
    while at >= 0:
        reserved = next(
            (text for text in _RESERVED if name.startswith(text, at - text.index("("))), None
        )
        if reserved is None:
            return name[:at]
        at = name.find("(", at - reserved.index("(") + len(reserved))
    return name
