/* Text without what a terminal obeys: see harmless.h. */
#include "base/harmless.h"

#include <string.h>

// Bytes of the character at s that a terminal obeys; 0: it may stay.
static size_t obeyed(const unsigned char *s, size_t n, bool turned)
{
    if (s[0] < 0x20)
        return s[0] != 0 && s[0] != '\t' && s[0] != '\n';
    if (s[0] == 0x7f)
        return 1;
    if (s[0] == 0xc2 && n > 1 && s[1] >= 0x80 && s[1] < 0xa0) // U+0080 to U+009F
        return 2;
    if (turned || s[0] != 0xe2 || n < 3)
        return 0;
    bool turns = (s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae)     // U+202A to U+202E
                 || (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9); // U+2066 to U+2069
    return turns ? 3 : 0;
}

size_t harmless(char *text, size_t n, bool turned)
{
    size_t to = 0;
    for (size_t from = 0; from < n;) {
        size_t gone = obeyed((unsigned char *)text + from, n - from, turned);
        text[to++] = gone ? '?' : text[from];
        from += gone ? gone : 1;
    }
    return to;
}

bool harmless_already(const char *text, size_t n, bool turned)
{
    for (size_t i = 0; i < n; i++)
        if (obeyed((const unsigned char *)text + i, n - i, turned))
            return false;
    return true;
}
