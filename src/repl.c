/* See repl.h.  The callback interface is used (readline reads only when the event loop says
 * that there is input), readline catches no signals, and it does not export LINES and
 * COLUMNS, which ncurses would prefer to the real size of the window. */
#include "repl.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/clock.h"
#include "base/memory.h"
#include "term/query.h"

static lua_State *state;  // the Lua that completes
static char *line;        // the finished line, until line() takes it
static bool reading;      // the handler is installed: the prompt is on the screen
static char *ahead;       // typed while something else read the terminal, for the next line
static bool typing_ahead; // it is being typed now
static char breaks[32];   // characters that end a word, for the current completion

static const char COMPLETER[] = "netspace.completer"; // registry key

// What a terminal sends between ESC[200~ and ESC[201~.
static struct {
    enum { NOTHING, PASTING, DROPPING } state; // dropping: Ctrl-C came before the end of it
    char *text;
    size_t n, room;
    double last; // when its last byte came
    char *line;  // text with a line's end, until line() takes it
} paste;

static const char PASTE_BEGIN[] = "\033[200~", PASTE_END[] = "\033[201~";
static const double PASTE_PAUSE = 1; // seconds after which the rest of a dropped one is typed
static const int BURST = 30;         // milliseconds: what comes sooner than that nobody types

static void on_line(char *text)
{
    free(line);
    line = text;
    rl_callback_handler_remove(); // the terminal is as usual while the line is evaluated
    reading = false;
}

// What was typed into an answer of the terminal (term/query.h) is kept for the next line.
static void keep_typed(const char *bytes, size_t n)
{
    size_t old = ahead ? strlen(ahead) : 0;
    char *more = xmalloc(old + n + 1);
    memcpy(more, ahead ? ahead : "", old);
    memcpy(more + old, bytes, n);
    more[old + n] = 0;
    free(ahead);
    ahead = more;
}

// Completion.  Lua answers for the whole line: completer(line, point) ->
// { breaks = characters that end a word, append = after a single match, words… }.

static bool ask_completer(void)
{
    int top = lua_gettop(state);
    lua_getfield(state, LUA_REGISTRYINDEX, COMPLETER);
    lua_pushstring(state, rl_line_buffer);
    lua_pushinteger(state, rl_point);
    if (lua_pcall(state, 2, 1, 0) == LUA_OK && lua_istable(state, -1))
        return true;
    lua_settop(state, top);
    return false;
}

// readline asks which characters end a word before it looks for the word.
static char *word_breaks(void)
{
    breaks[0] = 0;
    if (ask_completer()) {
        lua_getfield(state, -1, "breaks");
        const char *s = lua_tostring(state, -1);
        snprintf(breaks, sizeof breaks, "%s", s ? s : "");
        lua_pop(state, 2);
    }
    return breaks;
}

// The table of the answer is on top of the stack while readline asks for its words.
static char *generator(const char *text, int again)
{
    static int given;
    (void)text;
    given = again ? given + 1 : 1;
    lua_rawgeti(state, -1, given);
    const char *s = lua_tostring(state, -1);
    char *word = s ? strdup(s) : NULL;
    lua_pop(state, 1);
    return word;
}

// The palette: Alt-x, or Tab after a single colon.
static bool palette; // it is asked for
static int point;    // where the cursor was then

static int ask_palette(int count, int key)
{
    (void)count;
    (void)key;
    palette = true;
    return 0;
}

static char **complete(const char *text, int start, int end)
{
    (void)start;
    (void)end;
    rl_attempted_completion_over = 1; // never fall back to file names
    rl_completion_suppress_append = 0;
    if (strspn(rl_line_buffer, " ") >= (size_t)rl_point) {
        rl_insert_text("  ");
        return NULL;
    }
    if (strcmp(rl_line_buffer, ":") == 0) {
        rl_delete_text(0, 1);
        rl_point = 0;
        palette = true;
        return NULL;
    }
    int top = lua_gettop(state);
    char **matches = NULL;
    if (ask_completer()) {
        lua_getfield(state, -1, "append");
        const char *s = lua_tostring(state, -1);
        rl_completion_append_character = s ? *s : 0;
        lua_pop(state, 1);
        matches = rl_completion_matches(text, generator);
    }
    lua_settop(state, top);
    return matches;
}

// A list of matches shows the last part only: "with  sample" for "S:with", "S:sample".
static void display(char **matches, int n, int longest)
{
    size_t common = 0;
    for (size_t i = 0; matches[0][i]; i++)
        if (strchr(".:/", matches[0][i]))
            common = i + 1;
    char **shown = malloc(((size_t)n + 2) * sizeof *shown);
    if (!shown)
        return;
    shown[0] = matches[0];
    for (int i = 1; i <= n; i++)
        shown[i] = matches[i] + common;
    shown[n + 1] = NULL;
    rl_display_match_list(shown, n, longest - (int)common);
    free(shown);
    rl_forced_update_display();
}

