# Mutations that keep a trace a trace: of batches, events and numbers.
#
# Bytes changed at random nearly always break the framing, and the rest of the trace is never read.
# Here the sizes of batches stay right, and new numbers are such as occur: small ones, neighbours,
# those of other events. One mutation in eight is libFuzzer's own, of any byte.
#
# Offers: LLVMFuzzerCustomMutator, LLVMFuzzerCustomCrossOver.

cdef extern from *:
    """
    size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
    """
    size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) noexcept nogil

cdef enum:
    MOST_RECORDS = 512
    MOST_EVENTS = 1024
    SCRATCH = 1 << 17           # longer than the longest record

cdef uint8_t[SCRATCH] scratch
cdef uint8_t[SCRATCH] events_scratch
cdef uint64_t[15] NUMBERS = [
    0, 1, 2, 3, 4, 5, 127, 128, (1 << 31) - 1, 1 << 31, 1 << 32, 1 << 53, 1 << 62,
    <uint64_t>1 << 63, ~<uint64_t>0,
]


# A record at top level: a batch, or the end marker of a generation.
cdef struct Part:
    int64_t start
    int64_t payload
    int64_t end
    uint8_t kind
    uint8_t experiment
    uint64_t numbers[3]         # generation, thread, ticks


cdef struct Mutation:
    uint8_t* data
    int64_t size
    int64_t room
    uint64_t state              # of the random numbers
    Part parts[MOST_RECORDS]
    int64_t n_parts

cdef Mutation mutation


cdef inline int64_t _below(int64_t n) noexcept nogil:
    return <int64_t>(_random(&mutation.state) % <uint64_t>n)


cdef int64_t _read_number(const uint8_t* data, int64_t size, uint64_t* value) noexcept nogil:
    """Bytes of the varint at `data`, 0 where there is none."""
    cdef int64_t i
    value[0] = 0
    for i in range(min(size, 10)):
        value[0] |= <uint64_t>(data[i] & 0x7F) << (7 * i)
        if data[i] < 0x80:
            return i + 1
    return 0


cdef int64_t _write_number(uint8_t* out, uint64_t value) noexcept nogil:
    cdef int64_t n = 0
    while value >= 0x80:
        out[n] = <uint8_t>(value | 0x80)
        value >>= 7
        n += 1
    out[n] = <uint8_t>value
    return n + 1


cdef uint64_t _other_number(uint64_t old) noexcept nogil:
    cdef int64_t choice = _below(10)
    if choice < 4:
        return <uint64_t>_below(16)
    if choice < 6:
        return old + 1
    if choice == 6:
        return old - 1
    if choice == 7:
        return NUMBERS[_below(15)]
    if choice == 8:
        return old ^ <uint64_t>1 << _below(64)
    return <uint64_t>_below(100_000)


# --- records ------------------------------------------------------------------------------------

cdef void _find_parts() noexcept nogil:
    """Frame the trace as far as it makes sense."""
    cdef int64_t at = KNOBS + HEADER_BYTES
    cdef int64_t used, i
    cdef uint64_t size
    cdef Part* part
    mutation.n_parts = 0
    while at < mutation.size and mutation.n_parts < MOST_RECORDS:
        part = &mutation.parts[mutation.n_parts]
        memset(part, 0, sizeof(Part))
        part.start = at
        part.kind = mutation.data[at]
        at += 1
        if part.kind == EV_EXPERIMENTAL_BATCH and at < mutation.size:
            part.experiment = mutation.data[at]
            at += 1
        if part.kind == EV_EVENT_BATCH or part.kind == EV_EXPERIMENTAL_BATCH:
            for i in range(4):
                used = _read_number(mutation.data + at, mutation.size - at, &size)
                if used == 0:
                    return
                at += used
                if i < 3:
                    part.numbers[i] = size
            if size > <uint64_t>(mutation.size - at) or size > MAX_BATCH_BYTES:
                return
        elif part.kind == EV_END_OF_GENERATION:
            size = 0
        else:
            return
        part.payload = at
        at += <int64_t>size
        part.end = at
        mutation.n_parts += 1


