# LastStacks: the stack that was seen last of each goroutine, for intervals that come without one.
# Memory is bounded by the goroutines that are alive.


cdef class LastStacks:
    """Fills stacks in, batch after batch; see the stub."""

    cdef IdMap stacks               # goroutine -> stack + 1

    def __cinit__(self):
        self.stacks.seed = int.from_bytes(os.urandom(8), "little")

    def __dealloc__(self):
        idmap_clear(&self.stacks)

    def __len__(self):
        return self.stacks.count

    @cython.boundscheck(True)
    def fill(
        self,
        const int64_t[::1] goroutines,
        int64_t[::1] stacks,
        const uint8_t[::1] ended,
    ):
        """Write the last stack of its goroutine over each -1."""
        cdef Py_ssize_t i
        cdef uint64_t* last
        cdef bint is_new, fits = True
        with nogil:
            for i in range(goroutines.shape[0]):
                if stacks[i] < 0:
                    last = idmap_find(&self.stacks, <uint64_t>goroutines[i])
                    if last != NULL:
                        stacks[i] = <int64_t>(last[0] - 1)
                elif not ended[i]:
                    last = idmap_put(&self.stacks, <uint64_t>goroutines[i], &is_new)
                    if last == NULL:
                        fits = False
                        break
                    last[0] = <uint64_t>stacks[i] + 1
                if ended[i]:
                    idmap_remove(&self.stacks, <uint64_t>goroutines[i])
        if not fits:
            raise MemoryError
