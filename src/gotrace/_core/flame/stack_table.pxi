# StackTable: distinct rows of numbers (the locations of a stack, and a tag for its labels), each
# hashed whole once. What profiles by the thousand share is kept once, so memory is bounded by the
# distinct stacks. A hit is verified by content; the hash is keyed, as rows come from strangers.


cdef enum:
    GROUP = 32                      # rows looked up together, so that they wait for memory at once
    SUMS_AHEAD = 8                  # rows between asking for a sum and adding to it
    ROWS_AHEAD = 8                  # rows between asking for one and copying it


cdef struct StackSlot:              # half a hash beside the id: the table stays in the cache
    uint32_t mark
    uint32_t id                     # + 1; 0 is empty


cdef inline uint32_t mark_of(uint64_t hash) noexcept nogil:
    return <uint32_t>(hash >> 32)


cdef class StackTable(Owned):
    """Distinct stacks in the order they were first seen.

    Numbers lie two in a word of 64 bits, a row beginning a word, until one does not fit 32 bits.
    """

    cdef int64_t* words
    cdef StackRow* rows             # and where the next one begins
    cdef int64_t* laid              # words of a group that is looked up
    cdef int32_t* narrow_names      # names of the references at hand, as they are kept
    cdef StackSlot* slots
    cdef int64_t words_capacity, rows_capacity, laid_capacity, names_capacity
    cdef int64_t count, numbers
    cdef int64_t least, most        # that a number can be
    cdef uint64_t mask, seed
    cdef bint wide

    def __cinit__(self):
        self.seed = int.from_bytes(os.urandom(8), "little")
        self.slots = <StackSlot*>calloc(1024, sizeof(StackSlot))
        if self.slots == NULL or not reserve(
            <void**>&self.rows, &self.rows_capacity, 16, sizeof(StackRow)
        ):
            raise MemoryError
        self.mask = 1023
        self.rows[0].start = 0
        self.least, self.most = INT64_MAX, INT64_MIN

    def __dealloc__(self):
        free(self.words)
        free(self.rows)
        free(self.laid)
        free(self.narrow_names)
        free(self.slots)

    def __len__(self):
        return self.count

    @property
    def total_refs(self):
        """How many numbers all distinct rows hold."""
        return self.numbers

    def intern(
        self,
        const int64_t[::1] offsets,
        refs,
        const int64_t[::1] tags,
        int64_t[::1] ids,
        const int64_t[::1] names=None,
    ):
        """Write the id of every row into `ids`; a new row gets the next one.

        With `names` every reference counts as the name that it has there.
        """
        cdef Refs given = Refs(refs)
        cdef Py_ssize_t rows = tags.shape[0]
        cdef Py_ssize_t start = 0
        cdef int64_t worked = 0
        cdef int64_t known = names.shape[0] if names is not None else -1
        cdef RefSpan named = RefSpan(NULL, NULL)
        cdef bint done = True
        cdef bint fits
        if offsets.shape[0] != rows + 1 or ids.shape[0] != rows:
            raise ValueError("offsets, tags and ids do not agree")
        _check_offsets(offsets, given.count)
        if rows == 0:
            return
        self.enter()
        try:
            with nogil:
                if known < 0:
                    fits = self._fit(&given.span, given.count)
                else:
                    named.wide = &names[0] if known else NULL
                    fits = self._fit(&named, known)
                done = fits or self._widen()
                if done and known >= 0:
                    done = self._take_names(names)
                while done and start < rows:
                    if known >= 0 and not refs_within(
                        &given.span, offsets[start],
                        offsets[min(start + GROUP, rows)] - offsets[start], known,
                    ):
                        break
                    done = self._intern_group(
                        &offsets[start], &given.span, named.wide,
                        &tags[start], &ids[start], <int>min(rows - start, GROUP),
                    )
                    worked += 8 * (offsets[min(start + GROUP, rows)] - offsets[start])
                    start += GROUP
                    if not undisturbed(&worked, GROUP):
                        break
        finally:
            self.leave()
        raise_waiting()
        if not done:
            raise MemoryError
        if start < rows:
            check_refs(given, known)

    cdef bint _fit(self, const RefSpan* numbers, int64_t count) noexcept nogil:
        """Whether numbers can be kept as all others are."""
        cdef int64_t i
        for i in range(count):
            self.least = min(self.least, ref_at(numbers, i))
            self.most = max(self.most, ref_at(numbers, i))
        return self.wide or self.least > self.most or (
            self.least >= -<int64_t>INT32_MAX and self.most <= INT32_MAX
        )

    cdef bint _take_names(self, const int64_t[::1] names) noexcept nogil:
        cdef Py_ssize_t i
        if self.wide:
            return True
        if not reserve(
            <void**>&self.narrow_names, &self.names_capacity, names.shape[0], sizeof(int32_t)
        ):
            return False
        for i in range(names.shape[0]):
            self.narrow_names[i] = <int32_t>names[i]
        return True

    cdef inline int64_t _words_of(self, int64_t count) noexcept nogil:
        return count if self.wide else (count + 1) >> 1

    cdef inline void _lay(
        self, int64_t* out, const RefSpan* refs, int64_t start, const int64_t* names, int64_t count
    ) noexcept nogil:
        """Lay a row down as it is kept."""
        cdef const int32_t* narrow_refs = refs.narrow + start if refs.narrow != NULL else NULL
        cdef const int32_t* narrow_names = self.narrow_names
        cdef int32_t* narrow = <int32_t*>out
        cdef int64_t i
        if self.wide:
            for i in range(count):
                out[i] = ref_at(refs, start + i)
                if names != NULL:
                    out[i] = names[out[i]]
            return
        if count & 1:
            narrow[count] = 0
        if names == NULL:
            for i in range(count):
                narrow[i] = <int32_t>ref_at(refs, start + i)
        elif narrow_refs != NULL:
            i = 0
            while i + 4 <= count:
                narrow[i] = narrow_names[narrow_refs[i]]
                narrow[i + 1] = narrow_names[narrow_refs[i + 1]]
                narrow[i + 2] = narrow_names[narrow_refs[i + 2]]
                narrow[i + 3] = narrow_names[narrow_refs[i + 3]]
                i += 4
            while i < count:
                narrow[i] = narrow_names[narrow_refs[i]]
                i += 1
        else:
            for i in range(count):
                narrow[i] = narrow_names[refs.wide[start + i]]

    cdef inline uint64_t _hash(self, const int64_t* row, int64_t count, int64_t tag) noexcept nogil:
        return hash_numbers(
            row, self._words_of(count),
            self.seed ^ <uint64_t>tag ^ (<uint64_t>(count & 1) << 63),
        )

    cdef bint _intern_group(
        self, const int64_t* offsets, const RefSpan* refs, const int64_t* names,
        const int64_t* tags, int64_t* ids, int count,
    ) noexcept nogil:
        cdef const int64_t* rows[GROUP]
        cdef uint64_t hashes[GROUP]
        cdef uint64_t places[GROUP]
        cdef int64_t n
        cdef int64_t used = 0
        cdef int i
        if not (
            self._room_for(offsets[count] - offsets[0] + count)
            and reserve(
                <void**>&self.laid, &self.laid_capacity, offsets[count] - offsets[0] + count + 1,
                sizeof(int64_t),
            )
        ):
            return False
        for i in range(count):
            n = offsets[i + 1] - offsets[i]
            rows[i] = self.laid + used
            self._lay(self.laid + used, refs, offsets[i], names, n)
            hashes[i] = self._hash(rows[i], n, tags[i])
            used += self._words_of(n)
            prefetch(&self.slots[hashes[i] & self.mask])
        for i in range(count):
            places[i] = self._place(hashes[i], hashes[i] & self.mask)
            if self.slots[places[i]].id:
                prefetch(&self.rows[self.slots[places[i]].id - 1])
        for i in range(count):
            if self.slots[places[i]].id:
                used = self.rows[self.slots[places[i]].id - 1].start
                prefetch(self.words + used)
                prefetch(self.words + used + 8)
        for i in range(count):
            ids[i] = self._intern(
                rows[i], offsets[i + 1] - offsets[i], tags[i], hashes[i], places[i]
            )
        return True

    cdef inline uint64_t _place(self, uint64_t hash, uint64_t at) noexcept nogil:
        """The first slot from `at` on that is empty or may be of the hash."""
        while self.slots[at].id and self.slots[at].mark != mark_of(hash):
            at = (at + 1) & self.mask
        return at

    cdef inline int64_t _intern(
        self, const int64_t* row, int64_t count, int64_t tag, uint64_t hash, uint64_t at
    ) noexcept nogil:
        """The id of a row that is in a slot from `at` on, or nowhere; there is room for it."""
        cdef int64_t size = self._words_of(count)
        cdef int64_t id
        cdef StackRow* known
        while True:
            at = self._place(hash, at)
            if self.slots[at].id == 0:
                break
            known = &self.rows[self.slots[at].id - 1]
            if (
                known.hash == hash
                and known.tag == tag
                and known.count == count
                and (size == 0
                     or memcmp(self.words + known.start, row, size * sizeof(int64_t)) == 0)
            ):
                return self.slots[at].id - 1
            at = (at + 1) & self.mask
        id = self.count
        known = &self.rows[id]
        if size:
            memcpy(self.words + known.start, row, size * sizeof(int64_t))
        known.tag = tag
        known.count = count
        known.hash = hash
        self.rows[id + 1].start = known.start + size
        self.slots[at] = StackSlot(mark_of(hash), <uint32_t>(id + 1))
        self.count += 1
        self.numbers += count
        return id

    cdef bint _room_for(self, int64_t words) noexcept nogil:
        """Make room for a group of rows of so many words at most, or rather twice of that."""
        cdef int64_t most = self.count + GROUP
        if most >= <int64_t>UINT32_MAX:
            return False
        return (
            reserve(<void**>&self.rows, &self.rows_capacity, most + 1, sizeof(StackRow))
            and reserve(<void**>&self.words, &self.words_capacity,
                        self.rows[self.count].start + words, sizeof(int64_t))
            and (<uint64_t>most * 2 <= self.mask or self._rehash(self.mask * 2 + 1))
        )

    cdef bint _rehash(self, uint64_t mask) noexcept nogil:
        """Lay the slots out anew, with the hashes of the rows."""
        cdef uint64_t at
        cdef int64_t i
        cdef StackSlot* slots = <StackSlot*>calloc(mask + 1, sizeof(StackSlot))
        if slots == NULL:
            return False
        for i in range(self.count):
            at = self.rows[i].hash & mask
            while slots[at].id != 0:
                at = (at + 1) & mask
            slots[at] = StackSlot(mark_of(self.rows[i].hash), <uint32_t>(i + 1))
        free(self.slots)
        self.slots = slots
        self.mask = mask
        return True

    cdef bint _widen(self) noexcept nogil:
        """A word a number from here on."""
        cdef int64_t* words = <int64_t*>malloc((self.numbers + 1) * sizeof(int64_t))
        cdef int64_t used = 0
        cdef int64_t i
        cdef StackRow* row
        if words == NULL:
            return False
        for i in range(self.count):
            row = &self.rows[i]
            copy_numbers(words + used, self.words + row.start, row.count, False)
            row.start = used
            used += row.count
        self.rows[self.count].start = used
        free(self.words)
        self.words, self.words_capacity, self.wide = words, self.numbers + 1, True
        for i in range(self.count):
            row = &self.rows[i]
            row.hash = self._hash(self.words + row.start, row.count, row.tag)
        return self._rehash(self.mask)

    def copy_to(self, int64_t[::1] offsets, int64_t[::1] refs, int64_t[::1] tags):
        """Copy the distinct rows out."""
        cdef int64_t used = 0
        cdef int64_t i
        self.enter()
        try:
            if (
                offsets.shape[0] != self.count + 1
                or tags.shape[0] != self.count
                or refs.shape[0] != self.numbers
            ):
                raise ValueError("the arrays do not have the table's sizes")
            with nogil:
                for i in range(self.count):
                    offsets[i] = used
                    tags[i] = self.rows[i].tag
                    if self.rows[i].count:
                        copy_numbers(
                            &refs[used], self.words + self.rows[i].start, self.rows[i].count,
                            self.wide,
                        )
                    used += self.rows[i].count
                offsets[self.count] = used
        finally:
            self.leave()

    def take_sorted(
        self,
        const int64_t[::1] ranks,
        const int64_t[::1] tag_ranks,
        int64_t[::1] order,
        int64_t[::1] tags,
    ) -> tuple:
        """Sort the rows that `order` names; give their offsets and the ranks of their numbers.

        The ranks are narrow, if they fit.

        They are in the order of the ranks of their numbers, the shorter of two first, then of the
        ranks of their tags, which go to `tags`.
        """
        cdef Lists lists
        cdef Numbers offsets, taken
        cdef NumberBlock block
        cdef int64_t total = 0
        cdef int64_t i, j, size, rank
        cdef int32_t* narrow
        cdef bint is_narrow = ranks.shape[0] <= INT32_MAX
        cdef bint done = True
        cdef const StackRow* row
        self.enter()
        memset(&offsets, 0, sizeof(Numbers))
        memset(&taken, 0, sizeof(Numbers))
        try:
            _check_numbers(order, 0, self.count)
            if tags.shape[0] != order.shape[0]:
                raise ValueError("order and tags do not agree")
            if self.numbers and not 0 <= self.least <= self.most < ranks.shape[0]:
                raise ValueError(f"numbers up to {self.most} have no rank among {ranks.shape[0]}")
            for i in range(order.shape[0]):
                row = &self.rows[order[i]]
                if not 0 <= row.tag < tag_ranks.shape[0]:
                    raise ValueError(f"tag {row.tag} of row {order[i]} has no rank")
                total += row.count
            offsets.items = <int64_t*>malloc((order.shape[0] + 1) * sizeof(int64_t))
            size = (total + 1) * (sizeof(int32_t) if is_narrow else sizeof(int64_t))
            taken.items = <int64_t*>malloc(size)
            if offsets.items == NULL or taken.items == NULL:
                raise MemoryError
            in_huge_pages(taken.items, size)
            offsets.items[0] = 0
            memset(&lists, 0, sizeof(Lists))
            lists.words, lists.rows, lists.wide = self.words, self.rows, self.wide
            if ranks.shape[0]:
                lists.ranks = &ranks[0]
            if tag_ranks.shape[0]:
                lists.tags = &tag_ranks[0]
            narrow = <int32_t*>taken.items
            with nogil:
                if order.shape[0]:
                    done = sort_all(&lists, bits_of(ranks), &order[0], order.shape[0])
                if done:
                    for i in range(order.shape[0]):
                        if i + 2 * ROWS_AHEAD < order.shape[0]:
                            prefetch(&self.rows[order[i + 2 * ROWS_AHEAD]])
                            row = &self.rows[order[i + ROWS_AHEAD]]
                            prefetch(self.words + row.start)
                            prefetch(self.words + row.start + 8)
                        row = &self.rows[order[i]]
                        tags[i] = tag_ranks[row.tag]
                        for j in range(row.count):
                            rank = row_number(&lists, row, j)
                            if is_narrow:
                                narrow[taken.count + j] = <int32_t>rank
                            else:
                                taken.items[taken.count + j] = rank
                        taken.count += row.count
                        offsets.items[i + 1] = taken.count
            if not done:
                raise MemoryError
            offsets.count = order.shape[0] + 1
            block = number_block(&taken)
            block.narrow = is_narrow
            return number_block(&offsets), block
        finally:
            self.leave()
            free(offsets.items)
            free(taken.items)


