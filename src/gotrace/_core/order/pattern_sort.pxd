"""Pattern-defeating quicksort of pointers, by the time that each one points at.

The sort is not stable, and which of two equal times comes first is part of Go's order: Go sorts
waiting threads and CPU samples this way. So every decision that moves an element is pinned here,
as in Orson Peters' paper (arXiv 2106.05123) with the constants that Go chose. Of a range:

- up to 12 elements: insertion sort;
- the pivot is the median of the elements at one, two and three quarters, from 50 elements on of
  the medians around those; comparisons that came out the wrong way round tell of a pattern: none
  is rising, all twelve is falling, and a falling range is reversed at once;
- a rising range that the last partition left as it was gets its (at most five) misplaced elements
  carried to their places; below 50 elements the first one already ends the attempt;
- a pivot that equals the element before the range is the least: its equals go to the front;
- a partition with less than an eighth on one side is bad: the next one begins by scattering three
  elements from the middle, and after as many bad ones as the count has bits, heapsort takes over.
"""

from libc.stdint cimport int64_t, uint64_t

cdef enum:
    FEW = 12
    MANY = 50
    MENDS = 5
    ALL_TURNED = 12             # comparisons of a pivot among MANY


cdef inline bint _before(void** items, int64_t i, int64_t j) noexcept nogil:
    return (<const int64_t*>items[i])[0] < (<const int64_t*>items[j])[0]


cdef inline void _swap(void** items, int64_t i, int64_t j) noexcept nogil:
    cdef void* moved = items[i]
    items[i] = items[j]
    items[j] = moved


cdef inline int _bits(int64_t count) noexcept nogil:
    cdef int bits = 0
    while count:
        count >>= 1
        bits += 1
    return bits


cdef inline void _carry_down(void** items, int64_t start, int64_t i) noexcept nogil:
    """Swap an element towards `start`, past all that are later."""
    while i > start and _before(items, i, i - 1):
        _swap(items, i, i - 1)
        i -= 1


cdef inline void _carry_up(void** items, int64_t i, int64_t stop) noexcept nogil:
    """Swap an element towards `stop`, past all that are earlier."""
    while i + 1 < stop and _before(items, i + 1, i):
        _swap(items, i + 1, i)
        i += 1


cdef inline bint _mend(void** items, int64_t start, int64_t stop) noexcept nogil:
    """Sort a range that is nearly sorted; False if it turns out not to be."""
    cdef int64_t i = start + 1
    cdef int _
    for _ in range(MENDS):
        while i < stop and not _before(items, i, i - 1):
            i += 1
        if i == stop:
            return True
        if stop - start < MANY:
            return False
        _swap(items, i, i - 1)
        _carry_down(items, start, i - 1)
        _carry_up(items, i, stop)
    return False


cdef inline void _sink(void** items, int64_t count, int64_t i) noexcept nogil:
    """Restore a heap with the latest on top below place `i`."""
    cdef int64_t child
    while True:
        child = 2 * i + 1
        if child + 1 < count and _before(items, child, child + 1):
            child += 1
        if child >= count or not _before(items, i, child):
            return
        _swap(items, i, child)
        i = child


