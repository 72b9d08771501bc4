"""TextTable: equal texts, one number. Hits are verified by content."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy

from gotrace._core.decode.generation cimport Text
from gotrace._core.memory.arena cimport Arena, arena_clear, arena_copy
from gotrace._core.memory.idmap cimport IdMap, idmap_clear, idmap_find, idmap_put, idmap_remove, mix
from gotrace._core.memory.vector cimport reserve


cdef struct TextTable:
    Text* texts
    int64_t count
    int64_t room
    IdMap by_hash               # number + 1
    Arena arena


cdef inline uint64_t text_hash(const char* data, int64_t length, uint64_t seed) noexcept nogil:
    cdef uint64_t hash = seed ^ <uint64_t>length
    cdef uint64_t word
    cdef int64_t i = 0
    while length - i >= 8:
        memcpy(&word, data + i, 8)
        hash = mix(hash ^ word)
        i += 8
    word = 0
    memcpy(&word, data + i, length - i)
    return mix(hash ^ word)


cdef inline int64_t text_number(TextTable* self, const char* data, int64_t length) noexcept nogil:
    """The number of a text, the next one if it is new; -1 without memory."""
    cdef uint64_t hash = text_hash(data, length, self.by_hash.seed)
    cdef uint64_t* place
    cdef const Text* known
    cdef bint is_new
    if not reserve(<void**>&self.texts, &self.room, self.count + 1, sizeof(Text)):
        return -1
    while True:
        place = idmap_put(&self.by_hash, hash, &is_new)
        if place == NULL:
            return -1
        if is_new:
            break
        known = &self.texts[place[0] - 1]
        if known.length == length and memcmp(known.data, data, length) == 0:
            return <int64_t>place[0] - 1
        hash += 1                           # two texts with one hash: look next door
    place[0] = <uint64_t>self.count + 1
    self.texts[self.count].data = <const char*>arena_copy(&self.arena, data, length)
    self.texts[self.count].length = length
    if self.texts[self.count].data == NULL:
        idmap_remove(&self.by_hash, hash)
        return -1
    self.count += 1
    return self.count - 1


cdef inline void texts_clear(TextTable* self) noexcept nogil:
    free(self.texts)
    self.texts = NULL
    self.count = 0
    self.room = 0
    idmap_clear(&self.by_hash)
    arena_clear(&self.arena)
