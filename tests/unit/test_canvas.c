/* Canvas and charts: golden pictures, and the edges: empty, one point, NaN, one column. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "term/canvas.h"
#include "term/chart.h"

/* The goldens. */

// clang-format off
#define STEPS_ASCII \
    "share below\n" \
    " 1.0+                        a\n" \
    "    |            aaaaaaaaaaaaa\n" \
    "    |            a\n" \
    " 0.5+            a\n" \
    "    |            a\n" \
    "    |aaaaaaaaaaaaa\n" \
    " 0.0+a\n" \
    "    ++-----------------------+\n" \
    "    40                      60\n" \
    "             error (%)\n"
#define STEPS_BRAILLE \
    "share below\n" \
    " 1.0┤                        ⡇\n" \
    "    │            ⢀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⡇\n" \
    "    │            ⢸\n" \
    " 0.5┤            a\n" \
    "    │            ⢸\n" \
    "    │⢸⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉\n" \
    " 0.0┤⢸\n" \
    "    └┬───────────────────────┬\n" \
    "    40                      60\n" \
    "             error (%)\n"
#define BAND \
    " 1.0+                  a,   ,\n" \
    "    |             ,   ,a  ,\n" \
    "    |            aaaaaaa\n" \
    " 0.5+         ,  a,   ,\n" \
    "    |      aaaaaaa\n" \
    "    | ,   ,a  ,\n" \
    " 0.0+   ,  a,   ,\n" \
    "    +------+-----------+------\n" \
    "          40          60\n"
#define POINTS \
    "    |    |           :       | aa\n" \
    "    |    |           :       | aa\n" \
    "  50+    |           :       |\n" \
    "    |    |           :       |\n" \
    "    |    |   a       :       |\n" \
    "    |    |           :       |\n" \
    "  40+a   |           :       |\n" \
    "    ++-------+---------+-------+-------+\n" \
    "    1M      2M        5M      10M    20M\n" \
    "              flops (log scale)\n"
#define LINES \
    "w (log scale)\n" \
    "  64+                            aa\n" \
    "    |                           aa\n" \
    "  32+                         aa\n" \
    "    |                        aa\n" \
    "  16+         ,   ,   ,   , a ,\n" \
    "    |       ,   ,   ,   ,\n" \
    "   8+      aaaaaaaaaaaa\n" \
    "    +------+----------+-----------+-----\n" \
    "          one        two        three\n" \
    "                      x\n" \
    "aaaa a w\n"
#define EIGHT_ASCII \
    "share below\n" \
    " 1.0+                                        a bc d e f g h\n" \
    "    |                                        a bc d e f g h\n" \
    "    |                                        a bc d e f g h\n" \
    " 0.5+ aaabcaabdecabhabcdefghabcdefghabcdefghabcdgghhefghghh\n" \
    "    | a b c d e fg h\n" \
    "    | a b c d e fg h\n" \
    "    | a b c d e fg h\n" \
    " 0.0+ a b c d e fg h\n" \
    "    +-+---------+--------+---------+---------+--------+-----\n" \
    "     20        30       40        50        60       70\n" \
    "                            error (%)\n"
#define EIGHT_BRAILLE \
    "share below\n" \
    " 1.0┤                                        ⡇ ⠃⠨ ⠸ ⠈ ⢈ ⠐ h\n" \
    "    │                                        ⡇ ⡇⠨ ⠐ ⢰ ⢈ ⠐ ⠨\n" \
    "    │                                        ⡇ ⡄⠨ ⢸ ⢸ ⢈ ⠐ ⢸\n" \
    " 0.5┤ ⣀⣀b⣀⣀⣀⣀c⣀⣀⣀⣀d⣀⣀⣀e⣀⣀⣀⣀af⣀⣀⣀bg⣀⣀ch⣀⣀⣀d⣀⣀⣀e⣀⣃⣨⣀f⣀⣈⣀⣈⣀g⡀⡸\n" \
    "    │ ⡇ ⡇ ⡂ ⡇ ⡇ ⡄⢀ ⢸\n" \
    "    │ ⡇ ⡄ ⡂ ⠃   ⡄⢀ ⠨\n" \
    "    │ a ⠃ ⡂ ⡁ ⡇ ⡄⢀ ⢨\n" \
    " 0.0┤ ⡇ ⡇ ⡂ ⡇ ⡇ ⡄⢀ ⢸\n" \
    "    └─┬─────────┬────────┬─────────┬─────────┬────────┬─────\n" \
    "     20        30       40        50        60       70\n" \
    "                            error (%)\n"
