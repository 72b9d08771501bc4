# Lives and their tables: the state machine, fed with rows, and what it queues written.
#
# Offers: LifeTables.

cdef enum:
    ROWS_AT_A_TIME = 1 << 12    # are written, then they may have to leave


cdef bytes legal_codes():
    """Which codes of state transitions are legal, by their low seven bits."""
    from gotrace.spec.transitions import GOROUTINE, PROC
    from gotrace.spec.words import STATES

    legal = bytearray(128)
    for proc, transitions in ((False, GOROUTINE), (True, PROC)):
        for before, after in transitions.items():
            for state in after:
                legal[proc << 6 | STATES.index(before) << 3 | STATES.index(state)] = 1
    return bytes(legal)


cdef class LifeTables:
    cdef Lives lives
    cdef StatesTable states
    cdef WakeupsTable wakeups
    cdef GoroutinesTable goroutines
    cdef RegionsTable regions
    cdef StackStore stacks      # keeps what `lives` points into

    def __cinit__(
        self, dict tables, WaitClasses waits, StackStore stacks, uint64_t seed, bint compat
    ):
        from gotrace.spec import words

        lives_init(&self.lives, legal_codes(), seed, compat)
        self.stacks = stacks
        self.lives.roots = &stacks.maps.roots
        self.lives.functions = &stacks.maps.texts
        self.lives.memory_most = stacks.limit
        self.lives.deadly = words.TRACE_REASONS.index("forever") if compat else UNKNOWN_ID
        if "goroutine_states" in tables:
            self.states = StatesTable(tables["goroutine_states"], waits)
            self.lives.wants_stays = True
        if "wakeups" in tables:
            self.wakeups = WakeupsTable(tables["wakeups"])
            self.lives.wants_stays = True
        if "goroutines" in tables:
            self.goroutines = GoroutinesTable(tables["goroutines"], waits)
            self.lives.rows = &self.goroutines.rows
        if "regions" in tables:
            self.regions = RegionsTable(tables["regions"])
            self.lives.regions = &self.regions.queue

    def __dealloc__(self):
        lives_clear(&self.lives)

    cdef int take(self, const Rows* rows) except -1:
        cdef int status
        with nogil:
            status = lives_take(&self.lives, rows)
        if status < 0:
            self._fail()
        self._write(rows.first_seq + rows.count - 1, False)
        return 0

    cdef int _fail(self) except -1:
        from gotrace.errors import LimitError

        if not self.lives.too_much:
            raise MemoryError("no memory for goroutines")
        if lives_memory(&self.lives) > self.lives.memory_most:
            most = self.lives.memory_most
            raise LimitError(f"goroutines would need more than the memory limit of {most} bytes")
        raise LimitError(f"a goroutine with more than {MOST_SHARES} reasons to block, or ranges")

    cdef int put_regions(self) except -1:
        """Write the regions that were closed one by one, once they are many."""
        if self.regions.queue.n >= ROWS_AT_A_TIME:
            self.regions.put()
        return 0

    cdef int _write(self, int64_t last_seq, bint at_end) except -1:
        """Rows of everything that was queued."""
        cdef Lives* lives = &self.lives
        cdef int64_t i
        if self.states is not None:
            for i in range(0, lives.n_stays, ROWS_AT_A_TIME):
                self.states.put(lives.stays + i, min(lives.n_stays - i, ROWS_AT_A_TIME))
        if self.wakeups is not None:
            for i in range(0, lives.n_stays, ROWS_AT_A_TIME):
                self.wakeups.put(lives.stays + i, min(lives.n_stays - i, ROWS_AT_A_TIME))
        lives.n_stays = 0
        if self.goroutines is not None:
            self.goroutines.put(lives, lives.over, lives.n_over, at_end, last_seq)
        for i in range(lives.n_over if not at_end else 0):
            if lives.over[i].state == STATE_NOTEXIST:
                life_recycle(&lives.map, lives.over[i])
        lives.n_over = 0
        if self.regions is not None:
            self.regions.put()
        return 0

    cdef int close(self, const Ending* ending) except -1:
        """The trace, or a stretch of it, is over; what follows is like a new trace."""
        cdef int status
        with nogil:
            status = lives_close(&self.lives, ending)
        if status < 0:
            self._fail()
        self._write(ending.seq, True)
        if lives_reset(&self.lives) < 0:
            raise MemoryError("no memory for goroutines")
        return 0
