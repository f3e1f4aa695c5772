/* The limit of memory that control groups set (base/limit.h), read from files made here as
 * the kernel would show them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limit.h"

enum { GB = 1000000000 };

static char root[64];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/netspace-limit-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

// Writes a file below root, and the directories above it; "@" in the text is root.
static void put(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (; *text; text++)
        if (*text == '@')
            fputs(root, f);
        else
            fputc(*text, f);
    fclose(f);
}

static void put_long(const char *name, long long v)
{
    char text[32];
    snprintf(text, sizeof text, "%lld\n", v);
    put(name, text);
}

static uint64_t limit(void)
{
    char groups[128], mounts[128];
    snprintf(groups, sizeof groups, "%s/cgroup", root);
    snprintf(mounts, sizeof mounts, "%s/mountinfo", root);
    return memory_limit(groups, mounts);
}

#define V2_MOUNT "31 23 0:28 / @/v2 rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNT "35 31 0:32 / @/v1 rw shared:9 master:1 - cgroup cgroup rw,memory\n"

static void nothing_is_no_limit(void **state)
{
    (void)state;
    assert_true(limit() == UINT64_MAX); // no files at all
    put("cgroup", "");
    put("mountinfo", "");
    assert_true(limit() == UINT64_MAX);
    put("cgroup", "0::/a/b\n");
    put("mountinfo", V2_MOUNT);
    assert_true(limit() == UINT64_MAX); // groups without files
    put("v2/a/b/memory.max", "max\n");
    assert_true(limit() == UINT64_MAX);
}

static void the_lowest_of_v2_counts(void **state)
{
    (void)state;
    put("cgroup", "0::/a/b\n");
    put("mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" V2_MOUNT);
    put_long("v2/a/b/memory.max", 4ll * GB);
    assert_true(limit() == 4ull * GB);
    put_long("v2/a/memory.max", 3ll * GB); // of the group above
    assert_true(limit() == 3ull * GB);
    put_long("v2/a/b/memory.high", 2ll * GB);
    assert_true(limit() == 2ull * GB);
    put_long("v2/memory.max", 1ll * GB); // of the mount itself, as in a container
    assert_true(limit() == 1ull * GB);
    put_long("v2/other/memory.max", 5); // not above this process
    put_long("memory.max", 6);          // above the mount: no group
    assert_true(limit() == 1ull * GB);
}

static void v1_counts(void **state)
{
    (void)state;
    put("cgroup", "9:name=systemd:/x\n4:cpu,memory:/job/step\n3:memory_other:/y\n");
    put("mountinfo", "34 31 0:31 / @/cpu rw - cgroup cgroup rw,cpuset\n" V1_MOUNT);
    put_long("v1/memory.limit_in_bytes", 9223372036854771712ll); // v1's "none"
    put_long("v1/job/memory.limit_in_bytes", 2ll * GB);
    put_long("v1/job/step/memory.limit_in_bytes", 3ll * GB);
    put_long("v1/y/memory.limit_in_bytes", 1);
    put_long("v1/job/step/memory.max", 2); // a name of v2
    put_long("cpu/job/memory.limit_in_bytes", 3);
    assert_true(limit() == 2ull * GB);
}

static void both_together_count(void **state)
{
    (void)state;
    put("cgroup", "4:memory:/job\n0::/unit\n");
    put("mountinfo", V1_MOUNT V2_MOUNT);
    put_long("v1/job/memory.limit_in_bytes", 2ll * GB);
    put_long("v2/unit/memory.max", 3ll * GB);
    assert_true(limit() == 2ull * GB);
    put_long("v2/unit/memory.max", 1ll * GB);
    assert_true(limit() == 1ull * GB);
}

// A mount that shows a part of the hierarchy only, and names with blanks.
static void containers_count(void **state)
{
    (void)state;
    put("cgroup", "4:memory:/docker/abc/sub\n");
    put("mountinfo", "35 31 0:32 /docker/abc @/a\\040b rw - cgroup cgroup rw,memory\n");
    put_long("a b/sub/memory.limit_in_bytes", 3ll * GB);
    assert_true(limit() == 3ull * GB);
    put_long("a b/memory.limit_in_bytes", 2ll * GB);
    assert_true(limit() == 2ull * GB);
    put("cgroup", "4:memory:/docker/abcd\n"); // not below the mount's root: that itself
    put_long("a bd/memory.limit_in_bytes", 1);
    put_long("a b/d/memory.limit_in_bytes", 1);
    assert_true(limit() == 2ull * GB);
    put("cgroup", "4:memory:/../x\n");
    assert_true(limit() == 2ull * GB);
}

static void garbage_is_no_limit(void **state)
{
    (void)state;
    put("cgroup", "\n:\n::\nmemory\n4:memory\n4:memory:relative\n0::/a");
    put("mountinfo", "\n - \n1 2 3\n1 2 3 4 5 - cgroup2\nx - cgroup2 y z\n" V2_MOUNT);
    put("v2/a/memory.max", "many\n");
    put("v2/a/memory.high", "-1\n");
    put("v2/memory.max", "");
    put("v2/memory.high", "12 monkeys\n");
    assert_true(limit() == UINT64_MAX);
    put("v2/memory.high", "0\n");
    assert_true(limit() == UINT64_MAX);
    put("v2/memory.high", "99999999999999999999999999\n");
    assert_true(limit() == UINT64_MAX);
    put("v2/memory.high", "12");
    assert_true(limit() == 12);
}

static void this_machine_has_some(void **state)
{
    (void)state;
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    assert_true(memory_allowed() > 0 && memory_allowed() <= all);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_no_limit),   TEST(the_lowest_of_v2_counts), TEST(v1_counts),
        TEST(both_together_count),   TEST(containers_count),        TEST(garbage_is_no_limit),
        TEST(this_machine_has_some),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
