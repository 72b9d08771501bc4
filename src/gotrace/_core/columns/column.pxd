"""Column: one growing Arrow column, moved out as an ArrowArray without a copy.

Its buffers come from the decoder's pool; `column_export` hands them to the ArrowArray and leaves
the column empty. Nothing here raises: without memory a column is marked `failed`, its rows are
dropped, and the table that owns it reports that when it is exported.
"""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from gotrace._core.columns.arrow_abi cimport ArrowArray
from gotrace._core.columns.utf8 cimport is_utf8, repair_utf8
from gotrace._core.columns.validity cimport bitmap_bytes, pack_bools, write_validity
from gotrace._core.memory.atomics cimport atomic_add
from gotrace._core.memory.pool cimport BufferPool, buffer_capacity, pool_give, pool_take, pool_unref
from gotrace._core.memory.shared cimport SharedBlock, shared_ref, shared_unref


cdef enum ColumnKind:
    COLUMN_INT                  # `width` bytes each, a negative number is null
    COLUMN_BOOL                 # one byte each while it grows: -1 null, 0, 1
    COLUMN_UINT                 # 8 bytes each, `present` says what is null
    COLUMN_TEXT                 # utf8 or binary: offsets, bytes, `present`
    COLUMN_LIST                 # offsets into `children`, which is one; never null
    COLUMN_STRUCT               # `children`, all of the same length; never null


cdef enum:
    IS_PRESENT = 0              # in `present`: nulls are negative, as everywhere
    IS_NULL = -1


cdef struct Column:
    ColumnKind kind
    int width
    bint is_utf8                # COLUMN_TEXT: bytes that are not UTF-8 are replaced
    bint failed                 # no memory
    bint never_null
    int64_t replaced            # texts that had to be repaired since the last export
    int64_t length              # rows
    int64_t data_bytes          # COLUMN_TEXT: bytes used in `data`
    void* data
    int32_t* offsets
    int8_t* present
    uint8_t* bits               # the validity, where it is made as the column grows,
    int64_t nulls               # and how many zeros it has
    Column* children
    int64_t n_children
    SharedBlock* words          # values of a dictionary column, else NULL
    SharedBlock* zeros          # stands in where a batch has no value at all
    BufferPool* pool


# --- growing ------------------------------------------------------------------------------------

cdef inline void* _grown(Column* self, void* buffer, int64_t used, int64_t wanted) noexcept nogil:
    """`buffer` with room for `wanted` bytes, its first `used` kept."""
    cdef void* larger
    if wanted <= buffer_capacity(buffer):
        return buffer
    if wanted < 2 * buffer_capacity(buffer):
        wanted = 2 * buffer_capacity(buffer)
    larger = pool_take(self.pool, wanted)
    if larger == NULL:
        self.failed = True
        return buffer
    if used and buffer != NULL:
        memcpy(larger, buffer, used)
    pool_give(self.pool, buffer)
    return larger


cdef inline bint _room_for_one(Column* self) noexcept nogil:
    cdef int64_t n = self.length
    if self.kind == COLUMN_INT or self.kind == COLUMN_BOOL or self.kind == COLUMN_UINT:
        self.data = _grown(self, self.data, n * self.width, (n + 1) * self.width)
    else:
        self.offsets = <int32_t*>_grown(self, self.offsets, (n + 1) * 4, (n + 2) * 4)
        if n == 0 and not self.failed:
            self.offsets[0] = 0
    if self.kind == COLUMN_UINT or self.kind == COLUMN_TEXT:
        self.present = <int8_t*>_grown(self, self.present, n, n + 1)
    return not self.failed


cdef inline void put_int(Column* self, int64_t value) noexcept nogil:
    """Append to an integer, dictionary or boolean column; a negative value is null."""
    if self == NULL or not _room_for_one(self):
        return
    if self.width == 8:
        (<int64_t*>self.data)[self.length] = value
    elif self.width == 4:
        (<int32_t*>self.data)[self.length] = <int32_t>value
    elif self.width == 2:
        (<int16_t*>self.data)[self.length] = <int16_t>value
    else:
        (<int8_t*>self.data)[self.length] = <int8_t>value
    self.length += 1


cdef inline void put_uint(Column* self, uint64_t value, bint present) noexcept nogil:
    if self == NULL or not _room_for_one(self):
        return
    (<uint64_t*>self.data)[self.length] = value if present else 0
    self.present[self.length] = IS_PRESENT if present else IS_NULL
    self.length += 1


cdef inline void put_text(Column* self, const char* text, int64_t length) noexcept nogil:
    """Append a text, or null where `text` is NULL."""
    if self == NULL or not _room_for_one(self):
        return
    if text != NULL and length > 0:
        append_text(self, text, length)
        if self.failed:
            return
    self.present[self.length] = IS_PRESENT if text != NULL else IS_NULL
    self.length += 1
    self.offsets[self.length] = <int32_t>self.data_bytes


