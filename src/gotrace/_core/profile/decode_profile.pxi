# One profile.proto message to columns of numbers: all fields, then what they name.
#
# Offers: decode_profile, profile_end, number_stacks.

cdef enum:
    MOST_ROOM_AT_FIRST = 1 << 25        # numbers


cdef int top_field(
    RawProfile* self, const Field* field, const uint8_t* at, const uint8_t* safe
) noexcept nogil:
    cdef int64_t values[10]
    cdef int number = <int>field.number if field.number <= 15 else 0
    cdef int n_values = 0
    cdef int first = 0
    cdef int i
    if number == 0:
        return 0
    if number == 13:
        return numbers_field(self, field, L_COMMENTS, at, safe)
    if 7 <= number and number != 11:
        if expect(self, field, WIRE_VARINT, at) < 0:
            return -1
        self.lists[L_SCALARS].items[number] = <int64_t>field.value
        return 0
    if expect(self, field, WIRE_BYTES, at) < 0:
        return -1
    if number == 2:
        return sample_message(self, field, safe)
    if number == 4:
        return location_message(self, field, safe)
    if number == 6:
        if put(self, L_STRING_AT, field.data - self.base) < 0:
            return -1
        return put(self, L_STRING_SIZE, field.data_end - field.data)
    if number == 1 or number == 11:
        n_values, first = 2, L_TYPE
    elif number == 3:
        n_values, first = 10, L_MAPPING
    else:
        n_values, first = 5, L_FUNCTION
    if scalars_message(self, field, safe, values, n_values) < 0:
        return -1
    if number == 11:
        self.lists[L_SCALARS].items[11] = values[0]
        self.lists[L_SCALARS].items[0] = values[1]     # its unit: there is no field 0
        return 0
    for i in range(n_values):
        if put(self, first + i, values[i]) < 0:
            return -1
    return 0


cdef struct Border:
    # What tells where the next of several profiles begins. A message has no length of its own. The
    # next one has begun when value types come again although strings came since; the
    # header fields and strings right before that, which repeat what was there, belong to it too.
    uint64_t seen               # a bit per field
    uint64_t last
    const uint8_t* tail         # the first of such fields


cdef inline const uint8_t* pass_field(
    Border* self, const Field* field, const uint8_t* at
) noexcept nogil:
    """Look at the next field, which begins at `at`: where the next profile begins, or NULL."""
    cdef uint64_t number = field.number
    if number == 2:
        self.tail = NULL
    elif number == 1:
        if self.seen & 2 and self.seen & 64 and self.last != 1:
            return self.tail if self.tail != NULL else at
        self.tail = NULL
    elif number == 6:
        if self.last != 6:
            self.tail = at if self.seen & 64 and field.data_end == field.data else NULL
    elif number < 6 or number == 13 or number > 15:
        self.tail = NULL
    elif self.tail == NULL and self.seen >> number & 1:
        self.tail = at
    if number < 64:
        self.seen |= <uint64_t>1 << number
    self.last = number
    return NULL


cdef int check_strings(RawProfile* self, int which) noexcept nogil:
    cdef const Numbers* indices = &self.lists[which]
    cdef uint64_t count = <uint64_t>self.lists[L_STRING_END].count
    cdef int64_t i
    for i in range(indices.count):
        if <uint64_t>indices.items[i] >= count:
            return profile_fault(
                self, PROFILE_STRING, self.base, <uint64_t>indices.items[i], count
            )
    return 0 if goes_on(self, 8 * indices.count) else -1


cdef bint is_string_list(int which) noexcept nogil:
    """Whether the numbers are indices into the string table."""
    return (
        L_TYPE <= which <= L_TYPE_UNIT
        or L_SET_KEY <= which <= L_SET_STR
        or which == L_SET_UNIT
        or L_MAPPING + 4 <= which <= L_MAPPING + 5
        or L_FUNCTION + 1 <= which <= L_FUNCTION + 3
        or which == L_COMMENTS
    )


cdef int check_all_strings(RawProfile* self) noexcept nogil:
    cdef const int64_t* scalars = self.lists[L_SCALARS].items
    cdef uint64_t count = <uint64_t>self.lists[L_STRING_END].count
    cdef int i
    for i in range(PROFILE_LISTS):
        if is_string_list(i) and check_strings(self, i) < 0:
            return -1
    for i in range(16):
        if i == 9 or i == 10 or i == 12:            # time, duration, period
            continue
        if <uint64_t>scalars[i] >= count:
            return profile_fault(self, PROFILE_STRING, self.base, <uint64_t>scalars[i], count)
    return 0


