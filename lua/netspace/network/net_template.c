/* The network of net.h: written by netspace, made for one image at a time.
 *
 *   cc -O3 -march=native net.c demo.c -lm
 *
 * It needs nothing but libm, and allocates nothing.  Values lie as (height, width, channels).
 * Batch norms are folded into the convolutions before them. */
#include "net.h"

#include <math.h>
#include <string.h>

@CONSTANTS@
static float memory[@MEMORY@], scratch[@SCRATCH@];

/* Eight numbers at a time; compilers make of it what the processor has. */
typedef float lanes __attribute__((vector_size(32)));
enum { LANES = 8, TILE = 6, NONE = 0, RELU = 1, SILU = 2 };
#define INLINE static inline __attribute__((always_inline))

/* exp(v) to 2e-7, in a form that compilers make vectors of: a power of two by the exponent, the
 * rest by its Taylor series. */
INLINE float exponential(float v)
{
    v = v < -87 ? -87 : v > 88 ? 88 : v;
    int whole = (int)(v * 1.44269504f + 128.5f) - 128, bits = (whole + 127) << 23;
    float r = (v - (float)whole * 0.693359375f) + (float)whole * 2.12194440e-4f, scale;
    memcpy(&scale, &bits, sizeof scale);
    return scale *
           (1 + r * (1 + r * (0.5f + r * (1.f / 6 + r * (1.f / 24 + r * (1.f / 120 + r / 720))))));
}

INLINE float activated(float v, int act)
{
    if (act == RELU)
        return v > 0 || v != v ? v : 0;
    return act == SILU ? v / (1 + exponential(-v)) : v;
}

/* n pixels of the output, V vectors of their channels from k0 on, K1 channels in all. */
INLINE void tile(float *y, const float *x, const float *w, const float *bias, const float *add,
                 int n, int V, int K1, int row, int width, int C, int Cg, int K, int R, int S,
                 int act)
{
    lanes sum[TILE][2];
    for (int i = 0; i < n; i++)
        for (int v = 0; v < V; v++)
            memcpy(&sum[i][v], bias + v * LANES, sizeof(lanes));
    for (int r = 0; r < R; r++)
        for (int q = 0; q < R; q++) {
            const float *from = x + (r * width + q) * C;
            for (int c = 0; c < Cg; c++, w += row) {
                lanes weight[2];
                for (int v = 0; v < V; v++)
                    memcpy(&weight[v], w + v * LANES, sizeof(lanes));
                for (int i = 0; i < n; i++)
                    for (int v = 0; v < V; v++)
                        sum[i][v] += from[i * S * C + c] * weight[v];
            }
        }
    for (int i = 0; i < n; i++) {
        float out[2 * LANES];
        for (int v = 0; v < V; v++)
            memcpy(out + v * LANES, &sum[i][v], sizeof(lanes));
        for (int k = 0; add && k < K1; k++)
            out[k] += add[i * K + k];
        for (int k = 0; k < V * LANES; k++)
            out[k] = activated(out[k], act);
        if (K1 == V * LANES)
            memcpy(y + i * K, out, sizeof(lanes) * (size_t)V);
        else
            for (int k = 0; k < K1; k++)
                y[i * K + k] = out[k];
    }
}

/* x with P zeros around it. */
INLINE const float *padded(const float *x, int H, int W, int C, int P)
{
    size_t side = sizeof(float) * (size_t)(P * C), row = sizeof(float) * (size_t)(W * C);
    char *to = (char *)scratch;
    size_t edge = (size_t)P * (row + 2 * side);
    memset(to, 0, edge);
    to += edge;
    for (int h = 0; h < H; h++, to += row + 2 * side) {
        memset(to, 0, side);
        memcpy(to + side, x + h * W * C, row);
        memset(to + side + row, 0, side);
    }
    memset(to, 0, edge);
    return scratch;
}

INLINE void conv(float *y, const float *x, const float *w, const float *bias, const float *add,
                 int H, int W, int C, int K, int R, int S, int G, int act)
{
    int P = R / 2, Ho = (H - 1) / S + 1, Wo = (W - 1) / S + 1, Cg = C / G, Kg = K / G;
    int row = (Kg + LANES - 1) / LANES * LANES, width = W + 2 * P;
    if (P > 0)
        x = padded(x, H, W, C, P);
    if (R == 1 && S == 1) /* one long row */
        Wo *= Ho, Ho = 1, width = Wo;
    for (int g = 0; g < G; g++)
        for (int k = 0; k < Kg; k += 2 * LANES) {
            const float *wk = w + g * R * R * Cg * row + k, *bk = bias + g * row + k;
            int K1 = Kg - k < 2 * LANES ? Kg - k : 2 * LANES, at = g * Kg + k;
            for (int h = 0; h < Ho; h++) {
                const float *line = x + h * S * width * C + g * Cg;
                for (int i = 0; i < Wo;) {
                    int to = (h * Wo + i) * K + at;
                    const float *from = line + i * S * C, *plus = add ? add + to : 0;
                    if (i + TILE <= Wo && K1 > LANES)
                        tile(y + to, from, wk, bk, plus, TILE, 2, K1, row, width, C, Cg, K, R, S, act);
                    else if (i + TILE <= Wo)
                        tile(y + to, from, wk, bk, plus, TILE, 1, K1, row, width, C, Cg, K, R, S, act);
                    else if (K1 > LANES)
                        tile(y + to, from, wk, bk, plus, 1, 2, K1, row, width, C, Cg, K, R, S, act);
                    else
                        tile(y + to, from, wk, bk, plus, 1, 1, K1, row, width, C, Cg, K, R, S, act);
                    i += i + TILE <= Wo ? TILE : 1;
                }
            }
        }
}

