/* The interrupt flag: set by SIGINT (and by whoever wants work to stop), polled by
 * everything that runs long: a training step, a sampler every few thousand draws,
 * a bootstrap.  What polls it keeps finished work and returns early; clearing the
 * flag is the business of the prompt or of main. */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H
#include <signal.h>
#include <stdbool.h>

extern volatile sig_atomic_t interrupt_flag;

static inline bool interrupt_pending(void)
{
    return __atomic_load_n(&interrupt_flag, __ATOMIC_RELAXED) != 0; // by any thread
}

#endif
