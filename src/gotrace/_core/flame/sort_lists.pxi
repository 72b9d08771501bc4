# Lists of numbers in the order of their content.
#
# The first numbers of a list, as many as two words hold, are at hand beside it: a radix sort by the
# first word, then a merge sort of those that have it in common. What comes from strangers cannot
# make either slow.
#
# Offers: StackRow, Lists, sort_all, sort_lists.

cdef struct StackRow:               # of a table of stacks
    int64_t start                   # of its words
    int64_t tag
    int64_t count                   # of its numbers
    uint64_t hash


cdef struct Lists:                  # rows of a table of stacks, or else slices of numbers
    const int64_t* words
    const StackRow* rows
    const int64_t* offsets
    const int64_t* numbers
    const int64_t* ranks            # what the numbers of rows count as
    const int64_t* tags             # by list, or by the tag of a row
    bint wide


cdef struct SortedList:
    uint64_t first                  # numbers + 1, the first one highest; 0 for none
    uint64_t second
    int64_t list


cdef enum:
    DIGIT = 11                      # bits of a pass of the radix sort
    DIGITS = 6                      # passes, for all bits of a word
    FEW_LISTS = 256                 # for which the passes do not pay


cdef inline int64_t list_size(const Lists* self, int64_t list) noexcept nogil:
    if self.rows != NULL:
        return self.rows[list].count
    return self.offsets[list + 1] - self.offsets[list]


cdef inline int64_t row_number(const Lists* self, const StackRow* row, int64_t i) noexcept nogil:
    cdef const int64_t* words = self.words + row.start
    return self.ranks[words[i] if self.wide else (<const int32_t*>words)[i]]


cdef inline int64_t list_number(const Lists* self, int64_t list, int64_t i) noexcept nogil:
    if self.rows == NULL:
        return self.numbers[self.offsets[list] + i]
    return row_number(self, &self.rows[list], i)


cdef inline int64_t list_tag(const Lists* self, int64_t list) noexcept nogil:
    return self.tags[self.rows[list].tag if self.rows != NULL else list]


cdef inline uint64_t word_of(
    const Lists* self, int64_t list, int64_t start, int64_t per_word, int64_t bits
) noexcept nogil:
    """Some numbers of a list as one, so that words are in the order of the lists.

    Of numbers that are negative or large one has to do; then none may look like the least.
    """
    cdef int64_t size = min(list_size(self, list) - start, per_word)
    cdef uint64_t word = 0
    cdef int64_t i
    if size <= 0:
        return 0
    if per_word == 1:
        return <uint64_t>list_number(self, list, start) ^ <uint64_t>1 << 63
    for i in range(start, start + size):
        word = word << bits | (<uint64_t>list_number(self, list, i) + 1)
    return word << bits * (per_word - size)


cdef inline bint list_before(
    const Lists* self, const SortedList* a, const SortedList* b
) noexcept nogil:
    """Whether `a` must come before `b`: by its numbers, the shorter of two first, then its tag."""
    cdef int64_t i, number, other
    cdef int64_t size = min(list_size(self, a.list), list_size(self, b.list))
    if a.first != b.first:
        return a.first < b.first
    if a.second != b.second:
        return a.second < b.second
    for i in range(size):
        number, other = list_number(self, a.list, i), list_number(self, b.list, i)
        if number != other:
            return number < other
    if list_size(self, a.list) != list_size(self, b.list):
        return list_size(self, a.list) < list_size(self, b.list)
    return list_tag(self, a.list) < list_tag(self, b.list)


cdef void merge_sort(
    const Lists* self, SortedList* items, SortedList* spare, int64_t count
) noexcept nogil:
    """Sort `items`; what `spare` holds afterwards means nothing."""
    cdef SortedList* from_ = items
    cdef SortedList* to = spare
    cdef SortedList* swapped
    cdef int64_t width = 1
    cdef int64_t at, a, b, middle, end, i
    while width < count:
        at = 0
        while at < count:
            a, middle, end = at, min(at + width, count), min(at + 2 * width, count)
            b = middle
            for i in range(at, end):
                if a < middle and (b >= end or not list_before(self, &from_[b], &from_[a])):
                    to[i] = from_[a]
                    a += 1
                else:
                    to[i] = from_[b]
                    b += 1
            at = end
        swapped = from_
        from_ = to
        to = swapped
        width *= 2
    if from_ != items:
        memcpy(items, from_, count * sizeof(SortedList))


