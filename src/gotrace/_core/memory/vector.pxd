"""Growing plain C arrays."""

from libc.stdint cimport int64_t
from libc.stdlib cimport realloc


cdef inline bint reserve(
    void** items, int64_t* capacity, int64_t wanted, size_t size
) noexcept nogil:
    """Make room for `wanted` items of `size` bytes, at least doubling; False without memory."""
    cdef int64_t room = capacity[0]
    cdef void* grown
    if wanted <= room:
        return True
    room = room * 2 if room else 16
    if room < wanted:
        room = wanted
    grown = realloc(items[0], <size_t>room * size)
    if grown == NULL:
        return False
    items[0] = grown
    capacity[0] = room
    return True