cdef inline void append_text(Column* self, const char* text, int64_t length) noexcept nogil:
    """The bytes of a text, repaired where they have to be."""
    cdef int64_t used = self.data_bytes
    cdef bint sound = not self.is_utf8 or is_utf8(<const uint8_t*>text, length)
    self.data = _grown(self, self.data, used, used + (length if sound else 3 * length))
    if self.failed:
        return
    if sound:
        memcpy(<uint8_t*>self.data + used, text, length)
        used += length
    else:
        used += repair_utf8(<const uint8_t*>text, length, <uint8_t*>self.data + used)
        self.replaced += 1
    self.data_bytes = used


cdef inline void close_list(Column* self) noexcept nogil:
    """End a row of a list column: what was put into its child since the last row is its content."""
    if self == NULL or not _room_for_one(self):
        return
    self.length += 1
    self.offsets[self.length] = <int32_t>self.children.length


cdef inline void column_clear(Column* self) noexcept nogil:
    """Give the buffers back and forget all rows."""
    cdef int64_t i
    pool_give(self.pool, self.data)
    pool_give(self.pool, self.offsets)
    pool_give(self.pool, self.present)
    pool_give(self.pool, self.bits)
    self.data = NULL
    self.offsets = NULL
    self.present = NULL
    self.bits = NULL
    self.length = 0
    self.data_bytes = 0
    for i in range(self.n_children):
        column_clear(&self.children[i])


cdef inline void column_free(Column* self) noexcept nogil:
    """Give all memory back, that of the children too."""
    cdef int64_t i
    column_clear(self)
    for i in range(self.n_children):
        column_free(&self.children[i])
    free(self.children)
    self.children = NULL
    self.n_children = 0


cdef inline int64_t column_text_bytes(const Column* self) noexcept nogil:
    """Bytes of its text, or of the longest text in its children."""
    cdef int64_t most = self.data_bytes
    cdef int64_t i
    for i in range(self.n_children):
        most = max(most, column_text_bytes(&self.children[i]))
    return most


# --- leaving ------------------------------------------------------------------------------------

cdef struct Exported:
    BufferPool* pool
    SharedBlock* shared
    void* owned[3]
    const void* buffers[3]


cdef inline void release_array(ArrowArray* array) noexcept nogil:
    """The release callback of every array we export; runs on any thread, without the GIL."""
    cdef Exported* exported = <Exported*>array.private_data
    cdef int64_t i
    for i in range(array.n_children):
        if array.children[i].release != NULL:
            array.children[i].release(array.children[i])
        free(array.children[i])
    free(array.children)
    if array.dictionary != NULL:
        if array.dictionary.release != NULL:
            array.dictionary.release(array.dictionary)
        free(array.dictionary)
    for i in range(3):
        pool_give(exported.pool, exported.owned[i])
    shared_unref(exported.shared)
    pool_unref(exported.pool)
    free(exported)
    array.release = NULL


cdef inline bint array_init(
    ArrowArray* array, BufferPool* pool, int64_t length, int64_t n_buffers, int64_t n_children
) noexcept nogil:
    """An array whose release frees what is hung on it later; False without memory."""
    cdef Exported* exported = <Exported*>calloc(1, sizeof(Exported))
    cdef int64_t i
    memset(array, 0, sizeof(ArrowArray))
    if exported == NULL:
        return False
    if n_children:
        array.children = <ArrowArray**>calloc(n_children, sizeof(ArrowArray*))
        if array.children == NULL:
            free(exported)
            return False
        for i in range(n_children):
            array.children[i] = <ArrowArray*>calloc(1, sizeof(ArrowArray))
            if array.children[i] == NULL:
                while i:
                    i -= 1
                    free(array.children[i])
                free(array.children)
                free(exported)
                return False
    if pool != NULL:
        atomic_add(&pool.references, 1)
    exported.pool = pool
    array.length = length
    array.n_buffers = n_buffers
    array.n_children = n_children
    array.buffers = exported.buffers
    array.private_data = exported
    array.release = release_array
    return True


cdef inline void _own(ArrowArray* array, int slot, void* buffer) noexcept nogil:
    (<Exported*>array.private_data).owned[slot] = buffer
    (<Exported*>array.private_data).buffers[slot] = buffer


cdef inline bint _export_words(Column* self, ArrowArray* array) noexcept nogil:
    cdef ArrowArray* values = <ArrowArray*>calloc(1, sizeof(ArrowArray))
    cdef Exported* exported
    if values == NULL or not array_init(values, NULL, self.words.count, 3, 0):
        free(values)
        return False
    exported = <Exported*>values.private_data
    exported.shared = shared_ref(self.words)
    exported.buffers[1] = self.words.offsets
    exported.buffers[2] = self.words.data
    array.dictionary = values
    return True


cdef inline void* _zeroed(Column* self, int64_t bytes) noexcept nogil:
    cdef void* buffer = pool_take(self.pool, bytes)
    if buffer != NULL:
        memset(buffer, 0, bytes)
    return buffer


