# One function per event: may it happen now, what does it change, which rows does it give.
#
# Rules, event by event: Go 1.27's internal/trace ordering. An event that must wait changes nothing.
# The context in a row is that of the thread before the event.
#
# Offers: advance.

cdef int _broken(
    Ordering* self, const Cursor* event, int code, int64_t a, int64_t b
) noexcept nogil:
    return set_fault(&self.fault, code, event_offset(self.generation, event), a, b)


cdef inline bint _follows(
    uint64_t sequence_of, uint64_t sequence, uint64_t generation, uint64_t next
) noexcept nogil:
    """Sequence numbers mean something within one generation only."""
    return sequence_of == generation and sequence + 1 == next


cdef inline int _needs_goroutine(Ordering* self, const Cursor* event) noexcept nogil:
    """The thread, its proc and its goroutine must be there: user code is running."""
    cdef const Thread* thread = event.thread
    if thread.goroutine != NULL and thread.proc != NULL:
        return ADVANCED
    if thread.id == NULL_ID:
        return _broken(self, event, FAULT_NEEDS_THREAD, event.type, 0)
    return _broken(
        self, event, FAULT_NEEDS_GOROUTINE if thread.proc != NULL else FAULT_NEEDS_PROC,
        event.type, 0,
    )


cdef inline int _needs_proc(Ordering* self, const Cursor* event) noexcept nogil:
    if event.thread.proc != NULL:
        return ADVANCED
    return _broken(
        self, event, FAULT_NEEDS_THREAD if event.thread.id == NULL_ID else FAULT_NEEDS_PROC,
        event.type, 0,
    )


cdef inline int _needs_status(Ordering* self, const Cursor* event, uint8_t status) noexcept nogil:
    """The goroutine that is bound to the thread must be in `status`."""
    cdef const Goroutine* goroutine = event.thread.goroutine
    if goroutine.status == status:
        return ADVANCED
    return _broken(
        self, event, FAULT_GOROUTINE_STATE if goroutine.status else FAULT_GOROUTINE_UNKNOWN,
        goroutine.id, status,
    )


cdef inline int goroutine_state(uint8_t status) noexcept nogil:
    if status == WIRE_GO_RUNNABLE:
        return STATE_RUNNABLE
    if status == WIRE_GO_RUNNING:
        return STATE_RUNNING
    if status == WIRE_GO_SYSCALL:
        return STATE_SYSCALL
    if status == WIRE_GO_WAITING:
        return STATE_WAITING
    return STATE_UNDETERMINED


cdef inline int proc_state(uint8_t status) noexcept nogil:
    """A proc in a syscall counts as running, one whose thread has left it as idle."""
    if status == WIRE_PROC_RUNNING or status == WIRE_PROC_SYSCALL:
        return STATE_RUNNING
    if status == WIRE_PROC_IDLE or status == WIRE_PROC_SYSCALL_ABANDONED:
        return STATE_IDLE
    return STATE_UNDETERMINED


# --- procs --------------------------------------------------------------------------------------

cdef inline bint _holds(const Proc* proc) noexcept nogil:
    """Whether the holder that is remembered still holds it."""
    return proc.holder != NULL and proc.holder.proc == proc


cdef Thread* _holder_of(Ordering* self, Proc* proc) noexcept nogil:
    cdef Thread* thread = proc.holder
    cdef uint64_t i
    if _holds(proc):
        return thread
    if self.threads.slots != NULL:
        for i in range(self.threads.mask + 1):
            thread = <Thread*>self.threads.slots[i].value
            if thread != NULL and thread.proc == proc:
                proc.holder = thread
                return thread
    return NULL


