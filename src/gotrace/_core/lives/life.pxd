"""Life: what is known of a goroutine while it lives, and the map to find it by its id.

Ids of those that live are nearly always close to each other, so a life has its place by the low
bits of its id, in an array that grows with them; who finds it taken is in a hash. Records and open
regions are used again: memory is what was alive at once, however many have lived.
"""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from gotrace._core.decode.generation cimport NULL_ID, UNKNOWN_ID
from gotrace._core.lives.split cimport Shares, Split, split_free, split_reset
from gotrace._core.memory.idmap cimport (
    IdMap, idmap_bytes, idmap_clear, idmap_find, idmap_put, idmap_remove,
)

cdef enum:
    FEWEST_PLACES = 1 << 10
    LIVES_OF_A_BLOCK = 64


cdef struct OpenRegion:
    OpenRegion* next            # the one around it
    int64_t start_ns
    int64_t start_seq
    int64_t task
    int64_t stack_id
    int64_t name                # number of a text, where compatible with Go
    int32_t depth               # regions around it, but for an inherited one
    bint inherited              # Go's: a goroutine begins in the region of its creator
    Split before                # of the goroutine, when the region began


cdef struct Life:
    # What every change of its state touches.
    int64_t goroutine
    uint8_t state
    uint8_t state_open_start    # it was in that state before the trace began
    uint8_t is_young            # its name is not known, or it has not run
    uint8_t open_start          # it lived before the trace began
    uint8_t from_c              # a thread of C called it into being; its id may live again
    uint8_t is_over             # a row was queued; to Go, blocking forever is death
    int16_t reason
    int64_t since_ns
    int64_t stack_id
    int64_t block_before        # what it had waited when `block_reason` came up
    int64_t runs
    int32_t block_reason        # that it waited for last
    int32_t number              # of the life
    Split spent                 # up to `since_ns`; its `block` lacks the reason above
    int64_t name                # number of a text, NULL_ID for none
    int64_t first_run_ns        # 0: it has not run
    # What does not change, and what few have.
    int64_t start_ns
    int64_t start_seq
    int64_t parent
    int64_t creation_stack_id
    Shares open_ranges          # name of a range -> since when
    OpenRegion* regions         # the innermost first
    Life* next                  # of those that are not in use
    # Of a syscall: when it lost its proc (0: it has it), and which one Go thinks that is.
    int64_t lost_proc_ns
    int32_t syscall_proc
    # Of the open interval, for the table of them.
    int32_t proc
    int64_t since_seq           # and of the end
    int64_t thread
    int8_t by_kind
    int64_t by_goroutine
    int64_t by_stack_id
    int64_t waited_ns           # of the wait before it, if it was woken
    int64_t waited_stack_id


cdef struct LifeBlock:
    LifeBlock* next
    Life lives[LIVES_OF_A_BLOCK]


cdef struct LifeMap:
    Life** places               # by the low bits of the id; `nobody` for none
    uint64_t mask               # number of places - 1
    IdMap others                # whose place is taken
    int64_t alive
    Life* unused
    LifeBlock* blocks
    OpenRegion* unused_regions
    int64_t bytes               # of records and places, in use or not
    Life nobody


cdef inline bint _more_places(LifeMap* self, uint64_t count) noexcept nogil:
    """As many places as that, a power of two, and everyone put in again; False without memory."""
    cdef Life** before = self.places
    cdef IdMap others = self.others
    cdef uint64_t places = self.mask + 1 if before != NULL else 0
    cdef uint64_t i
    cdef bint fine = True
    self.places = <Life**>malloc(count * sizeof(Life*))
    if self.places == NULL:
        self.places = before
        return False
    self.bytes += <int64_t>((count - places) * sizeof(Life*))
    self.mask = count - 1
    self.others.slots = NULL
    self.others.mask = 0
    self.others.count = 0
    for i in range(count):
        self.places[i] = &self.nobody
    for i in range(places):
        if before[i] != &self.nobody:
            fine = _life_settle(self, before[i]) and fine
    for i in range(others.mask + 1 if others.slots != NULL else 0):
        if others.slots[i].value:
            fine = _life_settle(self, <Life*>others.slots[i].value) and fine
    free(before)
    idmap_clear(&others)
    return fine


cdef inline bint lifemap_init(LifeMap* self, uint64_t seed) noexcept nogil:
    """An empty map, of what was zeros or cleared; False without memory."""
    self.nobody.goroutine = UNKNOWN_ID
    self.others.seed = seed
    return _more_places(self, FEWEST_PLACES)


cdef inline bint _life_settle(LifeMap* self, Life* life) noexcept nogil:
    """Let it be found; False without memory."""
    cdef Life** place = &self.places[<uint64_t>life.goroutine & self.mask]
    cdef uint64_t* other
    cdef bint is_new
    if place[0] == &self.nobody:
        place[0] = life
        return True
    other = idmap_put(&self.others, <uint64_t>life.goroutine, &is_new)
    if other == NULL:
        return False
    other[0] = <uint64_t>life
    return True