#define EMPTY \
    " 1.0+\n" \
    "    |\n" \
    " 0.0+\n" \
    "    ++------+------+\n" \
    "     0     50    100\n"
#define ONE \
    " 1.0+       a\n" \
    "    |       a\n" \
    " 0.0+       a\n" \
    "    ++------+------+\n" \
    "    41     42     43\n"
#define EQUAL \
    " 1.0+       b\n" \
    "    |       b\n" \
    " 0.0+       b\n" \
    "    ++------+------+\n" \
    "    49     50     51\n"
#define FAILED \
    " 1.0+\n" \
    "    |              c\n" \
    " 0.0+ccccccccccccccc\n" \
    "    ++-------------+\n" \
    "    40            60\n"
#define ALL_FAILED \
    " 1.0+              d\n" \
    "    |              d\n" \
    " 0.0+              d\n" \
    "    ++------+------+\n" \
    "    90     95    100\n"
#define ONE_COLUMN \
    "a\n" \
    "a\n" \
    "a\n" \
    "-\n"
#define ONE_CELL \
    "⢸\n"
#define ZOOMED \
    " 1.0+                 :\n" \
    "    |                 :   aaaa\n" \
    " 0.5+      aaaaaaaaaaaaaaaa...\n" \
    "    |aaaaaaa........  :\n" \
    " 0.0+                 :\n" \
    "    +------+--------------+---\n" \
    "          40             50\n"
#define LEGEND_WIDE \
    "                    n    min   mean failed\n" \
    "⠒⠒⠒⠒ a AnyNetX_A    3  40.00  50.00      0\n" \
    "⠒⠒ ⠒ b RegNetX   3/16  35.00  78.33      2\n" \
    "     c waiting      0      -      -      0\n"
#define LEGEND_40 \
    "                  n    min   mean failed\n" \
    "aaaa a AnyNet~    3  40.00  50.00      0\n" \
    "bbbb b RegNetX 3/16  35.00  78.33      2\n" \
    "     c waiting    0      -      -      0\n"
#define LEGEND_20 \
    "aaaa a AnyNetX~    3\n" \
    "bbbb b RegNetX  3/16\n" \
    "     c waiting     0\n"
#define LEGEND_SHORT \
    "aaaa a AnyNetX_A    3  40.00  50.00      0\n" \
    "bbbb b RegNetX   3/16  35.00  78.33      2\n"
#define LEGEND_1 \
    "a\n" \
    "b\n" \
    "\n"
// clang-format on

// All rows, each ended by a newline; the caller frees it.
static char *picture(const struct canvas *c, int colours)
{
    size_t n = 0;
    char *text = calloc(canvas_row_bytes(c) + 1, (size_t)canvas_height(c));
    for (int y = 0; y < canvas_height(c); y++) {
        n += canvas_row(c, y, colours, text + n);
        text[n++] = '\n';
    }
    text[n] = 0;
    return text;
}

static void check_picture(const struct canvas *c, int colours, const char *want)
{
    char *got = picture(c, colours);
    if (strcmp(got, want) != 0)
        print_error("got:\n%s", got);
    assert_string_equal(got, want);
    free(got);
}

static struct curve curve_of(const char *name, int id, const double *x, size_t n)
{
    static double y[16][64];
    static int next;
    double *share = y[next++ % 16], sum = 0;
    for (size_t i = 0; i < n; i++) {
        share[i] = (double)(i + 1) / (double)n;
        sum += x[i];
    }
    static char count[16][24];
    snprintf(count[next % 16], sizeof *count, "%zu", n);
    return (struct curve){.name = name,
                          .count = count[next % 16],
                          .id = id,
                          .n = n,
                          .x = x,
                          .y = share,
                          .min = n ? x[0] : NAN,
                          .mean = n ? sum / (double)n : NAN};
}

