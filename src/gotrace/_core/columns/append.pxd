"""Append: a block of rows onto columns, values and validity in one pass over them.

A null is a negative number while it is a row; in the column it is a zero bit. Columns grow by
blocks of any length, so bits go in at any place: a word at a time, the rest of it into the next.
With AVX2, where the processor has it, four numbers are looked at together.
"""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t

from gotrace._core.columns.validity cimport popcount, signs

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    #if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
      #include <immintrin.h>
      #define GT_HAS_AVX2 1
    #endif

    /* Put the low `count` bits of `word` behind the `at` bits that are there. */
    static inline void gt_put_bits(uint64_t *bits, int64_t at, uint64_t word, int64_t count) {
        int64_t i = at >> 6, shift = at & 63;
        if (count < 64) word &= ((uint64_t)1 << count) - 1;
        if (shift == 0) {
            bits[i] = word;
        } else {
            bits[i] |= word << shift;
            bits[i + 1] = word >> (64 - shift);
        }
    }

    #define GT_APPEND(NAME, TYPE, VALUE) \\
        static int64_t NAME( \\
            TYPE *to, const TYPE *from, int64_t n, uint64_t *bits, int64_t at \\
        ) { \\
            int64_t valid = 0; \\
            for (int64_t i = 0; i < n; i += 64) { \\
                int64_t count = n - i < 64 ? n - i : 64; \\
                uint64_t word = ~gt_signs(from, sizeof(TYPE), i, count); \\
                for (int64_t j = 0; j < count; j++) to[i + j] = VALUE(from[i + j]); \\
                gt_put_bits(bits, at + i, word, count); \\
                valid += gt_popcount(count < 64 ? word & (((uint64_t)1 << count) - 1) : word); \\
            } \\
            return n - valid; \\
        }
    #define GT_AS_IT_IS(VALUE) (VALUE)
    #define GT_ZERO_FOR_NULL(VALUE) ((VALUE) & ~((VALUE) >> 15))    /* a code that all can read */
    GT_APPEND(gt_append_64_plainly, int64_t, GT_AS_IT_IS)
    GT_APPEND(gt_append_32, int32_t, GT_AS_IT_IS)
    GT_APPEND(gt_append_16_codes, int16_t, GT_ZERO_FOR_NULL)

    #ifdef GT_HAS_AVX2
    __attribute__((target("avx2")))
    static int64_t gt_append_64_avx2(
        int64_t *to, const int64_t *from, int64_t n, uint64_t *bits, int64_t at
    ) {
        int64_t valid = 0, i = 0;
        for (; i + 64 <= n; i += 64) {
            uint64_t nulls = 0;
            for (int j = 0; j < 64; j += 4) {
                __m256i four = _mm256_loadu_si256((const __m256i *)(from + i + j));
                _mm256_storeu_si256((__m256i *)(to + i + j), four);
                nulls |= (uint64_t)_mm256_movemask_pd(_mm256_castsi256_pd(four)) << j;
            }
            gt_put_bits(bits, at + i, ~nulls, 64);
            valid += gt_popcount(~nulls);
        }
        return i - valid + gt_append_64_plainly(to + i, from + i, n - i, bits, at + i);
    }
    #endif

    static int64_t gt_append_64(
        int64_t *to, const int64_t *from, int64_t n, uint64_t *bits, int64_t at
    ) {
    #ifdef GT_HAS_AVX2
        if (__builtin_cpu_supports("avx2")) return gt_append_64_avx2(to, from, n, bits, at);
    #endif
        return gt_append_64_plainly(to, from, n, bits, at);
    }

    /* Which codes have their highest bit set. */
    static int64_t gt_append_transitions(
        const uint8_t *codes, int64_t n, uint64_t *bits, int64_t at
    ) {
        int64_t valid = 0;
        for (int64_t i = 0; i < n; i += 64) {
            int64_t count = n - i < 64 ? n - i : 64;
            uint64_t word = gt_signs(codes, 1, i, count);
            gt_put_bits(bits, at + i, word, count);
            valid += gt_popcount(word);
        }
        return n - valid;
    }
    """
    int64_t append_int64 "gt_append_64"(
        int64_t* to, const int64_t* source, int64_t n, uint64_t* bits, int64_t at) noexcept nogil
    int64_t append_int32 "gt_append_32"(
        int32_t* to, const int32_t* source, int64_t n, uint64_t* bits, int64_t at) noexcept nogil
    int64_t append_codes "gt_append_16_codes"(
        int16_t* to, const int16_t* source, int64_t n, uint64_t* bits, int64_t at) noexcept nogil
    int64_t append_transitions "gt_append_transitions"(
        const uint8_t* codes, int64_t n, uint64_t* bits, int64_t at) noexcept nogil
    void put_bits "gt_put_bits"(
        uint64_t* bits, int64_t at, uint64_t word, int64_t count) noexcept nogil
