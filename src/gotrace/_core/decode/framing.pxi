# BYTES -> GENERATIONS: find the batches, hang each on its generation, say where a generation ends.
#
# Three things may stand at top level (spec: trace_events): an event batch, an experimental batch,
# and since header 26 the end marker of a generation. Before 26 a generation ends where a batch of
# the next number stands: that batch opens the next one.
#
# Offers: Framer, framer_init, framer_feed, framer_step, framer_leave_out, framer_close.

cdef enum FrameStep:
    FRAME_MORE                  # all bytes are used up
    FRAME_GENERATION            # `framer.ready` holds a generation: take it
    FRAME_FAULT                 # `framer.fault` says what; step again to go on behind the damage
    FRAME_END                   # the source has ended and everything was delivered

cdef enum:
    HEADER_SIZE = 16
    NEWEST_MINOR = 26
    RECORD_MOST = 64 + MAX_BATCH_BYTES      # the longest record, its header generously counted
    CHAIN = 3                   # so many records in a row make lost framing found again

cdef struct Record:
    uint8_t kind                # EV_EVENT_BATCH, EV_EXPERIMENTAL_BATCH or EV_END_OF_GENERATION
    uint8_t experiment
    uint64_t generation
    uint64_t thread
    uint64_t ticks
    const uint8_t* data
    int64_t size
    int64_t length              # of the whole record

cdef struct Framer:
    int minor                   # of the header; 0 before it was read
    bint salvage
    bint headers_only           # of plain batches and tables no payload is kept
    bint ended                  # no more bytes will come
    bint lost                   # framing is lost: look for a chain of records
    bint over                   # a fault ended the pass
    bint stray                  # an end marker without a generation was told; more are the same
    int64_t offset              # of the next byte to frame
    int64_t lost_from
    int64_t lost_bytes          # of the generation that the last fault cost
    uint64_t lost_number        # its number; 0: no generation was open
    int64_t found_at            # where framing was found again,
    int64_t skipped             # so many bytes behind the damage
    uint64_t seed
    int64_t memory_limit
    const uint8_t* input        # what was fed and not used yet
    int64_t input_left
    uint8_t* pending            # a record cut in two by the end of a feed
    int64_t pending_start       # its bytes are `pending_used` from here on
    int64_t pending_used
    int64_t pending_room
    BlockCache blocks           # of generations that are through
    Generation* open            # being filled
    Generation* ready
    Fault fault                 # of the framing
    bint any                    # a generation was framed, or a fault was told
    bint fault_waits            # deliver `ready` first, then the fault


cdef void framer_init(
    Framer* self, bint salvage, uint64_t seed, int64_t memory_limit
) noexcept nogil:
    memset(self, 0, sizeof(Framer))
    self.salvage = salvage
    self.seed = seed
    self.memory_limit = memory_limit


cdef void framer_close(Framer* self) noexcept nogil:
    generation_free(self.open)
    generation_free(self.ready)
    free(self.pending)
    block_cache_clear(&self.blocks)
    self.open = NULL
    self.ready = NULL
    self.pending = NULL


cdef void framer_feed(Framer* self, const uint8_t* data, int64_t size) noexcept nogil:
    """Lend bytes until `framer_step` says FRAME_MORE."""
    self.input = data
    self.input_left = size


# --- one record ---------------------------------------------------------------------------------

cdef int parse_header(Reader* reader, Record* record, Fault* fault) noexcept nogil:
    """Read up to the payload: 1 and its `size`, 0 when more bytes are needed, -1 with a `fault`."""
    cdef uint64_t payload
    record.kind = read_byte(reader)
    record.experiment = 0
    if reader.state == READER_SHORT:
        return 0
    if record.kind == EV_END_OF_GENERATION:
        record.size = 0
        return 1
    if record.kind != EV_EVENT_BATCH and record.kind != EV_EXPERIMENTAL_BATCH:
        return set_fault(fault, FAULT_NOT_A_BATCH, 0, record.kind, 0)
    if record.kind == EV_EXPERIMENTAL_BATCH:
        record.experiment = read_byte(reader)
    record.generation = read_uvarint(reader)
    record.thread = read_uvarint(reader)
    record.ticks = read_uvarint(reader)
    payload = read_uvarint(reader)
    if reader.state == READER_OVERFLOW:
        return set_fault(fault, FAULT_VARINT, 0, 0, 0)
    if reader.state == READER_SHORT:
        return 0
    if payload > MAX_BATCH_BYTES:
        return set_fault(fault, FAULT_BATCH_SIZE, 0, <int64_t>payload, MAX_BATCH_BYTES)
    record.size = <int64_t>payload
    return 1