static void check_chart(int width, int height, bool ascii, const struct curve *curves, int n,
                        const char *want)
{
    struct canvas *c = canvas_new(width, height, ascii);
    struct chart chart = {.width = width,
                          .height = height,
                          .cursor = NAN,
                          .x_label = "error (%)",
                          .y_label = "share below"};
    chart_draw(c, &chart, curves, n, NULL, 0);
    check_picture(c, 0, want);
    canvas_free(c);
}

static void test_text(void **state)
{
    (void)state;
    struct canvas *c = canvas_new(12, 4, false);
    assert_int_equal(canvas_text(c, 0, 0, "plain", -1, 0), 5);
    assert_int_equal(canvas_text(c, 0, 1, "cut after six", 6, 0), 6);
    canvas_text(c, 8, 2, "over the edge", -1, 0);
    canvas_text(c, -2, 3, "xyz", -1, 0);    // clipped on the left
    canvas_text(c, 4, 9, "outside", -1, 0); // and below
    assert_int_equal(canvas_text(c, 3, 3, "日本", -1, 0), 7);
    canvas_text(c, 8, 3, "a\n\xff", -1, 0);
    check_picture(c, 0, "plain\ncut a…\n        ove…\nz  日本 a??\n");
    canvas_free(c);
    c = canvas_new(8, 1, true);
    canvas_text(c, 0, 0, "é日… long", 8, 0);
    check_picture(c, 0, "??? lon~\n");
    canvas_free(c);
    assert_int_equal(canvas_text_width("日本é"), 5);
    assert_int_equal(canvas_text_width("e\xcc\x81"), 1);                // a combining accent
    assert_int_equal(canvas_text_width("\xed\xa0\x80\xc0\x80"), 1 + 2); // surrogate, overlong
}

static void test_size_is_clamped(void **state)
{
    (void)state;
    struct canvas *c = canvas_new(0, -3, false);
    assert_int_equal(canvas_width(c), 1);
    assert_int_equal(canvas_height(c), 1);
    check_picture(c, 0, "\n");
    canvas_free(c);
    c = canvas_new(1 << 30, 1, true);
    assert_int_equal(canvas_width(c), CANVAS_MAX);
    canvas_free(c);
}

static void test_colours(void **state)
{
    (void)state;
    struct canvas *c = canvas_new(10, 1, false);
    canvas_text(c, 0, 0, "ab", -1, 1);
    canvas_text(c, 2, 0, "c", -1, STYLE_BOLD | STYLE_ALARM);
    canvas_text(c, 4, 0, "d", -1, 0);
    check_picture(c, 0, "abc d\n");
    check_picture(c, 8, "\033[0;34mab\033[0;1;31mc\033[0m d\033[0m\n");
    check_picture(c, 256, "\033[0;38;5;32mab\033[0;1;38;5;196mc\033[0m d\033[0m\n");
    canvas_free(c);
}

static void test_dots(void **state)
{
    (void)state;
    // One dot in each of the eight places of a cell.
    static const uint32_t bits[] = {1, 8, 2, 0x10, 4, 0x20, 0x40, 0x80};
    for (int i = 0; i < 8; i++) {
        struct canvas *c = canvas_new(1, 1, false);
        canvas_dot(c, i % 2, i / 2, 0, false);
        assert_int_equal(canvas_glyph(c, 0, 0).ch, 0x2800 + bits[i]);
        canvas_free(c);
    }
    // Curves that share cells take turns; text and letters come first.
    struct canvas *c = canvas_new(6, 1, true);
    for (int x = 0; x < 6; x++) {
        canvas_dot(c, 2 * x, 0, 0, false);
        canvas_dot(c, 2 * x, 1, 2, false);
    }
    canvas_dot(c, -1, 0, 0, false);
    canvas_dot(c, 12, 0, 0, false);
    assert_true(canvas_mark(c, 1, 0, 4));
    assert_false(canvas_mark(c, 1, 0, 5));
    canvas_text(c, 5, 0, "!", -1, 0);
    assert_false(canvas_mark(c, 5, 0, 5));
    check_picture(c, 0, "aeaca!\n");
    canvas_free(c);
}

