# Columns from arrays of structs.
#
# Offers: put_field, put_field_of.

cdef inline void _copy_value(void* out, int64_t i, const uint8_t* value, int width) noexcept nogil:
    if width == 8:
        (<int64_t*>out)[i] = (<const int64_t*>value)[0]
    elif width == 4:
        (<int32_t*>out)[i] = (<const int32_t*>value)[0]
    elif width == 2:
        (<int16_t*>out)[i] = (<const int16_t*>value)[0]
    else:
        (<int8_t*>out)[i] = (<const int8_t*>value)[0]


cdef void put_field(Column* self, const void* first, int64_t stride, int64_t n) noexcept nogil:
    """A column from a field of `n` structs; `first` points at the field in the first of them."""
    cdef const uint8_t* at = <const uint8_t*>first
    cdef void* out = grow_rows(self, n)
    cdef int width = self.width if out != NULL else 0
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        _copy_value(out, i, at + i * stride, width)


cdef void put_field_of(Column* self, void** structs, const void* first, int64_t n) noexcept nogil:
    """The same where there is an array of pointers to them."""
    cdef int64_t offset = <const uint8_t*>first - <const uint8_t*>structs[0]
    cdef void* out = grow_rows(self, n)
    cdef int width = self.width if out != NULL else 0
    cdef int64_t i
    for i in range(n if out != NULL else 0):
        _copy_value(out, i, <const uint8_t*>structs[i] + offset, width)
