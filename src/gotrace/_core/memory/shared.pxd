"""SharedBlock: read-only bytes that many Arrow arrays refer to.

Zeros stand for every column that has no value in a batch; words are the values of a dictionary.
Both outlive the decoder for as long as a consumer holds a batch.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free

from gotrace._core.memory.atomics cimport atomic_add, gt_atomic


cdef struct SharedBlock:
    gt_atomic references
    int64_t bytes
    int64_t count               # words only: how many
    int32_t* offsets            # words only: count + 1 of them
    uint8_t* data


cdef inline SharedBlock* shared_new(int64_t data_bytes, int64_t count) noexcept nogil:
    """A zeroed block with one reference and, for words, room for their offsets."""
    cdef int64_t head = (sizeof(SharedBlock) + 63) // 64 * 64
    cdef int64_t offset_bytes = ((count + 1) * sizeof(int32_t) + 63) // 64 * 64
    cdef SharedBlock* block = <SharedBlock*>calloc(1, head + offset_bytes + data_bytes + 64)
    if block == NULL:
        return NULL
    block.references = 1
    block.bytes = data_bytes
    block.count = count
    block.offsets = <int32_t*>(<uint8_t*>block + head)
    block.data = <uint8_t*>block + head + offset_bytes
    return block


cdef inline SharedBlock* shared_ref(SharedBlock* block) noexcept nogil:
    atomic_add(&block.references, 1)
    return block


cdef inline void shared_unref(SharedBlock* block) noexcept nogil:
    if block != NULL and atomic_add(&block.references, -1) == 0:
        free(block)
