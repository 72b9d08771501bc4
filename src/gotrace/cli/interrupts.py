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
    """The handler of SIGINT within one block."""

    def __init__(self, also: Callable[[], None] | None) -> None:
        self._also = also
        self.first: float | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise `KeyboardInterrupt` where it is not swallowed, once."""
        first, self.first = self.first, self.first or time.monotonic()
        again = number != signal.SIGINT
        if first is not None and not again:
            if time.monotonic() - first > _PATIENCE_S:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.kill(os.getpid(), signal.SIGINT)
            return
        if frame is not None and frame.f_code.co_filename == _SWALLOWS and self._later():
            return
        if self._also is not None:
            self._also()
        raise KeyboardInterrupt

    def _later(self) -> bool:
        """Come again in a moment; False where the system can't do that."""
        if not hasattr(signal, "setitimer"):
            return False
        signal.signal(signal.SIGALRM, self)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        return True

    def end(self) -> None:
        """Come no more."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def interruptible(also: Callable[[], None] | None = None) -> Iterator[None]:
    """Raise `KeyboardInterrupt` at Ctrl-C, at the latest at the end of the block.

    `also` is called first, to stop what Python's exceptions do not reach. In a thread that gets no
    signals this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = _Interrupts(also)
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    except Exception:
        if handler.first is not None:  # it comes back as an error of the library that ran
            raise KeyboardInterrupt from None
        raise
    finally:
        handler.end()
        signal.signal(signal.SIGINT, before)
    if handler.first is not None:
        raise KeyboardInterrupt
