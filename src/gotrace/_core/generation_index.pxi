# GenerationIndex: where the generations of a trace lie, from the headers of their batches alone.
#
# No payload is kept or looked into but the first byte and the sync batch, which tells the clock.

@cython.no_gc_clear
cdef class GenerationIndex(Owned):
    """Find the generations of a trace without decoding them.

    Sans I/O, as TraceDecoder: `feed` lends bytes until `next_generation` gives None.

    Args:
        salvage: go on behind damage; else the first fault raises.
        max_memory: bytes for the headers of one generation.
    """

    cdef Framer framer
    cdef Py_buffer input
    cdef bint has_input
    cdef int64_t following
    cdef readonly int64_t left_out      # bytes of the source that need not be fed next

    def __cinit__(self, *, bint salvage=False, int64_t max_memory=4 << 30):
        framer_init(&self.framer, salvage, int.from_bytes(os.urandom(8), "little"), max_memory)
        self.framer.headers_only = True

    def __dealloc__(self):
        framer_close(&self.framer)
        self._return_input()

    cdef int _return_input(self) except -1:
        if self.has_input:
            PyBuffer_Release(&self.input)
            self.has_input = False
        return 0

    def feed(self, data, *, int64_t following=0) -> None:
        """Lend decompressed bytes, until `next_generation` gives None.

        `following` says how many bytes of the source are known to come after them. When they are
        asked for, `left_out` of them are payload that nobody has to read: feed what comes behind.
        """
        self.enter()
        try:
            if self.has_input:
                raise RuntimeError("feed() before next_generation() gave None")
            PyObject_GetBuffer(data, &self.input, PyBUF_SIMPLE)
            self.has_input = True
            self.following = following
            self.left_out = 0
            framer_feed(&self.framer, <const uint8_t*>self.input.buf, self.input.len)
        finally:
            self.leave()

    def finish(self) -> None:
        """Say that no more bytes will come."""
        self.framer.ended = True

    def next_generation(self):
        """What is known of the next generation, or None: feed more, or the end after `finish`.

        A dict of `number`, `offset`, `bytes`, `batches`, `threads`, `start_ns`, `freq_hz` (both
        None where no sync batch tells), `snapshot_ns` and `wall_ns` (the trace clock and the wall
        clock at one moment, None before Go 1.25), `complete` (None where the format cannot say).
        """
        self.enter()
        try:
            return self._next()
        finally:
            self.leave()

    cdef dict _next(self):
        cdef FrameStep step
        cdef Generation* generation
        while True:
            with nogil:
                step = framer_step(&self.framer)
                if step == FRAME_MORE and self.following and not self.left_out:
                    step = framer_leave_out(&self.framer, self.following, &self.left_out)
            if step == FRAME_GENERATION:
                generation = self.framer.ready
                self.framer.ready = NULL
                try:
                    return self._describe(generation)
                finally:
                    generation_free(generation)
            if step == FRAME_FAULT and self.framer.over:
                self._return_input()
                raise fault_error(&self.framer.fault)
            if step == FRAME_MORE or step == FRAME_END:
                self._return_input()
                return None

    cdef dict _describe(self, Generation* generation):
        cdef Fault ignored
        cdef int64_t i
        start_ns = snapshot_ns = wall_ns = None
        ignored.code = FAULT_NONE
        for i in range(generation.n_structural):
            if generation.structural[i].kind == EV_SYNC:
                _set_sync(generation, self.framer.minor, &generation.structural[i], &ignored)
        if generation.frequency:
            set_clock(generation)
            start_ns = ticks_to_ns(generation, generation.min_ticks)
            if generation.has_clock and generation.clock_nsec < 1000000000:
                snapshot_ns = ticks_to_ns(generation, generation.clock_ticks)
                wall_ns = int(generation.clock_sec) * 1000000000 + generation.clock_nsec
        return {
            "number": generation.number,
            "offset": generation.offset,
            "bytes": generation.end_offset - generation.offset,
            "batches": generation.n_batches + generation.n_structural,
            "threads": generation.n_streams,
            "start_ns": start_ns,
            "freq_hz": generation.frequency or None,
            "snapshot_ns": snapshot_ns,
            "wall_ns": wall_ns,
            "complete": True if generation.has_end else None,
        }
