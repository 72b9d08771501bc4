# ORDER, ahead: a thread of our own orders the rows of the next batches while these become columns.
#
# Rows go from the order to the columns in chunks, a ring of them. A chunk belongs to the thread
# that orders or to the one that reads, and changes hands over a pair of locks used as semaphores.
# Between generations everything belongs to the reader. The thread never touches Python; without it
# (one thread wanted, or a generation not worth it) the reader orders the rows itself, in the same
# chunks, so that the batches are the same.
#
# Offers: ahead_init, ahead_close, ahead_rows, ahead_take_over, ahead_begin, ahead_step,
# ahead_release.

cdef extern from "Python.h":
    ctypedef void* PyThread_type_lock
    PyThread_type_lock PyThread_allocate_lock()
    void PyThread_free_lock(PyThread_type_lock lock)
    int PyThread_acquire_lock(PyThread_type_lock lock, int wait) nogil
    void PyThread_release_lock(PyThread_type_lock lock) nogil
    unsigned long PyThread_start_new_thread(void (*run)(void*) noexcept nogil, void* argument)
    const unsigned long PYTHREAD_INVALID_THREAD_ID

cdef extern from *:
    """
    #ifdef _WIN32
      #include <process.h>
      #define gt_process_id() ((long)_getpid())
    #else
      #include <unistd.h>
      #define gt_process_id() ((long)getpid())
    #endif
    #ifndef GOTRACE_WORTH_A_THREAD              /* small traces have it too when they are fuzzed */
      #define GOTRACE_WORTH_A_THREAD (1 << 16)
    #endif
    """
    long process_id "gt_process_id"() nogil
    const int64_t WORTH_A_THREAD "GOTRACE_WORTH_A_THREAD"   # bytes of a generation

cdef enum:
    CHUNKS = 4                  # enough that neither side waits for the other's hiccups


cdef struct Chunk:
    Rows* rows
    int step                    # the OrderStep that ended them
    PyThread_type_lock filled   # free: the reader may have it
    PyThread_type_lock empty    # free: the thread may have it


cdef struct Ahead:
    Ordering* order
    int64_t limit               # of rows in a chunk
    int64_t memory_most         # bytes that the state of the order may take
    Chunk chunks[CHUNKS]
    int at                      # the chunk of the reader
    bint threaded               # the thread is there
    bint running                # and orders a generation
    bint held                   # the reader has a chunk that it must hand back
    gt_atomic quit
    long process
    PyThread_type_lock go
    PyThread_type_lock gone


cdef inline void _wait(PyThread_type_lock lock) noexcept nogil:
    PyThread_acquire_lock(lock, 1)


cdef int ahead_init(Ahead* self, Ordering* order, int64_t limit) noexcept nogil:
    """-1 without memory."""
    memset(self, 0, sizeof(Ahead))
    self.order = order
    self.limit = limit
    self.chunks[0].rows = rows_new(&order.intervals)
    return 0 if self.chunks[0].rows != NULL else -1


cdef inline Rows* ahead_rows(Ahead* self) noexcept nogil:
    """The rows that the reader has."""
    return self.chunks[self.at].rows


cdef void ahead_take_over(Ahead* self) noexcept nogil:
    """Between generations: let the order write into the rows of the reader."""
    self.order.rows = ahead_rows(self)


# --- the thread ---------------------------------------------------------------------------------

cdef void _order_chunk(Ahead* self, Chunk* chunk) noexcept nogil:
    cdef Ordering* order = self.order
    chunk.step = order_run(order, self.limit)
    chunk.rows.reasons = order.reasons.count
    if order_memory(order) > self.memory_most:
        chunk.step = set_fault(
            &order.fault, FAULT_LIMIT_MEMORY, order.generation.offset, self.memory_most, 0
        )


cdef void _continue_in(Ahead* self, Chunk* chunk, int64_t seq) noexcept nogil:
    """Let the rows go on in another chunk, whose own have left, with the number `seq`."""
    rows_clear(chunk.rows)
    chunk.rows.first_seq = seq
    self.order.rows = chunk.rows
    self.order.flushed_time = self.order.last_time


