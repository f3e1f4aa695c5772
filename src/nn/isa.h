/* Which instruction set the kernels use: chosen once, at first use, from the processor
 * and from NETSPACE_ISA=avx512|avx2|neon|portable (an unknown or unsupported value is ignored
 * with the fallback named by `netspace doctor`).  Results are bit-identical for one ISA. */
#ifndef NN_ISA_H
#define NN_ISA_H
#include <stdbool.h>

const char *isa_name(void);     // "avx512", "avx2", "neon" or "portable"
bool isa_set(const char *name); // for tests: false when the processor lacks it

#endif
