/* See limit.h.  Formats: proc(5) for mountinfo, cgroups(7) for the file of groups, the
 * kernel's admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst for the limits.
 * A group is a directory of a mounted file system; the groups above it are its parents, up
 * to the mount point. */
#include "base/limit.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const v1_files[] = {"memory.limit_in_bytes", NULL};
static const char *const v2_files[] = {"memory.max", "memory.high", NULL};

// Undoes the \040 of mountinfo, in place.
static void unescape(char *s)
{
    char *to = s;
    for (; *s; s++) {
        if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
            *to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
            s += 3;
        } else {
            *to++ = *s;
        }
    }
    *to = 0;
}

// Whether a list with commas has this word.
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += n)
        if ((at == list || at[-1] == ',') && (at[n] == 0 || at[n] == ','))
            return true;
    return false;
}

// The number in a file; UINT64_MAX for "max", for 0 and for anything else.
static uint64_t read_limit(const char *directory, const char *name)
{
    char path[2 * PATH_MAX + 32], text[32] = "", *end;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "re");
    if (!f)
        return UINT64_MAX;
    bool good = fgets(text, sizeof text, f) && *text >= '0' && *text <= '9';
    fclose(f);
    unsigned long long v = good ? strtoull(text, &end, 10) : 0;
    return good && v > 0 && (*end == '\n' || *end == 0) ? v : UINT64_MAX;
}

// The lowest limit of the directory mount/group and of those above it, up to the mount.
static uint64_t limit_of(const char *mount, const char *group, const char *const *files)
{
    char path[2 * PATH_MAX];
    size_t top = strlen(mount);
    if (snprintf(path, sizeof path, "%s%s", mount, group) >= (int)sizeof path)
        return UINT64_MAX;
    uint64_t lowest = UINT64_MAX;
    for (;;) {
        for (const char *const *f = files; *f; f++) {
            uint64_t limit = read_limit(path, *f);
            lowest = limit < lowest ? limit : lowest;
        }
        char *slash = strrchr(path, '/');
        if (!slash || slash < path + top)
            return lowest;
        *slash = 0;
    }
}

// The part of a group's name below the group `root`, which is what the mount shows.  A
// group that is not below it, as seen from within another container, counts as root itself.
static const char *below(const char *group, const char *root)
{
    size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
    bool inside = strncmp(group, root, n) == 0 && (group[n] == '/' || group[n] == 0);
    return inside && !strstr(group, "/..") ? group + n : "";
}

// The lowest limit in the group's hierarchy, wherever that is mounted.
static uint64_t limit_in_mounts(const char *group, bool v2, const char *mounts)
{
    FILE *f = fopen(mounts, "re");
    char *line = NULL;
    size_t capacity = 0;
    uint64_t lowest = UINT64_MAX;
    while (f && getline(&line, &capacity, f) > 0) {
        // "31 23 0:28 ROOT MOUNT options [more]… - type source options"
        char root[PATH_MAX], mount[PATH_MAX], type[32], options[PATH_MAX];
        char *rest = strstr(line, " - ");
        if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", root, mount) != 2 ||
            sscanf(rest, " - %31s %*s %4095s", type, options) != 2)
            continue;
        if (strcmp(type, v2 ? "cgroup2" : "cgroup") || !(v2 || has_word(options, "memory")))
            continue;
        unescape(root);
        unescape(mount);
        uint64_t limit = limit_of(mount, below(group, root), v2 ? v2_files : v1_files);
        lowest = limit < lowest ? limit : lowest;
    }
    free(line);
    if (f)
        fclose(f);
    return lowest;
}

uint64_t memory_limit(const char *groups, const char *mounts)
{
    FILE *f = fopen(groups, "re");
    char *line = NULL;
    size_t capacity = 0;
    uint64_t lowest = UINT64_MAX;
    while (f && getline(&line, &capacity, f) > 0) {
        // "4:cpu,memory:/group" of v1, "0::/group" of v2
        line[strcspn(line, "\n")] = 0;
        char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = 0;
        bool v2 = names[1] == 0;
        if (*group != '/' || !(v2 || has_word(names + 1, "memory")))
            continue;
        uint64_t limit = limit_in_mounts(group, v2, mounts);
        lowest = limit < lowest ? limit : lowest;
    }
    free(line);
    if (f)
        fclose(f);
    return lowest;
}

uint64_t memory_allowed(void)
{
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t limit = memory_limit("/proc/self/cgroup", "/proc/self/mountinfo");
    return limit < all ? limit : all;
}
