# Owned: what one thread at a time is in.
#
# Neither the interpreter's lock nor its absence protects native state: the lock is let go while we
# decode, and a free-threaded Python has none.
#
# Offers: Owned.


cdef class Owned:
    """An object that refuses a second thread while one is in it."""

    cdef gt_atomic inside

    cdef int enter(self) except -1:
        if not try_lock(&self.inside):
            raise RuntimeError(f"a {type(self).__name__} is used by one thread at a time")
        return 0

    cdef void leave(self) noexcept:
        unlock(&self.inside)