cdef void _order_ahead(void* argument) noexcept nogil:
    cdef Ahead* self = <Ahead*>argument
    cdef Chunk* chunk
    cdef int64_t seq
    cdef int i, step
    while True:
        _wait(self.go)
        if self.quit:
            break
        i = self.at
        chunk = &self.chunks[i]
        _order_chunk(self, chunk)
        while True:
            seq = chunk.rows.first_seq + chunk.rows.count
            step = chunk.step
            PyThread_release_lock(chunk.filled)
            if step != ORDER_FULL:
                break
            i = (i + 1) % CHUNKS
            chunk = &self.chunks[i]
            _wait(chunk.empty)
            if self.quit:
                chunk.step = ORDER_DONE
            else:
                _continue_in(self, chunk, seq)
                _order_chunk(self, chunk)
    PyThread_release_lock(self.gone)


cdef void _free_locks(Ahead* self) noexcept:
    cdef int i
    for i in range(CHUNKS):
        if self.chunks[i].filled != NULL:
            PyThread_free_lock(self.chunks[i].filled)
        if self.chunks[i].empty != NULL:
            PyThread_free_lock(self.chunks[i].empty)
        self.chunks[i].filled = NULL
        self.chunks[i].empty = NULL
    if self.go != NULL:
        PyThread_free_lock(self.go)
    if self.gone != NULL:
        PyThread_free_lock(self.gone)
    self.go = NULL
    self.gone = NULL


cdef bint ahead_start(Ahead* self) noexcept:
    """Start the thread, unless it is there; False where the system gives none."""
    cdef bint complete = True
    cdef int i
    if self.threaded:
        return True
    self.go = PyThread_allocate_lock()
    self.gone = PyThread_allocate_lock()
    for i in range(CHUNKS):
        if self.chunks[i].rows == NULL:
            self.chunks[i].rows = rows_new(&self.order.intervals)
        complete = complete and self.chunks[i].rows != NULL
        self.chunks[i].filled = PyThread_allocate_lock()
        self.chunks[i].empty = PyThread_allocate_lock()
        complete = complete and self.chunks[i].filled != NULL and self.chunks[i].empty != NULL
    if not complete or self.go == NULL or self.gone == NULL:
        _free_locks(self)
        return False
    _wait(self.go)
    _wait(self.gone)
    for i in range(CHUNKS):
        _wait(self.chunks[i].filled)
    _wait(self.chunks[self.at].empty)
    self.process = process_id()
    self.threaded = (
        PyThread_start_new_thread(_order_ahead, self) != PYTHREAD_INVALID_THREAD_ID
    )
    if not self.threaded:
        _free_locks(self)
    return self.threaded


cdef void _stop(Ahead* self) noexcept nogil:
    """Wait until the thread is gone. At most one chunk is ordered meanwhile."""
    self.quit = 1
    while self.running:
        ahead_step(self)
    PyThread_release_lock(self.go)
    _wait(self.gone)


cdef void ahead_close(Ahead* self) noexcept:
    """Stop the thread and give all buffers back."""
    cdef int i
    if self.threaded and self.process == process_id():  # a fork has no such thread
        with nogil:
            _stop(self)
        _free_locks(self)
        self.threaded = False
    for i in range(CHUNKS):
        rows_free(self.chunks[i].rows)


# --- the reader ---------------------------------------------------------------------------------

cdef void ahead_begin(Ahead* self, int64_t memory_most, bint use_thread) noexcept:
    """The order has taken up a generation (`order_begin`); its rows come with `ahead_step`."""
    self.memory_most = memory_most
    if use_thread and ahead_start(self):
        self.running = True
        PyThread_release_lock(self.go)


cdef int ahead_step(Ahead* self) noexcept nogil:
    """Get the next chunk, as `ahead_rows`: an OrderStep. Anything but ORDER_FULL is the last."""
    cdef Chunk* chunk
    if self.held:               # the reader failed over it
        ahead_release(self)
    chunk = &self.chunks[self.at]
    if not self.running:
        ahead_take_over(self)
        _order_chunk(self, chunk)
        return chunk.step
    _wait(chunk.filled)
    self.running = chunk.step == ORDER_FULL
    self.held = True
    return chunk.step


cdef void ahead_release(Ahead* self) noexcept nogil:
    """The rows have left."""
    self.held = False
    if self.running:
        PyThread_release_lock(self.chunks[self.at].empty)
        self.at = (self.at + 1) % CHUNKS
    else:
        rows_clear(ahead_rows(self))
        self.order.flushed_time = self.order.last_time
