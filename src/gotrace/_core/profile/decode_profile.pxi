# One profile.proto message to columns of numbers.
#
# Fields and tables come in any order (Go puts the string table last), so everything is kept as the
# raw numbers of the wire and ids are looked up when the message is through. What is equal in a file
# is told apart once: stacks by their list of locations, labels by their list of fields.
#
# Offers: decode_profile, profile_end.

cdef enum:                      # the lists of a profile
    L_TYPE, L_TYPE_UNIT,
    L_SAMPLE_REFS, L_REFS, L_SAMPLE_VALUES, L_VALUES, L_SAMPLE_SET, L_SAMPLE_STACK,
    L_SET_END, L_SET_KEY, L_SET_STR, L_SET_NUM, L_SET_UNIT,
    L_STACK_END, L_STACK_ROWS,
    L_MAPPING,                  # ten lists, in the order of the fields
    L_LOCATION = L_MAPPING + 10,
    L_LOCATION_MAPPING, L_LOCATION_ADDRESS, L_LOCATION_LINES, L_LOCATION_FOLDED,
    L_LINE_FUNCTION, L_LINE, L_LINE_COLUMN, L_LINE_ROW,
    L_FUNCTION,                 # five lists, in the order of the fields
    L_STRING_END = L_FUNCTION + 5,
    L_COMMENTS,
    L_SCALARS,                  # by field number, 0 to 15
    PROFILE_LISTS

cdef tuple PROFILE_LIST_NAMES = (
    "type", "type_unit",
    "sample_refs", "refs", "sample_values", "values", "sample_set", "sample_stack",
    "set_end", "set_key", "set_str", "set_num", "set_unit",
    "stack_end", "stack_rows",
    "mapping_id", "memory_start", "memory_limit", "file_offset", "mapping_file", "build_id",
    "has_functions", "has_filenames", "has_line_numbers", "has_inline_frames",
    "location_id", "location_mapping", "address", "location_lines", "is_folded",
    "line_function", "line", "column", "line_row",
    "function_id", "function_name", "system_name", "function_file", "start_line",
    "string_end", "comments", "scalars",
)

cdef dict PROFILE_FAULT_TEXTS = {
    PROFILE_SHORT: "a field ends behind its message",
    PROFILE_VARINT: "a number is longer than 64 bits",
    PROFILE_WIRE_TYPE: "field {b} has wire type {a}, which profiles never have",
    PROFILE_KNOWN_FIELD: "field {b} has wire type {a}, which it can't have",
    PROFILE_STRING: "string {a} is named, of a table of {b}",
    PROFILE_FIRST_STRING: "the first string is not empty",
    PROFILE_VALUES: "a sample has {a} values, the profile {b} types of values",
    PROFILE_ID_ZERO: "an id is 0, which stands for none",
    PROFILE_ID_TWICE: "id {a} is defined twice",
    PROFILE_LOCATION: "location {a} is named, which is not defined",
    PROFILE_FUNCTION: "function {a} is named, which is not defined",
    PROFILE_MEMORY: "the profile would need more than the memory limit of {a} bytes",
    PROFILE_NO_MEMORY: "no memory is left",
}

cdef struct RawProfile:
    Numbers lists[PROFILE_LISTS]
    Numbers string_start        # into the input
    Numbers string_size
    Numbers labels              # of the sample at hand: key, str, num, unit
    IdMap set_by_hash
    IdMap stack_by_hash
    IdMap location_rows         # row + 1
    IdMap function_rows
    uint8_t* text               # all strings, one behind the other, as UTF-8
    int64_t text_bytes
    int64_t replaced
    const uint8_t* base
    int fault
    int64_t offset
    uint64_t a
    uint64_t b
    int64_t max_memory


cdef int profile_fault(
    RawProfile* self, int code, const uint8_t* at, uint64_t a, uint64_t b
) noexcept nogil:
    if self.fault == PROFILE_FINE:
        self.fault = code
        self.offset = at - self.base
        self.a = a
        self.b = b
    return -1


