/* The memory this process may use: what the machine has, or less where a control group
 * (cgroup v1 or v2) limits it, as in a container or a batch job. */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H
#include <stdint.h>

/* Bytes.  Read anew each time, as limits may change. */
uint64_t memory_allowed(void);

/* The lowest limit of the memory groups named in the file `groups` (/proc/self/cgroup) and
 * of the groups above them, which lie where the file `mounts` (/proc/self/mountinfo) says;
 * UINT64_MAX when there is none.  What cannot be read or understood is no limit. */
uint64_t memory_limit(const char *groups, const char *mounts);

#endif
