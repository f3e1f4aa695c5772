/* What becomes of sums that are still in registers (struct epilogue of nn/kernels.h). */
#ifndef KERNELS_EPILOGUE_H
#define KERNELS_EPILOGUE_H
#include "nn/kernels/vec.h"

// The sums of n pixels from channel k on, `step` vectors apart, finished (kernels.h).
INLINE void epilogue_sums(vf *acc, const int n, const int step, const struct epilogue *f,
                          size_t k)
{
    if (!f)
        return;
    vf m = vload(f->mean + k), s = vload(f->scale + k), b = vload(f->beta + k);
    UNROLL_FOR (int t = 0; t < n; t++) {
        vf z = (acc[t * step] - m) * s + b;
        acc[t * step] = f->relu ? vmax(vset(0), z) : z;
    }
}

#endif