cdef SortedList* radix_sort(
    SortedList* items, SortedList* spare, int64_t count, int64_t* counts
) noexcept nogil:
    """Sort by the first words, and stably: where they are then, `items` or `spare`."""
    cdef SortedList* swapped
    cdef int64_t* places
    cdef int64_t i, digit, before, size
    cdef int pass_
    memset(counts, 0, DIGITS * sizeof(int64_t) << DIGIT)
    for i in range(count):
        for pass_ in range(DIGITS):
            counts[(pass_ << DIGIT) + digit_of(items[i].first, pass_)] += 1
    for pass_ in range(DIGITS):
        places = counts + (pass_ << DIGIT)
        if places[digit_of(items[0].first, pass_)] == count:
            continue
        before = 0
        for digit in range(1 << DIGIT):
            size = places[digit]
            places[digit] = before
            before += size
        for i in range(count):
            digit = digit_of(items[i].first, pass_)
            spare[places[digit]] = items[i]
            places[digit] += 1
        swapped = items
        items = spare
        spare = swapped
    return items


cdef inline int64_t digit_of(uint64_t word, int pass_) noexcept nogil:
    return <int64_t>(word >> DIGIT * pass_ & ((1 << DIGIT) - 1))


cdef bint sort_all(
    const Lists* lists, int64_t bits, int64_t* order, int64_t count
) noexcept nogil:
    """Sort the lists that `order` names, of numbers of so many bits; False without memory."""
    cdef SortedList* room = <SortedList*>malloc(2 * count * sizeof(SortedList))
    cdef int64_t* counts = <int64_t*>malloc(DIGITS * sizeof(int64_t) << DIGIT)
    cdef SortedList* items = room
    cdef SortedList* spare = room + count
    cdef int64_t per_word = 64 // bits
    cdef int64_t start = 0
    cdef int64_t i
    if room == NULL or counts == NULL:
        free(room)
        free(counts)
        return False
    for i in range(count):
        items[i].list = order[i]
        items[i].first = word_of(lists, order[i], 0, per_word, bits)
        items[i].second = word_of(lists, order[i], per_word, per_word, bits)
    if count > FEW_LISTS:
        items = radix_sort(items, spare, count, counts)
        spare = room if items != room else room + count
        for i in range(1, count + 1):
            if i == count or items[i].first != items[start].first:
                merge_sort(lists, items + start, spare + start, i - start)
                start = i
    else:
        merge_sort(lists, items, spare, count)
    for i in range(count):
        order[i] = items[i].list
    free(room)
    free(counts)
    return True


cdef int64_t bits_of(const int64_t[::1] numbers) noexcept nogil:
    """How many bits any number, and that plus 1, has at most."""
    cdef uint64_t all_bits = 0
    cdef int64_t bits = 1
    cdef Py_ssize_t i
    for i in range(numbers.shape[0]):
        all_bits |= <uint64_t>numbers[i] | (<uint64_t>numbers[i] + 1)
    while bits < 64 and all_bits >> bits:
        bits += 1
    return bits


def sort_lists(
    const int64_t[::1] offsets,
    const int64_t[::1] numbers,
    const int64_t[::1] tags,
    int64_t[::1] order,
):
    """Sort the lists that `order` names: by their numbers, the shorter of two first, by tag."""
    cdef Lists lists
    cdef bint done
    _check_offsets(offsets, numbers.shape[0])
    _check_numbers(order, 0, min(offsets.shape[0] - 1, tags.shape[0]))
    if order.shape[0] == 0:
        return
    memset(&lists, 0, sizeof(Lists))
    lists.offsets, lists.tags = &offsets[0], &tags[0]
    if numbers.shape[0]:
        lists.numbers = &numbers[0]
    with nogil:
        done = sort_all(&lists, bits_of(numbers), &order[0], order.shape[0])
    if not done:
        raise MemoryError
