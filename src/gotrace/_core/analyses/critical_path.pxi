# CriticalPath: back from an end, along whoever held things up. A goroutine that ran, or was ready,
# accounts for its own time. One that waited hands over to its waker, back to the moment when it
# began to wait; one that was made in between hands over to its maker. Every step goes back in time
# or to a waker that ran just then, so the segments tile the interval exactly, in reverse.

cdef struct PathStep:
    int64_t interval                # -1: nothing is known of the time
    int64_t start, end
    int32_t goroutine, depth

cdef struct PathTask:
    int64_t floor                   # go back to here
    int32_t goroutine

cdef enum:
    MOST_AT_ONCE = 256              # handovers at one instant; more are a circle in the data


cdef class CriticalPath:
    """Segments of one path, in the order of time once `walk` is through."""

    cdef PathStep* steps
    cdef PathTask* tasks
    cdef int64_t steps_capacity, tasks_capacity
    cdef int64_t count, top

    def __dealloc__(self):
        free(self.steps)
        free(self.tasks)

    def __len__(self):
        return self.count

    @cython.boundscheck(True)
    def walk(
        self,
        const int64_t[::1] offsets,
        const int64_t[::1] starts,
        const int64_t[::1] ends,
        const int32_t[::1] wakers,
        const int32_t[::1] makers,
        const uint8_t[::1] waiting,
        int32_t goroutine,
        int64_t start,
        int64_t end,
    ):
        """Walk back from `end` to `start`, beginning with a goroutine.

        Goroutines are numbers from 0; `offsets` says where the intervals of each lie, in order of
        time. `wakers` is who ended a wait, `makers` who made the goroutine at the interval's begin,
        -1 for nobody.
        """
        cdef int64_t t = end, i, s
        cdef int64_t at_once = 0
        cdef PathTask* task
        cdef int32_t who
        cdef bint fits
        self.count = 0
        self.top = 0
        fits = self._hand_over(goroutine, start)
        with nogil:
            while fits and self.top:
                task = &self.tasks[self.top - 1]
                if t <= task.floor:
                    self.top -= 1
                    at_once = 0
                    continue
                who = task.goroutine
                i = _interval_before(starts, offsets[who], offsets[who + 1], t)
                if i < 0 or ends[i] < t:
                    s = task.floor if i < 0 or ends[i] < task.floor else ends[i]
                    fits = self._step(-1, s, t, who)
                elif waiting[i] and wakers[i] >= 0 and wakers[i] != who and ends[i] == t \
                        and at_once < MOST_AT_ONCE:
                    s = starts[i] if starts[i] > task.floor else task.floor
                    fits = self._hand_over(wakers[i], s)
                    at_once += 1
                    continue
                else:
                    s = starts[i] if starts[i] > task.floor else task.floor
                    fits = self._step(i, s, t, who)
                    if s == starts[i] and s > task.floor and makers[i] >= 0:
                        task.goroutine = makers[i]
                t = s
                at_once = 0
            if fits:
                self._turn_around()
        if not fits:
            raise MemoryError

    cdef bint _hand_over(self, int32_t goroutine, int64_t floor) noexcept nogil:
        if not reserve(
            <void**>&self.tasks, &self.tasks_capacity, self.top + 1, sizeof(PathTask)
        ):
            return False
        self.tasks[self.top] = PathTask(floor, goroutine)
        self.top += 1
        return True

    cdef bint _step(self, int64_t interval, int64_t start, int64_t end, int32_t who) noexcept nogil:
        if not reserve(
            <void**>&self.steps, &self.steps_capacity, self.count + 1, sizeof(PathStep)
        ):
            return False
        self.steps[self.count] = PathStep(interval, start, end, who, <int32_t>(self.top - 1))
        self.count += 1
        return True

    cdef void _turn_around(self) noexcept nogil:
        cdef int64_t i
        cdef PathStep held
        for i in range(self.count // 2):
            held = self.steps[i]
            self.steps[i] = self.steps[self.count - 1 - i]
            self.steps[self.count - 1 - i] = held

    @cython.boundscheck(True)
    def copy_to(
        self,
        int64_t[::1] intervals,
        int32_t[::1] goroutines,
        int64_t[::1] starts,
        int64_t[::1] ends,
        int32_t[::1] depths,
    ):
        """Copy the segments out; an interval is -1 where nothing is known of the goroutine."""
        cdef int64_t i
        with nogil:
            for i in range(self.count):
                intervals[i] = self.steps[i].interval
                goroutines[i] = self.steps[i].goroutine
                starts[i] = self.steps[i].start
                ends[i] = self.steps[i].end
                depths[i] = self.steps[i].depth


cdef int64_t _interval_before(
    const int64_t[::1] starts, int64_t low, int64_t high, int64_t t
) noexcept nogil:
    """Find the last interval that began before t; -1 for none."""
    cdef int64_t first = low, middle
    while low < high:
        middle = low + (high - low) // 2
        if starts[middle] < t:
            low = middle + 1
        else:
            high = middle
    return low - 1 if low > first else -1
