# ROWS -> `goroutine_transitions`: the rows in which a goroutine really changes its state.
#
# Nearly all rows are such. Where a block has others, each column that is wanted is compacted first.
#
# Offers: TransitionsTable.

# An array of a block, compacted: every column in turn, so it stays in the cache.
cdef union Compacted:
    int64_t ids[STAGGERED]
    int32_t procs[STAGGERED]
    int16_t reasons[STAGGERED]


@cython.final
cdef class TransitionsTable:
    cdef Table table
    cdef WaitClasses waits
    cdef IdMap lived            # goroutine -> lives that have ended, where an id can live twice
    cdef IdMap from_c           # goroutines that threads of C called into being
    cdef Column* seq
    cdef Column* time
    cdef Column* goroutine
    cdef Column* life
    cdef Column* from_state
    cdef Column* to_state
    cdef Column* reason
    cdef Column* wait
    cdef Column* stack
    cdef Column* by_goroutine
    cdef Column* by_proc
    cdef Column* by_thread
    cdef Column* by_stack
    cdef uint64_t words[MOST_WORDS]    # a bit for each row: whether it is picked
    cdef bint all_picked        # of the block
    cdef int64_t n              # picked rows
    cdef Compacted compacted
    cdef int64_t made[STAGGERED]            # values that are not in the rows as they are
    cdef uint8_t codes[STAGGERED]           # of the picked rows
    cdef uint64_t waiting[MOST_WORDS]  # a bit for each picked row

    def __cinit__(self, Table table, WaitClasses waits, uint64_t seed):
        self.table = table
        self.waits = waits
        self.lived.seed = seed
        self.from_c.seed = seed
        self.seq = table.column("seq")
        self.time = table.column("time_ns")
        self.goroutine = table.column("goroutine")
        self.life = table.column("life")
        self.from_state = table.column("from_state")
        self.to_state = table.column("to_state")
        self.reason = table.column("reason")
        self.wait = table.column("wait")
        self.stack = table.column("stack_id")
        self.by_goroutine = table.column("by_goroutine")
        self.by_proc = table.column("by_proc")
        self.by_thread = table.column("by_thread")
        self.by_stack = table.column("by_stack_id")
        for column in ("seq", "time_ns", "goroutine", "life", "from_state", "to_state"):
            never_null(table.column(column))

    def __dealloc__(self):
        idmap_clear(&self.lived)
        idmap_clear(&self.from_c)

    cdef int take(self, const Rows* rows) except -1:
        cdef Table table = self.table
        self.n = pick_changes(rows.code, rows.count, self.words)
        self.all_picked = self.n == rows.count
        if self.n == 0:
            return 0
        if self.all_picked:
            append_seqs(table, self.seq, rows.first_seq, self.n)
        elif self.seq != NULL:
            count_up(self.made, rows.first_seq, rows.count)
            append_times(table, self.seq, self._ids(self.made, rows), self.n)
        if self.time != NULL:
            append_times(table, self.time, self._ids(rows.time, rows), self.n)
        if self.goroutine != NULL:
            append_times(table, self.goroutine, self._ids(rows.resource_id, rows), self.n)
        if self.stack != NULL:
            append_ids(table, self.stack, self._ids(rows.stack, rows), self.n)
        if self.by_thread != NULL:
            append_ids(table, self.by_thread, self._ids(rows.thread, rows), self.n)
        self._append_causes(self.by_goroutine, rows.goroutine, rows)
        self._append_causes(self.by_stack, rows.context_stack, rows)
        if self.by_proc != NULL:
            append_procs(table, self.by_proc, self._procs(rows), self.n)
        if self.reason != NULL:
            append_reasons(table, self.reason, self._reasons(rows), self.n)
        self._append_states(rows)
        self._put_lives(rows)
        table.rows += self.n
        return 0

    # --- arrays of the picked rows alone ----------------------------------------------------------

    cdef const int64_t* _ids(self, const int64_t* ids, const Rows* rows) noexcept:
        if self.all_picked:
            return ids
        compact_64(self.compacted.ids, ids, rows.count, self.words)
        return self.compacted.ids

    cdef const int32_t* _procs(self, const Rows* rows) noexcept:
        if self.all_picked:
            return rows.proc
        compact_32(self.compacted.procs, rows.proc, rows.count, self.words)
        return self.compacted.procs

    cdef const int16_t* _reasons(self, const Rows* rows) noexcept:
        if self.all_picked:
            return rows.reason
        compact_16(self.compacted.reasons, rows.reason, rows.count, self.words)
        return self.compacted.reasons

    cdef const uint8_t* _codes(self, const Rows* rows) noexcept:
        if self.all_picked:
            return rows.code
        compact_8(self.codes, rows.code, rows.count, self.words)
        return self.codes

    # --- columns ----------------------------------------------------------------------------------

    cdef int _append_causes(
        self, Column* column, const int64_t* causes, const Rows* rows
    ) except -1:
        """Null where a goroutine did it itself."""
        if column != NULL:
            unless_equal(self.made, causes, rows.count, rows.goroutine, rows.resource_id)
            append_ids(self.table, column, self._ids(self.made, rows), self.n)
        return 0

    cdef int _append_states(self, const Rows* rows) except -1:
        cdef int64_t at = self.table.rows
        cdef const uint8_t* codes
        if self.from_state == NULL and self.to_state == NULL and self.wait == NULL:
            return 0
        codes = self._codes(rows)
        if block_room(self.table, self.from_state):
            write_states(<uint8_t*>self.from_state.data + at, codes, self.n, 3)
        if block_room(self.table, self.to_state):
            write_states(<uint8_t*>self.to_state.data + at, codes, self.n, 0)
        if block_room_with_bits(self.table, self.wait):
            self._put_waits(rows, codes)
        return 0

    cdef int _put_waits(self, const Rows* rows, const uint8_t* codes) except -1:
        """Null but for those that begin to wait: only these are looked at one by one."""
        cdef const int16_t* reasons = self._reasons(rows)
        cdef const int64_t* stacks = rows.stack
        cdef uint8_t* out = <uint8_t*>self.wait.data + self.table.rows
        cdef uint64_t* bits = <uint64_t*>self.wait.bits
        cdef uint64_t left, word
        cdef int64_t i, at, count
        cdef int code
        if not self.all_picked:
            compact_64(self.made, stacks, rows.count, self.words)
            stacks = self.made
        pick_waits(codes, self.n, self.waiting)
        memset(out, 0, self.n)
        for i in range(0, self.n, 64):
            count = min(64, self.n - i)
            word = left = self.waiting[i >> 6]
            while left:
                at = i + lowest_bit(left)
                code = self.waits.code(
                    codes[at] & 7, codes[at] >> 3 & 7 == STATE_UNDETERMINED,
                    reasons[at], stacks[at],
                )
                if code >= 0:
                    out[at] = <uint8_t>code
                else:
                    word ^= left & (0 - left)
                left &= left - 1
            put_bits(bits, self.table.rows + i, word, count)
            self.wait.nulls += count - popcount(word)
        return 0

    # --- lives ------------------------------------------------------------------------------------

    cdef int _put_lives(self, const Rows* rows) except -1:
        """Ids of goroutines that C called into being are used again: count.

        As long as there is none, all lives are the first, and nothing is written.
        """
        cdef int32_t* out
        cdef uint64_t left
        cdef int64_t i
        cdef bint plain = not (self.lived.count or self.from_c.count or self._come_from_c(rows))
        if self.life == NULL or (plain and self.life.data == NULL):
            return 0
        if self.life.data == NULL and block_room(self.table, self.life):
            memset(self.life.data, 0, self.table.rows * sizeof(int32_t))
        if self.life.failed:
            return 0
        out = <int32_t*>self.life.data + self.table.rows
        if plain:
            memset(out, 0, self.n * sizeof(int32_t))
            return 0
        for i in range(0, rows.count, 64):
            left = self.words[i >> 6]
            while left:
                out[0] = self._life_of(rows, i + lowest_bit(left))
                out += 1
                left &= left - 1
        return 0

    cdef bint _come_from_c(self, const Rows* rows) noexcept:
        """Whether a goroutine comes from C or goes back there."""
        return (
            memchr(rows.code, goroutine_code(STATE_NOTEXIST, STATE_SYSCALL), rows.count) != NULL
            or memchr(rows.code, goroutine_code(STATE_SYSCALL, STATE_NOTEXIST), rows.count) != NULL
        )

    cdef int32_t _life_of(self, const Rows* rows, int64_t row) except -1:
        cdef int64_t goroutine = rows.resource_id[row]
        cdef uint8_t code = rows.code[row]
        cdef uint64_t* lived = idmap_find(&self.lived, <uint64_t>goroutine)
        cdef int32_t life = <int32_t>lived[0] if lived != NULL else 0
        cdef bint fine = True
        if code == goroutine_code(STATE_NOTEXIST, STATE_SYSCALL):
            fine = idmap_count(&self.from_c, goroutine)
        elif code & 7 == STATE_NOTEXIST:
            if code == goroutine_code(STATE_SYSCALL, STATE_NOTEXIST) or (
                idmap_find(&self.from_c, <uint64_t>goroutine) != NULL
            ):
                fine = idmap_count(&self.lived, goroutine)
                idmap_remove(&self.from_c, <uint64_t>goroutine)
        if not fine:
            raise MemoryError("no memory for lives")
        return life

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
