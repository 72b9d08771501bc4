# Lists of numbers in the order of their content.
#
# A merge sort, for what comes from strangers must not make it slow. The first numbers of a list, as
# many as two words hold, are at hand beside it, which nearly always decides.

cdef struct SortedList:
    uint64_t first              # numbers + 1, the first one highest; 0 for none. Or see below
    uint64_t second
    int64_t list


cdef inline uint64_t numbers_in_word(
    const int64_t* numbers, int64_t count, int64_t per_word, int64_t bits
) noexcept nogil:
    """The first numbers of a run as one, so that words are in the order of the runs.

    Of numbers that are negative or large one has to do; then none may look like the least.
    """
    cdef uint64_t word = 0
    cdef int64_t i
    if per_word == 1:
        return <uint64_t>numbers[0] ^ <uint64_t>1 << 63 if count > 0 else 0
    for i in range(per_word):
        word = word << bits | (<uint64_t>numbers[i] + 1 if i < count else 0)
    return word


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
    cdef int64_t bits = 1
    cdef int64_t per_word
    cdef uint64_t all_bits = 0
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
            for i in range(numbers.shape[0]):
                all_bits |= <uint64_t>base[i] | (<uint64_t>base[i] + 1)
            while bits < 64 and all_bits >> bits:
                bits += 1
            per_word = 64 // bits
            for i in range(count):
                at = offsets[order[i]]
                size = offsets[order[i] + 1] - at
                items[i].list = order[i]
                items[i].first = numbers_in_word(base + at, size, per_word, bits)
                items[i].second = numbers_in_word(
                    base + at + per_word, size - per_word, per_word, bits
                )
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
