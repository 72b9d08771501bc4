# ROWS, EXTRAS -> `gc_work` and `gc_cycles`: what the garbage collector took from the program.
#
# A piece of work is an interval in which the collector has one proc (a mark worker, an assist, a
# sweep) or all of them (the world is stopped for it). Unlike Go's own page, a worker counts once a
# run, on the proc that it runs on, and only if it is one: the runtime's label of a worker can land
# on another goroutine that the proc runs after it.
#
# Offers: GcTables.

cdef enum:
    WORK_NAME_BYTES = 64
    MOST_WORK = 4096            # that goes on at once; Go runs a few pieces on each proc

# The modes of a mark worker, in the order of spec.words.LABELS.
cdef enum:
    MODE_DEDICATED = 0
    MODE_FRACTIONAL = 1
    MODE_IDLE = 2
    MODES = 3

cdef str MARK_WORKER = "runtime.gcBgMarkWorker"

# A piece of work that goes on.
cdef struct GcWork:
    int range_class
    int mode                    # of a mark worker
    int32_t proc                # NULL_ID: all
    int64_t goroutine
    int64_t start_ns
    int64_t start_seq
    int64_t cycle               # NULL_ID: outside of any
    bint open_start
    int name_length
    char name[WORK_NAME_BYTES]

cdef struct GcCycle:
    bint open
    bint marked                 # the mark phase is over; the world is still stopped for it
    bint open_start
    int64_t start_ns
    int64_t start_seq
    int64_t mark_ns
    int64_t goroutine
    int64_t stack
    int64_t stw_ns[2]           # sweep termination, mark termination
    int64_t assists
    int64_t assist_ns
    int64_t worker_ns[MODES]
    int64_t heap_start
    int64_t heap_end
    int64_t heap_peak
    int64_t goal


cdef inline bint _text_is(const Text* text, const char* other) noexcept nogil:
    cdef int64_t length = <int64_t>strlen(other)
    return text.length == length and memcmp(text.data, other, length) == 0


cdef inline int64_t _sum_ns(int64_t a, int64_t b) noexcept nogil:
    """What many did at once may be more than 63 bits can say: then it is as much as they can."""
    return a + b if a <= INT64_MAX - b else INT64_MAX


cdef inline int64_t _times_ns(int64_t count, int64_t ns) noexcept nogil:
    return count * ns if count == 0 or ns <= INT64_MAX // count else INT64_MAX


cdef int _worker_mode(const Text* label) noexcept nogil:
    if _text_is(label, "GC (dedicated)"):
        return MODE_DEDICATED
    if _text_is(label, "GC (fractional)"):
        return MODE_FRACTIONAL
    return MODE_IDLE if _text_is(label, "GC (idle)") else NULL_ID


cdef int _stw_of_gc(const Text* name) noexcept nogil:
    """Which of the two stops of a cycle; NULL_ID for another."""
    if _text_is(name, "stop-the-world (GC sweep termination)"):
        return 0
    return 1 if _text_is(name, "stop-the-world (GC mark termination)") else NULL_ID


