# ROWS -> `events`: the arrays of the rows become the columns, the rest is looked up or filled in.
#
# Offers: rows_init, rows_clear, rows_free, EventsTable.

cdef int rows_init(Rows* self, BufferPool* pool, int64_t capacity) noexcept nogil:
    """Take buffers for `capacity` rows where there are none; -1 without memory."""
    if self.time == NULL:
        self.time = <int64_t*>pool_take(pool, capacity * sizeof(int64_t))
    if self.thread == NULL:
        self.thread = <int64_t*>pool_take(pool, capacity * sizeof(int64_t))
    if self.proc == NULL:
        self.proc = <int32_t*>pool_take(pool, capacity * sizeof(int32_t))
    if self.goroutine == NULL:
        self.goroutine = <int64_t*>pool_take(pool, capacity * sizeof(int64_t))
    if self.context_stack == NULL:
        self.context_stack = <int64_t*>pool_take(pool, capacity * sizeof(int64_t))
    if self.resource_id == NULL:
        self.resource_id = <int64_t*>pool_take(pool, capacity * sizeof(int64_t))
    if self.stack == NULL:
        self.stack = <int64_t*>pool_take(pool, capacity * sizeof(int64_t))
    if self.reason == NULL:
        self.reason = <int16_t*>pool_take(pool, capacity * sizeof(int16_t))
    if self.code == NULL:
        self.code = <uint8_t*>pool_take(pool, capacity)
    if (
        self.time == NULL or self.thread == NULL or self.proc == NULL or self.goroutine == NULL
        or self.context_stack == NULL or self.resource_id == NULL or self.stack == NULL
        or self.reason == NULL or self.code == NULL
    ):
        return -1
    return 0


cdef void rows_clear(Rows* self) noexcept nogil:
    """Forget the rows, keep the numbering; free the intervals that ended in them."""
    cdef int64_t i
    for i in range(self.n_extras):
        interval_free(self.intervals, self.extras[i].ended)
    self.n_extras = 0
    self.first_seq += self.count
    self.count = 0


cdef void rows_free(Rows* self, BufferPool* pool) noexcept nogil:
    rows_clear(self)
    pool_give(pool, self.time)
    pool_give(pool, self.thread)
    pool_give(pool, self.proc)
    pool_give(pool, self.goroutine)
    pool_give(pool, self.context_stack)
    pool_give(pool, self.resource_id)
    pool_give(pool, self.stack)
    pool_give(pool, self.reason)
    pool_give(pool, self.code)
    free(self.extras)


# --- filling one column -------------------------------------------------------------------------

cdef void _move(Column* self, void** buffer, int64_t rows) noexcept nogil:
    """Let the column have a buffer of the rows as it is."""
    if self != NULL:
        self.data = buffer[0]
        self.length = rows
        buffer[0] = NULL


cdef uint8_t* _bytes_for(Column* self, int64_t rows) noexcept nogil:
    """Room for one byte a row; NULL where nobody asked or no memory is left."""
    if self == NULL:
        return NULL
    self.data = pool_take(self.pool, rows)
    self.failed = self.data == NULL
    self.length = 0 if self.failed else rows
    return <uint8_t*>self.data


cdef void _fill_kinds(Column* self, const uint8_t* codes, int64_t rows) noexcept nogil:
    cdef uint8_t* values = _bytes_for(self, rows)
    cdef int64_t i
    for i in range(rows if values != NULL else 0):
        values[i] = code_kind(codes[i])


cdef void _fill_resources(Column* self, const uint8_t* codes, int64_t rows) noexcept nogil:
    cdef uint8_t* values = _bytes_for(self, rows)
    cdef int64_t i
    for i in range(rows if values != NULL else 0):
        values[i] = code_resource(codes[i])


cdef void _fill_from_states(Column* self, const uint8_t* codes, int64_t rows) noexcept nogil:
    cdef uint8_t* values = _bytes_for(self, rows)
    cdef int64_t i
    for i in range(rows if values != NULL else 0):
        values[i] = code_from(codes[i])


cdef void _fill_to_states(Column* self, const uint8_t* codes, int64_t rows) noexcept nogil:
    cdef uint8_t* values = _bytes_for(self, rows)
    cdef int64_t i
    for i in range(rows if values != NULL else 0):
        values[i] = code_to(codes[i])


cdef void _count_up(Column* self, int64_t first, int64_t rows) noexcept nogil:
    cdef int64_t* values
    cdef int64_t i
    if self == NULL:
        return
    values = <int64_t*>pool_take(self.pool, rows * sizeof(int64_t))
    self.data = values
    self.failed = values == NULL
    if not self.failed:
        for i in range(rows):
            values[i] = first + i
        self.length = rows


