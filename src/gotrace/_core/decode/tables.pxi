# BATCHES -> TABLES of one generation: strings, stacks and frames, CPU samples, clock.
#
# All of it depends on this generation alone. Rules (Go's reader): an id is defined once, 0 never;
# of several frames with one program counter the first wins; every function and file of a frame is
# in the string table.
#
# Offers: decode_tables.

from gotrace._core.order.pattern_sort cimport sort_by_time

cdef int _record_fault(const EventBatch* batch, const Reader* reader, Fault* fault) noexcept nogil:
    cdef int64_t offset = batch.offset + (reader.at - batch.data)
    return set_fault(
        fault, FAULT_VARINT if reader.state == READER_OVERFLOW else FAULT_RECORD_SHORT, offset, 0, 0
    )


cdef int _add_strings(Generation* self, const EventBatch* batch, Fault* fault) noexcept nogil:
    cdef Reader reader = reader_over(batch.data, batch.size)
    cdef uint64_t id, length
    cdef uint8_t record
    cdef Text text
    read_byte(&reader)
    while reader.at < reader.end:
        record = read_byte(&reader)
        if record != EV_STRING:
            return set_fault(
                fault, FAULT_RECORD, batch.offset + (reader.at - 1 - batch.data), record, EV_STRING
            )
        id = read_uvarint(&reader)
        length = read_uvarint(&reader)
        if reader.state == READER_FINE and length > MAX_STRING_BYTES:
            return set_fault(
                fault, FAULT_STRING_SIZE, batch.offset + (reader.at - batch.data),
                <int64_t>length, MAX_STRING_BYTES,
            )
        text.data = <const char*>read_bytes(&reader, length)
        text.length = <int64_t>length
        if reader.state != READER_FINE:
            return _record_fault(batch, &reader, fault)
        if not reserve(<void**>&self.strings, &self.strings_room, self.n_strings + 1, sizeof(Text)):
            return set_fault(fault, FAULT_NO_MEMORY, batch.offset, 0, 0)
        if not reserve(
            <void**>&self.string_ids, &self.string_ids_room, self.n_strings + 1, sizeof(uint64_t)
        ):
            return set_fault(fault, FAULT_NO_MEMORY, batch.offset, 0, 0)
        self.strings[self.n_strings] = text
        self.string_ids[self.n_strings] = id
        self.n_strings += 1
    return 0


cdef int64_t _frame_position(Generation* self, uint64_t pc, const Frame* frame) noexcept nogil:
    """Position of the frame of a program counter, added if it is the first; -1 without memory."""
    cdef bint is_new
    cdef uint64_t* found = idmap_put(&self.frame_of_pc, pc, &is_new)
    if found == NULL:
        return -1
    if is_new:
        if not reserve(<void**>&self.frames, &self.frames_room, self.n_frames + 1, sizeof(Frame)):
            return -1
        self.frames[self.n_frames] = frame[0]
        self.n_frames += 1
        found[0] = <uint64_t>self.n_frames
    return <int64_t>found[0] - 1


cdef int _add_stacks(Generation* self, const EventBatch* batch, Fault* fault) noexcept nogil:
    cdef Reader reader = reader_over(batch.data, batch.size)
    cdef Stack stack
    cdef Frame frame
    cdef uint64_t n_frames, line
    cdef int64_t position, i
    cdef uint8_t record
    read_byte(&reader)
    while reader.at < reader.end:
        stack.offset = batch.offset + (reader.at - batch.data)
        record = read_byte(&reader)
        if record != EV_STACK:
            return set_fault(fault, FAULT_RECORD, stack.offset, record, EV_STACK)
        stack.id = read_uvarint(&reader)
        n_frames = read_uvarint(&reader)
        if reader.state == READER_FINE and n_frames > MAX_STACK_FRAMES:
            return set_fault(
                fault, FAULT_STACK_SIZE, stack.offset, <int64_t>n_frames, MAX_STACK_FRAMES
            )
        stack.first_frame = <int32_t>self.n_stack_frames
        stack.n_frames = <int32_t>n_frames
        if not reserve(
            <void**>&self.stack_frames, &self.stack_frames_room,
            self.n_stack_frames + MAX_STACK_FRAMES, sizeof(int32_t),
        ):
            return set_fault(fault, FAULT_NO_MEMORY, batch.offset, 0, 0)
        for i in range(stack.n_frames):
            frame.offset = stack.offset
            frame.pc = read_uvarint(&reader)
            frame.function_id = read_uvarint(&reader)
            frame.file_id = read_uvarint(&reader)
            line = read_uvarint(&reader)
            frame.line = <int64_t>min(line, <uint64_t>INT64_MAX)
            if reader.state != READER_FINE:
                return _record_fault(batch, &reader, fault)
            position = _frame_position(self, frame.pc, &frame)
            if position < 0:
                return set_fault(fault, FAULT_NO_MEMORY, batch.offset, 0, 0)
            self.stack_frames[self.n_stack_frames] = <int32_t>position
            self.n_stack_frames += 1
        if reader.state != READER_FINE:
            return _record_fault(batch, &reader, fault)
        if not reserve(<void**>&self.stacks, &self.stacks_room, self.n_stacks + 1, sizeof(Stack)):
            return set_fault(fault, FAULT_NO_MEMORY, batch.offset, 0, 0)
        self.stacks[self.n_stacks] = stack
        self.n_stacks += 1
    return 0


