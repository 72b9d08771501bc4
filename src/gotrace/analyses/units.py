"""Units of profile values: scaled and written as google/pprof writes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """A unit: the name it is written with, other spellings, and its size in base units."""

    name: str
    aliases: tuple[str, ...]
    size: float


class Family(NamedTuple):
    """Units of one quantity, and the one used when nothing else fits."""

    default: Unit
    units: tuple[Unit, ...]

    def find(self, spelling: str) -> Unit | None:
        """Find a unit by name or alias, upper or lower case, plural or not."""
        spelling = spelling.lower()
        if len(spelling) > 2:
            spelling = spelling.removesuffix("s")
        return next((unit for unit in self.units if spelling in unit.aliases), None)


def _family(default: tuple[str, float], *units: tuple[str, str, float]) -> Family:
    made = tuple(Unit(name, tuple(aliases.split()), size) for name, aliases, size in units)
    return Family(Unit(default[0], (), default[1]), made)


FAMILIES: Final = (
    _family(
        ("B", 1),
        ("B", "b byte", 1),
        ("kB", "kb kbyte kilobyte", 2.0**10),
        ("MB", "mb mbyte megabyte", 2.0**20),
        ("GB", "gb gbyte gigabyte", 2.0**30),
        ("TB", "tb tbyte terabyte", 2.0**40),
        ("PB", "pb pbyte petabyte", 2.0**50),
    ),
    _family(
        ("s", 1e9),
        ("ns", "ns nanosecond", 1),
        ("us", "μs us microsecond", 1e3),
        ("ms", "ms millisecond", 1e6),
        ("s", "s sec second", 1e9),
        ("hrs", "hour hr", 3600e9),
    ),
    _family(
        ("GCU", 1.0),
        ("n*GCU", "nanogcu", 1e-9),
        ("u*GCU", "microgcu", 1e-6),
        ("m*GCU", "milligcu", 1e-3),
        ("GCU", "gcu", 1),
        ("k*GCU", "kilogcu", 1e3),
        ("M*GCU", "megagcu", 1e6),
        ("G*GCU", "gigagcu", 1e9),
        ("T*GCU", "teragcu", 1e12),
        ("P*GCU", "petagcu", 1e15),
    ),
)
"""Bytes in powers of 1024, time, and Google's compute units."""

_PLAIN = frozenset({"count", "sample", "unit", "minimum", "auto"})


def scale(value: int, unit: str, to: str) -> tuple[float, str]:
    """Scale a value to a unit ("auto" and "minimum": a readable one); the unit is "" for counts."""
    if value < 0:
        scaled, name = scale(-value, unit, to)
        return -scaled, name
    for family in FAMILIES:
        given = family.find(unit)
        if given is None:
            continue
        base = value * given.size
        if to in ("minimum", "auto"):
            fitting = [each for each in family.units if base / each.size >= 1.0]
            best = max(fitting, key=lambda each: each.size, default=family.default)
        else:
            best = family.find(to) or family.default
        return base / best.size, best.name
    return float(value), "" if to in _PLAIN else to


def scaled_label(value: int, unit: str, to: str = "auto") -> str:
    """Write a value in a unit: 1.50MB, 120ms, 42."""
    scaled, name = scale(value, unit, to)
    text = f"{scaled:.2f}".removesuffix(".00")
    return "0" if text in ("0", "-0") else text + name


def readable_unit(values: Iterable[int], total: int, unit: str) -> str:
    """Choose the unit that all values of a report are written in, as google/pprof does.

    It is the one that suits the smallest value, or a larger one in which that is 0.01 at least.
    """
    sizes = [abs(value) for value in values if value]
    smallest = min(sizes, default=abs(total))
    small, large = (scale(value, unit, "minimum")[1] for value in (smallest, total))
    if small != large and smallest * 100 < total:
        small = scale(smallest * 100, unit, "minimum")[1]
    return small or unit


def roomy_unit(total: int, unit: str) -> str:
    """Choose the smallest unit in which a total has four digits at most before its point."""
    for family in FAMILIES:
        given = family.find(unit)
        if given is not None:
            base = abs(total) * given.size
            fitting = [each for each in family.units if base / each.size < 10_000]
            smallest = min(fitting, key=lambda each: each.size, default=family.units[-1])
            return max(smallest, given, key=lambda each: each.size).name
    return unit


def percentage(value: int, total: int) -> str:
    """Write a share of a total with at least two digits: 12.50%, 0.052%, 100%."""
    ratio = abs(value / total) * 100 if total else 0.0
    if 99.95 <= ratio <= 100.05:
        return "100%"
    return f"{ratio:.2f}%" if ratio >= 1 else f"{ratio:.2g}%"


def same_quantity(a: str, b: str) -> bool:
    """Whether values of the two units can be added once they are scaled."""
    return a == b or any(family.find(a) and family.find(b) for family in FAMILIES)


def ratio(unit: str, to: str) -> float:
    """How many of the unit `to` one `unit` is; 1 for units of no family."""
    for family in FAMILIES:
        a, b = family.find(unit), family.find(to)
        if a and b:
            return a.size / b.size
    return 1.0
