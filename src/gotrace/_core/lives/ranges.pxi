# EXTRAS -> the time that lives spend in ranges of the runtime: stop-the-world, sweeps, assists.
#
# Offers: time_range.

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


cdef void time_range(Lives* self, const Rows* rows, const Extra* extra) noexcept nogil:
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
                _add_range(self, &life.spent.ranges, <int32_t>name, now - open.items[i].ns)
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
            _add_range(self, &life.spent.ranges, <int32_t>name, self.sync_ns - since.ns)
        since.ns = self.sync_ns
