# A leaf -> the pages of its column chunk in Parquet: how it is encoded, and what is in each page.
#
# Offers: ParquetEncoder.

cdef enum:
    MOST_DISTINCT = 1 << 17     # in a dictionary: 17 bits a code; more are no gain
    SAMPLE = 1 << 14            # values after which a dictionary is given up for differences,
    SAMPLE_GAIN = 2             # where these take so many times less,
    SAMPLE_DISTINCT = 8         # and one of so many was new: few values compress well later
    MOST_TEXT_BYTES = 1 << 20   # of the texts in a dictionary
    RECENT = 64                 # texts that are known without looking them up
    LONGEST_BOUND = 1 << 12     # bytes of a text that is told as the least or the greatest

cdef enum Encoding:             # as numbered by Parquet
    ENCODING_PLAIN = 0
    ENCODING_DELTA = 5
    ENCODING_DICTIONARY = 8


cdef struct ColumnChunk:
    Encoding encoding
    bint is_constant            # a number or a word: no codes are made
    uint32_t* codes             # of the values, in a dictionary
    int64_t code_room
    int64_t* distinct           # the numbers in it
    int64_t distinct_room
    int64_t n_distinct
    uint64_t flip               # makes numbers comparable as signed ones
    Bytes out


cdef struct Bounds:             # the least and the greatest value; none without values
    int64_t least
    int64_t greatest
    const Text* first
    const Text* last


cdef int _differences_are_less(ColumnChunk* self, const Leaf* leaf) noexcept nogil:
    """Whether the first values take much less as differences than in a dictionary; -1: no memory.
    """
    cdef int64_t in_dictionary = self.n_distinct * 8 + SAMPLE * bit_width(self.n_distinct) // 8
    if leaf.kind == LEAF_INT32:
        return False
    self.out.size = 0
    if not make_room(&self.out, deltas_room(SAMPLE)):
        return -1
    return SAMPLE_GAIN * (
        put_deltas(self.out.data, leaf.values, SAMPLE) - self.out.data
    ) < in_dictionary


cdef int chunk_number_ints(ColumnChunk* self, const Leaf* leaf, uint64_t seed) noexcept nogil:
    """Give each value a code; 1: they are no dictionary, -1: no memory."""
    cdef IdMap known
    cdef const int64_t* values = leaf.values
    cdef uint64_t* place
    cdef bint is_new
    cdef int64_t i
    cdef uint32_t code = 0
    cdef int status = 0
    memset(&known, 0, sizeof(IdMap))
    known.seed = seed
    self.n_distinct = 0
    for i in range(leaf.n_values):
        if i == 0 or values[i] != values[i - 1]:
            place = idmap_put(&known, <uint64_t>values[i], &is_new)
            if place == NULL or not reserve(
                <void**>&self.distinct, &self.distinct_room, self.n_distinct + 1, sizeof(int64_t)
            ):
                status = -1
                break
            if is_new:
                self.distinct[self.n_distinct] = values[i]
                self.n_distinct += 1
                place[0] = <uint64_t>self.n_distinct
            code = <uint32_t>place[0] - 1
        self.codes[i] = code
        if self.n_distinct > MOST_DISTINCT:
            status = 1
        elif i == SAMPLE and self.n_distinct * SAMPLE_DISTINCT > SAMPLE:
            status = _differences_are_less(self, leaf)
        if status:
            break
    idmap_clear(&known)
    return status


cdef inline bint _same_word(const char* a, const char* b) noexcept nogil:
    cdef uint64_t some, others
    memcpy(&some, a, 8)
    memcpy(&others, b, 8)
    return some == others


cdef inline bint _same_text(const Text* a, const Text* b) noexcept nogil:
    """Whether two texts are equal; inline, since most are short and many are compared."""
    cdef int64_t n = a.length
    cdef int64_t i = 0
    if n != b.length:
        return False
    while i + 8 <= n:
        if not _same_word(a.data + i, b.data + i):
            return False
        i += 8
    if n >= 8:
        return _same_word(a.data + n - 8, b.data + n - 8)
    while i < n:
        if a.data[i] != b.data[i]:
            return False
        i += 1
    return True


cdef inline int _recent_place(const Text* text) noexcept nogil:
    cdef int64_t n = text.length
    if n == 0:
        return 0
    return <int>(n + 7 * <uint8_t>text.data[n - 1] + 13 * <uint8_t>text.data[n >> 1]) % RECENT


