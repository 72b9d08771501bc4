# TextPairs: pairs of texts to numbers, as a dict would have them; what many profiles name again and
# again is found without a tuple each. The hashes of texts are Python's own, which are keyed.
#
# Offers: TextPairs.

cdef struct PairSlot:
    uint64_t hash
    int64_t pair                    # + 1; 0 is empty
    int64_t number


cdef class TextPairs(Owned):
    """Pairs of texts that were met, each with its number."""

    cdef list firsts, seconds
    cdef PairSlot* slots
    cdef uint64_t mask

    def __cinit__(self):
        self.firsts, self.seconds = [], []
        self.slots = <PairSlot*>calloc(1024, sizeof(PairSlot))
        if self.slots == NULL:
            raise MemoryError
        self.mask = 1023

    def __dealloc__(self):
        free(self.slots)

    def __len__(self):
        return len(self.firsts)

    def find(self, tuple firsts not None, tuple seconds not None, int64_t[::1] numbers, new):
        """Write the number of each pair; one that is met first gets what `new(first, second)` says.
        """
        cdef Py_ssize_t i
        cdef uint64_t hash, at
        cdef int64_t number
        cdef str first, second
        if not len(firsts) == len(seconds) == numbers.shape[0]:
            raise ValueError("texts and numbers do not agree")
        self.enter()
        try:
            for i in range(len(firsts)):
                first, second = firsts[i], seconds[i]
                hash = mix(<uint64_t>PyObject_Hash(first)) ^ <uint64_t>PyObject_Hash(second)
                at = self._place(hash, first, second)
                if self.slots[at].pair == 0:
                    number = new(first, second)
                    self.firsts.append(first)
                    self.seconds.append(second)
                    self.slots[at] = PairSlot(hash, len(self.firsts), number)
                    numbers[i] = number
                    if <uint64_t>len(self.firsts) * 2 > self.mask:
                        self._grow()
                else:
                    numbers[i] = self.slots[at].number
        finally:
            self.leave()

    cdef uint64_t _place(self, uint64_t hash, str first, str second) except? 0:
        cdef uint64_t at = hash & self.mask
        cdef int64_t pair
        while self.slots[at].pair:
            pair = self.slots[at].pair - 1
            if (
                self.slots[at].hash == hash
                and <str>self.firsts[pair] == first
                and <str>self.seconds[pair] == second
            ):
                break
            at = (at + 1) & self.mask
        return at

    cdef int _grow(self) except -1:
        cdef uint64_t mask = self.mask * 2 + 1
        cdef PairSlot* slots = <PairSlot*>calloc(mask + 1, sizeof(PairSlot))
        cdef uint64_t i, at
        if slots == NULL:
            raise MemoryError
        for i in range(self.mask + 1):
            if self.slots[i].pair:
                at = self.slots[i].hash & mask
                while slots[at].pair:
                    at = (at + 1) & mask
                slots[at] = self.slots[i]
        free(self.slots)
        self.slots, self.mask = slots, mask
        return 0
