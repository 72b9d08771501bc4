# ROWS -> lives: the state machine of every goroutine.
#
# Each row that changes a state is checked against the table of legal transitions, closes the
# interval before it and opens one. What closes is queued, a chunk of rows at a time, for the tables
# in columns/. Time is summed as Go's Summarizer does it. Where ours differs on purpose (blocking
# forever, a syscall that has not ended, the name, an id used again) `compat` decides.
#
# Offers: Lives, lives_init, lives_take, lives_close, lives_clear.

cdef int _change_of(int code) noexcept nogil:
    cdef int from_state = code >> 3
    cdef int to = code & 7
    if from_state == to or from_state <= STATE_NOTEXIST or code & CODE_PROC:
        return CHANGE_ODD
    if from_state == STATE_SYSCALL or to == STATE_SYSCALL or to == STATE_NOTEXIST:
        return CHANGE_SPECIAL
    return CHANGE_PLAIN


cdef int lives_init(Lives* self, bytes legal, uint64_t seed, bint compat) except -1:
    cdef int i
    cdef Text name
    memset(self, 0, sizeof(Lives))
    self.compat = compat
    self.map.pages.seed = seed
    lifemap_forget_near(&self.map)
    self.procs.seed = seed
    self.lived.seed = seed
    self.held.seed = seed
    self.names.by_hash.seed = seed
    for i in range(128):
        self.legal[i] = legal[i]
        self.changes[i] = _change_of(i) if legal[i] else CHANGE_ODD
    name = _range_name(CLASS_SWEEP)
    text_number(&self.names, name.data, name.length)
    name = _range_name(CLASS_ASSIST)
    if text_number(&self.names, name.data, name.length) != ASSIST_NAME:
        raise MemoryError()
    return 0


cdef void lives_clear(Lives* self) noexcept nogil:
    lifemap_clear(&self.map)
    _free_values(&self.procs)
    memset(self.near_procs, 0, sizeof(self.near_procs))
    idmap_clear(&self.lived)
    idmap_clear(&self.held)
    texts_clear(&self.names)
    split_free(&self.scratch)
    free(self.stays)
    free(self.over)


cdef int64_t lives_memory(const Lives* self) noexcept nogil:
    return (
        lifemap_bytes(&self.map) + idmap_bytes(&self.lived) + idmap_bytes(&self.held)
        + self.stays_room * <int64_t>sizeof(Stay) + self.names.arena.bytes
    )


cdef ProcNote* _new_proc_note(Lives* self, int32_t proc) noexcept nogil:
    cdef ProcNote* note = <ProcNote*>_made(&self.procs, <uint64_t>proc, sizeof(ProcNote))
    if note == NULL:
        self.no_memory = True
        return NULL
    note.thread = NULL_ID
    note.in_syscall = NULL_ID
    note.sweeper = NULL_ID
    if proc < NEAR_PROCS:
        self.near_procs[proc] = note
    return note


cdef inline ProcNote* _proc_note(Lives* self, int32_t proc) noexcept nogil:
    """NULL for no proc, and without memory."""
    cdef uint64_t* found
    if proc < 0:
        return NULL
    if proc < NEAR_PROCS and self.near_procs[proc] != NULL:
        return self.near_procs[proc]
    found = idmap_find(&self.procs, <uint64_t>proc)
    return <ProcNote*>found[0] if found != NULL else _new_proc_note(self, proc)


cdef inline void _add_share(Lives* self, Shares* shares, int32_t key, int64_t ns) noexcept nogil:
    cdef Share* share = share_of(shares, key)
    if share == NULL:
        _no_share(self, shares)
    else:
        share.ns += ns


cdef void _no_share(Lives* self, const Shares* shares) noexcept nogil:
    if shares.count >= MOST_SHARES:
        self.too_much = True
    else:
        self.no_memory = True


# --- time -----------------------------------------------------------------------------------------

