"""Ctrl-C that is never lost."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

_AGAIN_S: Final = 0.02
_PATIENCE_S: Final = 1.0
"""A second Ctrl-C that comes sooner would only disturb the tidying up; a later one kills."""

_SWALLOWS: Final = "<frozen importlib._bootstrap>"
"""The import system's callbacks: what they raise is printed and forgotten."""


class _Interrupts:
    """The handler of SIGINT, as long as the outermost block runs."""

    def __init__(self) -> None:
        self.also: list[Callable[[], None]] = []
        self.first: float | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise `KeyboardInterrupt` where it is not swallowed, once."""
        first, self.first = self.first, self.first or time.monotonic()
        if first is not None and number == signal.SIGINT:
            if time.monotonic() - first > _PATIENCE_S:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.kill(os.getpid(), signal.SIGINT)
            return
        if frame is not None and frame.f_code.co_filename == _SWALLOWS and self._later():
            return
        for stop in reversed(self.also):
            stop()
        raise KeyboardInterrupt

    def _later(self) -> bool:
        """Come again in a moment; False where the system can't do that."""
        if not hasattr(signal, "setitimer"):
            return False
        signal.signal(signal.SIGALRM, self)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        return True


_active: _Interrupts | None = None


@contextlib.contextmanager
def interruptible(also: Callable[[], None] | None = None) -> Iterator[None]:
    """Raise `KeyboardInterrupt` at Ctrl-C, at the latest at the end of the block.

    `also` is called first, to stop what Python's exceptions do not reach; of blocks within blocks
    that of each. In a thread that gets no signals this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with contextlib.ExitStack() as ending:
        handler = _active or _install(ending)
        if also is not None:
            handler.also.append(also)
            ending.callback(handler.also.remove, also)
        if handler.first is not None:  # it was swallowed before this block
            raise KeyboardInterrupt
        try:
            yield
        except Exception:
            if handler.first is not None:  # it comes back as an error of the library that ran
                raise KeyboardInterrupt from None
            raise
        if handler.first is not None:
            raise KeyboardInterrupt


def forget() -> None:
    """Go on after an interrupt, as if there had been none."""
    if _active is not None:
        _active.first = None


def _install(ending: contextlib.ExitStack) -> _Interrupts:
    global _active
    handler = _active = _Interrupts()
    before = signal.signal(signal.SIGINT, handler)

    def remove() -> None:
        global _active
        _active = None
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, before)

    ending.callback(remove)
    return handler
