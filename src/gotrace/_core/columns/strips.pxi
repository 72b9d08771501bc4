# Strips: values that gather in the cache for some rows, then go onto their column together.
#
# Offers: append_strip, put_known_text.

cdef extern from *:
    """
    /* Most texts are short, and a call would cost more than the copy. */
    static inline void gt_copy_text(char *to, const char *from, int64_t n) {
        if (n > 32 || n < 4) {
            memcpy(to, from, n);
        } else if (n >= 16) {
            memcpy(to, from, 16);
            memcpy(to + n - 16, from + n - 16, 16);
        } else if (n >= 8) {
            memcpy(to, from, 8);
            memcpy(to + n - 8, from + n - 8, 8);
        } else {
            memcpy(to, from, 4);
            memcpy(to + n - 4, from + n - 4, 4);
        }
    }
    """
    void copy_text "gt_copy_text"(char* to, const char* source, int64_t n) noexcept nogil


cdef void append_strip(Column* self, const void* values, int64_t n) noexcept nogil:
    """Append `n` values; a negative number is null. Ids and times get their validity as they go."""
    cdef int64_t at, room
    if self == NULL or self.failed:
        return
    at = self.length
    room = at + n if at else max(n, self.usual)
    self.data = _grown(self, self.data, at * self.width, room * self.width)
    if self.width == 8:
        self.bits = <uint8_t*>_grown(
            self, self.bits, bitmap_bytes(at), bitmap_bytes(room) + BITS_BEHIND
        )
    if self.failed:
        return
    if self.width == 8:
        if at == 0:
            self.nulls = 0
        self.nulls += append_int64(
            <int64_t*>self.data + at, <const int64_t*>values, n, <uint64_t*>self.bits, at
        )
    else:
        memcpy(<uint8_t*>self.data + at * self.width, values, n * self.width)
    self.length += n


cdef inline void put_known_text(Column* self, const Text* text, bint is_utf8) noexcept nogil:
    """Append a text, null when it is empty, that is known to be UTF-8 or has to be looked at."""
    cdef int64_t n, used
    if self == NULL:
        return
    n = self.length
    used = self.data_bytes
    if (
        n == 0 or text.length == 0 or not is_utf8
        or used + text.length > buffer_capacity(self.data)
        or n + 1 > buffer_capacity(self.present)
        or (n + 2) * <int64_t>sizeof(int32_t) > buffer_capacity(self.offsets)
    ):
        put_name(self, text)
        return
    copy_text(<char*>self.data + used, text.data, text.length)
    self.data_bytes = used + text.length
    self.present[n] = IS_PRESENT
    self.offsets[n + 1] = <int32_t>self.data_bytes
    self.length = n + 1