cdef int64_t _write_part(
    uint8_t* out, const Part* part, const uint8_t* payload, int64_t size
) noexcept nogil:
    cdef int64_t n = 1
    cdef int i
    out[0] = part.kind
    if part.kind == EV_END_OF_GENERATION:
        return n
    if part.kind == EV_EXPERIMENTAL_BATCH:
        out[n] = part.experiment
        n += 1
    for i in range(3):
        n += _write_number(out + n, part.numbers[i])
    n += _write_number(out + n, <uint64_t>size)
    memcpy(out + n, payload, size)
    return n + size


cdef bint _splice(int64_t start, int64_t end, const uint8_t* new, int64_t size) noexcept nogil:
    """Put `new` in the place of the bytes from `start` to `end`; False where it is too long."""
    cdef int64_t grown = mutation.size - (end - start) + size
    if grown > mutation.room:
        return False
    memmove(mutation.data + start + size, mutation.data + end, mutation.size - end)
    memcpy(mutation.data + start, new, size)
    mutation.size = grown
    return True


cdef bint _set_payload(const Part* part, const uint8_t* payload, int64_t size) noexcept nogil:
    return _splice(part.start, part.end, scratch, _write_part(scratch, part, payload, size))


cdef bint _change_parts() noexcept nogil:
    """Repeat, drop, swap, split, join batches; change their headers; end a generation."""
    cdef int64_t i = _below(mutation.n_parts)
    cdef int64_t j = _below(mutation.n_parts)
    cdef Part* one = &mutation.parts[i]
    cdef Part* other = &mutation.parts[j]
    cdef int64_t choice = _below(10)
    cdef int64_t n, cut
    cdef int field
    if choice == 0:
        return _splice(one.start, one.end, scratch, 0)
    if choice == 1:
        n = other.end - other.start
        memcpy(scratch, mutation.data + other.start, n)
        return _splice(one.start, one.start, scratch, n)
    if choice == 2:
        scratch[0] = EV_END_OF_GENERATION
        return _splice(one.end, one.end, scratch, 1)
    if choice == 3 and one.kind != EV_END_OF_GENERATION:
        cut = one.payload + _below(one.end - one.payload + 1)
        n = _write_part(scratch, one, mutation.data + one.payload, cut - one.payload)
        n += _write_part(scratch + n, one, mutation.data + cut, one.end - cut)
        return _splice(one.start, one.end, scratch, n)
    if choice == 4 and i < j and one.end - one.start + other.end - other.start < SCRATCH:
        n = other.end - one.start
        if n > SCRATCH:
            return False
        memcpy(scratch, mutation.data + other.start, other.end - other.start)
        cut = other.end - other.start
        memcpy(scratch + cut, mutation.data + one.end, other.start - one.end)
        cut += other.start - one.end
        memcpy(scratch + cut, mutation.data + one.start, one.end - one.start)
        memcpy(mutation.data + one.start, scratch, n)
        return True
    if choice == 5:
        return _next_generation()
    if one.kind == EV_END_OF_GENERATION:
        return False
    if choice == 6:
        one.kind = EV_EXPERIMENTAL_BATCH if one.kind == EV_EVENT_BATCH else EV_EVENT_BATCH
        one.experiment = <uint8_t>_below(3)
    field = <int>_below(3)
    if choice >= 8 and other.kind != EV_END_OF_GENERATION:
        one.numbers[field] = other.numbers[field]
    else:
        one.numbers[field] = _other_number(one.numbers[field])
    n = one.end - one.payload
    memcpy(events_scratch, mutation.data + one.payload, n)
    return _set_payload(one, events_scratch, n)


