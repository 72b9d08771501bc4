"""Many inputs, read in order, by threads or one by one: what fails is told and left out."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from gotrace.cli.terminal import OK, PARTIAL, Failure, count, say

Item = TypeVar("Item")
Given = TypeVar("Given")

_TOLD = 10
_AHEAD = 2
"""Inputs a thread may be ahead of what is used: bounds the memory."""


class Many(Generic[Item, Given]):
    """Iterate over `(item, what `read` gives of it)`; what can't be read is told, up to a number.

    An item is a file, or says which part of which file. `threads` is None for one a core; with 1
    an item is read when the one before has been used.

    Attributes:
        read, failed: how many were read so far, how many could not be.
    """

    def __init__(
        self, items: Sequence[Item], read: Callable[[Item], Given], threads: int | None = 1
    ) -> None:
        self._items, self._read, self._threads = items, read, threads
        self.read = self.failed = 0

    def __iter__(self) -> Iterator[tuple[Item, Given]]:
        """Read; raises the failure itself where there is one item only."""
        for item, outcome in self._outcomes():
            if isinstance(outcome, BaseException):
                self._tell(outcome)
                continue
            self.read += 1
            yield item, outcome
        if self.failed > _TOLD:
            say(f"{count(self.failed, 'file')} in all could not be read")
        if not self.read:
            raise Failure("none of the files can be read")

    @property
    def code(self) -> int:
        """The exit code that failures ask for, when some were read."""
        return PARTIAL if self.failed else OK

    def fail(self, error: Exception) -> None:
        """Count what was read, but could not be used, as failed."""
        self.read -= 1
        self._tell(error)

    def _tell(self, error: BaseException) -> None:
        from gotrace.cli.app import message_of

        message = message_of(error)
        if len(self._items) == 1 or message is None:
            raise error
        self.failed += 1
        if self.failed <= _TOLD:
            say(message)

    def _outcomes(self) -> Iterator[tuple[Item, Given | BaseException]]:
        from gotrace.tables.threads import usable_threads

        threads = min(usable_threads(self._threads), len(self._items))
        if threads <= 1:
            yield from ((item, self._tried(item)) for item in self._items)
            return
        waiting: deque[tuple[Item, Future[Given | BaseException]]] = deque()
        rest = iter(self._items)
        with ThreadPoolExecutor(threads, "gotrace-read") as pool:
            try:
                for item in itertools.islice(rest, threads * _AHEAD):
                    waiting.append((item, pool.submit(self._tried, item)))
                while waiting:
                    item, future = waiting.popleft()
                    outcome = future.result()
                    del future  # it would hold the outcome for as long as that is used
                    for later in itertools.islice(rest, 1):
                        waiting.append((later, pool.submit(self._tried, later)))
                    yield item, outcome
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _tried(self, item: Item) -> Given | BaseException:
        try:
            return self._read(item)
        except Exception as error:
            return error


@contextlib.contextmanager
def counted(files: Sequence[object]) -> Iterator[Callable[[], None]]:
    """Show how many files are done, on a terminal only; give what counts one more."""
    if not sys.stderr.isatty() or len(files) < 2:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(files))
        yield lambda: bar.advance(task)
