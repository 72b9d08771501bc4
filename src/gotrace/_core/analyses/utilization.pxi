# Mutator utilization: how much of the program's procs the collector left it.
#
# Offers: windowed_means, GoUtilization.

def windowed_means(
    const int64_t[::1] times,
    const double[::1] sums,
    const double[::1] values,
    int64_t window,
    int64_t[::1] starts,
    double[::1] means,
):
    """Write the means of a step function over a moving window, at every bend; see the stub."""
    cdef Py_ssize_t n = values.shape[0]
    cdef Py_ssize_t a = 0, b = 0, left = 0, right = 0, found = 0
    cdef int64_t t, last
    cdef double from_, to
    if times.shape[0] != n + 1 or sums.shape[0] != n + 1 or n == 0:
        raise ValueError("a function of n steps has n + 1 edges and sums")
    if starts.shape[0] < 2 * n + 2 or means.shape[0] < 2 * n + 2:
        raise ValueError("there is no room for the means")
    if window <= 0 or window > times[n] - times[0]:
        raise ValueError(f"a window of {window} in a function of {times[n] - times[0]}")
    last = times[n] - window
    with nogil:
        while times[b] - window < times[0]:
            b += 1
        while True:
            # The next bend: an edge meets the begin of the window, or its end.
            if a <= n and times[a] <= last and (b > n or times[a] <= times[b] - window):
                t = times[a]
                a += 1
            elif b <= n:
                t = times[b] - window
                b += 1
            else:
                break
            if found and starts[found - 1] == t:
                continue
            while left + 1 < n and times[left + 1] <= t:
                left += 1
            while right + 1 < n and times[right + 1] <= t + window:
                right += 1
            from_ = sums[left] + values[left] * <double>(t - times[left])
            to = sums[right] + values[right] * <double>(t + window - times[right])
            starts[found] = t
            means[found] = (to - from_) / <double>window
            found += 1
    return found


# --- as go tool trace has it --------------------------------------------------------------------

cdef enum:
    GO_STW = 1
    GO_ASSIST = 2
    GO_SWEEP = 3
    GO_PROCS = 4
    GO_WORKER = 5
    GO_DEDICATED = 6

cdef struct GoPoint:
    int64_t time
    double value

cdef struct GoSeries:
    GoPoint* points
    int64_t count
    int64_t room

cdef struct GoProc:
    int64_t gc
    int64_t series


