/* See repl.h.  The callback interface is used (readline reads only when the event loop says
 * that there is input), readline catches no signals, and it does not export LINES and
 * COLUMNS, which ncurses would prefer to the real size of the window. */
#include "repl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/memory.h"
#include "term/query.h"

static lua_State *state; // the Lua that completes
static char *line;       // the finished line, until line() takes it
static bool reading;     // the handler is installed: the prompt is on the screen
static char *ahead;      // typed while something else read the terminal, for the next line
static char breaks[32];  // characters that end a word, for the current completion

static const char COMPLETER[] = "netspace.completer"; // registry key

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
    return 0;
}

// Types what was kept, up to the end of a line.
static void type_ahead(void)
{
    size_t k = 0;
    for (; reading && ahead && ahead[k]; k++) {
        rl_stuff_char(ahead[k]);
        rl_callback_read_char();
    }
    if (ahead && ahead[k])
        memmove(ahead, ahead + k, strlen(ahead + k) + 1);
    else {
        free(ahead);
        ahead = NULL;
    }
}

// start(prompt [, text]): shows the prompt, with text on the line, and begins to read
static int readline_start(lua_State *L)
{
    const char *prompt = luaL_checkstring(L, 1), *text = luaL_optstring(L, 2, NULL);
    reading = true;
    rl_reset_screen_size(); // it may have changed while nobody read
    rl_callback_handler_install(prompt, on_line);
    if (text) {
        rl_insert_text(text);
        rl_redisplay();
    }
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
    return 0;
}

// read(): takes what the terminal has; to be called when stdin is readable
static int readline_read(lua_State *L)
{
    (void)L;
    if (reading)
        rl_callback_read_char();
    return 0;
}

// reading() -> bool: a line is still being typed
static int readline_reading(lua_State *L)
{
    lua_pushboolean(L, reading);
    return 1;
}

// line() -> the line that was typed | false at the end of input (Ctrl-D)
static int readline_line(lua_State *L)
{
    if (line)
        lua_pushstring(L, line);
    else
        lua_pushboolean(L, false);
    free(line);
    line = NULL;
    return 1;
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

// remember(entry): the newest of the history; an equal older one goes
static int readline_remember(lua_State *L)
{
    const char *entry = luaL_checkstring(L, 1);
    for (int i = history_length - 1; i >= 0; i--) {
        HIST_ENTRY *h = history_get(history_base + i);
        if (h && strcmp(h->line, entry) == 0)
            free_history_entry(remove_history(i));
    }
    add_history(entry);
    return 0;
}

static const luaL_Reg functions[] = {
    {"setup", readline_setup},
    {"start", readline_start},
    {"stop", readline_stop},
    {"read", readline_read},
    {"reading", readline_reading},
    {"line", readline_line},
    {"cancel", readline_cancel},
    {"above", readline_above},
    {"suspend", readline_suspend},
    {"remember", readline_remember},
    {NULL, NULL},
};

int open_readline(lua_State *L)
{
    luaL_newlib(L, functions);
    lua_pushstring(L, rl_library_version);
    lua_setfield(L, -2, "version");
    return 1;
}