cdef int copy_strings(RawProfile* self) noexcept nogil:
    """All strings as UTF-8, one behind the other; broken bytes become U+FFFD."""
    cdef const Numbers* starts = &self.lists[L_STRING_AT]
    cdef const Numbers* sizes = &self.lists[L_STRING_SIZE]
    cdef int64_t room = 1
    cdef int64_t used = 0
    cdef int64_t i, size
    cdef const uint8_t* text
    if sizes.count and sizes.items[0]:
        return profile_fault(self, PROFILE_FIRST_STRING, self.base + starts.items[0], 0, 0)
    for i in range(sizes.count):
        size = sizes.items[i]
        room += size if is_utf8(self.base + starts.items[i], size) else 3 * size
        if not goes_on(self, size):
            return -1
    if self.memory + room > self.max_memory:
        return profile_fault(self, PROFILE_MEMORY, self.base, <uint64_t>self.max_memory, 0)
    self.text = <uint8_t*>malloc(room)
    if self.text == NULL:
        return profile_fault(self, PROFILE_NO_MEMORY, self.base, 0, 0)
    for i in range(sizes.count):
        size = sizes.items[i]
        text = self.base + starts.items[i]
        if is_utf8(text, size):
            memcpy(self.text + used, text, size)
            used += size
        else:
            used += repair_utf8(text, size, self.text + used)
            self.replaced += 1
        if put(self, L_STRING_END, used) < 0 or not goes_on(self, size):
            return -1
    self.text_bytes = used
    if sizes.count == 0:                # a profile without a single text
        return put(self, L_STRING_END, 0)
    return 0


cdef int check_ids(RawProfile* self) noexcept nogil:
    """Every id that is named is one of a table; lines get the rows of their functions."""
    cdef RowsById locations, functions, mappings
    cdef int64_t twice = 0
    cdef int64_t i, unknown
    cdef int code
    memset(&locations, 0, sizeof(RowsById))
    memset(&functions, 0, sizeof(RowsById))
    memset(&mappings, 0, sizeof(RowsById))
    code = rows_by_id(
        &locations, self.lists[L_LOCATION].items, self.lists[L_LOCATION].count, self.seed, &twice
    )
    if code == PROFILE_FINE:
        code = rows_by_id(
            &functions, self.lists[L_FUNCTION].items, self.lists[L_FUNCTION].count, self.seed,
            &twice,
        )
    if code == PROFILE_FINE:        # one that a location names may be missing, as for google/pprof
        code = rows_by_id(
            &mappings, self.lists[L_MAPPING].items, self.lists[L_MAPPING].count, self.seed, &twice
        )
    if code == PROFILE_FINE:
        unknown = first_unknown(
            &locations, self.lists[L_REFS].items, self.lists[L_REFS].count, self.most_ref
        )
        if unknown >= 0:
            code, twice = PROFILE_LOCATION, self.lists[L_REFS].items[unknown]
    for i in range(self.lists[L_LINE_FUNCTION].count if code == PROFILE_FINE else 0):
        if put(
            self, L_LINE_ROW, row_of(&functions, self.lists[L_LINE_FUNCTION].items[i])
        ) < 0:
            break
        if self.lists[L_LINE_ROW].items[i] < 0:
            code, twice = PROFILE_FUNCTION, self.lists[L_LINE_FUNCTION].items[i]
            break
    free_rows_by_id(&locations)
    free_rows_by_id(&functions)
    free_rows_by_id(&mappings)
    if code != PROFILE_FINE:
        return profile_fault(self, code, self.base, <uint64_t>twice, 0)
    return 0 if self.fault == PROFILE_FINE else -1


cdef int check_values(RawProfile* self) noexcept nogil:
    cdef int64_t types = self.lists[L_TYPE].count
    cdef int64_t width = self.width
    if self.lists[L_SAMPLE_REFS].count == 0:
        return 0
    if width == types and self.odd_sample:
        width = self.odd_width
    if width == types:
        return 0
    return profile_fault(self, PROFILE_VALUES, self.base, <uint64_t>width, <uint64_t>types)


