# Events that change no state of a goroutine or proc: ranges, metrics, labels, tasks, regions, logs.
#
# Ranges, regions and tasks are remembered from begin to end, with copies of their names: the end
# may come generations later, when the ids of the begin mean something else.
#
# Offers: annotate.

cdef Text _literal(const char* text) noexcept nogil:
    cdef Text literal
    literal.data = text
    literal.length = <int64_t>strlen(text)
    return literal


# --- ranges -------------------------------------------------------------------------------------

cdef Text _range_name(int range_class) noexcept nogil:
    if range_class == CLASS_MARK:
        return _literal("GC concurrent mark phase")
    if range_class == CLASS_SWEEP:
        return _literal("GC incremental sweep")
    return _literal("GC mark assist")


cdef Interval* _open_range(Interval* open, int range_class, const Text* name) noexcept nogil:
    """The open range of a class on a resource; of stop-the-world ranges the one with that name."""
    while open != NULL:
        if open.range_class == range_class and (
            name == NULL
            or (
                open.name.length == name.length
                and memcmp(open.name.data, name.data, name.length) == 0
            )
        ):
            return open
        open = open.next
    return NULL


cdef int _emit_range(
    Ordering* self, Cursor* event, uint8_t kind, int range_class,
    int resource, int64_t resource_id, int64_t stack,
) noexcept nogil:
    """A row and its extra; the caller gives the extra its name."""
    cdef Extra* extra = extra_of(self, kind, event)
    if extra == NULL:
        return BROKEN
    extra.range_class = <uint8_t>range_class
    emit(self, event, other_code(kind, resource), resource_id, stack, NULL_ID, NULL_ID)
    return ADVANCED


cdef inline Extra* _last_extra(Ordering* self) noexcept nogil:
    return &self.rows.extras[self.rows.n_extras - 1]


cdef inline void _open(Ordering* self, Interval** open, Interval* interval) noexcept nogil:
    """The row just emitted begins the interval; it may be taken back yet (`_take_back`)."""
    interval.next = open[0]
    open[0] = interval
    self.begun = interval
    self.begun_seq = last_seq(self)


cdef int _begin_range(
    Ordering* self, Cursor* event, Interval** open, int range_class, const Text* name,
    int resource, int64_t resource_id, uint64_t stack,
) noexcept nogil:
    cdef Interval* interval
    if _open_range(open[0], range_class, name) != NULL:
        return _broken(self, event, FAULT_RANGE_OPEN, range_class, resource_id)
    interval = interval_new(&self.intervals, KIND_RANGE_BEGIN, name)
    if interval == NULL:
        return _broken(self, event, FAULT_NO_MEMORY, 0, 0)
    interval.range_class = <uint8_t>range_class
    interval.resource_id = resource_id
    interval.goroutine = event.thread.goroutine_id
    interval.stack_id = stack_of(self, stack)
    if _emit_range(
        self, event, KIND_RANGE_BEGIN, range_class, resource, resource_id, interval.stack_id
    ) < 0:
        interval_free(&self.intervals, interval)
        return BROKEN
    interval.start_ns = self.last_time
    interval.start_seq = last_seq(self)
    _open(self, open, interval)
    _last_extra(self).name = interval.name
    return ADVANCED


cdef int _active_range(
    Ordering* self, Cursor* event, Interval** open, int range_class,
    int resource, int64_t resource_id,
) noexcept nogil:
    """First sight of a range that began before the trace, later a confirmation of what is known."""
    cdef Text name = _range_name(range_class)
    cdef Interval* interval = _open_range(open[0], range_class, NULL)
    if self.is_initial:
        if interval != NULL:
            return _broken(self, event, FAULT_RANGE_OPEN, range_class, resource_id)
        interval = interval_new(&self.intervals, KIND_RANGE_BEGIN, &name)
        if interval == NULL:
            return _broken(self, event, FAULT_NO_MEMORY, 0, 0)
        interval.range_class = <uint8_t>range_class
        interval.resource_id = resource_id
        if resource == RESOURCE_GOROUTINE:
            interval.goroutine = resource_id
        interval.open_start = True
        interval.start_ns = self.opening_time
        interval.start_seq = self.opening_seq
    elif interval == NULL:
        return _broken(self, event, FAULT_RANGE_CLOSED, range_class, resource_id)
    if _emit_range(self, event, KIND_RANGE_ACTIVE, range_class, resource, resource_id, NULL_ID) < 0:
        if self.is_initial:
            interval_free(&self.intervals, interval)
        return BROKEN
    if self.is_initial:
        _open(self, open, interval)
    _last_extra(self).name = interval.name
    return ADVANCED


