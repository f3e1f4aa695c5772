/* Matrix products that convolutions of one group come down to: tall, narrow, many.
 *
 *      C (M,N) = or += A (M,L) · B (L,N)
 *
 * A tile of P rows × 3 vectors of columns is summed in registers over all of L; each step
 * loads three vectors of B and broadcasts P numbers of A, so that no operand is copied
 * first (A is read by strides ap, ai: it may be transposed).  For these shapes this beats
 * sgemm, whose packing of tall operands costs as much as their products.
 *
 *              B[i]   ███ ███ ███        P = 8 (AVX-512, NEON), 4 to 8 (AVX2), 4
 *      A[p][i]  ▪  →  acc[p][0 … 2] += ▪·███
 *
 * Measured where sgemm makes 105 GF/s (Zen 4), fused norms included: 1×1 of
 * make profile NET="X wide" 102 GF/s forward, 100 backward; 105 with MODE=test.
 *
 * Ground: Goto & van de Geijn 2008 (register tiles), Georganas et al., arXiv 1808.05567. */
#ifndef KERNELS_PRODUCT_H
#define KERNELS_PRODUCT_H
#include "nn/kernels/epilogue.h"
#include "nn/kernels/lanes.h"
#include "nn/kernels/vec.h"

enum {
    TILE_ROWS = 8, // at most
    TILE_VECTORS = 3,
    ROW_RUN = 96,     // rows of A that meet one panel of B before the next panel
    HALVES = V == 16, // half a vector costs half as much where 512 bits take two turns
};

// Rows of a tile of B vectors: of sixteen registers, twelve hold sums, or eight where the
// addresses of rows would not fit; with fewer sums each would wait for its last product.
INLINE int tile_rows(const int B)
{
    return REGISTERS == 32 ? 8 : V < 8 || B == 3 ? 4 : B == 2 ? 6 : 8;
}

// Vectors of the next panel when `left` are left: 3, but 4 as 2 + 2.
static size_t panel_vectors(size_t left)
{
    return left == 4 ? 2 : left < TILE_VECTORS ? left : TILE_VECTORS;
}

// w (N,L) to panels [panel][L][vectors·V], zero in dead lanes: the B of product().
static void product_pack(float *out, const float *w, size_t N, size_t L)
{
    size_t vectors = (N + V - 1) / V;
    for (size_t j = 0, n; j < vectors; j += n) {
        n = panel_vectors(vectors - j);
        size_t width = n * V;
        for (size_t l = 0; l < width; l++) {
            size_t k = j * V + l;
            for (size_t i = 0; i < L; i++)
                out[i * width + l] = k < N ? w[k * L + i] : 0;
        }
        out += width * L;
    }
}

// As epilogue_sums, for a tile.
INLINE void epilogue_tile(vf *acc, vh *acch, const struct epilogue *f, size_t k, const int P,
                          const int B, const bool half)
{
    UNROLL_FOR (int j = 0; j < B; j++)
        epilogue_sums(acc + j, P, B, f, k + (size_t)j * V);
    if (!f || !half)
        return;
    k += (size_t)B * V;
    vh m = vload_half(f->mean + k), s = vload_half(f->scale + k), b = vload_half(f->beta + k);
    UNROLL_FOR (int p = 0; p < P; p++) {
        vh z = (acch[p] - m) * s + b;
        acch[p] = f->relu ? (vh)((vhi)z & ~(z <= 0)) : z; // keeps NaN
    }
}

// P rows × B vectors, and with `half` half a vector more, but for the first `skip` rows.
// lanes: columns of the last whole vector; all: B may be loaded beyond them.
INLINE void product_tile(float *c, size_t ldc, const float *a, size_t ap, size_t ai,
                         const float *b, size_t ldb, size_t L, int lanes, bool add, bool all,
                         const struct epilogue *f, size_t k, size_t skip, const int P,
                         const int B, const bool half)
{
    vf acc[TILE_ROWS * TILE_VECTORS], bv[TILE_VECTORS];
    vh acch[TILE_ROWS], bh;
    UNROLL_FOR (int t = 0; t < P * B; t++)
        acc[t] = vset(0);
    UNROLL_FOR (int p = 0; p < P && half; p++)
        acch[p] = vlow(vset(0));
    const char *prefetch = ahead_take(L);
    size_t step = ahead.step;
    for (size_t i = 0; i < L; i++, a += ai, b += ldb, prefetch += step) {
        __builtin_prefetch(prefetch, 0, 2);
        UNROLL_FOR (int j = 0; j < B; j++)
            bv[j] = half || all || j < B - 1 ? vload(b + j * V) : vload_n(b + j * V, lanes);
        if (half)
            bh = vload_half(b + B * V);
        UNROLL_FOR (int p = 0; p < P; p++) {
            vf av = vset(a[(size_t)p * ap]);
            UNROLL_FOR (int j = 0; j < B; j++)
                acc[p * B + j] += av * bv[j];
            if (half)
                acch[p] += vlow(av) * bh;
        }
    }
    epilogue_tile(acc, acch, f, k, P, B, half);
    UNROLL_FOR (int p = 0; p < P; p++) {
        if ((size_t)p < skip)
            continue;
        UNROLL_FOR (int j = 0; j < B; j++) {
            float *at = c + (size_t)p * ldc + j * V;
            int n = half || j < B - 1 ? V : lanes;
            if (add)
                acc[p * B + j] += some(at, n);
            put(at, acc[p * B + j], n);
        }
        if (half) {
            float *at = c + (size_t)p * ldc + B * V;
            if (add)
                acch[p] += vload_half(at);
            vstore_half(at, acch[p]);
        }
    }
}

