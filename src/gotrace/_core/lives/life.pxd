"""Life: what is known of a goroutine while it lives, and the map to find it by its id.

Ids of those that live are nearly always close to each other, so the map has pages of 32 pointers,
behind a small cache. Records, pages and open regions are used again: memory is what was alive at
once, however many have lived.
"""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from gotrace._core.decode.generation cimport NULL_ID, UNKNOWN_ID
from gotrace._core.lives.split cimport SPLIT_STATES, Shares, Split, split_free, split_reset
from gotrace._core.memory.idmap cimport (
    IdMap, idmap_bytes, idmap_clear, idmap_find, idmap_put, idmap_remove,
)

cdef enum:
    LIFE_PAGE_BITS = 5
    LIFE_PAGE_SIZE = 1 << LIFE_PAGE_BITS
    LIFE_CACHE_SIZE = 1 << 10
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
    Split spent                 # up to `since_ns`; its `block` lacks the reason below
    int64_t entered[SPLIT_STATES]   # how often each state
    int32_t block_reason        # that it waited for last, and
    int64_t block_before        # the time it had waited when that came up
    int32_t number              # of the life
    int64_t name                # number of a text, NULL_ID for none
    int64_t first_run_ns        # 0: it has not run
    int64_t since_seq           # where the intervals are wanted, and of the end
    # Of a syscall: when it lost its proc (0: it has it), and which one Go thinks that is.
    int64_t lost_proc_ns
    int32_t syscall_proc
    # Of the open interval, for the table of them.
    int32_t proc
    int64_t thread
    int8_t by_kind
    int64_t by_goroutine
    int64_t by_stack_id
    int64_t waited_ns           # of the wait before it, if it was woken
    int64_t waited_stack_id
    # What does not change, and what few have.
    int64_t start_ns
    int64_t start_seq
    int64_t parent
    int64_t creation_stack_id
    Shares open_ranges          # name of a range -> since when
    OpenRegion* regions         # the innermost first
    Life* next                  # of those that are not in use


cdef struct LifePage:
    LifePage* next              # of those not in use
    uint64_t number             # id >> LIFE_PAGE_BITS
    int32_t alive
    Life* lives[LIFE_PAGE_SIZE]


cdef struct LifeBlock:
    LifeBlock* next
    Life lives[LIVES_OF_A_BLOCK]


cdef struct LifeMap:
    IdMap pages
    LifePage* unused_pages
    Life* unused
    LifeBlock* blocks
    OpenRegion* unused_regions
    int64_t bytes               # of records in all, in use or not
    Life* cache[LIFE_CACHE_SIZE]    # by the low bits of the id; `nobody` for none
    Life nobody


cdef inline void lifemap_forget_near(LifeMap* self) noexcept nogil:
    """The state of the cache at the beginning."""
    cdef int i
    self.nobody.goroutine = UNKNOWN_ID
    for i in range(LIFE_CACHE_SIZE):
        self.cache[i] = &self.nobody


cdef inline LifePage* _life_page(const LifeMap* self, uint64_t number) noexcept nogil:
    cdef uint64_t* found = idmap_find(&self.pages, number)
    return <LifePage*>found[0] if found != NULL else NULL


cdef inline Life* _life_look_up(LifeMap* self, int64_t goroutine) noexcept nogil:
    cdef LifePage* page
    cdef Life* life
    if goroutine < 0:
        return NULL
    page = _life_page(self, <uint64_t>goroutine >> LIFE_PAGE_BITS)
    life = page.lives[goroutine & (LIFE_PAGE_SIZE - 1)] if page != NULL else NULL
    if life != NULL:
        self.cache[goroutine & (LIFE_CACHE_SIZE - 1)] = life
    return life


