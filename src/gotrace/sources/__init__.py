"""Bytes in: paths, streams, memory, URLs, compression, and what kind of file it is."""
