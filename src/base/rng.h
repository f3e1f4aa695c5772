/* Keyed random numbers: a stream is named by (seed, index, purpose), never by how
 * many numbers were drawn before it, so that every model of a population, and every
 * epoch of a model, has the same numbers on any number of workers and after a resume.
 * Generator: SplitMix64 (Steele, Lea, Flood 2014), 64 bits of state; the key is
 * mixed into the starting state. */
#ifndef BASE_RNG_H
#define BASE_RNG_H
#include <stdint.h>

struct rng {
    uint64_t state;
};

/* What a stream is for: the enum's name, Lua's (sys.purpose), the number.  Numbers are part of
 * every result: never renumber. */
// clang-format off
#define RNG_PURPOSES(X)                                                                      \
    X(RNG_SAMPLE, sample, 1)       /* drawing the architecture of candidate `index` */       \
    X(RNG_INIT, init, 2)           /* initial weights of a net */                            \
    X(RNG_ORDER, order, 3)         /* order of the training images in epoch `index` */       \
    X(RNG_AUGMENT, augment, 4)     /* crop and flip; index = epoch << 32 | image */          \
    X(RNG_SHAPES, shapes, 5)       /* drawing of image `index` of the built-in data */       \
    X(RNG_SUBSET, subset, 6)       /* which images a subset takes */                         \
    X(RNG_BOOTSTRAP, bootstrap, 7) /* resampling of statistics */                            \
    X(RNG_MODEL, model, 8)         /* training seed of model `index` of a population */      \
    X(RNG_ADOPT, adopt, 9)         /* sampling seed of a population that adopts; index =     \
                                      seeds before it */                                     \
    X(RNG_STEP, step, 10)          /* seeds of a step of design; index = hash of the space,  \
                                      or repeat */                                            \
    X(RNG_MIX, mix, 11)            /* mixup and CutMix; index = epoch << 32 | batch */       \
    X(RNG_DROPOUT, dropout, 12)    /* entries left out by dropout; index as before */        \
    X(RNG_DEPTH, depth, 13)        /* branches left out by stochastic depth; as before */ \
    X(RNG_RECIPE, recipe, 15)      /* recipe of model `index & (1 << 32) - 1` of a           \
                                      population; above: which number, which attempt */     \
    X(RNG_PROBE, probe, 16)        /* network `index` of which layers are timed */
// clang-format on
#define RNG_ENUM(name, lua, number) name = number,
enum rng_purpose { RNG_PURPOSES(RNG_ENUM) };
#undef RNG_ENUM

struct rng rng_key(uint64_t seed, uint64_t index, enum rng_purpose purpose);

/* Inline: it is the inner loop of every bootstrap. */
static inline uint64_t rng_mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint64_t rng_u64(struct rng *r)
{
    return rng_mix(r->state += 0x9e3779b97f4a7c15u);
}

double rng_uniform(struct rng *r);             // [0, 1), 53 bits
uint64_t rng_below(struct rng *r, uint64_t n); // 0 … n-1, unbiased; n >= 1
double rng_normal(struct rng *r);              // mean 0, deviation 1 (ziggurat)

/* A uniformly random order of 0 … n-1 (Fisher-Yates). */
void rng_permutation(struct rng *r, uint32_t *order, uint32_t n);

#endif
