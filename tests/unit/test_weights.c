/* safetensors files: round trip of whole networks, the layout against the format's
 * description, every malformed header, and random damage. */
#include <fcntl.h>
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

#include "base/memory.h"
#include "base/rng.h"
#include "model/net.h"
#include "model/safetensors.h"

static char dir[] = "/tmp/netspace-weights-XXXXXX";

static const char *path(const char *name)
{
    static char p[2][100];
    static int turn;
    turn = !turn;
    snprintf(p[turn], sizeof p[turn], "%s/%s", dir, name);
    return p[turn];
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path("w"));
    unlink(path("x"));
    return rmdir(dir);
}

// Two stages with every kind of parameter: grouped convolution, projection, SE, head.
static struct net *small(enum arch_block block, double se, int head_width)
{
    struct arch a = {.stages = 2,
                     .d = {1, 2},
                     .w = {8, 16},
                     .g = {4, 4},
                     .stride = {1, 2},
                     .b = {1, 2},
                     .block = block,
                     .stem = STEM_CIFAR,
                     .stem_width = 8,
                     .head_width = head_width,
                     .se = se,
                     .act = ACT_RELU,
                     .classes = 3,
                     .image = 8};
    struct error e = {""};
    if (!arch_complete(&a, &e))
        fail_msg("%s", e.msg);
    struct net *n = net_new(&a, 2, &e);
    if (!n)
        fail_msg("%s", e.msg);
    return n;
}

// Values that say which parameter and where they are, running statistics too.
static void number_values(struct net *n, float from)
{
    for (size_t i = 0; i < net_params(n); i++) {
        const struct param *p = net_param(n, i);
        for (size_t k = 0; k < p->count; k++)
            net_values(n, p)[k] = from + (float)i + (float)k / 4096;
    }
}

