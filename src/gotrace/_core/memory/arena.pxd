"""Arena: the bytes of one generation, kept where they are until the generation is done.

Memory comes in blocks; nothing is freed one by one. Every block ends in slack bytes, so that a
reader may load a whole word at the last byte of a payload.
"""

from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef enum:
    BLOCK_BYTES = 1 << 20
    SLACK_BYTES = 32


cdef struct Block:
    Block* next
    int64_t size
    int64_t used


cdef struct Arena:
    Block* blocks               # the newest first
    int64_t bytes               # allocated from the system, slack included


cdef inline void arena_clear(Arena* arena) noexcept nogil:
    cdef Block* block = arena.blocks
    cdef Block* following
    while block != NULL:
        following = block.next
        free(block)
        block = following
    arena.blocks = NULL
    arena.bytes = 0


cdef inline uint8_t* arena_alloc(Arena* arena, int64_t size) noexcept nogil:
    """`size` bytes aligned to 8; NULL when the system has none."""
    cdef Block* block = arena.blocks
    cdef int64_t room = (size + 7) & ~<int64_t>7
    cdef int64_t wanted
    if block == NULL or block.size - block.used < room:
        wanted = room if room > BLOCK_BYTES else BLOCK_BYTES
        block = <Block*>malloc(sizeof(Block) + wanted + SLACK_BYTES)
        if block == NULL:
            return NULL
        block.size = wanted
        block.used = 0
        block.next = arena.blocks
        arena.blocks = block
        arena.bytes += sizeof(Block) + wanted + SLACK_BYTES
    block.used += room
    return <uint8_t*>(block + 1) + block.used - room


cdef inline uint8_t* arena_copy(Arena* arena, const void* source, int64_t size) noexcept nogil:
    cdef uint8_t* copy = arena_alloc(arena, size)
    if copy != NULL:
        memcpy(copy, source, size)
    return copy
