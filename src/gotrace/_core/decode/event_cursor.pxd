"""Cursor: the events of one thread in one generation, one ahead.

The order needs to know the time of every thread's next event, and whether it can be read at all.
So of the head event type and time are read ahead, and its bytes checked; its arguments are read
when it is its turn, by code that knows how many there are.
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

cdef extern from *:
    """
    /* How many numbers end in the eight bytes at p. */
    static inline unsigned gt_numbers_in_8(const uint8_t *p) {
        uint64_t word;
        memcpy(&word, p, 8);
        return (unsigned)(((~word >> 7) & 0x0101010101010101u) * 0x0101010101010101u >> 56);
    }

    /* One number at p, known to be sound; p moves behind it. One to three bytes as a rule: which
       it is the processor guesses well, better than any way without branches. */
    static inline uint64_t gt_number(const uint8_t **at) {
        const uint8_t *p = *at;
        uint64_t value = p[0];
        int length = 2;
        if (value < 0x80) {
            *at = p + 1;
            return value;
        }
        value = (value & 0x7F) | (uint64_t)p[1] << 7;
        if (p[1] < 0x80) {
            *at = p + 2;
            return value;
        }
        value = (value & 0x3FFF) | (uint64_t)p[2] << 14;
        while (p[length] >= 0x80) {
            length++;
            value &= ((uint64_t)1 << (7 * length)) - 1;
            value |= (uint64_t)p[length] << (7 * length);
        }
        *at = p + length + 1;
        return value;
    }
    """
    unsigned numbers_in_8 "gt_numbers_in_8"(const uint8_t* at) noexcept nogil
    uint64_t sound_number "gt_number"(const uint8_t** at) noexcept nogil
    bint unlikely(bint condition) noexcept nogil

cdef enum:
    SHORT_STEP = 1 << 30        # ticks, of 64 ns as a rule


cdef struct Cursor:
    int64_t time                # of the head event, in ns; first: the frontier is sorted by it
    uint8_t type                # the head event
    int32_t batch
    const uint8_t* event        # its first byte
    const uint8_t* behind_dt
    const uint8_t* at           # behind its last byte, once `args` were taken
    const uint8_t* end          # of the batch
    Thread* thread
    uint64_t args[4]            # behind dt


cdef inline int64_t event_offset(const Generation* generation, const Cursor* self) noexcept nogil:
    """Where the head event begins in the source."""
    cdef const EventBatch* batch = &generation.batches[self.batch]
    return batch.offset + (self.event - batch.data)


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


cdef inline int _check_carefully(
    Cursor* self, const Generation* generation, uint64_t* dt, Fault* fault
) noexcept nogil:
    """A long event, or one at the end of its batch, or cut off by it, or with an absurd number."""
    cdef Reader reader = reader_over(self.event + 1, self.end - self.event - 1)
    cdef int _i
    if EVENT_ARGS[self.type] == EVENT_ARGS_UNASSIGNED:
        return set_fault(fault, FAULT_EVENT_TYPE, event_offset(generation, self), self.type, 0)
    dt[0] = read_uvarint(&reader)
    self.behind_dt = reader.at
    for _i in range(EVENT_ARGS[self.type]):
        read_uvarint(&reader)
    if reader.state != READER_FINE:
        return set_fault(
            fault, FAULT_VARINT if reader.state == READER_OVERFLOW else FAULT_EVENT_SHORT,
            event_offset(generation, self), self.type, 0,
        )
    return 1


cdef inline int next_event(Cursor* self, const Generation* generation, Fault* fault) noexcept nogil:
    """Go to the next event of the thread: 1, 0 when there is none, -1 and a fault."""
    cdef const uint8_t* at = self.at
    cdef uint64_t dt
    cdef int64_t step
    cdef int status
    if unlikely(at >= self.end):
        status = next_batch(self, generation, fault)
        if status <= 0:
            return status
        at = self.at
    self.event = at
    self.type = at[0]
    at += 1
    if unlikely(self.end - at < 8) or unlikely(numbers_in_8(at) <= EVENT_ARGS[self.type]):
        if _check_carefully(self, generation, &dt, fault) < 0:
            return -1
    else:
        dt = sound_number(&at)
        self.behind_dt = at
    if unlikely(dt >= SHORT_STEP or not generation.ticks_are_64_ns):
        step = ticks_to_ns(generation, dt)
        if step < 0:
            return set_fault(fault, FAULT_TIME, event_offset(generation, self), 0, 0)
    else:
        step = <int64_t>dt << 6
    self.time = <int64_t>(<uint64_t>self.time + <uint64_t>step)
    if unlikely(self.time < 0):
        return set_fault(fault, FAULT_TIME, event_offset(generation, self), 0, 0)
    return 1


cdef inline void take_args(Cursor* self, int n_args) noexcept nogil:
    """Read the arguments of the head event. Best where `n_args` is a constant."""
    cdef const uint8_t* at = self.behind_dt
    cdef int i
    for i in range(n_args):
        self.args[i] = sound_number(&at)
    self.at = at
