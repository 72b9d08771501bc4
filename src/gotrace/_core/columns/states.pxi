# Stays -> `goroutine_states`: what the state machine queued, as rows.
#
# Offers: StatesTable.

cdef void put_durations(Column* self, const Stay* stays, int64_t n) noexcept nogil:
    cdef int64_t* out = <int64_t*>grow_rows(self, n)
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        out[i] = stays[i].end_ns - stays[i].start_ns


cdef class StatesTable:
    cdef Table table
    cdef WaitClasses waits
    cdef bint needs_waits

    def __cinit__(self, Table table, WaitClasses waits):
        self.table = table
        self.waits = waits
        self.needs_waits = table.column("wait") != NULL

    cdef int put(self, Stay* stays, int64_t n) except -1:
        """Rows of the intervals that closed."""
        cdef int64_t i
        if n == 0:
            return 0
        if self.needs_waits:
            for i in range(n):
                stays[i].wait = self.waits.code(
                    stays[i].state, stays[i].open_start, stays[i].reason, stays[i].stack_id
                )
        self._put("goroutine", &stays.goroutine, n)
        self._put("life", &stays.life, n)
        self._put("start_ns", &stays.start_ns, n)
        self._put("end_ns", &stays.end_ns, n)
        put_durations(self.table.column("duration_ns"), stays, n)
        self._put("start_seq", &stays.start_seq, n)
        self._put("end_seq", &stays.end_seq, n)
        self._put("state", &stays.state, n)
        self._put("reason", &stays.reason, n)
        self._put("wait", &stays.wait, n)
        self._put("stack_id", &stays.stack_id, n)
        self._put("proc", &stays.proc, n)
        self._put("thread", &stays.thread, n)
        self._put("by_goroutine", &stays.by_goroutine, n)
        self._put("by_stack_id", &stays.by_stack_id, n)
        self._put("by_kind", &stays.by_kind, n)
        self._put("next_state", &stays.next_state, n)
        self._put("open_start", &stays.open_start, n)
        self._put("open_end", &stays.open_end, n)
        self._put("end_stack_id", &stays.end_stack_id, n)
        self.table.end_rows(n)
        return 0

    cdef int _put(self, str name, const void* first, int64_t n) except -1:
        put_field(self.table.column(name), first, sizeof(Stay), n)
        return 0
