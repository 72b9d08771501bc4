# ROWS -> `events`: every block of rows is appended to columns that have room for a whole batch.
#
# What all rows have is copied; the dictionary columns come out of the code of a row; what few rows
# have (extras) lies in columns that do not exist until the first of them comes. Then they are
# cleared a block at a time, so that what is put there meets the cache.
#
# Offers: EventsTable.

# A column that few rows have a value in. It begins with the first of them in a batch.
cdef struct Sparse:
    Column* column              # NULL: nobody asked for it
    uint64_t* bits              # NULL: there is no value yet
    uint64_t* numbers
    int64_t values
    int64_t next_row            # texts: the first row whose offset is not written


cdef enum:
    SEEN_TEXTS = 16
    OFFSETS_AT_ONCE = 8


cdef class EventsTable:
    """`events`, a block of rows at a time."""

    cdef Table table
    cdef Column* seq
    cdef Column* time
    cdef Column* kind
    cdef Column* thread
    cdef Column* proc
    cdef Column* goroutine
    cdef Column* context_stack
    cdef Column* resource
    cdef Column* resource_id
    cdef Column* from_state
    cdef Column* to_state
    cdef Column* reason
    cdef Column* stack
    cdef Sparse values[3]
    cdef Sparse task, parent_task, name, message
    cdef bint wants_extras
    cdef Text sound[SEEN_TEXTS]     # texts of this block that were found to be UTF-8

    def __cinit__(self, Table table):
        self.table = table
        self.seq = table.column("seq")
        self.time = table.column("time_ns")
        self.kind = table.column("kind")
        self.thread = table.column("thread")
        self.proc = table.column("proc")
        self.goroutine = table.column("goroutine")
        self.context_stack = table.column("context_stack_id")
        self.resource = table.column("resource")
        self.resource_id = table.column("resource_id")
        self.from_state = table.column("from_state")
        self.to_state = table.column("to_state")
        self.reason = table.column("reason")
        self.stack = table.column("stack_id")
        self.values[0].column = table.column("value")
        self.values[1].column = table.column("value2")
        self.values[2].column = table.column("value3")
        self.task.column = table.column("task")
        self.parent_task.column = table.column("parent_task")
        self.name.column = table.column("name")
        self.message.column = table.column("message")
        self.wants_extras = any(
            table.column(column) != NULL
            for column in (
                "value", "value2", "value3", "task", "parent_task", "name", "message"
            )
        )
        for column in ("seq", "time_ns", "kind"):
            never_null(table.column(column))

    cdef void take(self, const Rows* rows) noexcept nogil:
        """Append the rows; there is room for them."""
        cdef int64_t at = self.table.rows
        cdef int64_t n = rows.count
        cdef int64_t i
        append_seqs(self.table, self.seq, rows.first_seq, n)
        append_times(self.table, self.time, rows.time, n)
        append_ids(self.table, self.thread, rows.thread, n)
        append_ids(self.table, self.goroutine, rows.goroutine, n)
        append_ids(self.table, self.context_stack, rows.context_stack, n)
        append_ids(self.table, self.resource_id, rows.resource_id, n)
        append_ids(self.table, self.stack, rows.stack, n)
        append_procs(self.table, self.proc, rows.proc, n)
        append_reasons(self.table, self.reason, rows.reason, n)
        if block_room(self.table, self.kind):
            _write_kinds(<uint8_t*>self.kind.data + at, rows.code, n)
        if block_room_with_bits(self.table, self.resource):
            self.resource.nulls += _write_resources(
                <uint8_t*>self.resource.data + at, rows.code, n,
                <uint64_t*>self.resource.bits, at,
            )
        self._append_states(self.from_state, rows.code, n, 3)
        self._append_states(self.to_state, rows.code, n, 0)
        for i in range(3):
            _clear_sparse(&self.values[i], at, n)
        _clear_sparse(&self.task, at, n)
        _clear_sparse(&self.parent_task, at, n)
        self.table.rows = at + n
        if rows.n_extras and self.wants_extras:
            _put_extras(self, rows, at)

    cdef void settle(self) noexcept nogil:
        """The batch is complete: say of every column how long it is and what it lacks."""
        cdef int64_t rows = self.table.rows
        cdef int64_t i
        for i in range(3):
            _settle_sparse(&self.values[i], rows)
        _settle_sparse(&self.task, rows)
        _settle_sparse(&self.parent_task, rows)
        _settle_sparse(&self.name, rows)
        _settle_sparse(&self.message, rows)
        settle_blocks(self.table)

    cdef void _append_states(
        self, Column* column, const uint8_t* codes, int64_t n, int shift
    ) noexcept nogil:
        cdef int64_t at = self.table.rows
        if block_room_with_bits(self.table, column):
            write_states(<uint8_t*>column.data + at, codes, n, shift)
            column.nulls += append_transitions(codes, n, <uint64_t*>column.bits, at)


