/* Time: monotonic seconds, for durations and rates only (never for seeds or names). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_now(void);
double clock_cpu(void); // seconds of processor time this process has used

#endif