cdef inline void copy_numbers(
    int64_t* out, const int64_t* words, int64_t count, bint wide
) noexcept nogil:
    cdef const int32_t* narrow = <const int32_t*>words
    cdef int64_t i
    for i in range(count):
        out[i] = words[i] if wide else narrow[i]


def add_rows(const int64_t[::1] ids, const int64_t[:, :] values, int64_t[:, :] sums):
    """Add each row of `values` to the row of `sums` that `ids` names; False on an overflow.

    The values of a row lie side by side, and so do the sums.
    """
    cdef Py_ssize_t columns = values.shape[1]
    cdef Py_ssize_t i, j
    cdef const int64_t* more
    cdef int64_t* sum
    cdef int64_t a, b
    cdef int64_t fits = 0
    if values.shape[0] != ids.shape[0] or columns != sums.shape[1]:
        raise ValueError("ids, values and sums do not agree")
    _check_numbers(ids, 0, sums.shape[0])
    if columns > 1 and not values.strides[1] == sums.strides[1] == sizeof(int64_t):
        raise ValueError("the values of a row do not lie side by side")
    with nogil:
        for i in range(ids.shape[0] if columns else 0):
            if i + SUMS_AHEAD < ids.shape[0]:
                prefetch(&sums[ids[i + SUMS_AHEAD], 0])
            sum, more = &sums[ids[i], 0], &values[i, 0]
            for j in range(columns):
                a = sum[j]
                b = <int64_t>(<uint64_t>a + <uint64_t>more[j])
                fits |= (a ^ b) & (more[j] ^ b)
                sum[j] = b
    return fits >= 0