static uint8_t *slurp(const char *name, size_t *bytes)
{
    FILE *f = fopen(path(name), "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *bytes = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = xmalloc(*bytes);
    assert_int_equal(fread(data, 1, *bytes, f), *bytes);
    fclose(f);
    return data;
}

static void spill(const char *name, const void *data, size_t bytes)
{
    FILE *f = fopen(path(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, bytes, f), bytes);
    assert_int_equal(fclose(f), 0);
}

static void saved_networks_load_again(void **state)
{
    (void)state;
    static const struct {
        enum arch_block block;
        double se;
        int head;
    } kinds[] = {
        {BLOCK_X, 0, 0}, {BLOCK_X, 0.25, 24}, {BLOCK_BASIC, 0, 0}, {BLOCK_VANILLA, 0, 0}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct net *a = small(kinds[i].block, kinds[i].se, kinds[i].head);
        struct net *b = small(kinds[i].block, kinds[i].se, kinds[i].head);
        struct error e = {""};
        number_values(a, 1);
        number_values(b, -9);
        assert_true(net_save(a, path("w"), "{}", NULL, NULL, &e));
        if (!net_load(b, path("w"), NULL, &e))
            fail_msg("%s", e.msg);
        for (size_t k = 0; k < net_params(a); k++) {
            const struct param *p = net_param(a, k);
            assert_memory_equal(net_values(a, p), net_values(b, net_param(b, k)),
                                p->count * sizeof(float));
        }
        net_free(a);
        net_free(b);
    }
}

// Against the format itself: order, alignment, shapes, and one convolution's values in
// PyTorch's layout.
static void file_is_as_the_reference_writes_it(void **state)
{
    (void)state;
    struct net *n = small(BLOCK_X, 0.25, 0);
    struct error e = {""};
    number_values(n, 0);
    assert_true(net_save(n, path("w"), "{\"d\":[1,2]}", NULL, NULL, &e));
    size_t bytes;
    uint8_t *file = slurp("w", &bytes);
    uint64_t length;
    memcpy(&length, file, 8);
    assert_int_equal(length % 8, 0);
    char *head = xcalloc(length + 1, 1);
    memcpy(head, file + 8, length);
    static const char start[] =
        "{\"__metadata__\":{\"format\":\"pt\",\"netspace.arch\":\"{\\\"d\\\":[1,2]}\"},"
        "\"s1.b1.f.a_bn.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],"
        "\"data_offsets\":[0,8]},";
    assert_memory_equal(head, start, sizeof start - 1);

    struct st_file f;
    assert_true(st_open(&f, path("w"), &e));
    size_t counters = 0, norms = 0, rest = 0;
    for (size_t i = 0; i < f.n; i++) {
        const struct st_tensor *t = &f.tensors[i];
        if (t->dtype == ST_I64) {
            assert_int_equal(i, counters); // all before the floats
            assert_int_equal(t->dims, 0);
            assert_non_null(strstr(t->name, ".num_batches_tracked"));
            counters++;
        } else {
            assert_int_equal(t->dtype, ST_F32);
            if (rest++)
                assert_true(strcmp(f.tensors[i - 1].name, t->name) < 0);
        }
    }
    for (size_t i = 0; i < net_params(n); i++)
        norms += strstr(net_param(n, i)->name, "running_var") != NULL;
    assert_int_equal(counters, norms);
    assert_int_equal(rest, net_params(n));

    for (size_t i = 0; i < net_params(n); i++) {
        const struct param *p = net_param(n, i);
        if (strcmp(p->name, "s2.b1.f.b.weight") != 0)
            continue;
        const struct st_tensor *t = f.tensors;
        while (strcmp(t->name, p->name) != 0)
            t++;
        const float *stored = (const float *)(file + 8 + length + t->begin);
        const float *values = net_values(n, p);
        int K = p->shape[0], C = p->shape[1], R = p->shape[2], at = 0;
        assert_int_equal(C, 4);
        assert_int_equal(R, 3);
        for (int k = 0; k < K; k++)
            for (int c = 0; c < C; c++)
                for (int y = 0; y < R; y++)
                    for (int x = 0; x < R; x++, at++)
                        assert_true(stored[at] == values[((k * R + y) * R + x) * C + c]);
    }
    for (size_t i = 0; i < f.n_metadata; i++)
        if (strcmp(f.metadata[i].key, "netspace.arch") == 0)
            assert_string_equal(f.metadata[i].value, "{\"d\":[1,2]}");
    st_close(&f);
    free(head);
    free(file);
    net_free(n);
}

// A failed save leaves the file that was there, and nothing else.
static void failed_save_changes_nothing(void **state)
{
    (void)state;
    struct net *n = small(BLOCK_X, 0, 0);
    struct error e = {""};
    assert_false(net_save(n, "/nowhere/at/all/w", "{}", NULL, NULL, &e));
    assert_non_null(strstr(e.msg, "/nowhere/at/all/w cannot be written: No such file"));
    assert_int_equal(mkdir(path("sub"), 0700), 0);
    spill("sub/kept", "x", 1);
    assert_false(net_save(n, path("sub"), "{}", NULL, NULL, &e)); // a directory is not replaced
    assert_non_null(strstr(e.msg, "/sub cannot be written"));
    char part[120];
    snprintf(part, sizeof part, "%s.part-%ld", path("sub"), (long)getpid());
    assert_int_equal(access(part, F_OK), -1);
    unlink(path("sub/kept"));
    assert_int_equal(rmdir(path("sub")), 0);
    net_free(n);
}

/* ---- files of other networks */

static void load_fails(struct net *n, const char *a, const char *b)
{
    struct error e = {""};
    number_values(n, 5);
    assert_false(net_load(n, path("w"), NULL, &e));
    if (!strstr(e.msg, a) || !strstr(e.msg, b) || !strstr(e.msg, path("w")))
        fail_msg("'%s' does not say '%s' and '%s'", e.msg, a, b);
    const struct param *last = net_param(n, net_params(n) - 1);
    assert_true(net_values(n, last)[0] == 5 + (float)(net_params(n) - 1)); // nothing loaded
}

static void other_networks_are_refused(void **state)
{
    (void)state;
    struct net *x = small(BLOCK_X, 0, 0), *y = small(BLOCK_X, 0.25, 0);
    struct net *basic = small(BLOCK_BASIC, 0, 0), *headed = small(BLOCK_X, 0, 24);
    struct error e;
    assert_true(net_save(x, path("w"), NULL, NULL, NULL, &e));
    load_fails(y, "has no tensor 's1.b1.f.se.f_ex.0.weight'", "another network");
    load_fails(basic, "(8, 8, 1, 1); the network takes (8, 8, 3, 3)", "'s1.b1.f.a.weight'");
    load_fails(headed, "has no tensor 'head.conv.weight'", "another network");
    assert_true(net_save(y, path("w"), "{}", NULL, NULL, &e));
    load_fails(x, "has the tensor 's1.b1.f.se.f_ex.0.bias'", "the network lacks");
    net_free(x);
    net_free(y);
    net_free(basic);
    net_free(headed);
}

// A file with the header text and `bytes` bytes of data.
static void make(const char *header, size_t bytes)
{
    size_t n = strlen(header);
    uint64_t length = n;
    uint8_t *file = xcalloc(8 + n + bytes, 1);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, n);
    spill("w", file, 8 + n + bytes);
    free(file);
}

