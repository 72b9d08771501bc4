# Lives -> `goroutine_states`, `goroutines`, `regions`: what the state machine queued, as rows.
#
# Offers: LifeTables.

cdef SplitColumns bind_split(Table table):
    cdef SplitColumns split
    split.exec = table.column("exec_ns")
    split.sched = table.column("sched_ns")
    split.syscall = table.column("syscall_ns")
    split.syscall_block = table.column("syscall_block_ns")
    split.block_sum = table.column("block_ns")
    split.block = table.column("block")
    split.ranges = table.column("range")
    split.total = table.column("total_ns")
    split.unknown = table.column("unknown_ns")
    return split


cdef const Text* _key_text(const Text* texts, int32_t key) noexcept nogil:
    return &texts[key] if key >= 0 else NULL


cdef bint _comes_before(const Text* a, const Text* b) noexcept nogil:
    """By text; none comes first."""
    cdef int order
    if a == NULL or b == NULL:
        return a == NULL
    order = memcmp(a.data, b.data, min(a.length, b.length))
    return order < 0 or (order == 0 and a.length < b.length)


cdef void put_shares(Column* column, Shares* shares, const Text* texts) noexcept nogil:
    """A list of (text, ns), by text and without zeros; the shares are sorted on the way."""
    cdef Column* fields
    cdef const Text* text
    cdef Text no_text
    cdef Share moved
    cdef int32_t i, j
    if column == NULL:
        return
    fields = column.children.children
    no_text.data = NULL
    no_text.length = 0
    for i in range(1, shares.count):
        moved = shares.items[i]
        text = _key_text(texts, moved.key)
        j = i
        while j > 0 and _comes_before(text, _key_text(texts, shares.items[j - 1].key)):
            shares.items[j] = shares.items[j - 1]
            j -= 1
        shares.items[j] = moved
    for i in range(shares.count):
        if shares.items[i].ns == 0:
            continue
        text = _key_text(texts, shares.items[i].key)
        put_name(&fields[0], text if text != NULL else &no_text)
        put_int(&fields[1], shares.items[i].ns)
        column.children.length += 1
    close_list(column)


cdef void put_split(SplitColumns* self, Split* split, const Lives* lives) noexcept nogil:
    put_int(self.exec, split.exec)
    put_int(self.sched, split.sched)
    put_int(self.syscall, split.syscall)
    put_int(self.syscall_block, split.syscall_block)
    put_int(self.block_sum, shares_sum(&split.block))
    put_shares(self.block, &split.block, lives.reasons.texts)
    put_shares(self.ranges, &split.ranges, lives.names.texts)
    put_int(self.total, split.total)
    put_int(self.unknown, split_unknown(split))


# --- stays ----------------------------------------------------------------------------------------

cdef void put_field(
    Column* self, const void* first, int64_t stride, int64_t n
) noexcept nogil:
    """A column from a field of `n` structs; `first` points at the field in the first of them."""
    cdef const uint8_t* at = <const uint8_t*>first
    cdef void* out = grow_rows(self, n)
    cdef int64_t i
    if out == NULL:
        return
    if self.width == 8:
        for i in range(n):
            (<int64_t*>out)[i] = (<const int64_t*>(at + i * stride))[0]
    elif self.width == 4:
        for i in range(n):
            (<int32_t*>out)[i] = (<const int32_t*>(at + i * stride))[0]
    elif self.width == 2:
        for i in range(n):
            (<int16_t*>out)[i] = (<const int16_t*>(at + i * stride))[0]
    else:
        for i in range(n):
            (<int8_t*>out)[i] = (<const int8_t*>(at + i * stride))[0]


cdef void put_durations(Column* self, const Stay* stays, int64_t n) noexcept nogil:
    cdef int64_t* out = <int64_t*>grow_rows(self, n)
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        out[i] = stays[i].end_ns - stays[i].start_ns


