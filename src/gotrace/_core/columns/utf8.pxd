"""UTF-8: is it, and if not, what to show instead.

Strings in a trace are raw bytes cut at 1024, which may split a character. A utf8 column must hold
UTF-8, so each maximal broken piece becomes U+FFFD, as Python's `errors="replace"` and the WHATWG
do it.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy


cdef inline int _sequence_length(const uint8_t* at, int64_t left, int* broken) noexcept nogil:
    """Length of the character at `at`; 0 when it is broken, then `broken` bytes are one piece."""
    cdef uint8_t lead = at[0]
    cdef uint8_t low = 0x80
    cdef uint8_t high = 0xBF
    cdef int length, i
    broken[0] = 1
    if lead < 0x80:
        return 1
    if lead < 0xC2 or lead > 0xF4:
        return 0
    if lead < 0xE0:
        length = 2
    elif lead < 0xF0:
        length = 3
        if lead == 0xE0:
            low = 0xA0
        elif lead == 0xED:
            high = 0x9F
    else:
        length = 4
        if lead == 0xF0:
            low = 0x90
        elif lead == 0xF4:
            high = 0x8F
    for i in range(1, length):
        if i >= left or at[i] < low or at[i] > high:
            broken[0] = i
            return 0
        low = 0x80
        high = 0xBF
    return length


cdef inline bint _is_ascii_word(const uint8_t* text) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, text, 8)
    return word & <uint64_t>0x8080808080808080 == 0


cdef inline bint _is_short_ascii(const uint8_t* text, int64_t length) noexcept nogil:
    cdef uint32_t first, last
    if length < 4:
        return length < 1 or (text[0] | text[length >> 1] | text[length - 1]) < 0x80
    memcpy(&first, text, 4)
    memcpy(&last, text + length - 4, 4)
    return (first | last) & <uint32_t>0x80808080 == 0


cdef inline bint is_utf8(const uint8_t* text, int64_t length) noexcept nogil:
    """Nearly all texts are ASCII: those are seen through a word at a time."""
    cdef int64_t i = 0
    cdef int step, broken
    while length - i >= 8 and _is_ascii_word(text + i):
        i += 8
    if length >= 8 and length - i < 8 and _is_ascii_word(text + length - 8):
        return True
    if length < 8 and _is_short_ascii(text, length):
        return True
    while i < length:
        step = 1
        if text[i] >= 0x80:
            step = _sequence_length(text + i, length - i, &broken)
            if step == 0:
                return False
        i += step
    return True


cdef inline int64_t repair_utf8(const uint8_t* text, int64_t length, uint8_t* out) noexcept nogil:
    """Copy with U+FFFD for each broken piece; `out` has room for 3 * length. Gives the length."""
    cdef int64_t i = 0
    cdef int64_t n = 0
    cdef int step, broken
    while i < length:
        step = _sequence_length(text + i, length - i, &broken)
        if step:
            memcpy(out + n, text + i, step)
            n += step
            i += step
        else:
            out[n] = 0xEF
            out[n + 1] = 0xBF
            out[n + 2] = 0xBD
            n += 3
            i += broken
    return n
