# RECORDS -> ONE ORDER: the events of all threads of a generation, merged.
#
# The thread whose next event is earliest goes first, if the scheduler's rules let it; else the next
# in time is tried. In real traces the earliest is ready practically always, and one thread stays
# the earliest for tens of events: the inner loop of `order_run` is that case, and touches the
# frontier only when the thread is overtaken.
#
# Offers: order_init, order_reset, order_clear, order_begin, order_run, order_finish.

cdef enum OrderStep:
    ORDER_BROKEN = -1           # `ordering.fault`
    ORDER_DONE                  # the generation is through
    ORDER_FULL                  # no room for another row, or a long time without one

cdef enum:
    MOST_ROWS_OF_AN_EVENT = 3
    PATIENCE = 1 << 24          # attempts in vain that are free, and
    PATIENCE_PER_EVENT = 256    # so many more for each event
    BREATH = 1 << 20            # after so many the caller may want to look around
    SPARE_NS = 1 << 14          # a block of rows, each bumped by one, does not end the clock


cdef int order_init(Ordering* self, Rows* rows, bint lenient, uint64_t seed) noexcept nogil:
    """-1 without memory."""
    memset(self, 0, sizeof(Ordering))
    self.rows = rows
    self.lenient = lenient
    self.goroutines.pages.seed = seed
    self.procs.seed = seed
    self.threads.seed = seed
    self.tasks.seed = seed
    self.reasons.by_hash.seed = seed
    self.stops.by_hash.seed = seed
    self.nobody.id = NULL_ID
    self.nobody.goroutine_id = NULL_ID
    self.nobody.proc_id = NULL_ID
    self.nobody.seen = True
    # All the room there will be: who makes columns reads the reasons while more are found.
    if not reserve(
        <void**>&self.reasons.texts, &self.reasons.room, MOST_REASONS + 2, sizeof(Text)
    ):
        return -1
    return 0


cdef void _free_values(IdMap* map) noexcept nogil:
    cdef uint64_t i
    if map.slots != NULL:
        for i in range(map.mask + 1):
            free(<void*>map.slots[i].value)
    idmap_clear(map)


cdef void order_reset(Ordering* self) noexcept nogil:
    """Forget every goroutine, proc, thread and task: what follows is like a new trace.

    Intervals that are open must have been collected before (`order_close_intervals`).
    """
    goroutines_clear(&self.goroutines)
    _free_values(&self.procs)
    _free_values(&self.threads)
    idmap_clear(&self.tasks)
    self.initial = 0
    self.gc_state = GC_UNDETERMINED
    self.gc_sequence = 0
    self.n_frontier = 0
    self.generation = NULL
    self.fault.code = FAULT_NONE
    self.missing = FAULT_NONE


cdef void order_clear(Ordering* self) noexcept nogil:
    order_reset(self)
    intervals_clear(&self.intervals)
    self.begun = NULL
    texts_clear(&self.reasons)
    texts_clear(&self.stops)
    free(self.cursors)
    free(self.frontier)
    self.cursors = NULL
    self.frontier = NULL


cdef int64_t order_memory(const Ordering* self) noexcept nogil:
    """Bytes that the state takes: what is alive, and the maps to find it."""
    return (
        self.goroutines.count * <int64_t>sizeof(Page)
        + self.intervals.made * <int64_t>sizeof(Interval)
        + self.intervals.name_bytes
        + <int64_t>self.threads.count * <int64_t>sizeof(Thread)
        + <int64_t>self.procs.count * <int64_t>sizeof(Proc)
        + self.cursors_room * <int64_t>(sizeof(Cursor) + sizeof(Cursor*))
        + idmap_bytes(&self.goroutines.pages)
        + idmap_bytes(&self.threads)
        + idmap_bytes(&self.procs)
        + idmap_bytes(&self.tasks)
        + self.reasons.arena.bytes
    )


# --- a generation begins ------------------------------------------------------------------------

cdef int _to_next_event(Ordering* self, Cursor* cursor) noexcept nogil:
    """`next_event` where it need not be quick: the loop of `order_run` has its own copy."""
    return next_event(cursor, self.generation, &self.fault)


cdef int _add_cursor(Ordering* self, Cursor* cursor, const Stream* stream) noexcept nogil:
    """Set a cursor on the first event of a thread; 0 when it has none."""
    cdef const Generation* generation = self.generation
    cdef const EventBatch* first = &generation.batches[stream.first]
    cursor.thread = &self.nobody
    if stream.thread != NO_ID:
        if stream.thread > INT64_MAX:
            return set_fault(&self.fault, FAULT_LIMIT_ID, first.offset, <int64_t>stream.thread, 0)
        cursor.thread = thread_create(self, stream.thread)
        if cursor.thread == NULL:
            return set_fault(&self.fault, FAULT_NO_MEMORY, first.offset, 0, 0)
    if enter_batch(cursor, generation, stream.first, &self.fault) < 0:
        return ORDER_BROKEN
    return _to_next_event(self, cursor)


