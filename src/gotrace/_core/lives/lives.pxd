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


cdef struct ReasonRank:
    int32_t rank                # in the order of the texts
    bint is_utf8


cdef struct RegionQueue:
    RegionRow* rows
    int64_t n
    int64_t room
    Column* name
    ListColumns lists


# Rows of `goroutines` on their way into the columns: so many at a time stay in the cache.
cdef enum:                      # columns of numbers
    LIFE_GOROUTINE, LIFE_PARENT, LIFE_CREATION_STACK, LIFE_CREATED_AT, LIFE_FIRST_RUN_AT,
    LIFE_ENDED_AT, LIFE_LAST_STACK, LIFE_LAST_SINCE_AT, LIFE_EXEC, LIFE_SCHED, LIFE_SYSCALL,
    LIFE_SYSCALL_BLOCK, LIFE_BLOCK, LIFE_TOTAL, LIFE_UNKNOWN, LIFE_RUNS, LIFE_START_SEQ,
    LIFE_END_SEQ,
    LIFE_NUMBERS


cdef enum:                      # and of what has a byte
    LIFE_LAST_STATE, LIFE_LAST_WAIT, LIFE_IS_SYSTEM, LIFE_OPEN_START, LIFE_OPEN_END,
    LIFE_FLAGS


cdef enum:
    STRIP_ROWS = 128
    STAGGERED_STRIP = STRIP_ROWS + 8    # or they would fight for a few sets of the cache


cdef struct LifeRows:
    int64_t n
    int64_t written             # that are in the columns, and not yet in the table's count
    int64_t numbers[LIFE_NUMBERS][STAGGERED_STRIP]
    int32_t life[STAGGERED_STRIP]
    int16_t last_reason[STAGGERED_STRIP]
    int8_t flags[LIFE_FLAGS][STAGGERED_STRIP]
    Column* number_columns[LIFE_NUMBERS]
    Column* flag_columns[LIFE_FLAGS]
    Column* life_column
    Column* last_reason_column
    Column* name                # texts and lists are in their columns at once
    ListColumns lists


cdef enum Change:               # what a row is to a life
    CHANGE_NONE
    CHANGE_PROC                 # a proc changes its state
    CHANGE_SYNC
    CHANGE_ODD                  # from here on of a goroutine: a status, or what is illegal
    CHANGE_BIRTH
    CHANGE_DEATH                # but not in a syscall
    CHANGE_SYSCALL              # in, or out of one
    CHANGE_PLAIN                # from here on what happens all the time
    CHANGE_WAKE


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
    ReasonRank* reason_ranks    # what is known of their texts
    int64_t n_ranks
    int64_t ranks_room
    Stay* stays                 # closed in this chunk
    int64_t n_stays
    int64_t stays_room
    Life** over                 # whose rows are to be written, in order, where that is not at once
    int64_t n_over
    int64_t over_room
    IdMap held                  # compat: ended, but the id may live again, and then Go forgets
    Life* dying                 # in the row being looked at
    Split scratch
    LifeRows* rows              # NULL where nobody wants them
    RegionQueue* regions        # and them
    int64_t named_stack         # the last stack that gave a name
    int64_t name_of_stack
    uint8_t* entries            # what is known of the text of a function, by its number
    int64_t entries_room
    int64_t illegal             # transitions that are not in the table
    int64_t illegal_seq         # the first of them
    int64_t memory_most         # bytes that it may take
    bint no_memory
    bint too_much               # of what a limit is for
    uint8_t legal[128]          # by the low bits of a row's code
    uint8_t changes[256]        # a Change each
    ProcNote* near_procs[NEAR_PROCS]
