"""Validity bitmaps, made when a batch leaves.

While a column grows, a null integer is any negative number: ids, times and codes never are.
The bitmap is then nothing but the inverted sign bits.
"""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    #if defined(__SSE2__) || defined(_M_X64)
    #include <emmintrin.h>
    static inline uint64_t gt_signs_8(const int8_t *v) {
        uint64_t bits = 0;
        for (int i = 0; i < 4; i++)
            bits |= (uint64_t)(uint16_t)_mm_movemask_epi8(
                _mm_loadu_si128((const __m128i *)(v + 16 * i))) << (16 * i);
        return bits;
    }
    static inline uint64_t gt_signs_16(const int16_t *v) {
        uint64_t bits = 0;
        for (int i = 0; i < 4; i++) {
            __m128i a = _mm_loadu_si128((const __m128i *)(v + 16 * i));
            __m128i b = _mm_loadu_si128((const __m128i *)(v + 16 * i + 8));
            bits |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_packs_epi16(a, b)) << (16 * i);
        }
        return bits;
    }
    static inline uint64_t gt_signs_32(const int32_t *v) {
        uint64_t bits = 0;
        for (int i = 0; i < 16; i++)
            bits |= (uint64_t)_mm_movemask_ps(_mm_castsi128_ps(
                _mm_loadu_si128((const __m128i *)(v + 4 * i)))) << (4 * i);
        return bits;
    }
    static inline uint64_t gt_signs_64(const int64_t *v) {
        uint64_t bits = 0;
        for (int i = 0; i < 32; i++)
            bits |= (uint64_t)_mm_movemask_pd(_mm_castsi128_pd(
                _mm_loadu_si128((const __m128i *)(v + 2 * i)))) << (2 * i);
        return bits;
    }
    #else
    #define GT_SIGNS(NAME, TYPE) \\
        static inline uint64_t NAME(const TYPE *v) { \\
            uint64_t bits = 0; \\
            for (int i = 0; i < 64; i++) bits |= (uint64_t)(v[i] < 0) << i; \\
            return bits; \\
        }
    GT_SIGNS(gt_signs_8, int8_t)
    GT_SIGNS(gt_signs_16, int16_t)
    GT_SIGNS(gt_signs_32, int32_t)
    GT_SIGNS(gt_signs_64, int64_t)
    #endif

    static inline uint64_t gt_signs(const void *values, int width, int64_t from, int64_t count) {
        if (count >= 64) switch (width) {
            case 1: return gt_signs_8((const int8_t *)values + from);
            case 2: return gt_signs_16((const int16_t *)values + from);
            case 4: return gt_signs_32((const int32_t *)values + from);
            default: return gt_signs_64((const int64_t *)values + from);
        }
        uint64_t bits = 0;
        for (int64_t i = 0; i < count; i++) {
            const uint8_t *end = (const uint8_t *)values + (from + i + 1) * width;
            bits |= (uint64_t)(end[-1] >> 7) << i;
        }
        return bits;
    }

    /* Plain C: the instruction is not part of every x86-64, and a call costs more than this. */
    static inline int gt_popcount(uint64_t x) {
        x -= (x >> 1) & 0x5555555555555555u;
        x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
        return (int)(((x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu) * 0x0101010101010101u >> 56);
    }

    /* Write 1 bits for values >= 0; gives the number of nulls. `bits` is a multiple of 8 bytes. */
    static int64_t gt_validity(const void *values, int width, int64_t length, uint8_t *bits) {
        int64_t valid = 0;
        for (int64_t i = 0; i < length; i += 64) {
            int64_t count = length - i < 64 ? length - i : 64;
            uint64_t word = ~gt_signs(values, width, i, count);
            if (count < 64) word &= ((uint64_t)1 << count) - 1;
            valid += gt_popcount(word);
            memcpy(bits + i / 8, &word, 8);
        }
        return length - valid;
    }

    /* Bits that say which bytes are > 0: booleans kept as -1, 0, 1 while a column grows. */
    static void gt_pack_bools(const int8_t *values, int64_t length, uint8_t *bits) {
        for (int64_t i = 0; i < length; i += 8) {
            uint8_t byte = 0;
            for (int64_t j = 0; j < 8 && i + j < length; j++) byte |= (values[i + j] > 0) << j;
            bits[i / 8] = byte;
        }
    }
    """
    int64_t write_validity "gt_validity"(
        const void* values, int width, int64_t length, uint8_t* bits) noexcept nogil
    void pack_bools "gt_pack_bools"(
        const int8_t* values, int64_t length, uint8_t* bits) noexcept nogil
    uint64_t signs "gt_signs"(
        const void* values, int width, int64_t first, int64_t count) noexcept nogil
    int popcount "gt_popcount"(uint64_t x) noexcept nogil


cdef inline int64_t bitmap_bytes(int64_t length) noexcept nogil:
    """Whole words, so that bitmaps are written 64 bits at a time."""
    return (length + 63) // 64 * 8
