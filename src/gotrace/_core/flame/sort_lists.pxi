# Lists of numbers in the order of their content.
#
# A merge sort, for what comes from strangers must not make it slow. Two numbers of a list are at
# hand beside it, which nearly always decide.

cdef struct SortedList:
    int64_t first               # two numbers, INT64_MIN for none
    int64_t second
    int64_t list


cdef inline bint list_before(
    const SortedList* a, const SortedList* b, const int64_t* offsets, const int64_t* numbers,
    const int64_t* tags,
) noexcept nogil:
    """Whether `a` must come before `b`: by its numbers, the shorter of two first, then its tag."""
    cdef int64_t i, at, other, size
    if a.first != b.first:
        return a.first < b.first
    if a.second != b.second:
        return a.second < b.second
    at, other = offsets[a.list], offsets[b.list]
    size = min(offsets[a.list + 1] - at, offsets[b.list + 1] - other)
    for i in range(size):
        if numbers[at + i] != numbers[other + i]:
            return numbers[at + i] < numbers[other + i]
    if offsets[a.list + 1] - at != offsets[b.list + 1] - other:
        return offsets[a.list + 1] - at < offsets[b.list + 1] - other
    return tags[a.list] < tags[b.list]


cdef void merge_lists(
    const SortedList* items, SortedList* out, int64_t start, int64_t middle, int64_t end,
    const int64_t* offsets, const int64_t* numbers, const int64_t* tags,
) noexcept nogil:
    cdef int64_t a = start
    cdef int64_t b = middle
    cdef int64_t i
    for i in range(start, end):
        if a < middle and (
            b >= end or not list_before(&items[b], &items[a], offsets, numbers, tags)
        ):
            out[i] = items[a]
            a += 1
        else:
            out[i] = items[b]
            b += 1


def sort_lists(
    const int64_t[::1] offsets,
    const int64_t[::1] numbers,
    const int64_t[::1] tags,
    int64_t[::1] order,
):
    """Sort the lists that `order` names: by their numbers, the shorter of two first, by tag."""
    cdef SortedList* items = NULL
    cdef SortedList* out = NULL
    cdef SortedList* swapped
    cdef int64_t count = order.shape[0]
    cdef int64_t i, at, size
    cdef int64_t width = 1
    cdef const int64_t* base = &numbers[0] if numbers.shape[0] else NULL
    _check_offsets(offsets, numbers.shape[0])
    _check_numbers(order, 0, min(offsets.shape[0] - 1, tags.shape[0]))
    if count == 0:
        return
    try:
        items = <SortedList*>malloc(count * sizeof(SortedList))
        out = <SortedList*>malloc(count * sizeof(SortedList))
        if items == NULL or out == NULL:
            raise MemoryError
        with nogil:
            for i in range(count):
                at = offsets[order[i]]
                size = offsets[order[i] + 1] - at
                items[i].list = order[i]
                items[i].first = base[at] if size else INT64_MIN
                items[i].second = base[at + 1] if size > 1 else INT64_MIN
            while width < count:
                at = 0
                while at < count:
                    merge_lists(
                        items, out, at, min(at + width, count), min(at + 2 * width, count),
                        &offsets[0], base, &tags[0],
                    )
                    at += 2 * width
                swapped = items
                items = out
                out = swapped
                width *= 2
            for i in range(count):
                order[i] = items[i].list
    finally:
        free(items)
        free(out)
