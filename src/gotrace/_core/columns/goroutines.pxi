# Lives -> `goroutines`: one row for each that is over, as far as the trace goes.
#
# Offers: GoroutinesTable, put_life, is_system.

cdef tuple NAMES_OF_LIFE_NUMBERS = (        # in the order of LIFE_*
    "goroutine", "parent", "creation_stack_id", "created_at_ns", "first_run_at_ns", "ended_at_ns",
    "last_stack_id", "last_since_at_ns", "exec_ns", "sched_ns", "syscall_ns", "syscall_block_ns",
    "block_ns", "total_ns", "unknown_ns", "runs", "start_seq", "end_seq",
)
cdef tuple NAMES_OF_LIFE_FLAGS = (          # the same
    "last_state", "last_wait", "is_system", "open_start", "open_end",
)

cdef enum Entry:                # what is known of a function's text
    ENTRY_KNOWN = 1
    ENTRY_SYSTEM = 2            # Go takes it for the runtime's own
    ENTRY_UTF8 = 4


cdef class GoroutinesTable:
    cdef Table table
    cdef WaitClasses waits
    cdef bint needs_waits
    cdef LifeRows rows

    def __cinit__(self, Table table, WaitClasses waits):
        cdef int i
        self.table = table
        self.waits = waits
        self.needs_waits = table.column("last_wait") != NULL
        for i in range(LIFE_NUMBERS):
            self.rows.number_columns[i] = table.column(NAMES_OF_LIFE_NUMBERS[i])
        for i in range(LIFE_FLAGS):
            self.rows.flag_columns[i] = table.column(NAMES_OF_LIFE_FLAGS[i])
        self.rows.life_column = table.column("life")
        self.rows.last_reason_column = table.column("last_reason")
        self.rows.name = table.column("name")
        self.rows.lists = bind_lists(table)

    cdef int put(
        self, Lives* lives, Life** over, int64_t n, bint at_end, int64_t last_seq
    ) except -1:
        """The rows of lives that ended, and those of lives in a queue."""
        cdef Life* life
        cdef bint ended
        cdef int8_t wait = NULL_ID
        cdef int64_t i
        for i in range(n):
            life = over[i]
            ended = not at_end or life.state == STATE_NOTEXIST
            if self.needs_waits:
                wait = self.waits.code(
                    life.state, life.state_open_start, life.reason, life.stack_id
                )
            put_life(
                &self.rows, lives, life, life.since_seq if ended else last_seq, ended, wait
            )
            if self.rows.n == 0:            # the strips are full
                self._end_rows()
        flush_lives(&self.rows)
        return self._end_rows()

    cdef int _end_rows(self) except -1:
        cdef int64_t written = self.rows.written
        self.rows.written = 0
        if written:
            self.table.end_rows(written)
        return 0


cdef uint8_t _look_at_entry(Lives* self, int64_t name) noexcept nogil:
    cdef const Text* text = &self.functions.texts[name]
    cdef int64_t room = self.entries_room
    cdef uint8_t known = ENTRY_KNOWN
    if not reserve(<void**>&self.entries, &self.entries_room, name + 1, 1):
        self.no_memory = True
        return 0
    if self.entries_room > room:
        memset(self.entries + room, 0, self.entries_room - room)
    if text.length >= 8 and memcmp(text.data, b"runtime.", 8) == 0:
        if text.length != 12 or memcmp(text.data, b"runtime.main", 12) != 0:
            known |= ENTRY_SYSTEM
    if is_utf8(<const uint8_t*>text.data, text.length):
        known |= ENTRY_UTF8
    self.entries[name] = known
    return known


cdef inline uint8_t _entry(Lives* self, int64_t name) noexcept nogil:
    if name < self.entries_room and self.entries[name]:
        return self.entries[name]
    return _look_at_entry(self, name)


cdef bint is_system(Lives* self, const Life* life) noexcept nogil:
    """What Go takes for the runtime's own: it began in the runtime, or nobody knows where."""
    return life.name < 0 or _entry(self, life.name) & ENTRY_SYSTEM != 0


cdef inline void put_life(
    LifeRows* self, Lives* lives, Life* life, int64_t end_seq, bint ended, int8_t wait
) noexcept nogil:
    """A row of what a life comes to; its `spent` is all there is."""
    cdef bint is_dead = life.state == STATE_NOTEXIST
    cdef uint8_t entry = _entry(lives, life.name) if life.name >= 0 else <uint8_t>ENTRY_SYSTEM
    cdef const int64_t* states = life.spent.states
    cdef int64_t n = self.n
    self.numbers[LIFE_GOROUTINE][n] = life.goroutine
    self.numbers[LIFE_PARENT][n] = life.parent
    self.numbers[LIFE_CREATION_STACK][n] = life.creation_stack_id
    self.numbers[LIFE_CREATED_AT][n] = (
        NULL_ID if life.open_start and not lives.compat else life.start_ns
    )
    self.numbers[LIFE_FIRST_RUN_AT][n] = life.first_run_ns if life.first_run_ns else NULL_ID
    self.numbers[LIFE_ENDED_AT][n] = life.since_ns if ended else NULL_ID
    self.numbers[LIFE_LAST_STACK][n] = NULL_ID if is_dead else life.stack_id
    self.numbers[LIFE_LAST_SINCE_AT][n] = NULL_ID if life.state_open_start else life.since_ns
    self.numbers[LIFE_EXEC][n] = states[STATE_RUNNING]
    self.numbers[LIFE_SCHED][n] = states[STATE_RUNNABLE]
    self.numbers[LIFE_SYSCALL][n] = states[STATE_SYSCALL]
    self.numbers[LIFE_SYSCALL_BLOCK][n] = states[SPLIT_SYSCALL_BLOCK]
    self.numbers[LIFE_BLOCK][n] = states[STATE_WAITING]
    self.numbers[LIFE_TOTAL][n] = life.spent.total
    self.numbers[LIFE_UNKNOWN][n] = split_unknown(&life.spent)
    self.numbers[LIFE_RUNS][n] = life.runs
    self.numbers[LIFE_START_SEQ][n] = life.start_seq
    self.numbers[LIFE_END_SEQ][n] = end_seq
    self.life[n] = life.number
    self.last_reason[n] = NULL_ID if is_dead else life.reason
    self.flags[LIFE_LAST_STATE][n] = <int8_t>life.state
    self.flags[LIFE_LAST_WAIT][n] = wait
    self.flags[LIFE_IS_SYSTEM][n] = entry & ENTRY_SYSTEM != 0
    self.flags[LIFE_OPEN_START][n] = life.open_start
    self.flags[LIFE_OPEN_END][n] = not ended
    if life.name < 0:
        put_text(self.name, NULL, 0)
    else:
        put_known_text(self.name, &lives.functions.texts[life.name], entry & ENTRY_UTF8)
    put_lists(&self.lists, &life.spent, lives)
    self.n = n + 1
    if self.n == STRIP_ROWS:
        flush_lives(self)


cdef void flush_lives(LifeRows* self) noexcept nogil:
    """Empty the strips into the columns."""
    cdef int i
    if self.n == 0:
        return
    for i in range(LIFE_NUMBERS):
        append_strip(self.number_columns[i], self.numbers[i], self.n)
    for i in range(LIFE_FLAGS):
        append_strip(self.flag_columns[i], self.flags[i], self.n)
    append_strip(self.life_column, self.life, self.n)
    append_strip(self.last_reason_column, self.last_reason, self.n)
    self.written += self.n
    self.n = 0