cdef void _go_to_sample(Ordering* self, int64_t sample) noexcept nogil:
    self.next_sample = sample
    self.sample_time = INT64_MAX
    if sample < self.generation.n_samples:
        self.sample_time = self.generation.samples[sample].time


cdef void _emit_sync(Ordering* self, int64_t time) noexcept nogil:
    cdef Extra* extra = add_extra(self.rows, KIND_SYNC, EV_SYNC)
    self.syncs += 1
    if extra != NULL:
        extra.n_values = 1
        extra.values[0] = <uint64_t>self.syncs
    emit_in(
        self, time, NULL_ID, NULL_ID, NULL_ID, other_code(KIND_SYNC, NULL_ID),
        NULL_ID, NULL_ID, NULL_ID, NULL_ID,
    )


cdef int order_begin(Ordering* self, Generation* generation) noexcept nogil:
    """Take up a generation and emit its sync; -1 if the first event of some thread is broken."""
    cdef Cursor* cursor
    cdef int64_t i, n, opening
    cdef int status
    self.generation = generation
    _go_to_sample(self, 0)
    self.n_frontier = 0
    n = generation.n_streams
    if not reserve(<void**>&self.cursors, &self.cursors_room, n, sizeof(Cursor)):
        return set_fault(&self.fault, FAULT_NO_MEMORY, generation.offset, 0, 0)
    if not reserve(<void**>&self.frontier, &self.frontier_room, n, sizeof(Cursor*)):
        return set_fault(&self.fault, FAULT_NO_MEMORY, generation.offset, 0, 0)
    for i in range(n):
        cursor = &self.cursors[i]
        status = _add_cursor(self, cursor, &generation.streams[i])
        if status < 0:
            return ORDER_BROKEN
        if status > 0:
            frontier_push(self.frontier, &self.n_frontier, cursor)
    opening = ticks_to_ns(generation, generation.min_ticks)
    if opening < 0 or self.last_time > INT64_MAX - SPARE_NS:
        return set_fault(&self.fault, FAULT_TIME, generation.offset, 0, 0)
    _emit_sync(self, opening)
    if self.initial == 0:
        self.opening_time = self.last_time
        self.opening_seq = last_seq(self)
        if self.n_frontier:
            self.initial = generation.number
    self.is_initial = self.initial == generation.number
    return 0


cdef void order_finish(Ordering* self) noexcept nogil:
    """The sync at the end of the stream, and before an error is reported."""
    _emit_sync(self, self.last_time)


cdef int64_t bytes_left(const Ordering* self) noexcept nogil:
    """Bytes of events that were not ordered yet."""
    cdef const EventBatch* batch
    cdef int64_t left = 0
    cdef int64_t i
    cdef int32_t next
    for i in range(self.n_frontier):
        left += self.frontier[i].end - self.frontier[i].event
        next = self.generation.batches[self.frontier[i].batch].next
        while next >= 0:
            batch = &self.generation.batches[next]
            left += batch.size
            next = batch.next
    return left


# --- the merge ----------------------------------------------------------------------------------

cdef int _emit_sample(Ordering* self) noexcept nogil:
    """A CPU sample has a context of its own, which may contradict the scheduler's."""
    cdef const Sample* sample = &self.generation.samples[self.next_sample]
    cdef int64_t stack = stack_content_id(self.generation, sample.stack)
    if (
        (sample.thread > INT64_MAX and sample.thread != NO_ID)
        or (sample.goroutine > INT64_MAX and sample.goroutine != NO_ID)
        or (sample.proc > INT32_MAX and sample.proc != NO_ID)
    ):
        return set_fault(
            &self.fault, FAULT_LIMIT_ID, self.generation.offset, <int64_t>sample.goroutine, 0
        )
    if stack == UNKNOWN_ID:                 # Go lets it pass and panics when it is asked for
        self.unknown_sample_stacks += 1
        stack = NULL_ID
    emit_in(
        self, sample.time, <int64_t>sample.thread, <int32_t>sample.proc, <int64_t>sample.goroutine,
        other_code(KIND_STACK_SAMPLE, NULL_ID), NULL_ID, stack, NULL_ID, NULL_ID,
    )
    _go_to_sample(self, self.next_sample + 1)
    return 0


cdef void _take_back(Ordering* self, int64_t rows) noexcept nogil:
    """Drop the rows from `rows` on: the event that gave them turned out to be broken."""
    cdef Rows* all = self.rows
    cdef Interval* ended
    while all.n_extras and all.extras[all.n_extras - 1].row >= rows:
        all.n_extras -= 1
        ended = all.extras[all.n_extras].ended
        if ended != NULL:
            ended.next = self.orphans
            self.orphans = ended
    if self.begun != NULL and self.begun_seq >= all.first_seq + rows:
        self.begun.what = NEVER_BEGAN
    all.count = rows
    self.last_time = all.time[rows - 1] if rows else self.flushed_time


