"""IdMap: 64-bit id -> 64-bit value, open addressing.

Ids come from strangers, so the hash is keyed with a seed that no input knows: nobody can choose
ids that collide.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

cdef enum:
    SMALLEST_MAP = 16


cdef struct IdSlot:
    uint64_t id
    uint64_t value              # 0 marks an empty slot, so values are never 0


cdef struct IdMap:
    IdSlot* slots
    uint64_t mask               # number of slots - 1
    uint64_t count
    uint64_t seed


cdef inline uint64_t mix(uint64_t x) noexcept nogil:
    """Murmur3's finalizer: every bit of the id reaches every bit of the slot number."""
    x ^= x >> 33
    x *= <uint64_t>0xFF51AFD7ED558CCD
    x ^= x >> 33
    x *= <uint64_t>0xC4CEB9FE1A85EC53
    return x ^ (x >> 33)


cdef inline uint64_t* idmap_find(const IdMap* self, uint64_t id) noexcept nogil:
    """The place of the value, or NULL."""
    cdef uint64_t i
    if self.slots == NULL:
        return NULL
    i = mix(id ^ self.seed) & self.mask
    while self.slots[i].value != 0:
        if self.slots[i].id == id:
            return &self.slots[i].value
        i = (i + 1) & self.mask
    return NULL


cdef inline bint _grow(IdMap* self) noexcept nogil:
    cdef uint64_t old_count = self.mask + 1 if self.slots != NULL else 0
    cdef uint64_t new_count = old_count * 2 if old_count else SMALLEST_MAP
    cdef IdSlot* old = self.slots
    cdef IdSlot* new = <IdSlot*>calloc(new_count, sizeof(IdSlot))
    cdef uint64_t i, j
    if new == NULL:
        return False
    self.slots = new
    self.mask = new_count - 1
    for i in range(old_count):
        if old[i].value != 0:
            j = mix(old[i].id ^ self.seed) & self.mask
            while new[j].value != 0:
                j = (j + 1) & self.mask
            new[j] = old[i]
    free(old)
    return True


cdef inline uint64_t* idmap_put(IdMap* self, uint64_t id, bint* is_new) noexcept nogil:
    """The place of the value of `id`; a new one is 0 and must be set. NULL without memory."""
    cdef uint64_t i
    cdef uint64_t* found = idmap_find(self, id)
    is_new[0] = found == NULL
    if found != NULL:
        return found
    if self.slots == NULL or (self.count + 1) * 4 > (self.mask + 1) * 3:
        if not _grow(self):
            return NULL
    i = mix(id ^ self.seed) & self.mask
    while self.slots[i].value != 0:
        i = (i + 1) & self.mask
    self.slots[i].id = id
    self.count += 1
    return &self.slots[i].value


cdef inline bint idmap_count(IdMap* self, uint64_t id) noexcept nogil:
    """Add 1 to the value of `id`, which is 0 at first; False without memory."""
    cdef bint is_new
    cdef uint64_t* place = idmap_put(self, id, &is_new)
    if place == NULL:
        return False
    place[0] += 1
    return True


cdef inline void idmap_remove(IdMap* self, uint64_t id) noexcept nogil:
    """Forget an id; the slots behind it move up, so no tombstones pile up."""
    cdef uint64_t* found = idmap_find(self, id)
    cdef uint64_t hole, i, home
    if found == NULL:
        return
    hole = (<IdSlot*>(<char*>found - sizeof(uint64_t))) - self.slots
    i = hole
    while True:
        i = (i + 1) & self.mask
        if self.slots[i].value == 0:
            break
        home = mix(self.slots[i].id ^ self.seed) & self.mask
        if ((i - home) & self.mask) >= ((i - hole) & self.mask):
            self.slots[hole] = self.slots[i]
            hole = i
    self.slots[hole].value = 0
    self.count -= 1


cdef inline int64_t idmap_bytes(const IdMap* self) noexcept nogil:
    return <int64_t>((self.mask + 1) * sizeof(IdSlot)) if self.slots != NULL else 0


cdef inline void idmap_clear(IdMap* self) noexcept nogil:
    free(self.slots)
    self.slots = NULL
    self.mask = 0
    self.count = 0
