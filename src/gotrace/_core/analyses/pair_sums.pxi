# (a, b), kind, value -> sums and counts by pair and kind: lives of goroutines, and what they did.
#
# The key is a hash of both, with a seed that no input knows; pairs that share one are a chain. What
# was added comes again soon, so a small table knows the last pair of each low bits.
#
# Offers: PairSums.

cdef enum:
    NEAR_PAIRS = 1 << 14


cdef struct Pair:
    int64_t a
    int64_t b
    int64_t next                # position + 1 of an older pair with this key


cdef class PairSums:
    """Sums and counts of numbers by pair and kind; see the stub."""

    cdef IdMap places           # key -> position + 1 of its last pair
    cdef Pair* pairs
    cdef int64_t* cells         # of each pair: a sum a kind, then a count a kind
    cdef int64_t n_pairs, pairs_room, cells_room
    cdef int32_t near[NEAR_PAIRS]   # position + 1; 0 for none
    cdef readonly int kinds

    def __cinit__(self, int kinds):
        if not 0 < kinds < 128:
            raise ValueError(f"{kinds} kinds")
        self.kinds = kinds
        self.places.seed = int.from_bytes(os.urandom(8), "little")

    def __dealloc__(self):
        idmap_clear(&self.places)
        free(self.pairs)
        free(self.cells)

    def __len__(self):
        return self.n_pairs

    def add(
        self,
        const int64_t[::1] a,
        const int64_t[::1] b,
        const int8_t[::1] kinds,
        const int64_t[::1] values,
    ):
        """Add numbers; those of no kind (-1) are left out."""
        cdef Py_ssize_t i, n = a.shape[0]
        cdef int64_t row = 0
        cdef int64_t* cell
        if not n == b.shape[0] == kinds.shape[0] == values.shape[0]:
            raise ValueError("the columns differ in length")
        with nogil:
            for i in range(n):
                if not 0 <= kinds[i] < self.kinds:
                    continue
                row = self._row(a[i], b[i])
                if row < 0:
                    break
                cell = &self.cells[row * 2 * self.kinds + kinds[i]]
                cell[0] = <int64_t>(<uint64_t>cell[0] + <uint64_t>values[i])
                (cell + self.kinds)[0] += 1
        if row < 0:
            raise MemoryError("no memory for sums")

    def find(self, const int64_t[::1] a, const int64_t[::1] b, int64_t[::1] rows):
        """Write the row of each pair, -1 for one that was not added."""
        cdef Py_ssize_t i
        if not a.shape[0] == b.shape[0] == rows.shape[0]:
            raise ValueError("the columns differ in length")
        with nogil:
            for i in range(a.shape[0]):
                rows[i] = self._find(a[i], b[i]) - 1

    def copy_to(
        self, int64_t[::1] a, int64_t[::1] b, int64_t[:, ::1] sums, int64_t[:, ::1] counts
    ):
        """Copy the pairs in order of first sight, and their sums and counts, a row a pair."""
        cdef int64_t i, k
        if not (
            a.shape[0] == b.shape[0] == sums.shape[0] == counts.shape[0] == self.n_pairs
            and sums.shape[1] == counts.shape[1] == self.kinds
        ):
            raise ValueError("the arrays do not have the shape of the sums")
        for i in range(self.n_pairs):
            a[i] = self.pairs[i].a
            b[i] = self.pairs[i].b
            for k in range(self.kinds):
                sums[i, k] = self.cells[i * 2 * self.kinds + k]
                counts[i, k] = self.cells[(i * 2 + 1) * self.kinds + k]

    cdef inline uint64_t _key(self, int64_t a, int64_t b) noexcept nogil:
        return mix(<uint64_t>a ^ self.places.seed) ^ <uint64_t>b

    cdef inline bint _is(self, int64_t at, int64_t a, int64_t b) noexcept nogil:
        return self.pairs[at - 1].a == a and self.pairs[at - 1].b == b

    cdef int64_t _find(self, int64_t a, int64_t b) noexcept nogil:
        """Position + 1 of a pair; 0 for none."""
        cdef int64_t at = self.near[(a ^ b) & (NEAR_PAIRS - 1)]
        cdef uint64_t* place
        if at != 0 and self._is(at, a, b):
            return at
        place = idmap_find(&self.places, self._key(a, b))
        at = 0 if place == NULL else <int64_t>place[0]
        while at != 0 and not self._is(at, a, b):
            at = self.pairs[at - 1].next
        return at

    cdef inline int64_t _row(self, int64_t a, int64_t b) noexcept nogil:
        """The row of a pair, a new one where it is not known; -1 without memory."""
        cdef int32_t* near = &self.near[(a ^ b) & (NEAR_PAIRS - 1)]
        cdef int64_t row
        if near[0] != 0 and self._is(near[0], a, b):
            return near[0] - 1
        row = self._far_row(a, b)
        if 0 <= row < INT32_MAX:
            near[0] = <int32_t>row + 1
        return row

    cdef int64_t _far_row(self, int64_t a, int64_t b) noexcept nogil:
        cdef int64_t at
        cdef bint is_new
        cdef uint64_t* place
        cdef Pair* pair
        if not reserve(
            <void**>&self.pairs, &self.pairs_room, self.n_pairs + 1, sizeof(Pair)
        ) or not reserve(
            <void**>&self.cells, &self.cells_room, (self.n_pairs + 1) * 2 * self.kinds,
            sizeof(int64_t),
        ):
            return -1
        place = idmap_put(&self.places, self._key(a, b), &is_new)
        if place == NULL:
            return -1
        at = 0 if is_new else <int64_t>place[0]
        while at != 0:
            if self._is(at, a, b):
                return at - 1
            at = self.pairs[at - 1].next
        pair = &self.pairs[self.n_pairs]
        pair.a = a
        pair.b = b
        pair.next = 0 if is_new else <int64_t>place[0]
        memset(
            &self.cells[self.n_pairs * 2 * self.kinds], 0, 2 * self.kinds * sizeof(int64_t)
        )
        self.n_pairs += 1
        place[0] = <uint64_t>self.n_pairs
        return self.n_pairs - 1
