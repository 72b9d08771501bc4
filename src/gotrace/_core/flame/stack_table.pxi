# StackTable: distinct rows of numbers (the locations of a stack, and a tag for its labels), each
# hashed whole once. What profiles by the thousand share is kept once, so memory is bounded by the
# distinct stacks. A hit is verified by content; the hash is keyed, as rows come from strangers.


cdef enum:
    GROUP = 16                      # rows looked up together, so that they wait for memory at once


cdef struct StackSlot:
    uint64_t hash
    int64_t id                      # + 1; 0 is empty


cdef class StackTable(Owned):
    """Distinct stacks in the order they were first seen."""

    cdef int64_t* refs
    cdef int64_t* offsets           # count + 1 of them
    cdef int64_t* tags
    cdef int64_t* mapped            # rows of a group
    cdef StackSlot* slots
    cdef int64_t refs_capacity, offsets_capacity, tags_capacity, mapped_capacity
    cdef int64_t count
    cdef uint64_t mask, seed

    def __cinit__(self):
        self.seed = int.from_bytes(os.urandom(8), "little")
        self.slots = <StackSlot*>calloc(1024, sizeof(StackSlot))
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
        free(self.mapped)
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
            for i in range(refs.shape[0]):
                if not 0 <= refs[i] < names.shape[0]:
                    raise ValueError(f"reference {refs[i]} has no name")
        if rows == 0:
            return
        self.enter()
        try:
            with nogil:
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

    cdef bint _intern_group(
        self, const int64_t* offsets, const int64_t* refs, const int64_t* names,
        const int64_t* tags, int64_t* ids, int count,
    ) noexcept nogil:
        cdef const int64_t* rows[GROUP]
        cdef uint64_t hashes[GROUP]
        cdef const StackSlot* slot
        cdef int64_t j
        cdef int64_t used = 0
        cdef int i
        if names != NULL and not reserve(
            <void**>&self.mapped, &self.mapped_capacity, offsets[count] - offsets[0] + 1,
            sizeof(int64_t),
        ):
            return False
        for i in range(count):
            rows[i] = refs + offsets[i]
            if names != NULL:
                rows[i] = self.mapped + used
                for j in range(offsets[i], offsets[i + 1]):
                    self.mapped[used] = names[refs[j]]
                    used += 1
            hashes[i] = hash_numbers(
                rows[i], offsets[i + 1] - offsets[i], self.seed ^ <uint64_t>tags[i]
            )
            prefetch(&self.slots[hashes[i] & self.mask])
        for i in range(count):
            slot = &self.slots[hashes[i] & self.mask]
            if slot.id:
                prefetch(&self.offsets[slot.id - 1])
                prefetch(&self.tags[slot.id - 1])
        for i in range(count):
            slot = &self.slots[hashes[i] & self.mask]
            if slot.id:
                prefetch(self.refs + self.offsets[slot.id - 1])
        for i in range(count):
            ids[i] = self._intern(rows[i], offsets[i + 1] - offsets[i], tags[i], hashes[i])
            if ids[i] < 0:
                return False
        return True

    cdef int64_t _intern(
        self, const int64_t* row, int64_t length, int64_t tag, uint64_t hash
    ) noexcept nogil:
        cdef uint64_t at = hash & self.mask
        cdef int64_t id
        while self.slots[at].id != 0:
            id = self.slots[at].id - 1
            if (
                self.slots[at].hash == hash
                and self.tags[id] == tag
                and self.offsets[id + 1] - self.offsets[id] == length
                and (length == 0
                     or memcmp(self.refs + self.offsets[id], row, length * sizeof(int64_t)) == 0)
            ):
                return id
            at = (at + 1) & self.mask
        id = self.count
        if not (
            reserve(<void**>&self.refs, &self.refs_capacity,
                    self.offsets[id] + length, sizeof(int64_t))
            and reserve(<void**>&self.offsets, &self.offsets_capacity, id + 2, sizeof(int64_t))
            and reserve(<void**>&self.tags, &self.tags_capacity, id + 1, sizeof(int64_t))
        ):
            return -1
        if length:
            memcpy(self.refs + self.offsets[id], row, length * sizeof(int64_t))
        self.offsets[id + 1] = self.offsets[id] + length
        self.tags[id] = tag
        self.slots[at].hash = hash
        self.slots[at].id = id + 1
        self.count += 1
        if <uint64_t>self.count * 2 > self.mask and not self._rehash():
            return -1
        return id

    cdef bint _rehash(self) noexcept nogil:
        cdef uint64_t mask = self.mask * 2 + 1
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

    def copy_to(self, int64_t[::1] offsets, int64_t[::1] refs, int64_t[::1] tags):
        """Copy the distinct rows out."""
        self.enter()
        try:
            if (
                offsets.shape[0] != self.count + 1
                or tags.shape[0] != self.count
                or refs.shape[0] != self.offsets[self.count]
            ):
                raise ValueError("the arrays do not have the table's sizes")
            with nogil:
                memcpy(&offsets[0], self.offsets, (self.count + 1) * sizeof(int64_t))
                if self.count:
                    memcpy(&tags[0], self.tags, self.count * sizeof(int64_t))
                if self.offsets[self.count]:
                    memcpy(&refs[0], self.refs, self.offsets[self.count] * sizeof(int64_t))
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
