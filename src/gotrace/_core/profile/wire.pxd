"""The wire format of protocol buffers, as far as profile.proto needs it.

A message is a span of the input. Where ten bytes can be read, whatever they are, a number is read
without looking at the end; a message then tells at its end that something in it was too long.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from gotrace._core.memory.hashing cimport fold

cdef extern from "gotrace/_core/profile/packed.h" nogil:
    enum:
        PACKED_LANES "GT_PACKED_LANES"
        PACKED_READS "GT_PACKED_READS"
    ctypedef struct Packed "gt_packed":
        const uint8_t* at
        int64_t* out
        uint64_t most
    int packed_quick "gt_packed_quick"
    void packed_begin "gt_packed_begin"() noexcept
    Packed packed_run "gt_packed_run"(
        const uint8_t* at, const uint8_t* end, int64_t* out
    ) noexcept


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
    PROFILE_INTERRUPTED         # an exception of Python's is waiting


cdef struct Number:
    const uint8_t* at           # behind it; NULL for one that is cut off or too long
    uint64_t value


cdef struct Field:
    const uint8_t* at           # behind it; NULL for a fault
    uint64_t number
    int wire
    int fault
    uint64_t value              # of a varint
    const uint8_t* data         # of bytes
    const uint8_t* data_end


cdef struct Numbers:
    int64_t* items
    int64_t count
    int64_t room


cdef inline Number read_number(
    const uint8_t* at, const uint8_t* end, const uint8_t* safe
) noexcept nogil:
    """A varint; one that is read quickly may end behind `end`."""
    cdef Number number
    if at > safe:
        return read_number_slowly(at, end)
    number.value = at[0]
    if number.value < 0x80:
        number.at = at + 1
        return number
    number.value = (number.value & 0x7F) | <uint64_t>at[1] << 7
    if at[1] < 0x80:
        number.at = at + 2
        return number
    number.value = (number.value & 0x3FFF) | <uint64_t>at[2] << 14
    if at[2] < 0x80:
        number.at = at + 3
        return number
    return read_number_slowly(at, at + 10)


cdef inline Number read_number_slowly(const uint8_t* at, const uint8_t* end) noexcept nogil:
    """A varint of any length; an 11th byte or a 65th bit is a fault."""
    cdef Number number = Number(NULL, 0)
    cdef int shift = 0
    cdef uint8_t byte
    while at < end:
        byte = at[0]
        at += 1
        if shift == 63 and byte > 1:
            break
        number.value |= <uint64_t>(byte & 0x7F) << shift
        if byte < 0x80:
            number.at = at
            break
        shift += 7
    return number


cdef inline int number_fault(const uint8_t* at, const uint8_t* end) noexcept nogil:
    """Why there is no number at `at`."""
    cdef int i
    for i in range(10):
        if end - at <= i:
            return PROFILE_SHORT
        if at[i] < 0x80:
            return PROFILE_VARINT if i == 9 else PROFILE_SHORT
    return PROFILE_VARINT


cdef inline Field read_field(
    const uint8_t* at, const uint8_t* end, const uint8_t* safe
) noexcept nogil:
    """The field at `at`, which is before `end`."""
    cdef Field field
    cdef Number number = read_number(at, end, safe)
    cdef uint64_t size
    field.at = NULL
    field.fault = PROFILE_FINE
    field.value = 0
    field.data = NULL
    field.data_end = NULL
    field.number = number.value >> 3
    field.wire = <int>(number.value & 7)
    if number.at == NULL or number.at > end:
        field.fault = number_fault(at, end)
        return field
    at = number.at
    if field.wire == WIRE_VARINT or field.wire == WIRE_BYTES:
        number = read_number(at, end, safe)
        if number.at == NULL or number.at > end:
            field.fault = number_fault(at, end)
            return field
        at = number.at
        field.value = number.value
        size = number.value if field.wire == WIRE_BYTES else 0
    elif field.wire == WIRE_FIXED64:
        size = 8
    elif field.wire == WIRE_FIXED32:
        size = 4
    else:
        field.fault = PROFILE_WIRE_TYPE
        return field
    if size > <uint64_t>(end - at):
        field.fault = PROFILE_SHORT
        return field
    field.data = at
    field.at = field.data_end = at + size
    return field


cdef inline uint64_t hash_span(const uint8_t* at, const uint8_t* end, uint64_t seed) noexcept nogil:
    """Hash bytes, eight at a time; the last eight may have been seen in part."""
    cdef uint64_t key = seed ^ <uint64_t>0x9E3779B97F4A7C15
    cdef uint64_t hash = seed ^ <uint64_t>(end - at)
    cdef uint64_t word = 0
    while end - at > 8:
        memcpy(&word, at, 8)
        hash = fold(word ^ key, hash ^ <uint64_t>0xC2B2AE3D27D4EB4F)
        at += 8
        if end - at < 8:
            at = end - 8
    if end - at == 8:
        memcpy(&word, at, 8)
    else:
        while at < end:
            word = word << 8 | at[0]
            at += 1
    return fold(word ^ key, hash ^ <uint64_t>0xC2B2AE3D27D4EB4F)
