"""Reader: a bounds-checked view of bytes, and unsigned varints.

A read that fails sets `state` (the first failure wins), drains the reader and gives 0, so a caller
tests once per record.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t


cdef enum ReaderState:
    READER_FINE
    READER_SHORT                # the bytes end inside the item
    READER_OVERFLOW             # a varint above 64 bits


cdef struct Reader:
    const uint8_t* at
    const uint8_t* end
    ReaderState state


cdef inline Reader reader_over(const uint8_t* data, int64_t size) noexcept nogil:
    cdef Reader reader
    reader.at = data
    reader.end = data + size
    reader.state = READER_FINE
    return reader


cdef inline void _fail(Reader* self, ReaderState state) noexcept nogil:
    if self.state == READER_FINE:
        self.state = state
    self.at = self.end


cdef inline uint8_t read_byte(Reader* self) noexcept nogil:
    cdef uint8_t byte
    if self.at >= self.end:
        _fail(self, READER_SHORT)
        return 0
    byte = self.at[0]
    self.at += 1
    return byte


cdef inline uint64_t read_uvarint(Reader* self) noexcept nogil:
    """Little-endian base 128; padded encodings are legal, an 11th byte or a 65th bit is not."""
    cdef uint64_t value = 0
    cdef int shift = 0
    cdef uint8_t byte
    while self.at < self.end:
        byte = self.at[0]
        self.at += 1
        if shift == 63 and byte > 1:
            _fail(self, READER_OVERFLOW)
            return 0
        value |= <uint64_t>(byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
    _fail(self, READER_SHORT)
    return 0


cdef inline const uint8_t* read_bytes(Reader* self, uint64_t size) noexcept nogil:
    """The next `size` bytes in place; NULL when there are fewer."""
    cdef const uint8_t* bytes = self.at
    if size > <uint64_t>(self.end - self.at):
        _fail(self, READER_SHORT)
        return NULL
    self.at += size
    return bytes