cdef int chunk_number_texts(ColumnChunk* self, Leaf* leaf, uint64_t seed) noexcept nogil:
    """Give each text a code; 1: they are no dictionary, -1: no memory."""
    cdef const Text* recent[RECENT]
    cdef int64_t numbers[RECENT]
    cdef const Text* text
    cdef int64_t i, before, number
    cdef int64_t size = 0
    cdef int place
    memset(recent, 0, sizeof(recent))
    leaf.table.by_hash.seed = seed
    for i in range(leaf.n_values):
        text = &leaf.texts[i]
        place = _recent_place(text)
        if recent[place] == NULL or not _same_text(text, recent[place]):
            before = leaf.table.count
            number = text_number(&leaf.table, text.data, text.length)
            if number < 0:
                return -1
            size += text.length if leaf.table.count > before else 0
            if size > MOST_TEXT_BYTES or leaf.table.count > MOST_DISTINCT:
                return 1
            recent[place] = text
            numbers[place] = number
        self.codes[i] = <uint32_t>numbers[place]
    self.n_distinct = leaf.table.count
    return 0


cdef bint _is_constant(const int64_t* values, int64_t n) noexcept nogil:
    """Whether all values are the same: most columns of most traces have one that is."""
    cdef uint64_t differs = 0
    cdef int64_t i, end
    cdef int64_t start = 0
    while start < n and differs == 0:
        end = min(start + 4096, n)
        for i in range(start, end):
            differs |= <uint64_t>(values[i] ^ values[0])
        start = end
    return n > 0 and differs == 0


cdef int chunk_choose(ColumnChunk* self, Leaf* leaf, Encoding wanted, uint64_t seed) noexcept nogil:
    """Find how the values are best encoded: as wanted, if they are as expected; -1: no memory."""
    cdef bint is_text = leaf.kind == LEAF_TEXT
    cdef int status = 0
    cdef int64_t i
    self.n_distinct = 0
    self.is_constant = False
    self.encoding = wanted
    self.flip = <uint64_t>1 << 63 if leaf.kind == LEAF_UINT64 else 0
    if leaf.kind == LEAF_BOOL:
        self.encoding = ENCODING_PLAIN
    if self.encoding != ENCODING_DICTIONARY:
        return 0
    if not is_text and _is_constant(leaf.values, leaf.n_values):
        self.is_constant = True
        self.n_distinct = 1
        if not reserve(<void**>&self.distinct, &self.distinct_room, 1, sizeof(int64_t)):
            return -1
        self.distinct[0] = leaf.values[0]
        return 0
    if not reserve(<void**>&self.codes, &self.code_room, leaf.n_values, sizeof(uint32_t)):
        return -1
    if leaf.kind == LEAF_WORDS_8 or leaf.kind == LEAF_WORDS_16:
        self.n_distinct = leaf.table.count
        for i in range(leaf.n_values):
            self.codes[i] = <uint32_t>leaf.values[i]
    elif is_text:
        status = chunk_number_texts(self, leaf, seed)
    else:
        status = chunk_number_ints(self, leaf, seed)
    if status == 1:
        is_text = is_text or leaf.kind == LEAF_INT32
        self.encoding = ENCODING_PLAIN if is_text else ENCODING_DELTA
        return 0
    return status


# --- what is in a page --------------------------------------------------------------------------

cdef uint8_t* _put_plain(
    uint8_t* at, const Leaf* leaf, const int64_t* values, const Text* texts, int64_t n
) noexcept nogil:
    cdef uint64_t some[8]
    cdef int64_t i, j
    if texts != NULL:
        for i in range(n):
            at = put_fixed32(at, <uint32_t>texts[i].length)
            memcpy(at, texts[i].data, texts[i].length)
            at += texts[i].length
    elif leaf.kind == LEAF_BOOL:
        for i in range(0, n, 8):
            for j in range(8):
                some[j] = values[i + j] if i + j < n else 0
            at = pack_bits(at, some, 8, 1)
    elif leaf.kind == LEAF_INT32:
        for i in range(n):
            at = put_fixed32(at, <uint32_t>values[i])
    else:
        memcpy(at, values, n * sizeof(int64_t))
        at += n * sizeof(int64_t)
    return at


cdef int64_t _plain_room(const Text* texts, int64_t n) noexcept nogil:
    cdef int64_t size = 8 * n
    cdef int64_t i
    for i in range(n if texts != NULL else 0):
        size += texts[i].length
    return size


cdef bint chunk_put_dictionary(ColumnChunk* self, const Leaf* leaf) noexcept nogil:
    """The values that the codes stand for; False without memory."""
    cdef bint is_number = leaf.kind == LEAF_INT64 or leaf.kind == LEAF_UINT64
    cdef const Text* texts = NULL
    is_number = is_number or leaf.kind == LEAF_INT32
    if not is_number:
        texts = leaf.table.texts
    self.out.size = 0
    if not make_room(&self.out, _plain_room(texts, self.n_distinct)):
        return False
    if self.n_distinct:
        self.out.size = _put_plain(
            self.out.data, leaf, self.distinct, texts, self.n_distinct
        ) - self.out.data
    return True


