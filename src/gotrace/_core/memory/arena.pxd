"""Arena: the bytes of one generation, kept where they are until the generation is done.

Memory comes in blocks; nothing is freed one by one. Every block ends in slack bytes, so that a
reader may load a whole word at the last byte of a payload. Blocks are huge pages where the system
has them: touching fresh memory in small pages costs as much as decoding what lies in it.
"""

from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef extern from *:
    """
    #if defined(__linux__)
      #include <stdlib.h>
      #include <sys/mman.h>
      /* NULL or `size` bytes, in huge pages if it is a multiple of their size. */
      static void *gt_block_alloc(size_t size) {
          void *block = NULL;
          if (size % (2u << 20)) return malloc(size);
          if (posix_memalign(&block, 2u << 20, size)) return NULL;
          (void)madvise(block, size, MADV_HUGEPAGE);    /* advice: no is an answer */
          return block;
      }
    #else
      #define gt_block_alloc malloc
    #endif
    """
    void* block_alloc "gt_block_alloc"(size_t size) noexcept nogil

cdef enum:
    FIRST_BLOCK_BYTES = 1 << 16     # small generations stay small,
    BLOCK_BYTES = 1 << 22           # the blocks of large ones are this long
    SLACK_BYTES = 32


cdef struct Block:
    Block* next
    int64_t size
    int64_t used


# Long blocks that are in no arena, for the next one: the system would have to clear fresh ones.
cdef struct BlockCache:
    Block* blocks


cdef inline void block_cache_clear(BlockCache* self) noexcept nogil:
    cdef Block* following
    while self.blocks != NULL:
        following = self.blocks.next
        free(self.blocks)
        self.blocks = following


cdef struct Arena:
    Block* blocks               # the newest first
    BlockCache* cache           # where long ones come from and go to, or NULL
    int64_t bytes               # allocated from the system, slack included


cdef inline void arena_clear(Arena* arena) noexcept nogil:
    cdef Block* block = arena.blocks
    cdef Block* following
    cdef int64_t overhead = sizeof(Block) + SLACK_BYTES
    while block != NULL:
        following = block.next
        if arena.cache != NULL and block.size + overhead == BLOCK_BYTES:
            block.next = arena.cache.blocks
            arena.cache.blocks = block
        else:
            free(block)
        block = following
    arena.blocks = NULL
    arena.bytes = 0


cdef inline uint8_t* arena_alloc(Arena* arena, int64_t size) noexcept nogil:
    """`size` bytes aligned to 8; NULL when the system has none."""
    cdef Block* block = arena.blocks
    cdef int64_t room = (size + 7) & ~<int64_t>7
    cdef int64_t overhead = sizeof(Block) + SLACK_BYTES
    cdef int64_t whole
    if block == NULL or block.size - block.used < room:
        whole = FIRST_BLOCK_BYTES if arena.bytes < 4 * FIRST_BLOCK_BYTES else BLOCK_BYTES
        if room + overhead > whole:
            whole = room + overhead
        if whole == BLOCK_BYTES and arena.cache != NULL and arena.cache.blocks != NULL:
            block = arena.cache.blocks
            arena.cache.blocks = block.next
        else:
            block = <Block*>block_alloc(whole)
        if block == NULL:
            return NULL
        block.size = whole - overhead
        block.used = 0
        block.next = arena.blocks
        arena.blocks = block
        arena.bytes += whole
    block.used += room
    return <uint8_t*>(block + 1) + block.used - room


cdef inline uint8_t* arena_copy(Arena* arena, const void* source, int64_t size) noexcept nogil:
    cdef uint8_t* copy = arena_alloc(arena, size)
    if copy != NULL:
        memcpy(copy, source, size)
    return copy