cdef void _snapshot(Lives* self, Life* life, int64_t now, Split* split) noexcept nogil:
    """How its time divides up to now, with what goes on."""
    cdef const Share* since
    cdef int64_t now_waited
    cdef int32_t i
    if not split_copy(split, &life.spent):
        self.no_memory = True
        return
    split.total = now - life.start_ns
    if life.state == STATE_SYSCALL and life.lost_proc_ns:
        if self.compat:                     # Go: all of it, and its end again
            split.states[STATE_SYSCALL] += now - life.since_ns
            split.states[STATE_RUNNABLE] += now - life.lost_proc_ns
        else:
            split.states[STATE_SYSCALL] += life.lost_proc_ns - life.since_ns
            split.states[SPLIT_SYSCALL_BLOCK] += now - life.lost_proc_ns
    elif life.state != STATE_NOTEXIST:
        split.states[life.state] += now - life.since_ns
    now_waited = split.states[STATE_WAITING] - life.block_before
    if now_waited:
        _add_share(self, &split.block, life.block_reason, now_waited)
    for i in range(life.open_ranges.count):
        since = &life.open_ranges.items[i]
        _add_share(self, &split.ranges, since.key, now - since.ns)


cdef void _settle(Lives* self, Life* life, int64_t now) noexcept nogil:
    """Let `spent` be all there is, for its row."""
    _snapshot(self, life, now, &self.scratch)
    if not split_copy(&life.spent, &self.scratch):
        self.no_memory = True
    life.block_before = life.spent.states[STATE_WAITING]
    life.open_ranges.count = 0


cdef void _grow_up(Lives* self, Life* life, int64_t stack, int64_t now) noexcept nogil:
    """When it first ran, and its entry: the root of the first stack that has one."""
    cdef uint64_t* root
    if life.name < 0 and stack != NULL_ID:
        root = idmap_find(self.roots, <uint64_t>stack)
        if root != NULL:
            life.name = <int64_t>root[0] - 1
    if life.first_run_ns == 0 and life.state == STATE_RUNNING:
        life.first_run_ns = now
    life.is_young = life.name < 0 or life.first_run_ns == 0


# --- intervals ------------------------------------------------------------------------------------

cdef Stay* _add_stay(Lives* self, const Life* life, int64_t end_ns, int64_t end_seq) noexcept nogil:
    cdef Stay* stay
    if not reserve(<void**>&self.stays, &self.stays_room, self.n_stays + 1, sizeof(Stay)):
        self.no_memory = True
        return NULL
    stay = &self.stays[self.n_stays]
    self.n_stays += 1
    stay.goroutine = life.goroutine
    stay.life = life.number
    stay.start_ns = life.since_ns
    stay.end_ns = end_ns
    stay.start_seq = life.since_seq
    stay.end_seq = end_seq
    stay.stack_id = life.stack_id
    stay.end_stack_id = NULL_ID
    stay.thread = life.thread
    stay.proc = life.proc
    stay.by_goroutine = life.by_goroutine
    stay.by_stack_id = life.by_stack_id
    stay.by_kind = life.by_kind
    stay.waited_ns = life.waited_ns
    stay.waited_stack_id = life.waited_stack_id
    stay.reason = life.reason
    stay.state = <int8_t>life.state
    stay.next_state = NULL_ID
    stay.open_start = life.state_open_start
    stay.open_end = False
    return stay


cdef inline void _set_waker(Life* life, const Rows* rows, int64_t i, int8_t kind) noexcept nogil:
    """The context of row `i` woke it; null where it was itself."""
    life.by_kind = kind
    life.by_goroutine = rows.goroutine[i]
    life.by_stack_id = rows.context_stack[i]
    if life.by_goroutine == life.goroutine:
        life.by_goroutine = NULL_ID
        life.by_stack_id = NULL_ID


cdef inline void _set_no_waker(Life* life) noexcept nogil:
    life.by_kind = NULL_ID
    life.by_goroutine = NULL_ID
    life.by_stack_id = NULL_ID
    life.waited_ns = NULL_ID
    life.waited_stack_id = NULL_ID


