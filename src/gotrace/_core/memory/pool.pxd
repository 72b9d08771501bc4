"""BufferPool: aligned memory that goes out with Arrow batches and comes back.

Fresh pages cost more than decoding, so a buffer that a consumer has released is handed out
again. A pool is shared by one decoder and every batch it exported: batches are released on any
thread, with or without the GIL, often after the decoder is gone, hence the reference count and
the lock. What lies in the pool unused is bounded; beyond that memory goes back to the system.
"""

from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport free, malloc

from gotrace._core.memory.atomics cimport atomic_add, gt_atomic, spin_lock, unlock

cdef enum:
    POOL_CLASSES = 40           # powers of two; 2**39 bytes is beyond every limit
    SMALLEST_CLASS = 8          # 256 bytes
    ALIGNMENT = 64              # what Arrow recommends
    HEADER_BYTES = 64           # keeps the payload aligned
    STAGGER = 16                # columns are written side by side: their addresses differ in
    STAGGER_BYTES = 320         # the low bits, or they would fight for one set of the cache


cdef struct BufferHeader:
    BufferHeader* next          # in the free list
    void* allocation            # what malloc gave
    int64_t capacity            # bytes a user may write
    int size_class


cdef struct BufferPool:
    gt_atomic references
    gt_atomic lock
    int64_t idle_bytes
    int64_t idle_limit
    gt_atomic busy              # buffers handed out
    gt_atomic made              # buffers made so far
    BufferHeader* free_lists[POOL_CLASSES]


cdef inline BufferPool* pool_new(int64_t idle_limit) noexcept nogil:
    cdef BufferPool* pool = <BufferPool*>malloc(sizeof(BufferPool))
    cdef int i
    if pool == NULL:
        return NULL
    pool.references = 1
    pool.lock = 0
    pool.idle_bytes = 0
    pool.idle_limit = idle_limit
    pool.busy = 0
    pool.made = 0
    for i in range(POOL_CLASSES):
        pool.free_lists[i] = NULL
    return pool


cdef inline void pool_unref(BufferPool* pool) noexcept nogil:
    """Drop one reference; the last one frees what is idle and the pool itself."""
    cdef BufferHeader* header
    cdef BufferHeader* following
    cdef int i
    if pool == NULL or atomic_add(&pool.references, -1) > 0:
        return
    for i in range(POOL_CLASSES):
        header = pool.free_lists[i]
        while header != NULL:
            following = header.next
            free(header.allocation)
            header = following
    free(pool)


cdef inline BufferHeader* header_of(void* buffer) noexcept nogil:
    return <BufferHeader*>(<uint8_t*>buffer - HEADER_BYTES)


cdef inline int64_t buffer_capacity(void* buffer) noexcept nogil:
    return header_of(buffer).capacity if buffer != NULL else 0


cdef inline void* pool_take(BufferPool* pool, int64_t size) noexcept nogil:
    """A buffer of at least `size` bytes, 64-byte aligned, its content undefined; NULL if none."""
    cdef int size_class = SMALLEST_CLASS
    cdef BufferHeader* header
    cdef void* allocation
    cdef size_t payload, overhead
    while (<int64_t>1 << size_class) < size:
        size_class += 1
        if size_class >= POOL_CLASSES:
            return NULL
    spin_lock(&pool.lock)
    header = pool.free_lists[size_class]
    if header != NULL:
        pool.free_lists[size_class] = header.next
        pool.idle_bytes -= header.capacity
    unlock(&pool.lock)
    if header == NULL:
        overhead = <size_t>(atomic_add(&pool.made, 1) % STAGGER) * STAGGER_BYTES
        overhead += HEADER_BYTES + ALIGNMENT
        allocation = malloc((<size_t>1 << size_class) + overhead)
        if allocation == NULL:
            return NULL
        payload = (<size_t>allocation + overhead - 1) & ~<size_t>(ALIGNMENT - 1)
        header = header_of(<void*>payload)
        header.allocation = allocation
        header.capacity = <int64_t>1 << size_class
        header.size_class = size_class
    header.next = NULL
    atomic_add(&pool.busy, 1)
    return <uint8_t*>header + HEADER_BYTES


cdef inline void pool_give(BufferPool* pool, void* buffer) noexcept nogil:
    """Take a buffer back, to be handed out again or freed."""
    cdef BufferHeader* header
    cdef bint keep
    if buffer == NULL:
        return
    header = header_of(buffer)
    atomic_add(&pool.busy, -1)
    spin_lock(&pool.lock)
    keep = pool.idle_bytes + header.capacity <= pool.idle_limit
    if keep:
        header.next = pool.free_lists[header.size_class]
        pool.free_lists[header.size_class] = header
        pool.idle_bytes += header.capacity
    unlock(&pool.lock)
    if not keep:
        free(header.allocation)