// Pastes.  One of several lines is handed over as a whole, so that each of its entries can run;
// one within a line is as if typed.

static int begin_paste(int count, int key)
{
    (void)count;
    (void)key;
    paste.state = PASTING;
    paste.n = 0;
    return 0;
}

// Ends reading as if nothing had been shown.
static void leave_line(void)
{
    rl_clear_visible_line();
    fflush(rl_outstream);
    rl_callback_handler_remove();
    reading = false;
}

static bool paste_put(char c)
{
    if (paste.n + 2 > paste.room) {
        size_t room = 2 * paste.room + 1024;
        char *text = realloc(paste.text, room);
        if (!text)
            return false;
        paste.text = text;
        paste.room = room;
    }
    paste.text[paste.n++] = c;
    return true;
}

// \r, \r\n and \n end a line; other controls are dropped.
static void paste_tidy(void)
{
    size_t from = 0, to = 0;
    for (; from < paste.n; from++) {
        char c = paste.text[from];
        if (c == '\r') {
            c = '\n';
            if (from + 1 < paste.n && paste.text[from + 1] == '\n')
                from++;
        }
        if (c == '\n' || c == '\t' || ((unsigned char)c >= ' ' && c != 127))
            paste.text[to++] = c;
    }
    paste.n = to;
    if (paste.text)
        paste.text[to] = 0;
}

// Hands the paste over, with what stands before and after it.
static void paste_hand(const char *before, size_t n_before, const char *after)
{
    paste.line = malloc(n_before + paste.n + strlen(after) + 1);
    if (!paste.line)
        return;
    memcpy(paste.line, before, n_before);
    memcpy(paste.line + n_before, paste.text, paste.n);
    strcpy(paste.line + n_before + paste.n, after);
}

// A paste has come to its end: on the line, or handed over with what the line had around it.  A
// copied prompt is not for the line.
static void end_paste(void)
{
    paste_tidy();
    bool prompt = rl_end == 0 && paste.n && paste.text[strspn(paste.text, " ")] == '>';
    if (paste.n && !prompt && !strchr(paste.text, '\n')) {
        rl_insert_text(paste.text);
        rl_redisplay();
    } else if (paste.n) {
        paste_hand(rl_line_buffer, (size_t)rl_point, rl_line_buffer + rl_point);
        leave_line();
    }
}

// A terminal without bracketed pastes sends one as if it were typed: where a line is followed by
// more at once, all of that is taken, up to a key that no text has.
static bool take_burst(void)
{
    struct pollfd in = {.fd = fileno(rl_instream), .events = POLLIN};
    bool text = false, key = false;
    char c;
    if (typing_ahead || poll(&in, 1, 0) <= 0)
        return false;
    paste.n = 0;
    paste_put('\n');
    while (!key && poll(&in, 1, BURST) > 0 && read(in.fd, &c, 1) == 1) {
        key = ((unsigned char)c < ' ' && !strchr("\r\n\t", c)) || c == 127 || !paste_put(c);
        text = text || (!key && (unsigned char)c > ' ');
    }
    if (!text) // Enter again
        keep_typed(paste.text + 1, paste.n - 1);
    if (key)
        keep_typed(&c, 1);
    if (!text)
        return false;
    paste_tidy();
    paste_hand(rl_line_buffer, (size_t)rl_end, "");
    return paste.line != NULL;
}

static int end_line(int count, int key)
{
    return take_burst() ? 0 : rl_newline(count, key);
}

// Takes the bytes of a paste that are there.
static void read_paste(void)
{
    size_t end = sizeof PASTE_END - 1;
    int there = 1;
    do {
        int c = rl_read_key();
        if (c < 0 || c == EOF)
            return;
        if (!paste_put((char)c)) {
            paste.state = DROPPING;
            paste.n = 0;
            return;
        }
        paste.last = clock_now();
        if (paste.n >= end && memcmp(paste.text + paste.n - end, PASTE_END, end) == 0) {
            bool dropped = paste.state == DROPPING;
            paste.state = NOTHING;
            paste.n -= end;
            if (!dropped)
                end_paste();
            return;
        }
    } while (ioctl(fileno(rl_instream), FIONREAD, &there) == 0 && there > 0);
}

// An offered text that nobody has touched goes when something is typed.

static char *offered;             // the text, or NULL
static Keymap offered_in;         // whose keys are bound meanwhile (vi has several keymaps)
static rl_command_func_t *ctrl_d; // what it did there
static bool refused;              // Ctrl-D on it: as on an empty line
enum { CTRL_D = 4 };