# --- what few rows have -------------------------------------------------------------------------

cdef bint _begin_sparse(Sparse* self, Table table) noexcept nogil:
    """Let the column begin, all null; False where nobody wants it or no memory is left."""
    cdef Column* column = self.column
    cdef int64_t capacity = table.limit
    if column == NULL or column.failed:
        return False
    column.bits = <uint8_t*>pool_take(column.pool, bitmap_bytes(capacity))
    column.failed = column.bits == NULL
    if column.kind == COLUMN_TEXT:
        column.offsets = <int32_t*>pool_take(
            column.pool, (capacity + 1 + OFFSETS_AT_ONCE) * sizeof(int32_t)
        )
        column.failed = column.failed or column.offsets == NULL
        if not column.failed:
            column.offsets[0] = 0
    else:
        column.data = pool_take(column.pool, capacity * column.width)
        column.failed = column.failed or column.data == NULL
        if not column.failed:
            memset(column.data, 0, table.rows * column.width)
    if column.failed:
        return False
    memset(column.bits, 0, bitmap_bytes(capacity))
    self.bits = <uint64_t*>column.bits
    self.numbers = <uint64_t*>column.data
    self.values = 0
    self.next_row = 0
    return True


cdef inline void _clear_sparse(Sparse* self, int64_t at, int64_t n) noexcept nogil:
    """Numbers that have begun go on with `n` nulls."""
    if self.bits != NULL:
        memset(self.numbers + at, 0, n * sizeof(uint64_t))


cdef inline void _mark_sparse(Sparse* self, int64_t row, bint present) noexcept nogil:
    self.bits[row >> 6] |= <uint64_t>present << (row & 63)
    self.values += present


cdef inline void _put_sparse_number(
    Sparse* self, int64_t row, uint64_t value, Table table
) noexcept nogil:
    if self.bits != NULL or _begin_sparse(self, table):
        self.numbers[row] = value
        _mark_sparse(self, row, True)


cdef inline void _put_sparse_ids(
    Sparse* self, const Rows* rows, int64_t at, const int64_t* ids, Table table
) noexcept nogil:
    """A field of all extras: who has it and who has not nobody can guess, so that is no branch.

    The extras of one row are one, or have no id.
    """
    cdef int64_t i, row, id
    if self.bits == NULL and not _begin_sparse(self, table):
        return
    for i in range(rows.n_extras):
        row = at + rows.extras[i].row
        id = (<const int64_t*>(<const char*>ids + i * <int64_t>sizeof(Extra)))[0]
        self.numbers[row] = <uint64_t>(id & ~(id >> 63))
        _mark_sparse(self, row, id >= 0)