cdef void _close_stay(Lives* self, Life* life, const Rows* rows, int64_t i, int to) noexcept nogil:
    """Row `i` ends the open interval; a wait is ended by whoever wakes it."""
    cdef Stay* stay
    if life.state == STATE_WAITING:
        _set_waker(life, rows, i, WAKE_SWITCH if rows.reason[i] == SWITCHES else WAKE_UNBLOCK)
    stay = _add_stay(self, life, rows.time[i], rows.first_seq + i)
    if stay != NULL:
        stay.next_state = <int8_t>to
        stay.end_stack_id = rows.stack[i]
    if life.state == STATE_WAITING:
        life.waited_ns = NULL_ID if life.state_open_start else rows.time[i] - life.since_ns
        life.waited_stack_id = life.stack_id
    elif life.by_kind != NULL_ID:
        _set_no_waker(life)


cdef inline void _open_stay(Life* life, const Rows* rows, int64_t i, int to) noexcept nogil:
    """Where it now executes, if it does."""
    cdef bint executes = to == STATE_RUNNING or to == STATE_SYSCALL
    life.since_seq = rows.first_seq + i
    life.thread = rows.thread[i] if executes else NULL_ID
    life.proc = rows.proc[i] if executes else NULL_ID


# --- syscalls -------------------------------------------------------------------------------------

cdef inline void _enter_syscall(Lives* self, Life* life, int32_t proc) noexcept nogil:
    cdef ProcNote* note = _proc_note(self, proc)
    life.lost_proc_ns = 0
    life.syscall_proc = proc
    if note != NULL:
        note.in_syscall = life.goroutine


cdef inline void _leave_syscall(Lives* self, Life* life, int64_t now) noexcept nogil:
    """Its time is counted as if it had kept the proc.

    Go forgets who is in a syscall on that proc, even if that is another one by now.
    """
    cdef ProcNote* note = _proc_note(self, life.syscall_proc)
    if life.lost_proc_ns:
        life.spent.states[STATE_SYSCALL] -= now - life.lost_proc_ns
        life.spent.states[SPLIT_SYSCALL_BLOCK] += now - life.lost_proc_ns
        life.lost_proc_ns = 0
    if note != NULL:
        note.in_syscall = NULL_ID


# --- transitions ----------------------------------------------------------------------------------

cdef void _change_reason(Lives* self, Life* life, int16_t reason) noexcept nogil:
    """It waits for something else than last time: what it had waited belongs to that."""
    cdef int64_t waited = life.spent.states[STATE_WAITING] - life.block_before
    if waited:
        _add_share(self, &life.spent.block, life.block_reason, waited)
    life.block_before = life.spent.states[STATE_WAITING]
    life.block_reason = reason
    if reason == self.deadly:
        self.dying = life


cdef inline void _enter(
    Lives* self, Life* life, const Rows* rows, int64_t i, int to
) noexcept nogil:
    """Open the interval that begins with row `i`. Every branch is one that hardly ever happens."""
    life.state = <uint8_t>to
    life.state_open_start = False
    life.since_ns = rows.time[i]
    life.stack_id = rows.stack[i]
    life.reason = rows.reason[i]
    life.entered[to] += 1
    # As numbers, for `and` would be two branches, and the processor guesses the first one wrong.
    if (life.block_reason ^ life.reason) & -<int32_t>(to == STATE_WAITING):
        _change_reason(self, life, life.reason)
    if life.is_young:
        _grow_up(self, life, rows.stack[i], rows.time[i])
    if self.wants_stays:
        _open_stay(life, rows, i, to)


cdef inline void _leave(
    Lives* self, Life* life, const Rows* rows, int64_t i, int to
) noexcept nogil:
    """Close the interval that ends with row `i`."""
    life.spent.states[life.state] += rows.time[i] - life.since_ns
    if self.wants_stays:
        _close_stay(self, life, rows, i, to)


cdef void _enter_oddly(
    Lives* self, Life* life, const Rows* rows, int64_t i, int to
) noexcept nogil:
    _enter(self, life, rows, i, to)
    if to == STATE_SYSCALL:
        _enter_syscall(self, life, rows.proc[i])
    elif to == STATE_NOTEXIST:
        life.since_seq = rows.first_seq + i
        self.dying = life