cdef inline int profile_push(RawProfile* self, int which, int64_t value) noexcept nogil:
    if not push(&self.lists[which], value):
        return profile_fault(self, PROFILE_NO_MEMORY, self.base, 0, 0)
    return 0


cdef int profile_field(RawProfile* self, Reader* reader, Field* field) noexcept nogil:
    cdef const uint8_t* at = reader.at
    cdef int code = next_field(reader, field)
    if code != PROFILE_FINE:
        return profile_fault(self, code, at, <uint64_t>field.wire, field.number)
    return 0


cdef int expect(
    RawProfile* self, const Field* field, int wire, const uint8_t* at
) noexcept nogil:
    if field.wire != wire:
        return profile_fault(self, PROFILE_KNOWN_FIELD, at, <uint64_t>field.wire, field.number)
    return 0


cdef int numbers_field(
    RawProfile* self, const Field* field, Numbers* into, const uint8_t* at
) noexcept nogil:
    """A repeated number: packed or not, and both may come in one message."""
    cdef Reader reader
    if field.wire == WIRE_VARINT:
        if not push(into, <int64_t>field.value):
            return profile_fault(self, PROFILE_NO_MEMORY, at, 0, 0)
        return 0
    if expect(self, field, WIRE_BYTES, at) < 0:
        return -1
    reader = reader_over(field.data, field.size)
    while reader.at < reader.end:
        if not push(into, <int64_t>read_uvarint(&reader)):
            return profile_fault(self, PROFILE_NO_MEMORY, at, 0, 0)
    if reader.state != READER_FINE:
        return profile_fault(self, reader_fault(&reader), at, 0, 0)
    return 0


cdef int scalars_message(
    RawProfile* self, const Field* message, int64_t* values, int n_values
) noexcept nogil:
    """A message of nothing but single numbers: the last of each counts, 0 where there is none."""
    cdef Reader reader = reader_over(message.data, message.size)
    cdef Field field
    cdef const uint8_t* at
    memset(values, 0, n_values * sizeof(int64_t))
    while reader.at < reader.end:
        at = reader.at
        if profile_field(self, &reader, &field) < 0:
            return -1
        if 1 <= field.number <= <uint64_t>n_values:
            if expect(self, &field, WIRE_VARINT, at) < 0:
                return -1
            values[field.number - 1] = <int64_t>field.value
    return 0


cdef int location_message(RawProfile* self, const Field* message) noexcept nogil:
    cdef Reader reader = reader_over(message.data, message.size)
    cdef Field field
    cdef int64_t values[6]
    cdef int64_t line[3]
    cdef const uint8_t* at
    cdef int i
    memset(values, 0, sizeof(values))
    while reader.at < reader.end:
        at = reader.at
        if profile_field(self, &reader, &field) < 0:
            return -1
        if field.number == 4:
            if (
                expect(self, &field, WIRE_BYTES, at) < 0
                or scalars_message(self, &field, line, 3) < 0
            ):
                return -1
            for i in range(3):
                if profile_push(self, L_LINE_FUNCTION + i, line[i]) < 0:
                    return -1
        elif 1 <= field.number <= 5:
            if expect(self, &field, WIRE_VARINT, at) < 0:
                return -1
            values[field.number] = <int64_t>field.value
    values[4] = self.lists[L_LINE_FUNCTION].count
    for i in range(1, 6):
        if profile_push(self, L_LOCATION + i - 1, values[i]) < 0:
            return -1
    return 0


cdef int sample_message(RawProfile* self, const Field* message) noexcept nogil:
    cdef Reader reader = reader_over(message.data, message.size)
    cdef Field field
    cdef int64_t label[4]
    cdef const uint8_t* at
    cdef int status = 0
    cdef int i
    self.labels.count = 0
    while reader.at < reader.end and status == 0:
        at = reader.at
        status = profile_field(self, &reader, &field)
        if status < 0:
            break
        if field.number == 1:
            status = numbers_field(self, &field, &self.lists[L_REFS], at)
        elif field.number == 2:
            status = numbers_field(self, &field, &self.lists[L_VALUES], at)
        elif field.number == 3:
            if (
                expect(self, &field, WIRE_BYTES, at) < 0
                or scalars_message(self, &field, label, 4) < 0
            ):
                return -1
            for i in range(4):
                if not push(&self.labels, label[i]):
                    return profile_fault(self, PROFILE_NO_MEMORY, at, 0, 0)
    if status < 0:
        return -1
    if (
        profile_push(self, L_SAMPLE_REFS, self.lists[L_REFS].count) < 0
        or profile_push(self, L_SAMPLE_VALUES, self.lists[L_VALUES].count) < 0
    ):
        return -1
    return profile_push(self, L_SAMPLE_SET, label_set(self))