cdef int _proc_status(Ordering* self, Cursor* event) noexcept nogil:
    cdef uint64_t id = event.args[0]
    cdef uint8_t wire = <uint8_t>event.args[1]
    cdef uint8_t status = wire if wire else STATUS_BAD
    cdef Proc* proc = proc_find(self, id)
    cdef Thread* holder
    cdef int from_state = proc_state(status)
    if event.args[1] > WIRE_PROC_SYSCALL_ABANDONED:
        return _broken(self, event, FAULT_STATUS, <int64_t>event.args[1], 0)
    if proc == NULL:
        if id > INT32_MAX:
            return _broken(self, event, FAULT_LIMIT_ID, <int64_t>id, 0)
        proc = proc_create(self, id)
        if proc == NULL:
            return _broken(self, event, FAULT_NO_MEMORY, 0, 0)
        proc.status = status
        from_state = STATE_UNDETERMINED if self.is_initial else STATE_NOTEXIST
    elif status == WIRE_PROC_SYSCALL_ABANDONED and proc.status == WIRE_PROC_SYSCALL:
        # About to be stolen, and we still know from whom: it is the holder that this is about.
        if _try(self, event, 1 if _holds(proc) else <int64_t>self.threads.mask) < 0:
            return BROKEN
        holder = _holder_of(self, proc)
        if holder == NULL:
            return _broken(self, event, FAULT_PROC_HOLDER, proc.id, 0)
        proc.sequence = 0
        proc.sequence_of = self.generation.number
        emit_in(
            self, event.time, holder.id, holder.proc_id, holder.goroutine_id,
            proc_code(STATE_RUNNING, STATE_RUNNING), proc.id, NULL_ID, NULL_ID, NULL_ID,
        )
        return ADVANCED
    elif proc.status != status:
        return _broken(self, event, FAULT_PROC_STATUS, proc.id, 0)
    proc.sequence = 0
    proc.sequence_of = self.generation.number
    emit(self, event, proc_code(from_state, proc_state(status)), proc.id, NULL_ID, NULL_ID, NULL_ID)
    if status == WIRE_PROC_RUNNING or status == WIRE_PROC_SYSCALL:
        bind_proc(event.thread, proc)
    return ADVANCED


cdef int _proc_start(Ordering* self, Cursor* event) noexcept nogil:
    cdef Proc* proc = proc_find(self, event.args[0])
    if proc == NULL or proc.status != WIRE_PROC_IDLE or event.thread.proc != NULL:
        return WAITS
    if not _follows(proc.sequence_of, proc.sequence, self.generation.number, event.args[1]):
        return WAITS
    if event.thread.id == NULL_ID:
        return _broken(self, event, FAULT_NEEDS_THREAD, event.type, 0)
    proc.status = WIRE_PROC_RUNNING
    proc.sequence = event.args[1]
    emit_bare(self, event, proc_code(STATE_IDLE, STATE_RUNNING), proc.id)
    bind_proc(event.thread, proc)
    return ADVANCED


cdef int _proc_stop(Ordering* self, Cursor* event) noexcept nogil:
    cdef Proc* proc = event.thread.proc
    if _needs_proc(self, event) < 0:
        return BROKEN
    if proc.status != WIRE_PROC_RUNNING and proc.status != WIRE_PROC_SYSCALL:
        return _broken(self, event, FAULT_PROC_STATE, proc.id, 0)
    proc.status = WIRE_PROC_IDLE
    emit_bare(self, event, proc_code(STATE_RUNNING, STATE_IDLE), proc.id)
    unbind_proc(event.thread)
    return ADVANCED


cdef int _proc_steal(Ordering* self, Cursor* event) noexcept nogil:
    cdef Proc* proc = proc_find(self, event.args[0])
    cdef Thread* victim
    cdef uint8_t status
    if proc == NULL:
        return WAITS
    status = proc.status
    if status != WIRE_PROC_SYSCALL and status != WIRE_PROC_SYSCALL_ABANDONED:
        return WAITS
    if not _follows(proc.sequence_of, proc.sequence, self.generation.number, event.args[1]):
        return WAITS
    if event.thread.id == NULL_ID:
        return _broken(self, event, FAULT_NEEDS_THREAD, event.type, 0)
    proc.status = WIRE_PROC_IDLE
    proc.sequence = event.args[1]
    if status == WIRE_PROC_SYSCALL_ABANDONED:       # nobody holds it, whatever the event says
        emit_bare(self, event, proc_code(STATE_IDLE, STATE_IDLE), proc.id)
        return ADVANCED
    victim = event.thread
    if event.args[2] != <uint64_t>victim.id:
        victim = thread_find(self, event.args[2])
    if victim == NULL or victim.proc != proc:
        return _broken(self, event, FAULT_STEAL, proc.id, <int64_t>event.args[2])
    emit_bare(self, event, proc_code(STATE_RUNNING, STATE_IDLE), proc.id)
    unbind_proc(victim)
    return ADVANCED


# --- goroutines ---------------------------------------------------------------------------------

