# `notes`: what the decoder had to say of damage, repair and surprise.
#
# Damage is written down when the trace goes on, for only then is it known how much time it cost.
#
# Offers: NotesTable.

cdef enum:
    MOST_UNSETTLED = 1000       # of more faults in a row nobody knows the time they cost


cdef int64_t unknown_experiments(const Generation* generation) noexcept nogil:
    cdef int64_t count = 0
    cdef int64_t i
    for i in range(generation.n_structural):
        count += (
            generation.structural[i].kind == EV_EXPERIMENTAL_BATCH
            and generation.structural[i].experiment != EXPERIMENT_ALLOC_FREE
        )
    return count


cdef class NotesTable:
    cdef Table table            # None where nobody asked
    cdef const Ordering* order
    cdef list unsettled         # damage whose lost time is not known yet
    cdef int64_t misnested      # of the order's counts, how many were noted
    cdef int64_t sample_stacks

    def __cinit__(self, Table table):
        self.table = table
        self.unsettled = []

    cdef int damage(
        self, str severity, str code, str text, int64_t offset, int64_t lost_bytes,
        int64_t generation,
    ) except -1:
        """Note something between two stretches of trace."""
        cdef int64_t seq = last_seq(self.order)
        if len(self.unsettled) == MOST_UNSETTLED:
            self.settle(NULL_ID)
        self.unsettled.append(
            (severity, code, text, offset, lost_bytes, generation, seq, self.order.last_time)
        )
        return 0

    cdef int settle(self, int64_t resumed_at) except -1:
        """The trace goes on at `resumed_at`, or never (NULL_ID)."""
        cdef int64_t lost_ns
        cdef bint told = False      # a gap is lost once, whatever was wrong in it
        for severity, code, text, offset, lost_bytes, generation, seq, stopped_at in self.unsettled:
            lost_ns = NULL_ID
            if code == "damage" and not told and resumed_at >= 0 and stopped_at:
                lost_ns = max(resumed_at - <int64_t>stopped_at, 0)
                told = True
            self._put(severity, code, text, offset, lost_bytes, lost_ns, generation, seq)
        self.unsettled.clear()
        return 0

    cdef int oddities(self, const Generation* generation, int64_t replaced) except -1:
        """What was odd in a generation and is no fault."""
        cdef int64_t count = self.order.misnested - self.misnested
        self.misnested = self.order.misnested
        if count:
            text = f"{count} user regions ended that were not the innermost"
            self._put_odd("warning", "misnested_regions", text, generation)
        count = self.order.unknown_sample_stacks - self.sample_stacks
        self.sample_stacks = self.order.unknown_sample_stacks
        if count:
            text = f"{count} CPU samples have a stack that is not defined"
            self._put_odd("warning", "unknown_sample_stack", text, generation)
        count = unknown_experiments(generation)
        if count:
            text = f"{count} batches of experiments that gotrace does not know were passed over"
            self._put_odd("info", "unknown_experiment", text, generation)
        if replaced:
            text = f"{replaced} texts were not UTF-8; their broken bytes were replaced"
            self._put_odd("info", "not_utf8", text, generation)
        return 0

    cdef int illegal(self, const Generation* generation, int64_t count, int64_t seq) except -1:
        """Changes of state that should not be: the order lets none through that we know of."""
        text = f"{count} changes of state are not legal, the first in event {seq}"
        return self._put_odd("warning", "illegal_transition", text, generation)

    cdef int _put_odd(
        self, str severity, str code, str text, const Generation* generation
    ) except -1:
        return self._put(
            severity, code, text, generation.offset, 0, NULL_ID, as_int64(generation.number),
            last_seq(self.order),
        )

    cdef int _put(
        self, str severity, str code, str text, int64_t offset, int64_t lost_bytes, int64_t lost_ns,
        int64_t generation, int64_t seq,
    ) except -1:
        cdef Table table = self.table
        if table is None:
            return 0
        put_int(table.column("offset"), offset)
        put_str(table.column("severity"), severity)
        put_str(table.column("code"), code)
        put_str(table.column("text"), text)
        put_int(table.column("lost_bytes"), lost_bytes)
        put_int(table.column("lost_ns"), lost_ns)
        put_int(table.column("generation"), generation)
        put_int(table.column("last_seq"), seq)
        table.rows += 1
        return 0
