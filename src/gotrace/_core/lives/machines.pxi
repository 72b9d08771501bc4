# ROWS -> procs and threads: who holds whom, as intervals.
#
# A thread has a proc, a goroutine, both or neither; a proc is in the state that its thread gives
# it. What a first status says has been so since the trace began, so it amends an interval that goes
# back to there instead of cutting it.
#
# Offers: Machines, machines_take, machines_close, machines_clear.

cdef Machine* _machine(Machines* self, IdMap* map, int64_t id, bint known_before) noexcept nogil:
    """A proc or thread, idle since now if it is new, or since the trace began; NULL for no id."""
    cdef uint64_t* found
    cdef Machine* machine
    if id < 0:
        return NULL
    found = idmap_find(map, <uint64_t>id)
    if found != NULL:
        return <Machine*>found[0]
    machine = <Machine*>_made(map, <uint64_t>id, sizeof(Machine))
    if machine == NULL:
        self.no_memory = True
        return NULL
    machine.id = id
    machine.start_ns = self.sync_ns if known_before else self.now_ns
    machine.start_seq = self.sync_seq if known_before else self.now_seq
    machine.open_start = known_before
    machine.now.thread = NULL_ID
    machine.now.proc = NULL_ID
    machine.now.goroutine = NULL_ID
    machine.now.state = STATE_IDLE
    machine.now.start_ns = machine.start_ns
    machine.now.start_seq = machine.start_seq
    machine.now.open_start = known_before
    return machine


cdef Machine* _far_proc_of(Machines* self, int64_t id, bint known_before) noexcept nogil:
    cdef Machine* proc = _machine(self, &self.procs, id, known_before)
    if proc != NULL:
        proc.now.proc = <int32_t>id
        self.near_procs[id & (NEAR_MACHINES - 1)] = proc
    return proc


cdef inline Machine* _proc_of(Machines* self, int64_t id, bint known_before) noexcept nogil:
    cdef Machine* near = self.near_procs[id & (NEAR_MACHINES - 1)]
    if near != NULL and near.id == id:
        return near
    return _far_proc_of(self, id, known_before)


cdef Machine* _far_thread_of(Machines* self, int64_t id, bint known_before) noexcept nogil:
    cdef Machine* thread = _machine(self, &self.threads, id, known_before)
    if thread != NULL:
        thread.now.thread = id
        thread.open_start = True            # it may have lived before, whatever it did
        self.near_threads[id & (NEAR_MACHINES - 1)] = thread
    return thread


cdef inline Machine* _thread_of(Machines* self, int64_t id, bint known_before) noexcept nogil:
    cdef Machine* near = self.near_threads[id & (NEAR_MACHINES - 1)]
    if near != NULL and near.id == id:
        return near
    return _far_thread_of(self, id, known_before)


# --- intervals ------------------------------------------------------------------------------------

cdef void _add_time(Machine* self, int64_t ns) noexcept nogil:
    if self.now.state == STATE_IDLE:
        self.idle_ns += ns
    elif self.now.state == STATE_SYSCALL:
        self.syscall_ns += ns
    elif self.now.goroutine != NULL_ID:
        self.running_ns += ns
    else:
        self.scheduler_ns += ns


cdef void _cut(Machines* self, Machine* machine, HoldQueue* queue) noexcept nogil:
    """Close the open interval with the row that is looked at, and open one like it."""
    cdef Hold* hold = &machine.now
    if hold.start_seq == self.now_seq:
        return
    _add_time(machine, self.now_ns - hold.start_ns)
    if queue.wanted:
        if not reserve(<void**>&queue.holds, &queue.room, queue.n + 1, sizeof(Hold)):
            self.no_memory = True
            return
        hold.end_ns = self.now_ns
        hold.end_seq = self.now_seq
        queue.holds[queue.n] = hold[0]
        queue.n += 1
    hold.start_ns = self.now_ns
    hold.start_seq = self.now_seq
    hold.open_start = False


cdef inline int8_t _state_of_thread(const Machine* thread, bint in_syscall) noexcept nogil:
    if thread.now.goroutine != NULL_ID:
        return STATE_SYSCALL if in_syscall else STATE_RUNNING
    return STATE_RUNNING if thread.now.proc != NULL_ID else STATE_IDLE


cdef void _follow(Machines* self, Machine* thread, bint amends) noexcept nogil:
    """The proc of a thread is in the state of the thread."""
    cdef Machine* proc = _proc_of(self, thread.now.proc, False)
    if proc == NULL:
        return
    if not amends:
        _cut(self, proc, &self.proc_holds)
    proc.now.thread = thread.now.thread
    proc.now.goroutine = thread.now.goroutine
    proc.now.state = thread.now.state