cdef int _new_goroutine(
    Ordering* self, Cursor* event, uint8_t status, Goroutine** created
) noexcept nogil:
    cdef uint64_t id = event.args[0]
    cdef Goroutine* goroutine = goroutine_find(&self.goroutines, id)
    if goroutine != NULL and goroutine.status != UNKNOWN:
        return _broken(self, event, FAULT_GOROUTINE_EXISTS, goroutine.id, 0)
    if id > INT64_MAX:
        return _broken(self, event, FAULT_LIMIT_ID, <int64_t>id, 0)
    created[0] = goroutine_create(&self.goroutines, id, status, self.generation.number)
    if created[0] == NULL:
        return _broken(self, event, FAULT_NO_MEMORY, 0, 0)
    return ADVANCED


cdef int _go_status(Ordering* self, Cursor* event) noexcept nogil:
    cdef uint64_t id = event.args[0]
    cdef uint64_t thread_id = event.args[1]
    cdef uint8_t wire = <uint8_t>event.args[2]
    cdef uint8_t status = wire if wire else STATUS_BAD
    cdef Goroutine* goroutine = goroutine_find(&self.goroutines, id)
    cdef Thread* thread = event.thread
    cdef Thread* other
    cdef int64_t context_thread = thread.id
    cdef int64_t context_goroutine = thread.goroutine_id
    cdef int64_t stack = NULL_ID
    cdef int from_state = goroutine_state(status)
    if event.args[2] > WIRE_GO_WAITING:
        return _broken(self, event, FAULT_STATUS, <int64_t>event.args[2], 0)
    if goroutine != NULL and goroutine.status != UNKNOWN:
        if goroutine.status != status:
            return _broken(self, event, FAULT_GOROUTINE_STATUS, goroutine.id, 0)
        goroutine.sequence = 0
        goroutine.sequence_of = self.generation.number
    elif not self.is_initial:
        return _broken(self, event, FAULT_GOROUTINE_NEW, <int64_t>id, 0)
    else:
        if _new_goroutine(self, event, status, &goroutine) < 0:
            return BROKEN
        from_state = STATE_UNDETERMINED
    if event.type == EV_GO_STATUS_STACK:
        stack = stack_of(self, event.args[3])
    if status == WIRE_GO_SYSCALL:
        if thread_id == NO_ID:
            return _broken(self, event, FAULT_SYSCALL_THREAD, goroutine.id, NULL_ID)
        if thread_id == <uint64_t>thread.id:
            if not self.is_initial and thread.goroutine != goroutine:
                return _broken(self, event, FAULT_SYSCALL_THREAD, goroutine.id, thread.id)
        else:
            other = thread_find(self, thread_id)
            if other == NULL:
                if thread_id > INT64_MAX:
                    return _broken(self, event, FAULT_LIMIT_ID, <int64_t>thread_id, 0)
                other = thread_create(self, thread_id)
                if other == NULL:
                    return _broken(self, event, FAULT_NO_MEMORY, 0, 0)
                other.seen = True
                bind_goroutine(other, goroutine)
            elif other.goroutine != goroutine:
                return _broken(self, event, FAULT_SYSCALL_THREAD, goroutine.id, other.id)
            else:
                context_goroutine = goroutine.id
            context_thread = other.id
    emit_in(
        self, event.time, context_thread, thread.proc_id, context_goroutine,
        goroutine_code(from_state, goroutine_state(status)), goroutine.id, stack, stack, NULL_ID,
    )
    if status == WIRE_GO_RUNNING or (
        status == WIRE_GO_SYSCALL and thread_id == <uint64_t>thread.id
    ):
        bind_goroutine(thread, goroutine)
    return ADVANCED


cdef int _go_create(Ordering* self, Cursor* event) noexcept nogil:
    """Also by a timer, on a proc without a goroutine."""
    cdef Goroutine* creator = event.thread.goroutine
    cdef Goroutine* created
    cdef bint blocked = event.type == EV_GO_CREATE_BLOCKED
    if _needs_proc(self, event) < 0:
        return BROKEN
    if creator != NULL and creator.status != UNKNOWN and creator.status != WIRE_GO_RUNNING:
        return _broken(self, event, FAULT_GOROUTINE_STATE, creator.id, WIRE_GO_RUNNING)
    if _new_goroutine(self, event, WIRE_GO_WAITING if blocked else WIRE_GO_RUNNABLE, &created) < 0:
        return BROKEN
    emit(
        self, event, goroutine_code(STATE_NOTEXIST, STATE_WAITING if blocked else STATE_RUNNABLE),
        created.id, stack_of(self, event.args[2]), stack_of(self, event.args[1]), NULL_ID,
    )
    return ADVANCED


