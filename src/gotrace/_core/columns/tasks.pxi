# EXTRAS -> `tasks`: a user task, from begin to end, with what happened in it.
#
# A row is written when the task ends; what mentions it later is not in the row's counts. A task
# whose begin was not seen gets a row with an open start. Go counts to the end of the trace, so with
# `compat` every task is kept until then, and one that is only mentioned as a parent is a row too.
#
# Offers: TasksTable.

cdef enum:
    FEW_MEMBERS = 6


# A task that is open; `name` is a copy of its own.
cdef struct OpenTask:
    OpenTask* next              # of those not in use
    int64_t id
    int64_t parent
    int64_t start_ns
    int64_t start_seq
    int64_t end_ns
    int64_t end_seq
    int64_t stack_id
    int64_t goroutine
    int64_t ended_by
    int64_t logs
    int64_t regions
    int64_t n_members           # goroutines
    int64_t few[FEW_MEMBERS]    # the first of them
    IdMap members               # all, once they are more
    bint begun
    bint ended
    Text name
    char short_name[SHORT_NAME]


cdef struct Tasks:
    IdMap open                  # id -> OpenTask
    IdMap over                  # tasks that have ended: id // 64 -> one bit each
    OpenTask* unused
    int64_t made
    int64_t bytes               # of long names and many members
    uint64_t seed


cdef bint is_over(const Tasks* self, int64_t id) noexcept nogil:
    cdef uint64_t* bits = idmap_find(&self.over, <uint64_t>id >> 6)
    return bits != NULL and (bits[0] >> (id & 63)) & 1 == 1


cdef bint set_over(Tasks* self, int64_t id, bint over) noexcept nogil:
    """False without memory."""
    cdef bint is_new
    cdef uint64_t* bits
    if over == is_over(self, id):
        return True
    bits = idmap_put(&self.over, <uint64_t>id >> 6, &is_new)
    if bits == NULL:
        return False
    bits[0] ^= <uint64_t>1 << (id & 63)
    if bits[0] == 0:
        idmap_remove(&self.over, <uint64_t>id >> 6)
    return True


cdef void _forget_name(Tasks* self, OpenTask* task) noexcept nogil:
    if task.name.data != task.short_name:
        self.bytes -= task.name.length
        free(<void*>task.name.data)
    task.name.data = task.short_name
    task.name.length = 0


cdef bint _name_task(Tasks* self, OpenTask* task, const Text* name) noexcept nogil:
    cdef char* copy = task.short_name
    _forget_name(self, task)
    if name.length == 0:
        return True
    if name.length > SHORT_NAME:
        copy = <char*>malloc(name.length)
        if copy == NULL:
            return False
        task.name.data = copy
        self.bytes += name.length
    memcpy(copy, name.data, name.length)
    task.name.length = name.length
    return True


cdef OpenTask* open_task(
    Tasks* self, int64_t id, int64_t start_ns, int64_t start_seq
) noexcept nogil:
    """The task, from `start_ns` if it is new; NULL without memory."""
    cdef bint is_new
    cdef uint64_t* place = idmap_put(&self.open, <uint64_t>id, &is_new)
    cdef OpenTask* task
    if place == NULL:
        return NULL
    if not is_new:
        return <OpenTask*>place[0]
    task = self.unused
    if task != NULL:
        self.unused = task.next
    else:
        task = <OpenTask*>calloc(1, sizeof(OpenTask))
        if task == NULL:
            idmap_remove(&self.open, <uint64_t>id)
            return NULL
        task.members.seed = self.seed
        self.made += 1
    place[0] = <uint64_t>task
    task.id = id
    task.parent = NULL_ID
    task.start_ns = start_ns
    task.start_seq = start_seq
    task.stack_id = NULL_ID
    task.goroutine = NULL_ID
    task.ended_by = NULL_ID
    task.logs = 0
    task.regions = 0
    task.n_members = 0
    task.begun = False
    task.ended = False
    task.name.data = task.short_name
    task.name.length = 0
    return task


cdef void _drop_task(Tasks* self, OpenTask* task) noexcept nogil:
    _forget_name(self, task)
    self.bytes -= idmap_bytes(&task.members)
    idmap_clear(&task.members)
    task.next = self.unused
    self.unused = task


