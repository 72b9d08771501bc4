# What must hold for every batch that the core delivers, whatever the input was.
#
# Every byte of every buffer is read, so that the sanitizer sees one that is too short; on the way
# the values are added to a digest, by which two ways to decode the same input are compared.
#
# Offers: Shape, Tally, check_batch.

cdef enum:
    MOST_COLUMNS = 64
    MOST_LEAVES = 96            # columns, and what is inside of lists and structs

cdef enum Rule:
    ANY
    NOT_NEGATIVE                # ids, durations, counts
    RISING                      # strictly, from batch to batch
    GAPLESS                     # from 0

#: Tables with one row an event; `events` has one for each.
cdef frozenset POINT_TABLES = frozenset((
    "goroutine_transitions", "logs", "worker_labels", "metrics", "cpu_samples", "allocations",
    "syncs",
))


cdef struct Tally:
    int64_t rows
    uint64_t digests[MOST_LEAVES]   # one for each, since batches cut them at different places
    int64_t last[MOST_COLUMNS]  # value of the column in the row before


cdef void tally_init(Tally* self) noexcept:
    cdef int i
    memset(self, 0, sizeof(Tally))
    for i in range(MOST_COLUMNS):
        self.last[i] = -1


cdef class Shape:
    """A table with some of its columns, as the core is asked for it and as it is checked."""

    cdef readonly str table
    cdef object capsule         # owns `schema`
    cdef ArrowSchema* schema
    cdef ArrowSchema lent       # what the core gets: the same, but its release does nothing
    cdef Rule rules[MOST_COLUMNS]
    cdef dict places            # column name -> position

    def __init__(self, str table, schema):
        cdef int64_t i
        self.table = table
        self.capsule = schema.__arrow_c_schema__()
        self.schema = <ArrowSchema*>PyCapsule_GetPointer(self.capsule, "arrow_schema")
        if self.schema.n_children > MOST_COLUMNS:
            raise ValueError("MOST_COLUMNS is too small")
        self.places = {}
        for i in range(self.schema.n_children):
            name = self.schema.children[i].name.decode()
            self.places[name] = i
            self.rules[i] = NOT_NEGATIVE
            if table == "events" and name == "seq":
                self.rules[i] = GAPLESS
            elif (table == "events" or table in POINT_TABLES) and name in ("seq", "time_ns"):
                self.rules[i] = RISING

    def __arrow_c_schema__(self):
        self.lent = self.schema[0]
        self.lent.release = _keep
        return PyCapsule_New(&self.lent, "arrow_schema", NULL)


cdef void _keep(ArrowSchema* schema) noexcept nogil:
    schema.release = NULL


cdef int _fail(const ArrowSchema* field, str what) except -1:
    raise AssertionError(f"column {field.name.decode()}: {what}")


cdef inline void _digest(uint64_t* digest, uint64_t value) noexcept nogil:
    cdef uint64_t mixed = (digest[0] ^ value) * <uint64_t>0x9E3779B97F4A7C15
    digest[0] = mixed ^ (mixed >> 29)


cdef inline bint _is_valid(const ArrowArray* array, int64_t i) noexcept nogil:
    cdef const uint8_t* bits = <const uint8_t*>array.buffers[0]
    return bits == NULL or bits[i >> 3] >> (i & 7) & 1


cdef inline int64_t _number_at(const void* values, int width, int64_t i) noexcept nogil:
    if width == 8:
        return (<const int64_t*>values)[i]
    if width == 4:
        return (<const int32_t*>values)[i]
    if width == 2:
        return (<const int16_t*>values)[i]
    return (<const int8_t*>values)[i]


cdef int _check_nulls(const ArrowSchema* field, const ArrowArray* array) except -1:
    cdef int64_t i
    cdef int64_t nulls = 0
    for i in range(array.length):
        nulls += not _is_valid(array, i)
    if nulls != array.null_count:
        _fail(field, f"{array.null_count} nulls are said to be there, {nulls} are")
    return 0


cdef int _check_text(
    const ArrowSchema* field, const ArrowArray* array, uint64_t* digest
) except -1:
    """Offsets rise, every byte can be read, UTF-8 is UTF-8."""
    cdef const int32_t* offsets = <const int32_t*>array.buffers[1]
    cdef const char* data = <const char*>array.buffers[2]
    cdef int64_t i
    cdef int32_t j
    if array.length and offsets[0] != 0:
        _fail(field, f"offsets begin with {offsets[0]}")
    for i in range(array.length):
        if offsets[i + 1] < offsets[i]:
            _fail(field, f"offsets fall at row {i}")
        _digest(digest, 1 if _is_valid(array, i) else 2)
        for j in range(offsets[i], offsets[i + 1]):
            _digest(digest, <uint8_t>data[j])
    if field.format[0] == c"u" and array.length:
        PyUnicode_DecodeUTF8(data, offsets[array.length], NULL)
    return 0


