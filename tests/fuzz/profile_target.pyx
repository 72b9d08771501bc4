# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What one input of the fuzzer does to the profile decoder.

An input is KNOBS bytes, which say how to decode, and the bytes of profiles. Most go through the
native half only (quick_profile.pxi), one in `DEAR` through all of it: the lists that come out
have to agree with each other and to be the same for the message alone; a stack is found by its
number. With the knob `TABLES` some become tables, which are validated, written again and read
again: nothing may be lost. A text is read as one.
"""

import os

from cpython.buffer cimport PyBUF_READ
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport abort
from libc.string cimport memcpy, memmove

import gotrace
from gotrace._core import NumberBlock, decode_profile, number_stacks, profile_end
from gotrace.analyses.profile_columns import TABLES as WRITTEN
from gotrace.errors import FormatError, GotraceError
from gotrace.sinks.profile_proto import encode_profile
from gotrace.sources.sniff import text_profile
from gotrace.tables.profile_text import decode_text

cdef extern from *:
    """
    extern long fuzz_allocations_left;
    extern int fuzz_failure_is_sticky;
    """
    long fuzz_allocations_left      # of the core, before one fails; negative: none does
    int fuzz_failure_is_sticky      # all that follow fail too

cdef extern from *:
    """
    extern int64_t quick_profile(const uint8_t *, int64_t, int64_t, uint64_t);
    """
    int64_t quick_profile(const uint8_t* data, int64_t size, int64_t max_memory, uint64_t seed)

cdef enum:
    KNOBS = 4
    DEAR = 64                   # Python takes a hundred times as long: one input in so many
    DEARER = 256                # and tables a thousand times

cdef enum:                      # bits of the first knob
    TABLES = 1
    FAILS = 16                  # allocations fail
    SALVAGE = 32

include "mutate_profile.pxi"

cdef bint VERBOSE = "GOTRACE_FUZZ_VERBOSE" in os.environ
cdef tuple MEMORY = (64 << 20, 64 << 20, 1 << 20, 4096)

#: Lists of one length, and ends of lists: (ends, what they are the ends of).
cdef tuple ALIKE = (
    ("type", "type_unit"),
    ("sample_refs", "sample_set"),
    ("set_key", "set_str", "set_num", "set_unit"),
    ("mapping_id", "memory_start", "memory_limit", "file_offset", "mapping_file", "build_id",
     "has_functions", "has_filenames", "has_line_numbers", "has_inline_frames"),
    ("location_id", "location_mapping", "address", "location_lines", "is_folded"),
    ("line_function", "line", "column", "line_row"),
    ("function_id", "function_name", "system_name", "function_file", "start_line"),
)
cdef tuple ENDS = (
    ("sample_refs", "refs"), ("set_end", "set_key"), ("location_lines", "line"),
    ("string_end", "text"),
)
cdef tuple NAMES = (
    "type", "type_unit", "set_key", "set_str", "set_unit", "mapping_file", "build_id",
    "function_name", "system_name", "function_file", "comments",
)


cdef int fail(str what) except -1:
    raise AssertionError(what)


cdef object seen(block):
    """The numbers of the core, as numbers."""
    return memoryview(block).cast("q") if isinstance(block, NumberBlock) else block


cdef int in_range(dict lists, str name, int64_t least, int64_t end) except -1:
    cdef const int64_t[::1] numbers = lists[name]
    cdef int64_t i
    for i in range(numbers.shape[0]):
        if not least <= numbers[i] < end:
            fail(f"{name}: {numbers[i]} is none of {end}")
    return 0


cdef int check_lists(dict lists) except -1:
    """What everybody who reads the lists relies on."""
    cdef const int64_t[::1] ends
    cdef int64_t i, last
    for names in ALIKE:
        if len({len(lists[name]) for name in names}) != 1:
            fail(f"{names} differ in length")
    for name, held in ENDS:
        ends = lists[name]
        last = 0
        for i in range(ends.shape[0]):
            if ends[i] < last:
                fail(f"{name} falls")
            last = ends[i]
        if last != len(lists[held]):
            fail(f"{name} ends at {last} of {len(lists[held])}")
    if len(lists["values"]) != len(lists["sample_refs"]) * len(lists["type"]):
        fail("values")
    for name in NAMES:
        in_range(lists, name, 0, len(lists["string_end"]))
    in_range(lists, "sample_set", -1, len(lists["set_end"]))
    in_range(lists, "line_row", 0, len(lists["function_id"]))
    lists["text"].decode()
    return 0


cdef int check_stacks(dict lists) except -1:
    """A sample's stack, by its number, is what it names."""
    numbers, ends, rows = number_stacks(
        lists["sample_refs"], lists["refs"], lists["location_id"]
    )
    cdef const int64_t[::1] number = seen(numbers)
    cdef const int64_t[::1] end = seen(ends)
    cdef const int64_t[::1] row = seen(rows)
    cdef const int64_t[::1] refs = lists["refs"]
    cdef const int64_t[::1] ids = lists["location_id"]
    cdef const int64_t[::1] samples = lists["sample_refs"]
    cdef int64_t i, j, first, start = 0
    for i in range(samples.shape[0]):
        first = end[number[i] - 1] if number[i] else 0
        if end[number[i]] - first != samples[i] - start:
            fail(f"the stack of sample {i} has another length")
        for j in range(samples[i] - start):
            if ids[row[first + j]] != refs[start + j]:
                fail(f"sample {i} has another location")
        start = samples[i]
    return 0


