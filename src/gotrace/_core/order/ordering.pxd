"""Ordering: everything that decides which event comes next, and the emission of rows.

The state survives generations. It holds no column and no Python object.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint64_t

from gotrace._core.decode.event_cursor cimport Cursor
from gotrace._core.decode.generation cimport (
    NO_REASON_YET, NULL_ID, UNKNOWN_ID, Generation, Text,
    position_of, stack_content_id, string_text,
)
from gotrace._core.fault cimport (
    FAULT_LIMIT_REASONS, FAULT_NO_MEMORY, FAULT_STACK_ID, FAULT_STRING_ID, Fault, set_fault,
)
from gotrace._core.memory.idmap cimport IdMap, idmap_find, idmap_put
from gotrace._core.memory.texts cimport TextTable, text_number
from gotrace._core.order.rows cimport Extra, Rows, add_extra
from gotrace._core.order.states cimport Goroutine, Goroutines, Interval, IntervalPool, Proc, Thread
from libc.stdlib cimport calloc

cdef enum:
    WAITS = 0                   # not yet: another thread has to go first
    ADVANCED = 1
    BROKEN = -1                 # `ordering.fault` says why

cdef enum:
    MOST_REASONS = 4096         # to block; Go has had 69 so far
    MOST_STOPS = 256            # kinds of stop-the-world
    MOST_MISNESTED = 1000       # so many innermost regions are searched for the one that ends

cdef enum:
    GC_UNDETERMINED
    GC_NOT_RUNNING
    GC_RUNNING


cdef struct Ordering:
    Fault fault
    bint lenient                # misnested user regions are taken as they come
    int64_t misnested           # how many were
    uint64_t initial            # number of the first generation with events; 0: none yet
    bint is_initial             # the current generation has that number
    Generation* generation
    Rows* rows
    Goroutines goroutines
    IdMap procs
    IdMap threads
    IdMap tasks                 # id -> Interval
    Thread nobody
    uint64_t gc_sequence
    int gc_state
    IntervalPool intervals
    Interval* gc                # the mark phase that is going on
    Interval* orphans           # closed by an event that was then taken back
    Interval* begun             # the range or region that began last,
    int64_t begun_seq           # with the row of this number
    Cursor* cursors
    int64_t cursors_room
    Cursor** frontier           # a min-heap by the time of the head events
    int64_t n_frontier
    int64_t frontier_room
    int64_t next_sample
    int64_t sample_time         # of that one; INT64_MAX when there is none left
    int64_t unknown_sample_stacks
    int64_t last_time           # of the last row
    int64_t flushed_time        # of the last row that has left
    int64_t syncs
    int64_t opening_time        # of the sync that opened this stretch of trace
    int64_t opening_seq
    int missing                 # fault code: the event refers to an id that is not defined
    uint64_t missing_id
    TextTable reasons
    TextTable stops             # kinds of stop-the-world
    uint64_t attempts           # of events that had to wait


# --- rows ---------------------------------------------------------------------------------------

cdef inline void emit_in(
    Ordering* self, int64_t time, int64_t thread, int32_t proc, int64_t goroutine, uint8_t code,
    int64_t resource_id, int64_t context_stack, int64_t stack, int16_t reason,
) noexcept nogil:
    """Append a row; output times rise strictly, whatever the clocks say."""
    cdef Rows* rows = self.rows
    cdef int64_t n = rows.count
    if time <= self.last_time:
        time = self.last_time + 1
    self.last_time = time
    rows.time[n] = time
    rows.thread[n] = thread
    rows.proc[n] = proc
    rows.goroutine[n] = goroutine
    rows.context_stack[n] = context_stack
    rows.resource_id[n] = resource_id
    rows.stack[n] = stack
    rows.reason[n] = reason
    rows.code[n] = code
    rows.count = n + 1


cdef inline void emit(
    Ordering* self, const Cursor* event, uint8_t code, int64_t resource_id,
    int64_t context_stack, int64_t stack, int16_t reason,
) noexcept nogil:
    """Append a row in the context of the event's thread, as it is before the event."""
    cdef const Thread* thread = event.thread
    emit_in(
        self, event.time, thread.id, thread.proc_id, thread.goroutine_id, code,
        resource_id, context_stack, stack, reason,
    )


cdef inline void emit_bare(
    Ordering* self, const Cursor* event, uint8_t code, int64_t resource_id
) noexcept nogil:
    """Append a row that has neither stack nor reason."""
    emit(self, event, code, resource_id, NULL_ID, NULL_ID, NULL_ID)


cdef inline int64_t last_seq(const Ordering* self) noexcept nogil:
    return self.rows.first_seq + self.rows.count - 1


# --- ids of the event ---------------------------------------------------------------------------