cdef bint _next_generation() noexcept nogil:
    """The trace once more behind itself, as its next generation."""
    cdef int64_t start = mutation.parts[0].start
    cdef int64_t end = mutation.parts[mutation.n_parts - 1].end
    cdef uint64_t above = 0
    cdef Part part
    cdef int64_t i
    cdef int64_t n = 0
    if end - start > SCRATCH // 2:
        return False
    for i in range(mutation.n_parts):
        above = max(above, mutation.parts[i].numbers[0])
    above = above + 1 - mutation.parts[0].numbers[0]
    for i in range(mutation.n_parts):
        part = mutation.parts[i]
        if n + part.end - part.start + 64 > SCRATCH:
            return False
        part.numbers[0] += above
        n += _write_part(scratch + n, &part, mutation.data + part.payload, part.end - part.payload)
    return _splice(end, end, scratch, n)


# --- events -------------------------------------------------------------------------------------

cdef int64_t _event_size(const uint8_t* data, int64_t size) noexcept nogil:
    """Bytes of the event at `data`, 0 where it is none."""
    cdef int64_t n = 1
    cdef int64_t used
    cdef uint64_t value
    cdef int args, i
    args = EVENT_ARGS[data[0]]
    if args == EVENT_ARGS_UNASSIGNED:
        return 0
    for i in range(args + 1):
        used = _read_number(data + n, size - n, &value)
        if used == 0:
            return 0
        n += used
    return n


cdef int64_t _find_events(const Part* part, int64_t* starts) noexcept nogil:
    """Where the events of a batch begin, and behind them where the last one ends."""
    cdef int64_t at = part.payload
    cdef int64_t n = 0
    cdef int64_t size
    while at < part.end and n < MOST_EVENTS:
        size = _event_size(mutation.data + at, part.end - at)
        if size == 0:
            break
        starts[n] = at
        at += size
        n += 1
    starts[n] = at
    return n


cdef int64_t _new_event(uint8_t* out) noexcept nogil:
    """Any event, with small numbers."""
    cdef uint8_t type
    cdef int64_t n = 1
    cdef int i
    while True:
        type = <uint8_t>_below(137)
        if EVENT_ARGS[type] != EVENT_ARGS_UNASSIGNED:
            break
    out[0] = type
    for i in range(EVENT_ARGS[type] + 1):
        n += _write_number(out + n, <uint64_t>_below(8))
    return n


cdef int64_t _changed_event(uint8_t* out, int64_t start, int64_t end) noexcept nogil:
    """The event with one of its numbers changed, or its type."""
    cdef int64_t n = 1
    cdef int64_t at = start + 1
    cdef uint64_t value
    cdef int args = EVENT_ARGS[mutation.data[start]]
    cdef int64_t which = _below(args + 2)
    cdef int i
    out[0] = mutation.data[start]
    if which > args:
        while True:
            out[0] = <uint8_t>_below(137)
            if EVENT_ARGS[out[0]] != EVENT_ARGS_UNASSIGNED:
                break
    for i in range(EVENT_ARGS[out[0]] + 1):
        value = <uint64_t>_below(8)
        if i <= args:
            at += _read_number(mutation.data + at, end - at, &value)
        n += _write_number(out + n, _other_number(value) if i == which else value)
    return n


