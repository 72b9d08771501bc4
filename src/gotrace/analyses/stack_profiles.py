"""Values by stack of a trace as a profile: so that flames, pprof files and diffs come for free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gotrace.analyses.profile_columns import ProfileColumns
from gotrace.analyses.sums import ints
from gotrace.arrays import Ints
from gotrace.tables.schema import schema


class StackCollector:
    """Collects `stacks` and `frames` as they go by, for the profile at the end.

    Attributes:
        columns: the columns to read, by table.
    """

    columns: Final[Mapping[str, tuple[str, ...]]] = {
        "frames": ("frame_id", "function", "file", "line", "address", "image"),
        "stacks": ("stack_id", "frame_ids"),
    }

    def __init__(self) -> None:
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in self.columns}

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take a batch of one of the two."""
        self._batches[name].append(batch)

    def profile(
        self,
        stack_ids: Ints,
        values: Ints,
        types: tuple[tuple[str, str], ...],
        facts: Mapping[str, Any],
    ) -> ProfileColumns:
        """Make a profile of one sample a row: its stack, -1 for none, and its values.

        A location is a frame: function, file, line. Raises ValueError for a stack or frame that
        did not come.
        """
        stacks, frames = (
            pa.Table.from_batches(batches, schema(name, self.columns[name])).combine_chunks()
            for name, batches in (("stacks", self._batches["stacks"]), ("frames", self._frames))
        )
        some = np.flatnonzero(stack_ids >= 0)
        chosen = stacks["frame_ids"].take(
            pa.array(_places("stack", ints(stacks["stack_id"]), stack_ids[some]))
        )
        sizes = np.zeros(len(stack_ids), np.int64)
        sizes[some] = np.asarray(pc.list_value_length(chosen))
        refs = ints(pc.list_flatten(chosen.combine_chunks()))
        used, locations = np.unique(refs, return_inverse=True)
        at = _places("frame", ints(frames["frame_id"]), used)
        frames = frames.take(pa.array(at))
        return _profile(
            np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
            locations.astype(np.int64),
            frames,
            values=np.ascontiguousarray(values),
            types=types,
            default_type=types[-1][0],
            facts=dict(facts),
        )

    @property
    def _frames(self) -> list[pa.RecordBatch]:
        return self._batches["frames"]


def _profile(offsets: Ints, locations: Ints, frames: pa.Table, **rest: Any) -> ProfileColumns:
    """Make the columns of samples whose locations are frames."""
    named = [
        (function or "", file or "") if function or file else None
        for function, file in zip(
            frames["function"].to_pylist(), frames["file"].to_pylist(), strict=True
        )
    ]
    functions = sorted({name for name in named if name is not None})
    of_name: dict[Any, int] = {name: number for number, name in enumerate(functions)}
    has_line = np.array([name is not None for name in named], np.bool_)
    images = frames["image"].to_pylist()
    mapped = sorted({image for image in images if image})
    of_image = {image: number for number, image in enumerate(mapped)}
    count = len(named)
    return ProfileColumns(
        offsets=offsets,
        locations=locations,
        labels=np.zeros(len(offsets) - 1, np.int64),
        label_sets=((),),
        line_offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(has_line, dtype=np.int64)]),
        functions=np.array([of_name[name] for name in named if name is not None], np.int64),
        lines=ints(frames["line"])[has_line],
        columns=np.zeros(int(has_line.sum()), np.int64),
        addresses=np.asarray(pc.fill_null(frames["address"].combine_chunks(), 0)).astype(np.uint64),
        mappings=np.array([of_image.get(image, -1) for image in images], np.int64).reshape(count),
        function_names=tuple(function for function, _ in functions),
        function_files=tuple(file for _, file in functions),
        function_starts=np.zeros(len(functions), np.int64),
        mapping_files=tuple(mapped),
        mapping_builds=("",) * len(mapped),
        mapping_bases=np.zeros(len(mapped), np.uint64),
        **rest,
    )


def _places(what: str, ids: Ints, wanted: Ints) -> Ints:
    """Find the rows of ids that are distinct."""
    order = np.argsort(ids)
    place = np.searchsorted(ids, wanted, sorter=order)
    found = place < len(ids)
    found[found] = ids[order[place[found]]] == wanted[found]
    if not found.all():
        raise ValueError(f"{what} {wanted[~found][0]} is in no row of the table")
    places: Ints = order[place]
    return places
