r"""Go's quoted strings: strconv.Quote and strconv.Unquote over bytes.

The text form of a trace carries strings and opaque data in Go's quotes. Bytes that are not UTF-8
stand as `\xNN`, and what is printable stands for itself.
"""

from __future__ import annotations

import re
from typing import Final

_SHORT: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}
_UNSHORT: Final = {escape[1]: char for char, escape in _SHORT.items() if char != '"'}
_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*")
_ESCAPE: Final = re.compile(
    r"""\\(?:
        x(?P<hex>[0-9a-fA-F]{2})
      | u(?P<u4>[0-9a-fA-F]{4})
      | U(?P<u8>[0-9a-fA-F]{8})
      | (?P<octal>[0-7]{3})
      | (?P<short>[abfnrtv\\"'])
    )""",
    re.VERBOSE,
)


def quote(data: bytes) -> str:
    """Quote bytes as strconv.Quote does (its table of printable characters may be newer)."""
    text = data.decode("utf-8", "surrogateescape")
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    return '"' + "".join(map(_quote_char, text)) + '"'


def _quote_char(char: str) -> str:
    short = _SHORT.get(char)
    if short is not None:
        return short
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as surrogateescape marks it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unquote(text: str) -> bytes:
    """Undo any of Go's quotes ("...", `...`, one character in '...'), as strconv.Unquote.

    `text` was decoded with surrogateescape; bytes in it that are not UTF-8 become U+FFFD, as in Go.

    Raises:
        ValueError: if it is not a Go string.
    """
    quotation = text[:1]
    body = text[1:-1]
    if len(text) < 2 or quotation not in ('"', "`", "'") or text[-1] != quotation or "\n" in body:
        raise ValueError("not a quoted string")
    if quotation == "`":
        if "`" in body:
            raise ValueError("not a quoted string")
        return body.replace("\r", "").encode("utf-8", "surrogateescape")
    if "\\" not in body and quotation not in body:
        pieces = [_utf8(body)]
        count = len(body)
    else:
        pieces, count = _unescape(body, quotation)
    if quotation == "'" and count != 1:
        raise ValueError("more or less than one character in single quotes")
    return b"".join(pieces)


def _unescape(body: str, quotation: str) -> tuple[list[bytes], int]:
    """Replace the escapes; the pieces, and the number of characters that they came from."""
    pieces: list[bytes] = []
    count = position = 0
    while position < len(body):
        count += 1
        char = body[position]
        if char == quotation:
            raise ValueError("an unescaped quotation mark inside")
        if char != "\\":
            pieces.append(_utf8(char))
            position += 1
            continue
        escape = _ESCAPE.match(body, position)
        if escape is None:
            raise ValueError(f"no such escape: {body[position : position + 2]}")
        pieces.append(_escaped(escape, quotation))
        position = escape.end()
    return pieces, count


def _escaped(escape: re.Match[str], quotation: str) -> bytes:
    digits = escape["hex"] or escape["octal"]
    if digits:
        value = int(digits, 16 if escape["hex"] else 8)
        if value > 255:
            raise ValueError(f"no such byte: {escape[0]}")
        return bytes((value,))
    digits = escape["u4"] or escape["u8"]
    if digits:
        code = int(digits, 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise ValueError(f"no such character: {escape[0]}")
        return chr(code).encode()
    short = escape["short"]
    if short in "\"'":
        if short != quotation:
            raise ValueError(f"no such escape: {escape[0]}")
        return short.encode()
    return _UNSHORT[short].encode()


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udfff]", "\ufffd", text).encode()
