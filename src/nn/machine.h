/* What the core could do at best: ceilings that measured rates are compared with.  Rates
 * count processor seconds of this process and are the best of several tries. */
#ifndef NN_MACHINE_H
#define NN_MACHINE_H
#include <stddef.h>

double machine_sgemm(void); // operations a second of a 768×768×768 product

/* Bytes a second of y += x, two bytes read for one written, over `bytes` in all. */
double machine_stream(size_t bytes);
size_t machine_cache(int level); // bytes of the cache of level 2 or 3

#endif
