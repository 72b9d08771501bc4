"""What google/pprof and gotrace are both asked: settings by pprof's names."""

from __future__ import annotations

from typing import Any

#: Filters and choices, by the names of `go tool pprof`.
CASES: dict[str, dict[str, str]] = {
    "plain": {},
    "focus": {"focus": "leaf|main.rec|alloc|contend"},
    "focus-file": {"focus": r"mid\.go|main\.go"},
    "ignore": {"ignore": r"rec|runtime\.mallocgc"},
    "focus-ignore": {"focus": "main", "ignore": "mid|burn"},
    "hide": {"hide": r"mid|main\.burn|^runtime\."},
    "show": {"show": r"leaf|rec|main\."},
    "show-hide": {"show": "main|mid", "hide": "main.main"},
    "hide-mapping": {"hide": "libc"},
    "hide-all-of-some": {"hide": r"total|recurse|^sync|^runtime|^main\.main"},
    "show_from": {"show_from": "mid|recurse|contend"},
    "prune_from": {"prune_from": "mid|recurse|mallocgc"},
    "tagfocus": {"tagfocus": "tenant:[ab]|t1"},
    "tagfocus-and": {"tagfocus": "tenant:a,tenant:c"},
    "tagfocus-key": {"tagfocus": "tenant=b,t2"},
    "tagfocus-range": {"tagfocus": "1kb:2mb"},
    "tagfocus-exact": {"tagfocus": "bytes=2kb"},
    "tagfocus-below": {"tagfocus": "bytes=:64b"},
    "tagfocus-above": {"tagfocus": "depth=3:"},
    "tagignore": {"tagignore": "tenant:[abt]"},
    "tagroot": {"tagroot": "tenant"},
    "tagroot-two": {"tagroot": "tenant,depth", "tagleaf": "bytes"},
    "tagleaf-focus": {"tagleaf": "tenant", "focus": "^[bt]"},
    "tagshow": {"tagshow": "ten|byt"},
    "taghide": {"taghide": "^(kind|bytes)$"},
    "filefunctions": {"granularity": "filefunctions"},
    "files": {"granularity": "files"},
    "lines": {"granularity": "lines"},
    "addresses": {"granularity": "addresses"},
    "noinlines": {"noinlines": "true"},
    "lines-noinlines": {"granularity": "lines", "noinlines": "true"},
    "addresses-noinlines": {"granularity": "addresses", "noinlines": "true"},
    "cum": {"sort": "cum"},
    "relative": {"relative_percentages": "true", "focus": "main"},
    "drop_negative": {"drop_negative": "true"},
    "samples": {"sample_index": "0"},
}


def words_of(case: dict[str, str]) -> list[str]:
    """The same for the command line of gotrace."""
    words: list[str] = []
    for name, value in case.items():
        if value == "true":
            words.append(f"--{name.replace('_', '-').removesuffix('-percentages')}")
        elif name == "sort":
            words.append(f"--{value}")
        else:
            words += [f"--{name}", value]
    return words


def split(case: dict[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Tell filters from the other choices of an analysis."""
    filters, choices = {}, {}
    for name, value in case.items():
        if name in ("granularity", "sort"):
            choices[name] = value
        elif value == "true":
            known = {"noinlines": ("inlines", False), "relative_percentages": ("relative", True)}
            key, flag = known.get(name, (name, True))
            choices[key] = flag
        elif name != "sample_index":
            filters[name] = value
    return filters, choices