cdef bint _change_events() noexcept nogil:
    """Change, insert, repeat, drop or swap events of one batch, or bring one from another."""
    cdef const Part* part = &mutation.parts[_below(mutation.n_parts)]
    cdef const Part* source = &mutation.parts[_below(mutation.n_parts)]
    cdef int64_t[MOST_EVENTS + 1] starts
    cdef int64_t[MOST_EVENTS + 1] others
    cdef int64_t n = _find_events(part, starts)
    cdef int64_t m, at, start, end
    cdef int64_t used = 0
    cdef int64_t choice = _below(8)
    if n == 0 or part.end - part.payload > MAX_BATCH_BYTES - 100:
        return False
    at = _below(n)
    start = starts[at]
    end = starts[at + 1]
    if choice < 3:
        used = _changed_event(events_scratch, start, end)
    elif choice == 3:
        used = _new_event(events_scratch)
        end = start
    elif choice == 4:
        m = _find_events(source, others)
        if m == 0:
            return False
        m = _below(m)
        used = others[m + 1] - others[m]
        memcpy(events_scratch, mutation.data + others[m], used)
        end = start
    elif choice == 5 and at + 1 < n:                    # with the next one
        used = starts[at + 2] - end
        memcpy(events_scratch, mutation.data + end, used)
        memcpy(events_scratch + used, mutation.data + start, end - start)
        used += end - start
        end = starts[at + 2]
    elif choice == 6:
        used = 2 * (end - start)
        memcpy(events_scratch, mutation.data + start, end - start)
        memcpy(events_scratch + used // 2, mutation.data + start, end - start)
    # What lies around the event goes with it, so that the size of the batch is written anew.
    m = start - part.payload
    memmove(events_scratch + m, events_scratch, used)
    memcpy(events_scratch, mutation.data + part.payload, m)
    m += used
    memcpy(events_scratch + m, mutation.data + end, part.end - end)
    m += part.end - end
    return _set_payload(part, events_scratch, m)


cdef bint _change_payload() noexcept nogil:
    """Bytes of one batch as libFuzzer likes, or one number in it."""
    cdef const Part* part = &mutation.parts[_below(mutation.n_parts)]
    cdef int64_t size = part.end - part.payload
    cdef int64_t at, used
    cdef uint64_t value
    if part.kind == EV_END_OF_GENERATION:
        return False
    memcpy(events_scratch, mutation.data + part.payload, size)
    if _below(2) or size == 0:
        size = LLVMFuzzerMutate(events_scratch, size, min(size + 64, MAX_BATCH_BYTES))
        return _set_payload(part, events_scratch, size)
    at = _below(size)
    used = _read_number(events_scratch + at, size - at, &value)
    memmove(events_scratch + at + 10, events_scratch + at + used, size - at - used)
    size -= used
    used = _write_number(events_scratch + at, _other_number(value))
    memmove(events_scratch + at + used, events_scratch + at + 10, size - at)
    return _set_payload(part, events_scratch, min(size + used, MAX_BATCH_BYTES))


# --- for libFuzzer --------------------------------------------------------------------------------

cdef public size_t LLVMFuzzerCustomMutator(
    uint8_t* data, size_t size, size_t room, unsigned int seed
) noexcept nogil:
    cdef int64_t choice
    cdef int tries
    mutation.data = data
    mutation.size = <int64_t>size
    mutation.room = <int64_t>room
    mutation.state = (<uint64_t>seed + 1) * <uint64_t>0x9E3779B97F4A7C15
    for tries in range(8):
        choice = _below(16)
        if size < KNOBS + HEADER_BYTES or choice < 2:
            break
        if choice == 2:
            data[_below(KNOBS)] = <uint8_t>_below(256)
            return mutation.size
        if choice == 3 and _below(4) == 0:
            data[KNOBS + 6] = b"2356"[_below(4)]
            return mutation.size
        _find_parts()
        if mutation.n_parts == 0:
            break
        if (
            _change_events() if choice < 10
            else _change_parts() if choice < 13
            else _change_payload()
        ):
            return mutation.size
    return LLVMFuzzerMutate(data, size, room)


cdef public size_t LLVMFuzzerCustomCrossOver(
    const uint8_t* one, size_t one_size, const uint8_t* other, size_t other_size,
    uint8_t* out, size_t room, unsigned int seed,
) noexcept nogil:
    """One trace with a batch of the other."""
    cdef Part taken
    cdef int64_t n, at
    mutation.state = (<uint64_t>seed + 1) * <uint64_t>0x9E3779B97F4A7C15
    mutation.data = <uint8_t*>other
    mutation.size = <int64_t>other_size
    _find_parts()
    if mutation.n_parts == 0 or one_size > room:
        return 0
    taken = mutation.parts[_below(mutation.n_parts)]
    n = taken.end - taken.start
    memcpy(scratch, other + taken.start, n)
    memcpy(out, one, one_size)
    mutation.data = out
    mutation.size = <int64_t>one_size
    mutation.room = <int64_t>room
    _find_parts()
    at = KNOBS + HEADER_BYTES
    if mutation.n_parts:
        at = mutation.parts[_below(mutation.n_parts)].start
    if at > mutation.size or not _splice(at, at, scratch, n):
        return 0
    return mutation.size
