"""Frontier: the threads that have events left, a binary min-heap by the time of the next one.

Which of two equal times goes first is part of Go's order, so the heap's moves are Go's: a parent
stays above an equal child, the left of two equal children goes up. A cursor begins with its time.
"""

from libc.stdint cimport int64_t

from gotrace._core.decode.event_cursor cimport Cursor
from gotrace._core.order.pattern_sort cimport sort_by_time


cdef inline int64_t _sift_up(Cursor** heap, int64_t i) noexcept nogil:
    cdef int64_t parent
    cdef Cursor* moved
    while i > 0:
        parent = (i - 1) // 2
        if heap[parent].time <= heap[i].time:
            break
        moved = heap[i]
        heap[i] = heap[parent]
        heap[parent] = moved
        i = parent
    return i


cdef inline void sift_down(Cursor** heap, int64_t count, int64_t i) noexcept nogil:
    cdef int64_t least, child
    cdef Cursor* moved
    while True:
        least = i
        child = 2 * i + 1
        if child < count and heap[child].time < heap[least].time:
            least = child
        child += 1
        if child < count and heap[child].time < heap[least].time:
            least = child
        if least == i:
            return
        moved = heap[i]
        heap[i] = heap[least]
        heap[least] = moved
        i = least


cdef inline int64_t frontier_second(Cursor** heap, int64_t count) noexcept nogil:
    """Position of the earliest behind the root, the left of two equal ones; 0 if there is none."""
    if count > 2:
        return 1 + (heap[2].time < heap[1].time)
    return count - 1


cdef inline void frontier_overtake(Cursor** heap, int64_t count, int64_t second) noexcept nogil:
    """The root became later than the second: they change places.

    Nobody can guess which thread comes next where threads talk to each other, but that is known
    before the event of this one is read. So it is passed on, and is no branch here.
    """
    cdef Cursor* moved = heap[0]
    heap[0] = heap[second]
    heap[second] = moved
    if count > 3:
        sift_down(heap, count, second)


cdef inline void frontier_push(Cursor** heap, int64_t* count, Cursor* cursor) noexcept nogil:
    heap[count[0]] = cursor
    count[0] += 1
    _sift_up(heap, count[0] - 1)


cdef inline void frontier_update(Cursor** heap, int64_t count, int64_t i) noexcept nogil:
    """Restore the order after the time of one cursor rose."""
    if _sift_up(heap, i) == i:
        sift_down(heap, count, i)


cdef inline void frontier_remove(Cursor** heap, int64_t* count, int64_t i) noexcept nogil:
    """Carry it to the root past whatever is there, put the last in its place, sift that down."""
    cdef int64_t parent
    cdef Cursor* moved
    while i > 0:
        parent = (i - 1) // 2
        moved = heap[i]
        heap[i] = heap[parent]
        heap[parent] = moved
        i = parent
    count[0] -= 1
    heap[0] = heap[count[0]]
    sift_down(heap, count[0], 0)


cdef inline void frontier_sort(Cursor** heap, int64_t count) noexcept nogil:
    """Sort by time: still a heap, and equal times in the order that Go's sort leaves them in."""
    sort_by_time(<void**>heap, count)
