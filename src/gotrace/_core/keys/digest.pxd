"""Digest: messages to keys, the first 63 bits of their SHA-256.

Messages are laid down one after the other, each with the place that its key goes to. They are
hashed two at a time, so `end_digests` must come before the keys are read.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from gotrace._core.memory.vector cimport reserve

cdef extern from "gotrace/_core/memory/sha256.h" nogil:
    int sha_quick "gt_sha_quick"()
    void sha_two "gt_sha_two"(
        int quick, const uint8_t* a, int64_t a_blocks, const uint8_t* b, int64_t b_blocks,
        uint64_t* digests,
    )

cdef enum:
    BLOCK = 64
    LONGEST_END = BLOCK + 9     # of a message: a byte, zeros, its length


cdef struct Message:
    uint8_t* bytes
    int64_t room
    int64_t size
    int64_t* key                # where it goes


cdef struct Digest:
    Message messages[2]
    int at                      # the message that is being laid down
    int quick
    bint failed                 # no memory


cdef inline void begin_digests(Digest* self) noexcept nogil:
    memset(self, 0, sizeof(Digest))
    self.quick = sha_quick()


cdef inline void put_bytes(Digest* self, const void* data, int64_t size) noexcept nogil:
    cdef Message* message = &self.messages[self.at]
    if not reserve(
        <void**>&message.bytes, &message.room, message.size + size + LONGEST_END, 1
    ):
        self.failed = True
        return
    if size:
        memcpy(message.bytes + message.size, data, size)
    message.size += size


cdef inline void put_word(Digest* self, uint64_t word, int size) noexcept nogil:
    """The low `size` bytes of a number, little-endian."""
    cdef uint8_t bytes[8]
    cdef int i
    for i in range(8):
        bytes[i] = <uint8_t>(word >> (8 * i))
    put_bytes(self, bytes, size)


cdef inline void put_string(Digest* self, const void* data, int64_t size) noexcept nogil:
    """A text: its length and its bytes."""
    put_word(self, <uint64_t>size, 4)
    put_bytes(self, data, size)


cdef inline int64_t message_size(const Digest* self) noexcept nogil:
    """Bytes of the message that is being laid down."""
    return self.messages[self.at].size


cdef inline int64_t _padded(Message* self) noexcept nogil:
    """Close a message as SHA-256 wants it; its blocks."""
    cdef int64_t blocks = (self.size + 9 + BLOCK - 1) // BLOCK
    cdef uint64_t bits = <uint64_t>self.size * 8
    cdef int i
    memset(self.bytes + self.size, 0, blocks * BLOCK - self.size)
    self.bytes[self.size] = 0x80
    for i in range(8):
        self.bytes[blocks * BLOCK - 1 - i] = <uint8_t>(bits >> (8 * i))
    return blocks


cdef inline int64_t _key(uint64_t digest) noexcept nogil:
    cdef int64_t key = <int64_t>(digest & ~(<uint64_t>1 << 63))
    return key if key else 1


cdef inline void _run(Digest* self, int count) noexcept nogil:
    cdef int64_t blocks[2]
    cdef uint64_t digests[2]
    cdef int i
    if self.failed:
        return
    blocks[1] = 0
    for i in range(count):
        blocks[i] = _padded(&self.messages[i])
    sha_two(
        self.quick, self.messages[0].bytes, blocks[0], self.messages[1].bytes, blocks[1], digests
    )
    for i in range(count):
        self.messages[i].key[0] = _key(digests[i])
        self.messages[i].size = 0


cdef inline void end_message(Digest* self, int64_t* key) noexcept nogil:
    """The message at hand is complete, and not empty."""
    self.messages[self.at].key = key
    self.at += 1
    if self.at == 2:
        _run(self, 2)
        self.at = 0


cdef inline bint end_digests(Digest* self) noexcept nogil:
    """Hash what is left and free the memory; False if there was too little of it."""
    cdef int i
    if self.at:
        _run(self, 1)
    for i in range(2):
        free(self.messages[i].bytes)
    return not self.failed
