# ROWS -> lives: the state machine of every goroutine.
#
# Each row that changes a state is checked against the table of legal transitions, closes the
# interval before it and opens one. What closes is queued, a chunk of rows at a time, for the tables
# in columns/. Time is summed as Go's Summarizer does it. Where ours differs on purpose (blocking
# forever, a syscall that has not ended, the name, an id used again) `compat` decides.
#
# Offers: Lives, lives_init, lives_take, lives_close, lives_clear.

cdef int lives_init(Lives* self, bytes legal, uint64_t seed, bint compat) except -1:
    cdef int i
    cdef Text name
    memset(self, 0, sizeof(Lives))
    self.compat = compat
    self.map.pages.seed = seed
    self.procs.seed = seed
    self.lived.seed = seed
    self.held.seed = seed
    self.names.by_hash.seed = seed
    for i in range(128):
        self.legal[i] = legal[i]
    name = _range_name(CLASS_SWEEP)
    text_number(&self.names, name.data, name.length)
    name = _range_name(CLASS_ASSIST)
    if text_number(&self.names, name.data, name.length) != ASSIST_NAME:
        raise MemoryError()
    return 0


cdef void lives_clear(Lives* self) noexcept nogil:
    lifemap_clear(&self.map)
    _free_values(&self.procs)
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


cdef ProcNote* _proc_note(Lives* self, int32_t proc) noexcept nogil:
    """NULL for no proc, and without memory."""
    cdef uint64_t* found
    cdef ProcNote* note
    if proc < 0:
        return NULL
    found = idmap_find(&self.procs, <uint64_t>proc)
    if found != NULL:
        return <ProcNote*>found[0]
    note = <ProcNote*>_made(&self.procs, <uint64_t>proc, sizeof(ProcNote))
    if note == NULL:
        self.no_memory = True
        return NULL
    note.thread = NULL_ID
    note.in_syscall = NULL_ID
    note.sweeper = NULL_ID
    return note


cdef inline void _add_share(Lives* self, Shares* shares, int32_t key, int64_t ns) noexcept nogil:
    cdef int64_t* place = share_of(shares, key)
    if place == NULL:
        self.no_memory = True
    else:
        place[0] += ns


# --- time -----------------------------------------------------------------------------------------

cdef inline void _count(Lives* self, Life* life, Split* spent, int64_t now) noexcept nogil:
    """Add the time in the open interval that `life.spent` lacks to `spent`."""
    cdef int64_t ns = now - life.counted_ns
    if life.state == STATE_RUNNING:
        spent.exec += ns
    elif life.state == STATE_WAITING:
        _add_share(self, &spent.block, life.reason, ns)
    elif life.state == STATE_RUNNABLE:
        spent.sched += ns
    elif life.state == STATE_SYSCALL:
        if life.lost_proc_ns:
            spent.syscall_block += now - life.lost_proc_ns
            ns = life.lost_proc_ns - life.counted_ns
        spent.syscall += ns


cdef void _snapshot(Lives* self, Life* life, int64_t now, Split* split) noexcept nogil:
    """How its time divides up to now, with what goes on."""
    cdef const Share* since
    cdef int32_t i
    if not split_copy(split, &life.spent):
        self.no_memory = True
        return
    split.total = now - life.start_ns
    if self.compat and life.state == STATE_SYSCALL and life.lost_proc_ns:
        split.syscall += now - life.counted_ns      # Go: all of it, and its end again
        split.sched += now - life.lost_proc_ns
    else:
        _count(self, life, split, now)
    for i in range(life.open_ranges.count):
        since = &life.open_ranges.items[i]
        _add_share(self, &split.ranges, since.key, now - since.ns)


cdef inline void _learn_name(Lives* self, Life* life, int64_t stack) noexcept nogil:
    """Its entry is the root of the first stack that has one."""
    cdef uint64_t* root
    if life.name >= 0 or stack == NULL_ID:
        return
    root = idmap_find(self.roots, <uint64_t>stack)
    if root != NULL:
        life.name = <int64_t>root[0] - 1


# --- intervals ------------------------------------------------------------------------------------

cdef inline Stay* _add_stay(
    Lives* self, const Life* life, int64_t end_ns, int64_t end_seq
) noexcept nogil:
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


