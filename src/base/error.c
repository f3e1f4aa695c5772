/* See error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool error_set(struct error *e, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(e->msg, sizeof e->msg, format, ap);
    va_end(ap);
    return false;
}