cdef uint8_t* _put_levels_of_page(
    uint8_t* at, const uint8_t* levels, int64_t n, int width
) noexcept nogil:
    """Levels behind their length."""
    cdef uint8_t* end = put_codes(at + 4, levels, n, width)
    put_fixed32(at, <uint32_t>(end - at - 4))
    return end


cdef bint chunk_put_page(
    ColumnChunk* self,
    const Leaf* leaf,
    int64_t level,
    int64_t n_levels,
    int64_t value,
    int64_t n_values,
) noexcept nogil:
    """A page from so many levels and values on; False without memory."""
    cdef const Text* texts = leaf.texts + value if leaf.kind == LEAF_TEXT else NULL
    cdef int width
    cdef uint8_t* at
    self.out.size = 0
    if not make_room(
        &self.out,
        2 * n_levels + deltas_room(n_values) + 4 * PACKING_ROOM + (
            _plain_room(texts, n_values) if self.encoding == ENCODING_PLAIN else 0
        ),
    ):
        return False
    at = self.out.data
    if leaf.in_list:
        at = _put_levels_of_page(at, leaf.repetitions + level, n_levels, 1)
    if leaf.level:
        at = _put_levels_of_page(
            at, leaf.definitions + level, n_levels, bit_width(leaf.level)
        )
    if self.encoding == ENCODING_DICTIONARY:
        width = max(bit_width(self.n_distinct - 1), 1) if self.n_distinct else 0
        at[0] = <uint8_t>width
        at += 1
        if self.is_constant and n_values:
            at = put_run(at, 0, n_values, width)
        elif n_values:
            at = put_codes(at, self.codes + value, n_values, width)
    elif self.encoding == ENCODING_DELTA:
        at = put_deltas(at, leaf.values + value, n_values)
    elif n_values:
        at = _put_plain(at, leaf, leaf.values + value, texts, n_values)
    self.out.size = at - self.out.data
    return True


# --- the least and the greatest -----------------------------------------------------------------

cdef inline int _compare(const Text* a, const Text* b) noexcept nogil:
    cdef int order = memcmp(a.data, b.data, min(a.length, b.length))
    return order if order else (a.length > b.length) - (a.length < b.length)


cdef void _widen_bounds(Bounds* self, const Text* text) noexcept nogil:
    if self.first == NULL or _compare(text, self.first) < 0:
        self.first = text
    if self.last == NULL or _compare(text, self.last) > 0:
        self.last = text


cdef void chunk_bounds(
    const ColumnChunk* self, const Leaf* leaf, int64_t start, int64_t n, uint8_t* seen, Bounds* out
) noexcept nogil:
    """Look through some values; `seen` has a byte for each text of a dictionary."""
    cdef int64_t least = INT64_MAX
    cdef int64_t greatest = INT64_MIN
    cdef const int64_t* values = leaf.values + start
    cdef int64_t i, value
    memset(out, 0, sizeof(Bounds))
    if self.is_constant:
        out.least = out.greatest = self.distinct[0]
        out.first = out.last = leaf.table.texts if leaf.kind > LEAF_TEXT else NULL
    elif leaf.kind < LEAF_TEXT:
        for i in range(n):
            value = <int64_t>(<uint64_t>values[i] ^ self.flip)
            least = min(least, value)
            greatest = max(greatest, value)
        out.least = <int64_t>(<uint64_t>least ^ self.flip)
        out.greatest = <int64_t>(<uint64_t>greatest ^ self.flip)
    elif self.encoding == ENCODING_PLAIN:
        for i in range(n):
            _widen_bounds(out, &leaf.texts[start + i])
    else:
        memset(seen, 0, self.n_distinct)
        for i in range(n):
            seen[self.codes[start + i]] = True
        for i in range(self.n_distinct):
            if seen[i]:
                _widen_bounds(out, &leaf.table.texts[i])


cdef object _bound(const Leaf* leaf, int64_t number, const Text* text):
    """A bound as Parquet writes it; None for one that is too long to be told."""
    if text != NULL:
        return (<const char*>text.data)[:text.length] if text.length <= LONGEST_BOUND else None
    if leaf.kind == LEAF_BOOL:
        return (<const char*>&number)[:1]
    return (<const char*>&number)[:4 if leaf.kind == LEAF_INT32 else 8]


