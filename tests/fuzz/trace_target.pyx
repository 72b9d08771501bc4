# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What one input of the fuzzer does to the trace decoder.

An input is KNOBS bytes, which say how to decode, and a trace. What comes out has to hold to
`batch_checks`; with the knob `TWICE` it has to be the same when the same trace is decoded in
another way: other pieces, other batches, another thread.

Most inputs go through the native half of a pass only (quick_order.pxi), one in `DEAR` through all
of it; the bytes of the input decide, so that the same happens when it is run again.
"""

import os
import random

from cpython.buffer cimport PyBUF_READ
from cpython.memoryview cimport PyMemoryView_FromMemory
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport abort
from libc.string cimport memcpy, memmove, memset

from gotrace._core.columns.arrow_abi cimport ArrowArray, ArrowSchema
from gotrace._core.decode.event_spec cimport *

import pyarrow

from gotrace._core import GenerationIndex, TraceDecoder
from gotrace.errors import GotraceError, LimitError
from gotrace.tables.columns import DICTIONARIES
from gotrace.tables.schema import schema as schema_of
from tests.core.decoding import TABLES

cdef extern from *:
    """
    extern long fuzz_allocations_left;
    extern int fuzz_failure_is_sticky;
    """
    long fuzz_allocations_left      # of the core, before one fails; negative: none does
    int fuzz_failure_is_sticky      # all that follow fail too

cdef extern from *:
    """
    extern int64_t quick_order(const uint8_t *, int64_t, int64_t, int, int64_t);
    """
    int64_t quick_order(
        const uint8_t* data, int64_t size, int64_t piece, bint salvage, int64_t max_memory
    ) nogil

cdef enum:
    KNOBS = 8
    HEADER_BYTES = 16
    VARIANTS = 8                # choices of columns
    DEAR = 128
    MOST_TABLES = 32


cdef inline uint64_t _random(uint64_t* state) noexcept nogil:
    state[0] ^= state[0] << 13
    state[0] ^= state[0] >> 7
    state[0] ^= state[0] << 17
    return state[0]


include "batch_checks.pxi"
include "mutate_trace.pxi"

cdef enum:                      # bits of the first knob
    SALVAGE = 1
    SECOND_THREAD = 2
    TWICE = 4
    ALL_TABLES = 8
    GOES_ON = 16
    INDEX = 32                  # the index of generations reads it too
    DROPPED = 64                # the decoder is dropped midway
    CANCELLED = 128

cdef bint VERBOSE = "GOTRACE_FUZZ_VERBOSE" in os.environ
cdef tuple MEMORY = (64 << 20, 64 << 20, 64 << 20, 4 << 20, 1 << 20, 200_000, 70_000, 1)


def shapes_of(str table) -> list[Shape]:
    """The table with all its columns, and with some of them."""
    whole = schema_of(table)
    rng = random.Random(table)
    shapes = [Shape(table, whole)]
    while len(shapes) < VARIANTS:
        fields = [field for field in whole if rng.random() < 0.5] or [whole.field(0)]
        rng.shuffle(fields)
        shapes.append(Shape(table, pyarrow.schema(fields)))
    return shapes


cdef int N_TABLES = len(TABLES)
cdef dict SHAPES = {table: shapes_of(table) for table in TABLES}


# How an input is decoded.
cdef struct Way:
    uint8_t flags
    uint64_t tables             # a bit for each
    int columns                 # 0: all of them
    int64_t batch_rows
    uint64_t pieces             # seed of the sizes of what is fed; 0: all at once
    int64_t piece_most
    int64_t memory
    int64_t allocations         # that succeed; negative: all
    bint sticky


cdef bint is_dear(const uint8_t* data, int64_t size) noexcept nogil:
    cdef uint64_t hash = size
    cdef int64_t i
    for i in range(size):
        hash = (hash ^ data[i]) * <uint64_t>0x9E3779B97F4A7C15
    return hash >> 32 & (DEAR - 1) == 0


cdef Way way_of(const uint8_t* knobs):
    cdef Way way
    way.flags = knobs[0]
    way.tables = <uint64_t>1 << knobs[1] % N_TABLES | <uint64_t>1 << knobs[2] % N_TABLES
    if way.flags & ALL_TABLES:
        way.tables = ~<uint64_t>0
    way.columns = knobs[3] % VARIANTS if knobs[3] & 0x80 else 0
    way.batch_rows = 4 + (knobs[4] & 15 if knobs[4] & 0x80 else knobs[4])
    way.pieces = knobs[5]
    way.piece_most = 1 << (knobs[6] & 15)
    way.memory = MEMORY[knobs[7] & 7]
    way.allocations = -1
    if knobs[7] & 0x80:
        way.allocations = (knobs[6] >> 4 | (knobs[7] & 0x78) << 1) * (1 + (knobs[1] & 3))
    way.sticky = knobs[5] & 1
    return way


cdef class Outcome:
    """What one way of decoding gave."""

    cdef Way way
    cdef Tally tallies[MOST_TABLES]
    cdef str error
    cdef bint limited           # a limit, or a cancel, may come at another place another time
    cdef object kept            # the last batch lives longer than its decoder

    cdef int decode(self, const Way* way, const uint8_t* trace, int64_t size) except -1:
        global fuzz_allocations_left, fuzz_failure_is_sticky
        cdef int64_t i
        cdef dict shapes = {}
        self.way = way[0]
        self.error = None
        self.limited = False
        for i in range(len(TABLES)):
            if self.way.tables >> i & 1:
                tally_init(&self.tallies[i])
                shapes[TABLES[i]] = SHAPES[TABLES[i]][self.way.columns]
        fuzz_allocations_left = way.allocations
        fuzz_failure_is_sticky = way.sticky
        try:
            self.drive(trace, size, shapes)
        except (GotraceError, MemoryError, InterruptedError) as error:
            self.error = repr(error)
            self.limited = not isinstance(error, GotraceError) or isinstance(error, LimitError)
        fuzz_allocations_left = -1
        if VERBOSE:
            rows = {name: self.tallies[TABLES.index(name)].rows for name in shapes}
            print(self.way, rows, self.error, flush=True)
        return 0

    cdef int drive(self, const uint8_t* trace, int64_t size, dict shapes) except -1:
        """Feed a decoder the trace, in pieces, and check its batches."""
        cdef uint64_t state = self.way.pieces * <uint64_t>0x9E3779B97F4A7C15
        cdef int64_t at = 0
        cdef int64_t piece
        cdef int fed = 0
        decoder = TraceDecoder(
            shapes, DICTIONARIES, batch_rows=self.way.batch_rows,
            salvage=bool(self.way.flags & SALVAGE), max_memory=self.way.memory,
            threads=2 if self.way.flags & SECOND_THREAD else 1,
        )
        while at < size:
            piece = size - at
            if state:
                piece = min(piece, <int64_t>(_random(&state) % self.way.piece_most) + 1)
            decoder.feed(PyMemoryView_FromMemory(<char*>trace + at, piece, PyBUF_READ))
            at += piece
            fed += 1
            if self.way.flags & CANCELLED and fed == 2:
                decoder.cancel()
            if not self.drain(decoder, shapes):
                return 0
        decoder.finish(goes_on=bool(self.way.flags & GOES_ON))
        self.drain(decoder, shapes)
        return 0

    cdef bint drain(self, decoder, dict shapes) except -1:
        """Take all batches there are; False when the decoder is to be dropped."""
        cdef const ArrowArray* array
        cdef int taken = 0
        while (item := decoder.next_batch()) is not None:
            table, batch = item
            _, capsule = batch.__arrow_c_array__()
            array = <const ArrowArray*>PyCapsule_GetPointer(capsule, "arrow_array")
            if array.length > self.way.batch_rows and table in ("events", "goroutine_transitions"):
                raise AssertionError(f"{table}: a batch of {array.length} rows")
            check_batch(shapes[table], array, &self.tallies[TABLES.index(table)])
            self.kept = capsule
            taken += 1
            if self.way.flags & DROPPED and taken > 3:
                return False
        return True


cdef Outcome FIRST = Outcome()
cdef Outcome SECOND = Outcome()


cdef int compare(Outcome first, Outcome second) except -1:
    """Tables that both decoded are the same, and so is the error."""
    cdef int64_t i, j
    if first.limited or second.limited:
        return 0
    if first.error != second.error:
        raise AssertionError(f"{first.error} is not {second.error}")
    for i in range(len(TABLES)):
        if not first.way.tables >> i & 1:
            continue
        if first.tallies[i].rows != second.tallies[i].rows:
            raise AssertionError(
                f"{TABLES[i]}: {first.tallies[i].rows} rows are not {second.tallies[i].rows}"
            )
        for j in range(MOST_LEAVES):
            if first.tallies[i].digests[j] != second.tallies[i].digests[j]:
                raise AssertionError(f"{TABLES[i]}: values of leaf {j} differ")
    return 0


cdef int index(const uint8_t* trace, int64_t size, Way* way) except -1:
    """The index of generations: offsets rise, and it ends or raises."""
    cdef uint64_t state = way.pieces * <uint64_t>0x9E3779B97F4A7C15
    cdef int64_t at = 0
    cdef int64_t last = 0
    cdef int64_t piece
    generations = GenerationIndex(salvage=bool(way.flags & SALVAGE), max_memory=way.memory)
    try:
        while True:
            while (generation := generations.next_generation()) is not None:
                if generation["offset"] < last:
                    raise AssertionError(f"a generation at {generation['offset']}, before {last}")
                last = generation["offset"]
            at += generations.left_out
            if at >= size:
                generations.finish()
                while generations.next_generation() is not None:
                    pass
                return 0
            piece = size - at
            if state:
                piece = min(piece, <int64_t>(_random(&state) % way.piece_most) + 1)
            generations.feed(
                PyMemoryView_FromMemory(<char*>trace + at, piece, PyBUF_READ),
                following=size - at - piece,
            )
            at += piece
    except (GotraceError, MemoryError):
        return 0


cdef int run_quick(const Way* way, const uint8_t* trace, int64_t size) except -1:
    """The native half, in pieces of one size."""
    global fuzz_allocations_left, fuzz_failure_is_sticky
    cdef int64_t rows
    fuzz_allocations_left = way.allocations
    fuzz_failure_is_sticky = way.sticky
    rows = quick_order(
        trace, size, way.piece_most if way.pieces else max(size, 1),
        way.flags & SALVAGE != 0, way.memory,
    )
    fuzz_allocations_left = -1
    if rows < 0:
        raise AssertionError("quick_order: a rule is broken")
    return 0


cdef int run(const uint8_t* data, int64_t size) except -1:
    cdef Way way = way_of(data)
    cdef Way other = way
    cdef bint quick = not VERBOSE and not is_dear(data, size)
    data += KNOBS
    size -= KNOBS
    if quick or VERBOSE:
        run_quick(&way, data, size)
    if quick:
        return 0
    FIRST.decode(&way, data, size)
    if way.flags & INDEX:
        index(data, size, &way)
    if way.flags & TWICE and not way.flags & (DROPPED | CANCELLED):
        other.flags ^= SECOND_THREAD
        other.pieces = 0 if way.pieces else 7
        other.batch_rows = 64 if way.batch_rows < 64 else 5
        SECOND.decode(&other, data, size)
        compare(FIRST, SECOND)
    return 0


cdef public int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) except? -2 with gil:
    if size >= KNOBS:
        try:
            run(data, size)
        except BaseException:
            import traceback

            traceback.print_exc()
            abort()
    return 0
