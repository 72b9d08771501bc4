"""Span: the columns that every table of intervals has."""

from libc.stdint cimport int64_t

from gotrace._core.columns.column cimport Column, put_int


cdef struct Span:
    Column* start_ns
    Column* end_ns
    Column* duration_ns
    Column* start_seq
    Column* end_seq
    Column* open_start
    Column* open_end


# Where an interval ends, and whether an event says so.
cdef struct Ending:
    int64_t time
    int64_t seq
    bint open


cdef inline void put_span(
    const Span* self, int64_t start_ns, int64_t start_seq, bint open_start, const Ending* ending
) noexcept nogil:
    put_int(self.start_ns, start_ns)
    put_int(self.end_ns, ending.time)
    put_int(self.duration_ns, ending.time - start_ns)
    put_int(self.start_seq, start_seq)
    put_int(self.end_seq, ending.seq)
    put_int(self.open_start, open_start)
    put_int(self.open_end, ending.open)
