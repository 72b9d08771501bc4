# ROWS -> lives: the state machine of every goroutine.
#
# Each row that changes a state is checked against the table of legal transitions, closes the
# interval before it and opens one. What becomes of the intervals is in `stays.pxi`, of the lives in
# `ends.pxi`. Where ours differs from Go's Summarizer on purpose (blocking forever, a syscall that
# has not ended, the name, an id used again) `compat` decides.
#
# Offers: Lives, lives_init, lives_take, lives_memory, lives_clear.

cdef int _change_of(int code, bint is_legal) noexcept nogil:
    cdef int from_state = code >> 3 & 7
    cdef int to = code & 7
    if code == other_code(KIND_SYNC, NULL_ID):
        return CHANGE_SYNC
    if not code & CODE_TRANSITION:
        return CHANGE_NONE
    if code & CODE_PROC:
        return CHANGE_PROC
    if is_legal and from_state == STATE_NOTEXIST and to == STATE_RUNNABLE:
        return CHANGE_BIRTH
    if not is_legal or from_state == to or from_state <= STATE_NOTEXIST:
        return CHANGE_ODD
    if from_state == STATE_SYSCALL or to == STATE_SYSCALL:
        return CHANGE_SYSCALL
    if from_state == STATE_WAITING and to == STATE_RUNNABLE:
        return CHANGE_WAKE
    return CHANGE_DEATH if to == STATE_NOTEXIST else CHANGE_PLAIN


cdef int lives_init(Lives* self, bytes legal, uint64_t seed, bint compat) except -1:
    cdef int i
    cdef Text name
    memset(self, 0, sizeof(Lives))
    self.compat = compat
    self.named_stack = NULL_ID
    self.name_of_stack = NULL_ID
    self.procs.seed = seed
    self.lived.seed = seed
    self.held.seed = seed
    self.names.by_hash.seed = seed
    for i in range(128):
        self.legal[i] = legal[i]
    for i in range(256):
        self.changes[i] = _change_of(i, legal[i & 127])
    name = _range_name(CLASS_SWEEP)
    text_number(&self.names, name.data, name.length)
    name = _range_name(CLASS_ASSIST)
    if text_number(&self.names, name.data, name.length) != ASSIST_NAME:
        raise MemoryError()
    if not lifemap_init(&self.map, seed):
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
    free(self.entries)
    free(self.reason_ranks)


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


cdef inline void _add_block(Lives* self, Shares* block, int32_t reason, int64_t ns) noexcept nogil:
    """Add to the time waited for a reason; shares are in the order of their texts."""
    cdef int32_t count = block.count
    cdef Share* share = share_of(block, reason)
    if share == NULL:
        _no_share(self, block)
        return
    share.ns += ns
    if block.count > count and count:
        put_in_order(self, block)


cdef inline void _add_range(Lives* self, Shares* ranges, int32_t name, int64_t ns) noexcept nogil:
    cdef Share* share = share_of(ranges, name)
    if share == NULL:
        _no_share(self, ranges)
    else:
        share.ns += ns


cdef void _no_share(Lives* self, const Shares* shares) noexcept nogil:
    if shares.count >= MOST_SHARES:
        self.too_much = True
    else:
        self.no_memory = True


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
        _add_block(self, &life.spent.block, life.block_reason, waited)
    life.block_before = life.spent.states[STATE_WAITING]
    life.block_reason = reason
    if reason == self.deadly:
        self.dying = life


cdef void _name(Lives* self, Life* life, int64_t stack) noexcept nogil:
    """Its entry: the root of the first stack that has one."""
    cdef uint64_t* root
    if stack != self.named_stack:
        root = idmap_find(self.roots, <uint64_t>stack)
        self.named_stack = stack
        self.name_of_stack = <int64_t>root[0] - 1 if root != NULL else NULL_ID
    life.name = self.name_of_stack


cdef inline void _grow_up(Lives* self, Life* life, int64_t stack, int64_t now) noexcept nogil:
    """When it first ran, and what it began in."""
    if life.name < 0 and stack != NULL_ID:
        _name(self, life, stack)
    if life.first_run_ns == 0 and life.state == STATE_RUNNING:
        life.first_run_ns = now
    life.is_young = life.name < 0 or life.first_run_ns == 0


cdef inline void _enter(
    Lives* self, Life* life, const Rows* rows, int64_t i, int to, bint stays
) noexcept nogil:
    """Open the interval that begins with row `i`. Every branch is one that hardly ever happens."""
    life.state = <uint8_t>to
    life.state_open_start = False
    life.since_ns = rows.time[i]
    life.stack_id = rows.stack[i]
    life.reason = rows.reason[i]
    life.runs += to == STATE_RUNNING
    # As numbers, for `and` would be two branches, and the processor guesses the first one wrong.
    if (life.block_reason ^ life.reason) & -<int32_t>(to == STATE_WAITING):
        _change_reason(self, life, life.reason)
    if life.is_young:
        _grow_up(self, life, rows.stack[i], rows.time[i])
    if stays:
        _open_stay(life, rows, i, to)