cdef int _end_range(
    Ordering* self, Cursor* event, Interval** open, int range_class,
    int resource, int64_t resource_id,
) noexcept nogil:
    """Close the oldest range of the class."""
    cdef Interval** link = open
    cdef Interval** found = NULL
    cdef Interval* interval
    while link[0] != NULL:
        if link[0].range_class == range_class:
            found = link
        link = &link[0].next
    if found == NULL:
        return _broken(self, event, FAULT_RANGE_CLOSED, range_class, resource_id)
    if _emit_range(self, event, KIND_RANGE_END, range_class, resource, resource_id, NULL_ID) < 0:
        return BROKEN
    interval = found[0]
    found[0] = interval.next
    _last_extra(self).name = interval.name
    _last_extra(self).ended = interval
    return ADVANCED


cdef int _stop_the_world_begin(Ordering* self, Cursor* event) noexcept nogil:
    cdef char name[MAX_STRING_BYTES + 32]
    cdef Text kind, whole
    cdef int64_t number
    if _needs_goroutine(self, event) < 0:
        return BROKEN
    if event.thread.goroutine.status == UNKNOWN:
        return _broken(self, event, FAULT_GOROUTINE_UNKNOWN, event.thread.goroutine_id, 0)
    text_of(self, event.args[0], &kind)
    number = text_number(&self.stops, kind.data, kind.length)
    if number < 0:
        return _broken(self, event, FAULT_NO_MEMORY, 0, 0)
    if number >= MOST_STOPS:
        return _broken(self, event, FAULT_LIMIT_REASONS, MOST_STOPS, 0)
    memcpy(name, "stop-the-world (", 16)
    memcpy(name + 16, kind.data, kind.length)
    name[16 + kind.length] = c')'
    whole.data = name
    whole.length = 17 + kind.length
    return _begin_range(
        self, event, &event.thread.goroutine.ranges, CLASS_STW, &whole,
        RESOURCE_GOROUTINE, event.thread.goroutine_id, event.args[1],
    )


cdef int _goroutine_range(Ordering* self, Cursor* event) noexcept nogil:
    """Assists and the end of stop-the-world: on the running goroutine."""
    cdef Goroutine* goroutine = event.thread.goroutine
    cdef Text name
    if _needs_goroutine(self, event) < 0:
        return BROKEN
    if goroutine.status == UNKNOWN:
        return _broken(self, event, FAULT_GOROUTINE_UNKNOWN, goroutine.id, 0)
    if event.type == EV_STW_END:
        return _end_range(
            self, event, &goroutine.ranges, CLASS_STW, RESOURCE_GOROUTINE, goroutine.id
        )
    if event.type == EV_GC_MARK_ASSIST_END:
        return _end_range(
            self, event, &goroutine.ranges, CLASS_ASSIST, RESOURCE_GOROUTINE, goroutine.id
        )
    name = _range_name(CLASS_ASSIST)
    return _begin_range(
        self, event, &goroutine.ranges, CLASS_ASSIST, &name,
        RESOURCE_GOROUTINE, goroutine.id, event.args[0],
    )


cdef int _assist_active(Ordering* self, Cursor* event) noexcept nogil:
    cdef Goroutine* goroutine = goroutine_find(&self.goroutines, event.args[0])
    if goroutine == NULL or goroutine.status == UNKNOWN:
        return _broken(self, event, FAULT_GOROUTINE_UNKNOWN, <int64_t>event.args[0], 0)
    return _active_range(
        self, event, &goroutine.ranges, CLASS_ASSIST, RESOURCE_GOROUTINE, goroutine.id
    )