cdef void _fill_values(Column* self, const Rows* all, int which) noexcept nogil:
    """Numbers that few rows have; a batch without any leaves the column empty."""
    cdef const Extra* extra
    cdef int64_t i
    if self == NULL:
        return
    for i in range(all.n_extras):
        extra = &all.extras[i]
        if extra.n_values <= which:
            continue
        if self.length == 0:
            self.data = pool_take(self.pool, all.count * sizeof(uint64_t))
            self.present = <int8_t*>pool_take(self.pool, all.count)
            self.failed = self.data == NULL or self.present == NULL
            if self.failed:
                return
            memset(self.data, 0, all.count * sizeof(uint64_t))
            memset(self.present, IS_NULL, all.count)
            self.length = all.count
        (<uint64_t*>self.data)[extra.row] = extra.values[which]
        self.present[extra.row] = IS_PRESENT


cdef void _fill_tasks(Column* self, const Rows* all, bint parent) noexcept nogil:
    cdef const Extra* extra
    cdef int64_t i, task
    if self == NULL:
        return
    for i in range(all.n_extras):
        extra = &all.extras[i]
        task = extra.parent_task if parent else extra.task
        if task < 0:
            continue
        if self.length == 0:
            self.data = pool_take(self.pool, all.count * sizeof(int64_t))
            self.failed = self.data == NULL
            if self.failed:
                return
            memset(self.data, 0xFF, all.count * sizeof(int64_t))
            self.length = all.count
        (<int64_t*>self.data)[extra.row] = task


cdef void _fill_texts(Column* self, const Rows* all, bint message) noexcept nogil:
    """Texts that few rows have. An empty name is null, an empty message is a message."""
    cdef const Extra* extra
    cdef const Text* text
    cdef int64_t total = 0
    cdef int64_t row = 0
    cdef int64_t i
    if self == NULL:
        return
    for i in range(all.n_extras):
        text = &all.extras[i].message if message else &all.extras[i].name
        total += text.length
        row |= text.data != NULL
    if row == 0:
        return
    row = 0
    self.data = _grown(self, self.data, 0, total)
    self.offsets = <int32_t*>_grown(self, self.offsets, 0, (all.count + 1) * sizeof(int32_t))
    self.present = <int8_t*>_grown(self, self.present, 0, all.count)
    if self.failed:
        return
    self.offsets[0] = 0
    for i in range(all.n_extras):
        extra = &all.extras[i]
        text = &extra.message if message else &extra.name
        if text.data == NULL or (text.length == 0 and not message):
            continue
        _skip_rows(self, row, extra.row)
        put_text(self, text.data, text.length)
        row = extra.row + 1
    _skip_rows(self, row, all.count)


cdef inline void _skip_rows(Column* self, int64_t row, int64_t until) noexcept nogil:
    """Null texts from `row` to `until`, where there is room."""
    cdef int32_t used = <int32_t>self.data_bytes
    while row < until:
        self.present[row] = IS_NULL
        row += 1
        self.offsets[row] = used
    self.length = until


# --- the table ----------------------------------------------------------------------------------

cdef class EventsTable:
    """`events`, a batch of rows at a time."""

    cdef Table table

    def __cinit__(self, Table table):
        self.table = table

    cdef int take(self, Rows* rows) except -1:
        """Turn the rows into columns; the buffers that become columns are no longer the rows'."""
        cdef Table table = self.table
        cdef int64_t n = rows.count
        _count_up(table.column("seq"), rows.first_seq, n)
        _fill_kinds(table.column("kind"), rows.code, n)
        _fill_resources(table.column("resource"), rows.code, n)
        _fill_from_states(table.column("from_state"), rows.code, n)
        _fill_to_states(table.column("to_state"), rows.code, n)
        _fill_values(table.column("value"), rows, 0)
        _fill_values(table.column("value2"), rows, 1)
        _fill_values(table.column("value3"), rows, 2)
        _fill_tasks(table.column("task"), rows, False)
        _fill_tasks(table.column("parent_task"), rows, True)
        _fill_texts(table.column("name"), rows, False)
        _fill_texts(table.column("message"), rows, True)
        _move(table.column("time_ns"), <void**>&rows.time, n)
        _move(table.column("thread"), <void**>&rows.thread, n)
        _move(table.column("proc"), <void**>&rows.proc, n)
        _move(table.column("goroutine"), <void**>&rows.goroutine, n)
        _move(table.column("context_stack_id"), <void**>&rows.context_stack, n)
        _move(table.column("resource_id"), <void**>&rows.resource_id, n)
        _move(table.column("stack_id"), <void**>&rows.stack, n)
        _move(table.column("reason"), <void**>&rows.reason, n)
        table.rows = n
        return 0