cdef inline void _leave(
    Lives* self, Life* life, const Rows* rows, int64_t i, int from_state, int to, bint stays
) noexcept nogil:
    """Close the interval that ends with row `i`."""
    life.spent.states[from_state] += rows.time[i] - life.since_ns
    if stays:
        _close_stay(self, life, rows, i, to)


cdef inline void _enter_any(
    Lives* self, Life* life, const Rows* rows, int64_t i, int to
) noexcept nogil:
    """The same where it may be into a syscall, or out of life."""
    _enter(self, life, rows, i, to, self.wants_stays)
    if to == STATE_SYSCALL:
        _enter_syscall(self, life, rows.proc[i])
    elif to == STATE_NOTEXIST:
        life.since_seq = rows.first_seq + i
        self.dying = life


cdef inline Life* _begin(
    Lives* self, int64_t goroutine, const Rows* rows, int64_t i
) noexcept nogil:
    """A new life; NULL without memory."""
    cdef uint64_t* lived = NULL
    cdef uint64_t* held
    cdef Life* life = life_begin(&self.map, goroutine)
    if life == NULL:
        self.no_memory = True
        return NULL
    if self.lived.count:
        lived = idmap_find(&self.lived, <uint64_t>goroutine)
    life.number = <int32_t>lived[0] if lived != NULL else 0
    life.start_ns = rows.time[i]
    life.start_seq = rows.first_seq + i
    if self.wants_stays:
        _set_no_waker(life)
    if self.held.count:
        held = idmap_find(&self.held, <uint64_t>goroutine)
        if held != NULL:
            life_recycle(&self.map, <Life*>held[0])
            idmap_remove(&self.held, <uint64_t>goroutine)
    return life


cdef void _begin_known(Lives* self, const Rows* rows, int64_t i, int to) noexcept nogil:
    """A first status: it has been in that state since the trace began, if not longer."""
    cdef Life* life = _begin(self, rows.resource_id[i], rows, i)
    cdef ProcNote* note
    if life == NULL:
        return
    life.open_start = True
    life.start_ns = self.sync_ns
    life.start_seq = self.sync_seq
    _enter_any(self, life, rows, i, to)
    life.state_open_start = True
    life.since_ns = self.sync_ns
    life.since_seq = self.sync_seq
    if to == STATE_SYSCALL and rows.proc[i] == NULL_ID:     # up to here, but not what follows
        life.spent.states[SPLIT_SYSCALL_BLOCK] = rows.time[i] - self.sync_ns
        life.spent.states[STATE_SYSCALL] = self.sync_ns - rows.time[i]
    note = _proc_note(self, life.proc) if self.wants_stays else NULL
    if note != NULL and note.thread != life.thread:
        life.proc = NULL_ID                 # it is the proc of whoever says so


cdef void _inherit_region(Lives* self, Life* life, const Rows* rows, int64_t i) noexcept nogil:
    """Go's: it begins in the region that its creator is in."""
    cdef Life* parent = life_find(&self.map, life.parent)
    cdef OpenRegion* region
    if parent == NULL or parent.regions == NULL:
        return
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


cdef inline void _be_born(Lives* self, const Rows* rows, int64_t i, int to) noexcept nogil:
    cdef Life* life = _begin(self, rows.resource_id[i], rows, i)
    if life == NULL:
        return
    life.parent = rows.goroutine[i]
    life.creation_stack_id = rows.context_stack[i]
    life.from_c = to == STATE_SYSCALL
    _enter_any(self, life, rows, i, to)
    if to == STATE_RUNNABLE and self.wants_stays:
        _set_waker(life, rows, i, WAKE_CREATE)
    if self.compat and self.regions != NULL:
        _inherit_region(self, life, rows, i)


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
        _change_syscall(self, life, rows, i, to)
    elif from_state == STATE_NOTEXIST:
        _be_born(self, rows, i, to)
    else:
        _begin_known(self, rows, i, to)


cdef void _change_syscall(
    Lives* self, Life* life, const Rows* rows, int64_t i, int to
) noexcept nogil:
    """Into a syscall, out of one, or anything else."""
    _leave(self, life, rows, i, life.state, to, self.wants_stays)
    if life.state == STATE_SYSCALL:
        _leave_syscall(self, life, rows.time[i])
    _enter_any(self, life, rows, i, to)


cdef inline void _die(
    Lives* self, Life* life, const Rows* rows, int64_t i, bint stays
) noexcept nogil:
    """What hangs on the row is looked at before its record goes."""
    _leave(self, life, rows, i, life.state, STATE_NOTEXIST, stays)
    life.state = STATE_NOTEXIST
    life.state_open_start = False
    life.since_ns = rows.time[i]
    life.since_seq = rows.first_seq + i
    if life.is_young:
        _grow_up(self, life, rows.stack[i], rows.time[i])
    self.dying = life


