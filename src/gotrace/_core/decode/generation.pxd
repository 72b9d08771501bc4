"""Generation: about a second of trace, self-contained, as plain data.

The framer fills the lists of batches, the tables stage the strings, stacks, samples and clock.
It holds no cursor and no parse state, so generations can be worked on at the same time.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free

from gotrace._core.memory.arena cimport Arena, BlockCache, arena_clear
from gotrace._core.memory.idmap cimport IdMap, idmap_clear, idmap_find

cdef extern from *:
    """
    #define GT_NO_ID UINT64_MAX
    """
    const uint64_t NO_ID "GT_NO_ID"     # on the wire: no thread, no proc, no goroutine

cdef enum:
    NULL_ID = -1                # in every id column: there is none
    UNKNOWN_ID = -2             # an id that the generation does not define
    NO_REASON_YET = -2
    EMPTY_STRING = -1           # position of string id 0


cdef struct Text:
    const char* data            # NULL: no text at all
    int64_t length


cdef struct EventBatch:
    const uint8_t* data
    int64_t size
    int64_t offset              # of the payload, in the decompressed source
    uint64_t ticks
    int32_t next                # the next batch of the same thread, or -1
    uint8_t kind                # first byte of a structural payload, 0 for plain events
    uint8_t experiment


cdef struct Stream:
    uint64_t thread
    int32_t first               # its batches, in the order of the file
    int32_t last


cdef struct Frame:
    uint64_t pc
    int64_t offset              # of the stack that had it first
    int64_t line
    int32_t function            # positions in the string table
    int32_t file
    uint64_t function_id        # as on the wire, until the strings are known
    uint64_t file_id


cdef struct Stack:
    uint64_t id
    int32_t first_frame         # into `stack_frames`, leaf first
    int32_t n_frames
    int64_t offset


cdef struct Sample:
    int64_t time                # first: they are sorted by it
    uint64_t thread
    uint64_t proc
    uint64_t goroutine
    uint64_t stack


# Id on the wire -> position in a table. Ids are nearly always dense; they need not be.
cdef struct IdIndex:
    int32_t* dense
    int64_t dense_count
    IdMap sparse


cdef struct Generation:
    uint64_t number
    int64_t offset              # first and behind the last byte
    int64_t end_offset
    uint64_t min_ticks
    bint has_end                # header 26: the end marker was there
    Arena arena

    EventBatch* batches         # plain events
    int64_t n_batches
    int64_t batches_room
    EventBatch* structural      # strings, stacks, samples, sync, experiments
    int64_t n_structural
    int64_t structural_room
    Stream* streams             # one per thread, in order of first appearance
    int64_t n_streams
    int64_t streams_room
    IdMap stream_of

    Text* strings
    uint64_t* string_ids
    int64_t n_strings
    int64_t strings_room
    int64_t string_ids_room
    IdIndex string_index
    int32_t* reasons            # by string position: dictionary code, or NO_REASON_YET

    Stack* stacks
    int64_t n_stacks
    int64_t stacks_room
    int32_t* stack_frames       # positions in `frames`
    int64_t n_stack_frames
    int64_t stack_frames_room
    Frame* frames               # one per program counter: the first seen wins
    int64_t n_frames
    int64_t frames_room
    IdMap frame_of_pc
    IdIndex stack_index
    int64_t* stack_ids          # content hash by position in `stacks`
    int64_t* dense_stack_ids    # content hash by id on the wire, UNKNOWN_ID in the holes

    Sample* samples             # by time
    int64_t n_samples
    int64_t samples_room

    uint64_t frequency          # ticks a second; 0: not seen
    double ns_per_tick
    bint ticks_are_64_ns        # every platform but Windows
    bint has_clock
    uint64_t clock_ticks
    uint64_t clock_mono
    uint64_t clock_sec
    uint64_t clock_nsec


cdef inline Generation* generation_new(
    uint64_t number, int64_t offset, uint64_t seed, BlockCache* blocks
) noexcept nogil:
    cdef Generation* self = <Generation*>calloc(1, sizeof(Generation))
    if self != NULL:
        self.number = number
        self.offset = offset
        self.arena.cache = blocks
        self.stream_of.seed = seed
        self.frame_of_pc.seed = seed
        self.string_index.sparse.seed = seed
        self.stack_index.sparse.seed = seed
    return self


cdef inline void generation_free(Generation* self) noexcept nogil:
    if self == NULL:
        return
    arena_clear(&self.arena)
    idmap_clear(&self.stream_of)
    idmap_clear(&self.frame_of_pc)
    idmap_clear(&self.string_index.sparse)
    idmap_clear(&self.stack_index.sparse)
    free(self.batches)
    free(self.structural)
    free(self.streams)
    free(self.strings)
    free(self.string_ids)
    free(self.string_index.dense)
    free(self.reasons)
    free(self.stacks)
    free(self.stack_frames)
    free(self.frames)
    free(self.stack_index.dense)
    free(self.stack_ids)
    free(self.dense_stack_ids)
    free(self.samples)
    free(self)


cdef inline int64_t position_of(const IdIndex* self, uint64_t id) noexcept nogil:
    """Position of an id in its table, -1 where the generation does not define it."""
    cdef uint64_t* found
    if id < <uint64_t>self.dense_count:
        return self.dense[id]
    found = idmap_find(&self.sparse, id)
    return <int64_t>found[0] - 1 if found != NULL else -1


cdef inline int64_t stack_content_id(const Generation* self, uint64_t id) noexcept nogil:
    """Content hash of a stack on the wire; NULL_ID for id 0, UNKNOWN_ID if it is not defined."""
    cdef int64_t position
    if id < <uint64_t>self.stack_index.dense_count:
        return self.dense_stack_ids[id]
    if id == 0:
        return NULL_ID
    position = position_of(&self.stack_index, id)
    return self.stack_ids[position] if position >= 0 else UNKNOWN_ID


cdef inline bint string_text(const Generation* self, uint64_t id, Text* text) noexcept nogil:
    """The text of a string on the wire; id 0 is the empty text. False if it is not defined."""
    cdef int64_t position
    if id == 0:
        text.data = ""
        text.length = 0
        return True
    position = position_of(&self.string_index, id)
    if position < 0:
        return False
    text[0] = self.strings[position]
    return True


cdef inline int64_t ticks_to_ns(const Generation* self, uint64_t ticks) noexcept nogil:
    """As Go converts: one double multiplication, truncated; -1 where it leaves 63 bits."""
    cdef double ns
    if self.ticks_are_64_ns and ticks < <uint64_t>1 << 53:
        return <int64_t>(ticks << 6)
    ns = <double>ticks * self.ns_per_tick
    return <int64_t>ns if ns < 9.2233720368547e18 else -1