cdef inline void _heap_sort(void** items, int64_t count) noexcept nogil:
    cdef int64_t i
    for i in range((count - 1) // 2, -1, -1):
        _sink(items, count, i)
    for i in range(count - 1, -1, -1):
        _swap(items, 0, i)
        _sink(items, i, 0)


cdef inline void _scatter(void** items, int64_t start, int64_t stop) noexcept nogil:
    """Swap three elements of the middle with others, pseudo-randomly by the length."""
    cdef int64_t count = stop - start
    cdef int64_t middle = start + count // 4 * 2
    cdef int64_t i, other
    cdef uint64_t state = <uint64_t>count               # Marsaglia's xorshift, 13 7 17
    cdef uint64_t mask = (<uint64_t>1 << _bits(count)) - 1
    for i in range(middle - 1, middle + 2):
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        other = <int64_t>(state & mask)
        if other >= count:
            other -= count
        _swap(items, i, start + other)


cdef inline int64_t _median(
    void** items, int64_t i, int64_t j, int64_t k, int* turned
) noexcept nogil:
    """Which of three is in the middle: three comparisons of neighbours, as if they were swapped."""
    cdef int64_t least
    if _before(items, j, i):
        turned[0] += 1
        i, j = j, i
    least = i
    if _before(items, k, j):
        turned[0] += 1
        j = k
    if _before(items, j, least):
        turned[0] += 1
        j = least
    return j


cdef inline int64_t _pivot(
    void** items, int64_t start, int64_t stop, int* turned
) noexcept nogil:
    cdef int64_t count = stop - start
    cdef int64_t i = start + count // 4
    cdef int64_t j = start + count // 4 * 2
    cdef int64_t k = start + count // 4 * 3
    turned[0] = 0
    if count >= MANY:
        i = _median(items, i - 1, i, i + 1, turned)
        j = _median(items, j - 1, j, j + 1, turned)
        k = _median(items, k - 1, k, k + 1, turned)
    return _median(items, i, j, k, turned)


cdef inline void _reverse(void** items, int64_t start, int64_t stop) noexcept nogil:
    while start < stop - 1:
        stop -= 1
        _swap(items, start, stop)
        start += 1


cdef inline int64_t _partition(
    void** items, int64_t start, int64_t stop, int64_t pivot, bint* untouched
) noexcept nogil:
    """Earlier than the pivot to its left, the rest to its right. The pivot's new place."""
    cdef int64_t i = start + 1
    cdef int64_t j = stop - 1
    untouched[0] = True
    _swap(items, start, pivot)
    while True:
        while i <= j and _before(items, i, start):
            i += 1
        while i <= j and not _before(items, j, start):
            j -= 1
        if i > j:
            break
        untouched[0] = False
        _swap(items, i, j)
        i += 1
        j -= 1
    _swap(items, start, j)
    return j


cdef inline int64_t _partition_equal(
    void** items, int64_t start, int64_t stop, int64_t pivot
) noexcept nogil:
    """Equals of the pivot, which is the least, to the front. Where the later ones begin."""
    cdef int64_t i = start + 1
    cdef int64_t j = stop - 1
    _swap(items, start, pivot)
    while True:
        while i <= j and not _before(items, start, i):
            i += 1
        while i <= j and _before(items, start, j):
            j -= 1
        if i > j:
            return i
        _swap(items, i, j)
        i += 1
        j -= 1


# A part of the range that is put off; the shorter side always goes first, so that no trace can
# make the list of them long.
cdef struct Side:
    int64_t start
    int64_t stop
    int bad_allowed
    bint balanced
    bint untouched


cdef inline bint _sort_side(void** items, Side* side, Side* shorter) noexcept nogil:
    """Sort a side, or cut it in two: then `side` is the longer one, and True."""
    cdef int64_t count, pivot, i
    cdef int turned
    while side.stop - side.start > FEW:
        count = side.stop - side.start
        if side.bad_allowed == 0:
            _heap_sort(items + side.start, count)
            return False
        if not side.balanced:
            _scatter(items, side.start, side.stop)
            side.bad_allowed -= 1
        pivot = _pivot(items, side.start, side.stop, &turned)
        if turned == ALL_TURNED:
            _reverse(items, side.start, side.stop)
            pivot = side.start + side.stop - 1 - pivot
            turned = 0
        if side.balanced and side.untouched and turned == 0:
            if _mend(items, side.start, side.stop):
                return False
        if side.start > 0 and not _before(items, side.start - 1, pivot):
            side.start = _partition_equal(items, side.start, side.stop, pivot)
            continue
        pivot = _partition(items, side.start, side.stop, pivot, &side.untouched)
        side.balanced = min(pivot - side.start, side.stop - pivot) >= count // 8
        shorter[0] = Side(side.start, pivot, side.bad_allowed, True, True)
        if pivot - side.start < side.stop - pivot:
            side.start = pivot + 1
        else:
            shorter.start = pivot + 1
            shorter.stop = side.stop
            side.stop = pivot
        return True
    for i in range(side.start + 1, side.stop):
        _carry_down(items, side.start, i)
    return False


cdef inline void sort_by_time(void** items, int64_t count) noexcept nogil:
    """Sort pointers to structs that begin with an int64 time."""
    cdef Side sides[65]
    cdef int64_t last = 0
    sides[0] = Side(0, count, _bits(count), True, True)
    while last >= 0:
        last += 1 if _sort_side(items, &sides[last], &sides[last + 1]) else -1
