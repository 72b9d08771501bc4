# The messages of a profile: what each puts into the lists.
#
# Offers: profile_field, scalars_message, location_message, sample_message.

packed_begin()

cdef enum:                      # tags of fields of a sample
    REFS_PACKED = 1 << 3 | WIRE_BYTES
    VALUES_PACKED = 2 << 3 | WIRE_BYTES


cdef inline Field profile_field(
    RawProfile* self, const uint8_t* at, const uint8_t* end, const uint8_t* safe
) noexcept nogil:
    """The field at `at`; its own `at` is NULL with a fault."""
    cdef Field field = read_field(at, end, safe)
    if field.at == NULL:
        profile_fault(self, field.fault, at, <uint64_t>field.wire, field.number)
    return field


cdef inline int expect(
    RawProfile* self, const Field* field, int wire, const uint8_t* at
) noexcept nogil:
    if field.wire != wire:
        return profile_fault(self, PROFILE_KNOWN_FIELD, at, <uint64_t>field.wire, field.number)
    return 0


cdef int packed_numbers(
    RawProfile* self, int which, const uint8_t* at, const uint8_t* end, const uint8_t* safe
) noexcept nogil:
    """Append a packed list of numbers."""
    cdef Number number
    cdef Packed run
    cdef uint64_t most = self.most_ref
    cdef int64_t* out
    # No number is shorter than a byte.
    if not room_for(self, which, end - at + PACKED_LANES):
        return -1
    out = self.lists[which].items + self.lists[which].count
    while at < end:
        if which == L_REFS and packed_quick and at <= safe:
            run = packed_run(at, min(end, safe + 10 - PACKED_READS + 1), out)
            most = max(most, run.most)
            out = run.out
            at = run.at
            if at >= end:
                break
        number = read_number(at, end, safe)
        if number.at == NULL or number.at > end:
            return profile_fault(self, number_fault(at, end), at, 0, 0)
        out[0] = <int64_t>number.value
        most = max(most, number.value - 1)      # 0, which is no id, becomes the most of all
        out += 1
        at = number.at
    if which == L_REFS:
        self.most_ref = most
    self.lists[which].count = out - self.lists[which].items
    return 0


cdef int numbers_field(
    RawProfile* self, const Field* field, int which, const uint8_t* at, const uint8_t* safe
) noexcept nogil:
    """A repeated number: packed or not, and both may come in one message."""
    if field.wire == WIRE_VARINT:
        if which == L_REFS:
            self.most_ref = max(self.most_ref, field.value - 1)
        return put(self, which, <int64_t>field.value)
    if expect(self, field, WIRE_BYTES, at) < 0:
        return -1
    return packed_numbers(self, which, field.data, field.data_end, safe)


cdef int scalars_message(
    RawProfile* self, const Field* message, const uint8_t* safe, int64_t* values, int n_values
) noexcept nogil:
    """A message of nothing but single numbers: the last of each counts, 0 where there is none."""
    cdef const uint8_t* at = message.data
    cdef Field field
    memset(values, 0, n_values * sizeof(int64_t))
    while at < message.data_end:
        field = profile_field(self, at, message.data_end, safe)
        if field.at == NULL:
            return -1
        if 1 <= field.number <= <uint64_t>n_values:
            if expect(self, &field, WIRE_VARINT, at) < 0:
                return -1
            values[field.number - 1] = <int64_t>field.value
        at = field.at
    return 0


cdef int location_message(
    RawProfile* self, const Field* message, const uint8_t* safe
) noexcept nogil:
    cdef const uint8_t* at = message.data
    cdef Field field
    cdef int64_t values[6]
    cdef int64_t line[3]
    cdef int i
    memset(values, 0, sizeof(values))
    while at < message.data_end:
        field = profile_field(self, at, message.data_end, safe)
        if field.at == NULL:
            return -1
        if field.number == 4:
            if (
                expect(self, &field, WIRE_BYTES, at) < 0
                or scalars_message(self, &field, safe, line, 3) < 0
            ):
                return -1
            for i in range(3):
                if put(self, L_LINE_FUNCTION + i, line[i]) < 0:
                    return -1
        elif 1 <= field.number <= 5:
            if expect(self, &field, WIRE_VARINT, at) < 0:
                return -1
            values[field.number] = <int64_t>field.value
        at = field.at
    values[4] = self.lists[L_LINE_FUNCTION].count
    for i in range(1, 6):
        if put(self, L_LOCATION + i - 1, values[i]) < 0:
            return -1
    return 0


