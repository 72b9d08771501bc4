# Lives -> `goroutines`: one row for each that is over, as far as the trace goes.
#
# Offers: GoroutinesTable.

# What a life comes to. Its row is made of this, its split and its name.
cdef struct Obituary:
    int64_t created_at
    int64_t first_run_at
    int64_t ended_at
    int64_t last_stack
    int64_t last_since
    int64_t end_seq
    int64_t unknown
    int16_t last_reason
    int8_t last_wait
    int8_t last_state
    int8_t is_system
    int8_t open_end
    int8_t open_start


cdef enum:
    LIVES_AT_A_TIME = 1 << 10   # stay in the cache while their columns are written


cdef class GoroutinesTable:
    cdef Table table
    cdef ListColumns lists
    cdef WaitClasses waits
    cdef Column* name
    cdef bint needs_waits
    cdef Obituary obituaries[LIVES_AT_A_TIME]

    def __cinit__(self, Table table, WaitClasses waits):
        self.table = table
        self.waits = waits
        self.lists = bind_lists(table)
        self.name = table.column("name")
        self.needs_waits = table.column("last_wait") != NULL

    cdef int put(
        self, const Lives* lives, Life** over, int64_t n, bint at_end, int64_t last_seq
    ) except -1:
        """Rows of lives that are over, or that the trace is over for."""
        cdef int64_t i, j, some
        for i in range(0, n, LIVES_AT_A_TIME):
            some = min(n - i, LIVES_AT_A_TIME)
            with nogil:
                for j in range(some):
                    _sum_up(lives, over[i + j], at_end, last_seq, &self.obituaries[j])
            if self.needs_waits and (at_end or lives.compat):
                self._find_waits(over + i, some)
            self._put(lives, over + i, some)
        return 0

    cdef int _find_waits(self, Life** over, int64_t n) except -1:
        cdef const Life* life
        cdef int64_t i
        for i in range(n):
            life = over[i]
            self.obituaries[i].last_wait = self.waits.code(
                life.state, life.state_open_start, life.reason, life.stack_id
            )
        return 0

    cdef int _put(self, const Lives* lives, Life** over, int64_t n) except -1:
        cdef Table table = self.table
        cdef Obituary* first = self.obituaries
        cdef Split* spent = &over[0].spent
        cdef int64_t i
        put_field_of(table.column("goroutine"), <void**>over, &over[0].goroutine, n)
        put_field_of(table.column("life"), <void**>over, &over[0].number, n)
        put_field_of(table.column("parent"), <void**>over, &over[0].parent, n)
        put_field_of(table.column("creation_stack_id"), <void**>over, &over[0].creation_stack_id, n)
        put_field_of(table.column("runs"), <void**>over, &over[0].entered[STATE_RUNNING], n)
        put_field_of(table.column("start_seq"), <void**>over, &over[0].start_seq, n)
        put_field_of(table.column("exec_ns"), <void**>over, &spent.states[STATE_RUNNING], n)
        put_field_of(table.column("sched_ns"), <void**>over, &spent.states[STATE_RUNNABLE], n)
        put_field_of(table.column("syscall_ns"), <void**>over, &spent.states[STATE_SYSCALL], n)
        put_field_of(
            table.column("syscall_block_ns"), <void**>over, &spent.states[SPLIT_SYSCALL_BLOCK], n
        )
        put_field_of(table.column("block_ns"), <void**>over, &spent.states[STATE_WAITING], n)
        put_field_of(table.column("total_ns"), <void**>over, &spent.total, n)
        self._put_field("unknown_ns", &first.unknown, n)
        self._put_field("created_at_ns", &first.created_at, n)
        self._put_field("first_run_at_ns", &first.first_run_at, n)
        self._put_field("ended_at_ns", &first.ended_at, n)
        self._put_field("last_state", &first.last_state, n)
        self._put_field("last_reason", &first.last_reason, n)
        self._put_field("last_wait", &first.last_wait, n)
        self._put_field("last_stack_id", &first.last_stack, n)
        self._put_field("last_since_at_ns", &first.last_since, n)
        self._put_field("is_system", &first.is_system, n)
        self._put_field("open_start", &first.open_start, n)
        self._put_field("open_end", &first.open_end, n)
        self._put_field("end_seq", &first.end_seq, n)
        with nogil:
            for i in range(n):
                _put_life_name(self.name, lives, over[i])
                put_lists(&self.lists, &over[i].spent, lives)
        table.end_rows(n)
        return 0

    cdef int _put_field(self, str name, const void* first, int64_t n) except -1:
        put_field(self.table.column(name), first, sizeof(Obituary), n)
        return 0


cdef void _sum_up(
    const Lives* lives, const Life* life, bint at_end, int64_t last_seq, Obituary* out
) noexcept nogil:
    cdef bint is_dead = life.state == STATE_NOTEXIST
    cdef bint ended = is_dead or not at_end
    out.created_at = NULL_ID if life.open_start and not lives.compat else life.start_ns
    out.first_run_at = life.first_run_ns if life.first_run_ns else NULL_ID
    out.ended_at = life.since_ns if ended else NULL_ID
    out.last_state = <int8_t>life.state
    out.last_reason = NULL_ID if is_dead else life.reason
    out.last_wait = NULL_ID
    out.last_stack = NULL_ID if is_dead else life.stack_id
    out.last_since = NULL_ID if life.state_open_start else life.since_ns
    out.end_seq = life.since_seq if ended else last_seq
    out.unknown = split_unknown(&life.spent)
    out.is_system = _is_system(lives, life)
    out.open_start = life.open_start
    out.open_end = not ended


cdef void _put_life_name(Column* column, const Lives* lives, const Life* life) noexcept nogil:
    if life.name < 0:
        put_text(column, NULL, 0)
    else:
        put_name(column, &lives.functions.texts[life.name])