static void test_steps(void **state)
{
    (void)state;
    // Exact steps: three jumps of 1/4 (two errors tie, so one jump of 1/2).
    const double x[] = {40, 50, 50, 60};
    struct curve cu = curve_of("A", 0, x, 4);
    check_chart(30, 11, true, &cu, 1, STEPS_ASCII);
    check_chart(30, 11, false, &cu, 1, STEPS_BRAILLE);
}

static void test_eight_curves(void **state)
{
    (void)state;
    double x[8][2];
    struct curve curves[8];
    for (int i = 0; i < 8; i++) {
        x[i][0] = 20 + 2 * i;
        x[i][1] = 60 + 2 * i;
        curves[i] = curve_of("space", i, x[i], 2);
    }
    check_chart(60, 12, true, curves, 8, EIGHT_ASCII);
    check_chart(60, 12, false, curves, 8, EIGHT_BRAILLE);
    // Every letter is on the chart.
    struct canvas *c = canvas_new(60, 12, false);
    struct chart chart = {.width = 60, .height = 12, .cursor = NAN};
    chart_draw(c, &chart, curves, 8, NULL, 0);
    char *text = picture(c, 0);
    for (char letter = 'a'; letter <= 'h'; letter++)
        assert_non_null(strchr(text, letter));
    free(text);
    canvas_free(c);
}

static void test_edges(void **state)
{
    (void)state;
    const double one[] = {42}, equal[] = {50, 50, 50}, failed[] = {40, 60, 100, NAN};
    const double all_failed[] = {100, 100};
    struct curve cu = curve_of("none", 0, NULL, 0);
    check_chart(20, 5, true, &cu, 1, EMPTY);
    check_chart(20, 5, true, NULL, 0, EMPTY);
    cu = curve_of("one", 0, one, 1);
    check_chart(20, 5, true, &cu, 1, ONE);
    cu = curve_of("equal", 1, equal, 3);
    check_chart(20, 5, true, &cu, 1, EQUAL);
    cu = curve_of("failed", 2, failed, 4); // leaves to the right at 1/2
    check_chart(20, 5, true, &cu, 1, FAILED);
    cu = curve_of("failed", 3, all_failed, 2);
    check_chart(20, 5, true, &cu, 1, ALL_FAILED);
    cu = curve_of("column", 0, equal, 3);
    check_chart(1, 4, true, &cu, 1, ONE_COLUMN);
    check_chart(1, 1, false, &cu, 1, ONE_CELL);
}

static void test_range_cursor_faint(void **state)
{
    (void)state;
    const double x[] = {30, 40, 50, 60}, y[] = {35, 45, 55, 65};
    struct curve curves[] = {curve_of("A", 0, x, 4), curve_of("A", 0, y, 4),
                             curve_of("B", 1, y, 4)};
    curves[1].faint = true;
    curves[2].hidden = true;
    struct canvas *c = canvas_new(30, 7, true);
    struct chart chart = {.width = 30, .height = 7, .x0 = 36, .x1 = 52, .cursor = 47};
    chart_draw(c, &chart, curves, 3, NULL, 0);
    check_picture(c, 0, ZOOMED);
    assert_int_equal(chart.plot_left, 5);
    assert_int_equal(chart.plot_width, 25);
    canvas_free(c);
}

static void test_band(void **state)
{
    (void)state;
    const double x[] = {40, 50, 60}, bx[] = {-1, 40, 40, 50, 50, 60, 60, 101};
    const double lo[] = {0, 0, 0, 0, 0.4, 0.4, 0.7, 0.7};
    const double hi[] = {0.3, 0.3, 0.6, 0.6, 0.9, 0.9, 1, 1};
    struct curve cu = curve_of("A", 0, x, 3);
    struct band band = {.n = 8, .x = bx, .lo = lo, .hi = hi};
    struct canvas *c = canvas_new(30, 9, true);
    struct chart chart = {.width = 30, .height = 9, .x0 = 30, .x1 = 70, .cursor = NAN};
    chart_draw(c, &chart, &cu, 1, &band, 1);
    check_picture(c, 0, BAND);
    canvas_free(c);
}

