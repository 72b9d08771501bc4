# Mutations of a profile that keep its messages whole: fields are changed, dropped, doubled, moved,
# and the lengths around them follow. libFuzzer's own mutations do the rest.

cdef extern size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t room) nogil

cdef enum:
    MOST_FIELDS = 512
    MOST_DEPTH = 3
    MOST_SCRATCH = 1 << 14

# A field of the message, or of one of its messages.
cdef struct Part:
    int64_t start               # of its tag
    int64_t body                # of its bytes, or of its number
    int64_t end
    int wire
    int number

cdef Part parts[MOST_FIELDS]
cdef uint8_t[MOST_DEPTH][MOST_SCRATCH] scratch      # of each depth what is put in

cdef struct Mutation:
    uint64_t state

cdef Mutation mutation

# Numbers at which something changes: no id, sizes of tables, the widest.
cdef uint64_t[14] EDGES
EDGES[:] = [
    0, 1, 2, 3, 5, 127, 128, 16383, 16384, 1 << 31, (1 << 32) + 1, (1 << 63) - 1, 1 << 63,
    ~<uint64_t>0,
]


cdef inline int64_t _below(int64_t end) noexcept nogil:
    mutation.state ^= mutation.state << 13
    mutation.state ^= mutation.state >> 7
    mutation.state ^= mutation.state << 17
    return <int64_t>(mutation.state % <uint64_t>end)


cdef inline int64_t _number_at(
    const uint8_t* data, int64_t at, int64_t end, uint64_t* value
) noexcept nogil:
    """The place behind a varint; -1 for none."""
    cdef int shift = 0
    value[0] = 0
    while at < end and shift < 64:
        value[0] |= <uint64_t>(data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return at
        shift += 7
    return -1


cdef inline int64_t _put_number(uint8_t* out, uint64_t value) noexcept nogil:
    cdef int64_t at = 0
    while value >= 0x80:
        out[at] = <uint8_t>(value | 0x80)
        value >>= 7
        at += 1
    out[at] = <uint8_t>value
    return at + 1


cdef int64_t _fields(const uint8_t* data, int64_t at, int64_t end) noexcept nogil:
    """Find the fields of a message, as far as it is one."""
    cdef int64_t count = 0
    cdef uint64_t tag, value
    cdef Part* part
    while at < end and count < MOST_FIELDS:
        part = &parts[count]
        part.start = at
        at = _number_at(data, at, end, &tag)
        if at < 0:
            break
        part.wire = <int>(tag & 7)
        part.number = <int>((tag >> 3) & 0xFFFF)
        part.body = at
        if part.wire == 0:
            at = _number_at(data, at, end, &value)
        elif part.wire == 2:
            at = _number_at(data, at, end, &value)
            part.body = at
            at = at + <int64_t>value if at >= 0 and value <= <uint64_t>(end - at) else -1
        else:
            at = at + 8 if part.wire == 1 else at + 4 if part.wire == 5 else -1
        if at < 0 or at > end:
            break
        part.end = at
        count += 1
    return count


cdef int64_t _field(uint8_t* out, int number, const uint8_t* body, int64_t size) noexcept nogil:
    """Lay down a field of bytes; its length."""
    cdef int64_t used = _put_number(out, <uint64_t>(number << 3 | 2))
    used += _put_number(out + used, <uint64_t>size)
    memmove(out + used, body, size)
    return used + size


cdef int64_t _changed_body(
    const uint8_t* data, Part part, uint8_t* out, int64_t room, int depth
) noexcept nogil:
    """Lay down a field with something in it changed; 0 when there is no room."""
    cdef uint8_t* inner = out + 32
    cdef int64_t size = part.end - part.body
    if size + 64 > room:
        return 0
    if part.wire == 0:
        size = _put_number(out, <uint64_t>(part.number << 3))
        return size + _put_number(out + size, EDGES[_below(14)] if _below(3) else _below(8))
    if part.wire != 2:
        return 0
    memcpy(inner, data + part.body, size)
    if depth + 1 < MOST_DEPTH and part.number < 6 and _below(4):
        size = _changed(inner, size, room - 64, depth + 1)
    else:
        size = LLVMFuzzerMutate(inner, size, min(room - 64, size + 16))
    return _field(out, part.number, inner, size)


cdef int64_t _changed(uint8_t* data, int64_t size, int64_t room, int depth) noexcept nogil:
    """Change one field of a message in its place; the new size."""
    cdef int64_t count = _fields(data, 0, size)
    cdef int64_t what = _below(8)
    cdef int64_t made = 0
    cdef int64_t grown
    cdef Part part, other
    if count == 0:
        return LLVMFuzzerMutate(data, size, room)
    part, other = parts[_below(count)], parts[_below(count)]
    if what == 0:                       # it goes
        pass
    elif what < 3:                      # it comes once more, elsewhere
        made = part.end - part.start
        if made > MOST_SCRATCH:
            return size
        memcpy(&scratch[depth][0], data + part.start, made)
        part.start = part.end = other.start
    else:
        made = _changed_body(data, part, &scratch[depth][0], MOST_SCRATCH, depth)
        if made == 0:
            return size
    grown = size - (part.end - part.start) + made
    if grown > room:
        return size
    memmove(data + part.start + made, data + part.end, size - part.end)
    memcpy(data + part.start, &scratch[depth][0], made)
    return grown


cdef public size_t LLVMFuzzerCustomMutator(
    uint8_t* data, size_t size, size_t room, unsigned int seed
) noexcept nogil:
    mutation.state = (<uint64_t>seed + 1) * <uint64_t>0x9E3779B97F4A7C15
    if size > KNOBS and _below(5):
        return KNOBS + _changed(data + KNOBS, size - KNOBS, room - KNOBS, 0)
    if size > KNOBS and _below(4) == 0:
        data[_below(KNOBS)] = <uint8_t>_below(256)
        return size
    return LLVMFuzzerMutate(data, size, room)