cdef class GcTables:
    cdef Table work, cycles
    cdef Span work_span, cycle_span
    cdef StackStore stacks
    cdef GcWork* open               # a few: as many as procs, and the stopped world
    cdef int64_t n_open, open_room
    cdef IdMap assisting            # goroutines in an assist, running or not -> 1
    cdef IdMap workers              # goroutines known to be mark workers -> 1
    cdef GcCycle cycle
    cdef int64_t cycle_number
    cdef int64_t assisted_until     # how far `assist_ns` of the cycle is told
    cdef int64_t heap, goal         # the last that was heard

    def __cinit__(self, dict tables, StackStore stacks, uint64_t seed):
        self.work = tables.get("gc_work")
        self.cycles = tables.get("gc_cycles")
        self.stacks = stacks
        self.assisting.seed = seed
        self.workers.seed = seed
        self.heap = NULL_ID
        self.goal = NULL_ID
        if self.work is not None:
            self.work_span = bind_span(self.work)
        if self.cycles is not None:
            self.cycle_span = bind_span(self.cycles)

    def __dealloc__(self):
        idmap_clear(&self.assisting)
        idmap_clear(&self.workers)
        free(self.open)

    cdef int take(self, const Rows* rows, const Ordering* order) except -1:
        cdef const Extra* extra
        cdef int64_t seen = 0
        cdef int64_t i
        for i in range(rows.n_extras):
            extra = &rows.extras[i]
            if extra.kind == KIND_STATE_TRANSITION:
                continue
            self._transitions(rows, seen, extra.row)
            seen = extra.row
            if extra.kind == KIND_METRIC:
                self._metric(extra)
            elif extra.kind == KIND_LABEL:
                self._label(rows, extra)
            elif KIND_RANGE_BEGIN <= extra.kind <= KIND_RANGE_END:
                self._range(rows, extra, order)
        self._transitions(rows, seen, rows.count)
        return 0

    # --- goroutines -----------------------------------------------------------------------------

    cdef int _transitions(self, const Rows* rows, int64_t first, int64_t behind) except -1:
        """Follow goroutines that do the collector's work as they stop and go on."""
        cdef int64_t i
        cdef uint8_t code
        cdef bint ran, runs
        if self.n_open == 0 and self.assisting.count == 0:
            return 0
        for i in range(first, behind):
            code = rows.code[i]
            if (code & (CODE_TRANSITION | CODE_PROC)) != CODE_TRANSITION:
                continue
            ran = (code >> 3 & 7) == STATE_RUNNING
            runs = (code & 7) == STATE_RUNNING
            if ran and not runs:
                self._stopped(rows, i)
            elif runs and not ran and self.assisting.count:
                if idmap_find(&self.assisting, <uint64_t>rows.resource_id[i]) != NULL:
                    self._begin(rows, i, CLASS_ASSIST, rows.resource_id[i], rows.proc[i])
        return 0

    cdef int _stopped(self, const Rows* rows, int64_t row) except -1:
        cdef int64_t goroutine = rows.resource_id[row]
        cdef int64_t at = self._find(CLASS_ASSIST, goroutine)
        if at >= 0:
            self._end(at, rows.time[row], rows.first_seq + row, False)
        at = self._find(CLASS_MARK, goroutine)
        if at >= 0:
            if self._is_worker(goroutine, rows.stack[row]):
                self._end(at, rows.time[row], rows.first_seq + row, False)
            else:
                self._drop(at)
        if (rows.code[row] & 7) == STATE_NOTEXIST:
            idmap_remove(&self.assisting, <uint64_t>goroutine)
        return 0

    cdef bint _is_worker(self, int64_t goroutine, int64_t stack) except *:
        """Whether a goroutine, that stops at that stack, is a mark worker."""
        cdef bint is_new
        cdef uint64_t* place
        cdef object functions = self.stacks.functions_of.get(stack)
        cdef object root = functions[len(functions) - 1] if functions else None
        if not root:                # nothing to tell by
            return True
        if root != MARK_WORKER:
            return idmap_find(&self.workers, <uint64_t>goroutine) != NULL
        place = idmap_put(&self.workers, <uint64_t>goroutine, &is_new)
        if place == NULL:
            raise MemoryError("no memory for mark workers")
        place[0] = 1
        return True

    # --- events ---------------------------------------------------------------------------------

    cdef int _metric(self, const Extra* extra) noexcept:
        if extra.type == EV_HEAP_ALLOC:
            self.heap = as_int64(extra.values[0])
            if self.cycle.open:
                self.cycle.heap_peak = max(self.cycle.heap_peak, self.heap)
        elif extra.type == EV_HEAP_GOAL:
            self.goal = as_int64(extra.values[0])
        return 0

    cdef int _label(self, const Rows* rows, const Extra* extra) except -1:
        cdef int mode = _worker_mode(&extra.name)
        cdef int64_t goroutine = rows.goroutine[extra.row]
        cdef GcWork* work
        if mode == NULL_ID or self._find(CLASS_MARK, goroutine) >= 0:
            return 0
        work = self._begin(rows, extra.row, CLASS_MARK, goroutine, rows.proc[extra.row])
        work.mode = mode
        _set_name(work, &extra.name)
        return 0

    cdef int _range(self, const Rows* rows, const Extra* extra, const Ordering* order) except -1:
        if extra.range_class == CLASS_MARK:
            return self._mark(rows, extra, order)
        if extra.range_class == CLASS_SWEEP:
            return self._sweep(rows, extra, order)
        if extra.range_class == CLASS_ASSIST:
            return self._assist(rows, extra, order)
        return self._stop_the_world(rows, extra)

    cdef int _sweep(self, const Rows* rows, const Extra* extra, const Ordering* order) except -1:
        cdef int64_t row = extra.row
        cdef int32_t proc = <int32_t>rows.resource_id[row]
        cdef int64_t at = self._find_on(CLASS_SWEEP, proc)
        if extra.kind == KIND_RANGE_END:
            if at >= 0:
                self._end(at, rows.time[row], rows.first_seq + row, False)
        elif at < 0:
            self._begin_or_go_on(rows, extra, order, rows.goroutine[row], proc)
        return 0

    cdef int _assist(self, const Rows* rows, const Extra* extra, const Ordering* order) except -1:
        cdef int64_t row = extra.row
        cdef int64_t goroutine = rows.resource_id[row]
        cdef int64_t at
        cdef uint64_t* place
        cdef bint is_new
        if extra.kind == KIND_RANGE_END:
            at = self._find(CLASS_ASSIST, goroutine)
            if at >= 0:
                self._end(at, rows.time[row], rows.first_seq + row, False)
            self._tell_assists(rows.time[row])
            idmap_remove(&self.assisting, <uint64_t>goroutine)
            return 0
        if idmap_find(&self.assisting, <uint64_t>goroutine) != NULL:
            return 0                # known to be active
        self._tell_assists(rows.time[row])
        place = idmap_put(&self.assisting, <uint64_t>goroutine, &is_new)
        if place == NULL:
            raise MemoryError("no memory for assists")
        place[0] = 1
        if self.cycle.open:
            self.cycle.assists += 1
            if extra.kind == KIND_RANGE_ACTIVE:
                self.cycle.assist_ns = _sum_ns(
                    self.cycle.assist_ns, max(0, rows.time[row] - self.cycle.start_ns)
                )
        if rows.goroutine[row] == goroutine:    # it runs
            self._begin_or_go_on(rows, extra, order, goroutine, rows.proc[row])
        return 0

    cdef int _stop_the_world(self, const Rows* rows, const Extra* extra) except -1:
        cdef int64_t row = extra.row
        cdef int which = _stw_of_gc(&extra.name)
        cdef int64_t at
        cdef GcWork* work
        if which == NULL_ID:
            return 0
        if extra.kind != KIND_RANGE_END:
            work = self._begin(rows, row, CLASS_STW, rows.goroutine[row], NULL_ID)
            work.mode = which
            _set_name(work, &extra.name)
            return 0
        at = self._find(CLASS_STW, rows.resource_id[row])
        if at >= 0:
            if self.cycle.open:
                self.cycle.stw_ns[which] = _sum_ns(
                    rows.time[row] - self.open[at].start_ns, max(self.cycle.stw_ns[which], 0)
                )
            self._end(at, rows.time[row], rows.first_seq + row, False)
        if self.cycle.marked:
            self._end_cycle(rows.time[row], rows.first_seq + row, False)
        return 0

    cdef int _mark(self, const Rows* rows, const Extra* extra, const Ordering* order) except -1:
        cdef int64_t row = extra.row
        cdef int64_t time = rows.time[row]
        cdef int64_t at
        if extra.kind == KIND_RANGE_END:
            if self.cycle.open:
                self.cycle.mark_ns = time - self.cycle.start_ns
                self.cycle.heap_end = self.heap
                self.cycle.marked = True
            if self.cycle.open and self._find_on(CLASS_STW, NULL_ID) < 0:
                self._end_cycle(time, rows.first_seq + row, False)
            return 0
        if self.cycle.open:
            if extra.kind == KIND_RANGE_ACTIVE:
                return 0
            self._end_cycle(time, rows.first_seq + row, False)
        at = self._find_on(CLASS_STW, NULL_ID)
        if extra.kind == KIND_RANGE_ACTIVE:
            self._begin_cycle(order.opening_time, order.opening_seq, True)
        elif at >= 0:
            self._begin_cycle(self.open[at].start_ns, self.open[at].start_seq, False)
        else:
            self._begin_cycle(time, rows.first_seq + row, False)
        if extra.kind == KIND_RANGE_BEGIN:
            self.cycle.goroutine = rows.goroutine[row]
            self.cycle.stack = rows.context_stack[row]
        return 0

    # --- cycles ---------------------------------------------------------------------------------

    cdef int _begin_cycle(self, int64_t time, int64_t seq, bint open_start) except -1:
        cdef GcCycle* cycle = &self.cycle
        cdef int64_t i
        memset(cycle, 0, sizeof(GcCycle))
        self.cycle_number += 1
        cycle.open = True
        cycle.open_start = open_start
        cycle.start_ns = time
        cycle.start_seq = seq
        cycle.mark_ns = NULL_ID
        cycle.goroutine = NULL_ID
        cycle.stack = NULL_ID
        cycle.stw_ns[0] = NULL_ID
        cycle.stw_ns[1] = NULL_ID
        cycle.assists = <int64_t>self.assisting.count
        cycle.heap_start = NULL_ID if open_start else self.heap
        cycle.heap_peak = self.heap
        cycle.heap_end = NULL_ID
        cycle.goal = self.goal
        self.assisted_until = time
        for i in range(self.n_open):
            if self.open[i].range_class != CLASS_SWEEP:     # that is of the cycle before
                self.open[i].cycle = self.cycle_number
        return 0

    cdef int _tell_assists(self, int64_t time) noexcept:
        """Add the time of all that are in an assist since the last time."""
        if self.cycle.open and time > self.assisted_until:
            self.cycle.assist_ns = _sum_ns(
                self.cycle.assist_ns,
                _times_ns(<int64_t>self.assisting.count, time - self.assisted_until),
            )
            self.assisted_until = time
        return 0

    cdef int _end_cycle(self, int64_t time, int64_t seq, bint open_end) except -1:
        cdef GcCycle* cycle = &self.cycle
        cdef Table table = self.cycles
        cdef Ending ending
        cdef int64_t i
        self._tell_assists(time)
        for i in range(self.n_open):
            self._tell_worker(&self.open[i], time)
        cycle.open = False
        cycle.marked = False
        if table is None:
            return 0
        ending.time = time
        ending.seq = seq
        ending.open = open_end
        put_int(table.column("cycle"), self.cycle_number)
        put_span(&self.cycle_span, cycle.start_ns, cycle.start_seq, cycle.open_start, &ending)
        put_int(table.column("trigger_stack_id"), cycle.stack)
        put_int(table.column("mark_ns"), (
            cycle.mark_ns if cycle.mark_ns != NULL_ID else time - cycle.start_ns
        ))
        put_int(table.column("stw1_ns"), cycle.stw_ns[0])
        put_int(table.column("stw2_ns"), cycle.stw_ns[1])
        put_int(table.column("assist_ns"), cycle.assist_ns)
        put_int(table.column("assists"), cycle.assists)
        put_int(table.column("worker_dedicated_ns"), cycle.worker_ns[MODE_DEDICATED])
        put_int(table.column("worker_fractional_ns"), cycle.worker_ns[MODE_FRACTIONAL])
        put_int(table.column("worker_idle_ns"), cycle.worker_ns[MODE_IDLE])
        put_int(table.column("heap_start_bytes"), cycle.heap_start)
        put_int(table.column("heap_end_bytes"), cycle.heap_end)
        put_int(table.column("goal_bytes"), cycle.goal)
        put_int(table.column("by_goroutine"), cycle.goroutine)
        put_int(table.column("heap_peak_bytes"), cycle.heap_peak)
        table.rows += 1
        return 0

    cdef int _tell_worker(self, const GcWork* work, int64_t until) noexcept:
        """Add the run of a mark worker, as far as it lies in the cycle."""
        cdef int64_t start
        if self.cycle.open and work.range_class == CLASS_MARK:
            start = max(work.start_ns, self.cycle.start_ns)
            self.cycle.worker_ns[work.mode] = _sum_ns(
                self.cycle.worker_ns[work.mode], max(0, until - start)
            )
        return 0

    # --- work -----------------------------------------------------------------------------------

    cdef int64_t _find(self, int range_class, int64_t goroutine) noexcept:
        """Position of the work of a goroutine, or NULL_ID."""
        cdef int64_t i
        for i in range(self.n_open):
            if self.open[i].range_class == range_class and self.open[i].goroutine == goroutine:
                return i
        return NULL_ID

    cdef int64_t _find_on(self, int range_class, int32_t proc) noexcept:
        """Position of the work on a proc, or NULL_ID."""
        cdef int64_t i
        for i in range(self.n_open):
            if self.open[i].range_class == range_class and self.open[i].proc == proc:
                return i
        return NULL_ID

    cdef GcWork* _begin_or_go_on(
        self, const Rows* rows, const Extra* extra, const Ordering* order, int64_t goroutine,
        int32_t proc,
    ) except NULL:
        """What is active when it is first heard of began before the trace."""
        cdef GcWork* work = self._begin(rows, extra.row, extra.range_class, goroutine, proc)
        if extra.kind == KIND_RANGE_ACTIVE:
            work.start_ns = order.opening_time
            work.start_seq = order.opening_seq
            work.open_start = True
        return work

    cdef GcWork* _begin(
        self, const Rows* rows, int64_t row, int range_class, int64_t goroutine, int32_t proc
    ) except NULL:
        cdef GcWork* work
        cdef Text name
        if self.n_open == MOST_WORK:
            from gotrace.errors import LimitError

            raise LimitError(f"the collector would do more than {MOST_WORK} things at once")
        if not reserve(<void**>&self.open, &self.open_room, self.n_open + 1, sizeof(GcWork)):
            raise MemoryError("no memory for the work of the collector")
        work = &self.open[self.n_open]
        self.n_open += 1
        memset(work, 0, sizeof(GcWork))
        work.range_class = range_class
        work.proc = proc
        work.goroutine = goroutine
        work.start_ns = rows.time[row]
        work.start_seq = rows.first_seq + row
        work.cycle = self.cycle_number if self.cycle.open else NULL_ID
        name = _range_name(range_class)
        _set_name(work, &name)
        return work

    cdef int _end(self, int64_t at, int64_t time, int64_t seq, bint open_end) except -1:
        cdef const GcWork* work = &self.open[at]
        cdef Table table = self.work
        cdef Ending ending
        self._tell_worker(work, time)
        if table is not None:
            ending.time = time
            ending.seq = seq
            ending.open = open_end
            put_int(table.column("class"), work.range_class)
            put_text(table.column("name"), work.name, work.name_length)
            put_span(
                &self.work_span, work.start_ns, work.start_seq, work.open_start, &ending
            )
            put_int(table.column("proc"), work.proc)
            put_int(table.column("goroutine"), work.goroutine)
            put_int(table.column("cycle"), work.cycle)
            table.rows += 1
        self._drop(at)
        return 0

    cdef int _drop(self, int64_t at) noexcept:
        """Forget it; the others stay in order."""
        self.n_open -= 1
        memmove(&self.open[at], &self.open[at + 1], (self.n_open - at) * sizeof(GcWork))
        return 0

    cdef int close(self, const Ending* ending) except -1:
        """Write what is open, by its begin; behind a gap nothing is known."""
        cdef int64_t i, first
        if self.cycle.open:
            self._end_cycle(ending.time, ending.seq, True)
        while self.n_open:
            first = 0
            for i in range(1, self.n_open):
                if self.open[i].start_seq < self.open[first].start_seq:
                    first = i
            self._end(first, ending.time, ending.seq, True)
        idmap_clear(&self.assisting)
        self.heap = NULL_ID
        self.goal = NULL_ID
        return 0


cdef void _set_name(GcWork* work, const Text* name) noexcept nogil:
    work.name_length = <int>min(name.length, <int64_t>WORK_NAME_BYTES)
    memcpy(work.name, name.data, work.name_length)
