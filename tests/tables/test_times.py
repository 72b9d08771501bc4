"""Points in time as people write them."""

from datetime import datetime, timezone

import pytest

from gotrace.tables.times import Clock, point

CLOCK = Clock(start_ns=1_000, wall_offset_ns=1_700_000_000_000_000_000)


@pytest.mark.parametrize(
    ("given", "ns"),
    [
        (1234, 1234),
        ("1234", 1234),
        ("+1", 1_000_001_000),
        ("+1.5s", 1_500_001_000),
        ("+0.000000001s", 1_001),
        ("+250us", 251_000),
        ("+1.25ms", 1_251_000),
        ("+2m", 120_000_001_000),
        ("+7ns", 1_007),
        ("2023-11-14T22:13:20Z", 0),
        ("2023-11-14T22:13:20.000000005Z", 5),
        ("2023-11-14 23:13:20.5+01:00", 500_000_000),
        (datetime(2023, 11, 14, 22, 13, 20, 3, tzinfo=timezone.utc), 3_000),
    ],
)
def test_points(given, ns):
    assert point(given).resolve(CLOCK) == ns


@pytest.mark.parametrize(
    "given", ["", "1.5", "-3s", "+", "+1h3", "2023-11-14", "2023-13-14T22:13:20Z", "noon"]
)
def test_nonsense_gets_examples(given):
    with pytest.raises(ValueError, match=r"is no time|must be in"):
        point(given)


def test_wall_time_needs_a_wall_clock():
    with pytest.raises(ValueError, match=r"like \+1\.5s"):
        point("2023-11-14T22:13:20Z").resolve(Clock(0, None))
    with pytest.raises(ValueError, match="time zone"):
        point(datetime(2023, 1, 1))
    with pytest.raises(TypeError):
        point(True)