cdef bint same(dict one, dict other) except -1:
    return all(
        one[name] == other[name] if name in ("text", "replaced")
        else bytes(one[name]) == bytes(other[name])
        for name in one if name != "end"
    )


cdef int decode_all(const uint8_t* data, int64_t size, int64_t memory) except -1:
    """Every profile of the bytes; each is the same without those behind it."""
    cdef int64_t start = 0
    cdef int64_t end
    whole = PyMemoryView_FromMemory(<char*>data, size, PyBUF_READ)
    while start < size:
        lists = {name: seen(made) for name, made in decode_profile(whole, start, memory).items()}
        end = lists["end"]
        if not start < end <= size:
            fail(f"a profile from {start} to {end} of {size}")
        if profile_end(whole, start) != end:
            fail(f"a profile ends at {end} and at {profile_end(whole, start)}")
        check_lists(lists)
        check_stacks(lists)
        if not same(lists, decode_profile(whole[start:end], 0, 64 << 20)):
            fail("a profile differs without what is behind it")
        start = end
    return 0


cdef int read_tables(bytes data, int64_t memory, bint salvage) except -1:
    """Tables of it are sound, and say all that there is."""
    limits = gotrace.Limits(memory_bytes=max(memory, 1 << 20), rows=200_000)
    source = gotrace.open(data, limits=limits, on_error="salvage" if salvage else "fail")
    if source.kind != "profile":
        return 0
    for _, batch in source.scan("all"):
        batch.validate(full=True)
    tables = {name: source.table(name) for name in WRITTEN}
    if source.fault is not None or tables["profiles"].num_rows != 1:
        return 0
    again = gotrace.open(b"".join(encode_profile(tables)))
    for name in WRITTEN:
        if name != "profiles" and not again.table(name).equals(tables[name]):
            fail(f"{name} differs once it was written and read again")
    return 0


cdef int run(const uint8_t* data, int64_t size) except -1:
    global fuzz_allocations_left, fuzz_failure_is_sticky
    cdef uint8_t flags = data[0]
    cdef int64_t memory = MEMORY[data[1] & 3]
    cdef int dice = data[3] ^ data[size - 1] ^ data[size // 2]
    try:
        if flags & FAILS:
            fuzz_allocations_left = data[2] >> 1
            fuzz_failure_is_sticky = data[2] & 1
        if dice % DEAR:
            quick_profile(data + KNOBS, size - KNOBS, memory, data[2])
            return 0
        fuzz_allocations_left = -1
        if flags & TABLES and dice % DEARER == 0:
            read_tables(data[KNOBS:size], memory, flags & SALVAGE != 0)
        elif text_profile(data[KNOBS:size]):
            decode_text(data[KNOBS:size], passed_over if flags & SALVAGE else refused)
        else:
            if flags & FAILS:
                fuzz_allocations_left = data[2] >> 1
                fuzz_failure_is_sticky = data[2] & 1
            decode_all(data + KNOBS, size - KNOBS, memory)
    except (GotraceError, MemoryError) as error:
        if VERBOSE:
            print(repr(error), flush=True)
    finally:
        fuzz_allocations_left = -1
    return 0


def passed_over(str reason, int64_t offset):
    pass


def refused(str reason, int64_t offset):
    raise FormatError(reason, offset=offset)


cdef public int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) except? -2 with gil:
    if size >= KNOBS:
        try:
            run(data, size)
        except BaseException:
            import traceback

            traceback.print_exc()
            abort()
    return 0