cdef int parse_record(
    const uint8_t* data, int64_t size, Record* record, Fault* fault
) noexcept nogil:
    """1: a whole record; 0: more bytes are needed; -1: `fault` (offsets count from `data`)."""
    cdef Reader reader = reader_over(data, size)
    cdef int status = parse_header(&reader, record, fault)
    if status > 0 and record.kind != EV_END_OF_GENERATION:
        record.data = read_bytes(&reader, record.size)
        if record.data == NULL:
            return 0
    record.length = reader.at - data
    return status


cdef int header_minor(const uint8_t* data) noexcept nogil:
    """The minor version of a 16-byte header, -1 if it is none."""
    if memcmp(data, b"go 1.", 5) != 0 or memcmp(data + 7, b" trace\0\0\0", 9) != 0:
        return -1
    if data[5] < c'0' or data[5] > c'9' or data[6] < c'0' or data[6] > c'9':
        return -1
    return (data[5] - c'0') * 10 + data[6] - c'0'


cdef bint is_known_minor(int minor) noexcept nogil:
    return minor == 22 or minor == 23 or minor == 25 or minor == 26


# --- one generation -----------------------------------------------------------------------------

cdef uint8_t payload_kind(int minor, const Record* record) noexcept nogil:
    """0 for plain events, else the structural event that the payload begins with."""
    cdef uint8_t first
    if record.experiment != 0:
        return EV_EXPERIMENTAL_BATCH
    if record.size == 0:
        return 0
    first = record.data[0]
    if first == EV_STRINGS or first == EV_STACKS or first == EV_CPU_SAMPLES:
        return first
    if first == EV_END_OF_GENERATION:       # as Go reads it: such a batch is the marker
        return first
    if first == (EV_SYNC if minor >= 25 else EV_FREQUENCY):
        return EV_SYNC
    return 0


cdef int generation_add(
    Generation* self, uint8_t kind, const Record* record, int64_t offset, bint keep
) noexcept nogil:
    """Add a batch to its generation, its payload too if it is to `keep`; -1 without memory."""
    cdef EventBatch* batch
    cdef uint64_t* stream
    cdef bint is_new
    if self.min_ticks == 0 or record.ticks < self.min_ticks:
        self.min_ticks = record.ticks       # 0 counts as unset, as in Go
    if kind != 0:
        if not reserve(
            <void**>&self.structural, &self.structural_room, self.n_structural + 1,
            sizeof(EventBatch),
        ):
            return -1
        batch = &self.structural[self.n_structural]
        self.n_structural += 1
    else:
        if not reserve(
            <void**>&self.batches, &self.batches_room, self.n_batches + 1, sizeof(EventBatch)
        ):
            return -1
        batch = &self.batches[self.n_batches]
        stream = idmap_put(&self.stream_of, record.thread, &is_new)
        if stream == NULL:
            return -1
        if is_new:
            if not reserve(
                <void**>&self.streams, &self.streams_room, self.n_streams + 1, sizeof(Stream)
            ):
                return -1
            self.streams[self.n_streams].thread = record.thread
            self.streams[self.n_streams].first = <int32_t>self.n_batches
            self.n_streams += 1
            stream[0] = <uint64_t>self.n_streams
        else:
            self.batches[self.streams[stream[0] - 1].last].next = <int32_t>self.n_batches
        self.streams[stream[0] - 1].last = <int32_t>self.n_batches
        self.n_batches += 1
    batch.data = arena_copy(&self.arena, record.data, record.size if keep else 0)
    batch.size = record.size
    batch.offset = offset + record.length - record.size
    batch.ticks = record.ticks
    batch.next = -1
    batch.kind = kind
    batch.experiment = record.experiment
    return 0 if batch.data != NULL else -1


