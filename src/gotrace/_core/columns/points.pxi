# EXTRAS -> point tables: one row per log, label, metric, CPU sample, allocation event.
#
# Offers: PointTables.

# The columns that every point table has.
cdef struct Context:
    Column* seq
    Column* time
    Column* goroutine
    Column* proc
    Column* thread


cdef Context bind_context(Table table):
    cdef Context context
    context.seq = table.column("seq")
    context.time = table.column("time_ns")
    context.goroutine = table.column("goroutine")
    context.proc = table.column("proc")
    context.thread = table.column("thread")
    return context


cdef void put_context(const Context* self, const Rows* rows, int64_t row) noexcept nogil:
    put_int(self.seq, rows.first_seq + row)
    put_int(self.time, rows.time[row])
    put_int(self.goroutine, rows.goroutine[row])
    put_int(self.proc, rows.proc[row])
    put_int(self.thread, rows.thread[row])


cdef void put_name(Column* self, const Text* text) noexcept nogil:
    """A text that is null when it is empty."""
    put_text(self, text.data if text.length else NULL, text.length)


cdef class PointTables:
    cdef Table logs, labels, metrics, samples, allocations
    cdef Context log, label, metric, sample, allocation
    cdef Column* log_task
    cdef Column* log_category
    cdef Column* log_message
    cdef Column* log_raw
    cdef Column* log_stack
    cdef Column* label_text
    cdef Column* metric_name
    cdef Column* metric_value
    cdef Column* metric_stack
    cdef Column* sample_stack
    cdef Column* allocation_op
    cdef Column* allocation_object
    cdef Column* allocation_address
    cdef Column* allocation_size
    cdef Column* allocation_type
    cdef Column* allocation_class
    cdef AllocationSpace space

    def __cinit__(self, dict tables):
        self.logs = tables.get("logs")
        self.labels = tables.get("worker_labels")
        self.metrics = tables.get("metrics")
        self.samples = tables.get("cpu_samples")
        self.allocations = tables.get("allocations")
        self.space = AllocationSpace()
        if self.logs is not None:
            self.log = bind_context(self.logs)
            self.log_task = self.logs.column("task")
            self.log_category = self.logs.column("category")
            self.log_message = self.logs.column("message")
            self.log_raw = self.logs.column("message_raw")
            self.log_stack = self.logs.column("stack_id")
        if self.labels is not None:
            self.label = bind_context(self.labels)
            self.label_text = self.labels.column("label")
        if self.metrics is not None:
            self.metric = bind_context(self.metrics)
            self.metric_name = self.metrics.column("name")
            self.metric_value = self.metrics.column("value")
            self.metric_stack = self.metrics.column("stack_id")
        if self.samples is not None:
            self.sample = bind_context(self.samples)
            self.sample_stack = self.samples.column("stack_id")
        if self.allocations is not None:
            self.allocation = bind_context(self.allocations)
            self.allocation_op = self.allocations.column("op")
            self.allocation_object = self.allocations.column("object")
            self.allocation_address = self.allocations.column("address")
            self.allocation_size = self.allocations.column("size_bytes")
            self.allocation_type = self.allocations.column("type")
            self.allocation_class = self.allocations.column("span_class")

    cdef int take(self, const Rows* rows) except -1:
        cdef int64_t i
        cdef const Extra* extra
        for i in range(rows.n_extras):
            extra = &rows.extras[i]
            if extra.kind == KIND_LOG and self.logs is not None:
                self._log(rows, extra)
            elif extra.kind == KIND_METRIC and self.metrics is not None:
                put_context(&self.metric, rows, extra.row)
                put_name(self.metric_name, &extra.name)
                put_uint(self.metric_value, extra.values[0], True)
                put_int(self.metric_stack, rows.context_stack[extra.row])
                self.metrics.rows += 1
            elif extra.kind == KIND_LABEL and self.labels is not None:
                put_context(&self.label, rows, extra.row)
                put_text(self.label_text, extra.name.data, extra.name.length)
                self.labels.rows += 1
            elif extra.kind == KIND_EXPERIMENTAL and self.allocations is not None:
                self._allocation(rows, extra)
        if self.samples is not None:
            self._samples(rows)
        return 0

    cdef int _log(self, const Rows* rows, const Extra* extra) except -1:
        cdef bint sound = is_utf8(<const uint8_t*>extra.message.data, extra.message.length)
        put_context(&self.log, rows, extra.row)
        put_int(self.log_task, extra.task)
        put_name(self.log_category, &extra.name)
        put_text(self.log_message, extra.message.data, extra.message.length)
        put_text(self.log_raw, NULL if sound else extra.message.data, extra.message.length)
        put_int(self.log_stack, rows.context_stack[extra.row])
        self.logs.rows += 1
        return 0

    cdef int _samples(self, const Rows* rows) except -1:
        cdef uint8_t code = other_code(KIND_STACK_SAMPLE, NULL_ID)
        cdef int64_t found = 0
        cdef int64_t i
        with nogil:
            for i in range(rows.count):
                if rows.code[i] == code:
                    put_context(&self.sample, rows, i)
                    put_int(self.sample_stack, rows.context_stack[i])
                    found += 1
        self.samples.rows += found
        return 0

    cdef int _allocation(self, const Rows* rows, const Extra* extra) except -1:
        cdef const AllocationSpec* spec = &ALLOCATIONS[extra.type - EV_SPAN]
        cdef Allocation found = self.space.look_up(spec, extra.values)
        put_context(&self.allocation, rows, extra.row)
        put_int(self.allocation_op, spec.op)
        put_int(self.allocation_object, spec.object)
        put_uint(self.allocation_address, found.address, found.has_address)
        put_int(self.allocation_size, found.size)
        put_text(self.allocation_type, found.type.data, found.type.length)
        put_int(self.allocation_class, found.span_class)
        self.allocations.rows += 1
        return 0
