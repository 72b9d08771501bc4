# A native way into the decoder of profiles, which the fuzzer takes for most inputs: built into the
# fuzzed core alone. What everybody who reads the lists relies on is checked on the way.

from libc.stdlib cimport abort as abort_fuzzing


cdef void hold(bint fine) noexcept nogil:
    if not fine:
        abort_fuzzing()


cdef void hold_ends(const RawProfile* raw, int ends, int64_t total) noexcept nogil:
    """Ends of lists rise up to the length of what they are the ends of."""
    cdef const Numbers* list = &raw.lists[ends]
    cdef int64_t last = 0
    cdef int64_t i
    for i in range(list.count):
        hold(list.items[i] >= last)
        last = list.items[i]
    hold(last == total)


cdef void hold_alike(const RawProfile* raw, int first, int last) noexcept nogil:
    cdef int i
    for i in range(first, last + 1):
        hold(raw.lists[i].count == raw.lists[first].count)


cdef void hold_range(const RawProfile* raw, int which, int64_t least, int64_t end) noexcept nogil:
    cdef int64_t i
    for i in range(raw.lists[which].count):
        hold(least <= raw.lists[which].items[i] < end)


cdef void hold_profile(RawProfile* raw) noexcept nogil:
    cdef const int64_t* counts
    cdef RowsById rows
    cdef IdMap stacks
    cdef Numbers out[3]
    cdef int64_t samples = raw.lists[L_SAMPLE_REFS].count
    cdef int64_t twice = 0
    cdef int64_t i
    hold_alike(raw, L_TYPE, L_TYPE_UNIT)
    hold_alike(raw, L_SET_KEY, L_SET_UNIT)
    hold_alike(raw, L_MAPPING, L_MAPPING + 9)
    hold_alike(raw, L_LOCATION, L_LOCATION_FOLDED)
    hold_alike(raw, L_LINE_FUNCTION, L_LINE_ROW)
    hold_alike(raw, L_FUNCTION, L_FUNCTION + 4)
    hold(raw.lists[L_SAMPLE_SET].count == samples)
    hold(raw.lists[L_VALUES].count == samples * raw.lists[L_TYPE].count)
    hold_ends(raw, L_SAMPLE_REFS, raw.lists[L_REFS].count)
    hold_ends(raw, L_SET_END, raw.lists[L_SET_KEY].count)
    hold_ends(raw, L_LOCATION_LINES, raw.lists[L_LINE].count)
    hold_ends(raw, L_STRING_END, raw.text_bytes)
    hold_range(raw, L_SAMPLE_SET, -1, raw.lists[L_SET_END].count)
    hold_range(raw, L_LINE_ROW, 0, raw.lists[L_FUNCTION].count)
    hold(is_utf8(raw.text, raw.text_bytes))
    for i in range(PROFILE_LISTS):
        if is_string_list(<int>i):
            hold_range(raw, <int>i, 0, raw.lists[L_STRING_END].count)
    memset(&rows, 0, sizeof(RowsById))
    memset(&stacks, 0, sizeof(IdMap))
    memset(out, 0, sizeof(out))
    if rows_by_id(
        &rows, raw.lists[L_LOCATION].items, raw.lists[L_LOCATION].count, raw.seed, &twice
    ) == PROFILE_FINE and resolve_stacks(
        out, raw.lists[L_SAMPLE_REFS].items, samples, raw.lists[L_REFS].items, &rows, &stacks
    ) == PROFILE_FINE:
        counts = out[0].items
        for i in range(samples):
            hold(0 <= counts[i] < out[1].count)
        for i in range(out[2].count):
            hold(0 <= out[2].items[i] < raw.lists[L_LOCATION].count)
    for i in range(3):
        free(out[i].items)
    free_rows_by_id(&rows)
    idmap_clear(&stacks)


cdef public int64_t quick_profile(
    const uint8_t* data, int64_t size, int64_t max_memory, uint64_t seed
) noexcept with gil:
    """Decode the first profile of the bytes: where it ends; -1 for a fault."""
    cdef RawProfile raw
    cdef int64_t end = size
    cdef int status
    memset(&raw, 0, sizeof(RawProfile))
    begin_profile(&raw, data, max_memory, seed)
    status = decode_message(&raw, data, size)
    if status == 0 and raw.next != NULL:
        end = raw.next - data
        begin_profile(&raw, data, max_memory, seed)
        status = decode_message(&raw, data, end)
    hold(status < 0 or raw.next == NULL)
    hold((status < 0) == (raw.fault != PROFILE_FINE))
    if status == 0:
        hold_profile(&raw)
        hold(find_next(data, size) == data + end)
    free_raw_profile(&raw)
    return end if status == 0 else -1
