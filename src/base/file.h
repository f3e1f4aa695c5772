/* Files that appear whole or not at all: written under another name in the same directory, synced
 * to the disk, then renamed. */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include <limits.h>
#include <stdio.h>

#include "base/error.h"

struct new_file {
    FILE *f;
    const char *path; // the caller's
    char part[PATH_MAX];
};

/* Syncs the directory of a file: only then its new name survives a power cut. */
void file_sync_directory(const char *path);
/* Opens n->f for writing. */
bool file_begin(struct new_file *n, const char *path, struct error *e);
/* Makes it `path`; when anything could not be written, nothing is left and path is as it was. */
bool file_commit(struct new_file *n, struct error *e);

#endif