cdef void _let_go(Machines* self, Machine* proc) noexcept nogil:
    """Nobody holds the proc any more."""
    _cut(self, proc, &self.proc_holds)
    proc.now.thread = NULL_ID
    proc.now.goroutine = NULL_ID
    proc.now.state = STATE_IDLE


cdef void _occupy(
    Machines* self, Machine* thread, int64_t goroutine, bint in_syscall, bint amends
) noexcept nogil:
    """The thread gets a goroutine, or loses it (NULL_ID); or that goes into a syscall or out."""
    if not amends:
        _cut(self, thread, &self.thread_holds)
    thread.now.goroutine = goroutine
    thread.now.state = _state_of_thread(thread, in_syscall)
    _follow(self, thread, amends)


cdef void _take_proc(Machines* self, Machine* thread, Machine* proc, bint known) noexcept nogil:
    """The thread holds the proc from now on, or if it was `known`, since the trace began."""
    cdef Machine* before
    cdef bint in_syscall = thread.now.state == STATE_SYSCALL
    if proc.now.thread != NULL_ID:          # a status that gives it to another
        before = _thread_of(self, proc.now.thread, False)
        _cut(self, before, &self.thread_holds)
        before.now.proc = NULL_ID
        before.now.state = _state_of_thread(before, before.now.state == STATE_SYSCALL)
    if not (known and thread.now.start_seq == self.sync_seq and thread.now.proc == NULL_ID):
        before = _proc_of(self, thread.now.proc, False)
        if before != NULL:
            _let_go(self, before)
        _cut(self, thread, &self.thread_holds)
    thread.now.proc = proc.now.proc
    thread.now.state = _state_of_thread(thread, in_syscall)
    _follow(self, thread, known and proc.now.start_seq == self.sync_seq)


cdef void _amend_first_sight(Machines* self, Machine* thread) noexcept nogil:
    """A thread that first told of another goroutine has held since before what it holds now."""
    cdef Hold* hold = &thread.now
    if (
        thread.start_seq <= self.sync_seq
        or hold.start_seq != thread.start_seq
        or hold.proc != NULL_ID
        or hold.goroutine != NULL_ID
    ):
        return
    thread.start_ns = hold.start_ns = self.sync_ns
    thread.start_seq = hold.start_seq = self.sync_seq
    hold.open_start = True


# --- rows -----------------------------------------------------------------------------------------

cdef void _proc_row(
    Machines* self, const Rows* rows, int64_t i, int from_state, int to
) noexcept nogil:
    cdef bint known = from_state == STATE_UNDETERMINED
    cdef Machine* proc = _proc_of(self, rows.resource_id[i], known)
    cdef Machine* thread
    if proc == NULL:
        return
    if to == STATE_RUNNING:
        proc.starts += from_state == STATE_IDLE
        thread = _thread_of(self, rows.thread[i], known)
        if thread != NULL and proc.now.thread != thread.id:
            if known:
                _amend_first_sight(self, thread)
            _take_proc(self, thread, proc, known)
        elif thread == NULL and proc.now.state == STATE_IDLE:       # held by nobody knows whom
            if not (known and proc.now.start_seq == self.sync_seq):
                _cut(self, proc, &self.proc_holds)
            proc.now.state = STATE_RUNNING
    elif to == STATE_IDLE and proc.now.state != STATE_IDLE:
        thread = _thread_of(self, proc.now.thread, False)
        proc.steals += proc.now.state == STATE_SYSCALL
        if thread != NULL:
            _cut(self, thread, &self.thread_holds)
            thread.now.proc = NULL_ID
            thread.now.state = _state_of_thread(thread, thread.now.state == STATE_SYSCALL)
        _let_go(self, proc)


cdef void _status_row(
    Machines* self, const Rows* rows, int64_t i, int from_state, int to
) noexcept nogil:
    """A goroutine is said to be executing, on a thread or on none that is told."""
    cdef bint known = from_state == STATE_UNDETERMINED
    cdef Machine* thread = _thread_of(self, rows.thread[i], known)
    cdef bint amends
    if thread == NULL or thread.now.goroutine == rows.resource_id[i]:
        return
    if known:
        _amend_first_sight(self, thread)
    amends = known and thread.now.start_seq == self.sync_seq and thread.now.goroutine == NULL_ID
    _occupy(self, thread, rows.resource_id[i], to == STATE_SYSCALL, amends)


