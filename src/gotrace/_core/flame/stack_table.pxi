# StackTable: distinct rows of numbers (the locations of a stack, and a tag for its labels), each
# hashed whole once. What profiles by the thousand share is kept once, so memory is bounded by the
# distinct stacks. A hit is verified by content; the hash is keyed, as rows come from strangers.


cdef enum:
    GROUP = 16                      # rows looked up together, so that they wait for memory at once


cdef struct StackSlot:
    uint64_t hash
    int64_t id                      # + 1; 0 is empty


cdef struct StackRow:
    int64_t start                   # of its words
    int64_t tag
    int64_t count                   # of its numbers


cdef class StackTable(Owned):
    """Distinct stacks in the order they were first seen.

    Numbers lie two in a word of 64 bits, a row beginning a word, until one does not fit 32 bits.
    """

    cdef int64_t* words
    cdef StackRow* rows             # and where the next one begins
    cdef int64_t* laid              # words of a group that is looked up
    cdef StackSlot* slots
    cdef int64_t words_capacity, rows_capacity, laid_capacity
    cdef int64_t count, numbers
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

    def __dealloc__(self):
        free(self.words)
        free(self.rows)
        free(self.laid)
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
        const int64_t[::1] refs,
        const int64_t[::1] tags,
        int64_t[::1] ids,
        const int64_t[::1] names=None,
    ):
        """Write the id of every row into `ids`; a new row gets the next one.

        With `names` every reference counts as the name that it has there.
        """
        cdef Py_ssize_t rows = tags.shape[0]
        cdef Py_ssize_t start = 0
        cdef Py_ssize_t i
        cdef bint done = True
        if offsets.shape[0] != rows + 1 or ids.shape[0] != rows:
            raise ValueError("offsets, tags and ids do not agree")
        for i in range(rows + 1):
            if offsets[i] < 0 or offsets[i] > refs.shape[0] or (i and offsets[i] < offsets[i - 1]):
                raise ValueError(f"offset {offsets[i]} of row {i} is outside the references")
        if names is not None:
            _check_numbers(refs, 0, names.shape[0])
        if rows == 0:
            return
        self.enter()
        try:
            with nogil:
                if not self.wide and not _fit_32_bits(refs if names is None else names):
                    done = self._widen()
                while done and start < rows:
                    done = self._intern_group(
                        &offsets[start], &refs[0] if refs.shape[0] else &tags[0],
                        &names[0] if names is not None and names.shape[0] else NULL,
                        &tags[start], &ids[start], <int>min(rows - start, GROUP),
                    )
                    start += GROUP
        finally:
            self.leave()
        if not done:
            raise MemoryError

    cdef inline int64_t _words_of(self, int64_t count) noexcept nogil:
        return count if self.wide else (count + 1) >> 1

    cdef void _lay(
        self, int64_t* out, const int64_t* refs, const int64_t* names, int64_t count
    ) noexcept nogil:
        """Lay a row down as it is kept."""
        cdef int32_t* narrow = <int32_t*>out
        cdef int64_t i
        if self.wide:
            for i in range(count):
                out[i] = refs[i] if names == NULL else names[refs[i]]
            return
        if count & 1:
            narrow[count] = 0
        if names == NULL:
            for i in range(count):
                narrow[i] = <int32_t>refs[i]
        else:
            for i in range(count):
                narrow[i] = <int32_t>names[refs[i]]

    cdef bint _intern_group(
        self, const int64_t* offsets, const int64_t* refs, const int64_t* names,
        const int64_t* tags, int64_t* ids, int count,
    ) noexcept nogil:
        cdef const int64_t* rows[GROUP]
        cdef uint64_t hashes[GROUP]
        cdef const StackSlot* slot
        cdef int64_t n
        cdef int64_t used = 0
        cdef int i
        if not reserve(
            <void**>&self.laid, &self.laid_capacity, offsets[count] - offsets[0] + count + 1,
            sizeof(int64_t),
        ):
            return False
        for i in range(count):
            n = offsets[i + 1] - offsets[i]
            rows[i] = self.laid + used
            self._lay(self.laid + used, refs + offsets[i], names, n)
            hashes[i] = hash_numbers(
                rows[i], self._words_of(n),
                self.seed ^ <uint64_t>tags[i] ^ (<uint64_t>(n & 1) << 63),
            )
            used += self._words_of(n)
            prefetch(&self.slots[hashes[i] & self.mask])
        for i in range(count):
            slot = &self.slots[hashes[i] & self.mask]
            if slot.id:
                prefetch(&self.rows[slot.id - 1])
        for i in range(count):
            slot = &self.slots[hashes[i] & self.mask]
            if slot.id:
                prefetch(self.words + self.rows[slot.id - 1].start)
                prefetch(self.words + self.rows[slot.id - 1].start + 8)
        for i in range(count):
            ids[i] = self._intern(rows[i], offsets[i + 1] - offsets[i], tags[i], hashes[i])
            if ids[i] < 0:
                return False
        return True

    cdef int64_t _intern(
        self, const int64_t* row, int64_t count, int64_t tag, uint64_t hash
    ) noexcept nogil:
        cdef uint64_t at = hash & self.mask
        cdef int64_t size = self._words_of(count)
        cdef int64_t id
        cdef StackRow* known
        while self.slots[at].id != 0:
            known = &self.rows[self.slots[at].id - 1]
            if (
                self.slots[at].hash == hash
                and known.tag == tag
                and known.count == count
                and (size == 0
                     or memcmp(self.words + known.start, row, size * sizeof(int64_t)) == 0)
            ):
                return self.slots[at].id - 1
            at = (at + 1) & self.mask
        id = self.count
        if not (
            reserve(<void**>&self.rows, &self.rows_capacity, id + 2, sizeof(StackRow))
            and reserve(<void**>&self.words, &self.words_capacity,
                        self.rows[id].start + size, sizeof(int64_t))
        ):
            return -1
        if size:
            memcpy(self.words + self.rows[id].start, row, size * sizeof(int64_t))
        self.rows[id].tag = tag
        self.rows[id].count = count
        self.rows[id + 1].start = self.rows[id].start + size
        self.slots[at].hash = hash
        self.slots[at].id = id + 1
        self.count += 1
        self.numbers += count
        if <uint64_t>self.count * 2 > self.mask and not self._rehash(self.mask * 2 + 1):
            return -1
        return id

    cdef bint _rehash(self, uint64_t mask) noexcept nogil:
        """Lay the slots out anew; their hashes hold."""
        cdef uint64_t at, i
        cdef StackSlot* slots = <StackSlot*>calloc(mask + 1, sizeof(StackSlot))
        if slots == NULL:
            return False
        for i in range(self.mask + 1):
            if self.slots[i].id:
                at = self.slots[i].hash & mask
                while slots[at].id != 0:
                    at = (at + 1) & mask
                slots[at] = self.slots[i]
        free(self.slots)
        self.slots = slots
        self.mask = mask
        return True

    cdef bint _widen(self) noexcept nogil:
        """A word a number from here on."""
        cdef int64_t* words = <int64_t*>malloc((self.numbers + 1) * sizeof(int64_t))
        cdef int64_t used = 0
        cdef uint64_t i
        cdef StackRow* row
        if words == NULL:
            return False
        for i in range(<uint64_t>self.count):
            row = &self.rows[i]
            _copy_numbers(words + used, self.words + row.start, row.count, False)
            row.start = used
            used += row.count
        self.rows[self.count].start = used
        free(self.words)
        self.words, self.words_capacity, self.wide = words, self.numbers + 1, True
        for i in range(self.mask + 1):
            if self.slots[i].id:
                row = &self.rows[self.slots[i].id - 1]
                self.slots[i].hash = hash_numbers(
                    self.words + row.start, row.count,
                    self.seed ^ <uint64_t>row.tag ^ (<uint64_t>(row.count & 1) << 63),
                )
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
                        _copy_numbers(
                            &refs[used], self.words + self.rows[i].start, self.rows[i].count,
                            self.wide,
                        )
                    used += self.rows[i].count
                offsets[self.count] = used
        finally:
            self.leave()