cdef int _sweep(Ordering* self, Cursor* event) noexcept nogil:
    cdef Proc* proc = event.thread.proc
    cdef Text name
    cdef int status
    if event.type == EV_GC_SWEEP_ACTIVE:
        proc = proc_find(self, event.args[0])
        if proc == NULL:
            return _broken(self, event, FAULT_PROC_UNKNOWN, <int64_t>event.args[0], 0)
        return _active_range(self, event, &proc.ranges, CLASS_SWEEP, RESOURCE_PROC, proc.id)
    if _needs_proc(self, event) < 0:
        return BROKEN
    if event.type == EV_GC_SWEEP_BEGIN:
        name = _range_name(CLASS_SWEEP)
        return _begin_range(
            self, event, &proc.ranges, CLASS_SWEEP, &name, RESOURCE_PROC, proc.id, event.args[0]
        )
    status = _end_range(self, event, &proc.ranges, CLASS_SWEEP, RESOURCE_PROC, proc.id)
    if status == ADVANCED:
        _last_extra(self).n_values = 2
        _last_extra(self).values[0] = event.args[0]
        _last_extra(self).values[1] = event.args[1]
    return status


cdef int _gc(Ordering* self, Cursor* event) noexcept nogil:
    """The mark phase, ordered by a counter that never restarts.

    The first event of all may have any number, and then needs no context. Of GCActive that holds in
    the first generation only, where it is the first sight of a phase under way.
    """
    cdef Text name = _range_name(CLASS_MARK)
    cdef uint64_t sequence = event.args[0]
    cdef bint first = self.gc_state == GC_UNDETERMINED
    cdef bint active = event.type == EV_GC_ACTIVE
    if active and self.is_initial:
        if not first:
            return _broken(self, event, FAULT_GC, event.type, <int64_t>sequence)
    elif not (event.type == EV_GC_BEGIN and first):
        if sequence != self.gc_sequence + 1:
            return WAITS
        if (event.type == EV_GC_BEGIN) == (self.gc_state == GC_RUNNING) or first:
            return _broken(self, event, FAULT_GC, event.type, <int64_t>sequence)
        if _needs_goroutine(self, event) < 0:
            return BROKEN
    self.gc_sequence = sequence
    self.gc_state = GC_NOT_RUNNING if event.type == EV_GC_END else GC_RUNNING
    if event.type == EV_GC_BEGIN:
        return _begin_range(
            self, event, &self.gc, CLASS_MARK, &name, NULL_ID, NULL_ID, event.args[1]
        )
    if active:
        return _active_range(self, event, &self.gc, CLASS_MARK, NULL_ID, NULL_ID)
    return _end_range(self, event, &self.gc, CLASS_MARK, NULL_ID, NULL_ID)


# --- metrics, labels, logs ----------------------------------------------------------------------

cdef int _metric(Ordering* self, Cursor* event) noexcept nogil:
    cdef int64_t stack = NULL_ID
    cdef Extra* extra
    cdef Text name
    if event.type == EV_PROCS_CHANGE:
        if _needs_goroutine(self, event) < 0:
            return BROKEN
        name = _literal("/sched/gomaxprocs:threads")
        stack = stack_of(self, event.args[1])
    else:
        if _needs_proc(self, event) < 0:
            return BROKEN
        if event.type == EV_HEAP_ALLOC:
            name = _literal("/memory/classes/heap/objects:bytes")
        else:
            name = _literal("/gc/heap/goal:bytes")
    extra = extra_of(self, KIND_METRIC, event)
    if extra == NULL:
        return BROKEN
    extra.name = name
    extra.n_values = 1
    extra.values[0] = event.args[0]
    emit(self, event, other_code(KIND_METRIC, NULL_ID), NULL_ID, stack, NULL_ID, NULL_ID)
    return ADVANCED


cdef int _label(Ordering* self, Cursor* event) noexcept nogil:
    cdef Extra* extra
    if _needs_goroutine(self, event) < 0:
        return BROKEN
    extra = extra_of(self, KIND_LABEL, event)
    if extra == NULL:
        return BROKEN
    text_of(self, event.args[0], &extra.name)
    emit(
        self, event, other_code(KIND_LABEL, RESOURCE_GOROUTINE), event.thread.goroutine_id,
        NULL_ID, NULL_ID, NULL_ID,
    )
    return ADVANCED


