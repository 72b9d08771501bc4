"""Hashes of runs of numbers, keyed with a secret, and memory asked for ahead of its use."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    #if defined(_MSC_VER)
      #include <intrin.h>
      #define gt_prefetch(address) ((void)0)
      /* The two halves of a product of 128 bits, folded. */
      static __inline uint64_t gt_fold(uint64_t a, uint64_t b) {
          uint64_t high, low = _umul128(a, b, &high);
          return low ^ high;
      }
    #else
      #define gt_prefetch(address) __builtin_prefetch(address)
      static inline uint64_t gt_fold(uint64_t a, uint64_t b) {
          unsigned __int128 product = (unsigned __int128)a * b;
          return (uint64_t)product ^ (uint64_t)(product >> 64);
      }
    #endif
    """
    void prefetch "gt_prefetch"(const void* address) noexcept nogil
    uint64_t fold "gt_fold"(uint64_t a, uint64_t b) noexcept nogil


cdef inline uint64_t hash_numbers(
    const int64_t* numbers, int64_t count, uint64_t seed
) noexcept nogil:
    """Hash numbers in their order, two at a time in two lanes; `seed` is a secret."""
    cdef uint64_t key = seed ^ <uint64_t>0x9E3779B97F4A7C15
    cdef uint64_t a = seed ^ <uint64_t>count
    cdef uint64_t b = ~a
    cdef int64_t i = 0
    while i + 4 <= count:
        a = fold(<uint64_t>numbers[i] ^ key, <uint64_t>numbers[i + 1] ^ a)
        b = fold(<uint64_t>numbers[i + 2] ^ key, <uint64_t>numbers[i + 3] ^ b)
        i += 4
    while i < count:
        a = fold(<uint64_t>numbers[i] ^ key, a ^ <uint64_t>0xC2B2AE3D27D4EB4F)
        i += 1
    return fold(a ^ key, b ^ seed)


cdef inline uint64_t hash_narrow(
    const int32_t* numbers, int64_t count, uint64_t seed
) noexcept nogil:
    """Hash numbers of 32 bits, two of them as one."""
    cdef uint64_t key = seed ^ <uint64_t>0x9E3779B97F4A7C15
    cdef uint64_t a = seed ^ <uint64_t>count
    cdef uint64_t b = ~a
    cdef uint64_t words[4]
    cdef int64_t i = 0
    while i + 8 <= count:
        memcpy(words, numbers + i, sizeof(words))
        a = fold(words[0] ^ key, words[1] ^ a)
        b = fold(words[2] ^ key, words[3] ^ b)
        i += 8
    while i < count:
        a = fold(<uint64_t>(<uint32_t>numbers[i]) ^ key, a ^ <uint64_t>0xC2B2AE3D27D4EB4F)
        i += 1
    return fold(a ^ key, b ^ seed)
