"""The errors that gotrace raises; each is also the builtin that a caller may already catch.

`OSError` (no such file, no permission, network) passes through untouched. Every message says what
is wrong, where, what is still readable, and the command to go on.
"""

from __future__ import annotations

__all__ = [
    "ConsumedError",
    "FormatError",
    "GotraceError",
    "LimitError",
    "MissingExtraError",
    "OrderError",
    "TruncatedError",
    "UnknownNameError",
    "UnsupportedVersionError",
]


class GotraceError(Exception):
    """Base of every error that gotrace itself raises."""


class FormatError(GotraceError, ValueError):
    """The bytes are not what they should be.

    Attributes:
        reason: what is wrong, one sentence without a full stop.
        offset: where, in bytes of the decompressed input; None when it has no single place.
        source: name of the input; None until a source is known.
        readable: what can still be read and how, or None.
    """

    def __init__(
        self,
        reason: str = "not readable",
        *,
        offset: int | None = None,
        source: str | None = None,
        readable: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.source = source
        self.readable = readable

    def __str__(self) -> str:
        """Name the source, the offset and the reason, then what to do."""
        text = f"{self.source}: " if self.source else ""
        if self.offset is not None:
            text += f"at byte {self.offset}: "
        text += self.reason
        return f"{text}; {self.readable}" if self.readable else text

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with every attribute, for workers in other processes."""
        state = {"offset": self.offset, "source": self.source, "readable": self.readable}
        return (type(self), (self.reason,), state)


class TruncatedError(FormatError, EOFError):
    """The input ends in the middle of something."""


class UnsupportedVersionError(FormatError):
    """A trace of a Go version that this gotrace does not read."""


class OrderError(FormatError):
    """Well-formed events that no execution can have produced."""


class LimitError(GotraceError):
    """A limit of `gotrace.Limits` was reached; the message names it and its value."""


class ConsumedError(GotraceError, RuntimeError):
    """A stream can be read once; it was read before."""


class MissingExtraError(GotraceError, ImportError):
    """An optional dependency is missing; the message names the extra to install."""


class UnknownNameError(GotraceError, KeyError):
    """No table, column, set or format of that name."""

    def __str__(self) -> str:
        """Return the plain text (KeyError would quote it)."""
        return str(self.args[0]) if self.args else ""


def unknown_name(what: str, name: object, known: object) -> UnknownNameError:
    """Build the error for a name that is not among `known`, with the nearest guess."""
    import difflib

    names = [str(item) for item in known]  # type: ignore[attr-defined]
    near = difflib.get_close_matches(str(name), names, n=1)
    guess = f", did you mean {near[0]!r}?" if near else ""
    return UnknownNameError(f"no {what} {str(name)!r}{guess} (there are: {', '.join(names)})")