cdef inline bint _hands_over(const Rows* rows, int64_t i) noexcept nogil:
    """Whether the unblock in row `i` is the first of the three rows of a GoSwitch."""
    cdef uint8_t next
    if rows.context_stack[i] != NULL_ID or i + 2 >= rows.count:
        return False
    next = rows.code[i + 1]
    return (
        (
            next == goroutine_code(STATE_RUNNING, STATE_WAITING)
            or next == goroutine_code(STATE_RUNNING, STATE_NOTEXIST)
        )
        and rows.resource_id[i + 1] == rows.goroutine[i]
        and rows.stack[i + 1] == NULL_ID
        and rows.code[i + 2] == goroutine_code(STATE_RUNNABLE, STATE_RUNNING)
        and rows.resource_id[i + 2] == rows.resource_id[i]
        and rows.thread[i + 2] == rows.thread[i]
        and rows.time[i + 2] == rows.time[i] + 2
    )


cdef inline void _set_waker(Life* life, const Rows* rows, int64_t i, int8_t kind) noexcept nogil:
    """The context of row `i` woke it; null where it was itself."""
    life.by_kind = kind
    life.by_goroutine = rows.goroutine[i]
    life.by_stack_id = rows.context_stack[i]
    if life.by_goroutine == life.goroutine:
        life.by_goroutine = NULL_ID
        life.by_stack_id = NULL_ID


cdef void _enter(Lives* self, Life* life, const Rows* rows, int64_t i, int to) noexcept nogil:
    """Open the interval that begins with row `i`."""
    cdef ProcNote* note
    cdef bint executes = to == STATE_RUNNING or to == STATE_SYSCALL
    life.state = <uint8_t>to
    life.state_open_start = False
    life.since_ns = rows.time[i]
    life.since_seq = rows.first_seq + i
    life.counted_ns = rows.time[i]
    life.stack_id = rows.stack[i]
    life.reason = rows.reason[i]
    life.thread = rows.thread[i] if executes else NULL_ID
    life.proc = rows.proc[i] if executes else NULL_ID
    if to == STATE_RUNNING:
        life.runs += 1
        if life.first_run_ns == 0:
            life.first_run_ns = rows.time[i]
    elif to == STATE_SYSCALL:
        life.lost_proc_ns = 0
        life.syscall_proc = rows.proc[i]
        note = _proc_note(self, rows.proc[i])
        if note != NULL:
            note.in_syscall = life.goroutine


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
    life.by_kind = NULL_ID
    life.by_goroutine = NULL_ID
    life.by_stack_id = NULL_ID
    life.waited_ns = NULL_ID
    life.waited_stack_id = NULL_ID
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
    _enter(self, life, rows, i, to)
    life.state_open_start = True
    life.since_ns = self.sync_ns
    life.since_seq = self.sync_seq
    if to == STATE_SYSCALL and rows.proc[i] == NULL_ID:
        life.spent.syscall_block += rows.time[i] - self.sync_ns
    else:
        life.counted_ns = self.sync_ns
        _count(self, life, &life.spent, rows.time[i])
        life.counted_ns = rows.time[i]
    note = _proc_note(self, life.proc)
    if note != NULL and note.thread != life.thread:
        life.proc = NULL_ID                 # it is the proc of whoever says so


cdef void _begin_created(
    Lives* self, Life* life, const Rows* rows, int64_t i, int to
) noexcept nogil:
    cdef Life* parent
    cdef OpenRegion* region
    life.parent = rows.goroutine[i]
    life.creation_stack_id = rows.context_stack[i]
    _enter(self, life, rows, i, to)
    if to == STATE_RUNNABLE:
        _set_waker(life, rows, i, WAKE_CREATE)
    if self.compat and self.wants_regions:
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


cdef void _leave(Lives* self, Life* life, const Rows* rows, int64_t i, int to) noexcept nogil:
    """Close the interval that ends with row `i`."""
    cdef int64_t now = rows.time[i]
    cdef ProcNote* note
    cdef Stay* stay
    if not life.is_over:
        _count(self, life, &life.spent, now)
    if life.state == STATE_SYSCALL:
        life.lost_proc_ns = 0
        note = _proc_note(self, life.syscall_proc)
        if note != NULL:
            note.in_syscall = NULL_ID
    elif life.state == STATE_WAITING:
        _set_waker(life, rows, i, WAKE_SWITCH if _hands_over(rows, i) else WAKE_UNBLOCK)
    if self.wants_stays:
        stay = _add_stay(self, life, now, rows.first_seq + i)
        if stay != NULL:
            stay.next_state = <int8_t>to
            stay.end_stack_id = rows.stack[i]
    if life.state == STATE_WAITING:
        life.waited_ns = NULL_ID if life.state_open_start else now - life.since_ns
        life.waited_stack_id = life.stack_id
    elif life.by_kind != NULL_ID:
        life.by_kind = NULL_ID
        life.by_goroutine = NULL_ID
        life.by_stack_id = NULL_ID
        life.waited_ns = NULL_ID
        life.waited_stack_id = NULL_ID


