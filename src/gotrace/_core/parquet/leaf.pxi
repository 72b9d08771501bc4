# Arrow batches -> a leaf: what one column of a row group comes to in Parquet, values without nulls,
# and levels that say where a value is missing and where a list begins.
#
# Offers: ParquetRows, Leaf, leaf_gather, leaf_clear.

cdef enum:
    MOST_CODES = 1 << 15        # codes of 16 bits, the sign not used

cdef enum LeafKind:
    LEAF_INT64                  # also timestamps
    LEAF_UINT64
    LEAF_INT32
    LEAF_BOOL
    LEAF_TEXT                   # utf8 and binary
    LEAF_WORDS_8                # dictionaries of texts, by the width of their codes
    LEAF_WORDS_16


LEAF_KINDS = (
    "int64", "uint64", "int32", "bool", "text", "words_8", "words_16",
)


cdef struct Leaf:
    LeafKind kind
    int64_t column              # of the batches,
    int64_t field               # and of the struct in its list; -1: no struct
    bint in_list
    int list_level              # 1: the list may be null
    int level                   # of a value that is there
    bint nullable
    int64_t n_levels
    int64_t n_values
    uint8_t* definitions        # a level each
    uint8_t* repetitions        # 0: a row begins; only in lists
    int64_t* values             # numbers, booleans, codes of words
    Text* texts
    TextTable table             # distinct texts
    int64_t level_room          # of the arrays above
    int64_t repetition_room
    int64_t value_room
    int64_t text_room
    int32_t word_numbers[MOST_CODES]        # of the words of a dictionary, -1 for unknown


cdef class ParquetRows:
    """Batches that become a row group: each is exported to its address, once."""

    cdef ArrowArray* arrays
    cdef int64_t count

    def __cinit__(self, Py_ssize_t count):
        self.arrays = <ArrowArray*>calloc(max(count, 1), sizeof(ArrowArray))
        if self.arrays == NULL:
            raise MemoryError
        self.count = count

    def __dealloc__(self):
        cdef int64_t i
        for i in range(self.count if self.arrays != NULL else 0):
            if self.arrays[i].release != NULL:
                self.arrays[i].release(&self.arrays[i])
        free(self.arrays)

    @property
    def addresses(self):
        """Where the ArrowArray of each batch is to go."""
        return [<uintptr_t>&self.arrays[i] for i in range(self.count)]


cdef void leaf_clear(Leaf* self) noexcept nogil:
    free(self.definitions)
    free(self.repetitions)
    free(self.values)
    free(self.texts)
    texts_clear(&self.table)
    memset(self, 0, sizeof(Leaf))


cdef inline bint _has_bit(const uint8_t* bits, int64_t i) noexcept nogil:
    return bits[i >> 3] >> (i & 7) & 1


cdef int leaf_gather(Leaf* self, const ArrowArray* batches, int64_t count) noexcept nogil:
    """Take the column out of batches that the leaf stays smaller than; -1 without memory, -2 for a
    null or a code where none may be.
    """
    cdef int64_t i
    cdef int status = 0
    self.n_levels = 0
    self.n_values = 0
    texts_clear(&self.table)
    for i in range(count):
        if status == 0 and batches[i].length:
            status = _take_column(
                self, batches[i].children[self.column], batches[i].offset, batches[i].length
            )
    return status


cdef int _take_column(
    Leaf* self, const ArrowArray* column, int64_t offset, int64_t length
) noexcept nogil:
    cdef const int32_t* ends
    cdef const ArrowArray* items
    cdef const uint8_t* validity
    cdef int64_t i, first, size
    cdef int status = 0
    offset += column.offset
    if not self.in_list:
        return _take_values(self, column, offset, length)
    items = column.children[0]
    first = items.offset
    if self.field >= 0:
        items = items.children[self.field]
        first += items.offset
    ends = <const int32_t*>column.buffers[1] + offset
    validity = <const uint8_t*>column.buffers[0] if column.null_count else NULL
    if validity == NULL:
        status = _take_values(self, items, first + ends[0], ends[length] - ends[0])
        return status if status else _put_list_levels(self, ends, length)
    for i in range(length):     # what lies under a null list is nothing
        if not _has_bit(validity, offset + i):
            if not self.list_level:
                return -2
            if not _put_levels(self, 1, 0, 0):
                return -1
            continue
        size = ends[i + 1] - ends[i]
        status = _take_values(self, items, first + ends[i], size)
        status = status if status else _put_list_levels(self, ends + i, 1)
        if status:
            return status
    return 0


cdef bint _put_levels(Leaf* self, int64_t n, int definition, int repetition) noexcept nogil:
    """Levels of places without a value; False without memory."""
    if not reserve(<void**>&self.definitions, &self.level_room, self.n_levels + n, 1):
        return False
    memset(self.definitions + self.n_levels, definition, n)
    if self.in_list:
        if not reserve(<void**>&self.repetitions, &self.repetition_room, self.n_levels + n, 1):
            return False
        memset(self.repetitions + self.n_levels, repetition, n)
    self.n_levels += n
    return True