cdef inline bint _hand_over(
    Lives* self, Life* life, const Rows* rows, int64_t i, int64_t row_of_extra
) noexcept nogil:
    """Whether row `i` and the one after the next wake a goroutine and run it: then both are done.

    The row between is of the one that hands over.
    """
    cdef int64_t run = i + 2
    if (
        rows.reason[i] != SWITCHES or run >= rows.count or i <= row_of_extra <= run
        or rows.code[run] != goroutine_code(STATE_RUNNABLE, STATE_RUNNING)
        or rows.resource_id[run] != life.goroutine or rows.resource_id[i + 1] == life.goroutine
        or life.is_young
    ):
        return False
    life.spent.states[STATE_WAITING] += rows.time[i] - life.since_ns
    life.spent.states[STATE_RUNNABLE] += rows.time[run] - rows.time[i]
    life.state = STATE_RUNNING
    life.state_open_start = False
    life.since_ns = rows.time[run]
    life.stack_id = rows.stack[run]
    life.reason = rows.reason[run]
    life.runs += 1
    return True


cdef void _change_rarely(
    Lives* self, const Rows* rows, int64_t i, int change, bint stays
) noexcept nogil:
    """A row in which a goroutine changes its state, or has it confirmed."""
    cdef int from_state = rows.code[i] >> 3 & 7
    cdef int to = rows.code[i] & 7
    cdef Life* life = life_find(&self.map, rows.resource_id[i])
    if life == NULL and change == CHANGE_BIRTH:
        _be_born(self, rows, i, STATE_RUNNABLE)
    elif life == NULL or life.state != from_state or change < CHANGE_DEATH:
        _change_oddly(self, life, rows, i, from_state, to)
    elif change == CHANGE_DEATH:
        _die(self, life, rows, i, stays)
    else:
        _change_syscall(self, life, rows, i, to)


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


# --- the rows -------------------------------------------------------------------------------------

cdef inline void _look_at_extra(Lives* self, const Rows* rows, const Extra* extra) noexcept nogil:
    if KIND_RANGE_BEGIN <= extra.kind <= KIND_RANGE_END:
        time_range(self, rows, extra)
    elif self.regions != NULL:
        if extra.kind == KIND_REGION_BEGIN:
            begin_region(self, rows, extra)
        elif extra.kind == KIND_REGION_END:
            end_region(self, rows, extra)
        elif extra.kind == KIND_STATE_TRANSITION and extra.ended != NULL:
            abandon_region(self, rows, extra)


cdef inline int64_t _look_at_extras(
    Lives* self, const Rows* rows, int64_t row, int64_t* next
) noexcept nogil:
    """Those of a row, from `next` on; the row of the next one."""
    cdef const Extra* extra = &rows.extras[next[0]]
    cdef const Extra* end = &rows.extras[rows.n_extras]
    while extra < end and extra.row == row:
        _look_at_extra(self, rows, extra)
        extra += 1
    next[0] = extra - rows.extras
    return extra.row if extra < end else NULL_ID


cdef inline void _take_rows(Lives* self, const Rows* rows, bint stays) noexcept nogil:
    cdef int64_t extra = 0
    cdef int64_t row_of_extra = rows.extras[0].row if rows.n_extras else NULL_ID
    cdef int64_t done = NULL_ID         # a row that was looked at with another
    cdef int64_t i
    cdef int change, from_state
    cdef Life* life
    for i in range(rows.count):
        change = self.changes[rows.code[i]]
        if change >= CHANGE_PLAIN:
            from_state = rows.code[i] >> 3 & 7
            life = life_find(&self.map, rows.resource_id[i])
            if life == NULL or life.state != from_state:
                if i != done:
                    _change_rarely(self, rows, i, CHANGE_ODD, stays)
            elif stays or change == CHANGE_PLAIN or not _hand_over(
                self, life, rows, i, row_of_extra
            ):
                _leave(self, life, rows, i, from_state, rows.code[i] & 7, stays)
                _enter(self, life, rows, i, rows.code[i] & 7, stays)
            else:
                done = i + 2
        elif change >= CHANGE_ODD:
            _change_rarely(self, rows, i, change, stays)
        elif change == CHANGE_PROC:
            _proc_changes(self, rows, i)
        elif change == CHANGE_SYNC:
            self.sync_ns = rows.time[i]
            self.sync_seq = rows.first_seq + i
        if i == row_of_extra:
            row_of_extra = _look_at_extras(self, rows, i, &extra)
        if self.dying != NULL:
            end_of_life(self, rows, i)


cdef int lives_take(Lives* self, const Rows* rows) noexcept nogil:
    """Look at a chunk of rows; -1 without memory, or beyond a limit.

    `stays`, `over` and the tables have what came of it.
    """
    if rows.reasons > self.n_ranks and not rank_reasons(self, rows.reasons):
        return -1
    if self.wants_stays:
        _take_rows(self, rows, True)
    else:
        _take_rows(self, rows, False)
    return -1 if self.no_memory or self.too_much else 0
