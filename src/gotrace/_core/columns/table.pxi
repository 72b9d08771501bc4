# Table: the columns of one table while they grow, and the batch that they leave as.
#
# The schema comes from Python (tables/schema.py is the one place that knows it); here a column is
# found by its name when the decoder is set up, and not built if nobody asked for it.
#
# Offers: Table, Batch.

cdef enum:
    TEXT_BYTES_MOST = 1 << 29   # of one text column in one batch; offsets are 32 bits

# Which set of words the dictionary columns of a name draw from.
cdef dict WORDS_OF_COLUMN = {
    "kind": "kind", "resource": "resource", "from_state": "state", "to_state": "state",
    "reason": "reason", "class": "class", "wait": "wait", "op": "op", "object": "object",
    "state": "state", "next_state": "state", "last_state": "state", "last_reason": "reason",
    "last_wait": "wait", "by_kind": "wake", "wakeups.kind": "wake",
}


cdef class Batch:
    """One Arrow record batch, to be taken once through the Arrow PyCapsule interface."""

    cdef ArrowArray array
    cdef gt_atomic taken
    cdef object schema
    cdef readonly int64_t num_rows

    def __dealloc__(self):
        if self.array.release != NULL:
            self.array.release(&self.array)

    @property
    def address(self):
        """Where its ArrowArray is, for who has the schema and moves it out at once."""
        return <uintptr_t>&self.array

    def __arrow_c_array__(self, requested_schema=None):
        """Move the batch out: `(schema capsule, array capsule)`. A second call raises."""
        cdef ArrowArray* moved
        schema = self.schema.__arrow_c_schema__()
        if not try_lock(&self.taken):       # by whichever thread comes first
            raise RuntimeError("this batch was taken before")
        moved = <ArrowArray*>malloc(sizeof(ArrowArray))
        if moved == NULL:
            raise MemoryError()
        moved[0] = self.array
        self.array.release = NULL
        return schema, PyCapsule_New(moved, "arrow_array", _delete_array_capsule)


cdef void _delete_array_capsule(object capsule) noexcept:
    cdef ArrowArray* array = <ArrowArray*>PyCapsule_GetPointer(capsule, "arrow_array")
    if array.release != NULL:
        array.release(array)
    free(array)


cdef SharedBlock* words_block(object words) except NULL:
    """The values of a dictionary as shared Arrow buffers."""
    cdef list encoded = [word.encode() for word in words]
    cdef SharedBlock* block = shared_new(sum(len(word) for word in encoded), len(encoded))
    cdef int64_t used = 0
    cdef int64_t i
    if block == NULL:
        raise MemoryError()
    for i, word in enumerate(encoded):
        memcpy(block.data + used, <const char*>(<bytes>word), len(word))
        used += len(word)
        block.offsets[i + 1] = <int32_t>used
    return block


cdef int column_init(
    Column* self, const ArrowSchema* field, BufferPool* pool, SharedBlock* zeros
) except -1:
    """Set up a column for one field of an Arrow schema."""
    cdef str format = field.format.decode()
    cdef int64_t i
    memset(self, 0, sizeof(Column))
    self.pool = pool
    self.zeros = zeros
    self.kind = COLUMN_INT
    if format == "+l" or format == "+s":
        self.kind = COLUMN_LIST if format == "+l" else COLUMN_STRUCT
        self.children = <Column*>calloc(max(field.n_children, 1), sizeof(Column))
        if self.children == NULL:
            raise MemoryError()
        for i in range(field.n_children):
            self.n_children = i + 1
            column_init(&self.children[i], field.children[i], pool, zeros)
        return 0
    if format == "u" or format == "z":
        self.kind = COLUMN_TEXT
        self.is_utf8 = format == "u"
    elif format == "b":
        self.kind = COLUMN_BOOL
        self.width = 1
    elif format == "L":
        self.kind = COLUMN_UINT
        self.width = 8
    elif format == "l" or format.startswith("tsn:"):
        self.width = 8
    elif format in ("i", "s", "c"):
        self.width = {"i": 4, "s": 2, "c": 1}[format]
    else:
        raise ValueError(f"column {field.name.decode()!r}: no Arrow format {format!r} in the core")
    return 0


