/* See query.h. */
#include "term/query.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

void (*term_typed)(const char *bytes, size_t n);

// Whether there is an answer to DA1 in it: ESC [ ? digits and semicolons c
static bool answered(const char *s, size_t n)
{
    for (size_t i = 0; i + 3 < n; i++) {
        if (memcmp(s + i, "\033[?", 3) != 0)
            continue;
        size_t k = i + 3;
        while (k < n && ((s[k] >= '0' && s[k] <= '9') || s[k] == ';'))
            k++;
        if (k < n && s[k] == 'c')
            return true;
    }
    return false;
}

static bool readable(int ms)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&in, 1, ms) > 0 && in.revents & POLLIN;
}

static bool write_all(const char *s, size_t n)
{
    while (n > 0) {
        ssize_t k = write(STDOUT_FILENO, s, n);
        if (k <= 0)
            return false;
        s += k;
        n -= (size_t)k;
    }
    return true;
}

static size_t receive(char *reply, size_t size, int ms, int more)
{
    double end = clock_now() + ms / 1000.0;
    size_t n = 0;
    bool over = false;
    while (n < size && !interrupt_pending()) {
        if (!over && answered(reply, n)) {
            over = true;
            end = clock_now() + more / 1000.0;
        }
        int left = (int)(1000 * (end - clock_now()));
        if (left <= 0 || !readable(left))
            break;
        ssize_t k = read(STDIN_FILENO, reply + n, size - n);
        if (k <= 0)
            break;
        n += (size_t)k;
    }
    return n;
}

int term_ask(const char *question, size_t n, char *reply, size_t size, int ms, int more)
{
    struct termios before, raw;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
        tcgetpgrp(STDIN_FILENO) != getpgrp() || tcgetattr(STDIN_FILENO, &before) != 0)
        return -1;
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw); // not flushing: what is typed stays
    int got = -1;
    if (!readable(0) && write_all(question, n))
        got = (int)receive(reply, size, ms, more);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return got;
}

void term_cell(int *width, int *height)
{
    struct winsize size;
    *width = *height = 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
        *width = size.ws_xpixel / size.ws_col;
        *height = size.ws_ypixel / size.ws_row;
    }
}

void term_give_back(const char *bytes, size_t n)
{
    if (term_typed)
        term_typed(bytes, n);
    else
        for (size_t i = 0; i < n; i++)
            ioctl(STDIN_FILENO, TIOCSTI, bytes + i);
}
