# `events` -> how long goroutines were in a state, by the stack of the event that put them there.
#
# One goroutine is delayed once at a time. What it was delayed before it ran for the first time
# counts only if it never ran: that is known when it ends, or the trace. Where time is chosen, of
# regions, that rule is not needed. Memory is bounded by what is alive, by the distinct stacks and
# by what is chosen.
#
# Offers: DelaySums.

cdef enum:
    NOT_YET = -1
    RECENT_GOROUTINES = 1 << 10
    LAST_HELD = 16              # so many are looked at for one of the same stack

# Delays that are not counted yet: one, or those of one stack after the goroutine ran.
cdef struct HeldDelay:
    int64_t stack
    int64_t start
    int64_t end
    int64_t count
    int64_t total
    int64_t next                # position + 1 of the one before it, of the same goroutine

cdef struct DelayedGoroutine:
    int64_t ran_at              # first, or NOT_YET
    int64_t since               # when the delay began, or NOT_YET
    int64_t stack
    int64_t held                # position + 1 of the last of its held delays
    int64_t chosen              # position + 1 of its first stretch that counts; 0: none does
    bint lives_again            # its id may have another life, and all are told as one

# Where a goroutine was found lately.
cdef struct RecentGoroutine:
    int64_t id
    int64_t place               # position + 1; 0: forgotten

cdef struct DelaySum:
    int64_t stack
    int64_t count
    int64_t total


# Time of a goroutine that counts.
cdef struct CountedStretch:
    int64_t goroutine
    int64_t start
    int64_t end


cdef inline bint _is_valid(const uint8_t[::1] bits, Py_ssize_t i) noexcept nogil:
    """A column without nulls has no bits."""
    return bits.shape[0] == 0 or (bits[i >> 3] >> (i & 7)) & 1


