"""Split: how a stretch of a goroutine's time divides. The definitions are those of Go's Summarizer.

What is kept by key (block time by reason, time in ranges by name) is a short list: a goroutine
meets two or three reasons. Lists keep their room when their owner is used again.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from gotrace._core.decode.event_spec cimport STATE_IDLE


cdef enum:
    MOST_SHARES = 256           # of one goroutine; a list is searched from its begin


cdef struct Share:
    int64_t ns
    int32_t key                 # number of a reason (NULL_ID for none) or of a range's name


cdef struct Shares:
    Share* items
    int32_t count
    int32_t room


cdef enum:
    SPLIT_SYSCALL_BLOCK = STATE_IDLE    # a place in `states` that no goroutine can be in
    SPLIT_STATES = STATE_IDLE + 1


cdef struct Split:
    int64_t states[SPLIT_STATES]
    int64_t total
    Shares block                # the time in STATE_WAITING by reason
    Shares ranges


cdef inline bint _shares_room(Shares* self, int32_t wanted) noexcept nogil:
    cdef void* grown
    cdef int32_t room = 2 * self.room if self.room else 2
    if wanted <= self.room:
        return True
    if room < wanted:
        room = wanted
    grown = realloc(self.items, room * sizeof(Share))
    if grown == NULL:
        return False
    self.items = <Share*>grown
    self.room = room
    return True


cdef inline Share* share_of(Shares* self, int32_t key) noexcept nogil:
    """The share of a key, 0 at first; it may move when others come.

    NULL without memory, or where there are too many.
    """
    cdef int32_t i
    for i in range(self.count):
        if self.items[i].key == key:
            return &self.items[i]
    if self.count >= MOST_SHARES or not _shares_room(self, self.count + 1):
        return NULL
    self.items[self.count].key = key
    self.items[self.count].ns = 0
    self.count += 1
    return &self.items[self.count - 1]


cdef inline bint shares_copy(Shares* self, const Shares* other) noexcept nogil:
    if not _shares_room(self, other.count):
        return False
    if other.count:
        memcpy(self.items, other.items, other.count * sizeof(Share))
    self.count = other.count
    return True


cdef inline void shares_subtract(Shares* self, const Shares* other) noexcept nogil:
    """Keys that only `other` has cannot be: what was counted once stays counted."""
    cdef int32_t i, j
    for i in range(other.count):
        if i < self.count and self.items[i].key == other.items[i].key:      # as a rule
            self.items[i].ns -= other.items[i].ns
            continue
        for j in range(self.count):
            if self.items[j].key == other.items[i].key:
                self.items[j].ns -= other.items[i].ns


# --- splits -------------------------------------------------------------------------------------

cdef inline bint split_copy(Split* self, const Split* other) noexcept nogil:
    """False without memory."""
    memcpy(self.states, other.states, sizeof(self.states))
    self.total = other.total
    return shares_copy(&self.block, &other.block) and shares_copy(&self.ranges, &other.ranges)


cdef inline void split_subtract(Split* self, const Split* other) noexcept nogil:
    cdef int i
    for i in range(SPLIT_STATES):
        self.states[i] -= other.states[i]
    self.total -= other.total
    shares_subtract(&self.block, &other.block)
    shares_subtract(&self.ranges, &other.ranges)


cdef inline int64_t split_unknown(const Split* self) noexcept nogil:
    """What no state accounts for."""
    cdef uint64_t known = 0
    cdef int i
    for i in range(SPLIT_STATES):
        known += <uint64_t>self.states[i]
    return self.total - <int64_t>known if known < <uint64_t>self.total else 0


cdef inline int64_t split_bytes(const Split* self) noexcept nogil:
    """Bytes of its lists."""
    return (<int64_t>self.block.room + self.ranges.room) * <int64_t>sizeof(Share)


cdef inline void split_reset(Split* self) noexcept nogil:
    memset(self.states, 0, sizeof(self.states))
    self.total = 0
    self.block.count = 0
    self.ranges.count = 0


cdef inline void split_free(Split* self) noexcept nogil:
    free(self.block.items)
    free(self.ranges.items)
    self.block.items = NULL
    self.ranges.items = NULL
