# The content keys of frames, stacks and label sets of a profile, by the thousand.
#
# gotrace/tables/stack_keys.py is the reference; docs/stack-keys.md says what is hashed. Texts come
# as one run of bytes and the offsets of each text, one more than there are texts.
#
# Offers: frame_keys, address_keys, list_keys, site_keys, label_set_keys, list_members,
# take_lists, IdSet.

cdef enum:                      # what is known of a function's name, as bits
    NAME_GOEXIT = 1             # runtime.goexit
    NAME_LEAF_SIDE = 2          # of a package that tools show or hide at the leaf
    NAME_RUNTIME = 4            # of package runtime
    NAME_NO_SITE = 8            # no place of the user's: standard library, or no name


cdef inline void _put_text(
    Digest* digest, const int64_t[::1] offsets, const uint8_t[::1] bytes, int64_t number
) noexcept nogil:
    cdef int64_t start = offsets[number]
    cdef int64_t size = offsets[number + 1] - start
    put_string(digest, &bytes[start] if size else NULL, size)


cdef int _check_offsets(const int64_t[::1] offsets, int64_t length) except -1:
    cdef Py_ssize_t i
    for i in range(offsets.shape[0]):
        if not (offsets[i - 1] if i else 0) <= offsets[i] <= length:
            raise ValueError(f"offset {offsets[i]} is outside of {length}")
    return 0


cdef inline bint all_within(
    const int64_t* numbers, int64_t count, int64_t least, int64_t end
) noexcept nogil:
    """Whether all numbers are from `least`, 0 or a bit less, to before `end`."""
    cdef uint64_t outside = 0
    cdef int64_t i
    for i in range(count):      # whatever is outside makes one of the differences negative
        outside |= <uint64_t>numbers[i] - <uint64_t>least
        outside |= <uint64_t>(end - 1) - <uint64_t>numbers[i]
    return outside >> 63 == 0


cdef int _check_numbers(const int64_t[::1] numbers, int64_t least, int64_t end) except -1:
    cdef Py_ssize_t i
    if numbers.shape[0] == 0 or (end > 0 and all_within(&numbers[0], numbers.shape[0], least, end)):
        return 0
    for i in range(numbers.shape[0]):
        if not least <= numbers[i] < end:
            raise ValueError(f"number {numbers[i]} is none of {end}")
    return 0


def frame_keys(
    const int64_t[::1] name_offsets,
    const uint8_t[::1] names,
    const int64_t[::1] file_offsets,
    const uint8_t[::1] files,
    const int64_t[::1] name_of,
    const int64_t[::1] file_of,
    const int64_t[::1] lines,
    int64_t[::1] keys,
):
    """Write the `frame_id` of each line: its name, its file (by number), its line."""
    cdef Digest digest
    cdef Py_ssize_t i
    cdef bint done
    cdef int64_t worked = 0
    cdef int64_t size
    _check_offsets(name_offsets, names.shape[0])
    _check_offsets(file_offsets, files.shape[0])
    _check_numbers(name_of, 0, name_offsets.shape[0] - 1)
    _check_numbers(file_of, 0, file_offsets.shape[0] - 1)
    if not lines.shape[0] == keys.shape[0] == name_of.shape[0] == file_of.shape[0]:
        raise ValueError("names, files, lines and keys do not agree")
    with nogil:
        begin_digests(&digest)
        for i in range(lines.shape[0]):
            put_bytes(&digest, b"gotrace.frame.v1\0", 17)
            _put_text(&digest, name_offsets, names, name_of[i])
            _put_text(&digest, file_offsets, files, file_of[i])
            put_word(&digest, <uint64_t>lines[i], 8)
            size = message_size(&digest)
            end_message(&digest, &keys[i])
            if not undisturbed(&worked, size):
                break
        done = end_digests(&digest)
    raise_waiting()
    if not done:
        raise MemoryError


def list_keys(const int64_t[::1] ends, const int64_t[::1] frame_ids, int64_t[::1] keys):
    """Write the `stack_id` of each list of frames."""
    cdef Digest digest
    cdef int64_t start = 0
    cdef Py_ssize_t i
    cdef bint done
    cdef int64_t worked = 0
    cdef int64_t size
    _check_offsets(ends, frame_ids.shape[0])
    if keys.shape[0] != ends.shape[0]:
        raise ValueError("lists and keys do not agree")
    with nogil:
        begin_digests(&digest)
        for i in range(ends.shape[0]):
            put_bytes(&digest, b"gotrace.stack.v1\0", 17)
            # As they are hashed, for every machine that we build for is little-endian.
            put_bytes(
                &digest, &frame_ids[start] if ends[i] > start else NULL, 8 * (ends[i] - start)
            )
            size = message_size(&digest)
            end_message(&digest, &keys[i])
            if not undisturbed(&worked, size):
                break
            start = ends[i]
        done = end_digests(&digest)
    raise_waiting()
    if not done:
        raise MemoryError


