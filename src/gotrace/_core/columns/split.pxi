# Columns from arrays of structs, and those of a split of time.
#
# Offers: put_field, put_field_of, bind_lists, put_lists.

cdef inline void _copy_value(void* out, int64_t i, const uint8_t* value, int width) noexcept nogil:
    if width == 8:
        (<int64_t*>out)[i] = (<const int64_t*>value)[0]
    elif width == 4:
        (<int32_t*>out)[i] = (<const int32_t*>value)[0]
    elif width == 2:
        (<int16_t*>out)[i] = (<const int16_t*>value)[0]
    else:
        (<int8_t*>out)[i] = (<const int8_t*>value)[0]


cdef void put_field(Column* self, const void* first, int64_t stride, int64_t n) noexcept nogil:
    """A column from a field of `n` structs; `first` points at the field in the first of them."""
    cdef const uint8_t* at = <const uint8_t*>first
    cdef void* out = grow_rows(self, n)
    cdef int width = self.width if out != NULL else 0
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        _copy_value(out, i, at + i * stride, width)


cdef void put_field_of(Column* self, void** structs, const void* first, int64_t n) noexcept nogil:
    """The same where there is an array of pointers to them."""
    cdef int64_t offset = <const uint8_t*>first - <const uint8_t*>structs[0]
    cdef void* out = grow_rows(self, n)
    cdef int width = self.width if out != NULL else 0
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        _copy_value(out, i, <const uint8_t*>structs[i] + offset, width)


# --- lists of times by reason and by name -------------------------------------------------------

cdef ListColumns bind_lists(Table table):
    cdef ListColumns lists
    lists.block = table.column("block")
    lists.ranges = table.column("range")
    return lists


cdef const Text* _key_text(const Text* texts, int32_t key) noexcept nogil:
    return &texts[key] if key >= 0 else NULL


cdef bint _comes_before(const Text* a, const Text* b) noexcept nogil:
    """By text; none comes first."""
    cdef int order
    if a == NULL or b == NULL:
        return a == NULL
    order = memcmp(a.data, b.data, min(a.length, b.length))
    return order < 0 or (order == 0 and a.length < b.length)


cdef void put_shares(Column* column, Shares* shares, const Text* texts) noexcept nogil:
    """A list of (text, ns), by text and without zeros; the shares are sorted on the way."""
    cdef Column* fields
    cdef const Text* text
    cdef Text no_text
    cdef Share moved
    cdef int32_t i, j
    if column == NULL:
        return
    fields = column.children.children
    no_text.data = NULL
    no_text.length = 0
    for i in range(1, shares.count):
        moved = shares.items[i]
        text = _key_text(texts, moved.key)
        j = i
        while j > 0 and _comes_before(text, _key_text(texts, shares.items[j - 1].key)):
            shares.items[j] = shares.items[j - 1]
            j -= 1
        shares.items[j] = moved
    for i in range(shares.count):
        if shares.items[i].ns == 0:
            continue
        text = _key_text(texts, shares.items[i].key)
        put_name(&fields[0], text if text != NULL else &no_text)
        put_int(&fields[1], shares.items[i].ns)
        column.children.length += 1
    close_list(column)


cdef void put_lists(ListColumns* self, Split* split, const Lives* lives) noexcept nogil:
    put_shares(self.block, &split.block, lives.reasons.texts)
    put_shares(self.ranges, &split.ranges, lives.names.texts)