cdef int _add_samples(Generation* self, const EventBatch* batch, Fault* fault) noexcept nogil:
    cdef Reader reader = reader_over(batch.data, batch.size)
    cdef Sample* sample
    cdef uint8_t record
    read_byte(&reader)
    while reader.at < reader.end:
        record = read_byte(&reader)
        if record != EV_CPU_SAMPLE:
            return set_fault(
                fault, FAULT_RECORD, batch.offset + (reader.at - 1 - batch.data),
                record, EV_CPU_SAMPLE,
            )
        if not reserve(
            <void**>&self.samples, &self.samples_room, self.n_samples + 1, sizeof(Sample)
        ):
            return set_fault(fault, FAULT_NO_MEMORY, batch.offset, 0, 0)
        sample = &self.samples[self.n_samples]
        sample.time = <int64_t>read_uvarint(&reader)        # ticks, until the frequency is known
        sample.thread = read_uvarint(&reader)
        sample.proc = read_uvarint(&reader)
        sample.goroutine = read_uvarint(&reader)
        sample.stack = read_uvarint(&reader)
        if sample.goroutine == 0:                           # only here 0 means none
            sample.goroutine = NO_ID
        if reader.state != READER_FINE:
            return _record_fault(batch, &reader, fault)
        self.n_samples += 1
    return 0


cdef int _set_sync(
    Generation* self, int minor, const EventBatch* batch, Fault* fault
) noexcept nogil:
    cdef Reader reader = reader_over(batch.data, batch.size)
    cdef uint8_t record
    cdef int64_t offset
    if minor >= 25:
        read_byte(&reader)
    while reader.at < reader.end:
        offset = batch.offset + (reader.at - batch.data)
        record = read_byte(&reader)
        if record == EV_FREQUENCY:
            if self.frequency != 0:
                return set_fault(fault, FAULT_DUPLICATE_SYNC, offset, 0, 0)
            self.frequency = read_uvarint(&reader)
            if reader.state == READER_FINE and self.frequency == 0:
                return set_fault(fault, FAULT_ZERO_FREQUENCY, offset, 0, 0)
        elif record == EV_CLOCK_SNAPSHOT and minor >= 25:
            if self.has_clock:
                return set_fault(fault, FAULT_DUPLICATE_SYNC, offset, 0, 0)
            self.has_clock = True
            self.clock_ticks = batch.ticks + read_uvarint(&reader)
            self.clock_mono = read_uvarint(&reader)
            self.clock_sec = read_uvarint(&reader)
            self.clock_nsec = read_uvarint(&reader)
        else:
            return set_fault(fault, FAULT_RECORD, offset, record, EV_FREQUENCY)
        if reader.state != READER_FINE:
            return _record_fault(batch, &reader, fault)
    return 0


cdef int _index_ids(
    IdIndex* self, const uint64_t* ids, int64_t count, size_t stride, int64_t* twice
) noexcept nogil:
    """Index `count` ids, `stride` bytes apart. -1 without memory; -2: the one at `twice` is bad."""
    cdef uint64_t largest = 0
    cdef uint64_t id
    cdef uint64_t* place
    cdef int64_t i
    cdef bint is_new
    for i in range(count):
        id = (<const uint64_t*>(<const char*>ids + i * stride))[0]
        largest = max(largest, id)
    self.dense_count = <int64_t>largest + 1 if largest <= <uint64_t>(8 * count + 1024) else 1
    self.dense = <int32_t*>malloc(self.dense_count * sizeof(int32_t))
    if self.dense == NULL:
        return -1
    memset(self.dense, 0xFF, self.dense_count * sizeof(int32_t))
    for i in range(count):
        id = (<const uint64_t*>(<const char*>ids + i * stride))[0]
        twice[0] = i
        if id == 0:
            return -2
        if id < <uint64_t>self.dense_count:
            if self.dense[id] >= 0:
                return -2
            self.dense[id] = <int32_t>i
        else:
            place = idmap_put(&self.sparse, id, &is_new)
            if place == NULL:
                return -1
            if not is_new:
                return -2
            place[0] = <uint64_t>i + 1
    return 0


cdef int64_t _string_offset(const Generation* self, int64_t position) noexcept nogil:
    """Where the text of a string lies in the source."""
    cdef const uint8_t* text = <const uint8_t*>self.strings[position].data
    cdef const EventBatch* batch
    cdef int64_t i
    for i in range(self.n_structural):
        batch = &self.structural[i]
        if batch.data <= text <= batch.data + batch.size:
            return batch.offset + (text - batch.data)
    return self.offset