cdef inline void _is_missing(Ordering* self, int code, uint64_t id) noexcept nogil:
    self.missing = code
    self.missing_id = id


cdef inline int64_t stack_of(Ordering* self, uint64_t id) noexcept nogil:
    cdef int64_t stack = stack_content_id(self.generation, id)
    if stack == UNKNOWN_ID:
        _is_missing(self, FAULT_STACK_ID, id)
    return stack


cdef inline void text_of(Ordering* self, uint64_t id, Text* text) noexcept nogil:
    if not string_text(self.generation, id, text):
        text.data = ""
        text.length = 0
        _is_missing(self, FAULT_STRING_ID, id)


cdef inline int16_t _new_reason(Ordering* self, int64_t position) noexcept nogil:
    cdef const Text* text = &self.generation.strings[position]
    cdef int64_t number = NULL_ID
    if text.length:
        number = text_number(&self.reasons, text.data, text.length)
        if number < 0:
            _is_missing(self, FAULT_NO_MEMORY, 0)
        elif number > MOST_REASONS:
            _is_missing(self, FAULT_LIMIT_REASONS, MOST_REASONS)
            number = NULL_ID
    self.generation.reasons[position] = <int32_t>number
    return <int16_t>number


cdef inline int16_t reason_of(Ordering* self, uint64_t id) noexcept nogil:
    """Dictionary code of a reason; null for the empty one."""
    cdef int64_t position
    cdef int32_t reason
    if id == 0:
        return NULL_ID
    position = position_of(&self.generation.string_index, id)
    if position < 0:
        _is_missing(self, FAULT_STRING_ID, id)
        return NULL_ID
    reason = self.generation.reasons[position]
    if reason == NO_REASON_YET:
        return _new_reason(self, position)
    return <int16_t>reason


cdef inline Extra* extra_of(Ordering* self, uint8_t kind, const Cursor* event) noexcept nogil:
    """Hang an extra on the next row; without memory it is a fault."""
    cdef Extra* extra = add_extra(self.rows, kind, event.type)
    if extra == NULL:
        set_fault(&self.fault, FAULT_NO_MEMORY, 0, 0, 0)
    return extra


# --- resources ----------------------------------------------------------------------------------

cdef inline Proc* proc_find(const Ordering* self, uint64_t id) noexcept nogil:
    cdef uint64_t* found = idmap_find(&self.procs, id)
    return <Proc*>found[0] if found != NULL else NULL


cdef inline Thread* thread_find(const Ordering* self, uint64_t id) noexcept nogil:
    """A thread that was seen: one that only has events ahead of it is not known yet."""
    cdef uint64_t* found = idmap_find(&self.threads, id)
    return <Thread*>found[0] if found != NULL and (<Thread*>found[0]).seen else NULL


cdef inline void* _made(IdMap* map, uint64_t id, size_t size) noexcept nogil:
    cdef bint is_new
    cdef uint64_t* place
    cdef void* made = calloc(1, size)
    if made == NULL:
        return NULL
    place = idmap_put(map, id, &is_new)
    if place != NULL:
        place[0] = <uint64_t>made
    return made if place != NULL else NULL


cdef inline Thread* thread_create(Ordering* self, uint64_t id) noexcept nogil:
    """The thread of that id, made if there is none; NULL without memory."""
    cdef uint64_t* found = idmap_find(&self.threads, id)
    cdef Thread* thread
    if found != NULL:
        return <Thread*>found[0]
    thread = <Thread*>_made(&self.threads, id, sizeof(Thread))
    if thread != NULL:
        thread.id = <int64_t>id
        thread.goroutine_id = NULL_ID
        thread.proc_id = NULL_ID
    return thread


cdef inline Proc* proc_create(Ordering* self, uint64_t id) noexcept nogil:
    cdef Proc* proc = <Proc*>_made(&self.procs, id, sizeof(Proc))
    if proc != NULL:
        proc.id = <int64_t>id
    return proc


cdef inline void bind_goroutine(Thread* thread, Goroutine* goroutine) noexcept nogil:
    """What runs on the thread from now on; nothing can run on the pseudo-thread."""
    if thread.id != NULL_ID:
        thread.goroutine = goroutine
        thread.goroutine_id = goroutine.id


cdef inline void unbind_goroutine(Thread* thread) noexcept nogil:
    thread.goroutine = NULL
    thread.goroutine_id = NULL_ID


cdef inline void bind_proc(Thread* thread, Proc* proc) noexcept nogil:
    if thread.id != NULL_ID:
        thread.proc = proc
        thread.proc_id = <int32_t>proc.id
        proc.holder = thread


cdef inline void unbind_proc(Thread* thread) noexcept nogil:
    thread.proc = NULL
    thread.proc_id = NULL_ID
