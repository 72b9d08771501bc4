# EXTRAS -> interval tables: ranges, regions, tasks, each written when it closes.
#
# What is still open when the trace (or a stretch of it before damage) ends follows, by its begin,
# clipped at the last event.
#
# Offers: IntervalTables, free_open_intervals.

# The columns that every interval table has.
cdef struct Span:
    Column* start_ns
    Column* end_ns
    Column* duration_ns
    Column* start_seq
    Column* end_seq
    Column* open_start
    Column* open_end


# Where an interval ends, and whether an event says so.
cdef struct Ending:
    int64_t time
    int64_t seq
    bint open


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


cdef void put_span(
    const Span* self, int64_t start_ns, int64_t start_seq, bint open_start, const Ending* ending
) noexcept nogil:
    put_int(self.start_ns, start_ns)
    put_int(self.end_ns, ending.time)
    put_int(self.duration_ns, ending.time - start_ns)
    put_int(self.start_seq, start_seq)
    put_int(self.end_seq, ending.seq)
    put_int(self.open_start, open_start)
    put_int(self.open_end, ending.open)


cdef class IntervalTables:
    cdef Table ranges, regions
    cdef Span range, region
    cdef Column* range_name
    cdef Column* range_class
    cdef Column* range_resource
    cdef Column* range_resource_id
    cdef Column* range_goroutine
    cdef Column* range_stack
    cdef Column* range_swept
    cdef Column* range_reclaimed
    cdef Column* region_goroutine
    cdef Column* region_task
    cdef Column* region_name
    cdef Column* region_depth
    cdef Column* region_stack
    cdef Column* region_end_stack

    def __cinit__(self, dict tables):
        self.ranges = tables.get("ranges")
        self.regions = tables.get("regions")
        if self.ranges is not None:
            self.range = bind_span(self.ranges)
            self.range_name = self.ranges.column("name")
            self.range_class = self.ranges.column("class")
            self.range_resource = self.ranges.column("resource")
            self.range_resource_id = self.ranges.column("resource_id")
            self.range_goroutine = self.ranges.column("goroutine")
            self.range_stack = self.ranges.column("stack_id")
            self.range_swept = self.ranges.column("swept_bytes")
            self.range_reclaimed = self.ranges.column("reclaimed_bytes")
        if self.regions is not None:
            self.region = bind_span(self.regions)
            self.region_goroutine = self.regions.column("goroutine")
            self.region_task = self.regions.column("task")
            self.region_name = self.regions.column("name")
            self.region_depth = self.regions.column("depth")
            self.region_stack = self.regions.column("stack_id")
            self.region_end_stack = self.regions.column("end_stack_id")

    cdef int take(self, const Rows* rows, const Ordering* order) except -1:
        cdef const Extra* extra
        cdef const Interval* interval
        cdef Ending ending
        cdef int64_t i
        for i in range(rows.n_extras):
            extra = &rows.extras[i]
            interval = extra.ended
            ending.time = rows.time[extra.row]
            ending.seq = rows.first_seq + extra.row
            ending.open = extra.kind == KIND_STATE_TRANSITION       # its goroutine died
            if extra.kind == KIND_REGION_END and interval == NULL:
                self._unopened_region(rows, extra, order, &ending)
            elif interval == NULL:
                continue
            elif interval.what == KIND_RANGE_BEGIN:
                self._range(interval, &ending, extra)
            elif interval.what == KIND_REGION_BEGIN:
                self._region(
                    interval, &ending, NULL_ID if ending.open else rows.context_stack[extra.row]
                )
        return 0

    cdef int _range(
        self, const Interval* interval, const Ending* ending, const Extra* extra
    ) except -1:
        cdef bint swept = extra != NULL and extra.kind == KIND_RANGE_END and extra.n_values == 2
        cdef int resource = RESOURCE_GOROUTINE
        if self.ranges is None:
            return 0
        if interval.range_class == CLASS_MARK:
            resource = NULL_ID
        elif interval.range_class == CLASS_SWEEP:
            resource = RESOURCE_PROC
        put_span(&self.range, interval.start_ns, interval.start_seq, interval.open_start, ending)
        put_name(self.range_name, &interval.name)
        put_int(self.range_class, interval.range_class)
        put_int(self.range_resource, resource)
        put_int(self.range_resource_id, interval.resource_id)
        put_int(self.range_goroutine, interval.goroutine)
        put_int(self.range_stack, interval.stack_id)
        put_int(self.range_swept, as_int64(extra.values[0]) if swept else NULL_ID)
        put_int(self.range_reclaimed, as_int64(extra.values[1]) if swept else NULL_ID)
        self.ranges.rows += 1
        return 0

    cdef int _region(
        self, const Interval* interval, const Ending* ending, int64_t end_stack
    ) except -1:
        if self.regions is None:
            return 0
        put_span(&self.region, interval.start_ns, interval.start_seq, interval.open_start, ending)
        put_int(self.region_goroutine, interval.goroutine)
        put_int(self.region_task, _task_id(interval.task))
        put_name(self.region_name, &interval.name)
        put_int(self.region_depth, interval.depth)
        put_int(self.region_stack, interval.stack_id)
        put_int(self.region_end_stack, end_stack)
        self.regions.rows += 1
        return 0

    cdef int _unopened_region(
        self, const Rows* rows, const Extra* extra, const Ordering* order, const Ending* ending
    ) except -1:
        """An end without a begin: the region was open before the trace."""
        cdef Interval interval
        memset(&interval, 0, sizeof(Interval))
        interval.open_start = True
        interval.start_ns = order.opening_time
        interval.start_seq = order.opening_seq
        interval.goroutine = rows.goroutine[extra.row]
        interval.task = <uint64_t>extra.task if extra.task >= 0 else 0
        interval.name = extra.name
        interval.stack_id = NULL_ID
        return self._region(&interval, ending, rows.context_stack[extra.row])

    cdef int close(self, Ordering* order, const Ending* ending) except -1:
        """Write what is open, by its begin, and free it."""
        cdef Interval** open = NULL
        cdef int64_t room = 0
        cdef int64_t n = 0
        cdef int64_t i
        with nogil:
            n = collect_open_intervals(order, &open, &room)
        if n < 0:
            free(open)
            raise MemoryError("no memory for open intervals")
        for i in range(n):
            if open[i].what == KIND_RANGE_BEGIN:
                self._range(open[i], ending, NULL)
            elif open[i].what == KIND_REGION_BEGIN:
                self._region(open[i], ending, NULL_ID)
            interval_free(&order.intervals, open[i])
        free(open)
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