cdef uint64_t hash_numbers(const int64_t* numbers, int64_t count) noexcept nogil:
    cdef uint64_t hash = mix(<uint64_t>count)
    cdef int64_t i
    for i in range(count):
        hash = mix(hash ^ <uint64_t>numbers[i])
    return hash


cdef int64_t label_set(RawProfile* self) noexcept nogil:
    """The number of the labels at hand, a new one if they are new; NULL_ID for none."""
    cdef int64_t n = self.labels.count // 4
    cdef uint64_t hash = hash_numbers(self.labels.items, self.labels.count)
    cdef uint64_t* place
    cdef int64_t number, start, i
    cdef int j
    cdef bint is_new, same
    if n == 0:
        return NULL_ID
    while True:
        place = idmap_put(&self.set_by_hash, hash, &is_new)
        if place == NULL:
            return profile_fault(self, PROFILE_NO_MEMORY, self.base, 0, 0)
        if is_new:
            break
        number = <int64_t>place[0] - 1
        start = self.lists[L_SET_END].items[number - 1] if number else 0
        same = self.lists[L_SET_END].items[number] - start == n
        for i in range(n if same else 0):
            for j in range(4):
                if self.lists[L_SET_KEY + j].items[start + i] != self.labels.items[4 * i + j]:
                    same = False
        if same:
            return number
        hash += 1
    place[0] = <uint64_t>self.lists[L_SET_END].count + 1
    for i in range(n):
        for j in range(4):
            profile_push(self, L_SET_KEY + j, self.labels.items[4 * i + j])
    profile_push(self, L_SET_END, self.lists[L_SET_KEY].count)
    return self.lists[L_SET_END].count - 1


cdef int top_field(RawProfile* self, const Field* field, const uint8_t* at) noexcept nogil:
    cdef int64_t values[10]
    cdef int number = <int>field.number if field.number <= 15 else 0
    cdef int i
    cdef int n_values = 0
    cdef int first = 0
    if number == 0:
        return 0
    if number == 13:
        return numbers_field(self, field, &self.lists[L_COMMENTS], at)
    if 7 <= number and number != 11:
        if expect(self, field, WIRE_VARINT, at) < 0:
            return -1
        self.lists[L_SCALARS].items[number] = <int64_t>field.value
        return 0
    if expect(self, field, WIRE_BYTES, at) < 0:
        return -1
    if number == 2:
        return sample_message(self, field)
    if number == 4:
        return location_message(self, field)
    if number == 6:
        if (
            not push(&self.string_start, field.data - self.base)
            or not push(&self.string_size, field.size)
        ):
            return profile_fault(self, PROFILE_NO_MEMORY, at, 0, 0)
        return 0
    if number == 1 or number == 11:
        n_values, first = 2, L_TYPE
    elif number == 3:
        n_values, first = 10, L_MAPPING
    else:
        n_values, first = 5, L_FUNCTION
    if scalars_message(self, field, values, n_values) < 0:
        return -1
    if number == 11:
        self.lists[L_SCALARS].items[11] = values[0]
        self.lists[L_SCALARS].items[0] = values[1]     # its unit: there is no field 0
        return 0
    for i in range(n_values):
        if profile_push(self, first + i, values[i]) < 0:
            return -1
    return 0


cdef int64_t profile_memory(const RawProfile* self) noexcept nogil:
    cdef int64_t rooms = self.string_start.room + self.string_size.room
    cdef int i
    for i in range(PROFILE_LISTS):
        rooms += self.lists[i].room
    return 8 * rooms + idmap_bytes(&self.set_by_hash) + idmap_bytes(&self.stack_by_hash)


