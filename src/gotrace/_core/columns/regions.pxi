# Region rows -> `regions`.
#
# Texts and lists are in their columns when a row is queued, numbers follow for many rows at once.
#
# Offers: RegionsTable.

cdef class RegionsTable:
    cdef Table table
    cdef RegionQueue queue

    def __cinit__(self, Table table):
        self.table = table
        memset(&self.queue, 0, sizeof(RegionQueue))
        self.queue.name = table.column("name")
        self.queue.lists = bind_lists(table)

    def __dealloc__(self):
        free(self.queue.rows)

    cdef int put(self) except -1:
        """Rows of the regions that were queued."""
        cdef RegionRow* rows = self.queue.rows
        if self.queue.n == 0:
            return 0
        self._put("start_ns", &rows.start_ns)
        self._put("end_ns", &rows.end_ns)
        self._put("duration_ns", &rows.duration_ns)
        self._put("start_seq", &rows.start_seq)
        self._put("end_seq", &rows.end_seq)
        self._put("open_start", &rows.open_start)
        self._put("open_end", &rows.open_end)
        self._put("goroutine", &rows.goroutine)
        self._put("task", &rows.task)
        self._put("depth", &rows.depth)
        self._put("stack_id", &rows.stack_id)
        self._put("end_stack_id", &rows.end_stack_id)
        self._put("exec_ns", &rows.states[STATE_RUNNING])
        self._put("sched_ns", &rows.states[STATE_RUNNABLE])
        self._put("syscall_ns", &rows.states[STATE_SYSCALL])
        self._put("syscall_block_ns", &rows.states[SPLIT_SYSCALL_BLOCK])
        self._put("block_ns", &rows.states[STATE_WAITING])
        self._put("total_ns", &rows.total)
        self._put("unknown_ns", &rows.unknown)
        self.table.end_rows(self.queue.n)
        self.queue.n = 0
        return 0

    cdef int _put(self, str name, const void* first) except -1:
        put_field(self.table.column(name), first, sizeof(RegionRow), self.queue.n)
        return 0