cdef inline int64_t _task_id(uint64_t id) noexcept nogil:
    """0 is the background task, 2**64 - 1 is none; a table knows one null for both."""
    return NULL_ID if id == 0 or id == NO_ID else <int64_t>id


cdef int _emit_user(
    Ordering* self, Cursor* event, uint8_t kind, uint64_t task, uint64_t stack
) noexcept nogil:
    cdef Extra* extra
    if task > INT64_MAX and task != NO_ID:
        return _broken(self, event, FAULT_LIMIT_ID, <int64_t>task, 0)
    extra = extra_of(self, kind, event)
    if extra == NULL:
        return BROKEN
    extra.task = _task_id(task)
    emit(self, event, other_code(kind, NULL_ID), NULL_ID, stack_of(self, stack), NULL_ID, NULL_ID)
    return ADVANCED


cdef int _log(Ordering* self, Cursor* event) noexcept nogil:
    if _needs_goroutine(self, event) < 0:
        return BROKEN
    if _emit_user(self, event, KIND_LOG, event.args[0], event.args[3]) < 0:
        return BROKEN
    text_of(self, event.args[1], &_last_extra(self).name)
    text_of(self, event.args[2], &_last_extra(self).message)
    return ADVANCED


# --- tasks and regions --------------------------------------------------------------------------

cdef int _task_begin(Ordering* self, Cursor* event) noexcept nogil:
    cdef uint64_t id = event.args[0]
    cdef uint64_t* place
    cdef Interval* interval
    cdef Text name
    cdef bint is_new
    if idmap_find(&self.tasks, id) != NULL:
        return _broken(self, event, FAULT_TASK_EXISTS, <int64_t>id, 0)
    if not string_text(self.generation, event.args[2], &name):
        return _broken(self, event, FAULT_STRING_ID, <int64_t>event.args[2], 0)
    if _needs_goroutine(self, event) < 0:
        return BROKEN
    if event.args[1] > INT64_MAX and event.args[1] != NO_ID:
        return _broken(self, event, FAULT_LIMIT_ID, <int64_t>event.args[1], 0)
    if _emit_user(self, event, KIND_TASK_BEGIN, id, event.args[3]) < 0:
        return BROKEN
    interval = interval_new(&self.intervals, KIND_TASK_BEGIN, &name)
    place = idmap_put(&self.tasks, id, &is_new)
    if interval == NULL or place == NULL:
        interval_free(&self.intervals, interval)
        return _broken(self, event, FAULT_NO_MEMORY, 0, 0)
    interval.parent_task = _task_id(event.args[1])
    place[0] = <uint64_t>interval
    _last_extra(self).name = interval.name
    _last_extra(self).parent_task = interval.parent_task
    return ADVANCED


cdef int _task_end(Ordering* self, Cursor* event) noexcept nogil:
    """A task that began before the trace ends without name and parent."""
    cdef uint64_t* found = idmap_find(&self.tasks, event.args[0])
    cdef Interval* interval
    if _needs_goroutine(self, event) < 0:
        return BROKEN
    if _emit_user(self, event, KIND_TASK_END, event.args[0], event.args[1]) < 0:
        return BROKEN
    if found != NULL:
        interval = <Interval*>found[0]
        idmap_remove(&self.tasks, event.args[0])
        _last_extra(self).name = interval.name
        _last_extra(self).parent_task = interval.parent_task
        _last_extra(self).ended = interval
    return ADVANCED