cdef inline bint _is_sound(EventsTable self, const Text* text) noexcept nogil:
    """Whether it is UTF-8; names come again and again, from the same place within a block."""
    cdef uintptr_t place = <uintptr_t>text.data
    cdef Text* seen = &self.sound[(place ^ place >> 4) & (SEEN_TEXTS - 1)]
    if seen.data == text.data and seen.length == text.length:
        return True
    if not is_utf8(<const uint8_t*>text.data, text.length):
        return False
    seen[0] = text[0]
    return True


cdef inline void _put_sparse_text(
    EventsTable self, Sparse* sparse, int64_t row, const Text* text
) noexcept nogil:
    cdef Column* column = sparse.column
    if sparse.bits == NULL and not _begin_sparse(sparse, self.table):
        return
    _same_offsets(sparse, row)
    append_seen_text(column, text.data, text.length, _is_sound(self, text))
    column.offsets[row + 1] = <int32_t>column.data_bytes
    sparse.next_row = row + 1
    _mark_sparse(sparse, row, True)


cdef void _put_extras(EventsTable self, const Rows* rows, int64_t at) noexcept nogil:
    """What rows from `at` on have besides; the table counts them already."""
    cdef const Extra* extra
    cdef int64_t no_task = NULL_ID      # negative while all are
    cdef int64_t no_parent = NULL_ID
    cdef int64_t i, row
    cdef int k
    memset(self.sound, 0, sizeof(self.sound))
    for i in range(rows.n_extras):
        extra = &rows.extras[i]
        row = at + extra.row
        no_task &= extra.task
        no_parent &= extra.parent_task
        for k in range(extra.n_values):
            _put_sparse_number(&self.values[k], row, extra.values[k], self.table)
        if extra.name.length:           # an empty name is null, an empty message is a message
            _put_sparse_text(self, &self.name, row, &extra.name)
        if extra.message.data != NULL:
            _put_sparse_text(self, &self.message, row, &extra.message)
    if no_task >= 0:
        _put_sparse_ids(&self.task, rows, at, &rows.extras[0].task, self.table)
    if no_parent >= 0:
        _put_sparse_ids(&self.parent_task, rows, at, &rows.extras[0].parent_task, self.table)


cdef void _settle_sparse(Sparse* self, int64_t rows) noexcept nogil:
    """The batch is complete, and so is the column."""
    if self.bits != NULL:
        if self.column.kind == COLUMN_TEXT:
            _same_offsets(self, rows)
        self.column.nulls = rows - self.values
    self.bits = NULL


cdef void _same_offsets(Sparse* sparse, int64_t until) noexcept nogil:
    """Texts of no length from the next row on. Mostly few, so some more are written than needed."""
    cdef int32_t used = <int32_t>sparse.column.data_bytes
    cdef int32_t* offsets = sparse.column.offsets
    cdef int64_t row = sparse.next_row
    cdef int i
    while row < until:
        for i in range(OFFSETS_AT_ONCE):
            offsets[row + 1 + i] = used
        row += OFFSETS_AT_ONCE
    sparse.next_row = until


# --- codes of rows to codes of words ------------------------------------------------------------

cdef void _write_kinds(uint8_t* values, const uint8_t* codes, int64_t n) noexcept nogil:
    cdef int64_t i
    for i in range(n):
        values[i] = code_kind(codes[i])


cdef int64_t _write_resources(
    uint8_t* values, const uint8_t* codes, int64_t n, uint64_t* bits, int64_t at
) noexcept nogil:
    """Zero where there is none; how many there are of these."""
    cdef int64_t i, j, count
    cdef int64_t valid = 0
    cdef uint64_t word
    for i in range(n):
        values[i] = code_resource(codes[i])
    i = 0
    while i < n:
        count = min(64, n - i)
        word = ~signs(values, 1, i, count)
        put_bits(bits, at + i, word, count)
        valid += popcount(word & (NO_ID >> (64 - count)))
        i += count
    for j in range(n):
        values[j] &= <uint8_t>~(0 - (values[j] >> 7))
    return n - valid
