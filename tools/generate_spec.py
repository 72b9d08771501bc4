"""Write the compiled core's view of gotrace.spec: src/gotrace/_core/decode/event_spec.pxd.

    python tools/generate_spec.py            write it
    python tools/generate_spec.py --check    exit 1 if it is out of date

The core switches on events and writes dictionary codes, so it needs them as C constants; there is
one place where they are facts (gotrace.spec), and a second copy by hand would drift.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/gotrace/_core/decode/event_spec.pxd"
UNASSIGNED = 255

sys.path.insert(0, str(ROOT / "src"))

from gotrace.spec import trace_events, words  # noqa: E402

Constants = list[tuple[str, int]]


def upper_snake(name: str) -> str:
    """GoSyscallEndBlocked -> GO_SYSCALL_END_BLOCKED, CPUSample -> CPU_SAMPLE."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return spaced.upper()


def codes(prefix: str, closed_set: words.Words) -> Constants:
    """Give each word of a set its code, as C constants."""
    return [(f"{prefix}_{word.upper()}", code) for code, word in enumerate(closed_set)]


WORD_SETS: tuple[tuple[str, str, words.Words], ...] = (
    ("KIND", "KINDS", words.KINDS),
    ("RESOURCE", "RESOURCES", words.RESOURCES),
    ("STATE", "STATES", words.STATES),
    ("WAKE", "WAKES", words.WAKES),
    ("CLASS", "RANGE_CLASSES", words.RANGE_CLASSES),
    ("OP", "OPS", words.OPS),
    ("OBJECT", "OBJECTS", words.OBJECTS),
    ("WAIT", "WAITS", words.WAITS),
)
"""Prefix of the codes, name in gotrace.spec.words, the set."""


def enums() -> Iterator[tuple[str, Constants]]:
    """Every group of integer constants, each with the comment that heads it."""
    yield (
        "Events of format v2 (trace_events.EVENTS)",
        [(f"EV_{upper_snake(spec.name)}", spec.id) for spec in trace_events.EVENTS],
    )
    yield (
        "Statuses on the wire",
        [(f"WIRE_GO_{status.name}", status.value) for status in trace_events.GoStatus]
        + [(f"WIRE_PROC_{status.name}", status.value) for status in trace_events.ProcStatus],
    )
    yield (
        "Limits of the format",
        [
            ("MAX_BATCH_BYTES", trace_events.MAX_BATCH_BYTES),
            ("MAX_STRING_BYTES", trace_events.MAX_STRING_BYTES),
            ("MAX_STACK_FRAMES", trace_events.MAX_STACK_FRAMES),
            ("MAX_TIMED_ARGS", trace_events.MAX_TIMED_ARGS),
            ("EXPERIMENT_ALLOC_FREE", trace_events.EXPERIMENTS.index("AllocFree")),
            ("EVENT_ARGS_UNASSIGNED", UNASSIGNED),
        ],
    )
    for prefix, name, closed_set in WORD_SETS:
        yield f"Dictionary codes of words.{name}", codes(prefix, closed_set)
    yield (
        "Number of values in each dictionary",
        [(f"{name}_COUNT", len(closed_set)) for _, name, closed_set in WORD_SETS]
        + [("REASONS_COUNT", len(words.REASONS))],
    )


def event_args() -> list[int]:
    """Count the arguments after dt, by event id."""
    counts = [UNASSIGNED] * 256
    for spec in trace_events.EVENTS:
        if spec.is_timed:
            counts[spec.id] = len(spec.args) - 1
    return counts


def table(name: str, values: list[int]) -> str:
    """Write a byte array in C."""
    rows = (values[i : i + 16] for i in range(0, len(values), 16))
    body = ",\n".join("        " + ", ".join(f"{value:3}" for value in row) for row in rows)
    return f"    static const unsigned char {name}[{len(values)}] = {{\n{body}\n    }};\n"


def event_names() -> str:
    """Write Go's names of the events in C, by event id; "" where there is none."""
    names = {spec.id: spec.name for spec in trace_events.EVENTS}
    body = ",\n".join(f'        "{names.get(event_id, "")}"' for event_id in range(256))
    return f"    static const char *const EVENT_NAMES[256] = {{\n{body}\n    }};\n"


def render() -> str:
    """Write the whole pxd: C on top, then the same names for Cython."""
    groups = list(enums())
    lines = [
        "# GENERATED from gotrace.spec by `python tools/generate_spec.py`. Do not edit.",
        "#",
        "# EVENT_ARGS: arguments after dt of a timed event; 255 = unassigned or not timed.",
        "",
        "cdef extern from *:",
        '    """',
    ]
    for comment, constants in groups:
        lines.append(f"    /* {comment}. */")
        lines.append("    enum {")
        lines += [f"        {name} = {value}," for name, value in constants]
        lines.append("    };")
    lines.append(table("EVENT_ARGS", event_args()))
    lines.append(event_names().rstrip("\n"))
    lines.append('    """')
    for comment, constants in groups:
        lines.append(f"    # {comment}.")
        lines.append("    enum:")
        lines += [f"        {name}" for name, _ in constants]
        lines.append("")
    lines.append("    const unsigned char EVENT_ARGS[256]")
    lines.append("    const char *const EVENT_NAMES[256]")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    text = render()
    if not arguments.check:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(
        f"{TARGET.relative_to(ROOT)} is out of date: python tools/generate_spec.py", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