static int insert_instead(int count, int key);
static int refuse(int count, int key);

static void bind_printing(rl_command_func_t *from, rl_command_func_t *to)
{
    for (int c = 0; c < KEYMAP_SIZE; c++)
        if (offered_in[c].type == ISFUNC && offered_in[c].function == from)
            offered_in[c].function = to;
}

static void end_offer(void)
{
    if (!offered)
        return;
    free(offered);
    offered = NULL;
    bind_printing(insert_instead, rl_insert);
    if (ctrl_d)
        offered_in[CTRL_D].function = ctrl_d;
    ctrl_d = NULL;
}

static int refuse(int count, int key)
{
    (void)count;
    (void)key;
    refused = true;
    return 0;
}

static int insert_instead(int count, int key)
{
    rl_begin_undo_group(); // the text comes back with Ctrl-_
    rl_delete_text(0, rl_end);
    rl_point = 0;
    end_offer();
    rl_insert(count, key);
    rl_end_undo_group();
    return 0;
}

static void begin_offer(const char *text)
{
    rl_insert_text(text);
    offered = strdup(text);
    offered_in = rl_get_keymap();
    if (offered)
        bind_printing(rl_insert, insert_instead);
    if (offered && offered_in[CTRL_D].type == ISFUNC) {
        ctrl_d = offered_in[CTRL_D].function;
        offered_in[CTRL_D].function = refuse;
    }
}

// setup(completer): once, before anything else
static int readline_setup(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, COMPLETER);
    state = L;
    rl_readline_name = "netspace";
    rl_catch_signals = 0;
    rl_change_environment = 0;
    rl_attempted_completion_function = complete;
    rl_completion_word_break_hook = word_breaks;
    rl_completer_quote_characters = "";
    rl_completion_display_matches_hook = display;
    rl_initialize();
    term_typed = keep_typed;
    // Up and Down: earlier entries that begin as the line does.
    rl_bind_keyseq("\033[A", rl_history_search_backward);
    rl_bind_keyseq("\033[B", rl_history_search_forward);
    rl_bind_keyseq("\033OA", rl_history_search_backward);
    rl_bind_keyseq("\033OB", rl_history_search_forward);
    rl_bind_keyseq("\033x", ask_palette);
    for (const char *end = "\r\n"; *end; end++)
        for (size_t i = 0; i < 3; i++) {
            Keymap map =
                (Keymap[]){emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap}[i];
            if (map[(int)*end].function == rl_newline)
                map[(int)*end].function = end_line;
        }
    // readline 8.2 crashes where the character searched for is Alt with another one (Ctrl-] Alt-é)
    rl_unbind_function_in_map(rl_char_search, emacs_standard_keymap);
    rl_unbind_function_in_map(rl_backward_char_search, emacs_meta_keymap);
    rl_bind_keyseq_in_map(PASTE_BEGIN, begin_paste, emacs_standard_keymap);
    rl_bind_keyseq_in_map(PASTE_BEGIN, begin_paste, vi_insertion_keymap);
    return 0;
}

// Types what was kept, up to the end of a line.
static void type_ahead(void)
{
    size_t k = 0;
    typing_ahead = true;
    for (; reading && ahead && ahead[k]; k++) {
        rl_stuff_char(ahead[k]);
        rl_callback_read_char();
    }
    typing_ahead = false;
    if (ahead && ahead[k])
        memmove(ahead, ahead + k, strlen(ahead + k) + 1);
    else {
        free(ahead);
        ahead = NULL;
    }
}

// start(prompt [, text [, offer [, point]]]): shows the prompt, with text on the line and the
// cursor behind it or after `point` bytes, and begins to read; what is typed takes the place of
// a text that is an offer
static int readline_start(lua_State *L)
{
    const char *prompt = luaL_checkstring(L, 1), *text = luaL_optstring(L, 2, NULL);
    reading = true;
    rl_reset_screen_size(); // it may have changed while nobody read
    rl_callback_handler_install(prompt, on_line);
    if (text && lua_toboolean(L, 3))
        begin_offer(text);
    else if (text)
        rl_insert_text(text);
    if (text && !lua_isnoneornil(L, 4))
        rl_point = (int)luaL_checkinteger(L, 4);
    if (text)
        rl_redisplay();
    type_ahead();
    return 0;
}

// stop(): ends reading, the line typed so far is dropped
static int readline_stop(lua_State *L)
{
    (void)L;
    if (reading)
        rl_callback_handler_remove();
    reading = false;
    end_offer();
    return 0;
}