// The parts of a saved file: writes it again with one text in the header replaced (of any
// length), for what cannot be had by saving.
static void edit(const char *from, const char *to)
{
    size_t bytes;
    uint8_t *file = slurp("w", &bytes);
    uint64_t length;
    memcpy(&length, file, 8);
    char *head = xcalloc(length + 200, 1), *at;
    memcpy(head, file + 8, length);
    assert_non_null(at = strstr(head, from));
    memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    memcpy(at, to, strlen(to));
    uint64_t now = strlen(head);
    uint8_t *out = xcalloc(bytes + 200, 1);
    memcpy(out, &now, 8);
    memcpy(out + 8, head, now);
    memcpy(out + 8 + now, file + 8 + length, bytes - 8 - length);
    spill("w", out, bytes - length + now);
    free(out);
    free(head);
    free(file);
}

static void tensors_must_fit_the_network(void **state)
{
    (void)state;
    struct net *n = small(BLOCK_X, 0, 0);
    struct error e;
    assert_true(net_save(n, path("w"), "{}", NULL, NULL, &e));
    edit("\"head.fc.bias\":{\"dtype\":\"F32\"", "\"head.fc.bias\":{\"dtype\":\"I32\"");
    load_fails(n, "'head.fc.bias' is I32", "takes F32");
    assert_true(net_save(n, path("w"), "{}", NULL, NULL, &e));
    edit("\"shape\":[3,16]", "\"shape\":[16,3]");
    load_fails(n, "'head.fc.weight' is (16, 3)", "takes (3, 16)");
    assert_true(net_save(n, path("w"), "{}", NULL, NULL, &e));
    edit("\"shape\":[3,16]", "\"shape\":[3,4,4]");
    load_fails(n, "'head.fc.weight' is (3, 4, 4)", "takes (3, 16)");
    assert_true(net_save(n, path("w"), "{}", NULL, NULL, &e));
    edit("\"head.fc.bias\"", "\"head.fc.bia\"");
    load_fails(n, "has no tensor 'head.fc.bias'", "another network");
    assert_true(net_save(n, path("w"), "{}", NULL, NULL, &e));
    edit("\"stem.bn.num_batches_tracked\"", "\"stem.bn.num_batches_trackeD\"");
    load_fails(n, "'stem.bn.num_batches_trackeD'", "the network lacks");
    net_free(n);
}

