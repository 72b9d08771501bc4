"""Growing plain C arrays."""

from libc.stdint cimport int64_t
from libc.stdlib cimport realloc

cdef extern from *:
    """
    #if defined(__linux__)
      #include <stdint.h>
      #include <sys/mman.h>
      /* Long arrays in huge pages: to touch fresh small ones costs as much as to fill them. */
      static inline void gt_in_huge_pages(void *items, size_t size) {
          uintptr_t at = ((uintptr_t)items + 4095) & ~(uintptr_t)4095;
          if (size >= (8u << 20)) (void)madvise((void *)at, size - 4096, MADV_HUGEPAGE);
      }
    #else
      #define gt_in_huge_pages(items, size) ((void)0)
    #endif
    """
    void in_huge_pages "gt_in_huge_pages"(void* items, size_t size) noexcept nogil


cdef inline bint reserve(
    void** items, int64_t* capacity, int64_t wanted, size_t size
) noexcept nogil:
    """Make room for `wanted` items of `size` bytes, at least doubling; False without memory."""
    cdef int64_t room = capacity[0]
    cdef void* grown
    if wanted <= room:
        return True
    room = room * 2 if room else 16
    if room < wanted:
        room = wanted
    grown = realloc(items[0], <size_t>room * size)
    if grown == NULL:
        return False
    items[0] = grown
    capacity[0] = room
    in_huge_pages(grown, <size_t>room * size)
    return True