// read(): takes what the terminal has; to be called when stdin is readable
static int readline_read(lua_State *L)
{
    (void)L;
    if (!reading)
        return 0;
    if (paste.state == DROPPING && clock_now() - paste.last > PASTE_PAUSE)
        paste.state = NOTHING;
    if (paste.state != NOTHING) {
        read_paste();
        return 0;
    }
    rl_callback_read_char();
    if (reading && paste.line)
        leave_line();
    if (reading && refused)
        on_line(NULL);
    refused = false;
    if (reading && palette) {
        point = rl_point;
        free(line);
        line = strdup(rl_line_buffer);
        leave_line();
    }
    if (offered && (!reading || paste.state == PASTING || rl_point != rl_end ||
                    strcmp(rl_line_buffer, offered) != 0)) {
        if (reading && paste.state == PASTING && strcmp(rl_line_buffer, offered) == 0)
            rl_replace_line("", 0);
        end_offer();
    }
    return 0;
}

// reading() -> bool: a line is still being typed
static int readline_reading(lua_State *L)
{
    lua_pushboolean(L, reading);
    return 1;
}

// line() -> the line, "typed" | what was pasted, "pasted" | the line, "palette", bytes before the
// cursor | false at the end of input (Ctrl-D)
static int readline_line(lua_State *L)
{
    char **from = paste.line ? &paste.line : &line;
    const char *how = paste.line ? "pasted" : palette ? "palette" : "typed";
    if (*from)
        lua_pushstring(L, *from);
    else
        lua_pushboolean(L, false);
    lua_pushstring(L, how);
    lua_pushinteger(L, point);
    free(*from);
    *from = NULL;
    palette = false;
    return 3;
}

// cancel(): Ctrl-C at the prompt: the line is left on the screen and dropped
static int readline_cancel(lua_State *L)
{
    if (reading) {
        rl_callback_sigcleanup();
        rl_free_line_state();
        rl_point = rl_end;
        rl_redisplay();
        fputs("^C\n", rl_outstream);
        rl_replace_line("", 1);
    }
    if (paste.state == PASTING) {
        paste.state = DROPPING;
        paste.last = clock_now();
    }
    return readline_stop(L);
}

// above(text): prints text above the prompt and the line being typed
static int readline_above(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    if (reading && rl_get_termcap("ce"))
        rl_clear_visible_line();
    else if (reading)
        rl_crlf(); // a terminal that cannot clear a line
    fprintf(rl_outstream, "%s\n", text);
    if (reading) {
        rl_on_new_line();
        rl_redisplay();
    }
    fflush(rl_outstream);
    return 0;
}

// suspend(): Ctrl-Z at the prompt; comes back when the shell continues the program
static int readline_suspend(lua_State *L)
{
    (void)L;
    if (reading && rl_deprep_term_function)
        rl_deprep_term_function();
    raise(SIGSTOP);
    if (reading && rl_prep_term_function) {
        rl_prep_term_function(1);
        rl_on_new_line();
        rl_redisplay();
    }
    return 0;
}

// What is typed while an entry runs is shown once, by the line it is for.

static struct termios heard; // the terminal as it is without this
static bool muted;

static void unmute(void)
{
    if (muted)
        tcsetattr(fileno(rl_instream), TCSANOW, &heard);
    muted = false;
}

// mute(on): the terminal does not echo, until mute(false) or the end of the program
static int readline_mute(lua_State *L)
{
    static bool registered;
    if (!lua_toboolean(L, 1)) {
        unmute();
        return 0;
    }
    if (muted || tcgetattr(fileno(rl_instream), &heard) != 0)
        return 0;
    struct termios silent = heard;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    muted = tcsetattr(fileno(rl_instream), TCSANOW, &silent) == 0;
    if (!registered)
        atexit(unmute);
    registered = true;
    return 0;
}

// remember(entry, limit): the newest of the history; an equal older one goes, and the oldest ones
// where there are more than `limit`
static int readline_remember(lua_State *L)
{
    const char *entry = luaL_checkstring(L, 1);
    stifle_history((int)luaL_checkinteger(L, 2));
    for (int i = history_length - 1; i >= 0; i--) {
        HIST_ENTRY *h = history_get(history_base + i);
        if (h && strcmp(h->line, entry) == 0)
            free_history_entry(remove_history(i));
    }
    add_history(entry);
    return 0;
}

static const luaL_Reg functions[] = {
    {"setup", readline_setup},       {"start", readline_start},
    {"stop", readline_stop},         {"read", readline_read},
    {"reading", readline_reading},   {"line", readline_line},
    {"cancel", readline_cancel},     {"above", readline_above},
    {"suspend", readline_suspend},   {"mute", readline_mute},
    {"remember", readline_remember}, {NULL, NULL},
};

int open_readline(lua_State *L)
{
    luaL_newlib(L, functions);
    lua_pushstring(L, rl_library_version);
    lua_setfield(L, -2, "version");
    return 1;
}