cdef class StatesTable:
    cdef Table table
    cdef WaitClasses waits
    cdef bint needs_waits

    def __cinit__(self, Table table, WaitClasses waits):
        self.table = table
        self.waits = waits
        self.needs_waits = table.column("wait") != NULL

    cdef int put(self, Stay* stays, int64_t n) except -1:
        """Rows of the intervals that closed."""
        cdef int64_t i
        if self.needs_waits:
            for i in range(n):
                stays[i].wait = self.waits.code(
                    stays[i].state, stays[i].open_start, stays[i].reason, stays[i].stack_id
                )
        self._put("goroutine", &stays.goroutine, n)
        self._put("life", &stays.life, n)
        self._put("start_ns", &stays.start_ns, n)
        self._put("end_ns", &stays.end_ns, n)
        put_durations(self.table.column("duration_ns"), stays, n)
        self._put("start_seq", &stays.start_seq, n)
        self._put("end_seq", &stays.end_seq, n)
        self._put("state", &stays.state, n)
        self._put("reason", &stays.reason, n)
        self._put("wait", &stays.wait, n)
        self._put("stack_id", &stays.stack_id, n)
        self._put("proc", &stays.proc, n)
        self._put("thread", &stays.thread, n)
        self._put("by_goroutine", &stays.by_goroutine, n)
        self._put("by_stack_id", &stays.by_stack_id, n)
        self._put("by_kind", &stays.by_kind, n)
        self._put("next_state", &stays.next_state, n)
        self._put("open_start", &stays.open_start, n)
        self._put("open_end", &stays.open_end, n)
        self._put("end_stack_id", &stays.end_stack_id, n)
        self.table.rows += n
        return 0

    cdef int _put(self, str name, const void* first, int64_t n) except -1:
        put_field(self.table.column(name), first, sizeof(Stay), n)
        return 0


# --- lives ----------------------------------------------------------------------------------------

cdef class GoroutinesTable:
    cdef Table table
    cdef SplitColumns split
    cdef WaitClasses waits
    cdef Column* goroutine
    cdef Column* life
    cdef Column* name
    cdef Column* parent
    cdef Column* creation_stack
    cdef Column* created_at
    cdef Column* first_run_at
    cdef Column* ended_at
    cdef Column* last_state
    cdef Column* last_reason
    cdef Column* last_wait
    cdef Column* last_stack
    cdef Column* last_since
    cdef Column* runs
    cdef Column* is_system
    cdef Column* open_start
    cdef Column* open_end
    cdef Column* start_seq
    cdef Column* end_seq

    def __cinit__(self, Table table, WaitClasses waits):
        self.table = table
        self.waits = waits
        self.split = bind_split(table)
        self.goroutine = table.column("goroutine")
        self.life = table.column("life")
        self.name = table.column("name")
        self.parent = table.column("parent")
        self.creation_stack = table.column("creation_stack_id")
        self.created_at = table.column("created_at_ns")
        self.first_run_at = table.column("first_run_at_ns")
        self.ended_at = table.column("ended_at_ns")
        self.last_state = table.column("last_state")
        self.last_reason = table.column("last_reason")
        self.last_wait = table.column("last_wait")
        self.last_stack = table.column("last_stack_id")
        self.last_since = table.column("last_since_at_ns")
        self.runs = table.column("runs")
        self.is_system = table.column("is_system")
        self.open_start = table.column("open_start")
        self.open_end = table.column("open_end")
        self.start_seq = table.column("start_seq")
        self.end_seq = table.column("end_seq")

    cdef int put(self, const Lives* lives, Life* life, bint ended, int64_t end_seq) except -1:
        """A row; `ended` is whether the open interval of the life began with its end."""
        cdef const Text* name = _key_text(lives.functions.texts, <int32_t>life.name)
        cdef bint waits = not ended or life.state != STATE_NOTEXIST
        cdef int8_t wait = NULL_ID
        if waits and self.last_wait != NULL:
            wait = self.waits.code(
                life.state, life.state_open_start, life.reason, life.stack_id
            )
        put_int(self.goroutine, life.goroutine)
        put_int(self.life, life.number)
        put_text(self.name, name.data if name != NULL else NULL, name.length if name != NULL else 0)
        put_int(self.parent, life.parent)
        put_int(self.creation_stack, life.creation_stack_id)
        put_int(
            self.created_at, NULL_ID if life.open_start and not lives.compat else life.start_ns
        )
        put_int(self.first_run_at, life.first_run_ns if life.first_run_ns else NULL_ID)
        put_int(self.ended_at, life.since_ns if ended else NULL_ID)
        put_int(self.last_state, life.state)
        put_int(self.last_reason, life.reason if waits else NULL_ID)
        put_int(self.last_wait, wait)
        put_int(self.last_stack, life.stack_id if waits else NULL_ID)
        put_int(self.last_since, NULL_ID if life.state_open_start else life.since_ns)
        put_split(&self.split, &life.spent, lives)
        put_int(self.runs, life.runs)
        put_int(self.is_system, _is_system(lives, life))
        put_int(self.open_start, life.open_start)
        put_int(self.open_end, not ended)
        put_int(self.start_seq, life.start_seq)
        put_int(self.end_seq, life.since_seq if ended else end_seq)
        self.table.rows += 1
        return 0