cdef class GoUtilization:
    """Go's own series, with its errors: what `compat="go"` gives. See the stub."""

    cdef bint per_proc
    cdef int64_t stopped, syncs, last_time
    cdef bint unsettled             # a series may not end with what its proc does
    cdef int64_t touched            # the proc whose counter changed, or NULL_ID
    cdef GoSeries* series
    cdef int64_t n_series, series_room
    cdef GoProc* procs
    cdef int64_t n_procs, procs_room, busy
    cdef GoPoint* changes           # of the number of procs
    cdef int64_t n_changes, changes_room
    cdef IdMap marked               # goroutines that once had the label of a worker -> 1
    cdef IdMap assisting            # -> 1
    cdef IdMap states               # -> 2: executing, 1: not; while it matters
    cdef readonly int64_t failed_at

    def __cinit__(self, *, bint per_proc=False):
        cdef uint64_t seed = int.from_bytes(os.urandom(8), "little")
        self.per_proc = per_proc
        self.marked.seed = seed
        self.assisting.seed = seed
        self.states.seed = seed
        self.failed_at = NULL_ID
        self.touched = NULL_ID

    def __dealloc__(self):
        cdef int64_t i
        for i in range(self.n_series):
            free(self.series[i].points)
        free(self.series)
        free(self.procs)
        free(self.changes)
        idmap_clear(&self.marked)
        idmap_clear(&self.assisting)
        idmap_clear(&self.states)

    def add(
        self,
        const int64_t[::1] times,
        const int8_t[::1] kinds,
        const int8_t[::1] what,
        const int64_t[::1] procs,
        const int64_t[::1] goroutines,
        const int64_t[::1] resources,
        const int8_t[::1] from_states,
        const int8_t[::1] to_states,
        const int64_t[::1] values,
    ):
        """Take events in order."""
        cdef Py_ssize_t i
        cdef bint fine = True
        if not (
            times.shape[0] == kinds.shape[0] == what.shape[0] == procs.shape[0]
            == goroutines.shape[0] == resources.shape[0] == from_states.shape[0]
            == to_states.shape[0] == values.shape[0]
        ):
            raise ValueError("the columns differ in length")
        with nogil:
            for i in range(times.shape[0]):
                if self.failed_at != NULL_ID:
                    break
                fine = self._add(
                    times[i], kinds[i], what[i], procs[i], goroutines[i], resources[i],
                    from_states[i], to_states[i], values[i],
                )
                if not fine:
                    break
        if not fine:
            raise MemoryError("no memory for mutator utilization")

    def finish(self):
        """End every series, as Go does: with a 0, unless it is 0 already."""
        cdef int64_t i
        for i in range(self.n_procs):
            if not self._point(self.procs[i].series, self.last_time, 0.0):
                raise MemoryError("no memory for mutator utilization")

    def series_of(self):
        """How many points each series has."""
        return [self.series[i].count for i in range(self.n_series)]

    def copy_to(self, int64_t number, int64_t[::1] times, double[::1] values):
        """Copy a series out."""
        cdef int64_t i
        if not 0 <= number < self.n_series:
            raise IndexError(number)
        if not times.shape[0] == values.shape[0] == self.series[number].count:
            raise ValueError("the arrays do not have the length of the series")
        for i in range(self.series[number].count):
            times[i] = self.series[number].points[i].time
            values[i] = self.series[number].points[i].value

    # --- one event ------------------------------------------------------------------------------

    cdef bint _add(
        self, int64_t time, int kind, int what, int64_t proc, int64_t goroutine, int64_t resource,
        int from_state, int to_state, int64_t value,
    ) noexcept nogil:
        cdef bint fine = True
        self.last_time = time
        self.touched = NULL_ID
        if kind == KIND_SYNC:
            self.syncs = value
        elif kind == KIND_METRIC and what == GO_PROCS:
            fine = self._resize(time, value)
        if self.n_procs == 0 or not fine:
            return fine
        if kind == KIND_RANGE_ACTIVE and self.syncs <= 1:
            if what == GO_SWEEP or (what == GO_ASSIST and self._executes(goroutine)):
                self._lower()
            fine = self._begin(time, what, proc, resource)
        elif kind == KIND_RANGE_BEGIN:
            fine = self._begin(time, what, proc, resource)
        elif kind == KIND_RANGE_END:
            self._end(time, what, proc, resource)
        elif kind == KIND_STATE_TRANSITION and from_state >= 0:
            fine = self._transition(time, proc, resource, from_state, to_state)
        elif kind == KIND_LABEL and (
            what == GO_WORKER or (what == GO_DEDICATED and not self.per_proc)
        ):
            fine = _put_one(&self.marked, goroutine, 1)
            self._count(time, proc, 1)
        return fine and self._tell(time)

    cdef bint _resize(self, int64_t time, int64_t count) noexcept nogil:
        cdef int64_t series
        self.unsettled = True
        while self.n_procs > count:
            self.n_procs -= 1
            self.busy -= self.procs[self.n_procs].gc > 0
            if self.per_proc and not self._point(self.procs[self.n_procs].series, time, 0.0):
                return False
        while self.n_procs < count:
            series = 0
            if self.per_proc or self.n_series == 0:
                series = self.n_series
                if not reserve(
                    <void**>&self.series, &self.series_room, series + 1, sizeof(GoSeries)
                ):
                    return False
                memset(&self.series[series], 0, sizeof(GoSeries))
                self.n_series += 1
                if not self._point(series, time, 1.0):
                    return False
            if not reserve(
                <void**>&self.procs, &self.procs_room, self.n_procs + 1, sizeof(GoProc)
            ):
                return False
            self.procs[self.n_procs].gc = 0
            self.procs[self.n_procs].series = series
            self.n_procs += 1
        if self.n_changes and self.changes[self.n_changes - 1].value == <double>count:
            return True
        if not reserve(
            <void**>&self.changes, &self.changes_room, self.n_changes + 1, sizeof(GoPoint)
        ):
            return False
        self.changes[self.n_changes].time = time
        self.changes[self.n_changes].value = <double>count
        self.n_changes += 1
        return True

    cdef bint _executes(self, int64_t goroutine) noexcept nogil:
        cdef uint64_t* state = idmap_find(&self.states, <uint64_t>goroutine)
        return state != NULL and state[0] == 2

    cdef void _lower(self) noexcept nogil:
        """A proc did the collector's work since the trace began."""
        cdef int64_t i = 0, change = 0
        cdef GoPoint* point
        if self.per_proc:
            return
        while i < self.series[0].count:
            point = &self.series[0].points[i]
            if change < self.n_changes - 1 and self.changes[change + 1].time < point.time:
                change += 1
                continue
            point.value = max(0.0, point.value - 1.0 / self.changes[change].value)
            i += 1

    cdef bint _begin(
        self, int64_t time, int what, int64_t proc, int64_t resource
    ) noexcept nogil:
        if what == GO_STW:
            self.stopped += 1
            self.unsettled = True
        elif what == GO_SWEEP or what == GO_ASSIST:
            self._count(time, proc, 1)
            if what == GO_ASSIST:
                return _put_one(&self.assisting, resource, 1)
        return True

    cdef void _end(self, int64_t time, int what, int64_t proc, int64_t resource) noexcept nogil:
        if what == GO_STW:
            self.stopped -= 1
            self.unsettled = True
        elif what == GO_SWEEP or what == GO_ASSIST:
            self._count(time, proc, -1)
            if what == GO_ASSIST:
                idmap_remove(&self.assisting, <uint64_t>resource)

    cdef bint _transition(
        self, int64_t time, int64_t proc, int64_t goroutine, int from_state, int to_state
    ) noexcept nogil:
        cdef bint ran = from_state == STATE_RUNNING or from_state == STATE_SYSCALL
        cdef bint runs = to_state == STATE_RUNNING or to_state == STATE_SYSCALL
        if ran != runs and (
            idmap_find(&self.assisting, <uint64_t>goroutine) != NULL
            or idmap_find(&self.marked, <uint64_t>goroutine) != NULL
        ):
            self._count(time, proc, 1 if runs else -1)
        return self.syncs > 1 or _put_one(&self.states, goroutine, 2 if runs else 1)

    cdef void _count(self, int64_t time, int64_t proc, int step) noexcept nogil:
        cdef int64_t* gc
        if not 0 <= proc < self.n_procs:
            self.failed_at = time           # Go's index is out of range
            return
        gc = &self.procs[proc].gc
        self.busy += (gc[0] + step > 0) - (gc[0] > 0)
        gc[0] += step
        self.touched = proc

    # --- points ---------------------------------------------------------------------------------

    cdef bint _tell(self, int64_t time) noexcept nogil:
        cdef int64_t i, busy
        if not self.per_proc:
            if self.n_procs == 0:
                return True
            busy = self.n_procs if self.stopped > 0 else self.busy
            return self._point(0, time, 1 - <double>busy / <double>self.n_procs)
        # Of many procs most are as they were; a series that kept the lower of two values of one
        # time gets the other at the next event.
        if not self.unsettled:
            return self.touched == NULL_ID or self._tell_proc(time, self.touched)
        self.unsettled = False
        for i in range(self.n_procs):
            if not self._tell_proc(time, i):
                return False
        return True

    cdef bint _tell_proc(self, int64_t time, int64_t proc) noexcept nogil:
        cdef int64_t number = self.procs[proc].series
        cdef GoSeries* series = &self.series[number]
        cdef double value = 0.0 if self.stopped > 0 or self.procs[proc].gc > 0 else 1.0
        if not self._point(number, time, value):
            return False
        if series.points[series.count - 1].value != value:
            self.unsettled = True
        return True

    cdef bint _point(self, int64_t number, int64_t time, double value) noexcept nogil:
        cdef GoSeries* series = &self.series[number]
        cdef GoPoint* last
        if series.count:
            last = &series.points[series.count - 1]
            if last.value == value:
                return True
            if last.time == time:
                last.value = min(last.value, value)
                return True
        if not reserve(
            <void**>&series.points, &series.room, series.count + 1, sizeof(GoPoint)
        ):
            return False
        series.points[series.count].time = time
        series.points[series.count].value = value
        series.count += 1
        return True


cdef bint _put_one(IdMap* map, int64_t id, uint64_t value) noexcept nogil:
    cdef bint is_new
    cdef uint64_t* place = idmap_put(map, <uint64_t>id, &is_new)
    if place != NULL:
        place[0] = value
    return place != NULL