cdef int64_t generation_memory(const Generation* self) noexcept nogil:
    """Bytes of the batches and of the tables made from them."""
    return (
        self.arena.bytes
        + (self.batches_room + self.structural_room) * <int64_t>sizeof(EventBatch)
        + self.streams_room * <int64_t>sizeof(Stream)
        + self.strings_room * <int64_t>(sizeof(Text) + sizeof(uint64_t))
        + self.stacks_room * <int64_t>sizeof(Stack)
        + self.stack_frames_room * <int64_t>sizeof(int32_t)
        + self.frames_room * <int64_t>sizeof(Frame)
        + self.samples_room * <int64_t>sizeof(Sample)
        + idmap_bytes(&self.stream_of)
        + idmap_bytes(&self.frame_of_pc)
    )


# --- steps --------------------------------------------------------------------------------------

cdef FrameStep _fault(Framer* self, int code, int64_t a, int64_t b, bint lost) noexcept nogil:
    """Stop here: the open generation is lost too, unless it was made `ready` before.

    Under `salvage` the next step goes on; with `lost` it first looks for a chain of records.
    """
    if code > FAULT_LIMIT_ID:   # worse than what was wrong with the record
        self.fault.code = FAULT_NONE
    set_fault(&self.fault, code, self.offset, a, b)
    self.any = True
    if lost:
        self.lost = True
        self.lost_from = self.offset
    if not self.salvage:
        self.over = True
    if self.ready != NULL:
        self.fault_waits = True
        self.lost_bytes = 0
        self.lost_number = 0
        return FRAME_GENERATION
    self.lost_bytes = self.offset - self.open.offset if self.open != NULL else 0
    self.lost_number = self.open.number if self.open != NULL else 0
    generation_free(self.open)
    self.open = NULL
    return FRAME_FAULT


cdef FrameStep _close_generation(Framer* self) noexcept nogil:
    self.open.end_offset = self.offset
    self.any = True
    self.ready = self.open
    self.open = NULL
    return FRAME_GENERATION


cdef FrameStep _take(Framer* self, const Record* record) noexcept nogil:
    """Put a whole record where it belongs; FRAME_MORE means: go on."""
    cdef FrameStep step = FRAME_MORE
    cdef uint8_t kind = EV_END_OF_GENERATION
    cdef int64_t offset = self.offset
    cdef bint keep
    if record.kind != EV_END_OF_GENERATION:
        kind = payload_kind(self.minor, record)
    if kind == EV_END_OF_GENERATION and self.minor >= 26:
        self.offset += record.length
        if self.open == NULL:               # an end without a beginning has no frequency
            if self.stray:
                return FRAME_MORE
            self.stray = True
            return _fault(self, FAULT_NO_FREQUENCY, 0, 0, False)
        self.open.has_end = True
        return _close_generation(self)
    self.stray = False
    if kind == EV_END_OF_GENERATION or record.generation == 0:
        self.offset += record.length
        return _fault(self, FAULT_GENERATION_ZERO, 0, 0, False)
    if self.open != NULL and record.generation != self.open.number:
        if self.minor < 26 and record.generation == self.open.number + 1:
            step = _close_generation(self)
        else:
            step = _fault(
                self, FAULT_GENERATION_ORDER, <int64_t>record.generation,
                <int64_t>self.open.number, False,
            )
            if not self.salvage:
                return step
    if self.open == NULL:
        self.open = generation_new(record.generation, offset, self.seed, &self.blocks)
    keep = kind == EV_SYNC or not self.headers_only
    if self.open == NULL or generation_add(self.open, kind, record, offset, keep) < 0:
        return _fault(self, FAULT_NO_MEMORY, 0, 0, False)
    self.offset += record.length
    if generation_memory(self.open) > self.memory_limit:
        return _fault(self, FAULT_LIMIT_MEMORY, self.memory_limit, 0, False)
    return step


cdef FrameStep _end(Framer* self) noexcept nogil:
    """No more bytes: close what is open by the rules of the version."""
    if self.minor == 0:
        self.minor = -1
        self.over = True
        return _fault(self, FAULT_HEADER, self.offset, 0, False)
    if self.open == NULL:
        if self.minor >= 26 or self.any:
            return FRAME_END
        return _fault(self, FAULT_NO_FREQUENCY, 0, 0, False)    # as Go: an empty generation
    if self.minor < 26:
        return _close_generation(self)
    if self.open.n_batches == 0 and not self.salvage:
        # As Go: nothing but tables is a clean end. Who salvages is told of the lost bytes.
        generation_free(self.open)
        self.open = NULL
        return FRAME_END
    return _fault(self, FAULT_GENERATION_OPEN, <int64_t>self.open.number, self.open.offset, False)


