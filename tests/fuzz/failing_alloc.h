/* Allocations of the core that fail on demand: the core is compiled with this in front.
 *
 * The target sets how many succeed before one fails, or, if it is sticky, all that follow.
 */
#include <stdlib.h>

extern long fuzz_allocations_left; /* negative: none fails */
extern int fuzz_failure_is_sticky;

static inline int fuzz_fails(void) {
    if (fuzz_allocations_left < 0) return 0;
    if (fuzz_allocations_left > 0) {
        fuzz_allocations_left--;
        return 0;
    }
    if (!fuzz_failure_is_sticky) fuzz_allocations_left = -1;
    return 1;
}

static inline void *fuzz_malloc(size_t size) { return fuzz_fails() ? NULL : malloc(size); }

static inline void *fuzz_calloc(size_t count, size_t size) {
    return fuzz_fails() ? NULL : calloc(count, size);
}

static inline void *fuzz_realloc(void *old, size_t size) {
    return fuzz_fails() ? NULL : realloc(old, size);
}

static inline int fuzz_memalign(void **block, size_t alignment, size_t size) {
    return fuzz_fails() ? 12 : posix_memalign(block, alignment, size);
}

#define malloc(size) fuzz_malloc(size)
#define calloc(count, size) fuzz_calloc(count, size)
#define realloc(old, size) fuzz_realloc(old, size)
#define posix_memalign(block, alignment, size) fuzz_memalign(block, alignment, size)