cdef int rows_by_id(RawProfile* self, IdMap* rows, const Numbers* ids) noexcept nogil:
    cdef uint64_t* place
    cdef bint is_new
    cdef int64_t i
    for i in range(ids.count):
        if ids.items[i] == 0:
            return profile_fault(self, PROFILE_ID_ZERO, self.base, 0, 0)
        place = idmap_put(rows, <uint64_t>ids.items[i], &is_new)
        if place == NULL:
            return profile_fault(self, PROFILE_NO_MEMORY, self.base, 0, 0)
        if not is_new:
            return profile_fault(
                self, PROFILE_ID_TWICE, self.base, <uint64_t>ids.items[i], 0
            )
        place[0] = <uint64_t>i + 1
    return 0


cdef int resolve_stacks(RawProfile* self) noexcept nogil:
    """Find the row of every location of a sample, and number the stacks that are equal."""
    cdef const Numbers* refs = &self.lists[L_REFS]
    cdef const Numbers* ends = &self.lists[L_SAMPLE_REFS]
    cdef Numbers* rows = &self.lists[L_STACK_ROWS]
    cdef uint64_t* place
    cdef int64_t i, j, n, first, number, known
    cdef int64_t start = 0
    cdef uint64_t hash
    cdef bint is_new
    for i in range(ends.count):
        n = ends.items[i] - start
        hash = hash_numbers(refs.items + start, n)
        while True:
            place = idmap_put(&self.stack_by_hash, hash, &is_new)
            if place == NULL:
                return profile_fault(self, PROFILE_NO_MEMORY, self.base, 0, 0)
            if is_new:
                break
            # The slot keeps the first sample that had the stack.
            known = <int64_t>place[0] - 1
            first = ends.items[known - 1] if known else 0
            if ends.items[known] - first == n and memcmp(
                refs.items + first, refs.items + start, n * sizeof(int64_t)
            ) == 0:
                break
            hash += 1
        if is_new:
            place[0] = <uint64_t>i + 1
            for j in range(start, ends.items[i]):
                place = idmap_find(&self.location_rows, <uint64_t>refs.items[j])
                if place == NULL:
                    return profile_fault(
                        self, PROFILE_LOCATION, self.base, <uint64_t>refs.items[j], 0
                    )
                if not push(rows, <int64_t>place[0] - 1):
                    return profile_fault(self, PROFILE_NO_MEMORY, self.base, 0, 0)
            number = self.lists[L_STACK_END].count
            if profile_push(self, L_STACK_END, rows.count) < 0:
                return -1
        else:
            number = self.lists[L_SAMPLE_STACK].items[known]
        if profile_push(self, L_SAMPLE_STACK, number) < 0:
            return -1
        start = ends.items[i]
    return 0


cdef int check_values(RawProfile* self) noexcept nogil:
    cdef const Numbers* ends = &self.lists[L_SAMPLE_VALUES]
    cdef int64_t types = self.lists[L_TYPE].count
    cdef int64_t start = 0
    cdef int64_t i
    for i in range(ends.count):
        if ends.items[i] - start != types:
            return profile_fault(
                self, PROFILE_VALUES, self.base, <uint64_t>(ends.items[i] - start), <uint64_t>types
            )
        start = ends.items[i]
    return 0


cdef int check_strings(RawProfile* self, int which) noexcept nogil:
    cdef const Numbers* indices = &self.lists[which]
    cdef uint64_t count = <uint64_t>self.lists[L_STRING_END].count
    cdef int64_t i
    for i in range(indices.count):
        if <uint64_t>indices.items[i] >= count:
            return profile_fault(
                self, PROFILE_STRING, self.base, <uint64_t>indices.items[i], count
            )
    return 0


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


