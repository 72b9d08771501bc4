"""Machines: procs and threads, which goroutine is on which, and since when."""

from libc.stdint cimport int8_t, int32_t, int64_t

from gotrace._core.memory.idmap cimport IdMap

cdef enum:
    NEAR_MACHINES = 64          # found without a hash, by the low bits of their id


# An interval of a proc or thread, closed or open.
cdef struct Hold:
    int64_t thread
    int64_t goroutine
    int64_t start_ns
    int64_t end_ns
    int64_t start_seq
    int64_t end_seq
    int32_t proc
    int8_t state
    int8_t open_start
    int8_t open_end


# A proc or a thread, with the interval that is open.
cdef struct Machine:
    int64_t id
    Hold now
    int64_t start_ns            # when it was first seen, or the trace began
    int64_t start_seq
    int64_t end_ns
    int64_t end_seq
    int64_t running_ns
    int64_t scheduler_ns
    int64_t syscall_ns
    int64_t idle_ns
    int64_t runs
    int64_t starts
    int64_t steals
    int8_t open_start
    int8_t open_end


# Holds that closed in a chunk; `wanted` is whether anybody wants them.
cdef struct HoldQueue:
    Hold* holds
    int64_t n
    int64_t room
    bint wanted


cdef struct Machines:
    IdMap procs                 # -> Machine
    IdMap threads
    Machine* near_procs[NEAR_MACHINES]
    Machine* near_threads[NEAR_MACHINES]
    HoldQueue proc_holds
    HoldQueue thread_holds
    int64_t sync_ns
    int64_t sync_seq
    int64_t now_ns              # of the row that is looked at
    int64_t now_seq
    bint no_memory