cdef int _go_create_syscall(Ordering* self, Cursor* event) noexcept nogil:
    """A thread of C calls into Go."""
    cdef Goroutine* created
    if event.thread.id == NULL_ID:
        return _broken(self, event, FAULT_NEEDS_THREAD, event.type, 0)
    if event.thread.goroutine != NULL:
        return _broken(self, event, FAULT_HAS_GOROUTINE, event.thread.goroutine_id, 0)
    if _new_goroutine(self, event, WIRE_GO_SYSCALL, &created) < 0:
        return BROKEN
    emit_bare(self, event, goroutine_code(STATE_NOTEXIST, STATE_SYSCALL), created.id)
    bind_goroutine(event.thread, created)
    return ADVANCED


cdef inline int _go_start(Ordering* self, Cursor* event) noexcept nogil:
    cdef Goroutine* goroutine = goroutine_find(&self.goroutines, event.args[0])
    cdef Thread* thread = event.thread
    if goroutine == NULL or goroutine.status != WIRE_GO_RUNNABLE:
        return WAITS
    if not _follows(
        goroutine.sequence_of, goroutine.sequence, self.generation.number, event.args[1]
    ):
        return WAITS
    if thread.proc == NULL:
        return _needs_proc(self, event)
    if thread.goroutine != NULL:
        return _broken(self, event, FAULT_HAS_GOROUTINE, thread.goroutine_id, 0)
    goroutine.status = WIRE_GO_RUNNING
    goroutine.sequence = event.args[1]
    emit_bare(self, event, goroutine_code(STATE_RUNNABLE, STATE_RUNNING), goroutine.id)
    bind_goroutine(thread, goroutine)
    return ADVANCED


cdef inline int _go_leave(
    Ordering* self, Cursor* event, uint8_t status, int to_state
) noexcept nogil:
    """GoStop and GoBlock: off the thread, with a reason and a stack."""
    cdef Goroutine* goroutine = event.thread.goroutine
    cdef int64_t stack
    if _needs_goroutine(self, event) < 0 or _needs_status(self, event, WIRE_GO_RUNNING) < 0:
        return BROKEN
    goroutine.status = status
    stack = stack_of(self, event.args[1])
    emit(
        self, event, goroutine_code(STATE_RUNNING, to_state), goroutine.id, stack, stack,
        reason_of(self, event.args[0]),
    )
    unbind_goroutine(event.thread)
    return ADVANCED


cdef int _go_destroy(Ordering* self, Cursor* event) noexcept nogil:
    cdef Goroutine* goroutine = event.thread.goroutine
    if _needs_goroutine(self, event) < 0 or _needs_status(self, event, WIRE_GO_RUNNING) < 0:
        return BROKEN
    emit_bare(self, event, goroutine_code(STATE_RUNNING, STATE_NOTEXIST), goroutine.id)
    _forget_goroutine(self, goroutine)
    unbind_goroutine(event.thread)
    return ADVANCED


cdef void _forget_goroutine(Ordering* self, Goroutine* goroutine) noexcept nogil:
    """Its open regions and ranges end with the row just emitted, though no event says so."""
    cdef int64_t first
    if goroutine.regions != NULL or goroutine.ranges != NULL:
        first = self.rows.n_extras
        _close_all(self, &goroutine.regions, first)
        _close_all(self, &goroutine.ranges, first)
    goroutine_end(&self.goroutines, goroutine)


cdef void _close_all(Ordering* self, Interval** intervals, int64_t first) noexcept nogil:
    """Hang the intervals on the last row, among its extras from `first` on, by their begin."""
    cdef Interval* interval
    cdef Extra* extra
    intervals[0] = intervals_reversed(intervals[0])     # so that hardly one has to be moved
    while intervals[0] != NULL:
        interval = intervals[0]
        intervals[0] = interval.next
        extra = add_extra(self.rows, KIND_STATE_TRANSITION, 0)
        if extra == NULL:
            set_fault(&self.fault, FAULT_NO_MEMORY, 0, 0, 0)
            interval_free(&self.intervals, interval)
            continue
        extra.row = self.rows.count - 1
        while extra > &self.rows.extras[first] and (extra - 1).ended.start_seq > interval.start_seq:
            extra.ended = (extra - 1).ended
            extra -= 1
        extra.ended = interval