cdef Life* _begin(Lives* self, int64_t goroutine, const Rows* rows, int64_t i) noexcept nogil:
    """A new life; NULL without memory."""
    cdef uint64_t* lived = idmap_find(&self.lived, <uint64_t>goroutine)
    cdef uint64_t* held
    cdef Life* life = life_begin(&self.map, goroutine)
    if life == NULL:
        self.no_memory = True
        return NULL
    life.number = <int32_t>lived[0] if lived != NULL else 0
    life.open_start = False
    life.start_ns = rows.time[i]
    life.start_seq = rows.first_seq + i
    _set_no_waker(life)
    if self.held.count:
        held = idmap_find(&self.held, <uint64_t>goroutine)
        if held != NULL:
            life_recycle(&self.map, <Life*>held[0])
            idmap_remove(&self.held, <uint64_t>goroutine)
    return life


cdef void _begin_known(Lives* self, Life* life, const Rows* rows, int64_t i, int to) noexcept nogil:
    """A first status: it has been in that state since the trace began, if not longer."""
    cdef ProcNote* note
    life.open_start = True
    life.start_ns = self.sync_ns
    life.start_seq = self.sync_seq
    _enter_oddly(self, life, rows, i, to)
    life.state_open_start = True
    life.since_ns = self.sync_ns
    life.since_seq = self.sync_seq
    if to == STATE_SYSCALL and rows.proc[i] == NULL_ID:     # up to here, but not what follows
        life.spent.states[SPLIT_SYSCALL_BLOCK] = rows.time[i] - self.sync_ns
        life.spent.states[STATE_SYSCALL] = self.sync_ns - rows.time[i]
    note = _proc_note(self, life.proc) if self.wants_stays else NULL
    if note != NULL and note.thread != life.thread:
        life.proc = NULL_ID                 # it is the proc of whoever says so


cdef void _begin_created(
    Lives* self, Life* life, const Rows* rows, int64_t i, int to
) noexcept nogil:
    cdef Life* parent
    cdef OpenRegion* region
    life.parent = rows.goroutine[i]
    life.creation_stack_id = rows.context_stack[i]
    life.from_c = to == STATE_SYSCALL
    _enter_oddly(self, life, rows, i, to)
    if to == STATE_RUNNABLE:
        _set_waker(life, rows, i, WAKE_CREATE)
    if self.compat and self.regions != NULL:
        parent = life_find(&self.map, life.parent)
        if parent != NULL and parent.regions != NULL:
            region = region_push(&self.map, life)
            if region == NULL:
                self.no_memory = True
                return
            region.inherited = True
            region.depth = 0
            region.name = NULL_ID
            region.stack_id = NULL_ID
            region.task = parent.regions.task
            region.start_ns = rows.time[i]
            region.start_seq = rows.first_seq + i


# --- what is not every day -----------------------------------------------------------------------

cdef void _is_illegal(Lives* self, int64_t seq) noexcept nogil:
    if self.illegal == 0:
        self.illegal_seq = seq
    self.illegal += 1


cdef void _repeat(Lives* self, Life* life, const Rows* rows, int64_t i, int state) noexcept nogil:
    """A status that was known; it may bring a stack."""
    if life == NULL or life.state != state:
        _is_illegal(self, rows.first_seq + i)
        return
    if rows.stack[i] == NULL_ID:
        return
    if life.is_young and not self.compat:
        _grow_up(self, life, rows.stack[i], rows.time[i])
    if life.stack_id == NULL_ID and (state == STATE_WAITING or state == STATE_SYSCALL):
        life.stack_id = rows.stack[i]


cdef void _queue(Lives* self, Life* life) noexcept nogil:
    if not reserve(<void**>&self.over, &self.over_room, self.n_over + 1, sizeof(Life*)):
        self.no_memory = True
        return
    self.over[self.n_over] = life
    self.n_over += 1
    life.is_over = True


