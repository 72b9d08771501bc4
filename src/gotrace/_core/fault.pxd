"""Fault: what is wrong with the input, kept without Python until the gate raises it."""

from libc.stdint cimport int64_t


cdef struct Fault:
    int code                    # FAULT_NONE while all is well; the first fault wins
    int64_t offset              # in the decompressed bytes of the source
    int64_t a                   # two numbers for the text of the code
    int64_t b


cdef enum FaultCode:
    FAULT_NONE
    # the header
    FAULT_HEADER
    FAULT_VERSION
    # framing
    FAULT_TRUNCATED
    FAULT_VARINT
    FAULT_NOT_A_BATCH
    FAULT_BATCH_SIZE
    FAULT_GENERATION_ZERO
    FAULT_GENERATION_ORDER
    FAULT_GENERATION_OPEN
    # tables of a generation
    FAULT_RECORD
    FAULT_RECORD_SHORT
    FAULT_STRING_SIZE
    FAULT_STACK_SIZE
    FAULT_DUPLICATE_ID
    FAULT_FRAME_STRING
    FAULT_DUPLICATE_SYNC
    FAULT_NO_FREQUENCY
    FAULT_ZERO_FREQUENCY
    FAULT_NO_CLOCK
    # events
    FAULT_EVENT_TYPE
    FAULT_EVENT_SHORT
    FAULT_TIME
    FAULT_STRING_ID
    FAULT_STACK_ID
    # the order
    FAULT_STUCK
    FAULT_NEEDS_THREAD
    FAULT_NEEDS_PROC
    FAULT_NEEDS_GOROUTINE
    FAULT_HAS_GOROUTINE
    FAULT_STATUS
    FAULT_PROC_STATUS
    FAULT_GOROUTINE_STATUS
    FAULT_PROC_UNKNOWN
    FAULT_GOROUTINE_UNKNOWN
    FAULT_PROC_STATE
    FAULT_GOROUTINE_STATE
    FAULT_GOROUTINE_NEW
    FAULT_GOROUTINE_EXISTS
    FAULT_SYSCALL_THREAD
    FAULT_PROC_SEQUENCE
    FAULT_STEAL
    FAULT_PROC_HOLDER
    FAULT_RANGE_OPEN
    FAULT_RANGE_CLOSED
    FAULT_GC
    FAULT_TASK_EXISTS
    FAULT_REGION
    FAULT_EVENT_ORDER
    # limits
    FAULT_LIMIT_ID
    FAULT_LIMIT_MEMORY
    FAULT_LIMIT_REASONS
    FAULT_LIMIT_ATTEMPTS
    FAULT_NO_MEMORY


cdef inline int set_fault(
    Fault* fault, int code, int64_t offset, int64_t a, int64_t b
) noexcept nogil:
    """Remember the first fault. Gives -1, so that a step can end with `return set_fault(…)`."""
    if fault.code == FAULT_NONE:
        fault.code = code
        fault.offset = offset
        fault.a = a
        fault.b = b
    return -1
