"""Parquet's two ways to pack numbers: runs and bits (RLE), differences in blocks (DELTA).

Who writes makes room before; `Bytes` only grows between pages. The formats are those of
https://parquet.apache.org/docs/file-format/data-pages/encodings/.
"""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from gotrace._core.memory.vector cimport reserve

cdef enum:
    DELTA_BLOCK = 128                 # differences that share a smallest one
    DELTA_MINIBLOCK = 32              # and those of them that share a width
    SHORTEST_RUN = 8            # of a number, so that it is worth a run
    PACKING_ROOM = 64           # bytes that a packed list may have beside its bits


cdef struct Bytes:
    uint8_t* data
    int64_t size
    int64_t room


cdef inline bint make_room(Bytes* self, int64_t more) noexcept nogil:
    """Room for so many more bytes; False without memory."""
    return reserve(<void**>&self.data, &self.room, self.size + more, 1)


cdef inline void bytes_clear(Bytes* self) noexcept nogil:
    free(self.data)
    self.data = NULL
    self.size = self.room = 0


cdef inline uint8_t* put_varint(uint8_t* at, uint64_t value) noexcept nogil:
    while value > 0x7F:
        at[0] = <uint8_t>(value & 0x7F | 0x80)
        value >>= 7
        at += 1
    at[0] = <uint8_t>value
    return at + 1


cdef inline uint8_t* put_zigzag(uint8_t* at, int64_t value) noexcept nogil:
    return put_varint(at, (<uint64_t>value << 1) ^ <uint64_t>(value >> 63))


cdef inline uint8_t* put_fixed32(uint8_t* at, uint32_t value) noexcept nogil:
    memcpy(at, &value, 4)       # every machine that we know of has the lowest byte first
    return at + 4


cdef inline int bit_width(uint64_t value) noexcept nogil:
    cdef int width = 0
    while value:
        width += 1
        value >>= 1
    return width


cdef inline uint8_t* pack_bits(
    uint8_t* at, const uint64_t* values, int64_t n, int width
) noexcept nogil:
    """The low `width` bits of each value, the first in the lowest; `n` is a multiple of 8."""
    cdef uint64_t word = 0
    cdef int used = 0
    cdef int left
    cdef int64_t i
    if width == 0:
        return at
    for i in range(n):
        word |= values[i] << used
        used += width
        if used >= 64:
            memcpy(at, &word, 8)
            at += 8
            used -= 64
            left = width - used
            word = values[i] >> left if used else 0
    memcpy(at, &word, (used + 7) // 8)
    return at + used // 8


# --- runs and bits ------------------------------------------------------------------------------

ctypedef fused Code:
    uint8_t
    uint32_t


cdef inline bint _all_equal(const Code* codes, Code code) noexcept nogil:
    """Whether eight codes are this one."""
    cdef Code differs = 0
    cdef int i
    for i in range(SHORTEST_RUN):
        differs |= codes[i] ^ code
    return differs == 0


cdef inline uint8_t* _put_literals(
    uint8_t* at, const Code* codes, int64_t n, int width
) noexcept nogil:
    """Codes as they are, in groups of eight; the last group is filled up with zeros."""
    cdef uint64_t some[64]
    cdef int64_t i = 0
    cdef int64_t j, count
    if n == 0:
        return at
    at = put_varint(at, <uint64_t>(n + 7) // 8 << 1 | 1)
    while i < n:
        count = min(n - i, 64)
        for j in range(count):
            some[j] = codes[i + j]
        while count & 7:
            some[count] = 0
            count += 1
        at = pack_bits(at, some, count, width)
        i += count
    return at


cdef inline uint8_t* put_run(uint8_t* at, uint64_t code, int64_t n, int width) noexcept nogil:
    """A code so many times."""
    at = put_varint(at, <uint64_t>n << 1)
    memcpy(at, &code, (width + 7) // 8)
    return at + (width + 7) // 8


cdef inline uint8_t* put_codes(uint8_t* at, const Code* codes, int64_t n, int width) noexcept nogil:
    """Codes of `width` bits, as runs where one is repeated. Needs n * width / 8 bytes, n / 4 for
    the heads of runs, and PACKING_ROOM.
    """
    cdef int64_t start = 0      # of the codes that are in no run
    cdef int64_t i = 0
    cdef int64_t end
    while i + SHORTEST_RUN <= n:
        if not _all_equal(codes + i, codes[i]):
            i += SHORTEST_RUN
            continue
        end = i + SHORTEST_RUN
        while end + SHORTEST_RUN <= n and _all_equal(codes + end, codes[i]):
            end += SHORTEST_RUN
        while end < n and codes[end] == codes[i]:
            end += 1
        at = _put_literals(at, codes + start, i - start, width)
        at = put_run(at, codes[i], end - i, width)
        start = i = end
    return _put_literals(at, codes + start, n - start, width)


# --- differences --------------------------------------------------------------------------------

cdef inline int64_t deltas_room(int64_t n) noexcept nogil:
    """Bytes that the differences of `n` numbers have at most."""
    return (n + DELTA_BLOCK) * 8 + (n // DELTA_BLOCK + 1) * 16 + PACKING_ROOM


cdef inline uint8_t* put_deltas(uint8_t* at, const int64_t* values, int64_t n) noexcept nogil:
    """Numbers of 64 bits by their differences (DELTA_BINARY_PACKED)."""
    cdef uint64_t deltas[DELTA_BLOCK]
    cdef int64_t i = 1
    cdef int64_t j, count
    at = put_varint(at, DELTA_BLOCK)
    at = put_varint(at, DELTA_BLOCK // DELTA_MINIBLOCK)
    at = put_varint(at, n)
    at = put_zigzag(at, values[0] if n else 0)
    while i < n:
        count = min(n - i, DELTA_BLOCK)
        for j in range(count):
            deltas[j] = <uint64_t>values[i + j] - <uint64_t>values[i + j - 1]
        at = _put_block(at, deltas, count)
        i += count
    return at


cdef inline uint8_t* _put_block(uint8_t* at, uint64_t* deltas, int64_t n) noexcept nogil:
    """Up to 128 differences: the smallest, a width for each 32, and what is above it."""
    cdef int64_t least = INT64_MAX
    cdef uint8_t* widths
    cdef uint64_t all_bits
    cdef int64_t i, j, end
    for i in range(n):
        least = min(least, <int64_t>deltas[i])
    at = put_zigzag(at, least)
    widths = at
    memset(widths, 0, DELTA_BLOCK // DELTA_MINIBLOCK)
    at += DELTA_BLOCK // DELTA_MINIBLOCK
    i = 0
    while i < n:
        all_bits = 0
        end = min(n, i + DELTA_MINIBLOCK)
        for j in range(i, end):
            deltas[j] -= <uint64_t>least
            all_bits |= deltas[j]
        for j in range(end, i + DELTA_MINIBLOCK):
            deltas[j] = 0
        widths[i // DELTA_MINIBLOCK] = <uint8_t>bit_width(all_bits)
        at = pack_bits(at, deltas + i, DELTA_MINIBLOCK, widths[i // DELTA_MINIBLOCK])
        i += DELTA_MINIBLOCK
    return at