cdef void _change_oddly(
    Lives* self, Life* life, const Rows* rows, int64_t i, int from_state, int to
) noexcept nogil:
    """A life begins, a status is repeated, or something is wrong: then make the best of it."""
    cdef bint legal = self.legal[rows.code[i] & 127]
    if from_state == to and legal:
        _repeat(self, life, rows, i, to)
        return
    if not legal or life != NULL or from_state > STATE_NOTEXIST:
        _is_illegal(self, rows.first_seq + i)
        if from_state == to or (life == NULL and to == STATE_NOTEXIST):
            return
    if life != NULL:
        _change_specially(self, life, rows, i, to)
    else:
        life = _begin(self, rows.resource_id[i], rows, i)
        if life == NULL:
            return
        if from_state == STATE_NOTEXIST:
            _begin_created(self, life, rows, i, to)
        else:
            _begin_known(self, life, rows, i, to)


cdef void _change_specially(
    Lives* self, Life* life, const Rows* rows, int64_t i, int to
) noexcept nogil:
    """In or out of a syscall, or out of life."""
    _leave(self, life, rows, i, to)
    if life.state == STATE_SYSCALL:
        _leave_syscall(self, life, rows.time[i])
    _enter_oddly(self, life, rows, i, to)


cdef inline void _change(Lives* self, const Rows* rows, int64_t i) noexcept nogil:
    """A row in which a goroutine changes its state, or has it confirmed."""
    cdef uint8_t code = rows.code[i] & 127
    cdef Life* life = life_find(&self.map, rows.resource_id[i])
    if self.changes[code] == CHANGE_PLAIN and life != NULL and life.state == code >> 3:
        _leave(self, life, rows, i, code & 7)
        _enter(self, life, rows, i, code & 7)
    elif self.changes[code] == CHANGE_SPECIAL and life != NULL and life.state == code >> 3:
        _change_specially(self, life, rows, i, code & 7)
    else:
        _change_oddly(self, life, rows, i, code >> 3, code & 7)


cdef void _end_of_life(Lives* self, const Rows* rows, int64_t i) noexcept nogil:
    """The row killed a goroutine, or blocked it forever, which to Go is the same."""
    cdef Life* life = self.dying
    cdef uint64_t* place
    cdef Ending ending
    cdef bint is_new
    self.dying = NULL
    if life.is_over:
        life_forget(&self.map, life.goroutine)
        life_recycle(&self.map, life)
        return
    _settle(self, life, rows.time[i])
    if self.compat and self.regions != NULL:
        ending.time = rows.time[i]
        ending.seq = rows.first_seq + i
        ending.open = True
        close_regions(self, life, &ending)
    if life.state != STATE_NOTEXIST:        # its stay goes on
        life.since_seq = rows.first_seq + i
        _queue(self, life)
        return
    life_forget(&self.map, life.goroutine)
    if rows.code[i] >> 3 & 7 != STATE_SYSCALL and not life.from_c:
        _queue(self, life)
        return
    place = idmap_put(&self.lived, <uint64_t>life.goroutine, &is_new)
    if place == NULL:
        self.no_memory = True
        return
    place[0] = <uint64_t>life.number + 1
    if not self.compat:
        _queue(self, life)
        return
    place = idmap_put(&self.held, <uint64_t>life.goroutine, &is_new)
    if place == NULL:
        self.no_memory = True
        return
    place[0] = <uint64_t>life


cdef void _proc_changes(Lives* self, const Rows* rows, int64_t i) noexcept nogil:
    """A proc that goes idle while its goroutine is in a syscall was taken from it."""
    cdef int from_state = rows.code[i] >> 3 & 7
    cdef int to = rows.code[i] & 7
    cdef ProcNote* note = _proc_note(self, <int32_t>rows.resource_id[i])
    cdef Life* life
    if note == NULL:
        return
    if not self.legal[rows.code[i] & 127] or (
        from_state > STATE_NOTEXIST and from_state != note.state
    ):
        _is_illegal(self, rows.first_seq + i)
    note.state = <uint8_t>to
    if to == STATE_RUNNING:
        note.thread = rows.thread[i]
    elif to == STATE_IDLE and from_state != to:
        note.thread = NULL_ID
        life = life_find(&self.map, note.in_syscall)
        if life != NULL:
            life.lost_proc_ns = rows.time[i]
        note.in_syscall = NULL_ID


