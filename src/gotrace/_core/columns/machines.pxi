# Machines -> `procs`, `threads`, and their intervals.
#
# Offers: MachineTables.

cdef class MachineTables:
    cdef Machines machines
    cdef Table procs, threads, proc_states, thread_states

    def __cinit__(self, dict tables, uint64_t seed):
        memset(&self.machines, 0, sizeof(Machines))
        self.machines.procs.seed = seed
        self.machines.threads.seed = seed
        self.procs = tables.get("procs")
        self.threads = tables.get("threads")
        self.proc_states = tables.get("proc_states")
        self.thread_states = tables.get("thread_states")
        self.machines.proc_holds.wanted = self.proc_states is not None
        self.machines.thread_holds.wanted = self.thread_states is not None

    def __dealloc__(self):
        machines_clear(&self.machines)

    cdef int64_t memory(self) noexcept:
        """Bytes of what was ever seen: nothing says when a proc or thread is gone."""
        cdef int64_t count = <int64_t>(self.machines.procs.count + self.machines.threads.count)
        return (
            count * <int64_t>sizeof(Machine) + idmap_bytes(&self.machines.procs)
            + idmap_bytes(&self.machines.threads)
        )

    cdef int take(self, const Rows* rows) except -1:
        cdef int status
        with nogil:
            status = machines_take(&self.machines, rows)
        if status < 0:
            raise MemoryError("no memory for procs and threads")
        self._write()
        return 0

    cdef int _write(self) except -1:
        """Rows of the intervals that closed."""
        if self.proc_states is not None:
            self._put_holds(self.proc_states, &self.machines.proc_holds)
        if self.thread_states is not None:
            self._put_holds(self.thread_states, &self.machines.thread_holds)
        return 0

    cdef int _put_holds(self, Table table, HoldQueue* queue) except -1:
        cdef Hold* first = queue.holds
        cdef int64_t n = queue.n
        cdef Column* duration = table.column("duration_ns")
        cdef int64_t i
        if n == 0:
            return 0
        put_field(table.column("proc"), &first.proc, sizeof(Hold), n)
        put_field(table.column("thread"), &first.thread, sizeof(Hold), n)
        put_field(table.column("goroutine"), &first.goroutine, sizeof(Hold), n)
        put_field(table.column("state"), &first.state, sizeof(Hold), n)
        put_field(table.column("start_ns"), &first.start_ns, sizeof(Hold), n)
        put_field(table.column("end_ns"), &first.end_ns, sizeof(Hold), n)
        put_field(table.column("start_seq"), &first.start_seq, sizeof(Hold), n)
        put_field(table.column("end_seq"), &first.end_seq, sizeof(Hold), n)
        put_field(table.column("open_start"), &first.open_start, sizeof(Hold), n)
        put_field(table.column("open_end"), &first.open_end, sizeof(Hold), n)
        for i in range(n):
            put_int(duration, queue.holds[i].end_ns - queue.holds[i].start_ns)
        table.end_rows(n)
        queue.n = 0
        return 0

    cdef int close(self, const Ending* ending) except -1:
        """The trace, or a stretch of it, is over; what follows is like a new trace."""
        self._close(self.procs, &self.machines.procs, &self.machines.proc_holds, ending)
        self._close(self.threads, &self.machines.threads, &self.machines.thread_holds, ending)
        self._write()
        machines_reset(&self.machines)
        return 0

    cdef int _close(
        self, Table table, IdMap* map, HoldQueue* queue, const Ending* ending
    ) except -1:
        cdef Machine** machines = NULL
        cdef int64_t room = 0
        cdef int64_t n = machines_list(map, &machines, &room)
        cdef int64_t i
        try:
            for i in range(n):
                machine_close(&self.machines, machines[i], queue, ending)
            holds_close(queue, ending)
            if n < 0 or self.machines.no_memory:
                raise MemoryError("no memory for procs and threads")
            if table is not None and n:
                self._put_machines(table, machines, n)
        finally:
            free(machines)
        return 0

    cdef int _put_machines(self, Table table, Machine** machines, int64_t n) except -1:
        cdef Machine* first = machines[0]
        cdef void** all = <void**>machines
        cdef Column* duration = table.column("duration_ns")
        cdef int64_t i
        put_field_of(table.column("proc"), all, &first.now.proc, n)
        put_field_of(table.column("thread"), all, &first.now.thread, n)
        put_field_of(table.column("start_ns"), all, &first.start_ns, n)
        put_field_of(table.column("end_ns"), all, &first.end_ns, n)
        put_field_of(table.column("start_seq"), all, &first.start_seq, n)
        put_field_of(table.column("end_seq"), all, &first.end_seq, n)
        put_field_of(table.column("running_ns"), all, &first.running_ns, n)
        put_field_of(table.column("scheduler_ns"), all, &first.scheduler_ns, n)
        put_field_of(table.column("syscall_ns"), all, &first.syscall_ns, n)
        put_field_of(table.column("idle_ns"), all, &first.idle_ns, n)
        put_field_of(table.column("runs"), all, &first.runs, n)
        put_field_of(table.column("starts"), all, &first.starts, n)
        put_field_of(table.column("steals"), all, &first.steals, n)
        put_field_of(table.column("open_start"), all, &first.open_start, n)
        put_field_of(table.column("open_end"), all, &first.open_end, n)
        for i in range(n):
            put_int(duration, machines[i].end_ns - machines[i].start_ns)
        table.end_rows(n)
        return 0
