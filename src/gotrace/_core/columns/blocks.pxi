# BLOCKS of rows -> columns that have room for a whole batch, so that nothing grows.
#
# A column takes its room when its first value comes: what never comes costs nothing.
#
# Offers: never_null, block_room, block_room_with_bits, settle_blocks, and append_* of what rows
# are made of.

cdef enum:
    BITS_BEHIND = 8             # bytes: `append` writes the word behind the last bit


cdef void never_null(Column* self) noexcept nogil:
    if self != NULL:
        self.never_null = True


cdef bint block_room(Table table, Column* column) noexcept nogil:
    """Whether the column wants values; there is room for a whole batch of them then."""
    if column == NULL or column.failed:
        return False
    if column.data == NULL:
        column.data = pool_take(column.pool, table.limit * column.width)
        column.failed = column.data == NULL
    return not column.failed


cdef bint block_room_with_bits(Table table, Column* column) noexcept nogil:
    if not block_room(table, column):
        return False
    if column.bits == NULL:
        column.bits = <uint8_t*>pool_take(column.pool, bitmap_bytes(table.limit) + BITS_BEHIND)
        column.failed = column.bits == NULL
        column.nulls = 0
    return not column.failed


cdef void settle_blocks(Table table) noexcept nogil:
    """The batch is complete: say of every column how long it is."""
    cdef Column* column
    cdef int64_t i
    for i in range(table.n_columns):
        column = &table.columns[i]
        column.length = table.rows if column.bits != NULL or column.data != NULL else 0


# --- values, behind the rows that the table has --------------------------------------------------

cdef void append_seqs(Table table, Column* column, int64_t first, int64_t n) noexcept nogil:
    if block_room(table, column):
        count_up(<int64_t*>column.data + table.rows, first, n)


cdef void append_times(Table table, Column* column, const int64_t* times, int64_t n) noexcept nogil:
    """Numbers that are never null."""
    if block_room(table, column):
        memcpy(<int64_t*>column.data + table.rows, times, n * sizeof(int64_t))


cdef void append_ids(Table table, Column* column, const int64_t* ids, int64_t n) noexcept nogil:
    cdef int64_t at = table.rows
    if block_room_with_bits(table, column):
        column.nulls += append_int64(
            <int64_t*>column.data + at, ids, n, <uint64_t*>column.bits, at
        )


cdef void append_procs(Table table, Column* column, const int32_t* procs, int64_t n) noexcept nogil:
    cdef int64_t at = table.rows
    if block_room_with_bits(table, column):
        column.nulls += append_int32(
            <int32_t*>column.data + at, procs, n, <uint64_t*>column.bits, at
        )


cdef void append_reasons(
    Table table, Column* column, const int16_t* reasons, int64_t n
) noexcept nogil:
    cdef int64_t at = table.rows
    if block_room_with_bits(table, column):
        column.nulls += append_codes(
            <int16_t*>column.data + at, reasons, n, <uint64_t*>column.bits, at
        )


cdef inline void count_up(int64_t* values, int64_t first, int64_t n) noexcept nogil:
    cdef int64_t i
    for i in range(n):
        values[i] = first + i


cdef inline void write_states(
    uint8_t* values, const uint8_t* codes, int64_t n, int shift
) noexcept nogil:
    """Zero where there is none."""
    cdef int64_t i
    for i in range(n):
        values[i] = code_state(codes[i], shift)
