/* Packed numbers of one or two bytes, up to eight at a time: what the stacks of a profile are.

   The high bits of eight bytes say which bytes make a number; a table has, for each of the 256
   answers, how to lay the bytes into lanes of 16 bits. A longer number ends the run, and so does one
   that ends behind the list.

   What comes next is eight bytes on, or seven, as the eighth byte alone says: nothing else is waited
   for. Only where a list ends, or with a longer number, the table says how far it was understood. */

#ifndef GOTRACE_PACKED_H
#define GOTRACE_PACKED_H

#include <stdint.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
  #define GT_PACKED_X86 1
  #include <immintrin.h>
#endif

#define GT_PACKED_LANES 8 /* numbers that are written whatever the count: there must be room */
#define GT_PACKED_READS 8 /* bytes that are read, wherever the list ends */

typedef struct {
    const uint8_t *at; /* behind the last number */
    int64_t *out;
    uint64_t most; /* the largest number less 1; 0 is the largest of all */
} gt_packed;

#ifdef GT_PACKED_X86

typedef struct {
    uint8_t lanes[16]; /* places of the bytes of each number; those behind the last are the first */
    uint8_t count, used, unused[14];
} gt_packed_layout;

static gt_packed_layout gt_packed_layouts[256] __attribute__((aligned(32)));
static int gt_packed_quick; /* the processor has the instructions, and the table is made */

static void gt_packed_begin(void) {
    int high, lane, at;
    if (gt_packed_quick || !__builtin_cpu_supports("avx2")) return;
    for (high = 0; high < 256; high++) {
        gt_packed_layout *layout = &gt_packed_layouts[high];
        for (at = lane = 0; at < 8; lane++) {
            int wide = high >> at & 1;
            if (wide && (at == 7 || high >> (at + 1) & 1)) break;
            layout->lanes[2 * lane] = (uint8_t)at;
            layout->lanes[2 * lane + 1] = wide ? (uint8_t)(at + 1) : 0x80;
            at += 1 + wide;
        }
        layout->count = (uint8_t)lane;
        layout->used = (uint8_t)at;
        for (; lane < 8; lane++) {
            layout->lanes[2 * lane] = layout->lanes[0];
            layout->lanes[2 * lane + 1] = layout->lanes[1];
        }
    }
    gt_packed_quick = 1;
}

/* Lay eight bytes out; the largest lanes less 1 that were seen. */
__attribute__((target("avx2")))
static inline __m128i gt_packed_lay(
    __m128i bytes, const gt_packed_layout *layout, int64_t *out, __m128i most) {
    const __m128i low = _mm_set1_epi16(0x7f), high = _mm_set1_epi16(0x7f00);
    bytes = _mm_shuffle_epi8(bytes, _mm_load_si128((const __m128i *)layout->lanes));
    bytes = _mm_or_si128(
        _mm_and_si128(bytes, low), _mm_srli_epi16(_mm_and_si128(bytes, high), 1));
    _mm256_storeu_si256((__m256i *)out, _mm256_cvtepu16_epi64(bytes));
    _mm256_storeu_si256(
        (__m256i *)(out + 4), _mm256_cvtepu16_epi64(_mm_unpackhi_epi64(bytes, bytes)));
    return _mm_max_epu16(most, _mm_sub_epi16(bytes, _mm_set1_epi16(1)));
}

__attribute__((target("avx2")))
static gt_packed gt_packed_run(const uint8_t *at, const uint8_t *end, int64_t *out) {
    __m128i bytes, most = _mm_setzero_si128();
    const gt_packed_layout *layout;
    gt_packed run;
    uint64_t found;
    while (at < end) {
        unsigned bits;
        while (end - at >= 8) {
            bytes = _mm_loadl_epi64((const __m128i *)at);
            bits = (unsigned)_mm_movemask_epi8(bytes) & 0xff;
            if (bits & bits >> 1) break;
            layout = &gt_packed_layouts[bits];
            most = gt_packed_lay(bytes, layout, out, most);
            out += layout->count;
            at += 8 - (at[7] >> 7);
        }
        if (at >= end) break;
        bytes = _mm_loadl_epi64((const __m128i *)at);
        bits = (unsigned)_mm_movemask_epi8(bytes) & 0xff;
        if (end - at < 8) bits = (bits | 0xffu << (end - at)) & 0xff;
        layout = &gt_packed_layouts[bits];
        if (layout->count == 0) break;
        most = gt_packed_lay(bytes, layout, out, most);
        out += layout->count;
        at += layout->used;
    }
    found = 0xffff ^ (uint64_t)_mm_cvtsi128_si32(
        _mm_minpos_epu16(_mm_xor_si128(most, _mm_set1_epi16(-1)))) % 0x10000;
    run.at = at;
    run.out = out;
    run.most = found == 0xffff ? ~(uint64_t)0 : found; /* two bytes hold 14 bits */
    return run;
}

#else

static const int gt_packed_quick = 0;

static void gt_packed_begin(void) {}

static gt_packed gt_packed_run(const uint8_t *at, const uint8_t *end, int64_t *out) {
    gt_packed run = {at, out, 0};
    (void)end;
    return run;
}

#endif
#endif
