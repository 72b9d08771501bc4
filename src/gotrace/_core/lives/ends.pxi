# What lives come to: their time summed up as Go's Summarizer does it, their end, that of the trace.
#
# A life that ends becomes a row of `goroutines` at once, and its record the next one's. Those that
# the trace ends in, and with `compat` all, are queued: what they wait for takes Python to tell.
#
# Offers: snapshot, end_of_life, lives_close, lives_reset.

cdef inline void _add_lists(
    Lives* self, const Life* life, int64_t now, Split* split
) noexcept nogil:
    """What it waited for last, and the ranges that it is in."""
    cdef const Share* since
    cdef int64_t waited = split.states[STATE_WAITING] - life.block_before
    cdef int32_t i
    split.total = now - life.start_ns
    if waited:
        _add_block(self, &split.block, life.block_reason, waited)
    for i in range(life.open_ranges.count):
        since = &life.open_ranges.items[i]
        _add_range(self, &split.ranges, since.key, now - since.ns)


cdef inline void _sum_up(Lives* self, const Life* life, int64_t now, Split* split) noexcept nogil:
    """Add what goes on to a copy of its `spent`, or to that itself."""
    if life.state == STATE_SYSCALL and life.lost_proc_ns:
        if self.compat:                     # Go: all of it, and its end again
            split.states[STATE_SYSCALL] += now - life.since_ns
            split.states[STATE_RUNNABLE] += now - life.lost_proc_ns
        else:
            split.states[STATE_SYSCALL] += life.lost_proc_ns - life.since_ns
            split.states[SPLIT_SYSCALL_BLOCK] += now - life.lost_proc_ns
    elif life.state != STATE_NOTEXIST:
        split.states[life.state] += now - life.since_ns
    _add_lists(self, life, now, split)


cdef void snapshot(Lives* self, const Life* life, int64_t now, Split* split) noexcept nogil:
    """How its time divides up to now, with what goes on."""
    if split_copy(split, &life.spent):
        _sum_up(self, life, now, split)
    else:
        self.no_memory = True


cdef void _settle(Lives* self, Life* life, int64_t now) noexcept nogil:
    """Let `spent` be all there is, for its row."""
    _sum_up(self, life, now, &life.spent)
    life.block_before = life.spent.states[STATE_WAITING]
    life.open_ranges.count = 0


cdef void _queue(Lives* self, Life* life) noexcept nogil:
    if not reserve(<void**>&self.over, &self.over_room, self.n_over + 1, sizeof(Life*)):
        self.no_memory = True
        return
    self.over[self.n_over] = life
    self.n_over += 1
    life.is_over = True


cdef bint _count_life(Lives* self, const Life* life) noexcept nogil:
    """Whoever comes to live under its id is another life; False without memory."""
    cdef bint is_new
    cdef uint64_t* place = idmap_put(&self.lived, <uint64_t>life.goroutine, &is_new)
    if place == NULL:
        self.no_memory = True
        return False
    place[0] = <uint64_t>life.number + 1
    return True


cdef void _end_compatibly(Lives* self, Life* life, const Rows* rows, int64_t i) noexcept nogil:
    """As Go has it: to block forever is an end too, and an id that comes again forgets a life."""
    cdef Ending ending
    cdef uint64_t* place
    cdef bint is_new
    if life.is_over:
        life_forget(&self.map, life)
        life_recycle(&self.map, life)
        return
    _settle(self, life, rows.time[i])
    if self.regions != NULL:
        ending.time = rows.time[i]
        ending.seq = rows.first_seq + i
        ending.open = True
        close_regions(self, life, &ending)
    if life.state != STATE_NOTEXIST:        # its stay goes on
        life.since_seq = rows.first_seq + i
        _queue(self, life)
        return
    life_forget(&self.map, life)
    if rows.code[i] >> 3 & 7 != STATE_SYSCALL and not life.from_c:
        _queue(self, life)
        return
    if not _count_life(self, life):
        return
    place = idmap_put(&self.held, <uint64_t>life.goroutine, &is_new)
    if place == NULL:
        self.no_memory = True
        return
    place[0] = <uint64_t>life


cdef inline void end_of_life(Lives* self, const Rows* rows, int64_t i) noexcept nogil:
    """The row killed a goroutine."""
    cdef Life* life = self.dying
    self.dying = NULL
    if self.compat:
        _end_compatibly(self, life, rows, i)
        return
    life_forget(&self.map, life)
    if rows.code[i] >> 3 & 7 == STATE_SYSCALL or life.from_c:
        _count_life(self, life)
    if self.rows != NULL:
        _add_lists(self, life, rows.time[i], &life.spent)
        put_life(self.rows, self, life, life.since_seq, True, NULL_ID)
    life_recycle(&self.map, life)


# --- the trace is over ----------------------------------------------------------------------------

cdef int _compare_lives(const void* a, const void* b) noexcept nogil:
    cdef const Life* left = (<Life**>a)[0]
    cdef const Life* right = (<Life**>b)[0]
    if left.start_seq != right.start_seq:
        return -1 if left.start_seq < right.start_seq else 1
    return -1 if left.goroutine < right.goroutine else 1


cdef void _close_life(Lives* self, Life* life, const Ending* ending) noexcept nogil:
    """Queue a life that goes on, and write down that whoever lives on is another one."""
    if not _count_life(self, life):
        return
    if self.wants_stays:
        close_stay(self, life, ending)
    if not life.is_over:
        _queue(self, life)


cdef void _close_lives(Lives* self, const Ending* ending) noexcept nogil:
    cdef uint64_t i
    for i in range(self.map.mask + 1 if self.map.places != NULL else 0):
        if self.map.places[i] != &self.map.nobody:
            _close_life(self, self.map.places[i], ending)
    for i in range(self.map.others.mask + 1 if self.map.others.count else 0):
        if self.map.others.slots[i].value:
            _close_life(self, <Life*>self.map.others.slots[i].value, ending)


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
    _close_lives(self, ending)
    if held > 1:
        qsort(self.over, held, sizeof(Life*), _compare_lives)
    if self.n_over > held:
        qsort(&self.over[held], self.n_over - held, sizeof(Life*), _compare_lives)
    sort_stays(self)
    for j in range(held, self.n_over):
        life = self.over[j]
        if self.compat and self.regions != NULL:
            close_regions(self, life, ending)
        _settle(self, life, ending.time)
    return -1 if self.no_memory or self.too_much else 0


cdef int lives_reset(Lives* self) noexcept nogil:
    """Forget everyone; -1 without memory."""
    lifemap_clear(&self.map)
    _free_values(&self.procs)
    memset(self.near_procs, 0, sizeof(self.near_procs))
    return 0 if lifemap_init(&self.map, self.map.others.seed) else -1
