"""Perfetto's track events, a column at a time: slices, instants and counters on tracks.

One sequence of packets with interned texts. Packets need not come in the order of time: Perfetto
sorts them, and of one time keeps the order of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Final

import numpy as np

from gotrace.sinks.protobuf_rows import (
    Ints,
    Rows,
    encoded,
    field,
    joined,
    message,
    number_field,
    optional,
    text_field,
    whole_field,
)

# Numbers of fields, as in perfetto_trace.proto.
_PACKET: Final = 1  # of Trace
_CLOCKS, _TIME, _SEQUENCE, _EVENT, _INTERNED, _FLAGS, _TRACK = 6, 8, 10, 11, 12, 13, 60
_ANNOTATION, _TYPE, _NAME_IID, _TRACK_UUID, _COUNTER_VALUE = 4, 9, 10, 11, 30
_FLOW, _LAST_FLOW = 47, 48
_ANNOTATION_NAME_IID, _ANNOTATION_TEXT_IID = 1, 17
_NAMES, _ANNOTATION_NAMES, _ANNOTATION_TEXTS = 2, 3, 29
_BEGIN, _END, _INSTANT, _COUNTER = 1, 2, 3, 4
_CLEARED, _NEEDS = 1, 2
_BY_RANK: Final = 3
_FIXED64: Final = 1
_REALTIME, _BOOTTIME = 1, 6

UNITS: Final = {"": 0, "ns": 1, "count": 2, "bytes": 3}

Annotations = Sequence[tuple[str, Ints]]
"""Names of annotations, and the number of the text that each row has, 0 for none."""


class TrackEvents:
    """Writes packets to a file.

    Attributes:
        slices, instants, counts, tracks: how many were written.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._texts: dict[int, dict[str, int]] = {
            kind: {} for kind in (_NAMES, _ANNOTATION_NAMES, _ANNOTATION_TEXTS)
        }
        self._new: list[bytes] = []
        self._known: set[int] = set()
        self.slices = self.instants = self.counts = 0
        self._packet(number_field(_FLAGS, _CLEARED))

    @property
    def tracks(self) -> int:
        """How many tracks there are."""
        return len(self._known)

    def clock(self, time_ns: int, wall_ns: int) -> None:
        """Say what the wall clock (Unix ns) was at a time of the events."""
        clocks = [
            text_field(1, number_field(1, clock) + number_field(2, max(time, 1)))
            for clock, time in ((_BOOTTIME, time_ns), (_REALTIME, wall_ns))
        ]
        self._packet(text_field(_CLOCKS, b"".join(clocks) + number_field(2, _BOOTTIME)))

    def track(
        self,
        uuid: int,
        name: str,
        *,
        parent: int = 0,
        rank: int | None = None,
        unit: str | None = None,
        ranked: bool = False,
    ) -> None:
        """Describe a track, once; `unit` makes it a counter, `ranked` sorts what is below it."""
        if uuid in self._known:
            return
        self._known.add(uuid)
        parts = [number_field(1, uuid), text_field(2, name.encode())]
        if parent:
            parts.append(number_field(5, parent))
        if unit is not None:
            parts.append(text_field(8, number_field(3, UNITS[unit]) if unit else b""))
        if ranked:
            parts.append(number_field(11, _BY_RANK))
        if rank is not None:
            parts.append(number_field(12, min(rank, 2**31 - 1)))
        self._packet(text_field(_TRACK, b"".join(parts)))

    def tracks_of(self, uuids: Ints, describe: Callable[[int], None]) -> None:
        """Have those tracks described that are not yet, each by a call."""
        for uuid in np.unique(uuids).tolist():
            if uuid not in self._known:
                describe(uuid)

    def name(self, text: str) -> int:
        """Give the number of a name of slices."""
        return self._intern(_NAMES, text)

    def text(self, text: str) -> int:
        """Give the number of a text of annotations."""
        return self._intern(_ANNOTATION_TEXTS, text)

    def add_slices(
        self,
        tracks: Ints,
        starts: Ints,
        ends: Ints,
        names: Ints,
        annotations: Annotations = (),
        flows: Ints | None = None,
    ) -> None:
        """Write slices (int64 each); a flow (0 for none) that began elsewhere ends at its begin."""
        if not len(tracks):
            return
        extra = [self._annotation(*each) for each in annotations]
        if flows is not None:
            extra.append(_fixed64(_LAST_FLOW, flows))
        begin = _event(starts, _BEGIN, tracks, field(_NAME_IID, names), *extra)
        end = _event(ends, _END, tracks)
        self._write(joined(begin, end))
        self.slices += len(tracks)

    def add_instants(
        self,
        tracks: Ints,
        times: Ints,
        names: Ints,
        annotations: Annotations = (),
        flows: Ints | None = None,
    ) -> None:
        """Write instants; a flow (0 for none) goes on or begins there."""
        if not len(tracks):
            return
        extra = [self._annotation(*each) for each in annotations]
        if flows is not None:
            extra.append(_fixed64(_FLOW, flows))
        self._write(_event(times, _INSTANT, tracks, field(_NAME_IID, names), *extra))
        self.instants += len(tracks)

    def add_counts(self, track: int, times: Ints, values: Ints) -> None:
        """Write the values of a counter."""
        if not len(times):
            return
        tracks = np.full(len(times), track, np.int64)
        self._write(_event(times, _COUNTER, tracks, whole_field(_COUNTER_VALUE, values)))
        self.counts += len(times)

    def _intern(self, kind: int, text: str) -> int:
        known = self._texts[kind]
        number = known.get(text)
        if number is None:
            number = known[text] = len(known) + 1
            entry = number_field(1, number) + text_field(2, text.encode("utf-8", "replace"))
            self._new.append(text_field(kind, entry))
        return number

    def _annotation(self, name: str, texts: Ints) -> Rows:
        number = self._intern(_ANNOTATION_NAMES, name)
        rows = joined(
            field(_ANNOTATION_NAME_IID, np.where(texts > 0, number, 0)),
            field(_ANNOTATION_TEXT_IID, texts),
        )
        return optional(_ANNOTATION, rows)

    def _write(self, rows: Rows) -> None:
        if self._new:
            self._packet(text_field(_INTERNED, b"".join(self._new)) + number_field(_FLAGS, _NEEDS))
            self._new.clear()
        self._out.write(encoded(rows))

    def _packet(self, content: bytes) -> None:
        self._out.write(text_field(_PACKET, content + number_field(_SEQUENCE, 1)))


def _event(times: Ints, kind: int, tracks: Ints, *more: Rows) -> Rows:
    """Make a packet a row. A packet without a time would be at the begin of all: 0 becomes 1."""
    ones = np.ones(len(times), np.int64)
    event = joined(field(_TYPE, ones * kind), field(_TRACK_UUID, tracks), *more)
    packet = joined(
        field(_TIME, np.maximum(times, 1)),
        field(_SEQUENCE, ones),
        field(_FLAGS, ones * _NEEDS),
        message(_EVENT, event),
    )
    return message(_PACKET, packet)


def _fixed64(number: int, values: Any) -> Rows:
    """Make a field of eight bytes, none for 0. Of each byte seven bits are used: as a varint."""
    some = np.flatnonzero(values)
    table = np.empty((len(some), 9), np.uint64)
    table[:, 0] = number << 3 | _FIXED64
    rest = np.asarray(values)[some].astype(np.uint64)
    for byte in range(8):
        table[:, byte + 1] = rest >> np.uint64(7 * byte) & np.uint64(0x7F)
    sizes = np.zeros(len(values), np.int64)
    sizes[some] = 9
    return Rows(np.append(np.int64(0), np.cumsum(sizes)), table.reshape(-1))
