# TraceDecoder: bytes in, (table, batch) out; everything between is in the parts included above it.
#
# One pass, in this order:
#   framing     find batches, close generations
#   tables      strings, stacks, samples and clock of a generation
#   stacks      content ids; rows of `stacks` and `frames`
#   order       events of all threads, one at a time, into rows
#   columns     rows into `events` and the typed tables
#   batches     out, as soon as there are batch_rows rows or the generation is through

from collections import deque

cdef frozenset FILLED_TABLES = frozenset((
    "events", "goroutine_transitions", "ranges", "tasks", "regions", "logs", "worker_labels",
    "metrics", "cpu_samples", "allocations", "stacks", "frames", "generations", "syncs", "notes",
    "goroutine_states", "goroutines", "wakeups", "proc_states", "procs", "thread_states", "threads",
    "gc_work", "gc_cycles",
))

# Tables that look at few of the rows, or at none: ordering is all the work there is.
cdef frozenset LIGHT_TABLES = frozenset((
    "ranges", "worker_labels", "metrics", "cpu_samples", "allocations", "stacks", "frames",
    "generations", "syncs", "notes", "gc_work", "gc_cycles",
))

cdef enum:
    POOL_IDLE_BYTES = 64 << 20
    FEWEST_ROWS = 4             # room for the rows of one event
    LONGEST_BATCH = 1 << 19


