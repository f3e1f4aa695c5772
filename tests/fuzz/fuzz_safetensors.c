/* Any bytes as a file of tensors (make fuzz T=safetensors): its tensors fill it one after another
 * and can be read, or there is a message.  Where the bytes are long enough for a header they get
 * its length set right every other time, so that the header is reached. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

// Everything that a reader may rely on after st_open.
static void use(const struct st_file *f, const char *path)
{
    struct error e = {""};
    uint64_t end = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct st_tensor *t = &f->tensors[i];
        assert(t->begin == end && t->end >= t->begin);
        assert(t->dims >= 0 && t->dims <= 8);
        for (const char *c = t->name; *c; c++)
            assert((unsigned char)*c >= ' ');
        end = t->end;
    }
    assert(end == f->data_bytes);
    for (size_t i = 0; i < f->n_metadata; i++)
        assert(strlen(f->metadata[i].key) + strlen(f->metadata[i].value) < (1u << 20));
    char *data = malloc(f->data_bytes + 1);
    assert(st_read(f, path, data, &e) || *e.msg);
    free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct st_file f;
    struct error e = {""};
    char path[64];
    int fd = memfd_create("fuzz", 0);
    uint64_t length = n - 8;
    assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    if (n > 8 && bytes[0] & 1) {
        const uint8_t *end = memmem(bytes + 8, n - 8, "}}", 2);
        length = end ? (uint64_t)(end + 2 - (bytes + 8)) : length;
        assert(pwrite(fd, &length, 8, 0) == 8);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (st_open(&f, path, &e)) {
        use(&f, path);
        st_close(&f);
    } else
        assert(strncmp(e.msg, path, strlen(path)) == 0);
    close(fd);
    return 0;
}
