# Stays -> `wakeups`: those that are runnable by another's doing.
#
# Offers: WakeupsTable.

cdef class WakeupsTable:
    cdef Table table
    cdef Stay** picked
    cdef int64_t room

    def __cinit__(self, Table table):
        self.table = table

    def __dealloc__(self):
        free(self.picked)

    cdef int put(self, Stay* stays, int64_t n) except -1:
        """Rows of those of the intervals that closed."""
        cdef Table table = self.table
        cdef Column* latency = table.column("latency_ns")
        cdef Stay* first
        cdef void** all
        cdef int64_t found = 0
        cdef int64_t i
        if not reserve(<void**>&self.picked, &self.room, n, sizeof(Stay*)):
            raise MemoryError("no memory for wakeups")
        for i in range(n):
            self.picked[found] = &stays[i]
            found += (stays[i].state == STATE_RUNNABLE) & (stays[i].by_kind != NULL_ID)
        if found == 0:
            return 0
        first = self.picked[0]
        all = <void**>self.picked
        put_field_of(table.column("seq"), all, &first.start_seq, found)
        put_field_of(table.column("time_ns"), all, &first.start_ns, found)
        put_field_of(table.column("goroutine"), all, &first.goroutine, found)
        put_field_of(table.column("life"), all, &first.life, found)
        put_field_of(table.column("kind"), all, &first.by_kind, found)
        put_field_of(table.column("by_goroutine"), all, &first.by_goroutine, found)
        put_field_of(table.column("by_stack_id"), all, &first.by_stack_id, found)
        put_field_of(table.column("stack_id"), all, &first.waited_stack_id, found)
        put_field_of(table.column("blocked_ns"), all, &first.waited_ns, found)
        put_field_of(table.column("end_seq"), all, &first.end_seq, found)
        for i in range(found):
            put_int(latency, _latency(self.picked[i]))
        table.end_rows(found)
        return 0


cdef inline int64_t _latency(const Stay* stay) noexcept nogil:
    return NULL_ID if stay.open_end else stay.end_ns - stay.start_ns