def address_keys(
    const int64_t[::1] image_offsets,
    const uint8_t[::1] images,
    const int64_t[::1] image_of,
    const uint64_t[::1] addresses,
    int64_t[::1] keys,
):
    """Write the `frame_id` of addresses without symbols: their image (by number), the address."""
    cdef Digest digest
    cdef Py_ssize_t i
    cdef bint done
    cdef int64_t worked = 0
    cdef int64_t size
    _check_offsets(image_offsets, images.shape[0])
    _check_numbers(image_of, 0, image_offsets.shape[0] - 1)
    if not addresses.shape[0] == keys.shape[0] == image_of.shape[0]:
        raise ValueError("images, addresses and keys do not agree")
    with nogil:
        begin_digests(&digest)
        for i in range(addresses.shape[0]):
            put_bytes(&digest, b"gotrace.addr.v1\0", 16)
            _put_text(&digest, image_offsets, images, image_of[i])
            put_word(&digest, addresses[i], 8)
            size = message_size(&digest)
            end_message(&digest, &keys[i])
            if not undisturbed(&worked, size):
                break
        done = end_digests(&digest)
    raise_waiting()
    if not done:
        raise MemoryError


def site_keys(
    const int64_t[::1] ends,
    const int64_t[::1] frame_ids,
    const int64_t[::1] names_of,
    const uint8_t[::1] flags,
    const int64_t[::1] name_offsets,
    const uint8_t[::1] names,
    int64_t[::1] site_stack_ids,
    int64_t[::1] fingerprints,
    int64_t[::1] sites,
    int64_t[::1] roots,
):
    """Write of each stack the keys without what tools show or hide, its site and its root.

    `names_of` has the number of each frame's name, `flags` what is known of a name. The site and
    the root are places in `frame_ids`, -1 for none.
    """
    cdef Digest sites_digest, names_digest      # of each pair both are of about one length
    cdef Py_ssize_t i
    cdef int64_t start = 0
    cdef int64_t worked = 0
    cdef int64_t j, end, first, size
    cdef uint8_t flag
    cdef bint done
    cdef bint whole             # nothing would be left, so everything is
    _check_offsets(ends, frame_ids.shape[0])
    _check_offsets(name_offsets, names.shape[0])
    _check_numbers(names_of, 0, min(name_offsets.shape[0] - 1, flags.shape[0]))
    if names_of.shape[0] != frame_ids.shape[0] or not (
        ends.shape[0] == site_stack_ids.shape[0] == fingerprints.shape[0] == sites.shape[0]
        == roots.shape[0]
    ):
        raise ValueError("stacks and keys do not agree")
    with nogil:
        begin_digests(&sites_digest)
        begin_digests(&names_digest)
        for i in range(ends.shape[0]):
            end = ends[i]
            while end > start and flags[names_of[end - 1]] & NAME_GOEXIT:
                end -= 1
            first = start
            while first < end and flags[names_of[first]] & NAME_LEAF_SIDE:
                first += 1
            whole = True
            sites[i] = -1
            for j in range(start, end):
                flag = flags[names_of[j]]
                if sites[i] < 0 and not flag & NAME_NO_SITE:
                    sites[i] = j
                if j >= first and not flag & NAME_RUNTIME:
                    whole = False
            roots[i] = end - 1 if end > start else -1
            if whole:
                first = start
            put_bytes(&sites_digest, b"gotrace.stack.v1\0", 17)
            for j in range(first, end):
                if whole or not flags[names_of[j]] & NAME_RUNTIME:
                    put_word(&sites_digest, <uint64_t>frame_ids[j], 8)
            end_message(&sites_digest, &site_stack_ids[i])
            put_bytes(&names_digest, b"gotrace.fingerprint.v1\0", 23)
            for j in range(first, end):
                if whole or not flags[names_of[j]] & NAME_RUNTIME:
                    _put_text(&names_digest, name_offsets, names, names_of[j])
            size = message_size(&names_digest) + 8 * (ends[i] - start)
            end_message(&names_digest, &fingerprints[i])
            if not undisturbed(&worked, size):
                break
            start = ends[i]
        done = end_digests(&sites_digest)
        done = end_digests(&names_digest) and done
    raise_waiting()
    if not done:
        raise MemoryError


def label_set_keys(
    const int64_t[::1] ends,
    const int64_t[::1] keys_of,
    const int64_t[::1] texts_of,
    const int64_t[::1] numbers,
    const int64_t[::1] units_of,
    const int64_t[::1] offsets,
    const uint8_t[::1] texts,
    int64_t[::1] keys,
):
    """Write the `label_set_id` of each list of labels: key, text, number, unit, by number of text.

    A number of 0 beside a text is none.
    """
    cdef Digest digest
    cdef Py_ssize_t i
    cdef int64_t start = 0
    cdef int64_t worked = 0
    cdef int64_t j, size
    cdef bint done, is_number
    _check_offsets(ends, keys_of.shape[0])
    _check_offsets(offsets, texts.shape[0])
    _check_numbers(keys_of, 0, offsets.shape[0] - 1)
    _check_numbers(texts_of, 0, offsets.shape[0] - 1)
    _check_numbers(units_of, 0, offsets.shape[0] - 1)
    if keys.shape[0] != ends.shape[0] or not (
        keys_of.shape[0] == texts_of.shape[0] == numbers.shape[0] == units_of.shape[0]
    ):
        raise ValueError("label sets and keys do not agree")
    with nogil:
        begin_digests(&digest)
        for i in range(ends.shape[0]):
            put_bytes(&digest, b"gotrace.labels.v1\0", 18)
            for j in range(start, ends[i]):
                _put_text(&digest, offsets, texts, keys_of[j])
                _put_text(&digest, offsets, texts, texts_of[j])
                _put_text(&digest, offsets, texts, units_of[j])
                is_number = numbers[j] != 0 or offsets[texts_of[j]] == offsets[texts_of[j] + 1]
                put_word(&digest, is_number, 1)
                put_word(&digest, <uint64_t>numbers[j], 8)
            size = message_size(&digest)
            end_message(&digest, &keys[i])
            if not undisturbed(&worked, size):
                break
            start = ends[i]
        done = end_digests(&digest)
    raise_waiting()
    if not done:
        raise MemoryError