cdef int decode_message(RawProfile* self, const uint8_t* data, int64_t size) noexcept nogil:
    """Decode the first message of the data; `self.next` says where another one begins."""
    cdef const uint8_t* at = data
    cdef const uint8_t* end = data + size
    cdef const uint8_t* safe = end - 10 if size >= 10 else NULL
    cdef Border border = Border(0, 0, NULL)
    cdef Field field
    cdef int i
    for i in range(16):
        if put(self, L_SCALARS, 0) < 0:
            return -1
    # Locations of samples are most of a profile; memory that is never touched costs nothing.
    if not room_for(self, L_REFS, min(size // 2, MOST_ROOM_AT_FIRST)):
        return -1
    while at < end:
        field = profile_field(self, at, end, safe)
        if field.at == NULL:
            return -1
        self.next = pass_field(&border, &field, at)
        if self.next != NULL:
            return 0
        if top_field(self, &field, at, safe) < 0 or not goes_on(self, field.at - at):
            return -1
        at = field.at
    if (
        copy_strings(self) < 0
        or check_values(self) < 0
        or check_ids(self) < 0
        or check_all_strings(self) < 0
    ):
        return -1
    return 0


cdef class NumberBlock:
    """Numbers of 64 bits, or of 32, that Arrow may hold on to: a read-only buffer."""

    cdef int64_t* items
    cdef readonly int64_t length
    cdef readonly bint narrow

    def __dealloc__(self):
        free(self.items)

    def __getbuffer__(self, Py_buffer* view, int flags):
        cdef int64_t size = sizeof(int32_t) if self.narrow else sizeof(int64_t)
        PyBuffer_FillInfo(view, self, self.items, self.length * size, 1, flags)

    def __len__(self):
        return self.length

    @staticmethod
    def copy_of(const int64_t[::1] numbers) -> NumberBlock:
        """Make a block with the numbers of an array."""
        cdef Numbers copied = Numbers(NULL, 0, 0)
        if numbers.shape[0]:
            copied.items = <int64_t*>malloc(numbers.shape[0] * sizeof(int64_t))
            if copied.items == NULL:
                raise MemoryError
            memcpy(copied.items, &numbers[0], numbers.shape[0] * sizeof(int64_t))
            copied.count = numbers.shape[0]
        return number_block(&copied)


cdef NumberBlock number_block(Numbers* numbers):
    """Take numbers over."""
    cdef NumberBlock block = NumberBlock()
    block.items = numbers.items
    block.length = numbers.count
    numbers.items = NULL
    if block.items == NULL:             # Arrow wants an address for nothing too
        block.items = <int64_t*>calloc(1, sizeof(int64_t))
        if block.items == NULL:
            raise MemoryError()
    return block


cdef void begin_profile(RawProfile* self, const uint8_t* base, int64_t max_memory, uint64_t seed):
    free_raw_profile(self)
    memset(self, 0, sizeof(RawProfile))
    self.max_memory = max_memory
    self.base = base
    self.seed = self.set_by_hash.seed = self.set_by_bytes.seed = seed


def decode_profile(data, int64_t start, int64_t max_memory) -> dict:
    """Decode the profile that begins at `start` to lists of numbers, by name, and its strings.

    `end` says where it ends: several may stand one behind the other. Raises FormatError with the
    offset in `data`, TruncatedError, LimitError, MemoryError.
    """
    cdef RawProfile raw
    cdef Py_buffer view
    cdef dict out = {}
    cdef uint64_t seed = int.from_bytes(os.urandom(8), "little")
    cdef int64_t end
    cdef int status, i
    memset(&raw, 0, sizeof(RawProfile))
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        end = view.len
        if not 0 <= start <= end:
            raise ValueError("no such part of the data")
        begin_profile(&raw, <const uint8_t*>view.buf + start, max_memory, seed)
        with nogil:
            status = decode_message(&raw, raw.base, end - start)
        if status == 0 and raw.next != NULL:
            # Fields of the next one were read as if they were this one's: once more, up to there.
            end = start + (raw.next - raw.base)
            begin_profile(&raw, raw.base, max_memory, seed)
            with nogil:
                status = decode_message(&raw, raw.base, end - start)
        if status < 0:
            raise_profile_fault(&raw, start)
        for i in range(PROFILE_LISTS):
            out[PROFILE_LIST_NAMES[i]] = number_block(&raw.lists[i])
        used = raw.text_bytes
        out["text"] = raw.text[:used] if raw.text != NULL else b""
        out["replaced"] = raw.replaced
        out["end"] = end
        return out
    finally:
        PyBuffer_Release(&view)
        free_raw_profile(&raw)


cdef const uint8_t* find_next(const uint8_t* data, int64_t size) noexcept nogil:
    cdef const uint8_t* at = data
    cdef const uint8_t* end = data + size
    cdef const uint8_t* safe = end - 10 if size >= 10 else NULL
    cdef const uint8_t* next
    cdef Border border = Border(0, 0, NULL)
    cdef Field field
    while at < end:
        field = read_field(at, end, safe)
        if field.at == NULL:
            break
        next = pass_field(&border, &field, at)
        if next != NULL:
            return next
        at = field.at
    return end


def profile_end(data, int64_t start) -> int:
    """Where the profile that begins at `start` ends, whatever is wrong inside its fields."""
    cdef Py_buffer view
    cdef const uint8_t* next
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        if not 0 <= start <= view.len:
            raise ValueError("no such part of the data")
        with nogil:
            next = find_next(<const uint8_t*>view.buf + start, view.len - start)
        return next - <const uint8_t*>view.buf
    finally:
        PyBuffer_Release(&view)