cdef inline Life* _life_elsewhere(LifeMap* self, int64_t goroutine) noexcept nogil:
    """Who is not in its place; it takes it if it can."""
    cdef uint64_t* found
    cdef Life* life
    cdef Life** place
    if goroutine < 0 or self.others.count == 0:
        return NULL
    found = idmap_find(&self.others, <uint64_t>goroutine)
    if found == NULL:
        return NULL
    life = <Life*>found[0]
    place = &self.places[<uint64_t>goroutine & self.mask]
    if place[0] == &self.nobody:
        idmap_remove(&self.others, <uint64_t>goroutine)
        place[0] = life
    return life


cdef inline Life* life_find(LifeMap* self, int64_t goroutine) noexcept nogil:
    """Who lives under that id; NULL for nobody, and for no id."""
    cdef Life* near = self.places[<uint64_t>goroutine & self.mask]
    if near.goroutine == goroutine:
        return near
    return _life_elsewhere(self, goroutine)


cdef inline bint _life_block(LifeMap* self) noexcept nogil:
    """More records; False without memory."""
    cdef LifeBlock* block = <LifeBlock*>calloc(1, sizeof(LifeBlock))
    cdef int i
    if block == NULL:
        return False
    self.bytes += sizeof(LifeBlock)
    block.next = self.blocks
    self.blocks = block
    for i in range(LIVES_OF_A_BLOCK - 1, -1, -1):
        block.lives[i].next = self.unused
        self.unused = &block.lives[i]
    return True


cdef inline Life* life_begin(LifeMap* self, int64_t goroutine) noexcept nogil:
    """Let nobody but a new record live under that id; NULL without memory.

    When it begins and in what is the caller's to say.
    """
    cdef Life* life
    if self.unused == NULL and not _life_block(self):
        return NULL
    if 4 * self.others.count > self.mask and 2 * <uint64_t>self.alive > self.mask:
        if not _more_places(self, 2 * (self.mask + 1)):
            return NULL
    life = self.unused
    life.goroutine = goroutine
    if not _life_settle(self, life):
        return NULL
    self.unused = life.next
    self.alive += 1
    life.is_young = True
    life.open_start = False
    life.from_c = False
    life.is_over = False
    life.block_before = 0
    life.runs = 0
    life.block_reason = NULL_ID
    split_reset(&life.spent)
    life.name = NULL_ID
    life.first_run_ns = 0
    life.parent = NULL_ID
    life.creation_stack_id = NULL_ID
    life.open_ranges.count = 0
    life.regions = NULL
    life.lost_proc_ns = 0
    return life


cdef inline void life_forget(LifeMap* self, const Life* life) noexcept nogil:
    """Take a record out of the map; it stays as it is until `life_recycle`."""
    cdef Life** place = &self.places[<uint64_t>life.goroutine & self.mask]
    self.alive -= 1
    if place[0] == life:
        place[0] = &self.nobody
    else:
        idmap_remove(&self.others, <uint64_t>life.goroutine)


cdef inline OpenRegion* region_push(LifeMap* self, Life* life) noexcept nogil:
    """A new innermost region; NULL without memory."""
    cdef OpenRegion* region = self.unused_regions
    if region != NULL:
        self.unused_regions = region.next
    else:
        region = <OpenRegion*>calloc(1, sizeof(OpenRegion))
        if region == NULL:
            return NULL
        self.bytes += sizeof(OpenRegion)
    split_reset(&region.before)
    region.next = life.regions
    life.regions = region
    return region


cdef inline void region_drop(LifeMap* self, OpenRegion** link) noexcept nogil:
    """Take a region out of the list that `link` is in."""
    cdef OpenRegion* region = link[0]
    link[0] = region.next
    region.next = self.unused_regions
    self.unused_regions = region


cdef inline void life_recycle(LifeMap* self, Life* life) noexcept nogil:
    while life.regions != NULL:
        region_drop(self, &life.regions)
    life.next = self.unused
    self.unused = life


cdef inline int64_t lifemap_bytes(const LifeMap* self) noexcept nogil:
    return self.bytes + idmap_bytes(&self.others)


cdef inline void lifemap_clear(LifeMap* self) noexcept nogil:
    """Free everything, whoever lives."""
    cdef LifeBlock* block
    cdef OpenRegion* region
    cdef int j
    free(self.places)
    self.places = NULL
    self.mask = 0
    self.alive = 0
    idmap_clear(&self.others)
    while self.blocks != NULL:
        block = self.blocks
        self.blocks = block.next
        for j in range(LIVES_OF_A_BLOCK):
            while block.lives[j].regions != NULL:
                region_drop(self, &block.lives[j].regions)
            split_free(&block.lives[j].spent)
            free(block.lives[j].open_ranges.items)
        free(block)
    while self.unused_regions != NULL:
        region = self.unused_regions
        self.unused_regions = region.next
        split_free(&region.before)
        free(region)
    self.unused = NULL
    self.bytes = 0