// Without the counters, as some tools write it, a file loads too.
static void counters_are_not_needed(void **state)
{
    (void)state;
    struct net *n = small(BLOCK_X, 0, 0);
    struct error e = {""};
    number_values(n, 3);
    struct st_tensor *list = xcalloc(net_params(n), sizeof *list);
    size_t bytes = 0, i;
    for (i = 0; i < net_params(n); i++)
        bytes += net_param(n, i)->count * sizeof(float);
    float *block = xcalloc(bytes, 1), *to = block;
    for (i = 0; i < net_params(n); i++) {
        const struct param *p = net_param(n, i);
        list[i] = (struct st_tensor){.name = p->name,
                                     .dtype = ST_F32,
                                     .dims = p->dims,
                                     .begin = (uint64_t)(to - block) * sizeof *to};
        for (int k = 0; k < p->dims; k++)
            list[i].shape[k] = (uint64_t)p->shape[k];
        for (size_t k = 0; k < p->count; k++)
            *to++ = 7;
        list[i].end = (uint64_t)(to - block) * sizeof *to;
    }
    assert_true(st_write(path("w"), list, net_params(n), NULL, 0, block, &e));
    if (!net_load(n, path("w"), NULL, &e))
        fail_msg("%s", e.msg);
    assert_true(net_values(n, net_param(n, 0))[0] == 7);
    free(list);
    free(block);
    net_free(n);
}

/* ---- malformed files: st_open says what is wrong */

static void open_fails(const char *part)
{
    struct st_file f;
    struct error e = {""};
    if (st_open(&f, path("w"), &e)) {
        st_close(&f);
        fail_msg("opened, though: %s", part);
    }
    if (!strstr(e.msg, part) || strncmp(e.msg, dir, strlen(dir)) != 0)
        fail_msg("'%s' does not say '%s'", e.msg, part);
}

#define ONE(body) "{\"a\":{" body "}}"
#define F32_2 "\"dtype\":\"F32\",\"shape\":[2]"

static void malformed_headers_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *says;
    } cases[] = {
        // the text as a whole
        {"", 0, "does not begin with '{'"},
        {" {}", 0, "does not begin with '{'"},
        {"[]", 0, "does not begin with '{'"},
        {"{", 0, "a string expected at byte 1"},
        {"{}x", 0, "something after the last brace at byte 2"},
        {"{\"a\"}", 0, "':' expected at byte 4"},
        {"{\"a", 0, "a string without end"},
        {"{\"a\xff\":1}", 0, "not UTF-8"},
        {"{\"a\xc0\x80\":1}", 0, "not UTF-8"},         // overlong
        {"{\"a\xed\xa0\x80\":1}", 0, "not UTF-8"},     // a surrogate
        {"{\"a\xf4\x90\x80\x80\":1}", 0, "not UTF-8"}, // above U+10FFFF
        {"{\"a\xe2\x82", 0, "not UTF-8"},
        {"{\"a\n\":1}", 0, "a control character in a string"},
        {"{\"\\u001b[2J\":{}}", 0, "a control character in a tensor's name"},
        {"{\"\\q\":1}", 0, "a bad escape"},
        {"{\"\\u12g4\":1}", 0, "a bad escape"},
        {"{\"\\u12", 0, "a bad escape"},
        {"{\"\\u0000\":1}", 0, "a bad escape"},
        {"{\"\\ud800\":1}", 0, "a bad escape"},
        {"{\"\\ud800\\u0041\":1}", 0, "a bad escape"},
        {"{\"\\", 0, "a bad escape"},
        // metadata
        {"{\"__metadata__\":1}", 0, "'{' expected"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "a string expected"},
        {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "a metadata key is there twice"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ twice"},
        // one tensor
        {"{\"a\":[]}", 0, "'{' expected"},
        {ONE(""), 0, "a string expected"},
        {ONE("\"dtype\":\"F32\""), 0, "tensor 'a' lacks its shape"},
        {ONE("\"shape\":[]"), 0, "tensor 'a' lacks its dtype"},
        {ONE(F32_2), 0, "tensor 'a' lacks its data_offsets"},
        {ONE("\"dtype\":\"F33\""), 0, "tensor 'a' has the unknown dtype 'F33'"},
        {ONE("\"dtype\":32"), 0, "a string expected"},
        {ONE(F32_2 ",\"x\":1"), 0, "tensor 'a' has the unknown field 'x'"},
        {ONE("\"shape\":[1],\"shape\":[1]"), 0, "tensor 'a' has twice the field 'shape'"},
        {ONE("\"shape\":2"), 0, "'[' expected"},
        {ONE("\"shape\":[2"), 0, "']' expected"},
        {ONE("\"shape\":[2,]"), 0, "a whole number"},
        {ONE("\"shape\":[-2]"), 0, "a whole number"},
        {ONE("\"shape\":[02]"), 0, "a whole number"},
        {ONE("\"shape\":[2.5]"), 0, "']' expected"},
        {ONE("\"shape\":[18446744073709551616]"), 0, "a number above 2^64"},
        {ONE("\"shape\":[1,1,1,1,1,1,1,1,1]"), 0, "too long a list"},
        {ONE("\"data_offsets\":[1]"), 0, "two data_offsets expected"},
        {ONE("\"data_offsets\":[1,2,3]"), 0, "too long a list"},
        // layout
        {ONE(F32_2 ",\"data_offsets\":[0,4]"), 4,
         "4 bytes by its data_offsets and 8 by its shape"},
        {ONE(F32_2 ",\"data_offsets\":[8,0]"), 8, "should begin at 0"},
        {ONE(F32_2 ",\"data_offsets\":[4,12]"), 12, "gap"},
        {ONE(F32_2 ",\"data_offsets\":[0,8]"), 7,
         "describes 8 bytes of data, the file has 7: it is cut"},
        {ONE(F32_2 ",\"data_offsets\":[0,8]"), 9,
         "describes 8 bytes of data, the file has 9"},
        {"{}", 1, "describes 0 bytes of data, the file has 1"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]"), 0,
         "overflows"},
        {ONE("\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]"), 1, "not whole bytes"},
        {"{\"a\":{" F32_2 ",\"data_offsets\":[0,8]},\"b\":{" F32_2
         ",\"data_offsets\":[4,12]}}",
         12, "tensor 'b' has data_offsets 4 … 12, but should begin at 8 (overlap)"},
        {"{\"a\":{" F32_2 ",\"data_offsets\":[0,8]},\"b\":{" F32_2
         ",\"data_offsets\":[9,17]}}",
         17, "(gap)"},
        {"{\"a\":{" F32_2 ",\"data_offsets\":[0,8]},\"a\":{" F32_2
         ",\"data_offsets\":[8,16]}}",
         16, "tensor 'a' is there twice"},
        {"{\"a\":{" F32_2 ",\"data_offsets\":[0,8]},\"\\u0061\":{" F32_2
         ",\"data_offsets\":[8,16]}}",
         16, "tensor 'a' is there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(cases[i].header, cases[i].data);
        open_fails(cases[i].says);
    }
}

