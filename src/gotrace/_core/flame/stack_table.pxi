# StackTable: distinct rows of numbers (the locations of a stack, and a tag for its labels), each
# hashed whole once. What profiles by the thousand share is kept once, so memory is bounded by the
# distinct stacks. A hit is verified by content; the hash is keyed, as rows come from strangers.


cdef class StackTable(Owned):
    """Distinct stacks in the order they were first seen."""

    cdef int64_t* refs
    cdef int64_t* offsets           # count + 1 of them
    cdef int64_t* tags
    cdef uint64_t* hashes
    cdef int64_t* slots             # id + 1; 0 is empty
    cdef int64_t refs_capacity, offsets_capacity, tags_capacity, hashes_capacity
    cdef int64_t count
    cdef uint64_t mask, seed

    def __cinit__(self):
        self.seed = int.from_bytes(os.urandom(8), "little")
        self.slots = <int64_t*>calloc(1024, sizeof(int64_t))
        if self.slots == NULL or not reserve(
            <void**>&self.offsets, &self.offsets_capacity, 16, sizeof(int64_t)
        ):
            raise MemoryError
        self.mask = 1023
        self.offsets[0] = 0

    def __dealloc__(self):
        free(self.refs)
        free(self.offsets)
        free(self.tags)
        free(self.hashes)
        free(self.slots)

    def __len__(self):
        return self.count

    @property
    def total_refs(self):
        """How many numbers all distinct rows hold."""
        self.enter()
        try:
            return self.offsets[self.count]
        finally:
            self.leave()

    def intern(
        self,
        const int64_t[::1] offsets,
        const int64_t[::1] refs,
        const int64_t[::1] tags,
        int64_t[::1] ids,
    ):
        """Write the id of every row into `ids`; a new row gets the next one."""
        cdef Py_ssize_t rows = tags.shape[0], i
        cdef int64_t start, end, found
        if offsets.shape[0] != rows + 1 or ids.shape[0] != rows:
            raise ValueError("offsets, tags and ids do not agree")
        for i in range(rows + 1):
            if offsets[i] < 0 or offsets[i] > refs.shape[0] or (i and offsets[i] < offsets[i - 1]):
                raise ValueError(f"offset {offsets[i]} of row {i} is outside the references")
        if refs.shape[0] == 0:
            refs = tags if rows else offsets  # no row reads it, but it must have an address
        self.enter()
        try:
            with nogil:
                for i in range(rows):
                    start, end = offsets[i], offsets[i + 1]
                    found = self._intern(
                        &refs[start] if end > start else NULL, end - start, tags[i]
                    )
                    if found < 0:
                        with gil:
                            raise MemoryError
                    ids[i] = found
        finally:
            self.leave()

    cdef int64_t _intern(self, const int64_t* row, int64_t length, int64_t tag) noexcept nogil:
        cdef uint64_t hash = mix(self.seed ^ <uint64_t>tag)
        cdef uint64_t slot
        cdef int64_t i, id
        for i in range(length):
            hash = mix(hash * <uint64_t>0x9E3779B97F4A7C15 + <uint64_t>row[i] + 1)
        slot = hash & self.mask
        while self.slots[slot] != 0:
            id = self.slots[slot] - 1
            if (
                self.hashes[id] == hash
                and self.tags[id] == tag
                and self.offsets[id + 1] - self.offsets[id] == length
                and (length == 0
                     or memcmp(self.refs + self.offsets[id], row, length * sizeof(int64_t)) == 0)
            ):
                return id
            slot = (slot + 1) & self.mask
        id = self.count
        if not (
            reserve(<void**>&self.refs, &self.refs_capacity,
                    self.offsets[id] + length, sizeof(int64_t))
            and reserve(<void**>&self.offsets, &self.offsets_capacity, id + 2, sizeof(int64_t))
            and reserve(<void**>&self.tags, &self.tags_capacity, id + 1, sizeof(int64_t))
            and reserve(<void**>&self.hashes, &self.hashes_capacity, id + 1, sizeof(uint64_t))
        ):
            return -1
        if length:
            memcpy(self.refs + self.offsets[id], row, length * sizeof(int64_t))
        self.offsets[id + 1] = self.offsets[id] + length
        self.tags[id] = tag
        self.hashes[id] = hash
        self.slots[slot] = id + 1
        self.count += 1
        if <uint64_t>self.count * 4 > (self.mask + 1) * 3 and not self._rehash():
            return -1
        return id

    cdef bint _rehash(self) noexcept nogil:
        cdef uint64_t mask = self.mask * 2 + 1, slot
        cdef int64_t id
        cdef int64_t* slots = <int64_t*>calloc(mask + 1, sizeof(int64_t))
        if slots == NULL:
            return False
        for id in range(self.count):
            slot = self.hashes[id] & mask
            while slots[slot] != 0:
                slot = (slot + 1) & mask
            slots[slot] = id + 1
        free(self.slots)
        self.slots = slots
        self.mask = mask
        return True

    def copy_to(self, int64_t[::1] offsets, int64_t[::1] refs, int64_t[::1] tags):
        """Copy the distinct rows out."""
        cdef int64_t i
        self.enter()
        try:
            if (
                offsets.shape[0] != self.count + 1
                or tags.shape[0] != self.count
                or refs.shape[0] != self.offsets[self.count]
            ):
                raise ValueError("the arrays do not have the table's sizes")
            with nogil:
                for i in range(self.count + 1):
                    offsets[i] = self.offsets[i]
                for i in range(self.count):
                    tags[i] = self.tags[i]
                for i in range(self.offsets[self.count]):
                    refs[i] = self.refs[i]
        finally:
            self.leave()


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
