# Lists of times by reason and by name, sorted by their texts.
#
# Reasons are few and the same for everyone, so their order is known beforehand.
#
# Offers: bind_lists, rank_reasons, put_in_order, put_lists.

cdef ListColumns bind_lists(Table table):
    cdef ListColumns lists
    lists.block = table.column("block")
    lists.ranges = table.column("range")
    return lists


cdef const Text* _key_text(const Text* texts, int32_t key) noexcept nogil:
    return &texts[key] if key >= 0 else NULL


cdef bint _comes_before(const Text* a, const Text* b) noexcept nogil:
    """By text; none comes first."""
    cdef int order
    if a == NULL or b == NULL:
        return a == NULL
    order = memcmp(a.data, b.data, min(a.length, b.length))
    return order < 0 or (order == 0 and a.length < b.length)


cdef bint rank_reasons(Lives* self, int64_t count) noexcept nogil:
    """Put so many reasons in the order of their texts; False without memory."""
    cdef const Text* texts = self.reasons.texts
    cdef int64_t i, j
    if not reserve(<void**>&self.reason_ranks, &self.ranks_room, count, sizeof(ReasonRank)):
        return False
    for i in range(self.n_ranks, count):
        self.reason_ranks[i].rank = 0
        self.reason_ranks[i].is_utf8 = is_utf8(<const uint8_t*>texts[i].data, texts[i].length)
        for j in range(i):
            if _comes_before(&texts[j], &texts[i]):
                self.reason_ranks[i].rank += 1
            else:
                self.reason_ranks[j].rank += 1
    self.n_ranks = count
    return True


cdef inline int32_t _rank(const Lives* self, int32_t key) noexcept nogil:
    return self.reason_ranks[key].rank if key >= 0 else NULL_ID


cdef void put_in_order(const Lives* self, Shares* shares) noexcept nogil:
    """Move the last of the shares, of reasons, to where it belongs."""
    cdef int32_t i = shares.count - 1
    cdef Share moved = shares.items[i]
    cdef int32_t rank = _rank(self, moved.key)
    while i > 0 and rank < _rank(self, shares.items[i - 1].key):
        shares.items[i] = shares.items[i - 1]
        i -= 1
    shares.items[i] = moved


cdef void _sort_names(const Text* texts, Shares* shares) noexcept nogil:
    cdef Share moved
    cdef int32_t i, j
    for i in range(1, shares.count):
        moved = shares.items[i]
        j = i
        while j > 0 and _comes_before(
            _key_text(texts, moved.key), _key_text(texts, shares.items[j - 1].key)
        ):
            shares.items[j] = shares.items[j - 1]
            j -= 1
        shares.items[j] = moved


cdef inline void _put_share(
    Column* column, const Text* text, int64_t ns, bint is_utf8
) noexcept nogil:
    cdef Column* fields = column.children.children
    if text == NULL:
        put_text(&fields[0], NULL, 0)
    else:
        put_known_text(&fields[0], text, is_utf8)
    put_int(&fields[1], ns)
    column.children.length += 1


cdef inline void put_lists(
    const ListColumns* self, Split* split, const Lives* lives
) noexcept nogil:
    """The lists of a split, without zeros; its ranges are sorted on the way."""
    cdef const Share* share
    cdef int32_t i
    if self.block != NULL:
        for i in range(split.block.count):
            share = &split.block.items[i]
            if share.ns:
                _put_share(
                    self.block, _key_text(lives.reasons.texts, share.key), share.ns,
                    share.key >= 0 and lives.reason_ranks[share.key].is_utf8,
                )
        close_list(self.block)
    if self.ranges != NULL:
        if split.ranges.count > 1:
            _sort_names(lives.names.texts, &split.ranges)
        for i in range(split.ranges.count):
            share = &split.ranges.items[i]
            if share.ns:
                _put_share(
                    self.ranges, _key_text(lives.names.texts, share.key), share.ns, False
                )
        close_list(self.ranges)