cdef int _index_tables(Generation* self, Fault* fault) noexcept nogil:
    cdef int64_t twice = 0
    cdef int64_t offset
    cdef int status
    cdef int64_t i
    status = _index_ids(
        &self.string_index, self.string_ids, self.n_strings, sizeof(uint64_t), &twice
    )
    if status == -2:
        offset = _string_offset(self, twice)
        return set_fault(fault, FAULT_DUPLICATE_ID, offset, <int64_t>self.string_ids[twice], 0)
    if status == 0:                             # the id of a stack is its first member
        status = _index_ids(
            &self.stack_index, <const uint64_t*>self.stacks, self.n_stacks, sizeof(Stack), &twice
        )
    if status == -2:
        offset = self.stacks[twice].offset
        return set_fault(fault, FAULT_DUPLICATE_ID, offset, <int64_t>self.stacks[twice].id, 0)
    self.reasons = <int32_t*>malloc((self.n_strings + 1) * sizeof(int32_t))
    self.stack_ids = <int64_t*>malloc((self.n_stacks + 1) * sizeof(int64_t))
    self.dense_stack_ids = <int64_t*>malloc(self.stack_index.dense_count * sizeof(int64_t))
    if status < 0 or self.reasons == NULL or self.stack_ids == NULL or self.dense_stack_ids == NULL:
        return set_fault(fault, FAULT_NO_MEMORY, self.offset, 0, 0)
    for i in range(self.n_strings):
        self.reasons[i] = NO_REASON_YET
    return 0


cdef int _resolve_frames(Generation* self, Fault* fault) noexcept nogil:
    """Turn the string ids of every frame into positions; EMPTY_STRING is id 0."""
    cdef Frame* frame
    cdef int64_t i
    for i in range(self.n_frames):
        frame = &self.frames[i]
        frame.function = EMPTY_STRING
        frame.file = EMPTY_STRING
        if frame.function_id != 0:
            frame.function = <int32_t>position_of(&self.string_index, frame.function_id)
            if frame.function < 0:
                return set_fault(
                    fault, FAULT_FRAME_STRING, frame.offset, <int64_t>frame.function_id, 0
                )
        if frame.file_id != 0:
            frame.file = <int32_t>position_of(&self.string_index, frame.file_id)
            if frame.file < 0:
                return set_fault(fault, FAULT_FRAME_STRING, frame.offset, <int64_t>frame.file_id, 0)
    return 0


cdef int _time_samples(Generation* self, Fault* fault) noexcept nogil:
    """Ticks to ns, and into the order of time, equal ones as Go's sort leaves them."""
    cdef Sample* sorted
    cdef Sample** by_time
    cdef int64_t i
    cdef int64_t n = self.n_samples
    for i in range(n):
        self.samples[i].time = ticks_to_ns(self, <uint64_t>self.samples[i].time)
        if self.samples[i].time < 0:
            return set_fault(fault, FAULT_TIME, self.offset, 0, 0)
    if n < 2:
        return 0
    sorted = <Sample*>malloc(n * sizeof(Sample))
    by_time = <Sample**>malloc(n * sizeof(Sample*))
    if sorted == NULL or by_time == NULL:
        free(sorted)
        free(by_time)
        return set_fault(fault, FAULT_NO_MEMORY, self.offset, 0, 0)
    for i in range(n):
        by_time[i] = &self.samples[i]
    sort_by_time(<void**>by_time, n)
    for i in range(n):
        sorted[i] = by_time[i][0]
    free(by_time)
    free(self.samples)
    self.samples = sorted
    self.samples_room = n
    return 0


cdef void set_clock(Generation* self) noexcept nogil:
    """How long a tick is; Go divides twice, and so do we."""
    self.ns_per_tick = 1.0 / (<double>self.frequency / 1e9)
    self.ticks_are_64_ns = self.ns_per_tick == 64.0


cdef int decode_tables(Generation* self, int minor, Fault* fault) noexcept nogil:
    """Fill every table of a generation from its structural batches; -1 and a fault if broken."""
    cdef const EventBatch* batch
    cdef int64_t i
    cdef int status = 0
    for i in range(self.n_structural):
        batch = &self.structural[i]
        if batch.kind == EV_STRINGS:
            status = _add_strings(self, batch, fault)
        elif batch.kind == EV_STACKS:
            status = _add_stacks(self, batch, fault)
        elif batch.kind == EV_CPU_SAMPLES:
            status = _add_samples(self, batch, fault)
        elif batch.kind == EV_SYNC:
            status = _set_sync(self, minor, batch, fault)
        if status < 0:
            return status
    if self.frequency == 0:
        return set_fault(fault, FAULT_NO_FREQUENCY, self.offset, 0, 0)
    if minor >= 25 and not self.has_clock:
        return set_fault(fault, FAULT_NO_CLOCK, self.offset, 0, 0)
    set_clock(self)
    if _index_tables(self, fault) < 0 or _resolve_frames(self, fault) < 0:
        return -1
    return _time_samples(self, fault)
