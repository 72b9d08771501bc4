# Stays: the intervals of lives in one state, queued as they close for the tables in columns/.
#
# A wait is ended by whoever wakes it; the runnable interval behind it knows how long it was.
#
# Offers: close_stay, sort_stays.

cdef Stay* _add_stay(Lives* self, const Life* life, int64_t end_ns, int64_t end_seq) noexcept nogil:
    cdef Stay* stay
    if not reserve(<void**>&self.stays, &self.stays_room, self.n_stays + 1, sizeof(Stay)):
        self.no_memory = True
        return NULL
    stay = &self.stays[self.n_stays]
    self.n_stays += 1
    stay.goroutine = life.goroutine
    stay.life = life.number
    stay.start_ns = life.since_ns
    stay.end_ns = end_ns
    stay.start_seq = life.since_seq
    stay.end_seq = end_seq
    stay.stack_id = life.stack_id
    stay.end_stack_id = NULL_ID
    stay.thread = life.thread
    stay.proc = life.proc
    stay.by_goroutine = life.by_goroutine
    stay.by_stack_id = life.by_stack_id
    stay.by_kind = life.by_kind
    stay.waited_ns = life.waited_ns
    stay.waited_stack_id = life.waited_stack_id
    stay.reason = life.reason
    stay.state = <int8_t>life.state
    stay.next_state = NULL_ID
    stay.open_start = life.state_open_start
    stay.open_end = False
    return stay


cdef inline void _set_waker(Life* life, const Rows* rows, int64_t i, int8_t kind) noexcept nogil:
    """The context of row `i` woke it; null where it was itself."""
    life.by_kind = kind
    life.by_goroutine = rows.goroutine[i]
    life.by_stack_id = rows.context_stack[i]
    if life.by_goroutine == life.goroutine:
        life.by_goroutine = NULL_ID
        life.by_stack_id = NULL_ID


cdef inline void _set_no_waker(Life* life) noexcept nogil:
    life.by_kind = NULL_ID
    life.by_goroutine = NULL_ID
    life.by_stack_id = NULL_ID
    life.waited_ns = NULL_ID
    life.waited_stack_id = NULL_ID


cdef void _close_stay(Lives* self, Life* life, const Rows* rows, int64_t i, int to) noexcept nogil:
    """Row `i` ends the open interval; a wait is ended by whoever wakes it."""
    cdef Stay* stay
    if life.state == STATE_WAITING:
        _set_waker(life, rows, i, WAKE_SWITCH if rows.reason[i] == SWITCHES else WAKE_UNBLOCK)
    stay = _add_stay(self, life, rows.time[i], rows.first_seq + i)
    if stay != NULL:
        stay.next_state = <int8_t>to
        stay.end_stack_id = rows.stack[i]
    if life.state == STATE_WAITING:
        life.waited_ns = NULL_ID if life.state_open_start else rows.time[i] - life.since_ns
        life.waited_stack_id = life.stack_id
    elif life.by_kind != NULL_ID:
        _set_no_waker(life)


cdef inline void _open_stay(Life* life, const Rows* rows, int64_t i, int to) noexcept nogil:
    """Where it now executes, if it does."""
    cdef bint executes = to == STATE_RUNNING or to == STATE_SYSCALL
    life.since_seq = rows.first_seq + i
    life.thread = rows.thread[i] if executes else NULL_ID
    life.proc = rows.proc[i] if executes else NULL_ID


cdef inline void close_stay(Lives* self, const Life* life, const Ending* ending) noexcept nogil:
    """The trace, or a stretch of it, is over: queue the open interval."""
    cdef Stay* stay = _add_stay(self, life, ending.time, ending.seq)
    if stay != NULL:
        stay.open_end = True


cdef void sort_stays(Lives* self) noexcept nogil:
    """Put what the trace ended in by begin."""
    if self.n_stays > 1:
        qsort(self.stays, self.n_stays, sizeof(Stay), _compare_stays)


cdef int _compare_stays(const void* a, const void* b) noexcept nogil:
    cdef const Stay* left = <Stay*>a
    cdef const Stay* right = <Stay*>b
    if left.start_seq != right.start_seq:
        return -1 if left.start_seq < right.start_seq else 1
    return -1 if left.goroutine < right.goroutine else 1
