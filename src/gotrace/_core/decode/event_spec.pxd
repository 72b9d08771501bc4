# GENERATED from gotrace.spec by `python tools/generate_spec.py`. Do not edit.
#
# EVENT_ARGS: arguments after dt of a timed event; 255 = unassigned or not timed.

cdef extern from *:
    """
    /* Events of format v2 (trace_events.EVENTS). */
    enum {
        EV_EVENT_BATCH = 1,
        EV_STACKS = 2,
        EV_STACK = 3,
        EV_STRINGS = 4,
        EV_STRING = 5,
        EV_CPU_SAMPLES = 6,
        EV_CPU_SAMPLE = 7,
        EV_FREQUENCY = 8,
        EV_PROCS_CHANGE = 9,
        EV_PROC_START = 10,
        EV_PROC_STOP = 11,
        EV_PROC_STEAL = 12,
        EV_PROC_STATUS = 13,
        EV_GO_CREATE = 14,
        EV_GO_CREATE_SYSCALL = 15,
        EV_GO_START = 16,
        EV_GO_DESTROY = 17,
        EV_GO_DESTROY_SYSCALL = 18,
        EV_GO_STOP = 19,
        EV_GO_BLOCK = 20,
        EV_GO_UNBLOCK = 21,
        EV_GO_SYSCALL_BEGIN = 22,
        EV_GO_SYSCALL_END = 23,
        EV_GO_SYSCALL_END_BLOCKED = 24,
        EV_GO_STATUS = 25,
        EV_STW_BEGIN = 26,
        EV_STW_END = 27,
        EV_GC_ACTIVE = 28,
        EV_GC_BEGIN = 29,
        EV_GC_END = 30,
        EV_GC_SWEEP_ACTIVE = 31,
        EV_GC_SWEEP_BEGIN = 32,
        EV_GC_SWEEP_END = 33,
        EV_GC_MARK_ASSIST_ACTIVE = 34,
        EV_GC_MARK_ASSIST_BEGIN = 35,
        EV_GC_MARK_ASSIST_END = 36,
        EV_HEAP_ALLOC = 37,
        EV_HEAP_GOAL = 38,
        EV_GO_LABEL = 39,
        EV_USER_TASK_BEGIN = 40,
        EV_USER_TASK_END = 41,
        EV_USER_REGION_BEGIN = 42,
        EV_USER_REGION_END = 43,
        EV_USER_LOG = 44,
        EV_GO_SWITCH = 45,
        EV_GO_SWITCH_DESTROY = 46,
        EV_GO_CREATE_BLOCKED = 47,
        EV_GO_STATUS_STACK = 48,
        EV_EXPERIMENTAL_BATCH = 49,
        EV_SYNC = 50,
        EV_CLOCK_SNAPSHOT = 51,
        EV_END_OF_GENERATION = 52,
        EV_SPAN = 128,
        EV_SPAN_ALLOC = 129,
        EV_SPAN_FREE = 130,
        EV_HEAP_OBJECT = 131,
        EV_HEAP_OBJECT_ALLOC = 132,
        EV_HEAP_OBJECT_FREE = 133,
        EV_GOROUTINE_STACK = 134,
        EV_GOROUTINE_STACK_ALLOC = 135,
        EV_GOROUTINE_STACK_FREE = 136,
    };
    /* Statuses on the wire. */
    enum {
        WIRE_GO_BAD = 0,
        WIRE_GO_RUNNABLE = 1,
        WIRE_GO_RUNNING = 2,
        WIRE_GO_SYSCALL = 3,
        WIRE_GO_WAITING = 4,
        WIRE_PROC_BAD = 0,
        WIRE_PROC_RUNNING = 1,
        WIRE_PROC_IDLE = 2,
        WIRE_PROC_SYSCALL = 3,
        WIRE_PROC_SYSCALL_ABANDONED = 4,
    };
    /* Limits of the format. */
    enum {
        MAX_BATCH_BYTES = 65536,
        MAX_STRING_BYTES = 1024,
        MAX_STACK_FRAMES = 128,
        MAX_TIMED_ARGS = 5,
        EXPERIMENT_ALLOC_FREE = 1,
        EVENT_ARGS_UNASSIGNED = 255,
    };
    /* Dictionary codes of words.KINDS. */
    enum {
        KIND_SYNC = 0,
        KIND_METRIC = 1,
        KIND_LABEL = 2,
        KIND_STACK_SAMPLE = 3,
        KIND_RANGE_BEGIN = 4,
        KIND_RANGE_ACTIVE = 5,
        KIND_RANGE_END = 6,
        KIND_TASK_BEGIN = 7,
        KIND_TASK_END = 8,
        KIND_REGION_BEGIN = 9,
        KIND_REGION_END = 10,
        KIND_LOG = 11,
        KIND_STATE_TRANSITION = 12,
        KIND_EXPERIMENTAL = 13,
    };
    /* Dictionary codes of words.RESOURCES. */
    enum {
        RESOURCE_GOROUTINE = 0,
        RESOURCE_PROC = 1,
        RESOURCE_THREAD = 2,
    };
    /* Dictionary codes of words.STATES. */
    enum {
        STATE_UNDETERMINED = 0,
        STATE_NOTEXIST = 1,
        STATE_RUNNABLE = 2,
        STATE_RUNNING = 3,
        STATE_WAITING = 4,
        STATE_SYSCALL = 5,
        STATE_IDLE = 6,
    };
    /* Dictionary codes of words.WAKES. */
    enum {
        WAKE_UNBLOCK = 0,
        WAKE_CREATE = 1,
        WAKE_SWITCH = 2,
    };
    /* Dictionary codes of words.RANGE_CLASSES. */
    enum {
        CLASS_STW = 0,
        CLASS_MARK = 1,
        CLASS_SWEEP = 2,
        CLASS_ASSIST = 3,
    };
    /* Dictionary codes of words.OPS. */
    enum {
        OP_EXISTS = 0,
        OP_ALLOC = 1,
        OP_FREE = 2,
    };
    /* Dictionary codes of words.OBJECTS. */
    enum {
        OBJECT_SPAN = 0,
        OBJECT_HEAP_OBJECT = 1,
        OBJECT_GOROUTINE_STACK = 2,
    };
    /* Dictionary codes of words.WAITS. */
    enum {
        WAIT_CHAN_SEND = 0,
        WAIT_CHAN_RECV = 1,
        WAIT_SELECT = 2,
        WAIT_NIL_CHAN = 3,
        WAIT_SELECT_EMPTY = 4,
        WAIT_FOREVER = 5,
        WAIT_MUTEX = 6,
        WAIT_RWMUTEX_R = 7,
        WAIT_RWMUTEX_W = 8,
        WAIT_WAIT_GROUP = 9,
        WAIT_COND = 10,
        WAIT_ONCE = 11,
        WAIT_POOL = 12,
        WAIT_SYNC = 13,
        WAIT_SEMAPHORE = 14,
        WAIT_FD_LOCK = 15,
        WAIT_NET_READ = 16,
        WAIT_NET_WRITE = 17,
        WAIT_ACCEPT = 18,
        WAIT_CONNECT = 19,
        WAIT_DNS = 20,
        WAIT_FILE = 21,
        WAIT_NETWORK = 22,
        WAIT_SLEEP = 23,
        WAIT_COROUTINE = 24,
        WAIT_SYNCTEST = 25,
        WAIT_SYSCALL = 26,
        WAIT_CGO = 27,
        WAIT_PROCESS = 28,
        WAIT_SIGNAL = 29,
        WAIT_PREEMPTED = 30,
        WAIT_DEBUG_CALL = 31,
        WAIT_STOP_THE_WORLD = 32,
        WAIT_PANIC = 33,
        WAIT_GC_ASSIST = 34,
        WAIT_GC_WAIT = 35,
        WAIT_GC_WEAK_TO_STRONG = 36,
        WAIT_GC_WORKER = 37,
        WAIT_GC_SWEEP = 38,
        WAIT_GC_SCAVENGE = 39,
        WAIT_GC_FORCE = 40,
        WAIT_FINALIZER = 41,
        WAIT_CLEANUP = 42,
        WAIT_TIMER = 43,
        WAIT_TRACE_READER = 44,
        WAIT_SYSTEM = 45,
        WAIT_UNKNOWN = 46,
    };
    /* Number of values in each dictionary. */
    enum {
        KINDS_COUNT = 14,
        RESOURCES_COUNT = 3,
        STATES_COUNT = 7,
        WAKES_COUNT = 3,
        RANGE_CLASSES_COUNT = 4,
        OPS_COUNT = 3,
        OBJECTS_COUNT = 3,
        WAITS_COUNT = 47,
        REASONS_COUNT = 69,
    };
    static const unsigned char EVENT_ARGS[256] = {
        255, 255, 255, 255, 255, 255, 255, 255, 255,   2,   2,   0,   3,   2,   3,   1,
          2,   0,   0,   2,   2,   3,   2,   0,   0,   3,   2,   0,   1,   2,   1,   1,
          1,   2,   1,   1,   0,   1,   1,   1,   4,   2,   3,   3,   4,   2,   2,   3,
          4, 255, 255,   3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
          3,   3,   1,   2,   2,   1,   2,   2,   1, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255
    };

    static const char *const EVENT_NAMES[256] = {
        "",
        "EventBatch",
        "Stacks",
        "Stack",
        "Strings",
        "String",
        "CPUSamples",
        "CPUSample",
        "Frequency",
        "ProcsChange",
        "ProcStart",
        "ProcStop",
        "ProcSteal",
        "ProcStatus",
        "GoCreate",
        "GoCreateSyscall",
        "GoStart",
        "GoDestroy",
        "GoDestroySyscall",
        "GoStop",
        "GoBlock",
        "GoUnblock",
        "GoSyscallBegin",
        "GoSyscallEnd",
        "GoSyscallEndBlocked",
        "GoStatus",
        "STWBegin",
        "STWEnd",
        "GCActive",
        "GCBegin",
        "GCEnd",
        "GCSweepActive",
        "GCSweepBegin",
        "GCSweepEnd",
        "GCMarkAssistActive",
        "GCMarkAssistBegin",
        "GCMarkAssistEnd",
        "HeapAlloc",
        "HeapGoal",
        "GoLabel",
        "UserTaskBegin",
        "UserTaskEnd",
        "UserRegionBegin",
        "UserRegionEnd",
        "UserLog",
        "GoSwitch",
        "GoSwitchDestroy",
        "GoCreateBlocked",
        "GoStatusStack",
        "ExperimentalBatch",
        "Sync",
        "ClockSnapshot",
        "EndOfGeneration",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "Span",
        "SpanAlloc",
        "SpanFree",
        "HeapObject",
        "HeapObjectAlloc",
        "HeapObjectFree",
        "GoroutineStack",
        "GoroutineStackAlloc",
        "GoroutineStackFree",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        ""
    };
    """
    # Events of format v2 (trace_events.EVENTS).
    enum:
        EV_EVENT_BATCH
        EV_STACKS
        EV_STACK
        EV_STRINGS
        EV_STRING
        EV_CPU_SAMPLES
        EV_CPU_SAMPLE
        EV_FREQUENCY
        EV_PROCS_CHANGE
        EV_PROC_START
        EV_PROC_STOP
        EV_PROC_STEAL
        EV_PROC_STATUS
        EV_GO_CREATE
        EV_GO_CREATE_SYSCALL
        EV_GO_START
        EV_GO_DESTROY
        EV_GO_DESTROY_SYSCALL
        EV_GO_STOP
        EV_GO_BLOCK
        EV_GO_UNBLOCK
        EV_GO_SYSCALL_BEGIN
        EV_GO_SYSCALL_END
        EV_GO_SYSCALL_END_BLOCKED
        EV_GO_STATUS
        EV_STW_BEGIN
        EV_STW_END
        EV_GC_ACTIVE
        EV_GC_BEGIN
        EV_GC_END
        EV_GC_SWEEP_ACTIVE
        EV_GC_SWEEP_BEGIN
        EV_GC_SWEEP_END
        EV_GC_MARK_ASSIST_ACTIVE
        EV_GC_MARK_ASSIST_BEGIN
        EV_GC_MARK_ASSIST_END
        EV_HEAP_ALLOC
        EV_HEAP_GOAL
        EV_GO_LABEL
        EV_USER_TASK_BEGIN
        EV_USER_TASK_END
        EV_USER_REGION_BEGIN
        EV_USER_REGION_END
        EV_USER_LOG
        EV_GO_SWITCH
        EV_GO_SWITCH_DESTROY
        EV_GO_CREATE_BLOCKED
        EV_GO_STATUS_STACK
        EV_EXPERIMENTAL_BATCH
        EV_SYNC
        EV_CLOCK_SNAPSHOT
        EV_END_OF_GENERATION
        EV_SPAN
        EV_SPAN_ALLOC
        EV_SPAN_FREE
        EV_HEAP_OBJECT
        EV_HEAP_OBJECT_ALLOC
        EV_HEAP_OBJECT_FREE
        EV_GOROUTINE_STACK
        EV_GOROUTINE_STACK_ALLOC
        EV_GOROUTINE_STACK_FREE

    # Statuses on the wire.
    enum:
        WIRE_GO_BAD
        WIRE_GO_RUNNABLE
        WIRE_GO_RUNNING
        WIRE_GO_SYSCALL
        WIRE_GO_WAITING
        WIRE_PROC_BAD
        WIRE_PROC_RUNNING
        WIRE_PROC_IDLE
        WIRE_PROC_SYSCALL
        WIRE_PROC_SYSCALL_ABANDONED

    # Limits of the format.
    enum:
        MAX_BATCH_BYTES
        MAX_STRING_BYTES
        MAX_STACK_FRAMES
        MAX_TIMED_ARGS
        EXPERIMENT_ALLOC_FREE
        EVENT_ARGS_UNASSIGNED

    # Dictionary codes of words.KINDS.
    enum:
        KIND_SYNC
        KIND_METRIC
        KIND_LABEL
        KIND_STACK_SAMPLE
        KIND_RANGE_BEGIN
        KIND_RANGE_ACTIVE
        KIND_RANGE_END
        KIND_TASK_BEGIN
        KIND_TASK_END
        KIND_REGION_BEGIN
        KIND_REGION_END
        KIND_LOG
        KIND_STATE_TRANSITION
        KIND_EXPERIMENTAL

    # Dictionary codes of words.RESOURCES.
    enum:
        RESOURCE_GOROUTINE
        RESOURCE_PROC
        RESOURCE_THREAD

    # Dictionary codes of words.STATES.
    enum:
        STATE_UNDETERMINED
        STATE_NOTEXIST
        STATE_RUNNABLE
        STATE_RUNNING
        STATE_WAITING
        STATE_SYSCALL
        STATE_IDLE

    # Dictionary codes of words.WAKES.
    enum:
        WAKE_UNBLOCK
        WAKE_CREATE
        WAKE_SWITCH

    # Dictionary codes of words.RANGE_CLASSES.
    enum:
        CLASS_STW
        CLASS_MARK
        CLASS_SWEEP
        CLASS_ASSIST

    # Dictionary codes of words.OPS.
    enum:
        OP_EXISTS
        OP_ALLOC
        OP_FREE

    # Dictionary codes of words.OBJECTS.
    enum:
        OBJECT_SPAN
        OBJECT_HEAP_OBJECT
        OBJECT_GOROUTINE_STACK

    # Dictionary codes of words.WAITS.
    enum:
        WAIT_CHAN_SEND
        WAIT_CHAN_RECV
        WAIT_SELECT
        WAIT_NIL_CHAN
        WAIT_SELECT_EMPTY
        WAIT_FOREVER
        WAIT_MUTEX
        WAIT_RWMUTEX_R
        WAIT_RWMUTEX_W
        WAIT_WAIT_GROUP
        WAIT_COND
        WAIT_ONCE
        WAIT_POOL
        WAIT_SYNC
        WAIT_SEMAPHORE
        WAIT_FD_LOCK
        WAIT_NET_READ
        WAIT_NET_WRITE
        WAIT_ACCEPT
        WAIT_CONNECT
        WAIT_DNS
        WAIT_FILE
        WAIT_NETWORK
        WAIT_SLEEP
        WAIT_COROUTINE
        WAIT_SYNCTEST
        WAIT_SYSCALL
        WAIT_CGO
        WAIT_PROCESS
        WAIT_SIGNAL
        WAIT_PREEMPTED
        WAIT_DEBUG_CALL
        WAIT_STOP_THE_WORLD
        WAIT_PANIC
        WAIT_GC_ASSIST
        WAIT_GC_WAIT
        WAIT_GC_WEAK_TO_STRONG
        WAIT_GC_WORKER
        WAIT_GC_SWEEP
        WAIT_GC_SCAVENGE
        WAIT_GC_FORCE
        WAIT_FINALIZER
        WAIT_CLEANUP
        WAIT_TIMER
        WAIT_TRACE_READER
        WAIT_SYSTEM
        WAIT_UNKNOWN

    # Number of values in each dictionary.
    enum:
        KINDS_COUNT
        RESOURCES_COUNT
        STATES_COUNT
        WAKES_COUNT
        RANGE_CLASSES_COUNT
        OPS_COUNT
        OBJECTS_COUNT
        WAITS_COUNT
        REASONS_COUNT

    const unsigned char EVENT_ARGS[256]
    const char *const EVENT_NAMES[256]
