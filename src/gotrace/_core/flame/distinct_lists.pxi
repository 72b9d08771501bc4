# The distinct ones of many lists, where they lie: nothing is copied, so a million long stacks cost
# a number each.
#
# Offers: distinct_lists, expand_lists.

cdef struct ListSlot:
    uint64_t hash
    int64_t number                  # + 1; 0 is empty


cdef inline uint64_t hash_refs(
    const RefSpan* self, int64_t start, int64_t count, uint64_t seed
) noexcept nogil:
    if self.narrow != NULL:
        return hash_narrow(self.narrow + start, count, seed)
    return hash_numbers(self.wide + start, count, seed)


cdef inline bint same_refs(
    const RefSpan* self, int64_t a, int64_t b, int64_t count
) noexcept nogil:
    if count == 0:
        return True
    if self.narrow != NULL:
        return memcmp(self.narrow + a, self.narrow + b, count * sizeof(int32_t)) == 0
    return memcmp(self.wide + a, self.wide + b, count * sizeof(int64_t)) == 0


cdef int64_t number_lists(
    const int64_t* starts, const int64_t* ends, const RefSpan* numbers, int64_t count,
    uint64_t seed, int64_t* ids, int64_t* firsts,
) noexcept nogil:
    """Number the lists; `firsts` are the first of each number. How many there are.

    -1: no memory, or something was raised meanwhile.
    """
    cdef uint64_t hashes[GROUP]
    cdef ListSlot* slots
    cdef uint64_t mask = 1023
    cdef uint64_t at
    cdef int64_t found = 0
    cdef int64_t start = 0
    cdef int64_t worked = 0
    cdef int64_t i, size, known, end
    while mask < <uint64_t>(count + count // 2):
        mask = mask * 2 + 1
    slots = <ListSlot*>calloc(mask + 1, sizeof(ListSlot))
    if slots == NULL:
        return -1
    while start < count:
        end = min(start + GROUP, count)
        for i in range(start, end):
            hashes[i - start] = hash_refs(numbers, starts[i], ends[i] - starts[i], seed)
            prefetch(&slots[hashes[i - start] & mask])
        for i in range(start, end):
            at = hashes[i - start] & mask
            size = ends[i] - starts[i]
            while slots[at].number:
                known = firsts[slots[at].number - 1]
                if (
                    slots[at].hash == hashes[i - start]
                    and ends[known] - starts[known] == size
                    and same_refs(numbers, starts[known], starts[i], size)
                ):
                    break
                at = (at + 1) & mask
            if slots[at].number == 0:
                slots[at].hash = hashes[i - start]
                firsts[found] = i
                found += 1
                slots[at].number = found
            ids[i] = slots[at].number - 1
            worked += 8 * size
        if not undisturbed(&worked, 0):
            found = -1
            break
        start = end
    free(slots)
    return found


def distinct_lists(
    const int64_t[::1] starts,
    const int64_t[::1] ends,
    numbers,
    int64_t[::1] ids,
) -> NumberBlock:
    """Write into `ids` which of the distinct lists each one is; give the first of each of them.

    A list lies between its start and its end. They are numbered as they are first met.
    """
    cdef Refs refs = Refs(numbers)
    cdef Numbers firsts
    cdef uint64_t seed = int.from_bytes(os.urandom(8), "little")
    cdef int64_t count = ids.shape[0]
    cdef int64_t i
    if not starts.shape[0] == ends.shape[0] == count:
        raise ValueError("starts, ends and ids do not agree")
    for i in range(count):
        if not 0 <= starts[i] <= ends[i] <= refs.count:
            raise ValueError(f"list {i} is outside of the numbers")
    memset(&firsts, 0, sizeof(Numbers))
    try:
        firsts.items = <int64_t*>malloc((count + 1) * sizeof(int64_t))
        if firsts.items == NULL:
            raise MemoryError
        if count:
            with nogil:
                firsts.count = number_lists(
                    &starts[0], &ends[0], &refs.span, count, seed, &ids[0], firsts.items
                )
            raise_waiting()
            if firsts.count < 0:
                raise MemoryError
        return number_block(&firsts)
    finally:
        free(firsts.items)


cdef int _check_stacks(
    const int64_t[::1] starts, const int64_t[::1] ends, Refs locations,
    const int64_t[::1] entry_offsets, int64_t entries,
) except -1:
    cdef Py_ssize_t i
    if starts.shape[0] != ends.shape[0]:
        raise ValueError("starts and ends do not agree")
    for i in range(starts.shape[0]):
        if not 0 <= starts[i] <= ends[i] <= locations.count:
            raise ValueError(f"stack {i} is outside of the locations")
    check_refs(locations, entry_offsets.shape[0] - 1)
    _check_offsets(entry_offsets, entries)
    return 0


def expand_lists(
    const int64_t[::1] starts,
    const int64_t[::1] ends,
    locations,
    const int64_t[::1] entry_offsets,
    const int32_t[::1] entry_nodes,
    const uint8_t[::1] entry_inlined,
    int64_t[::1] offsets,
    int32_t[::1] nodes,
    uint8_t[::1] inlined,
    bint leaf_first=False,
):
    """Write the nodes of stacks of locations, root first; each location has some entries.

    Without room in `nodes` only the offsets are written.
    """
    cdef Refs refs = Refs(locations)
    cdef int64_t used = 0
    cdef int64_t i, j, k, location
    _check_stacks(starts, ends, refs, entry_offsets, entry_nodes.shape[0])
    if offsets.shape[0] != starts.shape[0] + 1 or entry_inlined.shape[0] != entry_nodes.shape[0]:
        raise ValueError("stacks and offsets do not agree")
    with nogil:
        offsets[0] = 0
        for i in range(starts.shape[0]):
            for j in range(starts[i], ends[i]):
                location = ref_at(&refs.span, j)
                used += entry_offsets[location + 1] - entry_offsets[location]
            offsets[i + 1] = used
    if nodes.shape[0] == 0:
        return
    if nodes.shape[0] != used or inlined.shape[0] != used:
        raise ValueError(f"there are {used} nodes")
    with nogil:
        for i in range(starts.shape[0]):
            used = offsets[i] if leaf_first else offsets[i + 1] - 1
            for j in range(starts[i], ends[i]):
                location = ref_at(&refs.span, j)
                for k in range(entry_offsets[location], entry_offsets[location + 1]):
                    nodes[used] = entry_nodes[k]
                    inlined[used] = entry_inlined[k]
                    used += 1 if leaf_first else -1
