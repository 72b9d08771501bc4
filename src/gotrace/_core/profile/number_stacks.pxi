# The distinct stacks of a profile: lists of locations that are equal get one number.
#
# Offers: number_stacks, rows_of_ids, narrow_rows_of_ids.

cdef int resolve_stacks(
    Numbers* out, const int64_t* ends, int64_t samples, const int64_t* refs,
    const RowsById* locations, IdMap* stacks,
) noexcept nogil:
    """Fill the three lists `out`: number of each sample's stack; ends and rows of each stack."""
    cdef int64_t* numbers
    cdef int64_t* stack_ends
    cdef int64_t* rows
    cdef uint64_t* place
    cdef int64_t i, j, n, first, known
    cdef int64_t start = 0
    cdef int64_t worked = 0
    cdef int64_t count = 0
    cdef int64_t used = 0
    cdef uint64_t hash
    cdef bint is_new
    for j in range(3):
        n = samples + 1 if j < 2 else (ends[samples - 1] if samples else 0) + 1
        out[j].items = <int64_t*>malloc(n * sizeof(int64_t))
        if out[j].items == NULL:
            return PROFILE_NO_MEMORY
    numbers, stack_ends, rows = out[0].items, out[1].items, out[2].items
    for i in range(samples):
        n = ends[i] - start
        hash = hash_numbers(refs + start, n, stacks.seed)
        while True:
            place = idmap_put(stacks, hash, &is_new)
            if place == NULL:
                return PROFILE_NO_MEMORY
            if is_new:
                break
            # The slot keeps the first sample that had the stack.
            known = <int64_t>place[0] - 1
            first = ends[known - 1] if known else 0
            if ends[known] - first == n and (
                n == 0 or memcmp(refs + first, refs + start, n * sizeof(int64_t)) == 0
            ):
                break
            hash += 1
        if is_new:
            place[0] = <uint64_t>i + 1
            for j in range(start, ends[i]):
                rows[used] = row_of(locations, refs[j])
                used += 1
            stack_ends[count] = used
            numbers[i] = count
            count += 1
        else:
            numbers[i] = numbers[known]
        if not undisturbed(&worked, 8 * n):
            return PROFILE_INTERRUPTED
        start = ends[i]
    out[0].count, out[1].count, out[2].count = samples, count, used
    return PROFILE_FINE


@cython.boundscheck(True)
def number_stacks(
    const int64_t[::1] sample_refs, const int64_t[::1] refs, const int64_t[::1] location_ids
) -> tuple:
    """Give equal stacks one number: of each sample its stack; of each stack its end, and its rows.

    `sample_refs` are the ends of the samples' lists in `refs`, ids that are all in `location_ids`.
    """
    cdef RowsById locations
    cdef IdMap stacks
    cdef Numbers out[3]
    cdef int64_t twice = 0
    cdef int64_t samples = sample_refs.shape[0]
    cdef int64_t i
    cdef int code
    memset(&locations, 0, sizeof(RowsById))
    memset(&stacks, 0, sizeof(IdMap))
    memset(out, 0, sizeof(out))
    stacks.seed = int.from_bytes(os.urandom(8), "little")
    for i in range(samples):
        if not (sample_refs[i - 1] if i else 0) <= sample_refs[i] <= refs.shape[0]:
            raise ValueError(f"sample {i} ends outside the references")
    try:
        with nogil:
            code = rows_by_id(
                &locations, &location_ids[0] if location_ids.shape[0] else NULL,
                location_ids.shape[0], stacks.seed, &twice,
            )
            if code == PROFILE_FINE:
                code = resolve_stacks(
                    out, &sample_refs[0] if samples else NULL, samples,
                    &refs[0] if refs.shape[0] else NULL, &locations, &stacks,
                )
        raise_waiting()
        if code != PROFILE_FINE:
            raise MemoryError()
        return number_block(&out[0]), number_block(&out[1]), number_block(&out[2])
    finally:
        for i in range(3):
            free(out[i].items)
        free_rows_by_id(&locations)
        idmap_clear(&stacks)


cdef int put_rows(NumberBlock wanted, const int64_t[::1] ids, bint narrow) except -1:
    cdef RowsById rows
    cdef int32_t* out = <int32_t*>wanted.items
    cdef int64_t twice = 0
    cdef int64_t i
    cdef uint64_t seed = int.from_bytes(os.urandom(8), "little")
    cdef int code
    memset(&rows, 0, sizeof(RowsById))
    try:
        with nogil:
            code = rows_by_id(
                &rows, &ids[0] if ids.shape[0] else NULL, ids.shape[0], seed, &twice
            )
            if code == PROFILE_FINE and narrow:
                for i in range(wanted.length):
                    out[i] = <int32_t>row_of(&rows, wanted.items[i])
            elif code == PROFILE_FINE:
                for i in range(wanted.length):
                    wanted.items[i] = row_of(&rows, wanted.items[i])
        if code == PROFILE_NO_MEMORY:
            raise MemoryError
        if code != PROFILE_FINE:
            raise ValueError("an id is 0 or comes twice")
        wanted.narrow = narrow
    finally:
        free_rows_by_id(&rows)
    return 0


def rows_of_ids(NumberBlock wanted not None, const int64_t[::1] ids):
    """Put in the place of each wanted id its row among `ids`, -1 for one that is none.

    No id may be 0 or twice. Who has the numbers must know that they are rows from then on.
    """
    put_rows(wanted, ids, False)


def narrow_rows_of_ids(NumberBlock wanted not None, const int64_t[::1] ids):
    """Do the same in 32 bits, if rows fit: the block is one of int32 from then on."""
    put_rows(wanted, ids, ids.shape[0] <= INT32_MAX)