cdef class DelaySums:
    """Sums of the time that goroutines are in one state, by stack; see the stub."""

    cdef int state
    cdef bint lives_as_one
    cdef int64_t first, last            # the window
    cdef IdMap places                   # goroutine -> position + 1 in `goroutines`
    cdef IdMap rows                     # stack -> position + 1 in `sums`
    cdef DelayedGoroutine* goroutines
    cdef HeldDelay* held
    cdef DelaySum* sums
    cdef bint some                      # not all goroutines count
    cdef bint covering                  # nor all of their time
    cdef IdMap chosen                   # goroutine -> position + 1 in `stretches`, of its first
    cdef CountedStretch* stretches
    cdef int64_t n_stretches, stretches_room
    cdef RecentGoroutine recent[RECENT_GOROUTINES]
    cdef int64_t goroutines_room, held_room, sums_room
    cdef int64_t n_goroutines, n_held, n_sums
    cdef int64_t free_goroutine, free_held      # chains of positions + 1 of what is free

    def __cinit__(self, int state, *, start=None, end=None, bint lives_as_one=False):
        cdef uint64_t seed = int.from_bytes(os.urandom(8), "little")
        self.state = state
        self.first = INT64_MIN if start is None else start
        self.last = INT64_MAX if end is None else end
        self.lives_as_one = lives_as_one
        self.places.seed = seed
        self.rows.seed = seed
        self.chosen.seed = seed

    def __dealloc__(self):
        idmap_clear(&self.places)
        idmap_clear(&self.rows)
        idmap_clear(&self.chosen)
        free(self.stretches)
        free(self.goroutines)
        free(self.held)
        free(self.sums)

    def __len__(self):
        return self.n_sums

    def choose(self, const int64_t[::1] goroutines):
        """Count these goroutines alone; before any event."""
        cdef Py_ssize_t i
        self.some = True
        for i in range(goroutines.shape[0]):
            self._choose(goroutines[i], INT64_MIN, INT64_MAX)

    def cover(
        self,
        const int64_t[::1] goroutines,
        const int64_t[::1] starts,
        const int64_t[::1] ends,
    ):
        """Count this time alone, in order and disjoint for each goroutine; before any event."""
        cdef Py_ssize_t i
        if not goroutines.shape[0] == starts.shape[0] == ends.shape[0]:
            raise ValueError("the columns differ in length")
        self.some = self.covering = True
        for i in range(goroutines.shape[0]):
            self._choose(goroutines[i], starts[i], ends[i])

    cdef _choose(self, int64_t goroutine, int64_t start, int64_t end):
        cdef bint is_new
        cdef CountedStretch* stretch
        cdef uint64_t* place = idmap_put(&self.chosen, <uint64_t>goroutine, &is_new)
        if place == NULL or not reserve(
            <void**>&self.stretches, &self.stretches_room, self.n_stretches + 1,
            sizeof(CountedStretch),
        ):
            raise MemoryError("no memory for delays")
        stretch = &self.stretches[self.n_stretches]
        if not is_new and (
            (stretch - 1).goroutine != goroutine or (stretch - 1).end > start
        ):
            raise ValueError("the stretches of a goroutine are not in order")
        stretch.goroutine = goroutine
        stretch.start = start
        stretch.end = end
        self.n_stretches += 1
        if is_new:
            place[0] = <uint64_t>self.n_stretches

    def add(
        self,
        const int64_t[::1] times,
        const int8_t[::1] kinds,
        const int8_t[::1] resources,
        const int64_t[::1] ids,
        const int8_t[::1] from_states,
        const int8_t[::1] to_states,
        const int16_t[::1] reasons,
        const uint8_t[::1] has_reason,
        const uint8_t[::1] passes,
        const int64_t[::1] stacks,
        const uint8_t[::1] has_stack,
    ):
        """Take events in their order; only transitions of goroutines are looked at."""
        cdef Py_ssize_t n = times.shape[0]
        cdef Py_ssize_t known = passes.shape[0] - 1
        cdef Py_ssize_t i, reason
        cdef int64_t stack
        cdef bint fine = True
        cdef int to_state
        cdef DelayedGoroutine* goroutine
        if known < 0 or not (
            n == kinds.shape[0] == resources.shape[0] == ids.shape[0] == from_states.shape[0]
            == to_states.shape[0] == reasons.shape[0] == stacks.shape[0]
        ):
            raise ValueError("the columns differ in length")
        if 0 < has_reason.shape[0] < (n + 7) // 8 or 0 < has_stack.shape[0] < (n + 7) // 8:
            raise ValueError("the bits of validity are too few")
        with nogil:
            for i in range(n):
                if kinds[i] != KIND_STATE_TRANSITION or resources[i] != RESOURCE_GOROUTINE:
                    continue
                to_state = to_states[i]
                goroutine = self._find(ids[i])
                fine = goroutine != NULL and self._move(
                    goroutine, times[i], ids[i], from_states[i], to_state
                )
                if not fine:
                    break
                if (
                    to_state == self.state
                    and goroutine.since == NOT_YET
                    and (goroutine.chosen != 0 or not self.some)
                ):
                    reason = reasons[i] if _is_valid(has_reason, i) else known
                    if passes[min(max(reason, 0), known)]:
                        goroutine.since = times[i]
                        goroutine.stack = stacks[i] if _is_valid(has_stack, i) else NULL_ID
        if not fine:
            raise MemoryError("no memory for delays")

    def finish(self):
        """Count what was held: the trace is over."""
        cdef uint64_t i
        cdef bint fine = True
        if self.places.slots == NULL:
            return
        for i in range(self.places.mask + 1):
            if self.places.slots[i].value != 0:
                fine = fine and self._settle(&self.goroutines[self.places.slots[i].value - 1])
        if not fine:
            raise MemoryError("no memory for delays")

    def copy_to(self, int64_t[::1] stacks, int64_t[::1] counts, int64_t[::1] totals):
        """Copy the sums into arrays of `len`; a stack is -1 for none."""
        cdef int64_t i
        if not stacks.shape[0] == counts.shape[0] == totals.shape[0] == self.n_sums:
            raise ValueError("the arrays do not have the length of the sums")
        for i in range(self.n_sums):
            stacks[i] = self.sums[i].stack
            counts[i] = self.sums[i].count
            totals[i] = self.sums[i].total

    # --- one transition -------------------------------------------------------------------------

    cdef inline bint _move(
        self, DelayedGoroutine* goroutine, int64_t time, int64_t id, int from_state, int to_state
    ) noexcept nogil:
        """End the delay, or the life."""
        cdef bint born = from_state == STATE_NOTEXIST or from_state == STATE_UNDETERMINED
        if from_state != to_state:
            if born and not self._begin_life(goroutine, from_state, to_state):
                return False
            if to_state == STATE_RUNNING and goroutine.ran_at == NOT_YET:
                goroutine.ran_at = time
                if not goroutine.lives_again:
                    self._forget_held(goroutine)
        if goroutine.since != NOT_YET and to_state != self.state:
            if not self._end_delay(goroutine, time):
                return False
        if to_state == STATE_NOTEXIST and not goroutine.lives_again:
            if not self._settle(goroutine):
                return False
            self._free(id)
        return True

    cdef bint _begin_life(
        self, DelayedGoroutine* goroutine, int from_state, int to_state
    ) noexcept nogil:
        if self.lives_as_one:
            # C calls into Go on goroutines whose ids come back: those born in a system call, and
            # any that was there before the trace.
            if to_state == STATE_SYSCALL or from_state == STATE_UNDETERMINED:
                goroutine.lives_again = True
        elif not self._settle(goroutine):
            return False
        goroutine.ran_at = NOT_YET
        goroutine.since = NOT_YET
        return True

    cdef bint _end_delay(self, DelayedGoroutine* goroutine, int64_t time) noexcept nogil:
        cdef int64_t start = max(goroutine.since, self.first)
        cdef int64_t end = min(time, self.last)
        goroutine.since = NOT_YET
        if self.covering:
            return self._count_covered(goroutine, start, end)
        if goroutine.ran_at != NOT_YET and not goroutine.lives_again:
            return self._count(goroutine.stack, max(start, goroutine.ran_at), end)
        return start >= end or self._hold(goroutine, start, end)

    cdef bint _hold(self, DelayedGoroutine* goroutine, int64_t start, int64_t end) noexcept nogil:
        """Keep a delay. Delays after a goroutine ran count together or not at all."""
        cdef int64_t place = goroutine.held
        cdef int looked_at
        cdef HeldDelay* held
        if goroutine.ran_at != NOT_YET and start >= goroutine.ran_at:
            for looked_at in range(LAST_HELD):
                if place == 0 or self.held[place - 1].start < goroutine.ran_at:
                    break
                held = &self.held[place - 1]
                if held.stack == goroutine.stack:
                    held.end = end
                    held.count += 1
                    held.total += end - start
                    return True
                place = held.next
        place = self.free_held
        if place == 0:
            if not reserve(
                <void**>&self.held, &self.held_room, self.n_held + 1, sizeof(HeldDelay)
            ):
                return False
            self.n_held += 1
            place = self.n_held
        else:
            self.free_held = self.held[place - 1].next
        held = &self.held[place - 1]
        held.stack = goroutine.stack
        held.start = start
        held.end = end
        held.count = 1
        held.total = end - start
        held.next = goroutine.held
        goroutine.held = place
        return True

    cdef bint _settle(self, DelayedGoroutine* goroutine) noexcept nogil:
        """Count what was held, as far as it is not before the goroutine ran."""
        cdef int64_t place = goroutine.held
        cdef HeldDelay* held
        cdef bint fine = True
        while fine and place != 0:
            held = &self.held[place - 1]
            if goroutine.ran_at <= held.start:
                fine = self._add(held.stack, held.count, held.total)
            elif goroutine.ran_at < held.end and held.count == 1:
                fine = self._add(held.stack, 1, held.end - goroutine.ran_at)
            place = held.next
        self._forget_held(goroutine)
        return fine

    cdef void _forget_held(self, DelayedGoroutine* goroutine) noexcept nogil:
        cdef int64_t place
        while goroutine.held != 0:
            place = goroutine.held
            goroutine.held = self.held[place - 1].next
            self.held[place - 1].next = self.free_held
            self.free_held = place

    cdef bint _count_covered(
        self, DelayedGoroutine* goroutine, int64_t start, int64_t end
    ) noexcept nogil:
        """Count what of a delay lies in the goroutine's stretches."""
        cdef int64_t total = 0, place = goroutine.chosen
        cdef CountedStretch* stretch
        while True:
            stretch = &self.stretches[place - 1]
            if stretch.start >= end:
                break
            total += max(0, min(end, stretch.end) - max(start, stretch.start))
            if stretch.end > end or place == self.n_stretches:
                break
            if self.stretches[place].goroutine != stretch.goroutine:
                break
            place += 1
        goroutine.chosen = place        # later delays begin later
        return self._count(goroutine.stack, 0, total)

    cdef bint _count(self, int64_t stack, int64_t start, int64_t end) noexcept nogil:
        return end <= start or self._add(stack, 1, end - start)

    cdef bint _add(self, int64_t stack, int64_t count, int64_t total) noexcept nogil:
        cdef uint64_t* row
        cdef bint is_new
        cdef DelaySum* sum_
        row = idmap_put(&self.rows, <uint64_t>stack, &is_new)
        if row == NULL:
            return False
        if is_new:
            if not reserve(
                <void**>&self.sums, &self.sums_room, self.n_sums + 1, sizeof(DelaySum)
            ):
                return False
            memset(&self.sums[self.n_sums], 0, sizeof(DelaySum))
            self.sums[self.n_sums].stack = stack
            self.n_sums += 1
            row[0] = <uint64_t>self.n_sums
        sum_ = &self.sums[row[0] - 1]
        sum_.count += count
        sum_.total += total
        return True

    # --- goroutines -----------------------------------------------------------------------------

    cdef DelayedGoroutine* _find(self, int64_t id) noexcept nogil:
        """The place of a goroutine, a new one where it is not known; NULL without memory."""
        cdef bint is_new
        cdef RecentGoroutine* recent = &self.recent[id & (RECENT_GOROUTINES - 1)]
        cdef uint64_t* place
        cdef DelayedGoroutine* goroutine
        if recent.id == id and recent.place != 0:
            return &self.goroutines[recent.place - 1]
        place = idmap_put(&self.places, <uint64_t>id, &is_new)
        if place == NULL:
            return NULL
        recent.id = id
        if not is_new:
            recent.place = <int64_t>place[0]
            return &self.goroutines[place[0] - 1]
        recent.place = 0
        if self.free_goroutine != 0:
            place[0] = <uint64_t>self.free_goroutine
            self.free_goroutine = self.goroutines[place[0] - 1].held
        else:
            if not reserve(
                <void**>&self.goroutines, &self.goroutines_room, self.n_goroutines + 1,
                sizeof(DelayedGoroutine),
            ):
                return NULL
            self.n_goroutines += 1
            place[0] = <uint64_t>self.n_goroutines
        recent.place = <int64_t>place[0]
        goroutine = &self.goroutines[place[0] - 1]
        memset(goroutine, 0, sizeof(DelayedGoroutine))
        goroutine.ran_at = NOT_YET
        goroutine.since = NOT_YET
        if self.some:
            place = idmap_find(&self.chosen, <uint64_t>id)
            goroutine.chosen = 0 if place == NULL else <int64_t>place[0]
        return goroutine

    cdef void _free(self, int64_t id) noexcept nogil:
        cdef uint64_t place = idmap_find(&self.places, <uint64_t>id)[0]
        cdef uint64_t* chosen
        if self.covering and self.goroutines[place - 1].chosen != 0:
            chosen = idmap_find(&self.chosen, <uint64_t>id)
            chosen[0] = <uint64_t>self.goroutines[place - 1].chosen     # for its next life
        self.recent[id & (RECENT_GOROUTINES - 1)].place = 0
        self.goroutines[place - 1].held = self.free_goroutine
        self.free_goroutine = <int64_t>place
        idmap_remove(&self.places, <uint64_t>id)
