# Ids of a profile, which are any 64 bits but 0: from an id to the row that has it.
#
# Nearly every producer numbers from 1 in order, then an id is its row + 1 and needs no look-up.
#
# Offers: RowsById, rows_by_id, row_of, first_unknown.

cdef struct RowsById:
    int64_t count
    bint in_order               # row i has id i + 1
    uint64_t dense_size
    int32_t* dense              # by id: row + 1, for ids that are small
    IdMap rows                  # row + 1


cdef int rows_by_id(
    RowsById* self, const int64_t* ids, int64_t count, uint64_t seed, int64_t* twice
) noexcept nogil:
    """Take the ids of a table up. Gives 0 or a ProfileFault; an id that comes twice in `twice`."""
    cdef uint64_t most = 0
    cdef uint64_t* place
    cdef bint is_new
    cdef int64_t i
    self.count = count
    self.in_order = True
    self.rows.seed = seed
    for i in range(count):
        if ids[i] == 0:
            return PROFILE_ID_ZERO
        self.in_order = self.in_order and ids[i] == i + 1
        most = max(most, <uint64_t>ids[i])
    if self.in_order:
        return PROFILE_FINE
    if most < <uint64_t>(4 * count + 1024) and count < INT32_MAX:
        self.dense_size = most + 1
        self.dense = <int32_t*>calloc(self.dense_size, sizeof(int32_t))
        if self.dense == NULL:
            return PROFILE_NO_MEMORY
        for i in range(count):
            if self.dense[ids[i]]:
                twice[0] = ids[i]
                return PROFILE_ID_TWICE
            self.dense[ids[i]] = <int32_t>(i + 1)
        return PROFILE_FINE
    for i in range(count):
        place = idmap_put(&self.rows, <uint64_t>ids[i], &is_new)
        if place == NULL:
            return PROFILE_NO_MEMORY
        if not is_new:
            twice[0] = ids[i]
            return PROFILE_ID_TWICE
        place[0] = <uint64_t>i + 1
    return PROFILE_FINE


cdef inline int64_t row_of(const RowsById* self, int64_t id) noexcept nogil:
    """The row of an id, -1 for none."""
    cdef uint64_t* place
    cdef uint64_t row = <uint64_t>id - 1
    if self.in_order:
        return <int64_t>row if row < <uint64_t>self.count else -1
    if self.dense != NULL:
        return self.dense[id] - 1 if <uint64_t>id < self.dense_size else -1
    place = idmap_find(&self.rows, <uint64_t>id)
    return <int64_t>place[0] - 1 if place != NULL else -1


cdef int64_t first_unknown(
    const RowsById* self, const int64_t* ids, int64_t count, uint64_t most
) noexcept nogil:
    """Position of the first id that has no row, -1 for none; `most` is the largest id - 1."""
    cdef int64_t i
    if self.in_order and (most < <uint64_t>self.count or count == 0):
        return -1
    for i in range(count):
        if row_of(self, ids[i]) < 0:
            return i
    return -1


cdef void free_rows_by_id(RowsById* self) noexcept nogil:
    free(self.dense)
    idmap_clear(&self.rows)
