"""Lives: the state machine of all goroutines, as plain data. What it does is in `lives.pxi`."""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t

from gotrace._core.columns.column cimport Column
from gotrace._core.lives.life cimport Life, LifeMap
from gotrace._core.lives.split cimport SPLIT_STATES, Split
from gotrace._core.memory.idmap cimport IdMap
from gotrace._core.memory.texts cimport TextTable


# An interval in one state, closed.
cdef struct Stay:
    int64_t goroutine
    int64_t start_ns
    int64_t end_ns
    int64_t start_seq
    int64_t end_seq
    int64_t stack_id
    int64_t end_stack_id
    int64_t thread
    int64_t by_goroutine
    int64_t by_stack_id
    int64_t waited_ns           # of a runnable interval after a wakeup: the wait before it
    int64_t waited_stack_id
    int32_t life
    int32_t proc
    int16_t reason
    int8_t state
    int8_t by_kind
    int8_t next_state
    int8_t open_start
    int8_t open_end
    int8_t wait                 # filled in when it is written


# What a goroutine needs to know of a proc.
cdef struct ProcNote:
    uint8_t state
    int64_t thread              # that holds it
    int64_t in_syscall          # goroutine that went into a syscall with it, as Go counts
    int64_t sweeper             # goroutine that sweeps on it


# A region, closed. What is text or a list is in its column already.
cdef struct RegionRow:
    int64_t start_ns
    int64_t end_ns
    int64_t duration_ns
    int64_t start_seq
    int64_t end_seq
    int64_t goroutine
    int64_t task
    int64_t stack_id
    int64_t end_stack_id
    int64_t states[SPLIT_STATES]
    int64_t total
    int64_t unknown
    int32_t depth
    int8_t open_start
    int8_t open_end


cdef struct ListColumns:
    Column* block
    Column* ranges


cdef struct RegionQueue:
    RegionRow* rows
    int64_t n
    int64_t room
    Column* name
    ListColumns lists


cdef enum Change:
    CHANGE_ODD                  # none from one state of a life to another
    CHANGE_PLAIN
    CHANGE_SPECIAL              # in or out of a syscall, or out of life


cdef enum:
    NEAR_PROCS = 256            # procs with a lower id are found without a hash


cdef enum:
    SWEEP_NAME                  # numbers of the first names of ranges
    ASSIST_NAME


cdef struct Lives:
    bint wants_stays
    bint compat                 # with Go's Summarizer, whatever it does
    int32_t deadly              # to Go blocking forever is death: the number of that reason, or -2
    int64_t sync_ns             # of the last sync
    int64_t sync_seq
    LifeMap map
    IdMap procs                 # -> ProcNote
    IdMap lived                 # goroutine -> how many lives have ended, where an id can live twice
    TextTable names             # of ranges; for Go's regions, of those too
    const IdMap* roots          # stack id -> number of its root function + 1
    const TextTable* functions
    const TextTable* reasons
    Stay* stays                 # closed in this chunk
    int64_t n_stays
    int64_t stays_room
    Life** over                 # whose rows are to be written, in order
    int64_t n_over
    int64_t over_room
    IdMap held                  # compat: ended, but the id may live again, and then Go forgets
    Life* dying                 # in the row being looked at
    Split scratch
    RegionQueue* regions        # NULL where nobody wants them
    int64_t illegal             # transitions that are not in the table
    int64_t illegal_seq         # the first of them
    int64_t memory_most         # bytes that it may take
    bint no_memory
    bint too_much               # of what a limit is for
    uint8_t legal[128]          # by the low bits of a row's code
    uint8_t changes[128]        # a Change each
    ProcNote* near_procs[NEAR_PROCS]