/* A channel a group. */
INLINE void depthwise(float *restrict y, const float *x, const float *restrict w,
                      const float *restrict bias, const float *add, int H, int W, int C, int R,
                      int S, int act)
{
    int P = R / 2, Ho = (H - 1) / S + 1, Wo = (W - 1) / S + 1, width = W + 2 * P;
    x = padded(x, H, W, C, P);
    for (int h = 0; h < Ho; h++)
        for (int i = 0; i < Wo; i++) {
            const float *from = x + (h * S * width + i * S) * C;
            float *to = y + (h * Wo + i) * C, out[LANES];
            for (int c = 0; c < C; c += LANES) {
                int n = C - c < LANES ? C - c : LANES;
                lanes sum, v, u;
                if (n == LANES) {
                    memcpy(&sum, bias + c, sizeof sum);
                    for (int r = 0; r < R; r++)
                        for (int q = 0; q < R; q++) {
                            memcpy(&v, from + (r * width + q) * C + c, sizeof v);
                            memcpy(&u, w + (r * R + q) * C + c, sizeof u);
                            sum += v * u;
                        }
                    memcpy(out, &sum, sizeof sum);
                } else
                    for (int k = 0; k < n; k++) {
                        out[k] = bias[c + k];
                        for (int r = 0; r < R * R; r++)
                            out[k] += from[(r / R * width + r % R) * C + c + k] * w[r * C + c + k];
                    }
                for (int k = 0; k < n; k++)
                    to[c + k] = activated(out[k] + (add ? add[(h * Wo + i) * C + c + k] : 0), act);
            }
        }
}

static __attribute__((unused)) void maxpool(float *y, const float *x, int H, int W, int C)
{
    int Ho = (H - 1) / 2 + 1, Wo = (W - 1) / 2 + 1;
    for (int h = 0; h < Ho; h++)
        for (int i = 0; i < Wo; i++)
            for (int c = 0; c < C; c++) {
                float most = -INFINITY;
                for (int r = 2 * h - 1; r <= 2 * h + 1; r++)
                    for (int q = 2 * i - 1; q <= 2 * i + 1; q++)
                        if (r >= 0 && r < H && q >= 0 && q < W)
                            most = fmaxf(most, x[(r * W + q) * C + c]);
                y[(h * Wo + i) * C + c] = most;
            }
}

static void mean(float *y, const float *x, int pixels, int C)
{
    memset(y, 0, sizeof(float) * (size_t)C);
    for (int i = 0; i < pixels; i++)
        for (int c = 0; c < C; c++)
            y[c] += x[i * C + c];
    for (int c = 0; c < C; c++)
        y[c] /= (float)pixels;
}

/* y (K) of x (C), w (C,row). */
static void dense(float *restrict y, const float *restrict x, const float *restrict w,
                  const float *restrict bias, int C, int K, int row)
{
    memcpy(y, bias, sizeof(float) * (size_t)K);
    for (int c = 0; c < C; c++)
        for (int k = 0; k < K; k++)
            y[k] += x[c] * w[c * row + k];
}

static __attribute__((unused)) void squeeze(float *y, const float *x, const float *w, int pixels,
                                            int C, int Q, int act)
{
    static float pool[@WIDEST@], hidden[@WIDEST@], gate[@WIDEST@];
    mean(pool, x, pixels, C);
    dense(hidden, pool, w, w + C * Q, C, Q, Q);
    w += C * Q + Q;
    for (int q = 0; q < Q; q++)
        hidden[q] = activated(hidden[q], act);
    dense(gate, hidden, w, w + Q * C, Q, C, C);
    for (int c = 0; c < C; c++)
        gate[c] = 1 / (1 + exponential(-gate[c]));
    for (int i = 0; i < pixels; i++)
        for (int c = 0; c < C; c++)
            y[i * C + c] = x[i * C + c] * gate[c];
}

@WEIGHTS@
void net_run(const float *image, float *logits)
{
    float *m = memory;
    const float *w = net_weights;
    for (int i = 0; i < NET_IMAGE * NET_IMAGE; i++)
        for (int c = 0; c < NET_CHANNELS; c++)
            m[@IMAGE@ + i * NET_CHANNELS + c] =
                (image[i * NET_CHANNELS + c] - net_mean[c]) / net_std[c];
@STEPS@
    memcpy(logits, m + @LOGITS@, sizeof(float) * NET_CLASSES);
}