cdef inline Life* life_find(LifeMap* self, int64_t goroutine) noexcept nogil:
    """Who lives under that id; NULL for nobody, and for no id."""
    cdef Life* near = self.cache[goroutine & (LIFE_CACHE_SIZE - 1)]
    if near.goroutine == goroutine:
        return near
    return _life_look_up(self, goroutine)


cdef inline Life* _life_new(LifeMap* self) noexcept nogil:
    """A record that is not in use; only its lists have room from before."""
    cdef Life* life = self.unused
    cdef LifeBlock* block
    cdef int i
    if life == NULL:
        block = <LifeBlock*>calloc(1, sizeof(LifeBlock))
        if block == NULL:
            return NULL
        self.bytes += sizeof(LifeBlock)
        block.next = self.blocks
        self.blocks = block
        for i in range(LIVES_OF_A_BLOCK - 1, -1, -1):
            block.lives[i].next = self.unused
            self.unused = &block.lives[i]
        life = self.unused
    self.unused = life.next
    return life


cdef inline Life* life_begin(LifeMap* self, int64_t goroutine) noexcept nogil:
    """Let nobody but a new record live under that id; NULL without memory."""
    cdef uint64_t number = <uint64_t>goroutine >> LIFE_PAGE_BITS
    cdef LifePage* page = _life_page(self, number)
    cdef uint64_t* place
    cdef bint is_new
    cdef Life* life = _life_new(self)
    if life == NULL:
        return NULL
    if page == NULL:
        page = self.unused_pages
        if page != NULL:
            self.unused_pages = page.next
        else:
            page = <LifePage*>calloc(1, sizeof(LifePage))
            self.bytes += sizeof(LifePage)
        place = idmap_put(&self.pages, number, &is_new)
        if place == NULL or page == NULL:
            free(page)
            return NULL
        page.number = number
        place[0] = <uint64_t>page
    page.lives[goroutine & (LIFE_PAGE_SIZE - 1)] = life
    page.alive += 1
    self.cache[goroutine & (LIFE_CACHE_SIZE - 1)] = life
    life.goroutine = goroutine
    life.state = 0
    life.is_young = True
    life.from_c = False
    life.is_over = False
    life.since_ns = 0
    memset(life.entered, 0, sizeof(life.entered))
    life.block_reason = NULL_ID
    life.block_before = 0
    life.name = NULL_ID
    life.first_run_ns = 0
    life.lost_proc_ns = 0
    life.parent = NULL_ID
    life.creation_stack_id = NULL_ID
    life.open_ranges.count = 0
    life.regions = NULL
    split_reset(&life.spent)
    return life


cdef inline void life_forget(LifeMap* self, int64_t goroutine) noexcept nogil:
    """Take a record out of the map; it stays as it is until `life_recycle`."""
    cdef uint64_t number = <uint64_t>goroutine >> LIFE_PAGE_BITS
    cdef LifePage* page = _life_page(self, number)
    cdef Life** near = &self.cache[goroutine & (LIFE_CACHE_SIZE - 1)]
    if near[0] == page.lives[goroutine & (LIFE_PAGE_SIZE - 1)]:
        near[0] = &self.nobody
    page.lives[goroutine & (LIFE_PAGE_SIZE - 1)] = NULL
    page.alive -= 1
    if page.alive == 0:
        idmap_remove(&self.pages, number)
        page.next = self.unused_pages
        self.unused_pages = page


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
    return self.bytes + idmap_bytes(&self.pages)


cdef inline void lifemap_clear(LifeMap* self) noexcept nogil:
    """Free everything, whoever lives."""
    cdef LifeBlock* block
    cdef LifePage* page
    cdef OpenRegion* region
    cdef uint64_t i
    cdef int j
    if self.pages.slots != NULL:
        for i in range(self.pages.mask + 1):
            free(<void*>self.pages.slots[i].value)
    idmap_clear(&self.pages)
    while self.unused_pages != NULL:
        page = self.unused_pages
        self.unused_pages = page.next
        free(page)
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
    lifemap_forget_near(self)
