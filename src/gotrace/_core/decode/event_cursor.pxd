"""Cursor: the events of one thread in one generation, one ahead.

The order needs to know the time of every thread's next event, and whether it can be read at all,
so the head event is decoded before it is its turn. All arguments of an event are varints of one to
three bytes as a rule; which it is the processor guesses well, better than any way without branches.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from gotrace._core.decode.event_spec cimport EVENT_ARGS, EVENT_ARGS_UNASSIGNED
from gotrace._core.decode.generation cimport EventBatch, Generation, ticks_to_ns
from gotrace._core.decode.varint cimport (
    READER_FINE, READER_OVERFLOW, Reader, read_uvarint, reader_over,
)
from gotrace._core.fault cimport (
    FAULT_EVENT_SHORT, FAULT_EVENT_TYPE, FAULT_TIME, FAULT_VARINT, Fault, set_fault,
)
from gotrace._core.order.states cimport Thread

cdef enum:
    LONGEST_EVENT = 51          # type, dt and four arguments of ten bytes


cdef struct Cursor:
    int64_t time                # of the head event, in ns; first: the frontier is sorted by it
    uint8_t type                # the head event
    uint64_t args[4]            # behind dt
    const uint8_t* event        # its first byte
    const uint8_t* at           # behind its last
    const uint8_t* end          # of the batch
    int32_t batch
    Thread* thread


cdef inline int64_t event_offset(const Generation* generation, const Cursor* self) noexcept nogil:
    """Where the head event begins in the source."""
    cdef const EventBatch* batch = &generation.batches[self.batch]
    return batch.offset + (self.event - batch.data)


cdef inline int _read_slowly(
    Cursor* self, const Generation* generation, int n_args, uint64_t* dt, Fault* fault
) noexcept nogil:
    """An event at the end of its batch, or cut off by it, or with a number that is too long."""
    cdef Reader reader = reader_over(self.at, self.end - self.at)
    cdef int i
    reader.at += 1
    dt[0] = read_uvarint(&reader)
    for i in range(n_args):
        self.args[i] = read_uvarint(&reader)
    if reader.state != READER_FINE:
        return set_fault(
            fault, FAULT_VARINT if reader.state == READER_OVERFLOW else FAULT_EVENT_SHORT,
            event_offset(generation, self), self.type, 0,
        )
    self.at = reader.at
    return 1


cdef inline int next_batch(Cursor* self, const Generation* generation, Fault* fault) noexcept nogil:
    """Go to the first byte of the next batch that has one; 0 when there is none."""
    cdef int32_t batch = self.batch
    while True:
        batch = generation.batches[batch].next
        if batch < 0:
            return 0
        if generation.batches[batch].size:
            break
    return enter_batch(self, generation, batch, fault)


cdef inline int enter_batch(
    Cursor* self, const Generation* generation, int32_t batch, Fault* fault
) noexcept nogil:
    self.batch = batch
    self.at = generation.batches[batch].data
    self.end = self.at + generation.batches[batch].size
    self.time = ticks_to_ns(generation, generation.batches[batch].ticks)
    if self.time < 0:
        return set_fault(fault, FAULT_TIME, generation.batches[batch].offset, 0, 0)
    return 1


cdef inline uint64_t _quick(const uint8_t** at) noexcept nogil:
    """A varint where ten bytes can be read; `at` becomes NULL if it has more than 64 bits."""
    cdef const uint8_t* p = at[0]
    cdef uint64_t value = p[0]
    if value < 0x80:
        at[0] = p + 1
        return value
    value = (value & 0x7F) | <uint64_t>p[1] << 7
    if p[1] < 0x80:
        at[0] = p + 2
        return value
    value = (value & 0x3FFF) | <uint64_t>p[2] << 14
    if p[2] < 0x80:
        at[0] = p + 3
        return value
    return _quick_long(at, value & 0x1FFFFF)


cdef inline uint64_t _quick_long(const uint8_t** at, uint64_t value) noexcept nogil:
    cdef const uint8_t* p = at[0] + 3
    cdef int shift = 21
    while p[0] >= 0x80 and shift < 63:
        value |= <uint64_t>(p[0] & 0x7F) << shift
        shift += 7
        p += 1
    value |= <uint64_t>(p[0] & 0x7F) << shift
    at[0] = p + 1
    if shift == 63 and p[0] > 1:
        at[0] = NULL
    return value


cdef inline int next_event(Cursor* self, const Generation* generation, Fault* fault) noexcept nogil:
    """Decode the next event of the thread: 1, 0 when there is none, -1 and a fault."""
    cdef const uint8_t* at
    cdef uint64_t dt
    cdef int64_t step
    cdef int n_args, status
    if self.at >= self.end:
        status = next_batch(self, generation, fault)
        if status <= 0:
            return status
    self.event = self.at
    self.type = self.at[0]
    n_args = EVENT_ARGS[self.type]
    if n_args == EVENT_ARGS_UNASSIGNED:
        return set_fault(fault, FAULT_EVENT_TYPE, event_offset(generation, self), self.type, 0)
    at = NULL
    if self.end - self.at >= LONGEST_EVENT:
        at = _next_quickly(self, n_args, &dt)
    if at != NULL:
        self.at = at
    elif _read_slowly(self, generation, n_args, &dt, fault) < 0:
        return -1
    step = ticks_to_ns(generation, dt)
    self.time += step
    if step < 0 or self.time < 0:
        return set_fault(fault, FAULT_TIME, event_offset(generation, self), 0, 0)
    return 1


cdef inline const uint8_t* _next_quickly(Cursor* self, int n_args, uint64_t* dt) noexcept nogil:
    """Read dt and the arguments; behind them, or NULL if one is too long."""
    cdef const uint8_t* at = self.at + 1
    cdef int i
    dt[0] = _quick(&at)
    for i in range(n_args):
        if at == NULL:
            break
        self.args[i] = _quick(&at)
    return at
