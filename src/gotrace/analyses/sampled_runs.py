"""Running intervals and the CPU samples in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gotrace.arrays import Ints


class Runs(NamedTuple):
    """Running intervals: int64 columns.

    Attributes:
        goroutines, starts, ends: of each.
        stacks: to give its time to where no sample is in it; -1 for none.
        times: the ns of it that count, 0 for none.
    """

    goroutines: Ints
    starts: Ints
    ends: Ints
    stacks: Ints
    times: Ints

    def chosen(self, rows: Ints) -> Runs:
        """Give some of the rows."""
        return Runs(*(column[rows] for column in self))


class SampledRuns:
    """Gives the time of runs to the stacks of the samples in them, each the same, to the ns.

    Samples and runs come in batches of their own: runs wait until no sample of theirs can follow.
    """

    def __init__(self) -> None:
        none = np.zeros(0, np.int64)
        self._samples = (none, none, none)
        self._waiting: list[Runs] = []

    def add_runs(self, runs: Runs) -> None:
        """Add running intervals."""
        self._waiting.append(runs)

    def add_samples(self, goroutines: Ints, times: Ints, stacks: Ints) -> None:
        """Add samples of goroutines; stack -1 is none."""
        pairs = zip(self._samples, (goroutines, times, stacks), strict=True)
        who, when, what = (np.concatenate(pair) for pair in pairs)
        self._samples = (who, when, what)

    def settled(self, until_ns: int | None) -> tuple[Ints, Ints, Ints]:
        """Give (goroutine, stack, ns) for runs that end by a time, all for None.

        All samples up to that time must have come.
        """
        if not self._waiting:
            none = np.zeros(0, np.int64)
            return none, none, none
        runs = Runs(*(np.concatenate(columns) for columns in zip(*self._waiting, strict=True)))
        due = np.ones(len(runs.ends), np.bool_) if until_ns is None else runs.ends <= until_ns
        if due.all():
            self._waiting = []
            return self._shared(runs)
        self._waiting = [runs.chosen(np.flatnonzero(~due))]
        return self._shared(runs.chosen(np.flatnonzero(due)))

    def _shared(self, runs: Runs) -> tuple[Ints, Ints, Ints]:
        row, sample = self._pairs(runs)
        rows, first, sizes = np.unique(row, return_index=True, return_counts=True)
        share = np.repeat(runs.times[rows] // np.maximum(sizes, 1), sizes)
        share[first] += runs.times[rows] % np.maximum(sizes, 1)
        bare = np.ones(len(runs.ends), np.bool_)
        bare[rows] = False
        stacks = self._samples[2][sample]
        self._drop_samples(sample)
        return (
            np.concatenate([runs.goroutines[bare], runs.goroutines[row]]),
            np.concatenate([runs.stacks[bare], stacks]),
            np.concatenate([runs.times[bare], share]),
        )

    def _pairs(self, runs: Runs) -> tuple[Ints, Ints]:
        """Give (run, sample) for each sample that is in one of these runs, sorted by run."""
        who, when, _ = self._samples
        none = np.zeros(0, np.int64)
        near = np.flatnonzero(np.isin(runs.goroutines, who))
        if not len(who) or not len(near):
            return none, none
        both = np.concatenate([runs.goroutines[near], who])
        times = np.concatenate([runs.starts[near], when])
        is_sample = np.arange(len(both)) >= len(near)
        order = np.lexsort((is_sample, times, both))
        of_sample = is_sample[order]
        # The last run that began before each sample, in the order of goroutines and times.
        before = np.maximum.accumulate(np.where(of_sample, -1, np.arange(len(order))))[of_sample]
        sample = order[of_sample] - len(near)
        sample, before = sample[before >= 0], before[before >= 0]
        row = near[order[before]]
        hit = (runs.goroutines[row] == who[sample]) & (when[sample] < runs.ends[row])
        row, sample = row[hit], sample[hit]
        by_row = np.argsort(row, kind="stable")
        return row[by_row], sample[by_row]

    def _drop_samples(self, used: Ints) -> None:
        """Forget the samples that are used."""
        left = np.ones(len(self._samples[0]), np.bool_)
        left[used] = False
        who, when, what = (column[left] for column in self._samples)
        self._samples = (who, when, what)
