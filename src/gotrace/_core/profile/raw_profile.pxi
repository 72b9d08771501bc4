# RawProfile: one profile.proto message as columns of the numbers that stand on the wire.
#
# Fields and tables come in any order (Go puts the string table last), so everything is kept as it
# stands and ids are looked up when the message is through.
#
# Offers: RawProfile, its lists, its faults, undisturbed.

cdef extern from *:
    """
    static int gt_waiting(void) { return PyErr_Occurred() ? -1 : 0; }
    """
    int ask_signals "PyErr_CheckSignals"() noexcept     # an exception stays where it is
    int raise_waiting "gt_waiting"() except -1

cdef enum:
    WORK_BETWEEN_SIGNALS = 16 << 20     # bytes: some ten milliseconds

cdef enum:                      # the lists of a profile
    L_TYPE, L_TYPE_UNIT,
    L_SAMPLE_REFS, L_REFS, L_VALUES, L_SAMPLE_SET,
    L_SET_END, L_SET_KEY, L_SET_STR, L_SET_NUM, L_SET_UNIT,
    L_MAPPING,                  # ten lists, in the order of the fields
    L_LOCATION = L_MAPPING + 10,
    L_LOCATION_MAPPING, L_LOCATION_ADDRESS, L_LOCATION_LINES, L_LOCATION_FOLDED,
    L_LINE_FUNCTION, L_LINE, L_LINE_COLUMN, L_LINE_ROW,
    L_FUNCTION,                 # five lists, in the order of the fields
    L_STRING_END = L_FUNCTION + 5,
    L_COMMENTS,
    L_SCALARS,                  # by field number, 0 to 15
    PROFILE_LISTS,
    L_STRING_AT = PROFILE_LISTS,    # what follows is not given out: strings of the input,
    L_STRING_SIZE,
    L_LABELS,                       # labels of the sample at hand: key, str, num, unit
    L_SPAN_AT, L_SPAN_SIZE, L_SPAN_SET,     # labels seen as bytes
    ALL_LISTS

cdef tuple PROFILE_LIST_NAMES = (
    "type", "type_unit",
    "sample_refs", "refs", "values", "sample_set",
    "set_end", "set_key", "set_str", "set_num", "set_unit",
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
    Numbers lists[ALL_LISTS]
    IdMap set_by_hash           # number of a set of labels + 1
    IdMap set_by_bytes          # place of a span + 1
    uint64_t most_ref           # the largest location id of a sample, less 1
    int64_t width               # values of the first sample
    int64_t odd_sample          # the first that has another number of them, and that
    int64_t odd_width
    uint8_t* text               # all strings, one behind the other, as UTF-8
    int64_t text_bytes
    int64_t replaced            # strings that were no UTF-8
    const uint8_t* base         # the input
    const uint8_t* next         # where the next profile begins; NULL if this is the only one
    uint64_t seed
    int64_t memory
    int64_t max_memory
    int64_t worked              # bytes since signals were asked for
    int fault
    int64_t offset
    uint64_t a
    uint64_t b


cdef int profile_fault(
    RawProfile* self, int code, const uint8_t* at, uint64_t a, uint64_t b
) noexcept nogil:
    if self.fault == PROFILE_FINE:
        self.fault = code
        self.offset = at - self.base
        self.a = a
        self.b = b
    return -1


cdef bint no_signal() noexcept nogil:
    """Whether no handler of a signal raised; what one raised is raised by `raise_waiting`."""
    cdef int status
    with gil:
        status = ask_signals()
    return status == 0


cdef inline bint undisturbed(int64_t* worked, int64_t work) noexcept nogil:
    """Count bytes that were worked on; False when Ctrl-C or the like came meanwhile."""
    worked[0] += work
    if worked[0] < WORK_BETWEEN_SIGNALS:
        return True
    worked[0] = 0
    return no_signal()


cdef inline bint goes_on(RawProfile* self, int64_t work) noexcept nogil:
    """`undisturbed`, with a fault."""
    if undisturbed(&self.worked, work):
        return True
    profile_fault(self, PROFILE_INTERRUPTED, self.base, 0, 0)
    return False


cdef bint room_for(RawProfile* self, int which, int64_t more) noexcept nogil:
    """Make room for more numbers; False, with a fault, for too many."""
    cdef Numbers* list = &self.lists[which]
    cdef int64_t room = list.room * 2 if list.room else 64
    cdef void* grown
    if more <= list.room - list.count:
        return True
    if room < list.count + more:
        room = list.count + more
    self.memory += (room - list.room) * <int64_t>sizeof(int64_t)
    if self.memory > self.max_memory:
        profile_fault(self, PROFILE_MEMORY, self.base, <uint64_t>self.max_memory, 0)
        return False
    grown = realloc(list.items, <size_t>room * sizeof(int64_t))
    if grown == NULL:
        profile_fault(self, PROFILE_NO_MEMORY, self.base, 0, 0)
        return False
    list.items = <int64_t*>grown
    list.room = room
    in_huge_pages(grown, <size_t>room * sizeof(int64_t))
    return True


cdef inline int put(RawProfile* self, int which, int64_t value) noexcept nogil:
    cdef Numbers* list = &self.lists[which]
    if list.count == list.room and not room_for(self, which, 1):
        return -1
    list.items[list.count] = value
    list.count += 1
    return 0


cdef uint64_t* put_key(
    RawProfile* self, IdMap* map, uint64_t key, bint* is_new
) noexcept nogil:
    """`idmap_put` within the memory limit; NULL with a fault."""
    cdef int64_t before = idmap_bytes(map)
    cdef uint64_t* place = idmap_put(map, key, is_new)
    self.memory += idmap_bytes(map) - before
    if place == NULL:
        profile_fault(self, PROFILE_NO_MEMORY, self.base, 0, 0)
    elif self.memory > self.max_memory:
        profile_fault(self, PROFILE_MEMORY, self.base, <uint64_t>self.max_memory, 0)
        return NULL
    return place


cdef void free_raw_profile(RawProfile* self) noexcept nogil:
    cdef int i
    for i in range(ALL_LISTS):
        free(self.lists[i].items)
    free(self.text)
    idmap_clear(&self.set_by_hash)
    idmap_clear(&self.set_by_bytes)


cdef object raise_profile_fault(const RawProfile* self, int64_t offset):
    if self.fault == PROFILE_INTERRUPTED:
        raise_waiting()
    from gotrace import errors

    cdef str reason = (<str>PROFILE_FAULT_TEXTS[self.fault]).format(a=self.a, b=self.b)
    if self.fault == PROFILE_NO_MEMORY:
        raise MemoryError(reason)
    if self.fault == PROFILE_MEMORY:
        raise errors.LimitError(reason)
    kind = errors.TruncatedError if self.fault == PROFILE_SHORT else errors.FormatError
    raise kind(reason, offset=offset + self.offset)
