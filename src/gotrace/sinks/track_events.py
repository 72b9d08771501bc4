"""Perfetto's track events, a column at a time: slices, instants and counters on tracks.

One sequence of packets with interned texts. Packets need not come in the order of time: Perfetto
sorts them, and of one time keeps the order of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace._core import track_packets
from gotrace.arrays import Ints
from gotrace.sinks.protobuf_rows import number_field, text_field

# Numbers of fields, as in perfetto_trace.proto.
_PACKET: Final = 1  # of Trace
_CLOCKS, _SEQUENCE, _INTERNED, _FLAGS, _TRACK = 6, 10, 12, 13, 60
_FLOW, _LAST_FLOW = 47, 48
_NAMES, _ANNOTATION_NAMES, _ANNOTATION_TEXTS = 2, 3, 29
_BEGIN, _INSTANT, _COUNTER = 1, 3, 4
_CLEARED, _NEEDS = 1, 2
_BY_RANK: Final = 3
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
        for uuid in pc.unique(pa.array(uuids)).to_pylist():
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
        texts = self._annotations(annotations)
        self._interned()
        self._out.write(
            track_packets(
                _BEGIN,
                starts,
                tracks,
                ends=ends,
                names=names,
                flows=flows,
                flow_field=_LAST_FLOW,
                **texts,
            )
        )
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
        texts = self._annotations(annotations)
        self._interned()
        self._out.write(
            track_packets(
                _INSTANT,
                times,
                tracks,
                names=names,
                flows=flows,
                flow_field=_FLOW,
                **texts,
            )
        )
        self.instants += len(tracks)

    def add_counts(self, track: int, times: Ints, values: Ints) -> None:
        """Write the values of a counter."""
        if not len(times):
            return
        tracks = np.full(len(times), track, np.int64)
        self._out.write(track_packets(_COUNTER, times, tracks, counts=values))
        self.counts += len(times)

    def _intern(self, kind: int, text: str) -> int:
        known = self._texts[kind]
        number = known.get(text)
        if number is None:
            number = known[text] = len(known) + 1
            entry = number_field(1, number) + text_field(2, text.encode("utf-8", "replace"))
            self._new.append(text_field(kind, entry))
        return number

    def _annotations(self, annotations: Annotations) -> dict[str, Ints]:
        if not annotations:
            return {}
        names = [self._intern(_ANNOTATION_NAMES, name) for name, _ in annotations]
        return {
            "annotation_names": np.array(names, np.int64),
            "annotations": np.stack([texts for _, texts in annotations]),
        }

    def _interned(self) -> None:
        """Write the texts that are new, before what refers to them."""
        if self._new:
            self._packet(text_field(_INTERNED, b"".join(self._new)) + number_field(_FLAGS, _NEEDS))
            self._new.clear()

    def _packet(self, content: bytes) -> None:
        self._out.write(text_field(_PACKET, content + number_field(_SEQUENCE, 1)))