@cython.no_gc_clear             # the lent buffer is given back by __dealloc__, not dropped
cdef class TraceDecoder(Owned):
    """Decode an execution trace of Go 1.22 to 1.27.

    Sans I/O: `feed` lends decompressed bytes, `next_batch` gives what can be made of them; None
    asks for more, or is the end after `finish`. For one thread at a time; another may `cancel`.

    Args:
        tables: name -> Arrow schema of the columns that are wanted, in their order.
        dictionaries: words by set; `reason` grows by what the trace adds.
        batch_rows: rows of a batch at most; from 4 to 524288.
        salvage: go on behind damage, with a note for each; else the first fault raises.
        max_memory: bytes of a generation and of known stacks, else LimitError.
        threads: with 2 or more, a thread orders events while the caller's makes columns of them.
        go_numbers: summaries are those of Go's Summarizer where ours differ on purpose.
    """

    cdef Framer framer
    cdef Ordering order
    cdef Ahead ahead
    cdef BufferPool* pool
    cdef SharedBlock* zeros
    cdef Generation* generation     # being ordered
    cdef Py_buffer input
    cdef bint has_input
    cdef bint salvage
    cdef bint ended
    cdef bint goes_on               # behind what is fed; so there is no final sync
    cdef bint in_parallel
    cdef bint cancelled
    cdef int64_t limit              # of rows in a batch
    cdef int64_t chunk              # of rows that are ordered at a time
    cdef int64_t max_memory
    cdef object ready               # deque of (table, Batch)
    cdef object error               # to be raised once `ready` is empty
    cdef dict words
    cdef dict tables
    cdef EventsTable events
    cdef StackStore stacks
    cdef TypedTables typed

    def __cinit__(
        self, tables, dictionaries, *, int64_t batch_rows=65536, bint salvage=False,
        int64_t max_memory=4 << 30, int threads=1, bint go_numbers=False,
    ):
        cdef uint64_t seed = int.from_bytes(os.urandom(8), "little")
        self.limit = min(max(batch_rows, FEWEST_ROWS), LONGEST_BATCH)
        self.chunk = min(self.limit, MOST_ROWS)
        self.salvage = salvage
        self.max_memory = max_memory
        self.pool = pool_new(POOL_IDLE_BYTES)
        self.zeros = shared_new((self.limit + 64) * 8, 0)
        if self.pool == NULL or self.zeros == NULL:
            raise MemoryError()
        framer_init(&self.framer, salvage, seed, max_memory)
        self.in_parallel = threads > 1 and not LIGHT_TABLES.issuperset(tables)
        if ahead_init(&self.ahead, &self.order, self.chunk) < 0:
            raise MemoryError()
        if order_init(&self.order, ahead_rows(&self.ahead), salvage, seed) < 0:
            raise MemoryError()
        self.ready = deque()
        self.words = {name: _Words(values) for name, values in dictionaries.items()}
        self.tables = {}
        unknown = set(tables) - FILLED_TABLES
        if unknown:
            raise ValueError(f"the core fills no table {sorted(unknown)}")
        for name, schema in tables.items():
            self.tables[name] = Table.make(
                name, schema, self.pool, self.zeros, self.words, self.limit
            )
        self.events = None
        if "events" in self.tables:
            self.events = EventsTable(self.tables["events"])
        self.stacks = StackStore(
            self.tables.get("stacks"), self.tables.get("frames"), seed, max_memory
        )
        self.typed = TypedTables(self.tables, self.words, self.stacks, seed, go_numbers)
        self.typed.bind(&self.order, ahead_rows(&self.ahead))
        for reason in dictionaries["reason"]:
            encoded = reason.encode()
            text_number(&self.order.reasons, encoded, len(encoded))

    def __dealloc__(self):
        ahead_close(&self.ahead)
        generation_free(self.generation)
        framer_close(&self.framer)
        free_open_intervals(&self.order)
        order_clear(&self.order)
        if self.pool != NULL:
            pool_unref(self.pool)
        shared_unref(self.zeros)
        self._return_input()

    @property
    def minor(self):
        """Minor version of the header (22, 23, 25, 26), None before 16 bytes were fed."""
        return self.framer.minor if self.framer.minor > 0 else None

    def feed(self, data) -> None:
        """Lend decompressed bytes, until `next_batch` gives None."""
        self.enter()
        try:
            if self.has_input:
                raise RuntimeError("feed() before next_batch() gave None")
            if self.framer.ended:
                raise RuntimeError("feed() after finish()")
            PyObject_GetBuffer(data, &self.input, PyBUF_SIMPLE)
            self.has_input = True
            framer_feed(&self.framer, <const uint8_t*>self.input.buf, self.input.len)
        finally:
            self.leave()

    def skip_to(self, int64_t offset, *, int64_t syncs) -> None:
        """Go on with the generation at `offset`, which has so many generations before it.

        To be called once the header was fed and `next_batch` gave None. Nothing is known of what
        lies between, so the generation counts as the first.
        """
        self.enter()
        try:
            if self.has_input or self.framer.minor <= 0 or self.framer.any:
                raise RuntimeError("skip_to() where generations were read")
            if self.framer.open != NULL or self.framer.pending_used:
                raise RuntimeError("skip_to() inside a generation")
            self.framer.offset = offset
            self.order.syncs = syncs
        finally:
            self.leave()

    def finish(self, *, bint goes_on=False) -> None:
        """Say that no more bytes will come; the trace itself may go on behind them."""
        self.framer.ended = True
        self.goes_on = goes_on

    def cancel(self) -> None:
        """Make `next_batch` raise InterruptedError soon, from any thread."""
        self.cancelled = True

    def next_batch(self):
        """`(table, Batch)`, or None: feed more, or the end after `finish`; raises the faults."""
        self.enter()
        try:
            while not self.ready:
                PyErr_CheckSignals()
                if self.cancelled:
                    raise InterruptedError("cancelled")
                if self.error is not None:
                    self._return_input()
                    error, self.error = self.error, None
                    raise error
                if self.ended or not self._step():
                    break
            return self.ready.popleft() if self.ready else None
        finally:
            self.leave()

    # --- one step ---------------------------------------------------------------------------

    cdef bint _step(self) except -1:
        """Get some work done; False when there is nothing to do without more bytes."""
        cdef FrameStep step
        if self.generation != NULL:
            self._order()
            return True
        with nogil:
            step = framer_step(&self.framer)
        if self.framer.skipped:
            self.typed.notes.damage(
                "info", "resumed",
                f"batches were found again {self.framer.skipped} bytes behind the damage",
                self.framer.found_at, self.framer.skipped, NULL_ID,
            )
            self.framer.skipped = 0
        if step == FRAME_GENERATION:
            self.generation = self.framer.ready
            self.framer.ready = NULL
            self._begin_generation()
        elif step == FRAME_FAULT:
            self._report(&self.framer.fault, True)
        elif step == FRAME_END:
            self._end()
        else:
            self._return_input()
            return False
        return True

    cdef int _return_input(self) except -1:
        if self.has_input:
            PyBuffer_Release(&self.input)
            self.has_input = False
        return 0

    cdef int _begin_generation(self) except -1:
        cdef Fault fault
        cdef int status
        fault.code = FAULT_NONE
        with nogil:
            status = decode_tables(self.generation, self.framer.minor, &fault)
        if status < 0:
            return self._lose(&fault, True)
        self.stacks.resolve(self.generation)
        if self._memory() > self.max_memory:
            set_fault(&fault, FAULT_LIMIT_MEMORY, self.generation.offset, self.max_memory, 0)
            return self._lose(&fault, True)
        goroutines_sweep(&self.order.goroutines, &self.order.threads)
        ahead_take_over(&self.ahead)
        self.typed.begin_generation(self.generation)
        status = order_begin(&self.order, self.generation)
        if status < 0:
            return self._lose(&self.order.fault, False)
        self.typed.sync(self.generation)
        ahead_begin(
            &self.ahead,
            self.max_memory - generation_memory(self.generation) - self.stacks.memory(),
            self.in_parallel
            and self.generation.end_offset - self.generation.offset >= WORTH_A_THREAD,
        )
        return 0

    cdef int64_t _memory(self) noexcept:
        return (
            generation_memory(self.generation) + order_memory(&self.order) + self.stacks.memory()
            + self.typed.memory()
        )

    cdef int _order(self) except -1:
        """Let the rows of one batch leave."""
        cdef int step
        with nogil:
            step = ahead_step(&self.ahead)
        self.typed.rows = ahead_rows(&self.ahead)
        if step == ORDER_BROKEN:
            return self._lose(&self.order.fault, False)
        self._flush(step == ORDER_DONE)
        if step == ORDER_DONE:
            self._close_generation(True)
        return 0

    cdef int _flush(self, bint end_of_generation) except -1:
        """Rows into columns, columns into batches."""
        cdef Rows* rows = ahead_rows(&self.ahead)
        cdef Table table
        cdef Fault fault
        if rows.reasons > len((<_Words>self.words["reason"]).values):
            self._extend_reasons(rows.reasons)
        self.typed.take(rows)
        if self.typed.memory() > self.max_memory:
            fault.code = FAULT_NONE
            set_fault(&fault, FAULT_LIMIT_MEMORY, self.framer.offset, self.max_memory, 0)
            raise fault_error(&fault)
        if self.events is not None and rows.count:
            self.events.take(rows)
        for name in ("frames", "stacks"):
            if name in self.tables:
                self._ship(name)
        for name in self.tables:
            table = self.tables[name]
            if (
                end_of_generation
                or table.rows + self.chunk > self.limit
                or table.text_bytes() > TEXT_BYTES_MOST
            ):
                self._ship(name)
        ahead_release(&self.ahead)
        return 0

    cdef int _ship(self, str name) except -1:
        cdef Table table = self.tables[name]
        if name == "events":
            self.events.settle()
        elif name == "goroutine_transitions":
            settle_blocks(table)
        for batch in table.leave():
            self.ready.append((name, batch))
        return 0

    cdef int _extend_reasons(self, int64_t count) except -1:
        cdef _Words words = self.words["reason"]
        cdef list new = []
        cdef int64_t i
        for i in range(len(words.values), count):
            new.append(
                self.order.reasons.texts[i].data[: self.order.reasons.texts[i].length].decode(
                    "utf-8", "replace"
                )
            )
        return words.extend(new)

    # --- ends ---------------------------------------------------------------------------------

    cdef int _close_generation(self, bint complete) except -1:
        cdef Table table
        cdef int64_t replaced = 0
        for name in self.tables:
            table = self.tables[name]
            replaced = max(replaced, table.take_replaced())     # a text may be in two tables
        self.typed.notes.oddities(self.generation, replaced)
        self.typed.end_generation(self.generation, complete, self.framer.minor)
        self._flush(True)
        generation_free(self.generation)
        self.generation = NULL
        self.order.generation = NULL    # the next one may come to lie at the same address
        return 0

    cdef int _end(self) except -1:
        """The final sync, then whatever is still open."""
        self.ended = True
        if self.error is None and self.goes_on:
            self.typed.notes.settle(NULL_ID)
        elif self.error is None:
            ahead_take_over(&self.ahead)
            order_finish(&self.order)
            self.typed.final_sync()
        self.typed.close()
        self._flush(True)
        return 0

    cdef int _lose(self, const Fault* fault, bint emit_sync) except -1:
        """A fault inside a generation: deliver what was ordered before it, drop the rest."""
        cdef Fault kept = fault[0]
        cdef Generation* generation = self.generation
        if self.order.generation == generation:
            self._flush(True)               # what is odd in these rows belongs to it
            self.typed.end_generation(generation, False, self.framer.minor)
            self._flush(True)
        self._report(&kept, emit_sync)
        self.generation = NULL
        self.order.generation = NULL
        generation_free(generation)
        return 0

    cdef int _report(self, const Fault* fault, bint emit_sync) except -1:
        """Raise it when all rows are out, or make it a note and start afresh behind it."""
        cdef int64_t number = NULL_ID
        cdef int64_t lost = self.framer.lost_bytes
        if self.framer.lost_number:
            number = as_int64(self.framer.lost_number)
        if self.generation != NULL:
            number = as_int64(self.generation.number)
            lost = self.generation.end_offset - self.generation.offset
            if self.order.generation == self.generation:
                lost = bytes_left(&self.order)
        if not self.salvage or fault.code > FAULT_LIMIT_ID or self.framer.over:
            self.error = fault_error(fault)
            if emit_sync and is_known_minor(self.framer.minor):
                ahead_take_over(&self.ahead)
                order_finish(&self.order)
                self.typed.final_sync()
            self.framer.over = True
            self.ended = True
        else:
            self.typed.notes.damage(
                "error", "damage", fault_reason(fault), fault.offset, lost, number
            )
        self.typed.close()
        self._flush(True)
        order_reset(&self.order)
        return 0
