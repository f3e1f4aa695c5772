/* See isa.h: the choice of the instruction set. */
#include "nn/isa.h"

#include <stdlib.h>
#include <string.h>

#include "nn/kernels.h"

static const struct kernels *const all[] = {
#if defined(__x86_64__)
    &kernels_avx512,
    &kernels_avx2,
#elif defined(__aarch64__)
    &kernels_neon,
#endif
    &kernels_portable,
};
enum { COUNT = sizeof all / sizeof *all };

static const struct kernels *chosen;

static bool runs_here(const struct kernels *k)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (k == &kernels_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("fma");
    if (k == &kernels_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
#if defined(__aarch64__)
    if (k == &kernels_neon)
        return true; // every one of these processors has it
#endif
    return k == &kernels_portable;
}

const struct kernels *kernels_here(int i)
{
    for (int k = 0; k < COUNT; k++)
        if (runs_here(all[k]) && i-- == 0)
            return all[k];
    return NULL;
}

void kernels_use(const struct kernels *k)
{
    chosen = k;
}

bool isa_set(const char *name)
{
    const struct kernels *k;
    for (int i = 0; (k = kernels_here(i)); i++) {
        if (strcmp(k->name, name) == 0) {
            chosen = k;
            return true;
        }
    }
    return false;
}

const struct kernels *kernels_get(void)
{
    if (!chosen) {
        const char *wish = getenv("NETSPACE_ISA");
        if (!wish || !isa_set(wish))
            chosen = kernels_here(0); // portable C runs everywhere
    }
    return chosen;
}

const char *isa_name(void)
{
    return kernels_get()->name;
}