cdef int _check_numbers(
    const ArrowSchema* field, const ArrowArray* array, int width, Rule rule, int64_t* last,
    uint64_t* digest,
) except -1:
    cdef const void* values = array.buffers[1]
    cdef int64_t i, value
    for i in range(array.length):
        value = _number_at(values, width, i)
        if not _is_valid(array, i):
            _digest(digest, 0x5A5A)
            continue
        _digest(digest, <uint64_t>value)
        if rule == NOT_NEGATIVE and value < 0:
            _fail(field, f"{value} at row {i}")
        if (rule == RISING and value <= last[0]) or (rule == GAPLESS and value != last[0] + 1):
            _fail(field, f"{value} at row {i} follows {last[0]}")
        last[0] = value
    return 0


cdef int _check_words(const ArrowSchema* field, const ArrowArray* array, int width) except -1:
    """Codes name words, also under nulls; the last word is whole."""
    cdef const int32_t* offsets = <const int32_t*>array.dictionary.buffers[1]
    cdef const char* words = <const char*>array.dictionary.buffers[2]
    cdef int64_t n = array.dictionary.length
    cdef int64_t i
    PyUnicode_DecodeUTF8(words + offsets[n - 1], offsets[n] - offsets[n - 1], NULL)
    for i in range(array.length):
        if not 0 <= _number_at(array.buffers[1], width, i) < n:
            _fail(field, f"row {i} has no word")
    return 0


cdef int _check_column(
    const ArrowSchema* field, const ArrowArray* array, int64_t length, Rule rule, int64_t* last,
    uint64_t** digests,
) except -1:
    cdef uint64_t* digest = digests[0]
    cdef const int32_t* offsets
    cdef int64_t i
    cdef int width = 8
    cdef char format = field.format[0]
    digests[0] += 1
    if array.length != length or array.offset != 0 or array.release == NULL:
        _fail(field, f"length {array.length} in a batch of {length}")
    _check_nulls(field, array)
    if format == c"+" and field.format[1] == c"s":
        for i in range(field.n_children):
            _check_column(field.children[i], array.children[i], length, ANY, last, digests)
    elif format == c"+":
        offsets = <const int32_t*>array.buffers[1]
        for i in range(length):
            if offsets[i + 1] < offsets[i]:
                _fail(field, f"offsets fall at row {i}")
            _digest(digest, offsets[i + 1] - offsets[i])
        _check_column(
            field.children[0], array.children[0], offsets[length], NOT_NEGATIVE, last, digests
        )
    elif format == c"u" or format == c"z":
        _check_text(field, array, digest)
    elif format == c"b":
        for i in range(length):
            _digest(digest, (<const uint8_t*>array.buffers[1])[i >> 3] >> (i & 7) & 1)
    else:
        if format == c"c":
            width = 1
        elif format == c"s":
            width = 2
        elif format == c"i":
            width = 4
        _check_numbers(field, array, width, ANY if format == c"L" else rule, last, digest)
        if field.dictionary != NULL:
            _check_words(field, array, width)
    return 0


cdef int _check_intervals(Shape shape, const ArrowArray* array) except -1:
    """Half-open, and as long as they say."""
    cdef const int64_t* start
    cdef const int64_t* end
    cdef const int64_t* duration
    cdef int64_t i
    if not ("start_ns" in shape.places and "end_ns" in shape.places):
        return 0
    start = <const int64_t*>array.children[<int64_t>shape.places["start_ns"]].buffers[1]
    end = <const int64_t*>array.children[<int64_t>shape.places["end_ns"]].buffers[1]
    for i in range(array.length):
        if end[i] < start[i]:
            raise AssertionError(f"{shape.table}: row {i} ends at {end[i]}, began at {start[i]}")
    if "duration_ns" in shape.places:
        duration = <const int64_t*>array.children[<int64_t>shape.places["duration_ns"]].buffers[1]
        for i in range(array.length):
            if duration[i] != end[i] - start[i]:
                raise AssertionError(f"{shape.table}: row {i} lasts {duration[i]}")
    return 0


cdef int check_batch(Shape shape, const ArrowArray* array, Tally* tally) except -1:
    """Raise AssertionError where a batch breaks a rule; `tally` goes from batch to batch."""
    cdef uint64_t* digests = tally.digests
    cdef int64_t i
    if (
        array.length <= 0 or array.null_count != 0
        or array.n_children != shape.schema.n_children
    ):
        raise AssertionError(f"{shape.table}: {array.length} rows, {array.n_children} columns")
    for i in range(array.n_children):
        _check_column(
            shape.schema.children[i], array.children[i], array.length, shape.rules[i],
            &tally.last[i], &digests,
        )
    _check_intervals(shape, array)
    tally.rows += array.length
    return 0
