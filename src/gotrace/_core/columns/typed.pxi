# Everything but `events`: the typed tables, fed with the same rows, and what is known of the pass
# itself (generations, syncs, notes).
#
# Offers: TypedTables.

cdef class TypedTables:
    cdef Table generations, syncs
    cdef NotesTable notes
    cdef PointTables points
    cdef RangesTable ranges
    cdef LifeTables lives
    cdef TasksTable tasks
    cdef TransitionsTable transitions
    cdef MachineTables machines
    cdef GcTables gc
    cdef Ordering* order
    cdef Rows* rows
    cdef bint has_points
    cdef int64_t first_seq          # of the generation
    cdef int64_t start_ns

    def __cinit__(
        self, dict tables, dict words, StackStore stacks, uint64_t seed, bint compat
    ):
        cdef WaitClasses waits = WaitClasses(stacks, words["reason"])
        self.generations = tables.get("generations")
        self.syncs = tables.get("syncs")
        self.notes = NotesTable(tables.get("notes"))
        self.has_points = not tables.keys().isdisjoint(
            ("logs", "worker_labels", "metrics", "cpu_samples", "allocations")
        )
        self.points = PointTables(tables)
        self.ranges = RangesTable(tables["ranges"]) if "ranges" in tables else None
        self.tasks = TasksTable(tables["tasks"], seed, compat) if "tasks" in tables else None
        if "goroutine_transitions" in tables:
            self.transitions = TransitionsTable(tables["goroutine_transitions"], waits, seed)
        if not tables.keys().isdisjoint(("goroutine_states", "goroutines", "wakeups", "regions")):
            self.lives = LifeTables(tables, waits, stacks, seed, compat)
        if not tables.keys().isdisjoint(("proc_states", "procs", "thread_states", "threads")):
            self.machines = MachineTables(tables, seed)
        if not tables.keys().isdisjoint(("gc_work", "gc_cycles")):
            self.gc = GcTables(tables, stacks, seed)

    cdef int bind(self, Ordering* order, Rows* rows) except -1:
        """Let the tables know the order that feeds them."""
        self.order = order
        self.notes.order = order
        self.rows = rows
        if self.lives is not None:
            self.lives.lives.reasons = &order.reasons
        return 0

    cdef int64_t memory(self) noexcept:
        """Bytes of what is alive."""
        cdef int64_t bytes = 0
        if self.lives is not None:
            bytes += lives_memory(&self.lives.lives)
        if self.machines is not None:
            bytes += self.machines.memory()
        if self.tasks is not None:
            bytes += self.tasks.memory()
        return bytes

    cdef int begin_generation(self, const Generation* generation) except -1:
        self.first_seq = self.rows.first_seq + self.rows.count
        if self.points.allocations is not None:
            self.points.space.learn(generation)
        return 0

    cdef int take(self, const Rows* rows) except -1:
        """Look at the rows of one batch, before `events` takes their buffers."""
        if self.has_points:
            self.points.take(rows)
        if self.ranges is not None:
            self.ranges.take(rows)
        if self.lives is not None:
            self.lives.take(rows)
        if self.machines is not None:
            self.machines.take(rows)
        if self.tasks is not None:
            self.tasks.take(rows, self.order)
        if self.transitions is not None:
            self.transitions.take(rows)
        if self.gc is not None:
            self.gc.take(rows, self.order)
        return 0

    cdef int sync(self, const Generation* generation) except -1:
        """The sync that opens a generation was just emitted."""
        cdef Table table = self.syncs
        cdef int64_t wall = NULL_ID
        cdef int64_t snapshot = NULL_ID
        cdef int64_t mono = NULL_ID
        self.notes.settle(ticks_to_ns(generation, generation.min_ticks))
        self.start_ns = self.order.last_time
        if table is None:
            return 0
        if generation.has_clock:
            snapshot = ticks_to_ns(generation, generation.clock_ticks)
            mono = as_int64(generation.clock_mono)
        if generation.has_clock and generation.clock_sec < <uint64_t>(INT64_MAX // 1000000000 - 1):
            if generation.clock_nsec < 1000000000:
                wall = <int64_t>(generation.clock_sec * 1000000000 + generation.clock_nsec)
        put_int(table.column("seq"), last_seq(self.order))
        put_int(table.column("generation"), as_int64(generation.number))
        put_int(table.column("time_ns"), self.order.last_time)
        put_int(table.column("snapshot_ns"), snapshot)
        put_int(table.column("mono_ns"), mono)
        put_int(table.column("wall"), wall)
        table.rows += 1
        return 0

    cdef int final_sync(self) except -1:
        """The sync at the end of the trace was just emitted."""
        cdef Table table = self.syncs
        self.notes.settle(NULL_ID)
        if table is None:
            return 0
        put_int(table.column("seq"), last_seq(self.order))
        put_int(table.column("time_ns"), self.order.last_time)
        for name in ("generation", "snapshot_ns", "mono_ns", "wall"):
            put_int(table.column(name), NULL_ID)
        table.rows += 1
        return 0

    cdef int end_generation(self, const Generation* generation, bint whole, int minor) except -1:
        """Its rows are all out."""
        cdef Table table = self.generations
        cdef int64_t events = self.rows.first_seq + self.rows.count - self.first_seq
        if self.lives is not None and self.lives.lives.illegal:
            self.notes.illegal(generation, self.lives.lives.illegal, self.lives.lives.illegal_seq)
            self.lives.lives.illegal = 0
        if table is None:
            return 0
        put_int(table.column("number"), as_int64(generation.number))
        put_int(table.column("offset"), generation.offset)
        put_int(table.column("bytes"), generation.end_offset - generation.offset)
        put_int(table.column("batches"), generation.n_batches + generation.n_structural)
        put_int(table.column("events"), events)
        put_int(table.column("first_seq"), self.first_seq if events else NULL_ID)
        put_int(table.column("last_seq"), self.first_seq + events - 1 if events else NULL_ID)
        put_int(table.column("start_ns"), self.start_ns if events else NULL_ID)
        put_int(table.column("end_ns"), self.order.last_time if events else NULL_ID)
        put_int(table.column("freq_hz"), as_int64(generation.frequency))
        put_int(table.column("complete"), whole if not whole or minor >= 26 else NULL_ID)
        table.rows += 1
        return 0

    cdef int close(self) except -1:
        """The trace, or a stretch of it before damage, is over: close what is open."""
        cdef Ending ending
        ending.time = self.order.last_time
        ending.seq = last_seq(self.order)
        ending.open = True
        if self.transitions is not None:
            self.transitions.end_stretch(self.order)
        self._close_intervals(&ending)
        if self.lives is not None:
            self.lives.close(&ending)
        if self.machines is not None:
            self.machines.close(&ending)
        if self.tasks is not None:
            self.tasks.close(&ending)
        if self.gc is not None:
            self.gc.close(&ending)
        return 0

    cdef int _close_intervals(self, const Ending* ending) except -1:
        """Write the ranges and regions that are open, by their begin, and free what is open."""
        cdef Interval** open = NULL
        cdef int64_t room = 0
        cdef int64_t n = 0
        cdef int64_t i
        with nogil:
            n = collect_open_intervals(self.order, &open, &room)
        if n < 0:
            free(open)
            raise MemoryError("no memory for open intervals")
        for i in range(n):
            if open[i].what == KIND_RANGE_BEGIN and self.ranges is not None:
                self.ranges.put(open[i], ending, NULL)
            elif open[i].what == KIND_REGION_BEGIN and self.lives is not None:
                if self.lives.regions is not None:
                    close_region(&self.lives.lives, open[i], ending)
                    self.lives.put_regions()
            interval_free(&self.order.intervals, open[i])
        free(open)
        return 0