cdef int64_t _count_equal(const uint8_t* levels, int64_t n, int level) noexcept nogil:
    cdef int64_t count = 0
    cdef int64_t start, i
    cdef uint8_t some
    for start in range(0, n, 128):
        some = 0
        for i in range(start, min(start + 128, n)):
            some += levels[i] == level
        count += some
    return count


# --- the face -----------------------------------------------------------------------------------

cdef class ParquetEncoder(Owned):
    """Encodes leaf columns, one after the other, over the same scratch memory."""

    cdef Leaf leaf
    cdef ColumnChunk chunk
    cdef uint8_t* seen
    cdef int64_t seen_room
    cdef uint64_t seed

    def __cinit__(self):
        self.seed = int.from_bytes(os.urandom(8), "little")

    def __dealloc__(self):
        leaf_clear(&self.leaf)
        free(self.chunk.codes)
        free(self.chunk.distinct)
        bytes_clear(&self.chunk.out)
        free(self.seen)

    def encode(
        self,
        ParquetRows rows,
        str kind,
        *,
        Py_ssize_t column,
        Py_ssize_t field=-1,
        bint nullable=False,
        bint in_list=False,
        bint list_nullable=False,
        int encoding=ENCODING_DICTIONARY,
        int64_t page_levels=1 << 16,
    ):
        """Encode a leaf of the batches: `(encoding, dictionary, pages)`.

        `dictionary` is (bytes, entries) or None. A page is (bytes, levels, rows, nulls, least,
        greatest), a bound None where there is none, or where it is too long. `encoding` is the one
        wanted, by Parquet's number; what does not suit the values is not taken.
        """
        cdef Leaf* leaf = &self.leaf
        cdef int number = LEAF_KINDS.index(kind)
        cdef int status
        self.enter()
        try:
            leaf.kind = <LeafKind>number
            leaf.column, leaf.field = column, field
            leaf.nullable, leaf.in_list = nullable, in_list
            leaf.list_level = in_list and list_nullable
            leaf.level = leaf.list_level + in_list + nullable
            with nogil:
                status = leaf_gather(leaf, rows.arrays, rows.count)
                if status == 0:
                    status = chunk_choose(&self.chunk, leaf, <Encoding>encoding, self.seed)
            if status == -2:
                raise ValueError("a null, or a code without a word, in a column that has none")
            if status < 0:
                raise MemoryError
            return self._all(page_levels)
        finally:
            texts_clear(&leaf.table)
            self.leave()

    cdef tuple _all(self, int64_t page_levels):
        cdef ColumnChunk* chunk = &self.chunk
        cdef Leaf* leaf = &self.leaf
        cdef list pages = []
        cdef int64_t level = 0
        cdef int64_t value = 0
        cdef int64_t end
        dictionary = None
        if chunk.encoding == ENCODING_DICTIONARY:
            if not chunk_put_dictionary(chunk, leaf):
                raise MemoryError
            dictionary = (self._out(), chunk.n_distinct)
            if not reserve(<void**>&self.seen, &self.seen_room, chunk.n_distinct, 1):
                raise MemoryError
        if leaf.n_values == 0 or (chunk.is_constant and leaf.n_values == leaf.n_levels):
            page_levels = leaf.n_levels     # nothing that a reader could skip
        while level < leaf.n_levels:
            end = min(level + page_levels, leaf.n_levels)
            while leaf.in_list and end < leaf.n_levels and leaf.repetitions[end]:
                end += 1
            pages.append(self._page(level, end, &value))
            level = end
        return <int>chunk.encoding, dictionary, pages

    cdef tuple _page(self, int64_t level, int64_t end, int64_t* value):
        """The page of some levels, and where it stops in the values."""
        cdef const Leaf* leaf = &self.leaf
        cdef int64_t n = end - level
        cdef int64_t start = value[0]
        cdef int64_t count = 0
        cdef int64_t rows = 0
        cdef Bounds bounds
        cdef bint done
        cdef int64_t i
        with nogil:
            count = n
            if leaf.n_values < leaf.n_levels:
                count = _count_equal(leaf.definitions + level, n, leaf.level)
            for i in range(level, end if leaf.in_list else level):
                rows += leaf.repetitions[i] == 0
            done = chunk_put_page(&self.chunk, leaf, level, n, start, count)
            chunk_bounds(&self.chunk, leaf, start, count, self.seen, &bounds)
        if not done:
            raise MemoryError
        value[0] += count
        least = greatest = None
        if count:
            least = _bound(leaf, bounds.least, bounds.first)
            greatest = _bound(leaf, bounds.greatest, bounds.last)
        return self._out(), n, rows if leaf.in_list else n, n - count, least, greatest

    cdef bytes _out(self):
        return (<const char*>self.chunk.out.data)[:self.chunk.out.size]