# --- all of them ----------------------------------------------------------------------------------

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


cdef RegionColumns bind_regions(Table table):
    cdef RegionColumns columns
    columns.span = bind_span(table)
    columns.split = bind_split(table)
    columns.goroutine = table.column("goroutine")
    columns.task = table.column("task")
    columns.name = table.column("name")
    columns.depth = table.column("depth")
    columns.stack = table.column("stack_id")
    columns.end_stack = table.column("end_stack_id")
    columns.rows = 0
    return columns


cdef class LifeTables:
    cdef Lives lives
    cdef StatesTable states
    cdef GoroutinesTable goroutines
    cdef Table regions
    cdef StackStore stacks      # keeps what `lives` points into

    def __cinit__(
        self, dict tables, WaitClasses waits, StackStore stacks, uint64_t seed, bint compat
    ):
        from gotrace.spec import words

        lives_init(&self.lives, legal_codes(), seed, compat)
        self.stacks = stacks
        self.lives.roots = &stacks.maps.roots
        self.lives.functions = &stacks.maps.texts
        self.lives.forever = words.TRACE_REASONS.index("forever")
        if "goroutine_states" in tables:
            self.states = StatesTable(tables["goroutine_states"], waits)
            self.lives.wants_stays = True
        if "goroutines" in tables:
            self.goroutines = GoroutinesTable(tables["goroutines"], waits)
        self.regions = tables.get("regions")
        if self.regions is not None:
            self.lives.wants_regions = True
            self.lives.regions = bind_regions(self.regions)

    def __dealloc__(self):
        lives_clear(&self.lives)

    cdef int take(self, const Rows* rows) except -1:
        cdef int status
        with nogil:
            status = lives_take(&self.lives, rows)
        if status < 0:
            raise MemoryError("no memory for goroutines")
        self._write(rows.first_seq + rows.count - 1, False)
        return 0

    cdef int _write(self, int64_t last_seq, bint at_end) except -1:
        """Rows of everything that was queued."""
        cdef Lives* lives = &self.lives
        cdef Life* life
        cdef bint ended
        cdef int64_t i
        if self.states is not None:
            self.states.put(lives.stays, lives.n_stays)
        lives.n_stays = 0
        for i in range(lives.n_over):
            life = lives.over[i]
            ended = not at_end or life.state == STATE_NOTEXIST
            if self.goroutines is not None:
                self.goroutines.put(lives, life, ended, last_seq)
            if life.state == STATE_NOTEXIST:
                life_recycle(&lives.map, life)
        lives.n_over = 0
        if self.regions is not None:
            self.regions.rows += lives.regions.rows
            lives.regions.rows = 0
        return 0

    cdef int close(self, const Ending* ending) except -1:
        """The trace, or a stretch of it, is over; what follows is like a new trace."""
        cdef int status
        with nogil:
            status = lives_close(&self.lives, ending)
        if status < 0:
            raise MemoryError("no memory for goroutines")
        self._write(ending.seq, True)
        lives_reset(&self.lives)
        return 0