cdef class Table:
    """The columns of a table that somebody asked for."""

    cdef str name
    cdef object schema
    cdef dict index             # column name -> position in `columns`
    cdef set bound              # the names that the core fills
    cdef Column* columns
    cdef int64_t n_columns
    cdef int64_t rows
    cdef int64_t limit          # of rows in a batch
    cdef list early             # batches that were full before somebody asked for them
    cdef int64_t early_bytes    # of text in them
    cdef BufferPool* pool
    cdef dict words             # set of words -> _Words
    cdef list words_of          # column -> its _Words or None, once all are bound

    def __dealloc__(self):
        cdef int64_t i
        for i in range(self.n_columns):
            column_free(&self.columns[i])
        free(self.columns)
        pool_unref(self.pool)

    @staticmethod
    cdef Table make(
        str name, object schema, BufferPool* pool, SharedBlock* zeros, dict words, int64_t limit
    ):
        cdef Table self = Table()
        cdef object capsule = schema.__arrow_c_schema__()
        cdef ArrowSchema* fields = <ArrowSchema*>PyCapsule_GetPointer(capsule, "arrow_schema")
        cdef int64_t i
        self.name = name
        self.schema = schema
        self.index = {}
        self.bound = set()
        self.early = []
        self.limit = limit
        self.words = words
        atomic_add(&pool.references, 1)
        self.pool = pool
        self.columns = <Column*>calloc(max(fields.n_children, 1), sizeof(Column))
        if self.columns == NULL:
            raise MemoryError()
        for i in range(fields.n_children):
            self.n_columns = i + 1
            column_init(&self.columns[i], fields.children[i], pool, zeros)
            self.index[fields.children[i].name.decode()] = i
        return self

    cdef Column* column(self, str name) except? NULL:
        """The column of that name, or NULL where nobody asked for it."""
        self.bound.add(name)
        if name not in self.index:
            return NULL
        return &self.columns[<int64_t>self.index[name]]

    cdef int64_t take_replaced(self) noexcept:
        """How many texts were not UTF-8 since the last call."""
        cdef int64_t i
        cdef int64_t replaced = 0
        for i in range(self.n_columns):
            replaced += self.columns[i].replaced
            self.columns[i].replaced = 0
        return replaced

    cdef int64_t text_bytes(self) noexcept:
        """Bytes of the longest text column."""
        cdef int64_t i
        cdef int64_t most = 0
        for i in range(self.n_columns):
            most = max(most, column_text_bytes(&self.columns[i]))
        return most

    cdef int end_rows(self, int64_t n) except -1:
        """So many more rows; a batch that has all the rows or text it should have is set aside.

        For who writes any number at once: a generation brings as many stacks as it likes, and a
        trace may end with anything open.
        """
        cdef int64_t text = self.text_bytes()
        self.rows += n
        if text > TEXT_BYTES_MOST or self.rows >= self.limit:
            self.early.append(self.export())
            self.early_bytes += text
        return 0

    cdef list leave(self):
        """All rows, as batches."""
        cdef list batches = self.early
        self.early = []
        self.early_bytes = 0
        if self.rows:
            batches.append(self.export())
        return batches

    cdef list _find_words(self):
        """The words of each column; ValueError for a column that nobody fills."""
        cdef list found = []
        for name in self.index:             # in the order of the columns
            if name not in self.bound:
                raise ValueError(f"the core does not fill column {name!r} of table {self.name!r}")
            words_of = WORDS_OF_COLUMN.get(f"{self.name}.{name}") or WORDS_OF_COLUMN.get(name)
            found.append(self.words.get(words_of))
        return found

    cdef Batch export(self):
        """Move all rows out as a batch."""
        cdef Batch batch = Batch()
        cdef Column* column
        cdef int64_t i
        cdef bint full = False
        cdef bint fine
        cdef object words
        if self.words_of is None:
            self.words_of = self._find_words()
        for i, words in enumerate(self.words_of):
            if words is not None:           # which may have grown
                self.columns[i].words = (<_Words>words).block
        batch.schema = self.schema
        batch.num_rows = self.rows
        fine = array_init(&batch.array, self.pool, self.rows, 1, self.n_columns)
        for i in range(self.n_columns):
            column = &self.columns[i]
            fine = fine and not column_failed(column, &full) and column_export(
                column, self.rows, batch.array.children[i]
            )
        self.rows = 0
        if full:
            from gotrace import errors

            raise errors.LimitError(f"more than 2 GiB of text in a batch of table {self.name!r}")
        if not fine:
            raise MemoryError(f"no memory for a batch of table {self.name!r}")
        return batch


cdef class _Words:
    """A dictionary of words: constant, or grown by the decoder between batches."""

    cdef SharedBlock* block
    cdef list values

    def __cinit__(self, words):
        self.values = list(words)
        self.block = words_block(self.values)

    def __dealloc__(self):
        shared_unref(self.block)

    cdef int extend(self, list words) except -1:
        cdef SharedBlock* block = words_block(self.values + words)
        shared_unref(self.block)
        self.block = block
        self.values += words
        return 0