cdef int copy_strings(RawProfile* self) noexcept nogil:
    """All strings as UTF-8, one behind the other; broken bytes become U+FFFD."""
    cdef int64_t room = 1
    cdef int64_t used = 0
    cdef int64_t i, size
    cdef const uint8_t* text
    if self.string_size.count and self.string_size.items[0]:
        return profile_fault(
            self, PROFILE_FIRST_STRING, self.base + self.string_start.items[0], 0, 0
        )
    for i in range(self.string_size.count):
        size = self.string_size.items[i]
        room += size if is_utf8(self.base + self.string_start.items[i], size) else 3 * size
    if room > self.max_memory:
        return profile_fault(self, PROFILE_MEMORY, self.base, <uint64_t>self.max_memory, 0)
    self.text = <uint8_t*>malloc(room)
    if self.text == NULL:
        return profile_fault(self, PROFILE_NO_MEMORY, self.base, 0, 0)
    for i in range(self.string_size.count):
        size = self.string_size.items[i]
        text = self.base + self.string_start.items[i]
        if is_utf8(text, size):
            memcpy(self.text + used, text, size)
            used += size
        else:
            used += repair_utf8(text, size, self.text + used)
            self.replaced += 1
        if profile_push(self, L_STRING_END, used) < 0:
            return -1
    self.text_bytes = used
    if self.string_size.count == 0:     # a profile without a single text
        return profile_push(self, L_STRING_END, 0)
    return 0


cdef int decode_message(RawProfile* self, const uint8_t* data, int64_t size) noexcept nogil:
    cdef Reader reader = reader_over(data, size)
    cdef Field field
    cdef const uint8_t* at
    cdef uint64_t* place
    cdef int64_t i
    cdef int which
    cdef int64_t fields = 0
    for i in range(16):
        if profile_push(self, L_SCALARS, 0) < 0:
            return -1
    while reader.at < reader.end:
        at = reader.at
        if profile_field(self, &reader, &field) < 0 or top_field(self, &field, at) < 0:
            return -1
        fields += 1
        if fields & 1023 == 0 and profile_memory(self) > self.max_memory:
            return profile_fault(self, PROFILE_MEMORY, at, <uint64_t>self.max_memory, 0)
    if profile_memory(self) > self.max_memory:
        return profile_fault(self, PROFILE_MEMORY, data, <uint64_t>self.max_memory, 0)
    if (
        copy_strings(self) < 0
        or check_values(self) < 0
        or rows_by_id(self, &self.location_rows, &self.lists[L_LOCATION]) < 0
        or rows_by_id(self, &self.function_rows, &self.lists[L_FUNCTION]) < 0
        or resolve_stacks(self) < 0
    ):
        return -1
    for i in range(self.lists[L_LINE_FUNCTION].count):
        place = idmap_find(&self.function_rows, <uint64_t>self.lists[L_LINE_FUNCTION].items[i])
        if place == NULL:
            return profile_fault(
                self, PROFILE_FUNCTION, data,
                <uint64_t>self.lists[L_LINE_FUNCTION].items[i], 0,
            )
        if profile_push(self, L_LINE_ROW, <int64_t>place[0] - 1) < 0:
            return -1
    for which in range(PROFILE_LISTS):
        if is_string_list(which) and check_strings(self, which) < 0:
            return -1
    for which in range(16):
        if which in (9, 10, 12):                # time, duration, period
            continue
        if (
            <uint64_t>self.lists[L_SCALARS].items[which]
            >= <uint64_t>self.lists[L_STRING_END].count
        ):
            return profile_fault(
                self, PROFILE_STRING, data, <uint64_t>self.lists[L_SCALARS].items[which],
                <uint64_t>self.lists[L_STRING_END].count,
            )
    return 0


cdef class NumberBlock:
    """Numbers of 64 bits that Arrow may hold on to: a read-only buffer."""

    cdef int64_t* items
    cdef readonly int64_t length

    def __dealloc__(self):
        free(self.items)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.items, self.length * sizeof(int64_t), 1, flags)

    def __len__(self):
        return self.length