static void malformed_lengths_are_named(void **state)
{
    (void)state;
    unlink(path("w"));
    open_fails("No such file");
    spill("w", "1234567", 7);
    open_fails("has 7 bytes; a safetensors file begins with 8 bytes");
    spill("w", "\2\0\0\0\0\0\0\0{", 9);
    open_fails("states a header of 2 bytes, but has 1 after that");
    spill("w", "\1\341\365\5\0\0\0\0{}", 10); // 100,000,001
    open_fails("states a header of 100000001 bytes; at most 100000000");
    spill("w", "\377\377\377\377\377\377\377\377{}", 10);
    open_fails("at most 100000000");
    unlink(path("w"));
    assert_int_equal(mkdir(path("w"), 0700), 0);
    open_fails("not a plain file");
    rmdir(path("w"));
}

static void unusual_but_valid_files_open(void **state)
{
    (void)state;
    struct st_file f;
    struct error e = {""};
    make("{}  \n", 0);
    assert_true(st_open(&f, path("w"), &e));
    assert_int_equal(f.n, 0);
    st_close(&f);
    make("{ \"\\u00e9\\ud83d\\ude00\\n\" : { \"dtype\":\"F32\" } }", 0);
    assert_false(st_open(&f, path("w"), &e)); // \n in a name
    make("{ \"\\u00e9\\ud83d\\ude00\" : {\"data_offsets\" : [ 0 , 0 ], \"shape\":[0,7],"
         "\"dtype\":\"BF16\"},\"__metadata__\":{\"k\":\"a\\\"\\n\\u20ac\"}}",
         0);
    assert_true(st_open(&f, path("w"), &e));
    assert_string_equal(f.tensors[0].name, "é😀");
    assert_int_equal(f.tensors[0].dims, 2);
    assert_string_equal(f.metadata[0].value, "a\"\n€");
    st_close(&f);
    // zero-size tensors share an offset with what follows
    make("{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
         "\"c\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
         3);
    assert_true(st_open(&f, path("w"), &e));
    assert_string_equal(f.tensors[0].name, "c");
    st_close(&f);
}

