"""Column: one growing Arrow column.

Its buffers come from the decoder's pool; `column_export` hands them to the ArrowArray and leaves
the column empty. Nothing here raises: without memory a column is marked `failed`, its rows are
dropped, and the table that owns it reports that when it is exported.
"""

from libc.stdint cimport INT32_MAX, int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from gotrace._core.columns.utf8 cimport is_utf8, repair_utf8
from gotrace._core.memory.pool cimport BufferPool, buffer_capacity, pool_give, pool_take
from gotrace._core.memory.shared cimport SharedBlock


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
    bint failed                 # no memory,
    bint full                   # or more than a column can hold
    bint never_null
    int64_t replaced            # texts that had to be repaired since the last export
    int64_t length              # rows
    int64_t usual               # rows of the last batch: the next one will have as many
    int64_t usual_bytes         # COLUMN_TEXT: and as many bytes
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


cdef inline void* grow_rows(Column* self, int64_t n) noexcept nogil:
    """Room for `n` more values; where they begin, NULL if nobody wants them."""
    cdef int64_t used
    if self == NULL:
        return NULL
    used = self.length
    self.data = _grown(
        self, self.data, used * self.width, (used + n if used else max(n, self.usual)) * self.width
    )
    if self.failed:
        return NULL
    self.length += n
    return <uint8_t*>self.data + used * self.width


cdef inline void _begin_column(Column* self) noexcept nogil:
    """Room for as much as there was in the last batch."""
    if self.kind == COLUMN_TEXT or self.kind == COLUMN_LIST:
        self.offsets = <int32_t*>_grown(self, self.offsets, 0, (self.usual + 1) * 4)
        self.data = _grown(self, self.data, 0, self.usual_bytes)
    else:
        self.data = _grown(self, self.data, 0, self.usual * self.width)
    if self.kind == COLUMN_UINT or self.kind == COLUMN_TEXT:
        self.present = <int8_t*>_grown(self, self.present, 0, self.usual)


cdef inline bint _room_for_one(Column* self) noexcept nogil:
    cdef int64_t n = self.length
    if n == 0 and self.usual:
        _begin_column(self)
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
    append_seen_text(self, text, length, not self.is_utf8 or is_utf8(<const uint8_t*>text, length))


cdef inline void append_seen_text(
    Column* self, const char* text, int64_t length, bint sound
) noexcept nogil:
    """The same for a text of which somebody knows whether it is `sound`."""
    cdef int64_t used = self.data_bytes
    if length <= 0:
        return
    if used + 3 * length > INT32_MAX:       # offsets are 32 bits
        self.failed = True
        self.full = True
        return
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
    cdef int64_t n
    if self == NULL:
        return
    n = self.length
    if (n == 0 or (n + 2) * 4 > buffer_capacity(self.offsets)) and not _room_for_one(self):
        return
    if self.children.length > INT32_MAX:
        self.failed = True
        self.full = True
    self.length = n + 1
    self.offsets[n + 1] = <int32_t>self.children.length