cdef inline int _go_unblock(Ordering* self, Cursor* event) noexcept nogil:
    """By anybody: the network poller and the monitor thread have neither goroutine nor proc."""
    cdef Goroutine* goroutine = goroutine_find(&self.goroutines, event.args[0])
    if goroutine == NULL or goroutine.status != WIRE_GO_WAITING:
        return WAITS
    if not _follows(
        goroutine.sequence_of, goroutine.sequence, self.generation.number, event.args[1]
    ):
        return WAITS
    goroutine.status = WIRE_GO_RUNNABLE
    goroutine.sequence = event.args[1]
    emit(
        self, event, goroutine_code(STATE_WAITING, STATE_RUNNABLE), goroutine.id,
        stack_of(self, event.args[2]), NULL_ID, NULL_ID,
    )
    return ADVANCED


cdef int _go_switch(Ordering* self, Cursor* event) noexcept nogil:
    """A coroutine hands its thread to another: unblock, block or die, start, at one instant."""
    cdef Thread* thread = event.thread
    cdef Goroutine* current = thread.goroutine
    cdef Goroutine* next
    cdef bint dies = event.type == EV_GO_SWITCH_DESTROY
    if _needs_goroutine(self, event) < 0 or _needs_status(self, event, WIRE_GO_RUNNING) < 0:
        return BROKEN
    next = goroutine_find(&self.goroutines, event.args[0])
    if next == NULL or next.status != WIRE_GO_WAITING:
        return WAITS
    if not _follows(next.sequence_of, next.sequence, self.generation.number, event.args[1]):
        return WAITS
    emit(
        self, event, goroutine_code(STATE_WAITING, STATE_RUNNABLE), next.id,
        NULL_ID, NULL_ID, SWITCHES,
    )
    emit_bare(
        self, event,
        goroutine_code(STATE_RUNNING, STATE_NOTEXIST if dies else STATE_WAITING), current.id,
    )
    if dies:
        _forget_goroutine(self, current)
    else:
        current.status = WIRE_GO_WAITING
    unbind_goroutine(thread)
    emit_bare(self, event, goroutine_code(STATE_RUNNABLE, STATE_RUNNING), next.id)
    next.status = WIRE_GO_RUNNING
    next.sequence = event.args[1]
    bind_goroutine(thread, next)
    return ADVANCED


# --- syscalls -----------------------------------------------------------------------------------

cdef inline int _go_syscall_begin(Ordering* self, Cursor* event) noexcept nogil:
    """It carries a number of the proc: that tells which syscall a steal hits."""
    cdef Goroutine* goroutine = event.thread.goroutine
    cdef Proc* proc = event.thread.proc
    cdef int64_t stack
    if _needs_goroutine(self, event) < 0 or _needs_status(self, event, WIRE_GO_RUNNING) < 0:
        return BROKEN
    if not _follows(proc.sequence_of, proc.sequence, self.generation.number, event.args[0]):
        return _broken(self, event, FAULT_PROC_SEQUENCE, proc.id, <int64_t>event.args[0])
    goroutine.status = WIRE_GO_SYSCALL
    proc.status = WIRE_PROC_SYSCALL
    proc.sequence = event.args[0]
    stack = stack_of(self, event.args[1])
    emit(
        self, event, goroutine_code(STATE_RUNNING, STATE_SYSCALL), goroutine.id,
        stack, stack, NULL_ID,
    )
    return ADVANCED


cdef inline int _go_syscall_end(Ordering* self, Cursor* event) noexcept nogil:
    cdef Goroutine* goroutine = event.thread.goroutine
    cdef Proc* proc = event.thread.proc
    if _needs_goroutine(self, event) < 0 or _needs_status(self, event, WIRE_GO_SYSCALL) < 0:
        return BROKEN
    if proc.status != WIRE_PROC_SYSCALL:
        return _broken(self, event, FAULT_PROC_STATE, proc.id, 0)
    goroutine.status = WIRE_GO_RUNNING
    proc.status = WIRE_PROC_RUNNING
    emit_bare(self, event, goroutine_code(STATE_SYSCALL, STATE_RUNNING), goroutine.id)
    return ADVANCED


cdef int _needs_syscall(Ordering* self, Cursor* event) noexcept nogil:
    """A thread with a goroutine that is in a syscall; the proc may be gone."""
    if event.thread.id == NULL_ID:
        return _broken(self, event, FAULT_NEEDS_THREAD, event.type, 0)
    if event.thread.goroutine == NULL:
        return _broken(self, event, FAULT_NEEDS_GOROUTINE, event.type, 0)
    return _needs_status(self, event, WIRE_GO_SYSCALL)


