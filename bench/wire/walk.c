/* Walk adds up every number of every event of a trace, batch by batch, in no order: what reading the
 * wire costs when nothing is done with it.
 *
 *     walk FILE ROUNDS        prints the events, then the seconds of each round
 *
 * NUMBERS is how many numbers follow the type of an event, by type: bench/floor.py gives it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EVENT_BATCH = 1, EXPERIMENTAL_BATCH = 49, END_OF_GENERATION = 52, HEADER = 16 };

static const int8_t numbers[256] = {NUMBERS};

static uint64_t number(const uint8_t **at) {
    const uint8_t *p = *at;
    uint64_t value = *p & 0x7F;
    for (int shift = 7; *p++ >= 0x80; shift += 7) value |= (uint64_t)(*p & 0x7F) << shift;
    *at = p;
    return value;
}

/* The events of a batch; 0 if it holds a table. `sum` keeps the compiler from leaving them out. */
static int64_t walk_batch(const uint8_t *at, const uint8_t *end, uint64_t *sum) {
    int64_t events = 0;
    while (at < end) {
        int left = numbers[*at++];
        if (left < 0) return 0;
        for (; left; left--) *sum += number(&at);
        events++;
    }
    return events;
}

static int64_t walk(const uint8_t *at, const uint8_t *end, uint64_t *sum) {
    int64_t events = 0;
    at += HEADER;
    while (at < end) {
        uint8_t type = *at++;
        if (type == END_OF_GENERATION) continue;
        if (type == EXPERIMENTAL_BATCH) at++;
        for (int i = 0; i < 3; i++) *sum += number(&at);    /* generation, thread, time */
        uint64_t size = number(&at);
        if (type == EVENT_BATCH) events += walk_batch(at, at + size, sum);
        at += size;
    }
    return events;
}

int main(int argc, char **argv) {
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!file || fseek(file, 0, SEEK_END)) return perror("walk FILE ROUNDS"), 2;
    long size = ftell(file);
    uint8_t *trace = malloc(size);
    rewind(file);
    if (!trace || fread(trace, 1, size, file) != (size_t)size) return perror(argv[1]), 2;
    uint64_t sum = 0;
    int64_t events = walk(trace, trace + size, &sum);       /* touches the pages */
    printf("%lld\n", (long long)events);
    for (int round = atoi(argv[2]); round; round--) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        walk(trace, trace + size, &sum);
        clock_gettime(CLOCK_MONOTONIC, &to);
        printf("%.9f\n", to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) * 1e-9);
    }
    return sum == 42;
}
