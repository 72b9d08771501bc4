# ROWS -> `goroutine_transitions`: the rows in which a goroutine really changes its state.
#
# Offers: TransitionsTable.

cdef int64_t* grow_ints(Column* self, int64_t n) noexcept nogil:
    """Room for `n` more 64-bit values; where they begin, or NULL."""
    cdef int64_t used = self.length
    self.data = _grown(self, self.data, used * 8, (used + n) * 8)
    if self.failed:
        return NULL
    self.length += n
    return <int64_t*>self.data + used


cdef void gather(Column* self, const int64_t* values, const int32_t* picked, int64_t n) noexcept nogil:
    cdef int64_t* out
    cdef int64_t i
    if self == NULL:
        return
    out = grow_ints(self, n)
    if out != NULL:
        for i in range(n):
            out[i] = values[picked[i]]


cdef class TransitionsTable:
    cdef Table table
    cdef StackStore stacks
    cdef object wait_of         # (reason, functions) -> code, from gotrace.spec.waits
    cdef _Words reasons
    cdef IdMap waits            # key of (reason, stack) -> code + 1
    cdef dict lives             # goroutine -> lives that have ended, where an id can live twice
    cdef bint needs_waits
    cdef int32_t* picked        # positions of the rows
    cdef int64_t picked_room

    def __cinit__(self, Table table, StackStore stacks, dict words):
        from gotrace.spec.waits import wait_code

        self.table = table
        self.stacks = stacks
        self.wait_of = wait_code
        self.reasons = words["reason"]
        self.lives = {}
        self.needs_waits = table.column("wait") != NULL

    def __dealloc__(self):
        idmap_clear(&self.waits)
        free(self.picked)

    cdef int take(self, const Rows* rows) except -1:
        cdef Table table = self.table
        cdef int64_t n
        if not reserve(<void**>&self.picked, &self.picked_room, rows.count + 1, sizeof(int32_t)):
            raise MemoryError("no memory for transitions")
        with nogil:
            n = self._pick(rows)
            self._put_causes(rows, n)
        gather(table.column("time_ns"), rows.time, self.picked, n)
        gather(table.column("goroutine"), rows.resource_id, self.picked, n)
        gather(table.column("by_thread"), rows.thread, self.picked, n)
        gather(table.column("stack_id"), rows.stack, self.picked, n)
        self._put_codes(rows, n)
        self._put_lives(rows, n)
        if self.needs_waits:
            self._put_waits(rows, n)
        table.rows += n
        return 0

    cdef int64_t _pick(self, const Rows* rows) noexcept nogil:
        """Goroutine transitions whose states differ."""
        cdef int64_t n = 0
        cdef int64_t i
        cdef uint8_t code
        for i in range(rows.count):
            code = rows.code[i]
            self.picked[n] = <int32_t>i
            n += (code & (CODE_TRANSITION | CODE_PROC)) == CODE_TRANSITION and (code >> 3 & 7) != (code & 7)
        return n

    cdef void _put_causes(self, const Rows* rows, int64_t n) noexcept nogil:
        """Whoever else caused it; a goroutine that stopped by itself has no cause."""
        cdef Column* goroutines
        cdef Column* stacks
        cdef Column* seqs
        cdef int64_t* values
        cdef int64_t i, row
        with gil:
            goroutines = self.table.column("by_goroutine")
            stacks = self.table.column("by_stack_id")
            seqs = self.table.column("seq")
        values = grow_ints(goroutines, n) if goroutines != NULL else NULL
        for i in range(n if values != NULL else 0):
            row = self.picked[i]
            values[i] = rows.goroutine[row] if rows.goroutine[row] != rows.resource_id[row] else NULL_ID
        values = grow_ints(stacks, n) if stacks != NULL else NULL
        for i in range(n if values != NULL else 0):
            row = self.picked[i]
            values[i] = rows.context_stack[row] if rows.goroutine[row] != rows.resource_id[row] else NULL_ID
        values = grow_ints(seqs, n) if seqs != NULL else NULL
        for i in range(n if values != NULL else 0):
            values[i] = rows.first_seq + self.picked[i]

    cdef int _put_codes(self, const Rows* rows, int64_t n) except -1:
        cdef Column* from_states = self.table.column("from_state")
        cdef Column* to_states = self.table.column("to_state")
        cdef Column* reasons = self.table.column("reason")
        cdef Column* procs = self.table.column("by_proc")
        cdef int64_t i, row
        with nogil:
            for i in range(n):
                row = self.picked[i]
                put_int(from_states, rows.code[row] >> 3 & 7)
                put_int(to_states, rows.code[row] & 7)
                put_int(reasons, rows.reason[row])
                put_int(procs, rows.proc[row])
        return 0

    cdef int _put_lives(self, const Rows* rows, int64_t n) except -1:
        """Ids of goroutines that C called into being are used again: count."""
        cdef Column* lives = self.table.column("life")
        cdef int64_t i, row
        cdef uint8_t died = goroutine_code(STATE_SYSCALL, STATE_NOTEXIST)
        for i in range(n):
            row = self.picked[i]
            if not self.lives and rows.code[row] != died:
                put_int(lives, 0)
                continue
            put_int(lives, self.lives.get(rows.resource_id[row], 0))
            if rows.code[row] == died:
                self.lives[rows.resource_id[row]] = self.lives.get(rows.resource_id[row], 0) + 1
        return 0

    cdef int _put_waits(self, const Rows* rows, int64_t n) except -1:
        cdef Column* waits = self.table.column("wait")
        cdef uint64_t* known
        cdef int64_t i, row
        cdef int to_state
        for i in range(n):
            row = self.picked[i]
            to_state = rows.code[row] & 7
            if to_state != STATE_WAITING and to_state != STATE_SYSCALL:
                put_int(waits, NULL_ID)
                continue
            known = idmap_find(&self.waits, self._wait_key(rows, row, to_state))
            put_int(waits, <int64_t>known[0] - 1 if known != NULL else self._find_wait(rows, row, to_state))
        return 0

    cdef inline uint64_t _wait_key(self, const Rows* rows, int64_t row, int to_state) noexcept:
        return mix(<uint64_t>rows.stack[row]) ^ <uint64_t>(<uint16_t>rows.reason[row]) << 1 ^ (to_state == STATE_SYSCALL)

    cdef int64_t _find_wait(self, const Rows* rows, int64_t row, int to_state) except -1:
        """Ask the table of wait classes, once per reason and stack."""
        cdef bint is_new
        cdef uint64_t* place
        cdef str reason = ""
        cdef int64_t code
        if rows.reason[row] >= 0:
            reason = self.reasons.values[rows.reason[row]]
        functions = self.stacks.functions_of.get(rows.stack[row], ())
        code = self.wait_of("syscall" if to_state == STATE_SYSCALL else "waiting", reason, functions)
        place = idmap_put(&self.waits, self._wait_key(rows, row, to_state), &is_new)
        if place == NULL:
            raise MemoryError("no memory for wait classes")
        place[0] = <uint64_t>code + 1
        return code

    cdef int end_stretch(self, Ordering* order) except -1:
        """After damage every goroutine that lives on is another life, as far as we know."""
        cdef uint64_t i
        cdef int j
        cdef Page* page
        if order.goroutines.pages.slots == NULL:
            return 0
        for i in range(order.goroutines.pages.mask + 1):
            page = <Page*>order.goroutines.pages.slots[i].value
            for j in range(PAGE_SIZE if page != NULL else 0):
                if page.goroutines[j].status != UNKNOWN:
                    self.lives[page.goroutines[j].id] = self.lives.get(page.goroutines[j].id, 0) + 1
        return 0