cdef bint _is_chain(Framer* self, const uint8_t* data, int64_t size, bint* starved) noexcept nogil:
    """Do CHAIN records in a row (or all up to the end of the source) make sense here?"""
    cdef Record record
    cdef Fault ignored
    cdef int64_t at = 0
    cdef int i, whole
    for i in range(CHAIN):
        if at == size and i > 0:
            starved[0] = not self.ended
            return self.ended
        ignored.code = FAULT_NONE
        whole = parse_record(data + at, size - at, &record, &ignored)
        if whole == 0:
            starved[0] = not self.ended
            return False
        if whole < 0 or (record.kind == EV_END_OF_GENERATION and (i == 0 or self.minor < 26)):
            return False
        if record.kind != EV_END_OF_GENERATION and record.generation == 0:
            return False
        at += record.length
    return True


cdef int64_t _find_chain(
    Framer* self, const uint8_t* data, int64_t size, bint* found
) noexcept nogil:
    """How many bytes to skip to a plausible place; all that were tried where there is none."""
    cdef int64_t i
    cdef bint starved = False
    for i in range(size):
        if data[i] == c'g' and size - i >= HEADER_SIZE and is_known_minor(header_minor(data + i)):
            self.minor = header_minor(data + i)
            found[0] = True
            return i + HEADER_SIZE
        if data[i] != EV_EVENT_BATCH and data[i] != EV_EXPERIMENTAL_BATCH:
            if data[i] == c'g' and size - i < HEADER_SIZE and not self.ended:
                return i
            continue
        if _is_chain(self, data + i, size - i, &starved):
            found[0] = True
            return i
        if starved:
            return i
    return size


cdef FrameStep _take_header(Framer* self, int minor) noexcept nogil:
    """A version that is newer than we know is tried as the newest, under `salvage` only."""
    cdef FrameStep step = FRAME_MORE
    self.minor = minor
    if not is_known_minor(minor):
        step = _fault(self, FAULT_VERSION if minor > 0 else FAULT_HEADER, minor, 0, False)
        self.over = not self.salvage or minor < NEWEST_MINOR
        if not self.over:
            self.minor = NEWEST_MINOR
    return step


cdef bint _opens_next(Framer* self, const uint8_t* data, int64_t size) noexcept nogil:
    """Is this the begin of a batch of the next generation? Then all of the open one is here."""
    cdef Reader reader = reader_over(data, size)
    cdef Record record
    cdef Fault ignored
    ignored.code = FAULT_NONE
    if parse_header(&reader, &record, &ignored) <= 0 or reader.at == reader.end:
        return False
    record.data = reader.at
    return (
        record.kind != EV_END_OF_GENERATION
        and record.generation != 0          # what comes behind the greatest number is no next one
        and record.generation == self.open.number + 1
        and payload_kind(self.minor, &record) != EV_END_OF_GENERATION
    )


cdef int64_t _consume(
    Framer* self, const uint8_t* data, int64_t size, FrameStep* step
) noexcept nogil:
    """Frame from the front of `data`: bytes used, 0 when more are needed."""
    cdef Record record
    cdef Fault fault
    cdef bint found = False
    cdef int64_t used
    cdef int whole
    step[0] = FRAME_MORE
    if self.minor == 0:
        if size < HEADER_SIZE:
            return 0
        step[0] = _take_header(self, header_minor(data))
        self.offset += HEADER_SIZE
        return HEADER_SIZE
    if self.lost:
        used = _find_chain(self, data, size, &found)
        self.lost = not found
        self.offset += used
        if found:
            self.found_at = self.offset
            self.skipped = self.offset - self.lost_from
        return used
    fault.code = FAULT_NONE
    whole = parse_record(data, size, &record, &fault)
    if whole == 0:
        if self.open != NULL and self.minor < 26 and _opens_next(self, data, size):
            step[0] = _close_generation(self)
        return 0
    if whole > 0:
        step[0] = _take(self, &record)
        return record.length
    if self.open != NULL and self.minor < 26:
        step[0] = _close_generation(self)   # as Go: what was read so far may well be whole
    step[0] = _fault(self, fault.code, fault.a, fault.b, True)
    return 0


