"""What the order knows of goroutines, procs, threads, and of intervals that are open.

A goroutine id is nearly always close to others that live (a P hands them out in blocks of 16), so
goroutines lie in pages of 32 neighbours. Pages are found through a small cache, then a hash.
Pages stay where they are: threads point into them.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from gotrace._core.decode.generation cimport NULL_ID, Text
from gotrace._core.memory.idmap cimport (
    IdMap, IdSlot, idmap_clear, idmap_find, idmap_put, idmap_remove,
)

cdef enum:
    UNKNOWN = 0                 # a goroutine that does not exist (any more)
    STATUS_BAD = 5              # the wire's status 0, which Go's reader lets pass
    PAGE_BITS = 5
    PAGE_SIZE = 1 << PAGE_BITS
    CACHE_SIZE = 1 << 10
    PAGES_OF_A_SWEEP = 64
    SHORT_NAME = 40
    NEVER_BEGAN = 255           # an interval whose begin was taken back


cdef struct Interval:
    Interval* next              # the range before it on the resource, the region around it
    uint8_t what                # KIND_RANGE_BEGIN, KIND_REGION_BEGIN, KIND_TASK_BEGIN; NEVER_BEGAN
    uint8_t range_class
    bint open_start
    int32_t depth
    int64_t start_ns
    int64_t start_seq
    int64_t stack_id
    int64_t goroutine           # that began it
    int64_t resource_id
    uint64_t task               # as on the wire
    int64_t parent_task
    Text name                   # a copy of its own, in `short_name` if it fits
    char short_name[SHORT_NAME]


cdef struct Goroutine:
    uint64_t sequence           # within generation `sequence_of`
    uint64_t sequence_of
    int64_t id
    Interval* regions           # the innermost first
    Interval* ranges
    uint8_t status              # WIRE_GO_*, or UNKNOWN


cdef struct Page:
    uint64_t number             # id >> PAGE_BITS
    int32_t alive
    bint is_candidate           # listed to be freed at the end of the generation
    Page* next_candidate
    Goroutine goroutines[PAGE_SIZE]


cdef struct PageCacheLine:
    uint64_t number
    Page* page


cdef struct Goroutines:
    IdMap pages
    Page* candidates
    uint64_t n_candidates
    int64_t count               # of pages
    PageCacheLine cache[CACHE_SIZE]


cdef struct Proc:
    uint64_t sequence
    uint64_t sequence_of
    int64_t id
    Interval* ranges
    Thread* holder              # the thread that was bound to it last, a hint
    uint8_t status              # WIRE_PROC_*


cdef struct Thread:
    int64_t id                  # NULL_ID: the pseudo-thread of tables and final statuses
    Goroutine* goroutine        # that it runs, NULL for none
    Proc* proc
    bint seen                   # an event of it was attempted, or a status named it
    int64_t goroutine_id        # the same as ids, which every row needs
    int32_t proc_id


# --- goroutines ---------------------------------------------------------------------------------

cdef inline Goroutine* goroutine_find(Goroutines* self, uint64_t id) noexcept nogil:
    """The place of a goroutine, or NULL; it need not exist (status UNKNOWN)."""
    cdef uint64_t number = id >> PAGE_BITS
    cdef PageCacheLine* line = &self.cache[number & (CACHE_SIZE - 1)]
    cdef uint64_t* found
    if line.page == NULL or line.number != number:
        found = idmap_find(&self.pages, number)
        if found == NULL:
            return NULL
        line.number = number
        line.page = <Page*>found[0]
    return &line.page.goroutines[id & (PAGE_SIZE - 1)]


cdef inline Page* page_of(Goroutine* goroutine) noexcept nogil:
    cdef Goroutine* first = goroutine - (goroutine.id & (PAGE_SIZE - 1))
    return <Page*>(<char*>first - (sizeof(Page) - PAGE_SIZE * sizeof(Goroutine)))


cdef inline Goroutine* goroutine_create(
    Goroutines* self, uint64_t id, uint8_t status, uint64_t generation
) noexcept nogil:
    """Let a goroutine begin to exist; NULL without memory."""
    cdef Goroutine* goroutine = goroutine_find(self, id)
    cdef uint64_t* place
    cdef Page* page
    cdef bint is_new
    cdef int i
    if goroutine == NULL:
        place = idmap_put(&self.pages, id >> PAGE_BITS, &is_new)
        page = <Page*>calloc(1, sizeof(Page))
        if place == NULL or page == NULL:
            free(page)
            return NULL
        page.number = id >> PAGE_BITS
        for i in range(PAGE_SIZE):
            page.goroutines[i].id = <int64_t>((page.number << PAGE_BITS) + i)
        place[0] = <uint64_t>page
        self.count += 1
        goroutine = &page.goroutines[id & (PAGE_SIZE - 1)]
    page_of(goroutine).alive += 1
    goroutine.status = status
    goroutine.sequence = 0
    goroutine.sequence_of = generation
    return goroutine


cdef inline void goroutine_end(Goroutines* self, Goroutine* goroutine) noexcept nogil:
    """Let a goroutine cease to exist; the place stays until `goroutines_sweep`."""
    cdef Page* page = page_of(goroutine)
    goroutine.status = UNKNOWN
    page.alive -= 1
    if page.alive == 0 and not page.is_candidate:
        page.is_candidate = True
        page.next_candidate = self.candidates
        self.candidates = page
        self.n_candidates += 1


cdef inline void goroutines_sweep(Goroutines* self, const IdMap* threads) noexcept nogil:
    """Free pages that nobody lives in and no thread points into. Between generations only.

    Not before there are some for the threads that have to be looked at.
    """
    cdef Page* page = self.candidates
    cdef Page* following
    cdef Page* kept = NULL
    cdef Thread* thread
    cdef uint64_t i
    if page == NULL or self.n_candidates * PAGES_OF_A_SWEEP < threads.mask:
        return
    self.n_candidates = 0
    if threads.slots != NULL:
        for i in range(threads.mask + 1):
            thread = <Thread*>threads.slots[i].value
            if thread != NULL and thread.goroutine != NULL:
                page_of(thread.goroutine).is_candidate = False
    while page != NULL:
        following = page.next_candidate
        if not page.is_candidate:           # a thread is bound to a goroutine that has ended
            page.is_candidate = True
            page.next_candidate = kept
            kept = page
            self.n_candidates += 1
        elif page.alive:
            page.is_candidate = False
        else:
            idmap_remove(&self.pages, page.number)
            self.count -= 1
            free(page)
        page = following
    self.candidates = kept
    memset(self.cache, 0, sizeof(self.cache))


cdef inline void goroutines_clear(Goroutines* self) noexcept nogil:
    cdef uint64_t i
    if self.pages.slots != NULL:
        for i in range(self.pages.mask + 1):
            if self.pages.slots[i].value != 0:
                free(<Page*>self.pages.slots[i].value)
    idmap_clear(&self.pages)
    self.candidates = NULL
    self.n_candidates = 0
    self.count = 0
    memset(self.cache, 0, sizeof(self.cache))


# --- intervals ----------------------------------------------------------------------------------

# Intervals that are not in use: user regions come and go by the million.
cdef struct IntervalPool:
    Interval* free
    int64_t name_bytes          # of names that are too long for the interval
    int64_t made                # in all, in use or not


cdef inline void interval_free(IntervalPool* pool, Interval* self) noexcept nogil:
    """Give an interval back (NULL is none)."""
    if self == NULL:
        return
    if self.name.data != self.short_name:
        pool.name_bytes -= self.name.length
        free(<void*>self.name.data)
    self.next = pool.free
    pool.free = self


cdef inline Interval* interval_new(
    IntervalPool* pool, uint8_t what, const Text* name
) noexcept nogil:
    """An interval with a copy of its name and no value anywhere; NULL without memory."""
    cdef Interval* self = pool.free
    cdef char* copy
    if self != NULL:
        pool.free = self.next
    else:
        self = <Interval*>malloc(sizeof(Interval))
        if self == NULL:
            return NULL
        pool.made += 1
    copy = self.short_name
    if name.length > SHORT_NAME:
        copy = <char*>malloc(name.length)
        if copy == NULL:
            free(self)
            return NULL
        pool.name_bytes += name.length
    memcpy(copy, name.data, name.length)
    self.name.data = copy
    self.name.length = name.length
    self.next = NULL
    self.what = what
    self.range_class = 0
    self.open_start = False
    self.depth = 0
    self.start_ns = 0
    self.start_seq = 0
    self.task = 0
    self.stack_id = NULL_ID
    self.goroutine = NULL_ID
    self.resource_id = NULL_ID
    self.parent_task = NULL_ID
    return self


cdef inline Interval* intervals_reversed(Interval* first) noexcept nogil:
    """A chain of intervals the other way around: the oldest first."""
    cdef Interval* turned = NULL
    cdef Interval* next
    while first != NULL:
        next = first.next
        first.next = turned
        turned = first
        first = next
    return turned


cdef inline void intervals_clear(IntervalPool* pool) noexcept nogil:
    cdef Interval* following
    while pool.free != NULL:
        following = pool.free.next
        free(pool.free)
        pool.free = following