cdef inline void _goroutine_row(
    Machines* self, const Rows* rows, int64_t i, uint8_t code
) noexcept nogil:
    cdef int from_state = code >> 3 & 7
    cdef int to = code & 7
    cdef bint executed = from_state == STATE_RUNNING or from_state == STATE_SYSCALL
    cdef bint executes = to == STATE_RUNNING or to == STATE_SYSCALL
    cdef Machine* thread
    if not executed and not executes:
        if rows.proc[i] == NULL_ID:         # a thread without anything: the monitor, the poller
            _thread_of(self, rows.thread[i], False)
    elif from_state == to or from_state == STATE_UNDETERMINED:
        if executes:
            _status_row(self, rows, i, from_state, to)
    else:
        thread = _thread_of(self, rows.thread[i], False)
        if thread == NULL:
            return
        if executes:
            _occupy(self, thread, rows.resource_id[i], to == STATE_SYSCALL, False)
        elif thread.now.goroutine == rows.resource_id[i]:
            _occupy(self, thread, NULL_ID, False, False)
        if to == STATE_RUNNING and not executed:
            thread.runs += 1
            if thread.now.proc != NULL_ID:
                _proc_of(self, thread.now.proc, False).runs += 1


cdef int machines_take(Machines* self, const Rows* rows) noexcept nogil:
    """Look at a chunk of rows; -1 without memory. The queues have what closed."""
    cdef uint8_t sync = other_code(KIND_SYNC, NULL_ID)
    cdef uint8_t code
    cdef int64_t i
    for i in range(rows.count):
        code = rows.code[i]
        self.now_ns = rows.time[i]
        self.now_seq = rows.first_seq + i
        if code & (CODE_TRANSITION | CODE_PROC) == CODE_TRANSITION:
            _goroutine_row(self, rows, i, code)
        elif code & CODE_TRANSITION:
            _proc_row(self, rows, i, code >> 3 & 7, code & 7)
        elif code == sync:
            self.sync_ns = rows.time[i]
            self.sync_seq = rows.first_seq + i
    return -1 if self.no_memory else 0


# --- the end --------------------------------------------------------------------------------------

cdef int _compare_machines(const void* a, const void* b) noexcept nogil:
    """By begin, then id."""
    cdef const Machine* left = (<Machine**>a)[0]
    cdef const Machine* right = (<Machine**>b)[0]
    if left.start_seq != right.start_seq:
        return -1 if left.start_seq < right.start_seq else 1
    return -1 if left.id < right.id else 1


cdef int _compare_holds(const void* a, const void* b) noexcept nogil:
    """By begin, then id: `end_ns` holds it for as long as this takes."""
    cdef const Hold* left = <Hold*>a
    cdef const Hold* right = <Hold*>b
    if left.start_seq != right.start_seq:
        return -1 if left.start_seq < right.start_seq else 1
    return -1 if left.end_ns < right.end_ns else 1


cdef int64_t machines_list(IdMap* map, Machine*** machines, int64_t* room) noexcept nogil:
    """All of them, by begin; -1 without memory."""
    cdef int64_t n = 0
    cdef uint64_t i
    if not reserve(<void**>machines, room, <int64_t>map.count, sizeof(Machine*)):
        return -1
    for i in range(map.mask + 1 if map.slots != NULL else 0):
        if map.slots[i].value:
            machines[0][n] = <Machine*>map.slots[i].value
            n += 1
    if n > 1:
        qsort(machines[0], n, sizeof(Machine*), _compare_machines)
    return n


cdef void machine_close(
    Machines* self, Machine* machine, HoldQueue* queue, const Ending* ending
) noexcept nogil:
    """The trace, or a stretch of it, is over for a machine: queue its open interval."""
    cdef Hold* hold
    _add_time(machine, ending.time - machine.now.start_ns)
    machine.end_ns = ending.time
    machine.end_seq = ending.seq
    machine.open_end = True
    if not queue.wanted:
        return
    if not reserve(<void**>&queue.holds, &queue.room, queue.n + 1, sizeof(Hold)):
        self.no_memory = True
        return
    hold = &queue.holds[queue.n]
    hold[0] = machine.now
    hold.end_ns = machine.id
    hold.end_seq = ending.seq
    hold.open_end = True
    queue.n += 1


cdef void holds_close(HoldQueue* queue, const Ending* ending) noexcept nogil:
    """Those that the trace ended in, by begin."""
    cdef int64_t i
    if queue.n > 1:
        qsort(queue.holds, queue.n, sizeof(Hold), _compare_holds)
    for i in range(queue.n):
        queue.holds[i].end_ns = ending.time


cdef void machines_reset(Machines* self) noexcept nogil:
    """Forget everything."""
    _free_values(&self.procs)
    _free_values(&self.threads)
    memset(self.near_procs, 0, sizeof(self.near_procs))
    memset(self.near_threads, 0, sizeof(self.near_threads))


cdef void machines_clear(Machines* self) noexcept nogil:
    machines_reset(self)
    free(self.proc_holds.holds)
    free(self.thread_holds.holds)
