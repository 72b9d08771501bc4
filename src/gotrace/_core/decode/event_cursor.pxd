"""Cursor: the events of one thread in one generation, one ahead.

The order needs to know the time of every thread's next event, and whether it can be read at all,
so the head event is decoded before it is its turn. All arguments of an event are varints; most
events fit one word, and a word is taken apart without a branch per byte.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

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
    #if defined(_MSC_VER)
    #include <intrin.h>
    static __inline int gt_ctz(uint64_t x) { unsigned long i; _BitScanForward64(&i, x); return i; }
    #define gt_likely(x) (x)
    #else
    static inline int gt_ctz(uint64_t x) { return __builtin_ctzll(x); }
    #define gt_likely(x) __builtin_expect(!!(x), 1)
    #endif
    #define GT_STOPS 0x8080808080808080ull
    """
    int count_trailing_zeros "gt_ctz"(uint64_t x) noexcept nogil
    bint likely "gt_likely"(bint x) noexcept nogil
    const uint64_t STOP_BITS "GT_STOPS"


cdef struct Cursor:
    int64_t time                # of the head event, in ns; the key of the frontier
    uint8_t type                # the head event
    uint64_t args[4]            # behind dt
    const uint8_t* event        # its first byte
    const uint8_t* at           # behind its last
    const uint8_t* end          # of the batch
    int32_t batch
    int64_t position            # in the frontier, while that is sorted
    Thread* thread


cdef inline int64_t event_offset(const Generation* generation, const Cursor* self) noexcept nogil:
    """Where the head event begins in the source."""
    cdef const EventBatch* batch = &generation.batches[self.batch]
    return batch.offset + (self.event - batch.data)


cdef inline uint64_t squeeze(uint64_t groups) noexcept nogil:
    """7-bit groups, one a byte, to one number. Up to four groups, nearly always, need no branch."""
    groups &= ~STOP_BITS
    if likely(groups >> 32 == 0):
        return (
            (groups & 0x7F) | ((groups & 0x7F00) >> 1) | ((groups & 0x7F0000) >> 2) | (groups >> 24 << 21)
        )
    groups = ((groups & <uint64_t>0x7F007F007F007F00) >> 1) | (groups & <uint64_t>0x007F007F007F007F)
    groups = ((groups & <uint64_t>0x3FFF00003FFF0000) >> 2) | (groups & <uint64_t>0x00003FFF00003FFF)
    return ((groups & <uint64_t>0x0FFFFFFF00000000) >> 4) | (groups & <uint64_t>0x000000000FFFFFFF)


cdef inline uint64_t peel(uint64_t* word, uint64_t* stops, int* used) noexcept nogil:
    """Take the first varint off a word; `stops` marks the last byte of each varint in it."""
    cdef uint64_t last = stops[0] & (0 - stops[0])
    cdef uint64_t value = word[0] & (last ^ (last - 1))
    cdef int shift = count_trailing_zeros(last)     # bits up to the stop bit, which is the last
    word[0] = word[0] >> shift >> 1
    stops[0] = stops[0] >> shift >> 1
    used[0] += shift + 1
    if value < 0x80:
        return value
    return squeeze(value)


cdef inline int _read_slowly(
    Cursor* self, const Generation* generation, int n_args, uint64_t* dt, Fault* fault
) noexcept nogil:
    """An event that does not fit one word, or is cut off."""
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


cdef inline int next_event(Cursor* self, const Generation* generation, Fault* fault) noexcept nogil:
    """Decode the next event of the thread: 1, 0 when there is none, -1 and a fault."""
    cdef uint64_t word, stops, dt
    cdef int64_t step
    cdef int n_args, status
    cdef int used = 0
    if self.at >= self.end:
        status = next_batch(self, generation, fault)
        if status <= 0:
            return status
    self.event = self.at
    self.type = self.at[0]
    n_args = EVENT_ARGS[self.type]
    if n_args == EVENT_ARGS_UNASSIGNED:
        return set_fault(fault, FAULT_EVENT_TYPE, event_offset(generation, self), self.type, 0)
    memcpy(&word, self.at + 1, 8)               # payloads end in slack bytes
    stops = ~word & STOP_BITS
    while True:                                 # left by `break` where a word is not enough
        if stops == 0:
            break
        dt = peel(&word, &stops, &used)
        if n_args > 0:
            if stops == 0:
                break
            self.args[0] = peel(&word, &stops, &used)
            if n_args > 1:
                if stops == 0:
                    break
                self.args[1] = peel(&word, &stops, &used)
                if n_args > 2:
                    if stops == 0:
                        break
                    self.args[2] = peel(&word, &stops, &used)
                    if n_args > 3:
                        break
        self.at += 1 + (used >> 3)
        if self.at > self.end:
            self.at = self.event
            break
        step = ticks_to_ns(generation, dt)
        self.time += step
        if step < 0 or self.time < 0:
            return set_fault(fault, FAULT_TIME, event_offset(generation, self), 0, 0)
        return 1
    status = _read_slowly(self, generation, n_args, &dt, fault)
    if status < 0:
        return status
    step = ticks_to_ns(generation, dt)
    self.time += step
    if step < 0 or self.time < 0:
        return set_fault(fault, FAULT_TIME, event_offset(generation, self), 0, 0)
    return 1