cdef object raise_profile_fault(const RawProfile* self, int64_t offset):
    from gotrace import errors

    cdef str reason = (<str>PROFILE_FAULT_TEXTS[self.fault]).format(a=self.a, b=self.b)
    if self.fault == PROFILE_NO_MEMORY:
        raise MemoryError(reason)
    if self.fault == PROFILE_MEMORY:
        raise errors.LimitError(reason)
    kind = errors.TruncatedError if self.fault == PROFILE_SHORT else errors.FormatError
    raise kind(reason, offset=offset + self.offset)


def decode_profile(data, int64_t start, int64_t end, int64_t max_memory) -> dict:
    """Decode the profile in `data[start:end]` to lists of numbers, by name, and its strings.

    Raises FormatError with the offset in `data`, TruncatedError, LimitError, MemoryError.
    """
    cdef RawProfile raw
    cdef Py_buffer view
    cdef NumberBlock block
    cdef dict out = {}
    cdef int status
    cdef int i
    memset(&raw, 0, sizeof(RawProfile))
    raw.max_memory = max_memory
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        if not 0 <= start <= end <= view.len:
            raise ValueError("no such part of the data")
        raw.base = <const uint8_t*>view.buf + start
        raw.set_by_hash.seed = int.from_bytes(os.urandom(8), "little")
        raw.stack_by_hash.seed = raw.set_by_hash.seed
        raw.location_rows.seed = raw.set_by_hash.seed
        raw.function_rows.seed = raw.set_by_hash.seed
        with nogil:
            status = decode_message(&raw, raw.base, end - start)
        if status < 0 or raw.fault != PROFILE_FINE:
            raise_profile_fault(&raw, start)
        for i in range(PROFILE_LISTS):
            block = NumberBlock()
            block.items = raw.lists[i].items
            block.length = raw.lists[i].count
            raw.lists[i].items = NULL
            if block.items == NULL:         # Arrow wants an address for nothing too
                block.items = <int64_t*>calloc(1, sizeof(int64_t))
                if block.items == NULL:
                    raise MemoryError()
            out[PROFILE_LIST_NAMES[i]] = block
        used = raw.text_bytes
        out["text"] = raw.text[:used] if raw.text != NULL else b""
        out["replaced"] = raw.replaced
        return out
    finally:
        PyBuffer_Release(&view)
        for i in range(PROFILE_LISTS):
            free(raw.lists[i].items)
        free(raw.string_start.items)
        free(raw.string_size.items)
        free(raw.labels.items)
        free(raw.text)
        idmap_clear(&raw.set_by_hash)
        idmap_clear(&raw.stack_by_hash)
        idmap_clear(&raw.location_rows)
        idmap_clear(&raw.function_rows)


cdef int64_t end_of_first(const uint8_t* data, int64_t size) noexcept nogil:
    """Where the next of several profiles begins; `size` for the only one.

    A message has no length of its own. The next one has begun when value types come again although
    strings came since; the header fields and strings right before that repeat what was there belong
    to it too.
    """
    cdef Reader reader = reader_over(data, size)
    cdef Field field
    cdef const uint8_t* at
    cdef const uint8_t* tail = NULL
    cdef uint64_t seen = 0
    cdef uint64_t last = 0
    while reader.at < reader.end:
        at = reader.at
        if next_field(&reader, &field) != PROFILE_FINE:
            return size
        if field.number == 1 and seen & 2 and seen & 64 and last != 1:
            return (tail if tail != NULL else at) - data
        if field.number == 6:
            if last != 6:
                tail = at if seen & 64 and field.size == 0 else NULL
        elif field.number < 6 or field.number == 13 or field.number > 15:
            tail = NULL
        elif tail == NULL and seen >> field.number & 1:
            tail = at
        if field.number < 64:
            seen |= <uint64_t>1 << field.number
        last = field.number
    return size


def profile_end(data, int64_t start) -> int:
    """Where the profile that begins at `start` ends: several may stand one behind the other."""
    cdef Py_buffer view
    cdef int64_t size
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        if not 0 <= start <= view.len:
            raise ValueError("no such part of the data")
        with nogil:
            size = end_of_first(<const uint8_t*>view.buf + start, view.len - start)
        return start + size
    finally:
        PyBuffer_Release(&view)