cdef bint _add_member(Tasks* self, OpenTask* task, int64_t goroutine) noexcept nogil:
    """False without memory."""
    cdef uint64_t* place
    cdef int64_t bytes
    cdef bint is_new
    cdef int64_t i
    for i in range(min(task.n_members, FEW_MEMBERS)):
        if task.few[i] == goroutine:
            return True
    if task.n_members < FEW_MEMBERS:
        task.few[task.n_members] = goroutine
        task.n_members += 1
        return True
    bytes = idmap_bytes(&task.members)
    place = idmap_put(&task.members, <uint64_t>goroutine, &is_new)
    self.bytes += idmap_bytes(&task.members) - bytes
    if place == NULL:
        return False
    if is_new:
        place[0] = 1
        task.n_members += 1
    return True


cdef int _compare_tasks(const void* a, const void* b) noexcept nogil:
    """What has ended, by its end; then by begin and id."""
    cdef const OpenTask* left = (<OpenTask**>a)[0]
    cdef const OpenTask* right = (<OpenTask**>b)[0]
    if left.ended != right.ended:
        return -1 if left.ended else 1
    if left.ended and left.end_seq != right.end_seq:
        return -1 if left.end_seq < right.end_seq else 1
    if left.start_seq != right.start_seq:
        return -1 if left.start_seq < right.start_seq else 1
    return -1 if left.id < right.id else 1


