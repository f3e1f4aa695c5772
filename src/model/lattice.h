/* A function of three coordinates as values at the nodes of a grid, linear in between and
 * constant beyond its ends; fitted to scattered points by least squares, with a penalty on
 * second differences, which also carries it over nodes that no point is near.
 * Source: lattice regression (Garcia & Gupta 2009); the penalty of Eilers & Marx 1996. */
#ifndef MODEL_LATTICE_H
#define MODEL_LATTICE_H
#include <stdbool.h>
#include <stddef.h>

enum { LATTICE_AXES = 3, LATTICE_SWITCHES = 4 };

struct axis { // nodes from, from + step, …: n of them; 1: the coordinate does not matter
    double from, step;
    int n;
};
struct lattice {
    struct axis axis[LATTICE_AXES];
    double *value;                     // of each node, the last axis the fastest
    double switched[LATTICE_SWITCHES]; // added where the point has this switch
};

struct lattice_point {
    double at[LATTICE_AXES];
    unsigned switches; // bits
    double y, weight;  // of its square
};

int lattice_nodes(const struct lattice *l);

/* The function without its switches, and what these add. */
double lattice_at(const struct lattice *l, const double at[LATTICE_AXES], unsigned switches);

/* Fills value (lattice_nodes of them) and switched; without points they are zero. */
void lattice_fit(struct lattice *l, const struct lattice_point *points, size_t n);

#endif
