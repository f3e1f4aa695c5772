/* See machine.h. */
#include "nn/machine.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "nn/gemm.h"
#include "nn/kernels.h"

static void fill(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i % 17) / 16 - 0.5f;
}

double machine_sgemm(void)
{
    enum { SIDE = 768, TIMES = 5 };
    size_t n = (size_t)SIDE * SIDE, bytes = 3 * n * sizeof(float);
    float *block = block_alloc(bytes);
    double best = 0;
    if (!block)
        return 0;
    fill(block, 2 * n);
    for (int i = 0; i <= TIMES; i++) {
        double start = clock_cpu();
        gemm(false, false, SIDE, SIDE, SIDE, 1, block, SIDE, block + n, SIDE, 0,
             block + 2 * n, SIDE);
        double rate = 2.0 * SIDE * SIDE * SIDE / (clock_cpu() - start);
        if (i > 0 && rate > best) // the first one warms up
            best = rate;
    }
    block_free(block, bytes);
    return best;
}

double machine_stream(size_t bytes)
{
    enum { TIMES = 5 };
    const double least = 2e-3; // seconds of a try
    size_t n = bytes / 2 / sizeof(float);
    float *block = block_alloc(2 * n * sizeof(float));
    double best = 0;
    if (!block)
        return 0;
    fill(block, n);
    fill(block + n, n);
    for (int i = 0; i <= TIMES; i++) {
        double start = clock_cpu(), spent = 0, moved = 0;
        while (spent < least) {
            kernels_get()->add(block, block + n, n);
            moved += 3.0 * (double)n * sizeof(float);
            spent = clock_cpu() - start;
        }
        if (i > 0 && moved / spent > best)
            best = moved / spent;
    }
    block_free(block, 2 * n * sizeof(float));
    return best;
}

// Linux says it; sysconf counts the caches of other processors, too.
size_t machine_cache(int level)
{
    size_t kb = level == 2 ? 1024 : 16384; // usual, where it is hidden
    for (int i = 0; i < 8; i++) {
        char path[80];
        int is = 0;
        size_t size;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", i);
        FILE *f = fopen(path, "r");
        if (!f)
            break;
        bool found = fscanf(f, "%d", &is) == 1 && is == level;
        fclose(f);
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i);
        f = found ? fopen(path, "r") : NULL;
        if (f && fscanf(f, "%zuK", &size) == 1)
            kb = size;
        if (f)
            fclose(f);
    }
    return kb << 10;
}
