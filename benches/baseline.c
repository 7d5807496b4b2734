/*
 * The plain loop in C that the software accumulators are measured against: acc ^= f(seed ^ i) for i in [0, count).
 *
 *     baseline xorshift64|splitmix64 COUNT SEED REPETITIONS        (COUNT decimal, SEED hexadecimal)
 *
 * One line for each repetition: the nanoseconds of the loop alone by CLOCK_MONOTONIC, and the result in hexadecimal.
 * It knows nothing of the crate, so that its result is a second opinion; nothing here is written for a certain
 * processor, so that its speed is what a compiler makes of the loop.
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Marsaglia's xorshift with the triple (13, 7, 17). */
static inline uint64_t xorshift64(uint64_t x)
{
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* The output function of SplitMix64. */
static inline uint64_t splitmix64(uint64_t x)
{
    uint64_t z = x + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t accumulate_xorshift64(uint64_t seed, uint64_t count)
{
    uint64_t acc = 0;
    for (uint64_t i = 0; i < count; i++)
        acc ^= xorshift64(seed ^ i);
    return acc;
}

static uint64_t accumulate_splitmix64(uint64_t seed, uint64_t count)
{
    uint64_t acc = 0;
    for (uint64_t i = 0; i < count; i++)
        acc ^= splitmix64(seed ^ i);
    return acc;
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 5 || (strcmp(argv[1], "xorshift64") != 0 && strcmp(argv[1], "splitmix64") != 0)) {
        fprintf(stderr, "usage: %s xorshift64|splitmix64 COUNT SEED REPETITIONS\n", argv[0]);
        return 2;
    }
    int is_xorshift = strcmp(argv[1], "xorshift64") == 0;
    uint64_t count = strtoull(argv[2], NULL, 10);
    uint64_t repetitions = strtoull(argv[4], NULL, 10);
    /* Both are volatile so that no repetition is left out, or moved out from between the two readings of the clock. */
    volatile uint64_t seed = strtoull(argv[3], NULL, 16);
    volatile uint64_t result = 0;

    for (uint64_t r = 0; r < repetitions; r++) {
        uint64_t start = now();
        result = is_xorshift ? accumulate_xorshift64(seed, count) : accumulate_splitmix64(seed, count);
        uint64_t end = now();
        printf("%" PRIu64 " %016" PRIx64 "\n", end - start, (uint64_t)result);
    }
    return 0;
}
