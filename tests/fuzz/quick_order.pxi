# The native half of a pass, compiled into the core of the fuzzer: framing, tables, stacks, order.
#
# All bytes of a trace are parsed and judged there; what follows are columns of numbers. Without
# Python objects it takes a tenth of the time of a whole pass. The loop is that of TraceDecoder.
#
# Offers: quick_order, quick_order_failed.

from libc.stdio cimport fprintf, stderr


cdef struct QuickOrder:
    Framer framer
    Ordering order
    StackMaps stacks
    Rows* rows                  # from one input to the next: that much memory is slow to get
    int64_t last_time
    int64_t last_seq
    const char* failed          # the rule that was broken

cdef QuickOrder quick


cdef void _check_rows(QuickOrder* self) noexcept nogil:
    """The rules that hold for every row, whatever the input was."""
    cdef Rows* rows = self.rows
    cdef int64_t i
    if rows.count > MOST_ROWS or (rows.count and rows.first_seq != self.last_seq + 1):
        self.failed = "seq has a gap"
    self.last_seq = rows.first_seq + rows.count - 1
    for i in range(rows.count):
        if rows.time[i] <= self.last_time:
            self.failed = "times do not rise"
        self.last_time = rows.time[i]
        if (
            rows.thread[i] < NULL_ID or rows.goroutine[i] < NULL_ID or rows.proc[i] < NULL_ID
            or rows.resource_id[i] < NULL_ID or rows.stack[i] < NULL_ID
            or rows.context_stack[i] < NULL_ID
        ):
            self.failed = "an id is negative"
        if rows.reason[i] < SWITCHES or rows.reason[i] >= self.order.reasons.count:
            self.failed = "a reason has no word"
    for i in range(rows.n_extras):
        if not 0 <= rows.extras[i].row < rows.count:
            self.failed = "an extra has no row"
        if rows.extras[i].name.length < 0 or rows.extras[i].message.length < 0:
            self.failed = "a text is shorter than nothing"
    rows_clear(rows)


cdef int _order_generation(QuickOrder* self, Generation* generation) noexcept nogil:
    """Tables, stacks, order of one generation; -1 where something of it is broken."""
    cdef Fault fault
    cdef int64_t i, position
    cdef int step
    fault.code = FAULT_NONE
    if decode_tables(generation, self.framer.minor, &fault) < 0:
        return -1
    if intern_stacks(&self.stacks, generation, generation.stack_ids) < 0:
        return -1
    for i in range(generation.stack_index.dense_count):
        position = generation.stack_index.dense[i]
        generation.dense_stack_ids[i] = UNKNOWN_ID
        if position >= 0:
            generation.dense_stack_ids[i] = generation.stack_ids[position]
    generation.dense_stack_ids[0] = NULL_ID
    goroutines_sweep(&self.order.goroutines, &self.order.threads)
    if order_begin(&self.order, generation) < 0:
        return -1
    while True:
        step = order_run(&self.order, MOST_ROWS)
        if step == ORDER_BROKEN:
            return -1
        _check_rows(self)
        if step == ORDER_DONE:
            return 0


cdef void _forget(QuickOrder* self) noexcept nogil:
    _check_rows(self)
    free_open_intervals(&self.order)
    order_reset(&self.order)


cdef public int64_t quick_order(
    const uint8_t* data, int64_t size, int64_t piece, bint salvage, int64_t max_memory
) noexcept nogil:
    """Feed a trace in pieces of so many bytes; how many rows it has."""
    cdef QuickOrder* self = &quick
    cdef Generation* generation
    cdef FrameStep step
    cdef int64_t at = 0
    self.failed = NULL
    self.last_time = -1
    self.last_seq = -1
    memset(&self.stacks, 0, sizeof(StackMaps))
    framer_init(&self.framer, salvage, <uint64_t>size, max_memory)
    if self.rows == NULL:
        self.rows = rows_new(&self.order.intervals)
    if self.rows != NULL and order_init(&self.order, self.rows, salvage, <uint64_t>size) == 0:
        self.rows.first_seq = 0
        while self.failed == NULL:
            step = framer_step(&self.framer)
            self.framer.skipped = 0
            if step == FRAME_GENERATION:
                generation = self.framer.ready
                self.framer.ready = NULL
                if _order_generation(self, generation) < 0:
                    _forget(self)
                    self.framer.over = self.framer.over or not salvage
                self.order.generation = NULL
                generation_free(generation)
                if order_memory(&self.order) > max_memory:
                    break
            elif step == FRAME_FAULT:
                _forget(self)
                if not salvage or self.framer.fault.code > FAULT_LIMIT_ID:
                    self.framer.over = True
            elif step == FRAME_END:
                order_finish(&self.order)
                break
            elif at < size:
                framer_feed(&self.framer, data + at, min(piece, size - at))
                at += min(piece, size - at)
            else:
                self.framer.ended = True
        _check_rows(self)
        free_open_intervals(&self.order)
    framer_close(&self.framer)
    order_clear(&self.order)
    texts_clear(&self.stacks.texts)
    idmap_clear(&self.stacks.frame_by_hash)
    idmap_clear(&self.stacks.stack_by_hash)
    free(self.stacks.frames)
    free(self.stacks.stacks)
    free(self.stacks.members)
    if self.failed != NULL:
        fprintf(stderr, "quick_order: %s\n", self.failed)
        return -1
    return self.last_seq + 1
