"""Rows: ordered events on their way into columns.

A block of them stays in the cache until every table has taken its share. What every event has lies
in arrays, one a column of `events`; what few have is in a list of extras. `code` packs what a row
is: the dictionary columns are looked up from it.
"""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t

from gotrace._core.decode.event_spec cimport KIND_STATE_TRANSITION
from gotrace._core.decode.generation cimport NULL_ID, Text
from gotrace._core.memory.vector cimport reserve
from gotrace._core.order.states cimport Interval, IntervalPool, interval_free
from libc.stdlib cimport free, malloc

# A row's code. State transition: 1 | resource is a proc | from (3 bits) | to (3 bits).
# Anything else: 0 | 0 | resource + 1 (2 bits) | kind (4 bits).
cdef enum:
    CODE_TRANSITION = 0x80
    CODE_PROC = 0x40


cdef inline uint8_t goroutine_code(int from_state, int to_state) noexcept nogil:
    return <uint8_t>(CODE_TRANSITION | from_state << 3 | to_state)


cdef inline uint8_t proc_code(int from_state, int to_state) noexcept nogil:
    return <uint8_t>(CODE_TRANSITION | CODE_PROC | from_state << 3 | to_state)


cdef inline uint8_t other_code(int kind, int resource) noexcept nogil:
    """`resource` is NULL_ID for none."""
    return <uint8_t>((resource + 1) << 4 | kind)


# In place of a reason, and null as NULL_ID is: the row that wakes whom a GoSwitch hands over to.
cdef enum:
    SWITCHES = -2


# A code taken apart, without a branch: whole columns of them go through a vector unit.

cdef inline uint8_t _if_transition(uint8_t code) noexcept nogil:
    """All ones for a state transition, else zero."""
    return <uint8_t>(0 - (code >> 7))


cdef inline uint8_t code_kind(uint8_t code) noexcept nogil:
    cdef uint8_t mask = _if_transition(code)
    return <uint8_t>((KIND_STATE_TRANSITION & mask) | (code & 15 & ~mask))


cdef inline uint8_t code_resource(uint8_t code) noexcept nogil:
    cdef uint8_t mask = _if_transition(code)
    return <uint8_t>((code >> 6 & 1 & mask) | (((code >> 4 & 3) - 1) & ~mask))


cdef inline uint8_t code_state(uint8_t code, int shift) noexcept nogil:
    """The state before (3) or after (0); zero where there is none."""
    return <uint8_t>(code >> shift & 7 & _if_transition(code))


cdef struct Extra:
    int64_t row
    uint8_t kind
    uint8_t type                # of the event on the wire
    uint8_t range_class
    uint8_t n_values
    uint64_t values[3]
    int64_t task
    int64_t parent_task
    Text name
    Text message
    Interval* ended             # the interval that a *_end event closed; the extra owns it


cdef enum:
    MOST_ROWS = 1 << 12         # in a block
    MOST_WORDS = MOST_ROWS >> 6     # of 64 bits, one for each of them
    # The arrays are written side by side: would their addresses agree in the low bits, they would
    # fight for one set of the cache.
    STAGGERED = MOST_ROWS + 40


cdef struct Rows:
    int64_t count
    int64_t first_seq           # of row 0
    int64_t reasons             # how many were known when the last of the rows came
    Extra* extras
    IntervalPool* intervals     # where those that ended go
    int64_t n_extras
    int64_t extras_room
    int64_t time[STAGGERED]
    int64_t thread[STAGGERED]
    int64_t goroutine[STAGGERED]
    int64_t context_stack[STAGGERED]
    int64_t resource_id[STAGGERED]
    int64_t stack[STAGGERED]
    int32_t proc[STAGGERED]
    int16_t reason[STAGGERED]
    uint8_t code[STAGGERED]


cdef inline Rows* rows_new(IntervalPool* intervals) noexcept nogil:
    """An empty block; NULL without memory."""
    cdef Rows* self = <Rows*>malloc(sizeof(Rows))
    if self != NULL:
        self.count = 0
        self.first_seq = 0
        self.reasons = 0
        self.extras = NULL
        self.n_extras = 0
        self.extras_room = 0
        self.intervals = intervals
    return self


cdef inline void rows_clear(Rows* self) noexcept nogil:
    """Forget the rows, keep the numbering; free the intervals that ended in them."""
    cdef int64_t i
    for i in range(self.n_extras):
        interval_free(self.intervals, self.extras[i].ended)
    self.n_extras = 0
    self.first_seq += self.count
    self.count = 0


cdef inline void rows_free(Rows* self) noexcept nogil:
    if self != NULL:
        rows_clear(self)
        free(self.extras)
        free(self)


cdef inline Extra* add_extra(Rows* self, uint8_t kind, uint8_t type) noexcept nogil:
    """Hang an extra on the row that comes next; NULL without memory."""
    cdef Extra* extra
    if not reserve(<void**>&self.extras, &self.extras_room, self.n_extras + 1, sizeof(Extra)):
        return NULL
    extra = &self.extras[self.n_extras]
    self.n_extras += 1
    extra.row = self.count
    extra.kind = kind
    extra.type = type
    extra.range_class = 0
    extra.n_values = 0
    extra.task = NULL_ID
    extra.parent_task = NULL_ID
    extra.name.data = NULL
    extra.name.length = 0
    extra.message.data = NULL
    extra.message.length = 0
    extra.ended = NULL
    return extra