cdef inline bint _export_nulls(Column* self, int64_t length, ArrowArray* array) noexcept nogil:
    """A column without a single value: every buffer is the same shared zeros, if they are enough.

    A batch may be longer than most: the frames of a generation come at once, and so does what is
    open when a trace ends.
    """
    cdef Exported* exported
    cdef void* bits
    cdef void* values
    if not array_init(array, self.pool, length, 3 if self.kind == COLUMN_TEXT else 2, 0):
        return False
    exported = <Exported*>array.private_data
    exported.shared = shared_ref(self.zeros)
    exported.buffers[0] = self.zeros.data
    exported.buffers[1] = self.zeros.data
    exported.buffers[2] = self.zeros.data
    array.null_count = length
    if (length + 1) * <int64_t>sizeof(int64_t) <= self.zeros.bytes:
        return True
    bits = _zeroed(self, bitmap_bytes(length))
    values = _zeroed(self, (length + 1) * sizeof(int64_t))
    if bits == NULL or values == NULL:
        pool_give(self.pool, bits)
        pool_give(self.pool, values)
        return False
    _own(array, 0, bits)
    _own(array, 1, values)
    return True


cdef inline bint _export_validity(Column* self, int64_t length, ArrowArray* array) noexcept nogil:
    """Write the bitmap where something is null; none is the same as all ones."""
    cdef void* values = self.data
    cdef int width = self.width
    cdef void* bits
    if self.bits != NULL:
        array.null_count = self.nulls
        if self.nulls:
            _own(array, 0, self.bits)
        else:
            pool_give(self.pool, self.bits)
        self.bits = NULL
        return True
    if self.never_null:
        return True
    if self.kind == COLUMN_UINT or self.kind == COLUMN_TEXT:
        values = self.present
        width = 1
    bits = pool_take(self.pool, bitmap_bytes(length))
    if bits == NULL:
        return False
    array.null_count = write_validity(values, width, length, <uint8_t*>bits)
    if array.null_count == 0:
        pool_give(self.pool, bits)
    else:
        _own(array, 0, bits)
    return True


cdef inline bint column_export(Column* self, int64_t length, ArrowArray* array) noexcept nogil:
    """Move the first `length` rows (all there are) into `array`; False without memory.

    A column with no rows although the batch has some is all null.
    """
    cdef void* bits
    cdef bint fine = True
    cdef bint has_rows = self.length > 0
    cdef bint has_bits = self.bits != NULL
    cdef int64_t i
    if self.kind == COLUMN_STRUCT:
        self.length = 0
        fine = array_init(array, self.pool, length, 1, self.n_children)
        for i in range(self.n_children):
            fine = fine and column_export(&self.children[i], length, array.children[i])
        return fine
    if self.kind == COLUMN_LIST:
        if not array_init(array, self.pool, length, 2, 1):
            return False
        if self.offsets != NULL:
            _own(array, 1, self.offsets)
        else:
            (<Exported*>array.private_data).shared = shared_ref(self.zeros)
            (<Exported*>array.private_data).buffers[1] = self.zeros.data
        self.offsets = NULL
        self.length = 0
        return column_export(self.children, self.children.length, array.children[0])
    if self.length == 0:
        fine = _export_nulls(self, length, array)
    else:
        if not array_init(array, self.pool, length, 3 if self.kind == COLUMN_TEXT else 2, 0):
            return False
        fine = _export_validity(self, length, array)
        if self.kind == COLUMN_TEXT:
            _own(array, 1, self.offsets)
            self.offsets = NULL
            _own(array, 2, self.data)
            if self.data == NULL:
                (<Exported*>array.private_data).shared = shared_ref(self.zeros)
                (<Exported*>array.private_data).buffers[2] = self.zeros.data
        elif self.kind == COLUMN_BOOL and fine:
            bits = pool_take(self.pool, bitmap_bytes(length))
            fine = bits != NULL
            if fine:
                pack_bools(<const int8_t*>self.data, length, <uint8_t*>bits)
                _own(array, 1, bits)
            pool_give(self.pool, self.data)
        else:
            _own(array, 1, self.data)
        self.data = NULL
        pool_give(self.pool, self.present)
        self.present = NULL
        self.length = 0
        self.data_bytes = 0
    if fine and self.words != NULL:
        if has_rows and array.null_count and not has_bits:
            _zero_null_codes(<void*>array.buffers[1], self.width, length)
        fine = _export_words(self, array)
    return fine


cdef inline void _zero_null_codes(void* codes, int width, int64_t length) noexcept nogil:
    """Under a null lies what nobody should look at, but some readers do: make it a valid code."""
    cdef int64_t i
    if width == 1:
        for i in range(length):
            (<int8_t*>codes)[i] &= ~((<int8_t*>codes)[i] >> 7)
    else:
        for i in range(length):
            (<int16_t*>codes)[i] &= ~((<int16_t*>codes)[i] >> 15)