# --- ranges ---------------------------------------------------------------------------------------

cdef Life* _life_of_range(Lives* self, const Rows* rows, const Extra* extra) noexcept nogil:
    """Whose time a range is. A sweep is on a proc: it counts if one goroutine does all of it."""
    cdef int64_t goroutine = rows.goroutine[extra.row]
    cdef ProcNote* note
    cdef int64_t sweeper
    if extra.range_class == CLASS_MARK:
        return NULL
    if extra.range_class != CLASS_SWEEP:
        return life_find(&self.map, rows.resource_id[extra.row])
    note = _proc_note(self, <int32_t>rows.resource_id[extra.row])
    if note == NULL:
        return NULL
    if extra.kind == KIND_RANGE_END:
        sweeper = note.sweeper
        note.sweeper = NULL_ID
        return life_find(&self.map, goroutine) if sweeper == goroutine else NULL
    if life_find(&self.map, goroutine) == NULL:
        return NULL
    note.sweeper = goroutine
    return life_find(&self.map, goroutine)


cdef void _range(Lives* self, const Rows* rows, const Extra* extra) noexcept nogil:
    cdef Life* life = _life_of_range(self, rows, extra)
    cdef int64_t name = SWEEP_NAME
    cdef int64_t now = rows.time[extra.row]
    cdef Shares* open
    cdef Share* since
    cdef int32_t i
    if life == NULL or life.is_over:
        return
    if extra.range_class == CLASS_ASSIST:
        name = ASSIST_NAME
    elif extra.range_class == CLASS_STW:
        name = text_number(&self.names, extra.name.data, extra.name.length)
    if name < 0:
        self.no_memory = True
        return
    open = &life.open_ranges
    if extra.kind == KIND_RANGE_END:
        for i in range(open.count):
            if open.items[i].key == name:
                _add_share(self, &life.spent.ranges, <int32_t>name, now - open.items[i].ns)
                open.count -= 1
                open.items[i] = open.items[open.count]
                break
        return
    since = share_of(open, <int32_t>name)
    if since == NULL:
        _no_share(self, open)
    elif extra.kind == KIND_RANGE_BEGIN:
        since.ns = now
    else:                                   # a confirmation counts what was up to here
        if since.ns != 0:
            _add_share(self, &life.spent.ranges, <int32_t>name, self.sync_ns - since.ns)
        since.ns = self.sync_ns


# --- the rows -------------------------------------------------------------------------------------

cdef void _look_at_extra(Lives* self, const Rows* rows, const Extra* extra) noexcept nogil:
    if KIND_RANGE_BEGIN <= extra.kind <= KIND_RANGE_END:
        _range(self, rows, extra)
    elif self.regions != NULL:
        if extra.kind == KIND_REGION_BEGIN:
            begin_region(self, rows, extra)
        elif extra.kind == KIND_REGION_END:
            end_region(self, rows, extra)
        elif extra.kind == KIND_STATE_TRANSITION and extra.ended != NULL:
            abandon_region(self, rows, extra)


cdef int64_t _look_at_extras(Lives* self, const Rows* rows, int64_t* next) noexcept nogil:
    """Those of one row, from `next` on; the row of the next one."""
    cdef int64_t row = rows.extras[next[0]].row
    while next[0] < rows.n_extras and rows.extras[next[0]].row == row:
        _look_at_extra(self, rows, &rows.extras[next[0]])
        next[0] += 1
    return rows.extras[next[0]].row if next[0] < rows.n_extras else NULL_ID