def list_members(
    const int64_t[::1] ends, const int64_t[::1] rows, const int64_t[::1] member_offsets
) -> tuple:
    """Replace every row of lists by its members; the new ends, and the numbers of the members.

    The members of row `r` are `member_offsets[r]` up to `member_offsets[r + 1]`.
    """
    cdef Numbers new_ends, members
    cdef int64_t size = 0
    cdef int64_t start = 0
    cdef int64_t worked = 0
    cdef int64_t i, j, k
    _check_offsets(ends, rows.shape[0])
    _check_numbers(rows, 0, member_offsets.shape[0] - 1)
    _check_offsets(member_offsets, INT64_MAX)
    memset(&new_ends, 0, sizeof(Numbers))
    memset(&members, 0, sizeof(Numbers))
    for i in range(rows.shape[0]):
        size += member_offsets[rows[i] + 1] - member_offsets[rows[i]]
    new_ends.items = <int64_t*>malloc((ends.shape[0] + 1) * sizeof(int64_t))
    members.items = <int64_t*>malloc((size + 1) * sizeof(int64_t))
    try:
        if new_ends.items == NULL or members.items == NULL:
            raise MemoryError
        with nogil:
            for i in range(ends.shape[0]):
                for j in range(start, ends[i]):
                    for k in range(member_offsets[rows[j]], member_offsets[rows[j] + 1]):
                        members.items[members.count] = k
                        members.count += 1
                new_ends.items[i] = members.count
                if not undisturbed(&worked, 8 * (ends[i] - start)):
                    break
                start = ends[i]
            new_ends.count = ends.shape[0]
        raise_waiting()
        return number_block(&new_ends), number_block(&members)
    finally:
        free(new_ends.items)
        free(members.items)


def take_lists(
    const int64_t[::1] offsets, const int64_t[::1] numbers, const int64_t[::1] order
) -> tuple:
    """Put the lists that `order` names one behind the other; their offsets, their numbers."""
    cdef Numbers new_offsets, taken
    cdef int64_t total = 0
    cdef int64_t i, start, size
    _check_offsets(offsets, numbers.shape[0])
    _check_numbers(order, 0, offsets.shape[0] - 1)
    memset(&new_offsets, 0, sizeof(Numbers))
    memset(&taken, 0, sizeof(Numbers))
    for i in range(order.shape[0]):
        total += offsets[order[i] + 1] - offsets[order[i]]
    new_offsets.items = <int64_t*>malloc((order.shape[0] + 1) * sizeof(int64_t))
    taken.items = <int64_t*>malloc((total + 1) * sizeof(int64_t))
    try:
        if new_offsets.items == NULL or taken.items == NULL:
            raise MemoryError
        with nogil:
            new_offsets.items[0] = 0
            for i in range(order.shape[0]):
                start = offsets[order[i]]
                size = offsets[order[i] + 1] - start
                if size:
                    memcpy(taken.items + taken.count, &numbers[start], size * sizeof(int64_t))
                taken.count += size
                new_offsets.items[i + 1] = taken.count
            new_offsets.count = order.shape[0] + 1
        return number_block(&new_offsets), number_block(&taken)
    finally:
        free(new_offsets.items)
        free(taken.items)


cdef class IdSet(Owned):
    """Ids that were met."""

    cdef IdMap ids

    def __cinit__(self):
        self.ids.seed = int.from_bytes(os.urandom(8), "little")

    def __dealloc__(self):
        idmap_clear(&self.ids)

    def __len__(self):
        return self.ids.count

    def add(self, const int64_t[::1] ids, uint8_t[::1] is_new):
        """Add ids, and write of each whether this is the first time that it is met."""
        cdef Py_ssize_t i
        cdef uint64_t* place
        cdef bint new
        cdef bint failed = False
        if ids.shape[0] != is_new.shape[0]:
            raise ValueError("ids and answers do not agree")
        self.enter()
        with nogil:
            for i in range(ids.shape[0]):
                place = idmap_put(&self.ids, <uint64_t>ids[i], &new)
                if place == NULL:
                    failed = True
                    break
                place[0] = 1
                is_new[i] = new
        self.leave()
        if failed:
            raise MemoryError