// Damage of every sort: loading ends in success or a message, never in a crash, and a file
// that opens keeps the promises of st_open.
static void damaged_files_never_crash(void **state)
{
    (void)state;
    struct net *n = small(BLOCK_X, 0.25, 0);
    struct error e = {""};
    number_values(n, 1);
    assert_true(net_save(n, path("x"), "{\"d\":[1,2],\"name\":\"caf\303\251\"}", NULL, NULL, &e));
    size_t bytes;
    uint8_t *good = slurp("x", &bytes), *file = xmalloc(2 * bytes);
    uint64_t length;
    memcpy(&length, good, 8);
    struct rng r = rng_key(1, 0, RNG_BOOTSTRAP);
    int loaded = 0, refused = 0;
    static const char tokens[] = "{}[]\",:\\u0123456789eE.-+ \n";
    for (int round = 0; round < 4000; round++) {
        size_t size = bytes, head = 8 + length;
        memcpy(file, good, bytes);
        for (uint64_t k = 1 + rng_below(&r, 3); k; k--) {
            size_t at = rng_below(&r, 10) ? 8 + rng_below(&r, length) : rng_below(&r, bytes);
            size_t much = 1 + rng_below(&r, 40);
            switch (rng_below(&r, 6)) {
            case 0: // any byte
                file[at] = (uint8_t)rng_u64(&r);
                break;
            case 1: // a byte of JSON
                file[at] = (uint8_t)tokens[rng_below(&r, sizeof tokens - 1)];
                break;
            case 2: // cut at the end
                size = rng_below(&r, 4) ? size : rng_below(&r, size + 1);
                break;
            case 3: // a piece of the header over another
                memmove(file + 8 + rng_below(&r, length), file + at, much);
                break;
            case 4: // the stated length
                if (rng_below(&r, 4) == 0)
                    file[rng_below(&r, 8)] = (uint8_t)rng_u64(&r);
                break;
            default: // a digit
                while (at < head && !(file[at] >= '0' && file[at] <= '9'))
                    at++;
                if (at < head)
                    file[at] = (uint8_t)('0' + rng_below(&r, 10));
            }
        }
        spill("w", file, size);
        struct st_file f;
        e.msg[0] = 0;
        if (st_open(&f, path("w"), &e)) {
            uint64_t at = 0;
            for (size_t i = 0; i < f.n; i++) {
                assert_true(f.tensors[i].begin == at && f.tensors[i].end >= at);
                at = f.tensors[i].end;
            }
            assert_true(at == f.data_bytes && at < size);
            st_close(&f);
        }
        e.msg[0] = 0;
        if (net_load(n, path("w"), NULL, &e))
            loaded++;
        else {
            assert_true(strncmp(e.msg, dir, strlen(dir)) == 0 && strlen(e.msg) > 60);
            refused++;
        }
    }
    assert_true(loaded > 100 && refused > 2000);
    free(good);
    free(file);
    net_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_networks_load_again),
        cmocka_unit_test(file_is_as_the_reference_writes_it),
        cmocka_unit_test(failed_save_changes_nothing),
        cmocka_unit_test(other_networks_are_refused),
        cmocka_unit_test(tensors_must_fit_the_network),
        cmocka_unit_test(counters_are_not_needed),
        cmocka_unit_test(malformed_headers_are_named),
        cmocka_unit_test(malformed_lengths_are_named),
        cmocka_unit_test(unusual_but_valid_files_open),
        cmocka_unit_test(damaged_files_never_crash),
    };
    return cmocka_run_group_tests_name("weights", tests, make_dir, remove_dir);
}
