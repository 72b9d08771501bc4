"""Compact: the picked rows of a block, next to each other.

Which rows those are is said by a bit each, in words of 64. A word of ones is a plain copy; else
four rows go through a table of their places (AVX2), or each is written and counted only if picked,
so that no branch depends on the data. Of an array whole words of 64 are read, and four rows may be
written behind the last.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint64_t

from gotrace._core.columns.append cimport put_bits  # its C says whether there is AVX2
from gotrace._core.columns.validity cimport popcount, signs
from gotrace._core.decode.event_spec cimport STATE_SYSCALL, STATE_WAITING

cdef extern from *:
    """
    #define GT_ALL_64 (~(uint64_t)0)

    #define GT_COMPACT(NAME, TYPE) \\
        static void NAME(TYPE *to, const TYPE *from, int64_t n, const uint64_t *words) { \\
            for (int64_t i = 0; i < n; i += 64) { \\
                uint64_t word = words[i >> 6]; \\
                if (word == GT_ALL_64) { \\
                    memcpy(to, from + i, 64 * sizeof(TYPE)); \\
                    to += 64; \\
                } else for (int j = 0; j < 64; j++, word >>= 1) { \\
                    *to = from[i + j]; \\
                    to += word & 1; \\
                } \\
            } \\
        }
    GT_COMPACT(gt_compact_8_plainly, uint8_t)
    GT_COMPACT(gt_compact_16_plainly, int16_t)
    GT_COMPACT(gt_compact_32_plainly, int32_t)
    GT_COMPACT(gt_compact_64_plainly, int64_t)

    #ifdef GT_HAS_AVX2
    /* The places of the bits that are set, for each number of four bits. */
    #define GT_PLACES(_) { \\
        _(0, 0, 0, 0), _(0, 0, 0, 0), _(1, 0, 0, 0), _(0, 1, 0, 0), \\
        _(2, 0, 0, 0), _(0, 2, 0, 0), _(1, 2, 0, 0), _(0, 1, 2, 0), \\
        _(3, 0, 0, 0), _(0, 3, 0, 0), _(1, 3, 0, 0), _(0, 1, 3, 0), \\
        _(2, 3, 0, 0), _(0, 2, 3, 0), _(1, 2, 3, 0), _(0, 1, 2, 3) }
    #define GT_1(p) p
    #define GT_2(p) 2 * p, 2 * p + 1
    #define GT_4(p) 4 * p, 4 * p + 1, 4 * p + 2, 4 * p + 3
    #define GT_PLACES_8(a, b, c, d) {GT_1(a), GT_1(b), GT_1(c), GT_1(d)}
    #define GT_PLACES_16(a, b, c, d) {GT_2(a), GT_2(b), GT_2(c), GT_2(d)}
    #define GT_PLACES_32(a, b, c, d) {GT_4(a), GT_4(b), GT_4(c), GT_4(d)}
    static const uint8_t gt_places_8[16][16] = GT_PLACES(GT_PLACES_8);
    static const uint8_t gt_places_16[16][16] = GT_PLACES(GT_PLACES_16);
    static const uint8_t gt_places_32[16][16] = GT_PLACES(GT_PLACES_32);
    static const int32_t gt_places_64[16][8] = GT_PLACES(GT_PLACES_16);

    #define GT_COMPACT_AVX2(NAME, TYPE, MOVE) \\
        __attribute__((target("avx2,popcnt"))) \\
        static void NAME(TYPE *to, const TYPE *from, int64_t n, const uint64_t *words) { \\
            for (int64_t i = 0; i < n; i += 64) { \\
                uint64_t word = words[i >> 6]; \\
                if (word == GT_ALL_64) { \\
                    memcpy(to, from + i, 64 * sizeof(TYPE)); \\
                    to += 64; \\
                } else for (int j = 0; j < 64; j += 4, word >>= 4) { \\
                    MOVE(to, from + i + j, word & 15) \\
                    to += __builtin_popcountll(word & 15); \\
                } \\
            } \\
        }
    #define GT_MOVE_64(to, from, four) \\
        _mm256_storeu_si256((__m256i *)(to), _mm256_permutevar8x32_epi32( \\
            _mm256_loadu_si256((const __m256i *)(from)), \\
            _mm256_loadu_si256((const __m256i *)gt_places_64[four])));
    #define GT_MOVE_32(to, from, four) \\
        _mm_storeu_si128((__m128i *)(to), _mm_shuffle_epi8( \\
            _mm_loadu_si128((const __m128i *)(from)), \\
            _mm_loadu_si128((const __m128i *)gt_places_32[four])));
    #define GT_MOVE_16(to, from, four) \\
        _mm_storel_epi64((__m128i *)(to), _mm_shuffle_epi8( \\
            _mm_loadl_epi64((const __m128i *)(from)), \\
            _mm_loadl_epi64((const __m128i *)gt_places_16[four])));
    #define GT_MOVE_8(to, from, four) { \\
        int32_t bytes; \\
        memcpy(&bytes, from, 4); \\
        bytes = _mm_cvtsi128_si32(_mm_shuffle_epi8( \\
            _mm_cvtsi32_si128(bytes), _mm_loadl_epi64((const __m128i *)gt_places_8[four]))); \\
        memcpy(to, &bytes, 4); }
    GT_COMPACT_AVX2(gt_compact_8_avx2, uint8_t, GT_MOVE_8)
    GT_COMPACT_AVX2(gt_compact_16_avx2, int16_t, GT_MOVE_16)
    GT_COMPACT_AVX2(gt_compact_32_avx2, int32_t, GT_MOVE_32)
    GT_COMPACT_AVX2(gt_compact_64_avx2, int64_t, GT_MOVE_64)
    #define GT_CHOOSE(NAME, ...) \\
        if (__builtin_cpu_supports("avx2")) NAME##_avx2(__VA_ARGS__); \\
        else NAME##_plainly(__VA_ARGS__)
    #else
    #define GT_CHOOSE(NAME, ...) NAME##_plainly(__VA_ARGS__)
    #endif

    #define GT_COMPACT_EITHER(NAME, TYPE) \\
        static void NAME(TYPE *to, const TYPE *from, int64_t n, const uint64_t *words) { \\
            GT_CHOOSE(NAME, to, from, n, words); \\
        }
    GT_COMPACT_EITHER(gt_compact_8, uint8_t)
    GT_COMPACT_EITHER(gt_compact_16, int16_t)
    GT_COMPACT_EITHER(gt_compact_32, int32_t)
    GT_COMPACT_EITHER(gt_compact_64, int64_t)

    #if defined(__GNUC__) || defined(__clang__)
      #define gt_lowest_bit(word) __builtin_ctzll(word)
    #else
      #define gt_lowest_bit(word) gt_popcount(((word) & (0 - (word))) - 1)
    #endif

    /* Keep a value only where two others differ. */
    #define GT_UNLESS_EQUAL(NAME, TARGET) \\
        TARGET static void NAME( \\
            int64_t *to, const int64_t *from, int64_t n, const int64_t *a, const int64_t *b \\
        ) { \\
            for (int64_t i = 0; i < n; i++) to[i] = from[i] | -(int64_t)(a[i] == b[i]); \\
        }
    GT_UNLESS_EQUAL(gt_unless_equal_plainly, )
    #ifdef GT_HAS_AVX2
    GT_UNLESS_EQUAL(gt_unless_equal_avx2, __attribute__((target("avx2"))))
    #endif
    static void gt_unless_equal(
        int64_t *to, const int64_t *from, int64_t n, const int64_t *a, const int64_t *b
    ) {
        GT_CHOOSE(gt_unless_equal, to, from, n, a, b);
    }
    """
    void compact_8 "gt_compact_8"(
        uint8_t* to, const uint8_t* source, int64_t n, const uint64_t* words) noexcept nogil
    void compact_16 "gt_compact_16"(
        int16_t* to, const int16_t* source, int64_t n, const uint64_t* words) noexcept nogil
    void compact_32 "gt_compact_32"(
        int32_t* to, const int32_t* source, int64_t n, const uint64_t* words) noexcept nogil
    void compact_64 "gt_compact_64"(
        int64_t* to, const int64_t* source, int64_t n, const uint64_t* words) noexcept nogil
    void unless_equal "gt_unless_equal"(
        int64_t* to, const int64_t* source, int64_t n, const int64_t* a, const int64_t* b,
    ) noexcept nogil
    int lowest_bit "gt_lowest_bit"(uint64_t word) noexcept nogil


# Of 64 bytes those that are picked have their highest bit set.
cdef inline uint64_t _picked(const uint8_t* flags, int64_t left) noexcept nogil:
    cdef uint64_t word = signs(flags, 1, 0, 64)
    return word & (<uint64_t>1 << left) - 1 if left < 64 else word


cdef inline int64_t pick_changes(const uint8_t* codes, int64_t n, uint64_t* words) noexcept nogil:
    """Pick the transitions of goroutines whose states differ; how many they are."""
    cdef uint8_t flags[64]
    cdef uint8_t code
    cdef int64_t picked = 0
    cdef int64_t i
    cdef int j
    for i in range(0, n, 64):
        for j in range(64):         # a transition, its states differ, and it is not of a proc
            code = codes[i + j]
            flags[j] = <uint8_t>(code & ((((code ^ code >> 3) & 7) + 7) << 4) & ~(code << 1))
        words[i >> 6] = _picked(flags, n - i)
        picked += popcount(words[i >> 6])
    return picked


cdef inline void pick_waits(const uint8_t* codes, int64_t n, uint64_t* words) noexcept nogil:
    """Pick, of transitions of goroutines, those into a state that can be a wait."""
    cdef uint8_t flags[64]
    cdef uint8_t state
    cdef int64_t i
    cdef int j
    for i in range(0, n, 64):
        for j in range(64):
            state = codes[i + j] & 7
            flags[j] = <uint8_t>(0 - ((state == STATE_WAITING) | (state == STATE_SYSCALL)))
        words[i >> 6] = _picked(flags, n - i)
