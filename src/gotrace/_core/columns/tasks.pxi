# EXTRAS -> `tasks`: a user task, from begin to end, with what happened in it.
#
# A row is written when the task ends; what mentions it later is not in the row's counts. A task
# whose begin was not seen gets a row with an open start.
#
# Offers: TasksTable.

cdef class _Task:
    cdef int64_t start_ns, start_seq, stack, goroutine, ended_by, logs, regions
    cdef int64_t parent
    cdef bytes name             # None: not known
    cdef bint begun
    cdef set goroutines


cdef class TasksTable:
    cdef Table table
    cdef Span span
    cdef dict open              # id -> _Task
    cdef IdMap over             # tasks that have ended: id // 64 -> one bit each

    def __cinit__(self, Table table):
        self.table = table
        self.open = {}
        self.span = bind_span(table)

    def __dealloc__(self):
        idmap_clear(&self.over)

    cdef bint _is_over(self, int64_t id) noexcept:
        cdef uint64_t* bits = idmap_find(&self.over, <uint64_t>id >> 6)
        return bits != NULL and (bits[0] >> (id & 63)) & 1 == 1

    cdef int _set_over(self, int64_t id, bint over) except -1:
        cdef bint is_new
        cdef uint64_t* bits
        if not over and not self._is_over(id):
            return 0
        bits = idmap_put(&self.over, <uint64_t>id >> 6, &is_new)
        if bits == NULL:
            raise MemoryError("no memory for tasks")
        if over:
            bits[0] |= <uint64_t>1 << (id & 63)
        else:
            bits[0] &= ~(<uint64_t>1 << (id & 63))
            if bits[0] == 0:
                idmap_remove(&self.over, <uint64_t>id >> 6)
        return 0

    cdef int take(self, const Rows* rows, const Ordering* order) except -1:
        cdef const Extra* extra
        cdef _Task task
        cdef int64_t i
        cdef Ending ending
        for i in range(rows.n_extras):
            extra = &rows.extras[i]
            if extra.task < 0 or not KIND_TASK_BEGIN <= extra.kind <= KIND_LOG:
                continue
            if extra.kind == KIND_TASK_BEGIN:
                self._set_over(extra.task, False)
            elif self._is_over(extra.task):
                continue
            task = self._find(extra.task, order)
            if extra.kind == KIND_TASK_BEGIN:
                task.begun = True
                task.start_ns = rows.time[extra.row]
                task.start_seq = rows.first_seq + extra.row
                task.stack = rows.context_stack[extra.row]
                task.goroutine = rows.goroutine[extra.row]
                task.parent = extra.parent_task
                task.name = extra.name.data[: extra.name.length]
            elif extra.kind == KIND_REGION_BEGIN:
                task.regions += 1
            elif extra.kind == KIND_LOG:
                task.logs += 1
            task.goroutines.add(rows.goroutine[extra.row])
            if extra.kind == KIND_TASK_END:
                task.ended_by = rows.goroutine[extra.row]
                ending.time = rows.time[extra.row]
                ending.seq = rows.first_seq + extra.row
                ending.open = False
                self._put(extra.task, task, &ending)
                del self.open[extra.task]
                self._set_over(extra.task, True)
        return 0

    cdef _Task _find(self, int64_t id, const Ordering* order):
        cdef _Task task = self.open.get(id)
        if task is None:
            task = _Task()
            task.start_ns = order.opening_time
            task.start_seq = order.opening_seq
            task.stack = NULL_ID
            task.goroutine = NULL_ID
            task.ended_by = NULL_ID
            task.parent = NULL_ID
            task.goroutines = set()
            self.open[id] = task
        return task

    cdef int _put(self, int64_t id, _Task task, const Ending* ending) except -1:
        cdef Table table = self.table
        put_span(&self.span, task.start_ns, task.start_seq, not task.begun, ending)
        put_int(table.column("task"), id)
        put_int(table.column("parent_task"), task.parent)
        if task.name:
            put_text(table.column("name"), task.name, len(task.name))
        else:
            put_text(table.column("name"), NULL, 0)
        put_int(table.column("by_goroutine"), task.goroutine)
        put_int(table.column("stack_id"), task.stack)
        put_int(table.column("complete"), task.begun and not ending.open)
        put_int(table.column("logs"), task.logs)
        put_int(table.column("regions"), task.regions)
        put_int(table.column("goroutines"), len(task.goroutines))
        put_int(table.column("end_goroutine"), task.ended_by)
        table.rows += 1
        return 0

    cdef int close(self, const Ending* ending) except -1:
        """Write the tasks that are open, by begin, then id."""
        cdef _Task task
        cdef list begins = []
        for id in self.open:
            task = self.open[id]
            begins.append((task.start_seq, id))
        for _, id in sorted(begins):
            self._put(id, self.open[id], ending)
        self.open.clear()
        idmap_clear(&self.over)
        return 0