cdef int sample_message(
    RawProfile* self, const Field* message, const uint8_t* safe
) noexcept nogil:
    cdef const uint8_t* at = message.data
    cdef const uint8_t* end = message.data_end
    cdef const uint8_t* labels = NULL
    cdef const uint8_t* labels_end = NULL
    cdef int64_t values = self.lists[L_VALUES].count
    cdef int64_t samples = self.lists[L_SAMPLE_REFS].count
    cdef int64_t set
    cdef Number size
    cdef Field field
    while at < end:
        if at[0] == REFS_PACKED or at[0] == VALUES_PACKED:      # which most of a profile is
            size = read_number(at + 1, end, safe)
            if size.at != NULL and size.at <= end and size.value <= <uint64_t>(end - size.at):
                if packed_numbers(
                    self, L_REFS if at[0] == REFS_PACKED else L_VALUES,
                    size.at, size.at + size.value, safe,
                ) < 0:
                    return -1
                at = size.at + size.value
                continue
        field = profile_field(self, at, end, safe)
        if field.at == NULL:
            return -1
        if field.number == 1:
            if numbers_field(self, &field, L_REFS, at, safe) < 0:
                return -1
        elif field.number == 2:
            if numbers_field(self, &field, L_VALUES, at, safe) < 0:
                return -1
        elif field.number == 3:
            if expect(self, &field, WIRE_BYTES, at) < 0:
                return -1
            if labels == NULL:
                labels = at
            labels_end = field.at
        at = field.at
    values = self.lists[L_VALUES].count - values
    if samples == 0:
        self.width = values
    elif values != self.width and self.odd_sample == 0:
        self.odd_sample = samples
        self.odd_width = values
    set = label_set(self, labels, labels_end, safe) if labels != NULL else NULL_ID
    if (
        set < NULL_ID
        or put(self, L_SAMPLE_REFS, self.lists[L_REFS].count) < 0
        or put(self, L_SAMPLE_SET, set) < 0
    ):
        return -1
    return 0


cdef int64_t label_set(
    RawProfile* self, const uint8_t* at, const uint8_t* end, const uint8_t* safe
) noexcept nogil:
    """The number of the labels of a sample, which lie between `at` and `end`; -2 for a fault.

    What stands there byte for byte as before is not taken apart again.
    """
    cdef uint64_t hash = hash_span(at, end, self.seed)
    cdef uint64_t* place
    cdef int64_t set, span
    cdef bint is_new
    while True:
        place = put_key(self, &self.set_by_bytes, hash, &is_new)
        if place == NULL:
            return -2
        if is_new:
            break
        span = <int64_t>place[0] - 1
        if self.lists[L_SPAN_SIZE].items[span] == end - at and memcmp(
            self.base + self.lists[L_SPAN_AT].items[span], at, end - at
        ) == 0:
            return self.lists[L_SPAN_SET].items[span]
        hash += 1
    place[0] = <uint64_t>self.lists[L_SPAN_AT].count + 1
    if read_labels(self, at, end, safe) < 0:
        return -2
    set = set_of_labels(self)
    if (
        set < 0
        or put(self, L_SPAN_AT, at - self.base) < 0
        or put(self, L_SPAN_SIZE, end - at) < 0
        or put(self, L_SPAN_SET, set) < 0
    ):
        return -2
    return set


cdef int read_labels(
    RawProfile* self, const uint8_t* at, const uint8_t* end, const uint8_t* safe
) noexcept nogil:
    cdef int64_t label[4]
    cdef Field field
    cdef int i
    self.lists[L_LABELS].count = 0
    while at < end:
        field = profile_field(self, at, end, safe)
        if field.at == NULL:
            return -1
        if field.number == 3:
            if scalars_message(self, &field, safe, label, 4) < 0:
                return -1
            for i in range(4):
                if put(self, L_LABELS, label[i]) < 0:
                    return -1
        at = field.at
    return 0


cdef int64_t set_of_labels(RawProfile* self) noexcept nogil:
    """The number of the labels at hand, a new one if they are new; -1 for a fault."""
    cdef const Numbers* labels = &self.lists[L_LABELS]
    cdef int64_t n = labels.count // 4
    cdef uint64_t hash = self.seed
    cdef uint64_t* place
    cdef int64_t number, start, i
    cdef int j
    cdef bint is_new, same
    for i in range(labels.count):
        hash = mix(hash ^ <uint64_t>labels.items[i])
    while True:
        place = put_key(self, &self.set_by_hash, hash, &is_new)
        if place == NULL:
            return -1
        if is_new:
            break
        number = <int64_t>place[0] - 1
        start = self.lists[L_SET_END].items[number - 1] if number else 0
        same = self.lists[L_SET_END].items[number] - start == n
        for i in range(n if same else 0):
            for j in range(4):
                if self.lists[L_SET_KEY + j].items[start + i] != labels.items[4 * i + j]:
                    same = False
        if same:
            return number
        hash += 1
    place[0] = <uint64_t>self.lists[L_SET_END].count + 1
    for i in range(n):
        for j in range(4):
            if put(self, L_SET_KEY + j, labels.items[4 * i + j]) < 0:
                return -1
    if put(self, L_SET_END, self.lists[L_SET_KEY].count) < 0:
        return -1
    return self.lists[L_SET_END].count - 1
