# The alloc/free experiment: what the numbers of its events mean.
#
# Ids are addresses, counted from the lowest heap address in pages, heap or stack alignments; the
# opaque batches of the experiment say which, and name the types. A flight recorder drops those
# batches: then an id is no address, and a type has no name.
#
# Offers: AllocationSpec, ALLOCATIONS, AllocationSpace.

cdef struct AllocationSpec:
    int op
    int object

# By event id from EV_SPAN on: each object exists, is allocated, is freed.
cdef AllocationSpec[9] ALLOCATIONS = [
    AllocationSpec(OP_EXISTS, OBJECT_SPAN),
    AllocationSpec(OP_ALLOC, OBJECT_SPAN),
    AllocationSpec(OP_FREE, OBJECT_SPAN),
    AllocationSpec(OP_EXISTS, OBJECT_HEAP_OBJECT),
    AllocationSpec(OP_ALLOC, OBJECT_HEAP_OBJECT),
    AllocationSpec(OP_FREE, OBJECT_HEAP_OBJECT),
    AllocationSpec(OP_EXISTS, OBJECT_GOROUTINE_STACK),
    AllocationSpec(OP_ALLOC, OBJECT_GOROUTINE_STACK),
    AllocationSpec(OP_FREE, OBJECT_GOROUTINE_STACK),
]

cdef struct Allocation:
    uint64_t address
    bint has_address
    int64_t size
    int64_t span_class
    Text type


cdef enum:
    BYTES_OF_A_TYPE = 300       # about what Python keeps for one, beside its name
    MOST_TYPE_BYTES = 1 << 28


cdef class AllocationSpace:
    """Units of the ids, and the heap types, as far as the generations so far have told them."""

    cdef uint64_t lowest, page_size, heap_unit, stack_unit
    cdef bint is_known
    cdef dict types             # id -> (size, name)
    cdef int64_t bytes          # that they take
    cdef bytes held             # keeps the name of the last look-up alive

    def __cinit__(self):
        self.types = {}

    cdef int learn(self, const Generation* generation) except -1:
        """Read the opaque batches of the experiment; one that makes no sense is passed over."""
        cdef const EventBatch* batch
        cdef Reader reader
        cdef uint64_t id, size, length
        cdef const uint8_t* name
        cdef uint8_t what
        cdef int64_t i
        for i in range(generation.n_structural):
            batch = &generation.structural[i]
            if batch.kind != EV_EXPERIMENTAL_BATCH or batch.experiment != EXPERIMENT_ALLOC_FREE:
                continue
            reader = reader_over(batch.data, batch.size)
            what = read_byte(&reader)
            if what == 1:
                self._learn_units(&reader)
            while what == 0 and reader.at < reader.end:
                id = read_uvarint(&reader)
                read_uvarint(&reader)                   # address of the type
                size = read_uvarint(&reader)
                read_uvarint(&reader)                   # bytes that hold pointers
                length = read_uvarint(&reader)
                name = read_bytes(&reader, length)
                if name == NULL:
                    break
                self._learn_type(id, size, (<const char*>name)[:length])
        return 0

    cdef int _learn_type(self, uint64_t id, uint64_t size, bytes name) except -1:
        known = self.types.get(id)
        if known is None:
            self.bytes += BYTES_OF_A_TYPE
        else:
            self.bytes -= len(known[1])
        self.bytes += len(name)
        self.types[id] = (min(size, <uint64_t>INT64_MAX), name)
        if self.bytes > MOST_TYPE_BYTES:
            from gotrace.errors import LimitError

            raise LimitError(f"heap types would need more than {MOST_TYPE_BYTES} bytes")
        return 0

    cdef int _learn_units(self, Reader* reader) except -1:
        cdef uint64_t lowest = read_uvarint(reader)
        cdef uint64_t page_size = read_uvarint(reader)
        cdef uint64_t heap_unit = read_uvarint(reader)
        cdef uint64_t stack_unit = read_uvarint(reader)
        if reader.state == READER_FINE:
            self.lowest, self.page_size = lowest, page_size
            self.heap_unit, self.stack_unit = heap_unit, stack_unit
            self.is_known = True
        return 0

    cdef Allocation look_up(self, const AllocationSpec* spec, const uint64_t* values):
        """What an event says; `values` are its arguments."""
        cdef Allocation found
        cdef uint64_t unit = self.page_size
        cdef bint has_more = spec.op != OP_FREE
        found.size = NULL_ID
        found.span_class = NULL_ID
        found.type.data = NULL
        found.type.length = 0
        if spec.object == OBJECT_HEAP_OBJECT:
            unit = self.heap_unit
            if has_more and values[1] in self.types:
                size, self.held = self.types[values[1]]
                found.size = size
                found.type.data = self.held
                found.type.length = len(self.held)
        elif spec.object == OBJECT_GOROUTINE_STACK:
            unit = self.stack_unit
            if has_more and 0 < values[1] < 64:         # the bit length of the size
                found.size = <int64_t>1 << (values[1] - 1)
        elif has_more:
            if self.is_known and values[1] < <uint64_t>1 << 32:
                found.size = <int64_t>(values[1] * self.page_size)
            if values[2] & 1 == 0 and values[2] < 1 << 16:      # odd: a span not in use
                found.span_class = <int64_t>(values[2] >> 1)
        found.has_address = self.is_known
        found.address = self.lowest + values[0] * unit
        return found
