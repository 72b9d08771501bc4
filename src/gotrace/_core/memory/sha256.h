/* SHA-256 of whole messages, two side by side: the content keys of frames, stacks and label sets.

   A message lies in memory with its padding. Processors with instructions for SHA-256 take a block
   in about a hundred cycles, most of which are waits, so that a second message costs little more.
   Only the first 8 bytes of a digest are ever asked for. */

#ifndef GOTRACE_SHA256_H
#define GOTRACE_SHA256_H

#include <stdint.h>
#include <string.h>

#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
  #define GT_SHA_X86 1
  #include <cpuid.h>
  #include <immintrin.h>
#endif

static const uint32_t gt_sha_start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t gt_sha_round[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t gt_rotated(uint32_t x, int by) { return x >> by | x << (32 - by); }

/* One round; the next one has its state a place further. */
#define GT_SHA_ROUND(a, b, c, d, e, f, g, h, i) \
    h += (gt_rotated(e, 6) ^ gt_rotated(e, 11) ^ gt_rotated(e, 25)) \
       + ((e & f) ^ (~e & g)) + gt_sha_round[i] + w[i]; \
    d += h; \
    h += (gt_rotated(a, 2) ^ gt_rotated(a, 13) ^ gt_rotated(a, 22)) \
       + ((a & b) ^ (a & c) ^ (b & c));

static void gt_sha_blocks(uint32_t state[8], const uint8_t *at, int64_t blocks) {
    uint32_t w[64], s0, s1;
    int i;
    for (; blocks > 0; blocks--, at += 64) {
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (i = 0; i < 16; i++)
            w[i] = (uint32_t)at[4 * i] << 24 | (uint32_t)at[4 * i + 1] << 16
                 | (uint32_t)at[4 * i + 2] << 8 | at[4 * i + 3];
        for (; i < 64; i++) {
            s0 = gt_rotated(w[i - 15], 7) ^ gt_rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
            s1 = gt_rotated(w[i - 2], 17) ^ gt_rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        for (i = 0; i < 64; i += 8) {
            GT_SHA_ROUND(a, b, c, d, e, f, g, h, i)
            GT_SHA_ROUND(h, a, b, c, d, e, f, g, i + 1)
            GT_SHA_ROUND(g, h, a, b, c, d, e, f, i + 2)
            GT_SHA_ROUND(f, g, h, a, b, c, d, e, i + 3)
            GT_SHA_ROUND(e, f, g, h, a, b, c, d, i + 4)
            GT_SHA_ROUND(d, e, f, g, h, a, b, c, i + 5)
            GT_SHA_ROUND(c, d, e, f, g, h, a, b, i + 6)
            GT_SHA_ROUND(b, c, d, e, f, g, h, a, i + 7)
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
}

#ifdef GT_SHA_X86

/* Whether the processor has the instructions; asking takes a microsecond. */
static int gt_sha_quick(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}

#define GT_SHA_TARGET __attribute__((target("sha,ssse3,sse4.1")))

typedef struct { __m128i abef, cdgh; } gt_sha_state;

GT_SHA_TARGET static inline gt_sha_state gt_sha_load(const uint32_t state[8]) {
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
    gt_sha_state packed = {_mm_alignr_epi8(low, high, 8), _mm_blend_epi16(high, low, 0xF0)};
    return packed;
}

GT_SHA_TARGET static inline void gt_sha_store(uint32_t state[8], gt_sha_state packed) {
    __m128i low = _mm_shuffle_epi32(packed.abef, 0x1B);
    __m128i high = _mm_shuffle_epi32(packed.cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

/* Four rounds, number `r` of 16, of one message; `m` holds the last 16 words. */
GT_SHA_TARGET static inline void gt_sha_four(
    gt_sha_state *s, __m128i m[4], const uint8_t *at, int r
) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
    __m128i word;
    if (r < 4) {
        word = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(at + 16 * r)), swap);
    } else {
        word = _mm_sha256msg1_epu32(m[r & 3], m[(r + 1) & 3]);
        word = _mm_add_epi32(word, _mm_alignr_epi8(m[(r + 3) & 3], m[(r + 2) & 3], 4));
        word = _mm_sha256msg2_epu32(word, m[(r + 3) & 3]);
    }
    m[r & 3] = word;
    word = _mm_add_epi32(word, _mm_loadu_si128((const __m128i *)(gt_sha_round + 4 * r)));
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, word);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(word, 0x0E));
}

#define GT_SHA_ROUNDS(DO) \
    DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) \
    DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

GT_SHA_TARGET static void gt_sha_blocks_quick(
    uint32_t state[8], const uint8_t *at, int64_t blocks
) {
    gt_sha_state s = gt_sha_load(state), before;
    __m128i m[4];
    for (; blocks > 0; blocks--, at += 64) {
        before = s;
        #define GT_DO(r) gt_sha_four(&s, m, at, r);
        GT_SHA_ROUNDS(GT_DO)
        #undef GT_DO
        s.abef = _mm_add_epi32(s.abef, before.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
    }
    gt_sha_store(state, s);
}

GT_SHA_TARGET static void gt_sha_blocks_both(
    uint32_t state[2][8], const uint8_t *a, const uint8_t *b, int64_t blocks
) {
    gt_sha_state s = gt_sha_load(state[0]), t = gt_sha_load(state[1]), s0, t0;
    __m128i m[4], n[4];
    for (; blocks > 0; blocks--, a += 64, b += 64) {
        s0 = s;
        t0 = t;
        #define GT_DO(r) gt_sha_four(&s, m, a, r); gt_sha_four(&t, n, b, r);
        GT_SHA_ROUNDS(GT_DO)
        #undef GT_DO
        s.abef = _mm_add_epi32(s.abef, s0.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, s0.cdgh);
        t.abef = _mm_add_epi32(t.abef, t0.abef);
        t.cdgh = _mm_add_epi32(t.cdgh, t0.cdgh);
    }
    gt_sha_store(state[0], s);
    gt_sha_store(state[1], t);
}

#else

static int gt_sha_quick(void) { return 0; }
#define gt_sha_blocks_quick gt_sha_blocks
static void gt_sha_blocks_both(
    uint32_t state[2][8], const uint8_t *a, const uint8_t *b, int64_t blocks
) {
    gt_sha_blocks(state[0], a, blocks);
    gt_sha_blocks(state[1], b, blocks);
}

#endif

/* Write the first 8 bytes, big-endian, of the digests of two padded messages. */
static void gt_sha_two(
    int quick, const uint8_t *a, int64_t a_blocks, const uint8_t *b, int64_t b_blocks,
    uint64_t digests[2]
) {
    uint32_t state[2][8];
    int64_t common = a_blocks < b_blocks ? a_blocks : b_blocks;
    memcpy(state[0], gt_sha_start, sizeof gt_sha_start);
    memcpy(state[1], gt_sha_start, sizeof gt_sha_start);
    if (quick) {
        gt_sha_blocks_both(state, a, b, common);
        gt_sha_blocks_quick(state[0], a + 64 * common, a_blocks - common);
        gt_sha_blocks_quick(state[1], b + 64 * common, b_blocks - common);
    } else {
        gt_sha_blocks(state[0], a, a_blocks);
        gt_sha_blocks(state[1], b, b_blocks);
    }
    digests[0] = (uint64_t)state[0][0] << 32 | state[0][1];
    digests[1] = (uint64_t)state[1][0] << 32 | state[1][1];
}

#endif
