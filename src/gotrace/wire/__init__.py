"""The wire form of execution traces, both ways: bytes, records, and Go's text for them.

Nothing here orders, resolves or checks what a trace says; that is the decoder's work. It is for
looking at a trace as it was written, for bug reports, and for tests that write traces by hand.
"""

from __future__ import annotations

from gotrace.wire.binary import (
    RAW_BYTES,
    Batch,
    Record,
    WireReader,
    encode,
    encode_batch,
    encode_record,
    uvarint,
)
from gotrace.wire.text import TextReader, WireTextError, bytes_to_text, text_line, text_to_bytes

__all__ = [
    "RAW_BYTES",
    "Batch",
    "Record",
    "TextReader",
    "WireReader",
    "WireTextError",
    "bytes_to_text",
    "encode",
    "encode_batch",
    "encode_record",
    "text_line",
    "text_to_bytes",
    "uvarint",
]