cdef int64_t _top_up(Framer* self) noexcept nogil:
    """Move input behind the pending bytes; how many were moved, -1 without memory."""
    cdef int64_t most = CHAIN * RECORD_MOST if self.lost else RECORD_MOST
    cdef int64_t moved = min(most - self.pending_used, self.input_left)
    cdef int64_t end
    if moved <= 0:
        return 0
    if self.pending_used == 0:
        self.pending_start = 0
    # Twice the room, so that bytes are moved to the front once for as many that were used up.
    if self.pending_start + self.pending_used + moved > 2 * most:
        memmove(self.pending, self.pending + self.pending_start, self.pending_used)
        self.pending_start = 0
    end = self.pending_start + self.pending_used
    if not reserve(<void**>&self.pending, &self.pending_room, end + moved, 1):
        return -1
    memcpy(self.pending + end, self.input, moved)
    self.pending_used += moved
    self.input += moved
    self.input_left -= moved
    return moved


cdef FrameStep framer_step(Framer* self) noexcept nogil:
    """Frame until a generation is whole, something is wrong, or the bytes are used up."""
    cdef FrameStep step
    cdef int64_t used, kept
    cdef bint searched
    if self.fault_waits:
        if self.ready != NULL:
            return FRAME_GENERATION
        self.fault_waits = False
        return FRAME_FAULT
    self.fault.code = FAULT_NONE
    if self.over:
        return FRAME_END
    while True:
        step = FRAME_MORE
        searched = self.lost
        if self.pending_used:
            kept = self.pending_used
            if _top_up(self) < 0:
                return _fault(self, FAULT_NO_MEMORY, 0, 0, False)
            used = _consume(
                self, self.pending + self.pending_start, self.pending_used, &step
            )
            if used >= kept:                # the rest is still in the input, in place
                self.input -= self.pending_used - used
                self.input_left += self.pending_used - used
                self.pending_used = 0
            else:
                self.pending_used -= used
                self.pending_start += used
        else:
            used = _consume(self, self.input, self.input_left, &step)
            self.input += used
            self.input_left -= used
        if step != FRAME_MORE:
            return step
        if searched and not self.lost:      # found, maybe right here
            continue
        if used == 0 and self.lost and self.pending_used == 0 and self.input_left == 0:
            return FRAME_MORE if not self.ended else _end(self)
        if used == 0:
            if self.input_left and self.pending_used < RECORD_MOST * (CHAIN if self.lost else 1):
                if _top_up(self) > 0:
                    continue
            if not self.ended:
                return FRAME_MORE
            return _cut_off(self)


cdef FrameStep framer_leave_out(Framer* self, int64_t following, int64_t* left_out) noexcept nogil:
    """Take the batch that is cut off by the end of the input, if its header is all that is wanted.

    `following` bytes of the source are known to come; `left_out` of them need not be fed.
    """
    cdef Record record
    cdef Reader reader
    cdef Fault ignored
    cdef int64_t missing
    left_out[0] = 0
    if not self.headers_only or self.lost or self.minor == 0 or not self.pending_used:
        return FRAME_MORE
    ignored.code = FAULT_NONE
    reader = reader_over(self.pending + self.pending_start, self.pending_used)
    if parse_header(&reader, &record, &ignored) <= 0 or reader.at == reader.end:
        return FRAME_MORE
    record.data = reader.at
    record.length = reader.at - self.pending - self.pending_start + record.size
    missing = record.length - self.pending_used
    if missing <= 0 or missing > following or payload_kind(self.minor, &record) == EV_SYNC:
        return FRAME_MORE
    self.pending_used = 0
    left_out[0] = missing
    return _take(self, &record)


cdef FrameStep _cut_off(Framer* self) noexcept nogil:
    """The source has ended; bytes that are left are a record cut in two."""
    cdef int64_t left = self.pending_used + self.input_left
    cdef FrameStep step
    if left == 0 or self.minor == 0 or self.lost:
        self.pending_used = 0
        self.input_left = 0
        self.offset += left
        return _end(self)
    self.pending_used = 0
    self.input_left = 0
    if self.open != NULL and self.minor < 26:
        _close_generation(self)
    step = _fault(self, FAULT_TRUNCATED, left, 0, False)
    self.lost_bytes += left
    return step
