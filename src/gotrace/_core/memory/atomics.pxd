"""The three atomic operations the core needs, for GCC, Clang and MSVC."""

cdef extern from *:
    """
    #if defined(_MSC_VER)
      #include <intrin.h>
      typedef volatile long gt_atomic;
      static __inline long gt_add(gt_atomic *a, long n) {
          return _InterlockedExchangeAdd(a, n) + n;
      }
      static __inline int gt_try_lock(gt_atomic *a) { return _InterlockedExchange(a, 1) == 0; }
      static __inline void gt_unlock(gt_atomic *a) { _InterlockedExchange(a, 0); }
    #else
      typedef long gt_atomic;
      static inline long gt_add(gt_atomic *a, long n) {
          return __atomic_add_fetch(a, n, __ATOMIC_ACQ_REL);
      }
      static inline int gt_try_lock(gt_atomic *a) {
          return __atomic_exchange_n(a, 1, __ATOMIC_ACQUIRE) == 0;
      }
      static inline void gt_unlock(gt_atomic *a) { __atomic_store_n(a, 0, __ATOMIC_RELEASE); }
    #endif
    """
    ctypedef long gt_atomic
    long atomic_add "gt_add"(gt_atomic* counter, long n) noexcept nogil
    bint try_lock "gt_try_lock"(gt_atomic* lock) noexcept nogil
    void unlock "gt_unlock"(gt_atomic* lock) noexcept nogil


cdef inline void spin_lock(gt_atomic* lock) noexcept nogil:
    """Take a lock that is only ever held for a few instructions."""
    while not try_lock(lock):
        pass
