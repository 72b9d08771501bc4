# ROWS -> `goroutine_transitions`: the rows in which a goroutine really changes its state.
#
# Offers: TransitionsTable.

cdef void* grow_rows(Column* self, int64_t n) noexcept nogil:
    """Room for `n` more values; where they begin, NULL if nobody wants them."""
    cdef int64_t used
    if self == NULL:
        return NULL
    used = self.length
    self.data = _grown(
        self, self.data, used * self.width, (used + n if used else max(n, self.usual)) * self.width
    )
    if self.failed:
        return NULL
    self.length += n
    return <uint8_t*>self.data + used * self.width


cdef void gather_int64(
    Column* self, const int64_t* values, const int32_t* picked, int64_t n
) noexcept nogil:
    cdef int64_t* out = <int64_t*>grow_rows(self, n)
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        out[i] = values[picked[i]]


cdef void gather_int32(
    Column* self, const int32_t* values, const int32_t* picked, int64_t n
) noexcept nogil:
    cdef int32_t* out = <int32_t*>grow_rows(self, n)
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        out[i] = values[picked[i]]


cdef void gather_int16(
    Column* self, const int16_t* values, const int32_t* picked, int64_t n
) noexcept nogil:
    cdef int16_t* out = <int16_t*>grow_rows(self, n)
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        out[i] = values[picked[i]]


cdef void gather_states(
    Column* self, const uint8_t* codes, const int32_t* picked, int64_t n, int shift
) noexcept nogil:
    cdef int8_t* out = <int8_t*>grow_rows(self, n)
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        out[i] = <int8_t>(codes[picked[i]] >> shift & 7)


cdef void gather_causes(
    Column* self, const int64_t* causes, const Rows* rows, const int32_t* picked, int64_t n
) noexcept nogil:
    """Null where a goroutine did it itself."""
    cdef int64_t* out = <int64_t*>grow_rows(self, n)
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        out[i] = causes[picked[i]]
        if rows.goroutine[picked[i]] == rows.resource_id[picked[i]]:
            out[i] = NULL_ID


cdef void gather_seqs(Column* self, int64_t first, const int32_t* picked, int64_t n) noexcept nogil:
    cdef int64_t* out = <int64_t*>grow_rows(self, n)
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        out[i] = first + picked[i]


cdef class TransitionsTable:
    cdef Table table
    cdef WaitClasses waits
    cdef IdMap lived            # goroutine -> lives that have ended, where an id can live twice
    cdef IdMap from_c           # goroutines that threads of C called into being
    cdef bint needs_waits
    cdef int32_t* picked        # positions of the rows
    cdef int64_t picked_room

    def __cinit__(self, Table table, WaitClasses waits, uint64_t seed):
        self.table = table
        self.waits = waits
        self.lived.seed = seed
        self.from_c.seed = seed
        self.needs_waits = table.column("wait") != NULL

    def __dealloc__(self):
        free(self.picked)
        idmap_clear(&self.lived)
        idmap_clear(&self.from_c)

    cdef int take(self, const Rows* rows) except -1:
        cdef Table table = self.table
        cdef const int32_t* picked
        cdef int64_t n
        if not reserve(<void**>&self.picked, &self.picked_room, rows.count + 1, sizeof(int32_t)):
            raise MemoryError("no memory for transitions")
        picked = self.picked
        n = self._pick(rows)
        gather_seqs(table.column("seq"), rows.first_seq, picked, n)
        gather_int64(table.column("time_ns"), rows.time, picked, n)
        gather_int64(table.column("goroutine"), rows.resource_id, picked, n)
        gather_states(table.column("from_state"), rows.code, picked, n, 3)
        gather_states(table.column("to_state"), rows.code, picked, n, 0)
        gather_int16(table.column("reason"), rows.reason, picked, n)
        gather_int64(table.column("stack_id"), rows.stack, picked, n)
        gather_causes(table.column("by_goroutine"), rows.goroutine, rows, picked, n)
        gather_int32(table.column("by_proc"), rows.proc, picked, n)
        gather_int64(table.column("by_thread"), rows.thread, picked, n)
        gather_causes(table.column("by_stack_id"), rows.context_stack, rows, picked, n)
        self._put_lives(rows, n)
        if self.needs_waits:
            self._put_waits(rows, n)
        table.rows += n
        return 0

    cdef int64_t _pick(self, const Rows* rows) noexcept:
        """Goroutine transitions whose states differ."""
        cdef int64_t n = 0
        cdef int64_t i
        cdef uint8_t code
        cdef bint changes
        for i in range(rows.count):
            code = rows.code[i]
            self.picked[n] = <int32_t>i
            changes = (code >> 3 & 7) != (code & 7)
            n += changes and (code & (CODE_TRANSITION | CODE_PROC)) == CODE_TRANSITION
        return n

    cdef int _put_lives(self, const Rows* rows, int64_t n) except -1:
        """Ids of goroutines that C called into being are used again: count."""
        cdef int32_t* out = <int32_t*>grow_rows(self.table.column("life"), n)
        cdef int64_t i, row, goroutine
        cdef uint64_t* lived
        cdef uint8_t code
        cdef bint fine = True
        for i in range(n):
            row = self.picked[i]
            goroutine = rows.resource_id[row]
            code = rows.code[row]
            if out != NULL:
                lived = NULL
                if self.lived.count:
                    lived = idmap_find(&self.lived, <uint64_t>goroutine)
                out[i] = <int32_t>lived[0] if lived != NULL else 0
            if code == goroutine_code(STATE_NOTEXIST, STATE_SYSCALL):
                fine = fine and idmap_count(&self.from_c, goroutine)
            elif code & 7 == STATE_NOTEXIST:
                if code == goroutine_code(STATE_SYSCALL, STATE_NOTEXIST) or (
                    self.from_c.count
                    and idmap_find(&self.from_c, <uint64_t>goroutine) != NULL
                ):
                    fine = fine and idmap_count(&self.lived, goroutine)
                    idmap_remove(&self.from_c, <uint64_t>goroutine)
        if not fine:
            raise MemoryError("no memory for lives")
        return 0

    cdef int _put_waits(self, const Rows* rows, int64_t n) except -1:
        cdef int8_t* out = <int8_t*>grow_rows(self.table.column("wait"), n)
        cdef int64_t i, row
        if out == NULL:
            return 0
        for i in range(n):
            row = self.picked[i]
            out[i] = self.waits.code(
                rows.code[row] & 7, rows.code[row] >> 3 & 7 == STATE_UNDETERMINED,
                rows.reason[row], rows.stack[row],
            )
        return 0

    cdef int end_stretch(self, Ordering* order) except -1:
        """After damage every goroutine that lives on is another life, as far as we know."""
        cdef uint64_t i
        cdef int j
        cdef Page* page
        cdef bint fine = True
        for i in range(
            order.goroutines.pages.mask + 1 if order.goroutines.pages.slots != NULL else 0
        ):
            page = <Page*>order.goroutines.pages.slots[i].value
            for j in range(PAGE_SIZE if page != NULL else 0):
                if page.goroutines[j].status != UNKNOWN:
                    fine = fine and idmap_count(&self.lived, page.goroutines[j].id)
        idmap_clear(&self.from_c)
        if not fine:
            raise MemoryError("no memory for lives")
        return 0