cdef int _go_syscall_end_blocked(Ordering* self, Cursor* event) noexcept nogil:
    """It has to wait until the proc it went in with was taken from it."""
    cdef Thread* thread = event.thread
    if thread.proc != NULL and thread.proc.status == WIRE_PROC_SYSCALL:
        return WAITS
    if _needs_syscall(self, event) < 0:
        return BROKEN
    thread.goroutine.status = WIRE_GO_RUNNABLE
    emit_bare(self, event, goroutine_code(STATE_SYSCALL, STATE_RUNNABLE), thread.goroutine_id)
    unbind_goroutine(thread)
    return ADVANCED


cdef int _go_destroy_syscall(Ordering* self, Cursor* event) noexcept nogil:
    """The way back to C. The proc stays behind until it is stolen, which nobody would report."""
    cdef Thread* thread = event.thread
    cdef Goroutine* goroutine = thread.goroutine
    if _needs_syscall(self, event) < 0:
        return BROKEN
    if thread.proc != NULL:
        if thread.proc.status != WIRE_PROC_SYSCALL:
            return _broken(self, event, FAULT_PROC_STATE, thread.proc.id, 0)
        thread.proc.status = WIRE_PROC_SYSCALL_ABANDONED
        emit_bare(self, event, proc_code(STATE_RUNNING, STATE_IDLE), thread.proc_id)
    emit_bare(self, event, goroutine_code(STATE_SYSCALL, STATE_NOTEXIST), goroutine.id)
    _forget_goroutine(self, goroutine)
    unbind_goroutine(thread)
    unbind_proc(thread)
    return ADVANCED


# --- the dispatch -------------------------------------------------------------------------------

cdef inline int advance(Ordering* self, Cursor* event) noexcept nogil:
    """Let the head event of a thread happen: ADVANCED, WAITS or BROKEN."""
    cdef uint8_t type = event.type
    if type == EV_GO_START:
        take_args(event, 2)
        return _go_start(self, event)
    elif type == EV_GO_BLOCK:
        take_args(event, 2)
        return _go_leave(self, event, WIRE_GO_WAITING, STATE_WAITING)
    elif type == EV_GO_UNBLOCK:
        take_args(event, 3)
        return _go_unblock(self, event)
    elif type == EV_GO_STOP:
        take_args(event, 2)
        return _go_leave(self, event, WIRE_GO_RUNNABLE, STATE_RUNNABLE)
    elif type == EV_GO_SYSCALL_BEGIN:
        take_args(event, 2)
        return _go_syscall_begin(self, event)
    elif type == EV_GO_SYSCALL_END:
        take_args(event, 0)
        return _go_syscall_end(self, event)
    elif type == EV_GO_SWITCH or type == EV_GO_SWITCH_DESTROY:
        take_args(event, 2)
        return _go_switch(self, event)
    elif type == EV_GO_CREATE or type == EV_GO_CREATE_BLOCKED:
        take_args(event, 3)
        return _go_create(self, event)
    elif type == EV_GO_DESTROY:
        take_args(event, 0)
        return _go_destroy(self, event)
    elif type == EV_USER_REGION_BEGIN or type == EV_USER_REGION_END:
        take_args(event, 3)
        return _region(self, event)
    take_args(event, EVENT_ARGS[type])
    return _advance_rare(self, event)


cdef int _advance_rare(Ordering* self, Cursor* event) noexcept nogil:
    """The events that are not thousands to one."""
    cdef uint8_t type = event.type
    if type == EV_PROC_START:
        return _proc_start(self, event)
    elif type == EV_PROC_STOP:
        return _proc_stop(self, event)
    elif type == EV_PROC_STEAL:
        return _proc_steal(self, event)
    elif type == EV_PROC_STATUS:
        return _proc_status(self, event)
    elif type == EV_GO_STATUS or type == EV_GO_STATUS_STACK:
        return _go_status(self, event)
    elif type == EV_GO_SYSCALL_END_BLOCKED:
        return _go_syscall_end_blocked(self, event)
    elif type == EV_GO_CREATE_SYSCALL:
        return _go_create_syscall(self, event)
    elif type == EV_GO_DESTROY_SYSCALL:
        return _go_destroy_syscall(self, event)
    return annotate(self, event)
