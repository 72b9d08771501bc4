# ROWS -> `events`: every block of rows is appended to columns that have room for a whole batch.
#
# What all rows have is copied; the dictionary columns come out of the code of a row; what few rows
# have (extras) lies in columns that do not exist until the first of them comes.
#
# Offers: EventsTable.

# A column that few rows have a value in. It begins with the first of them in a batch.
cdef struct Sparse:
    Column* column              # NULL: nobody asked for it
    uint64_t* bits              # NULL: there is no value yet
    uint64_t* numbers
    int64_t values
    int64_t next_row            # texts: the first row whose offset is not written


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
        for i in range(rows.n_extras):
            _put_extra(self, &rows.extras[i], at)
        self.table.rows = at + n

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

cdef bint _begin_sparse(Sparse* self, int64_t capacity) noexcept nogil:
    """Let the column begin, all null; False where nobody wants it or no memory is left."""
    cdef Column* column = self.column
    if column == NULL or column.failed:
        return False
    column.bits = <uint8_t*>pool_take(column.pool, bitmap_bytes(capacity))
    column.failed = column.bits == NULL
    if column.kind == COLUMN_TEXT:
        column.offsets = <int32_t*>pool_take(column.pool, (capacity + 1) * sizeof(int32_t))
        column.failed = column.failed or column.offsets == NULL
        if not column.failed:
            column.offsets[0] = 0
    else:
        column.data = pool_take(column.pool, capacity * column.width)
        column.failed = column.failed or column.data == NULL
        if not column.failed:
            memset(column.data, 0, capacity * column.width)
    if column.failed:
        return False
    memset(column.bits, 0, bitmap_bytes(capacity))
    self.bits = <uint64_t*>column.bits
    self.numbers = <uint64_t*>column.data
    self.values = 0
    self.next_row = 0
    return True


cdef inline void _mark_sparse(Sparse* self, int64_t row) noexcept nogil:
    (<uint8_t*>self.bits)[row >> 3] |= <uint8_t>(1 << (row & 7))
    self.values += 1


cdef inline void _put_sparse_number(
    Sparse* self, int64_t row, uint64_t value, int64_t capacity
) noexcept nogil:
    if self.bits != NULL or _begin_sparse(self, capacity):
        self.numbers[row] = value
        _mark_sparse(self, row)


cdef inline void _put_sparse_text(
    Sparse* self, int64_t row, const Text* text, int64_t capacity
) noexcept nogil:
    cdef Column* column = self.column
    if self.bits == NULL and not _begin_sparse(self, capacity):
        return
    _same_offsets(self, row)
    append_text(column, text.data, text.length)
    column.offsets[row + 1] = <int32_t>column.data_bytes
    self.next_row = row + 1
    _mark_sparse(self, row)


cdef void _put_extra(EventsTable self, const Extra* extra, int64_t at) noexcept nogil:
    cdef int64_t row = at + extra.row
    cdef int i
    for i in range(extra.n_values):
        _put_sparse_number(&self.values[i], row, extra.values[i], self.table.limit)
    if extra.task >= 0:
        _put_sparse_number(&self.task, row, <uint64_t>extra.task, self.table.limit)
    if extra.parent_task >= 0:
        _put_sparse_number(&self.parent_task, row, <uint64_t>extra.parent_task, self.table.limit)
    if extra.name.length:               # an empty name is null, an empty message is a message
        _put_sparse_text(&self.name, row, &extra.name, self.table.limit)
    if extra.message.data != NULL:
        _put_sparse_text(&self.message, row, &extra.message, self.table.limit)


cdef void _settle_sparse(Sparse* self, int64_t rows) noexcept nogil:
    """The batch is complete, and so is the column."""
    if self.bits != NULL:
        if self.column.kind == COLUMN_TEXT:
            _same_offsets(self, rows)
        self.column.nulls = rows - self.values
    self.bits = NULL


cdef void _same_offsets(Sparse* sparse, int64_t until) noexcept nogil:
    """Texts of no length from the next row on."""
    cdef int32_t used = <int32_t>sparse.column.data_bytes
    cdef int32_t* offsets = sparse.column.offsets
    cdef int64_t row
    for row in range(sparse.next_row, until):
        offsets[row + 1] = used
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
