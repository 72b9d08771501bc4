# COLUMN -> ArrowArray: its buffers move out, nothing is copied.
#
# Offers: column_clear, column_free, column_failed, column_text_bytes, column_export, array_init.

cdef void column_clear(Column* self) noexcept nogil:
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


cdef void column_free(Column* self) noexcept nogil:
    """Give all memory back, that of the children too."""
    cdef int64_t i
    column_clear(self)
    for i in range(self.n_children):
        column_free(&self.children[i])
    free(self.children)
    self.children = NULL
    self.n_children = 0


cdef bint column_failed(const Column* self, bint* full) noexcept nogil:
    """Whether rows were dropped, in its children too; `full` if that was not for lack of memory."""
    cdef bint failed = self.failed
    cdef int64_t i
    full[0] = full[0] or self.full
    for i in range(self.n_children):
        failed = column_failed(&self.children[i], full) or failed
    return failed


cdef int64_t column_text_bytes(const Column* self) noexcept nogil:
    """Bytes of its text, or of the longest text in its children."""
    cdef int64_t most = self.data_bytes
    cdef int64_t i
    for i in range(self.n_children):
        most = max(most, column_text_bytes(&self.children[i]))
    return most


cdef struct Exported:
    BufferPool* pool
    SharedBlock* shared
    void* owned[3]
    const void* buffers[3]


cdef void release_array(ArrowArray* array) noexcept nogil:
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


cdef bint array_init(
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


cdef void _own(ArrowArray* array, int slot, void* buffer) noexcept nogil:
    (<Exported*>array.private_data).owned[slot] = buffer
    (<Exported*>array.private_data).buffers[slot] = buffer


cdef bint _export_words(Column* self, ArrowArray* array) noexcept nogil:
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


cdef void* _zeroed(Column* self, int64_t bytes) noexcept nogil:
    cdef void* buffer = pool_take(self.pool, bytes)
    if buffer != NULL:
        memset(buffer, 0, bytes)
    return buffer


cdef bint _export_nulls(Column* self, int64_t length, ArrowArray* array) noexcept nogil:
    """A column without a single value: every buffer is the same shared zeros, if they are enough.

    Where no value can be null, all are zero.

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
    array.null_count = 0 if self.never_null else length
    if self.never_null:
        exported.buffers[0] = NULL
    if (length + 1) * <int64_t>sizeof(int64_t) <= self.zeros.bytes:
        return True
    values = _zeroed(self, (length + 1) * sizeof(int64_t))
    if values == NULL:
        return False
    _own(array, 1, values)
    if self.never_null:
        return True
    bits = _zeroed(self, bitmap_bytes(length))
    if bits == NULL:
        return False
    _own(array, 0, bits)
    return True


cdef bint _export_validity(Column* self, int64_t length, ArrowArray* array) noexcept nogil:
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


cdef bint column_export(Column* self, int64_t length, ArrowArray* array) noexcept nogil:
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
        self.usual = self.length
        self.length = 0
        return column_export(self.children, self.children.length, array.children[0])
    self.usual = self.length
    self.usual_bytes = self.data_bytes
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


cdef void _zero_null_codes(void* codes, int width, int64_t length) noexcept nogil:
    """Under a null lies what nobody should look at, but some readers do: make it a valid code."""
    cdef int64_t i
    if width == 1:
        for i in range(length):
            (<int8_t*>codes)[i] &= ~((<int8_t*>codes)[i] >> 7)
    else:
        for i in range(length):
            (<int16_t*>codes)[i] &= ~((<int16_t*>codes)[i] >> 15)
