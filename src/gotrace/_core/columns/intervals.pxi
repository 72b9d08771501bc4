# EXTRAS -> `ranges`, each written when it closes.
#
# What is still open when the trace (or a stretch of it before damage) ends follows, by its begin,
# clipped at the last event. Ranges, regions and tasks are open in the order's state.
#
# Offers: bind_span, RangesTable, collect_open_intervals, free_open_intervals.

cdef Span bind_span(Table table):
    cdef Span span
    span.start_ns = table.column("start_ns")
    span.end_ns = table.column("end_ns")
    span.duration_ns = table.column("duration_ns")
    span.start_seq = table.column("start_seq")
    span.end_seq = table.column("end_seq")
    span.open_start = table.column("open_start")
    span.open_end = table.column("open_end")
    return span


cdef class RangesTable:
    cdef Table table
    cdef Span span
    cdef Column* name
    cdef Column* range_class
    cdef Column* resource
    cdef Column* resource_id
    cdef Column* goroutine
    cdef Column* stack
    cdef Column* swept
    cdef Column* reclaimed

    def __cinit__(self, Table table):
        self.table = table
        self.span = bind_span(table)
        self.name = table.column("name")
        self.range_class = table.column("class")
        self.resource = table.column("resource")
        self.resource_id = table.column("resource_id")
        self.goroutine = table.column("goroutine")
        self.stack = table.column("stack_id")
        self.swept = table.column("swept_bytes")
        self.reclaimed = table.column("reclaimed_bytes")

    cdef int take(self, const Rows* rows) except -1:
        cdef const Extra* extra
        cdef Ending ending
        cdef int64_t i
        for i in range(rows.n_extras):
            extra = &rows.extras[i]
            if extra.ended == NULL or extra.ended.what != KIND_RANGE_BEGIN:
                continue
            ending.time = rows.time[extra.row]
            ending.seq = rows.first_seq + extra.row
            ending.open = extra.kind == KIND_STATE_TRANSITION       # its goroutine died
            self.put(extra.ended, &ending, extra)
        return 0

    cdef int put(
        self, const Interval* interval, const Ending* ending, const Extra* extra
    ) except -1:
        """A row; `extra` is that of the end, NULL at the end of the trace."""
        cdef bint swept = extra != NULL and extra.kind == KIND_RANGE_END and extra.n_values == 2
        cdef int resource = RESOURCE_GOROUTINE
        if interval.range_class == CLASS_MARK:
            resource = NULL_ID
        elif interval.range_class == CLASS_SWEEP:
            resource = RESOURCE_PROC
        put_span(&self.span, interval.start_ns, interval.start_seq, interval.open_start, ending)
        put_name(self.name, &interval.name)
        put_int(self.range_class, interval.range_class)
        put_int(self.resource, resource)
        put_int(self.resource_id, interval.resource_id)
        put_int(self.goroutine, interval.goroutine)
        put_int(self.stack, interval.stack_id)
        put_int(self.swept, as_int64(extra.values[0]) if swept else NULL_ID)
        put_int(self.reclaimed, as_int64(extra.values[1]) if swept else NULL_ID)
        self.table.end_rows(1)
        return 0


cdef inline int64_t as_int64(uint64_t value) noexcept nogil:
    return <int64_t>min(value, <uint64_t>INT64_MAX)


cdef int _compare_begins(const void* a, const void* b) noexcept nogil:
    cdef const Interval* left = (<Interval**>a)[0]
    cdef const Interval* right = (<Interval**>b)[0]
    if left.start_seq != right.start_seq:
        return -1 if left.start_seq < right.start_seq else 1
    if left.what != right.what:
        return -1 if left.what < right.what else 1
    if left.range_class != right.range_class:
        return -1 if left.range_class < right.range_class else 1
    if left.resource_id != right.resource_id:
        return -1 if left.resource_id < right.resource_id else 1
    return 0


cdef int _collect(Interval** head, Interval*** open, int64_t* room, int64_t* n) noexcept nogil:
    """Move a chain of intervals into the list."""
    while head[0] != NULL:
        if not reserve(<void**>open, room, n[0] + 1, sizeof(Interval*)):
            return -1
        open[0][n[0]] = head[0]
        n[0] += 1
        head[0] = head[0].next
    return 0


cdef int64_t collect_open_intervals(
    Ordering* order, Interval*** open, int64_t* room
) noexcept nogil:
    """Take every open interval from the order's state, sorted by begin; -1 without memory."""
    cdef int64_t n = 0
    cdef uint64_t i
    cdef int j
    cdef Page* page
    cdef int status = _collect(&order.gc, open, room, &n) | _collect(&order.orphans, open, room, &n)
    if order.goroutines.pages.slots != NULL:
        for i in range(order.goroutines.pages.mask + 1):
            page = <Page*>order.goroutines.pages.slots[i].value
            for j in range(PAGE_SIZE if page != NULL else 0):
                status |= _collect(&page.goroutines[j].regions, open, room, &n)
                status |= _collect(&page.goroutines[j].ranges, open, room, &n)
    if order.procs.slots != NULL:
        for i in range(order.procs.mask + 1):
            if order.procs.slots[i].value != 0:
                status |= _collect(&(<Proc*>order.procs.slots[i].value).ranges, open, room, &n)
    if order.tasks.slots != NULL:
        for i in range(order.tasks.mask + 1):
            if order.tasks.slots[i].value != 0:
                status |= _collect(<Interval**>&order.tasks.slots[i].value, open, room, &n)
        idmap_clear(&order.tasks)
    if n > 1:
        qsort(open[0], n, sizeof(Interval*), _compare_begins)
    return n if status == 0 else -1


cdef void free_open_intervals(Ordering* order) noexcept nogil:
    cdef Interval** open = NULL
    cdef int64_t room = 0
    cdef int64_t n = collect_open_intervals(order, &open, &room)
    cdef int64_t i
    for i in range(n):
        interval_free(&order.intervals, open[i])
    free(open)