cdef class TasksTable:
    cdef Table table
    cdef Tasks tasks
    cdef bint compat
    cdef OpenTask** closed      # those of a chunk
    cdef int64_t n_closed
    cdef int64_t room

    def __cinit__(self, Table table, uint64_t seed, bint compat):
        memset(&self.tasks, 0, sizeof(Tasks))
        self.table = table
        self.compat = compat
        self.tasks.seed = seed
        self.tasks.open.seed = seed
        self.tasks.over.seed = seed

    def __dealloc__(self):
        cdef OpenTask* task
        cdef uint64_t i
        for i in range(self.tasks.open.mask + 1 if self.tasks.open.slots != NULL else 0):
            if self.tasks.open.slots[i].value:
                _drop_task(&self.tasks, <OpenTask*>self.tasks.open.slots[i].value)
        for i in range(self.n_closed):
            if self.closed[i] != NULL:
                _drop_task(&self.tasks, self.closed[i])
        idmap_clear(&self.tasks.open)
        idmap_clear(&self.tasks.over)
        free(self.closed)
        while self.tasks.unused != NULL:
            task = self.tasks.unused
            self.tasks.unused = task.next
            free(task)

    cdef int64_t memory(self) noexcept:
        """Bytes of what is open."""
        return (
            self.tasks.made * <int64_t>sizeof(OpenTask) + idmap_bytes(&self.tasks.open)
            + idmap_bytes(&self.tasks.over) + self.tasks.bytes
        )

    cdef int take(self, const Rows* rows, const Ordering* order) except -1:
        cdef const Extra* extra
        cdef bint fine = True
        cdef int64_t i
        with nogil:
            for i in range(rows.n_extras):
                extra = &rows.extras[i]
                if extra.task >= 0 and KIND_TASK_BEGIN <= extra.kind <= KIND_LOG:
                    fine = fine and self._look_at(rows, extra, order)
        if not fine:
            raise MemoryError("no memory for tasks")
        self._write()
        return 0

    cdef bint _look_at(
        self, const Rows* rows, const Extra* extra, const Ordering* order
    ) noexcept nogil:
        """False without memory."""
        cdef OpenTask* task
        if extra.kind == KIND_REGION_END and extra.ended != NULL:
            return True                     # its begin told it all
        if self.compat:
            pass
        elif extra.kind == KIND_TASK_BEGIN:
            if not set_over(&self.tasks, extra.task, False):
                return False
        elif is_over(&self.tasks, extra.task):
            return True
        task = open_task(&self.tasks, extra.task, order.opening_time, order.opening_seq)
        if task == NULL or not _add_member(&self.tasks, task, rows.goroutine[extra.row]):
            return False
        if extra.kind == KIND_LOG:
            task.logs += 1
        elif extra.kind == KIND_REGION_BEGIN or extra.kind == KIND_REGION_END:
            task.regions += 1
        elif extra.kind == KIND_TASK_BEGIN:
            task.begun = True
            task.start_ns = rows.time[extra.row]
            task.start_seq = rows.first_seq + extra.row
            task.stack_id = rows.context_stack[extra.row]
            task.goroutine = rows.goroutine[extra.row]
        else:
            task.ended = True
            task.ended_by = rows.goroutine[extra.row]
            task.end_ns = rows.time[extra.row]
            task.end_seq = rows.first_seq + extra.row
        if extra.kind != KIND_TASK_BEGIN and extra.kind != KIND_TASK_END:
            return True
        if not _name_task(&self.tasks, task, &extra.name):
            return False
        if extra.parent_task >= 0 and task.parent < 0:
            task.parent = extra.parent_task
            if self.compat:
                return open_task(
                    &self.tasks, task.parent, order.opening_time, order.opening_seq
                ) != NULL
        return self.compat or not task.ended or self._close(task)

    cdef bint _close(self, OpenTask* task) noexcept nogil:
        """Queue a task that has ended; False without memory."""
        if not reserve(
            <void**>&self.closed, &self.room, self.n_closed + 1, sizeof(OpenTask*)
        ) or not set_over(&self.tasks, task.id, True):
            return False
        idmap_remove(&self.tasks.open, <uint64_t>task.id)
        self.closed[self.n_closed] = task
        self.n_closed += 1
        return True

    cdef int _write(self) except -1:
        """Rows of the tasks that were queued."""
        cdef int64_t i
        for i in range(0, self.n_closed, ROWS_AT_A_TIME):
            self._write_some(self.closed + i, min(self.n_closed - i, ROWS_AT_A_TIME))
        self.n_closed = 0
        return 0

    cdef int _write_some(self, OpenTask** closed, int64_t n) except -1:
        cdef Table table = self.table
        cdef Column* name = table.column("name")
        cdef Column* duration = table.column("duration_ns")
        cdef Column* complete = table.column("complete")
        cdef Column* open_start = table.column("open_start")
        cdef Column* open_end = table.column("open_end")
        cdef OpenTask* first = closed[0]
        cdef int64_t i
        put_field_of(table.column("task"), <void**>closed, &first.id, n)
        put_field_of(table.column("parent_task"), <void**>closed, &first.parent, n)
        put_field_of(table.column("start_ns"), <void**>closed, &first.start_ns, n)
        put_field_of(table.column("end_ns"), <void**>closed, &first.end_ns, n)
        put_field_of(table.column("start_seq"), <void**>closed, &first.start_seq, n)
        put_field_of(table.column("end_seq"), <void**>closed, &first.end_seq, n)
        put_field_of(table.column("by_goroutine"), <void**>closed, &first.goroutine, n)
        put_field_of(table.column("stack_id"), <void**>closed, &first.stack_id, n)
        put_field_of(table.column("logs"), <void**>closed, &first.logs, n)
        put_field_of(table.column("regions"), <void**>closed, &first.regions, n)
        put_field_of(table.column("goroutines"), <void**>closed, &first.n_members, n)
        put_field_of(table.column("end_goroutine"), <void**>closed, &first.ended_by, n)
        for i in range(n):
            put_int(duration, closed[i].end_ns - closed[i].start_ns)
            put_int(complete, closed[i].begun and closed[i].ended)
            put_int(open_start, not closed[i].begun)
            put_int(open_end, not closed[i].ended)
            put_name(name, &closed[i].name)
            _drop_task(&self.tasks, closed[i])
            closed[i] = NULL
        table.end_rows(n)
        return 0

    cdef int close(self, const Ending* ending) except -1:
        """Write the tasks that are open, by begin, then id."""
        cdef OpenTask* task
        cdef uint64_t i
        if not reserve(
            <void**>&self.closed, &self.room, self.n_closed + <int64_t>self.tasks.open.count,
            sizeof(OpenTask*),
        ):
            raise MemoryError("no memory for tasks")
        for i in range(self.tasks.open.mask + 1 if self.tasks.open.slots != NULL else 0):
            task = <OpenTask*>self.tasks.open.slots[i].value
            if task == NULL:
                continue
            if not task.ended:
                task.end_ns = ending.time
                task.end_seq = ending.seq
            self.closed[self.n_closed] = task
            self.n_closed += 1
        idmap_clear(&self.tasks.open)
        idmap_clear(&self.tasks.over)
        if self.n_closed > 1:
            qsort(self.closed, self.n_closed, sizeof(OpenTask*), _compare_tasks)
        return self._write()
