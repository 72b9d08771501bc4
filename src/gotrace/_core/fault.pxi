# The gate from nogil code to Python: the only place that turns a Fault into an exception.
#
# Offers: fault_reason, fault_error.

cdef dict FAULT_TEXTS = {
    FAULT_HEADER: "this is not a Go execution trace: it does not begin with 'go 1.NN trace'",
    FAULT_VERSION: "a trace with header 'go 1.{a}', which is not supported",
    FAULT_TRUNCATED: "the trace ends inside a batch",
    FAULT_VARINT: "a number is longer than 64 bits",
    FAULT_NOT_A_BATCH: "byte {a} stands where a batch should begin",
    FAULT_BATCH_SIZE: "a batch of {a} bytes; the most is {b}",
    FAULT_GENERATION_ZERO: "a batch of generation 0, which does not exist",
    FAULT_GENERATION_ORDER: "a batch of generation {a} inside generation {b}",
    FAULT_GENERATION_OPEN: "the trace ends inside generation {a}, which began at byte {b}",
    FAULT_RECORD: "record {a} in a batch of records {b}",
    FAULT_RECORD_SHORT: "a record ends behind its batch",
    FAULT_STRING_SIZE: "a string of {a} bytes; the most is {b}",
    FAULT_STACK_SIZE: "a stack of {a} frames; the most is {b}",
    FAULT_DUPLICATE_ID: "id {a} is defined twice, or is 0",
    FAULT_FRAME_STRING: "a stack frame names string {a}, which is not defined",
    FAULT_DUPLICATE_SYNC: "two clock readings or frequencies in one generation",
    FAULT_NO_FREQUENCY: "a generation without a clock frequency",
    FAULT_ZERO_FREQUENCY: "a clock frequency of 0",
    FAULT_NO_CLOCK: "a generation without a clock snapshot",
    FAULT_EVENT_TYPE: "event type {a} is not one of a batch",
    FAULT_EVENT_SHORT: "a {event} ends behind its batch",
    FAULT_TIME: "a time beyond 63 bits of nanoseconds",
    FAULT_STRING_ID: "an event names string {a}, which is not defined",
    FAULT_STACK_ID: "an event names stack {a}, which is not defined",
    FAULT_STUCK: "no event can be next: {b} threads wait, the earliest with a {event}",
    FAULT_NEEDS_THREAD: "{event}: expected a thread but didn't have one",
    FAULT_NEEDS_PROC: "{event}: expected a proc but didn't have one",
    FAULT_NEEDS_GOROUTINE: "{event}: expected a goroutine but didn't have one",
    FAULT_HAS_GOROUTINE: "a goroutine starts on a thread that runs goroutine {a}",
    FAULT_STATUS: "status {a} does not exist",
    FAULT_PROC_STATUS: "the status of proc {a} contradicts its events",
    FAULT_GOROUTINE_STATUS: "the status of goroutine {a} contradicts its events",
    FAULT_PROC_UNKNOWN: "proc {a} was never mentioned",
    FAULT_GOROUTINE_UNKNOWN: "goroutine {a} does not exist",
    FAULT_PROC_STATE: "proc {a} is not in the state that the event needs",
    FAULT_GOROUTINE_STATE: "goroutine {a} is not in the state that the event needs",
    FAULT_GOROUTINE_NEW: "goroutine {a} appears after the first generation without being created",
    FAULT_GOROUTINE_EXISTS: "goroutine {a} is created although it exists",
    FAULT_SYSCALL_THREAD: "goroutine {a} is in a syscall, but not on thread {b}",
    FAULT_PROC_SEQUENCE: "a syscall on proc {a} has number {b}, which is not the next",
    FAULT_STEAL: "proc {a} is stolen from thread {b}, which does not hold it",
    FAULT_PROC_HOLDER: "proc {a} is about to be stolen, but no thread holds it",
    FAULT_RANGE_OPEN: "a range begins that is going on",
    FAULT_RANGE_CLOSED: "a range ends or is confirmed that is not going on",
    FAULT_GC: "{event} number {b} contradicts the garbage collections before it",
    FAULT_TASK_EXISTS: "task {a} begins although it exists",
    FAULT_REGION: "goroutine {a} ends a region that is not its innermost",
    FAULT_EVENT_ORDER: "{event} (event type {a}) cannot be ordered",
    FAULT_LIMIT_ID: "id {a} is beyond what gotrace keeps",
    FAULT_LIMIT_MEMORY: "the decoder would need more than the memory limit of {a} bytes",
    FAULT_LIMIT_REASONS: "more than {a} different reasons to block, or to stop the world",
    FAULT_LIMIT_ATTEMPTS: "events were tried in vain {a} times: this is no real trace",
    FAULT_NO_MEMORY: "no memory is left",
}


cdef str fault_reason(const Fault* fault):
    """The text of a fault; its numbers are unsigned on the wire."""
    cdef str event = EVENT_NAMES[fault.a & 255].decode()
    return (<str>FAULT_TEXTS[fault.code]).format(
        a=<uint64_t>fault.a, b=<uint64_t>fault.b, event=event
    )


cdef object fault_error(const Fault* fault):
    """The exception of a fault, to be raised by the caller; its source is not known here."""
    from gotrace import errors

    reason = fault_reason(fault)
    if fault.code == FAULT_NO_MEMORY:
        return MemoryError(reason)
    if FAULT_LIMIT_ID <= fault.code < FAULT_NO_MEMORY:
        return errors.LimitError(f"at byte {fault.offset}: {reason}")
    if fault.code == FAULT_VERSION:
        kind = errors.UnsupportedVersionError
    elif fault.code == FAULT_TRUNCATED or fault.code == FAULT_GENERATION_OPEN:
        kind = errors.TruncatedError
    elif fault.code >= FAULT_STUCK:
        kind = errors.OrderError
    else:
        kind = errors.FormatError
    return kind(reason, offset=fault.offset)
