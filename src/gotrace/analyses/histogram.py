"""Histograms of durations in the bins of go tool trace: five a decade."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gotrace.analyses.distributions import Distributions
from gotrace.arrays import Ints
from gotrace.tables.schema import schema

_RATIO = np.log(np.power(10.0, 1.0 / 5.0))


def bins(durations: Ints) -> Ints:
    """Give the bin of each duration in ns; 0 and less are in bin 0."""
    logs = np.log(np.maximum(durations, 1).astype(np.float64))
    numbers: Ints = np.trunc(logs / _RATIO).astype(np.int64)
    return numbers


def lower_edges(numbers: Ints) -> Ints:
    """Give where bins begin, in ns."""
    edges: Ints = np.trunc(np.exp(numbers.astype(np.float64) * _RATIO)).astype(np.int64)
    return edges


def histograms(spread: Distributions, groups: int) -> pa.Array:
    """Give the histogram of every group: a list of bins (from_ns, to_ns, count), none empty."""
    of, values, counts = spread.cells()
    numbers = bins(values)
    first = np.flatnonzero(np.append(True, (of[1:] != of[:-1]) | (numbers[1:] != numbers[:-1])))
    kind = schema("sched_latency").field("histogram").type
    if not len(of):
        return pa.array([[]] * groups, kind)
    sums = np.add.reduceat(counts, first)
    of, numbers = of[first], numbers[first]
    offsets = np.searchsorted(of, np.arange(groups + 1)).astype(np.int32)
    edges = (lower_edges(numbers), lower_edges(numbers + 1), sums)
    fields = [kind.value_type.field(at) for at in range(3)]
    held = pa.StructArray.from_arrays([pa.array(edge) for edge in edges], fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets), held).cast(kind)
