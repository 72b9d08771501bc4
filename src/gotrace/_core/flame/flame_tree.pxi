# FlameTree: stacks, root first, as one tree of parent pointers. Parents come before their children,
# so one pass backwards adds every child into its parent; nothing is recursive, however deep.

cdef enum:
    SEEN_INLINED = 1
    SEEN_CALLED = 2


cdef class FlameTree(Owned):
    """Nodes in the order they were made; node 0 is the root of all."""

    cdef IdMap edges                # parent << 32 | key -> child
    cdef int32_t* parents
    cdef int32_t* keys
    cdef uint8_t* seen
    cdef int64_t parents_capacity, keys_capacity, seen_capacity
    cdef int64_t count

    def __cinit__(self):
        self.edges.seed = int.from_bytes(os.urandom(8), "little")
        if not self._room(1):
            raise MemoryError
        self.parents[0] = -1
        self.keys[0] = -1
        self.seen[0] = SEEN_CALLED
        self.count = 1

    def __dealloc__(self):
        idmap_clear(&self.edges)
        free(self.parents)
        free(self.keys)
        free(self.seen)

    def __len__(self):
        return self.count

    cdef bint _room(self, int64_t wanted) noexcept nogil:
        return (
            reserve(<void**>&self.parents, &self.parents_capacity, wanted, sizeof(int32_t))
            and reserve(<void**>&self.keys, &self.keys_capacity, wanted, sizeof(int32_t))
            and reserve(<void**>&self.seen, &self.seen_capacity, wanted, 1)
        )

    @cython.boundscheck(True)
    def insert(
        self,
        const int64_t[::1] offsets,
        const int32_t[::1] keys,
        const uint8_t[::1] inlined,
        int32_t[::1] leaves,
    ):
        """Insert stacks of keys, root first; write the node that each ends at into `leaves`."""
        cdef Py_ssize_t i
        cdef int64_t j
        cdef int64_t worked = 0
        cdef int32_t node
        cdef int failed = 0
        cdef bint is_new
        cdef uint64_t* child
        if offsets.shape[0] != leaves.shape[0] + 1 or inlined.shape[0] != keys.shape[0]:
            raise ValueError("offsets, keys and leaves do not agree")
        self.enter()
        try:
            with nogil:
                for i in range(leaves.shape[0]):
                    node = 0
                    for j in range(offsets[i], offsets[i + 1]):
                        if self.count >= INT32_MAX:
                            failed = 1
                            break
                        child = idmap_put(
                            &self.edges, (<uint64_t>node << 32) | <uint64_t>keys[j], &is_new
                        )
                        if child == NULL or (is_new and not self._room(self.count + 1)):
                            failed = 2
                            break
                        if is_new:
                            child[0] = <uint64_t>self.count
                            self.parents[self.count] = node
                            self.keys[self.count] = keys[j]
                            self.seen[self.count] = 0
                            self.count += 1
                        node = <int32_t>child[0]
                        self.seen[node] |= SEEN_INLINED if inlined[j] else SEEN_CALLED
                    if failed:
                        break
                    leaves[i] = node
                    if not undisturbed(&worked, 8 * (offsets[i + 1] - offsets[i])):
                        break
        finally:
            self.leave()
        raise_waiting()
        if failed == 1:
            raise OverflowError("a flame has at most 2,147,483,647 nodes")
        if failed:
            raise MemoryError

    @cython.boundscheck(True)
    def copy_to(self, int32_t[::1] parents, int32_t[::1] keys, uint8_t[::1] seen):
        """Copy the nodes out."""
        cdef int64_t i
        self.enter()
        try:
            with nogil:
                for i in range(self.count):
                    parents[i] = self.parents[i]
                    keys[i] = self.keys[i]
                    seen[i] = self.seen[i]
        finally:
            self.leave()


@cython.boundscheck(True)
def add_to_parents(const int32_t[::1] parents, int64_t[:, ::1] values):
    """Add every row of `values` into its parent's, children first; False on an overflow."""
    cdef Py_ssize_t i, j
    cdef int64_t a, b, c
    cdef bint fits = True
    with nogil:
        for i in range(parents.shape[0] - 1, 0, -1):
            for j in range(values.shape[1]):
                a = values[parents[i], j]
                b = values[i, j]
                c = <int64_t>(<uint64_t>a + <uint64_t>b)
                if ((a ^ c) & (b ^ c)) < 0:
                    fits = False
                values[parents[i], j] = c
    return fits


@cython.boundscheck(True)
def preorder(
    const int32_t[::1] parents,
    const int64_t[::1] siblings,
    int32_t[::1] order,
    int32_t[::1] depths,
    int32_t[::1] ends,
):
    """Number the nodes depth first.

    `siblings` lists all nodes but the root, grouped by parent in rising order, siblings as they
    should come. Writes per new number the old one, the depth, and the number behind its subtree.
    """
    cdef Py_ssize_t count = parents.shape[0], i
    cdef int32_t* first = <int32_t*>malloc((count + 1) * sizeof(int32_t))
    cdef int32_t* stack = <int32_t*>malloc(count * sizeof(int32_t))
    cdef int32_t* number = <int32_t*>malloc(count * sizeof(int32_t))
    cdef int32_t top = 0, at = 0, node, j
    try:
        if first == NULL or stack == NULL or number == NULL:
            raise MemoryError
        with nogil:
            memset(first, 0, (count + 1) * sizeof(int32_t))
            for i in range(1, count):
                first[parents[i] + 1] += 1
            for i in range(count):
                first[i + 1] += first[i]
            stack[0] = 0
            top = 1
            while top:
                top -= 1
                node = stack[top]
                order[at] = node
                number[node] = at
                depths[at] = depths[number[parents[node]]] + 1 if node else 0
                at += 1
                for j in range(first[node + 1] - 1, first[node] - 1, -1):
                    stack[top] = <int32_t>siblings[j]
                    top += 1
            for i in range(count):
                ends[i] = i + 1
            for i in range(count - 1, 0, -1):
                node = number[parents[order[i]]]
                if ends[i] > ends[node]:
                    ends[node] = ends[i]
    finally:
        free(first)
        free(stack)
        free(number)
