# Refs: numbers of locations, 32 or 64 bits wide. A profile has nothing more of anything, so half
# the bytes is half the time.
#
# Offers: Refs, RefSpan, ref_at, refs_within, check_refs.

cdef struct RefSpan:                # one of both is NULL
    const int64_t* wide
    const int32_t* narrow


cdef class Refs:
    """An array of int32 or int64, held on to."""

    cdef const int64_t[::1] wide
    cdef const int32_t[::1] narrow
    cdef RefSpan span
    cdef int64_t count

    def __cinit__(self, numbers not None):
        if memoryview(numbers).itemsize == sizeof(int32_t):
            self.narrow = numbers
            self.count = self.narrow.shape[0]
            if self.count:
                self.span.narrow = &self.narrow[0]
        else:
            self.wide = numbers
            self.count = self.wide.shape[0]
            if self.count:
                self.span.wide = &self.wide[0]


cdef inline int64_t ref_at(const RefSpan* self, int64_t i) noexcept nogil:
    return self.narrow[i] if self.narrow != NULL else self.wide[i]


cdef inline bint refs_within(
    const RefSpan* self, int64_t start, int64_t count, int64_t end
) noexcept nogil:
    """Whether numbers from `start` on are all from 0 to before `end`."""
    cdef const int32_t* narrow = self.narrow
    cdef int32_t last = <int32_t>min(end - 1, INT32_MAX)
    cdef uint32_t outside = 0
    cdef int64_t i
    if count == 0 or narrow == NULL:
        return count == 0 or all_within(self.wide + start, count, 0, end)
    for i in range(start, start + count):
        outside |= <uint32_t>narrow[i] | (<uint32_t>last - <uint32_t>narrow[i])
    return end > 0 and outside >> 31 == 0


cdef int check_refs(Refs refs, int64_t end) except -1:
    cdef int64_t i
    if refs_within(&refs.span, 0, refs.count, end):
        return 0
    for i in range(refs.count):
        if not 0 <= ref_at(&refs.span, i) < end:
            raise ValueError(f"number {ref_at(&refs.span, i)} is none of {end}")
    return 0
