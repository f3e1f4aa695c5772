/* A steady training step neither allocates, nor calls the system, nor touches new memory:
 * whatever it takes is there after the first steps. */
#include "nn_check.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/net.h"

enum { BATCH = 8, CLASSES = 10, WARM = 2 };

#ifndef __SANITIZE_ADDRESS__
// The allocator of this program counts its calls.
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
static int allocations;
void *malloc(size_t n)
{
    allocations++;
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n)
{
    allocations++;
    return __libc_realloc(p, n);
}
void *memalign(size_t align, size_t n)
{
    allocations++;
    return __libc_memalign(align, n);
}

static void step(struct net *n)
{
    const float wd[3] = {1e-4f, 1e-4f, 1e-4f};
    static const int labels[BATCH] = {0, 1, 2, 3, 4, 5, 6, 7};
    int wrong, image = net_arch(n)->image;
    for (int i = 0; i < BATCH * image * image * 3; i++)
        net_input(n)[i] = (float)(i % 7) - 3;
    net_forward(n, BATCH, true);
    net_backward(n, labels, 0.1f, &wrong);
    net_step(n, 0.01f, 0.9f, true, wd);
}

// Every kind of layer.
static struct net *steady_net(int number)
{
    struct arch archs[] = {
        {.stages = 2,
         .d = {1, 2},
         .w = {24, 48},
         .g = {8, 16},
         .stride = {1, 2},
         .b = {1, 2},
         .stem = STEM_RES,
         .stem_width = 16,
         .head_width = 32,
         .se = 0.25,
         .act = ACT_SILU},
        {.stages = 2,
         .d = {2, 1},
         .w = {16, 40},
         .g = {1, 1},
         .stride = {1, 2},
         .b = {1, 1},
         .stem = STEM_CIFAR,
         .stem_width = 16,
         .act = ACT_RELU},
        {.stages = 1,
         .d = {2},
         .w = {32},
         .g = {1},
         .stride = {2},
         .b = {1},
         .block = BLOCK_BASIC,
         .stem = STEM_SIMPLE,
         .stem_width = 16,
         .act = ACT_RELU},
    };
    if (number == sizeof archs / sizeof *archs)
        return NULL;
    struct arch *a = &archs[number];
    struct error e = {""};
    a->classes = CLASSES, a->image = 32;
    struct net *n = arch_complete(a, &e) ? net_new(a, BATCH, &e) : NULL;
    if (!n)
        fail_msg("%s", e.msg);
    net_init(n, 1, false);
    for (int i = 0; i < WARM; i++)
        step(n);
    return n;
}

static void test_allocations(void **state)
{
    (void)state;
    struct net *n;
    for (int i = 0; (n = steady_net(i)); i++) {
        int before = allocations;
        step(n);
        assert_int_equal(allocations, before);
        net_free(n);
    }
    assert_true(allocations > 0); // they are counted at all
}

// The system itself may move a page now and then: one step of these without is enough.
static void test_faults(void **state)
{
    (void)state;
    struct net *n;
    for (int i = 0; (n = steady_net(i)); i++) {
        long fewest = -1;
        for (int k = 0; k < 10 && fewest != 0; k++) {
            struct rusage before, after;
            getrusage(RUSAGE_SELF, &before);
            step(n);
            getrusage(RUSAGE_SELF, &after);
            long faults = after.ru_minflt - before.ru_minflt;
            fewest = fewest < 0 || faults < fewest ? faults : fewest;
        }
        assert_int_equal(fewest, 0);
        net_free(n);
    }
}

// In a process that is killed by any system call but exit.
static int status_of_strict(struct net *n, bool call)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(2);
        step(n);
        if (call)
            getpid();
        syscall(SYS_exit, 0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_calls(void **state)
{
    (void)state;
    struct net *n;
    for (int i = 0; (n = steady_net(i)); i++) {
        int status = status_of_strict(n, false);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
            skip(); // this system has no such mode
        assert_int_equal(status, 0);
        assert_true(WIFSIGNALED(status_of_strict(n, true)));
        net_free(n);
    }
}
#else
static void test_nothing(void **state)
{
    (void)state; // the sanitizer allocates and calls as it likes
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_calls),
#else
        cmocka_unit_test(test_nothing),
#endif
    };
    return cmocka_run_group_tests_name("steady", tests, NULL, NULL);
}
