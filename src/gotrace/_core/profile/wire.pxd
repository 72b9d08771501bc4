"""The wire format of protocol buffers, as far as profile.proto needs it.

A field is read into `Field`; groups and unknown wire types are faults, unknown numbers are not.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport realloc

from gotrace._core.decode.varint cimport (
    READER_FINE, READER_OVERFLOW, READER_SHORT, Reader, read_bytes, read_uvarint, reader_over,
)


cdef enum WireType:
    WIRE_VARINT = 0
    WIRE_FIXED64 = 1
    WIRE_BYTES = 2
    WIRE_FIXED32 = 5


cdef enum ProfileFault:
    PROFILE_FINE
    PROFILE_SHORT               # a field ends behind its message
    PROFILE_VARINT
    PROFILE_WIRE_TYPE           # a: wire type, b: field
    PROFILE_KNOWN_FIELD         # a known field with a wire type that it never has
    PROFILE_STRING              # an index into the string table
    PROFILE_FIRST_STRING
    PROFILE_VALUES              # a: values, b: types
    PROFILE_ID_ZERO
    PROFILE_ID_TWICE
    PROFILE_LOCATION
    PROFILE_FUNCTION
    PROFILE_MEMORY
    PROFILE_NO_MEMORY


cdef struct Field:
    uint64_t number
    int wire
    uint64_t value              # of a varint
    const uint8_t* data         # of bytes
    int64_t size


cdef struct Numbers:
    int64_t* items
    int64_t count
    int64_t room


cdef inline bint push(Numbers* self, int64_t value) noexcept nogil:
    """Append; False without memory."""
    cdef int64_t room
    cdef void* grown
    if self.count == self.room:
        room = self.room * 2 if self.room else 64
        grown = realloc(self.items, <size_t>room * sizeof(int64_t))
        if grown == NULL:
            return False
        self.items = <int64_t*>grown
        self.room = room
    self.items[self.count] = value
    self.count += 1
    return True


cdef inline int reader_fault(const Reader* reader) noexcept nogil:
    if reader.state == READER_FINE:
        return PROFILE_FINE
    return PROFILE_VARINT if reader.state == READER_OVERFLOW else PROFILE_SHORT


cdef inline int next_field(Reader* reader, Field* field) noexcept nogil:
    """Read a field. Gives a `ProfileFault`; ask `reader.at < reader.end` before."""
    cdef uint64_t tag = read_uvarint(reader)
    field.number = tag >> 3
    field.wire = <int>(tag & 7)
    field.value = 0
    field.data = NULL
    field.size = 0
    if field.wire == WIRE_VARINT:
        field.value = read_uvarint(reader)
    elif field.wire == WIRE_BYTES:
        field.value = read_uvarint(reader)
        field.data = read_bytes(reader, field.value)
        field.size = <int64_t>field.value
    elif field.wire == WIRE_FIXED64:
        read_bytes(reader, 8)
    elif field.wire == WIRE_FIXED32:
        read_bytes(reader, 4)
    elif reader.state == READER_FINE:
        return PROFILE_WIRE_TYPE
    return reader_fault(reader)