static void test_points(void **state)
{
    (void)state;
    const double x[] = {1e6, 2e6, 1e7, 9e9}, y[] = {40, 45, 55, 50};
    const double bx[] = {1.5e6, 8e6}, lo[] = {38, 38}, hi[] = {57, 57};
    struct curve cu = {.shape = SHAPE_POINTS, .n = 4, .x = x, .y = y};
    struct band band = {.n = 2, .x = bx, .lo = lo, .hi = hi};
    struct canvas *c = canvas_new(40, 10, true);
    struct chart chart = {.width = 40,
                          .height = 10,
                          .x0 = 1e6,
                          .x1 = 2e7,
                          .y0 = 38,
                          .y1 = 57,
                          .log_x = 10,
                          .x_label = "flops",
                          .cursor = 4e6};
    chart_draw(c, &chart, &cu, 1, &band, 1);
    check_picture(c, 0, POINTS);
    // A logarithmic axis: equal ratios are equal lengths; what is below 0 cannot have one.
    assert_int_equal(axes_column(&chart, 1e6), 0);
    int two = axes_column(&chart, 2e6), four = axes_column(&chart, 4e6);
    assert_in_range(four, 2 * two - 1, 2 * two + 1);
    chart = (struct chart){.width = 40, .height = 10, .x0 = -1, .x1 = 1, .log_x = 10};
    axes_draw(c, &chart);
    assert_int_equal(chart.log_x, 0);
    canvas_free(c);
}

// Lines with a gap, over an area, on a logarithmic axis with powers of 2 and names below it.
static void test_lines(void **state)
{
    (void)state;
    static const char *const names[] = {"one", "two", "three"};
    const double x[] = {1, 2, NAN, 2.5, 3}, y[] = {8, 8, 16, 16, 64}, bx[] = {1, 3};
    const double lo[] = {8, 16}, hi[] = {16, 16};
    struct curve cu = {.shape = SHAPE_LINE, .name = "w", .count = "", .n = 5, .x = x, .y = y};
    struct band band = {.n = 2, .x = bx, .lo = lo, .hi = hi};
    struct canvas *c = canvas_new(40, 12, true);
    struct chart chart = {.width = 40,
                          .height = 11,
                          .x0 = 0.5,
                          .x1 = 3.5,
                          .y0 = 8,
                          .y1 = 70,
                          .log_y = 2,
                          .x_names = names,
                          .n_names = 3,
                          .cursor = NAN,
                          .x_label = "x",
                          .y_label = "w"};
    chart_draw(c, &chart, &cu, 1, &band, 1);
    assert_int_equal(chart_legend(c, 0, 11, 40, 1, &cu, 1), 1);
    check_picture(c, 0, LINES);
    canvas_free(c);
}

static void check_legend(int width, int height, bool ascii, const struct curve *curves, int n,
                         int rows, const char *want)
{
    struct canvas *c = canvas_new(width, height, ascii);
    assert_int_equal(chart_legend(c, 0, 0, width, height, curves, n), rows);
    check_picture(c, 0, want);
    canvas_free(c);
}

static void test_legend(void **state)
{
    (void)state;
    const double x[] = {40, 50, 60}, z[] = {35, 100, 100};
    struct curve curves[] = {curve_of("AnyNetX_A", 0, x, 3), curve_of("", 0, x, 3),
                             curve_of("RegNetX", 1, z, 3), curve_of("waiting", 2, NULL, 0)};
    curves[1].faint = true;
    curves[2].failed = 2;
    curves[2].count = "3/16";
    curves[3].hidden = true;
    check_legend(60, 4, false, curves, 4, 4, LEGEND_WIDE);
    check_legend(40, 4, true, curves, 4, 4, LEGEND_40);
    check_legend(20, 3, true, curves, 4, 3, LEGEND_20);
    check_legend(60, 2, true, curves, 4, 2, LEGEND_SHORT);
    check_legend(1, 3, true, curves, 4, 3, LEGEND_1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),    cmocka_unit_test(test_size_is_clamped),
        cmocka_unit_test(test_colours), cmocka_unit_test(test_dots),
        cmocka_unit_test(test_steps),   cmocka_unit_test(test_eight_curves),
        cmocka_unit_test(test_edges),   cmocka_unit_test(test_range_cursor_faint),
        cmocka_unit_test(test_band),    cmocka_unit_test(test_points),
        cmocka_unit_test(test_lines),   cmocka_unit_test(test_legend),
    };
    return cmocka_run_group_tests_name("canvas", tests, NULL, NULL);
}