INLINE void product_rows(float *c, size_t ldc, const float *a, size_t ap, size_t ai,
                         const float *b, size_t ldb, size_t M, size_t L, int lanes, bool add,
                         bool all, const struct epilogue *f, size_t k, const int B,
                         const bool half)
{
    const int P = tile_rows(B + half);
    size_t p = 0;
    for (; p + (size_t)P <= M; p += (size_t)P)
        product_tile(c + p * ldc, ldc, a + p * ap, ap, ai, b, ldb, L, lanes, add, all, f, k,
                     0, P, B, half);
    if (p < M && M >= (size_t)P) { // the last tile moved back over its neighbour
        size_t skip = p + (size_t)P - M;
        p = M - (size_t)P;
        product_tile(c + p * ldc, ldc, a + p * ap, ap, ai, b, ldb, L, lanes, add, all, f, k,
                     skip, P, B, half);
        return;
    }
    for (; p < M; p++)
        product_tile(c + p * ldc, ldc, a + p * ap, ap, ai, b, ldb, L, lanes, add, all, f, k,
                     0, 1, B, half);
}

static void product_run(float *c, size_t ldc, const float *a, size_t ap, size_t ai,
                        const float *b, size_t ldb, size_t M, size_t N, size_t L, bool add,
                        const struct epilogue *f)
{
    size_t vectors = (N + V - 1) / V;
    for (size_t row = 0; row < M; row += ROW_RUN) {
        size_t m = M - row < ROW_RUN ? M - row : ROW_RUN;
        for (size_t j = 0, n; j < vectors; j += n) {
            n = panel_vectors(vectors - j);
            int lanes = (j + n) * V <= N ? V : (int)(N - (j + n - 1) * V);
            const float *panel = ldb ? b + j * V : b + j * V * L, *rows = a + row * ap;
            size_t step = ldb ? ldb : n * V;
            float *out = c + row * ldc + j * V;
#define ROWS_OF(all, B, half)                                                                \
    product_rows(out, ldc, rows, ap, ai, panel, step, m, L, lanes, add, all, f, j *V, B, half)
#define EITHER(B)                                                                            \
    if (HALVES && lanes == V / 2)                                                            \
        ROWS_OF(true, B - 1, true);                                                          \
    else if (ldb == 0 || lanes == V)                                                         \
        ROWS_OF(true, B, false);                                                             \
    else                                                                                     \
        ROWS_OF(false, B, false)
            if (n == 3) {
                EITHER(3);
            } else if (n == 2) {
                EITHER(2);
            } else {
                EITHER(1);
            }
#undef ROWS_OF
#undef EITHER
        }
    }
}

// As product_run, with each panel of B copied first: where many rows of A use it, and rows of B
// a power of two apart would meet in a few sets of the cache.
enum { LONGEST = 512, MANY = 40 };
static void product_panels(float *c, size_t ldc, const float *a, size_t ap, size_t ai,
                           const float *b, size_t ldb, size_t M, size_t N, size_t L, bool add)
{
    float panel[LONGEST * TILE_VECTORS * V] __attribute__((aligned(64)));
    size_t vectors = (N + V - 1) / V;
    for (size_t j = 0, n; j < vectors; j += n) {
        n = panel_vectors(vectors - j);
        size_t columns = (j + n) * V <= N ? n * V : N - j * V;
        for (size_t l = 0; l < L; l++) {
            const float *from = b + l * ldb + j * V;
            for (size_t v = 0; v < n; v++)
                vstore(panel + (l * n + v) * V, some(from + v * V, lanes(columns, v * V)));
        }
        product_run(c + j * V, ldc, a, ap, ai, panel, n * V, M, columns, L, add, NULL);
    }
}

// ldb = 0: B was made by product_pack.
static void product(float *c, size_t ldc, const float *a, size_t ap, size_t ai,
                    const float *b, size_t ldb, size_t M, size_t N, size_t L, bool add,
                    const struct epilogue *f)
{
    bool many = M >= MANY && L <= LONGEST && (ap == 1 || N >= 128);
    if (V == 8 && ldb && many && !f)
        product_panels(c, ldc, a, ap, ai, b, ldb, M, N, L, add);
    else
        product_run(c, ldc, a, ap, ai, b, ldb, M, N, L, add, f);
}

#endif