# --- transitions ----------------------------------------------------------------------------------

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
    if not self.compat:
        _learn_name(self, life, rows.stack[i])
    if life.stack_id == NULL_ID and (state == STATE_WAITING or state == STATE_SYSCALL):
        life.stack_id = rows.stack[i]


cdef void _queue(Lives* self, Life* life) noexcept nogil:
    if not reserve(<void**>&self.over, &self.over_room, self.n_over + 1, sizeof(Life*)):
        self.no_memory = True
        return
    self.over[self.n_over] = life
    self.n_over += 1
    life.is_over = True


cdef void _change(Lives* self, const Rows* rows, int64_t i) noexcept nogil:
    """A row in which a goroutine changes its state, or has it confirmed."""
    cdef uint8_t code = rows.code[i]
    cdef int from_state = code >> 3 & 7
    cdef int to = code & 7
    cdef int64_t goroutine = rows.resource_id[i]
    cdef Life* life = life_find(&self.map, goroutine)
    if from_state == to and self.legal[code & 127]:
        _repeat(self, life, rows, i, to)
        return
    if (
        not self.legal[code & 127]
        or (life == NULL) != (from_state <= STATE_NOTEXIST)
        or (life != NULL and life.state != from_state)
    ):
        _is_illegal(self, rows.first_seq + i)
        if from_state == to or (life == NULL and to == STATE_NOTEXIST):
            return
    if life != NULL:
        _leave(self, life, rows, i, to)
        _enter(self, life, rows, i, to)
    else:
        life = _begin(self, goroutine, rows, i)
        if life == NULL:
            return
        if from_state == STATE_NOTEXIST:
            _begin_created(self, life, rows, i, to)
        else:
            _begin_known(self, life, rows, i, to)
    _learn_name(self, life, rows.stack[i])
    if to == STATE_NOTEXIST:
        self.dying = life
    elif to == STATE_WAITING and self.compat and life.reason == self.forever:
        self.dying = life


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
    _snapshot(self, life, rows.time[i], &self.scratch)
    split_copy(&life.spent, &self.scratch)
    if self.compat and self.wants_regions:
        ending.time = rows.time[i]
        ending.seq = rows.first_seq + i
        ending.open = True
        close_regions(self, life, &ending)
    if life.state != STATE_NOTEXIST:        # its stay goes on
        _queue(self, life)
        return
    life_forget(&self.map, life.goroutine)
    if rows.code[i] >> 3 & 7 != STATE_SYSCALL:
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
    cdef int64_t* since
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
        self.no_memory = True
    elif extra.kind == KIND_RANGE_BEGIN:
        since[0] = now
    else:                                   # a confirmation counts what was up to here
        if since[0] != 0:
            _add_share(self, &life.spent.ranges, <int32_t>name, self.sync_ns - since[0])
        since[0] = self.sync_ns


# --- the rows -------------------------------------------------------------------------------------

cdef void _look_at_extra(Lives* self, const Rows* rows, const Extra* extra) noexcept nogil:
    if KIND_RANGE_BEGIN <= extra.kind <= KIND_RANGE_END:
        _range(self, rows, extra)
    elif self.wants_regions:
        if extra.kind == KIND_REGION_BEGIN:
            begin_region(self, rows, extra)
        elif extra.kind == KIND_REGION_END:
            end_region(self, rows, extra)
        elif extra.kind == KIND_STATE_TRANSITION and extra.ended != NULL:
            abandon_region(self, rows, extra)


cdef int lives_take(Lives* self, const Rows* rows) noexcept nogil:
    """Look at a chunk of rows; -1 without memory. `stays` and `over` have what came of it."""
    cdef int64_t next_extra = 0
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
        while next_extra < rows.n_extras and rows.extras[next_extra].row == i:
            _look_at_extra(self, rows, &rows.extras[next_extra])
            next_extra += 1
        if self.dying != NULL:
            _end_of_life(self, rows, i)
    return -1 if self.no_memory else 0


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
        if self.compat and self.wants_regions:
            close_regions(self, life, ending)
        _snapshot(self, life, ending.time, &self.scratch)
        split_copy(&life.spent, &self.scratch)
    return -1 if self.no_memory else 0


cdef void lives_reset(Lives* self) noexcept nogil:
    """Forget everyone."""
    lifemap_clear(&self.map)
    _free_values(&self.procs)