cdef inline void _copy_numbers(
    int64_t* out, const int64_t* words, int64_t count, bint wide
) noexcept nogil:
    cdef const int32_t* narrow = <const int32_t*>words
    cdef int64_t i
    for i in range(count):
        out[i] = words[i] if wide else narrow[i]


cdef bint _fit_32_bits(const int64_t[::1] numbers) noexcept nogil:
    cdef uint64_t seen = 0
    cdef Py_ssize_t i
    for i in range(numbers.shape[0]):
        seen |= <uint64_t>numbers[i] + (<uint64_t>1 << 31)
    return seen >> 32 == 0


@cython.boundscheck(True)
def add_rows(const int64_t[::1] ids, const int64_t[:, :] values, int64_t[:, :] sums):
    """Add each row of `values` to the row of `sums` that `ids` names; False on an overflow."""
    cdef Py_ssize_t i, j
    cdef int64_t a, b, c
    cdef bint fits = True
    if values.shape[0] != ids.shape[0] or values.shape[1] != sums.shape[1]:
        raise ValueError("ids, values and sums do not agree")
    with nogil:
        for i in range(ids.shape[0]):
            for j in range(values.shape[1]):
                a = sums[ids[i], j]
                b = values[i, j]
                c = <int64_t>(<uint64_t>a + <uint64_t>b)
                if ((a ^ c) & (b ^ c)) < 0:
                    fits = False
                sums[ids[i], j] = c
    return fits