cdef int _follow_up(Ordering* self, Cursor* cursor, int64_t before) noexcept nogil:
    """Decode what comes after the event just ordered, which has rows from `before` on.

    Go does this before it hands the event out, so a broken successor takes the event with it, and
    only then looks whether the strings and stacks that the event names exist. 1, 0 at the end of
    the thread, -1.
    """
    cdef int status
    cdef int64_t offset = 0
    if self.missing:
        offset = event_offset(self.generation, cursor)
    status = _to_next_event(self, cursor)
    if status >= 0 and self.missing:
        status = set_fault(&self.fault, self.missing, offset, <int64_t>self.missing_id, 0)
    if self.fault.code != FAULT_NONE:
        _take_back(self, before)
        return ORDER_BROKEN
    return status


cdef int _try(Ordering* self, const Cursor* event, int64_t cost) noexcept nogil:
    """Count what leads to no row; -1 and a fault where it is out of proportion to the rows."""
    if self.attempts > <uint64_t>(PATIENCE + PATIENCE_PER_EVENT * last_seq(self)):
        return _broken(self, event, FAULT_LIMIT_ATTEMPTS, <int64_t>self.attempts, 0)
    self.attempts += <uint64_t>cost
    return 0


cdef int _advance_another(Ordering* self) noexcept nogil:
    """The earliest event has to wait: let the next in time that may happen, happen."""
    cdef int64_t i, before
    cdef Cursor* cursor
    cdef int status
    if _try(self, self.frontier[0], self.n_frontier) < 0:   # sorting looks at all of them
        return BROKEN
    frontier_sort(self.frontier, self.n_frontier)
    for i in range(1, self.n_frontier):
        cursor = self.frontier[i]
        before = self.rows.count
        cursor.thread.seen = True
        status = advance(self, cursor)
        if status == BROKEN:
            _take_back(self, before)
            return ORDER_BROKEN
        if status == ADVANCED:
            status = _follow_up(self, cursor, before)
            if status > 0:
                frontier_update(self.frontier, self.n_frontier, i)
            elif status == 0:
                frontier_remove(self.frontier, &self.n_frontier, i)
            return status
    cursor = self.frontier[0]
    return set_fault(
        &self.fault, FAULT_STUCK, event_offset(self.generation, cursor),
        cursor.type, self.n_frontier,
    )


cdef int order_run(Ordering* self, int64_t limit) noexcept nogil:
    """Order events until there are `limit` rows or the generation is through: an OrderStep."""
    cdef Generation* generation = self.generation
    cdef Rows* rows = self.rows
    cdef Cursor* head
    cdef int64_t before, second, until, stop
    cdef int64_t room = limit - MOST_ROWS_OF_AN_EVENT
    cdef uint64_t attempts = self.attempts + BREATH
    cdef int moved, left
    if unlikely(self.last_time > INT64_MAX - SPARE_NS):
        return set_fault(&self.fault, FAULT_TIME, generation.offset, 0, 0)
    while True:
        if rows.count > room:
            return ORDER_FULL
        if unlikely(self.n_frontier == 0):
            if self.next_sample >= generation.n_samples:
                return ORDER_DONE
            if _emit_sample(self) < 0:
                return ORDER_BROKEN
            continue
        head = self.frontier[0]
        if unlikely(self.sample_time < head.time):
            if _emit_sample(self) < 0:
                return ORDER_BROKEN
            continue
        head.thread.seen = True
        second = frontier_second(self.frontier, self.n_frontier)
        until = self.frontier[second].time if second else INT64_MAX     # it wins ties
        stop = min(until, self.sample_time)
        left = 1
        while True:
            before = rows.count
            moved = advance(self, head)
            if unlikely(moved != ADVANCED):
                break
            if unlikely(self.missing):
                left = _follow_up(self, head, before)
            else:
                left = next_event(head, generation, &self.fault)
            if unlikely(left <= 0) or head.time > stop or rows.count > room:
                break
        if unlikely(moved == BROKEN or left < 0 or self.fault.code != FAULT_NONE):
            _take_back(self, before)
            return ORDER_BROKEN
        if unlikely(left == 0):
            frontier_remove(self.frontier, &self.n_frontier, 0)
        elif unlikely(moved != ADVANCED):
            if _advance_another(self) < 0:
                return ORDER_BROKEN
            if self.attempts > attempts:
                return ORDER_FULL
        elif head.time > until:
            frontier_overtake(self.frontier, self.n_frontier, second)