cdef int _put_list_levels(Leaf* self, const int32_t* ends, int64_t length) noexcept nogil:
    """Spread the levels of the items, which were put last, over the lists that they are in."""
    cdef int64_t n_items = ends[length] - ends[0]
    cdef int64_t items_at = self.n_levels - n_items
    cdef int64_t n_empty = 0
    cdef int64_t i, j, at, item
    for i in range(length):
        n_empty += ends[i] == ends[i + 1]
    if not _put_levels(self, n_empty, self.list_level, 0):
        return -1
    at = self.n_levels
    item = items_at + n_items
    for i in range(length - 1, -1, -1):     # from the end, so that they move up within the array
        for j in range(ends[i + 1] - ends[i]):
            at -= 1
            item -= 1
            self.definitions[at] = self.definitions[item]
            self.repetitions[at] = 1
        if ends[i] == ends[i + 1]:
            at -= 1
            self.definitions[at] = <uint8_t>self.list_level
        self.repetitions[at] = 0
    return 0


cdef int _take_values(
    Leaf* self, const ArrowArray* array, int64_t start, int64_t n
) noexcept nogil:
    """Values and their levels, nulls left out of the values."""
    cdef const uint8_t* bits = <const uint8_t*>array.buffers[0] if array.null_count else NULL
    cdef bint is_empty = bits != NULL and array.null_count == array.length
    cdef int64_t kept = self.n_values
    cdef int64_t first = self.n_levels
    cdef int64_t i
    cdef int status
    if is_empty and n:
        if not self.nullable:
            return -2
        return 0 if _put_levels(self, n, self.level - 1, 1) else -1
    if not reserve(<void**>&self.values, &self.value_room, kept + n, sizeof(int64_t)):
        return -1
    if self.kind == LEAF_TEXT:
        if not reserve(<void**>&self.texts, &self.text_room, kept + n, sizeof(Text)):
            return -1
    if not _put_levels(self, n, self.level, 1):
        return -1
    status = _read_values(self, array, start, n)
    if status < 0:
        return status
    if bits == NULL:
        self.n_values += n
        return 0
    for i in range(n):
        if self.kind == LEAF_TEXT:
            self.texts[kept] = self.texts[self.n_values + i]
        self.values[kept] = self.values[self.n_values + i]
        self.definitions[first + i] -= not _has_bit(bits, start + i)
        kept += _has_bit(bits, start + i)
    if kept < self.n_values + n and not self.nullable:
        return -2
    self.n_values = kept
    return 0


cdef int _read_values(
    Leaf* self, const ArrowArray* array, int64_t start, int64_t n
) noexcept nogil:
    """Values as they lie in the array, those under nulls too, behind what there is."""
    cdef const void* data = array.buffers[1]
    cdef const int32_t* ends
    cdef int64_t* to = self.values + self.n_values
    cdef Text* texts
    cdef int64_t i
    if self.kind == LEAF_INT64 or self.kind == LEAF_UINT64:
        memcpy(to, <const int64_t*>data + start, n * sizeof(int64_t))
    elif self.kind == LEAF_INT32:
        for i in range(n):
            to[i] = (<const int32_t*>data)[start + i]
    elif self.kind == LEAF_BOOL:
        for i in range(n):
            to[i] = _has_bit(<const uint8_t*>data, start + i)
    elif self.kind == LEAF_TEXT:
        ends = <const int32_t*>data + start
        texts = self.texts + self.n_values
        for i in range(n):
            texts[i].data = <const char*>array.buffers[2] + ends[i]
            texts[i].length = ends[i + 1] - ends[i]
    else:
        return _read_words(self, array, start, n)
    return 0


cdef int _read_words(Leaf* self, const ArrowArray* array, int64_t start, int64_t n) noexcept nogil:
    """Codes of a dictionary as numbers of its words in our table, which only holds what occurs."""
    cdef const ArrowArray* words = array.dictionary
    cdef const int32_t* ends = <const int32_t*>words.buffers[1] + words.offset
    cdef const uint8_t* bits = <const uint8_t*>array.buffers[0] if array.null_count else NULL
    cdef int64_t* to = self.values + self.n_values
    cdef int64_t i, code, last
    cdef int64_t number = 0
    last = -1
    memset(self.word_numbers, -1, min(words.length, MOST_CODES) * sizeof(int32_t))
    for i in range(start, start + n):
        if bits != NULL and not _has_bit(bits, i):
            to[i - start] = 0
            continue
        if self.kind == LEAF_WORDS_8:
            code = (<const int8_t*>array.buffers[1])[i]
        else:
            code = (<const int16_t*>array.buffers[1])[i]
        if code != last:
            if not 0 <= code < words.length:
                return -2
            number = self.word_numbers[code]
            if number < 0:
                number = text_number(
                    &self.table, <const char*>words.buffers[2] + ends[code],
                    ends[code + 1] - ends[code],
                )
                if number < 0:
                    return -1
                self.word_numbers[code] = <int32_t>number
            last = code
        to[i - start] = number
    return 0
