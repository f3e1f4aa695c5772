/* See interrupt.h. */
#include "base/interrupt.h"

volatile sig_atomic_t interrupt_flag;