cdef int lives_take(Lives* self, const Rows* rows) noexcept nogil:
    """Look at a chunk of rows; -1 without memory, or beyond a limit.

    `stays` and `over` have what came of it.
    """
    cdef int64_t extra = 0
    cdef int64_t row_of_extra = rows.extras[0].row if rows.n_extras else NULL_ID
    cdef int64_t i
    cdef uint8_t code
    cdef uint8_t sync = other_code(KIND_SYNC, NULL_ID)
    for i in range(rows.count):
        code = rows.code[i]
        if code & (CODE_TRANSITION | CODE_PROC) == CODE_TRANSITION:
            _change(self, rows, i)
        elif code & CODE_TRANSITION:
            _proc_changes(self, rows, i)
        elif code == sync:
            self.sync_ns = rows.time[i]
            self.sync_seq = rows.first_seq + i
        if i == row_of_extra:
            row_of_extra = _look_at_extras(self, rows, &extra)
        if self.dying != NULL:
            _end_of_life(self, rows, i)
    return -1 if self.no_memory or self.too_much else 0


# --- the end --------------------------------------------------------------------------------------

cdef int _compare_lives(const void* a, const void* b) noexcept nogil:
    cdef const Life* left = (<Life**>a)[0]
    cdef const Life* right = (<Life**>b)[0]
    if left.start_seq != right.start_seq:
        return -1 if left.start_seq < right.start_seq else 1
    return -1 if left.goroutine < right.goroutine else 1


cdef int _compare_stays(const void* a, const void* b) noexcept nogil:
    cdef const Stay* left = <Stay*>a
    cdef const Stay* right = <Stay*>b
    if left.start_seq != right.start_seq:
        return -1 if left.start_seq < right.start_seq else 1
    return -1 if left.goroutine < right.goroutine else 1


cdef void _queue_all(Lives* self, const Ending* ending) noexcept nogil:
    """Queue everyone who lives, and write down that whoever lives on is another life."""
    cdef LifePage* page
    cdef Life* life
    cdef Stay* stay
    cdef uint64_t* place
    cdef bint is_new
    cdef uint64_t i
    cdef int j
    for i in range(self.map.pages.mask + 1 if self.map.pages.slots != NULL else 0):
        page = <LifePage*>self.map.pages.slots[i].value
        for j in range(LIFE_PAGE_SIZE if page != NULL else 0):
            life = page.lives[j]
            if life == NULL:
                continue
            place = idmap_put(&self.lived, <uint64_t>life.goroutine, &is_new)
            if place == NULL:
                self.no_memory = True
                return
            place[0] = <uint64_t>life.number + 1
            if self.wants_stays:
                stay = _add_stay(self, life, ending.time, ending.seq)
                if stay != NULL:
                    stay.open_end = True
            if not life.is_over:
                _queue(self, life)


cdef int lives_close(Lives* self, const Ending* ending) noexcept nogil:
    """The trace, or a stretch of it, is over: queue everyone who lives; -1 without memory."""
    cdef Life* life
    cdef uint64_t i
    cdef int64_t j
    cdef int64_t held = 0
    for i in range(self.held.mask + 1 if self.held.count else 0):
        if self.held.slots[i].value:
            _queue(self, <Life*>self.held.slots[i].value)
            held += 1
    idmap_clear(&self.held)
    _queue_all(self, ending)
    if held > 1:
        qsort(self.over, held, sizeof(Life*), _compare_lives)
    if self.n_over > held:
        qsort(&self.over[held], self.n_over - held, sizeof(Life*), _compare_lives)
    if self.n_stays > 1:
        qsort(self.stays, self.n_stays, sizeof(Stay), _compare_stays)
    for j in range(held, self.n_over):
        life = self.over[j]
        if self.compat and self.regions != NULL:
            close_regions(self, life, ending)
        _settle(self, life, ending.time)
    return -1 if self.no_memory or self.too_much else 0


cdef void lives_reset(Lives* self) noexcept nogil:
    """Forget everyone."""
    lifemap_clear(&self.map)
    _free_values(&self.procs)
    memset(self.near_procs, 0, sizeof(self.near_procs))