cdef int _region(Ordering* self, Cursor* event) noexcept nogil:
    """Regions of a goroutine nest; an end with none open belongs to one from before the trace."""
    cdef Goroutine* goroutine = event.thread.goroutine
    cdef Interval** link
    cdef Interval* interval
    cdef Interval* none = NULL
    cdef Text name
    cdef int depth = 0
    cdef bint begins = event.type == EV_USER_REGION_BEGIN
    if _needs_goroutine(self, event) < 0:
        return BROKEN
    if not string_text(self.generation, event.args[1], &name):
        return _broken(self, event, FAULT_STRING_ID, <int64_t>event.args[1], 0)
    if goroutine.status == UNKNOWN:
        return _broken(self, event, FAULT_GOROUTINE_UNKNOWN, goroutine.id, 0)
    link = &goroutine.regions
    if not begins:
        while link[0] != NULL and not (
            link[0].task == event.args[0]
            and link[0].name.length == name.length
            and memcmp(link[0].name.data, name.data, name.length) == 0
        ):
            link = &link[0].next
            depth += 1
            if depth == MOST_MISNESTED or not self.lenient:
                link = &none
                break
        if link != &goroutine.regions:      # not the innermost, or none of the open ones
            if not self.lenient:
                return _broken(self, event, FAULT_REGION, goroutine.id, 0)
            self.misnested += 1
    if _emit_user(
        self, event, KIND_REGION_BEGIN if begins else KIND_REGION_END, event.args[0], event.args[2]
    ) < 0:
        return BROKEN
    _last_extra(self).name = name
    if not begins:
        interval = link[0]
        if interval != NULL:
            link[0] = interval.next
        _last_extra(self).ended = interval
        return ADVANCED
    interval = interval_new(&self.intervals, KIND_REGION_BEGIN, &name)
    if interval == NULL:
        return _broken(self, event, FAULT_NO_MEMORY, 0, 0)
    interval.task = event.args[0]
    interval.goroutine = goroutine.id
    interval.stack_id = self.rows.context_stack[self.rows.count - 1]
    interval.start_ns = self.last_time
    interval.start_seq = last_seq(self)
    interval.depth = link[0].depth + 1 if link[0] != NULL else 0
    _open(self, link, interval)
    return ADVANCED


# --- the alloc/free experiment ------------------------------------------------------------------

cdef int _experimental(Ordering* self, Cursor* event) noexcept nogil:
    cdef Extra* extra
    cdef int i
    if event.thread.id == NULL_ID:
        return _broken(self, event, FAULT_NEEDS_THREAD, event.type, 0)
    extra = extra_of(self, KIND_EXPERIMENTAL, event)
    if extra == NULL:
        return BROKEN
    extra.name = _literal(EVENT_NAMES[event.type])
    extra.n_values = EVENT_ARGS[event.type]
    for i in range(extra.n_values):
        extra.values[i] = event.args[i]
    emit(self, event, other_code(KIND_EXPERIMENTAL, NULL_ID), NULL_ID, NULL_ID, NULL_ID, NULL_ID)
    return ADVANCED


# --- the dispatch -------------------------------------------------------------------------------

cdef int annotate(Ordering* self, Cursor* event) noexcept nogil:
    cdef uint8_t type = event.type
    if type == EV_HEAP_ALLOC or type == EV_HEAP_GOAL or type == EV_PROCS_CHANGE:
        return _metric(self, event)
    elif type == EV_GC_SWEEP_BEGIN or type == EV_GC_SWEEP_END or type == EV_GC_SWEEP_ACTIVE:
        return _sweep(self, event)
    elif type == EV_GC_MARK_ASSIST_BEGIN or type == EV_GC_MARK_ASSIST_END or type == EV_STW_END:
        return _goroutine_range(self, event)
    elif type == EV_STW_BEGIN:
        return _stop_the_world_begin(self, event)
    elif type == EV_GC_MARK_ASSIST_ACTIVE:
        return _assist_active(self, event)
    elif type == EV_GC_BEGIN or type == EV_GC_END or type == EV_GC_ACTIVE:
        return _gc(self, event)
    elif type == EV_GO_LABEL:
        return _label(self, event)
    elif type == EV_USER_TASK_BEGIN:
        return _task_begin(self, event)
    elif type == EV_USER_TASK_END:
        return _task_end(self, event)
    elif type == EV_USER_LOG:
        return _log(self, event)
    elif type >= EV_SPAN:
        return _experimental(self, event)
    return _broken(self, event, FAULT_EVENT_ORDER, type, 0)
