/* See onnx.h.  The messages are built whole, with pointers into memory of the export, then
 * written by protobuf-c. */
#include "model/onnx.h"

#ifndef NETSPACE_ONNX

bool onnx_there(void)
{
    return false;
}

bool onnx_write(struct net *n, const char *path, const struct onnx_options *o,
                struct error *e)
{
    (void)n, (void)o;
    return error_set(
        e,
        "%s: this build writes no ONNX; install libonnx-dev, libprotobuf-c-dev and "
        "protobuf-c-compiler, then make again",
        path);
}

#else

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/plan.h"
#include "onnx.pb-c.h"

enum { OPSET = 17, IR_VERSION = 8 };

/* Everything that lives until the model is written. */
struct export
{
    struct net *net;
    const struct plan *plan;
    const struct onnx_options *o;
    void **kept;
    size_t n_kept;
    Onnx__GraphProto graph;
    float *weights; // all of them, in the order of the model
    size_t used;    // floats
    int names;      // that were made up
};

static void *keep(struct export *x, size_t bytes)
{
    x->kept = xgrow(x->kept, x->n_kept, sizeof *x->kept);
    return x->kept[x->n_kept++] = xcalloc(1, bytes);
}

static char *text(struct export *x, const char *s)
{
    return strcpy(keep(x, strlen(s) + 1), s);
}

// A name that nothing else in the graph has.
static char *fresh(struct export *x, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%d", what, ++x->names);
    return text(x, name);
}

static char *join(struct export *x, const char *name, const char *rest)
{
    char *s = keep(x, strlen(name) + strlen(rest) + 1);
    return strcat(strcpy(s, name), rest);
}

static char *of_tensor(struct export *x, int t)
{
    char name[32];
    snprintf(name, sizeof name, "t%d", t);
    return text(x, name);
}

// ---- nodes ------------------------------------------------------------------------------

static Onnx__NodeProto *node(struct export *x, const char *type, char *output)
{
    Onnx__NodeProto *n = keep(x, sizeof *n);
    onnx__node_proto__init(n);
    n->op_type = text(x, type);
    n->name = join(x, output, ".node");
    n->output = keep(x, sizeof *n->output);
    n->output[n->n_output++] = output;
    n->input = keep(x, 5 * sizeof *n->input);
    x->graph.node = xgrow(x->graph.node, x->graph.n_node, sizeof *x->graph.node);
    return x->graph.node[x->graph.n_node++] = n;
}

static void reads(Onnx__NodeProto *n, char *input)
{
    assert(n->n_input < 5);
    n->input[n->n_input++] = input;
}

static Onnx__AttributeProto *attribute(struct export *x, Onnx__NodeProto *n, const char *name)
{
    enum { MOST = 6 };
    if (!n->attribute)
        n->attribute = keep(x, MOST * sizeof *n->attribute);
    assert(n->n_attribute < MOST);
    Onnx__AttributeProto *a = keep(x, sizeof *a);
    onnx__attribute_proto__init(a);
    a->name = text(x, name);
    a->has_type = true;
    return n->attribute[n->n_attribute++] = a;
}

static void set_ints(struct export *x, Onnx__NodeProto *n, const char *name, size_t count,
                     int64_t value)
{
    Onnx__AttributeProto *a = attribute(x, n, name);
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
    a->ints = keep(x, count * sizeof *a->ints);
    while (a->n_ints < count)
        a->ints[a->n_ints++] = value;
}

static void set_int(struct export *x, Onnx__NodeProto *n, const char *name, int64_t value)
{
    Onnx__AttributeProto *a = attribute(x, n, name);
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    a->has_i = true, a->i = value;
}

static void set_float(struct export *x, Onnx__NodeProto *n, const char *name, float value)
{
    Onnx__AttributeProto *a = attribute(x, n, name);
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    a->has_f = true, a->f = value;
}

// ---- weights ----------------------------------------------------------------------------

// A tensor of the graph of this shape and name; where its values go.
static float *initializer(struct export *x, char *name, int dims, const int *shape)
{
    Onnx__TensorProto *t = keep(x, sizeof *t);
    onnx__tensor_proto__init(t);
    t->name = name;
    t->has_data_type = true;
    t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    t->dims = keep(x, 4 * sizeof *t->dims);
    size_t count = 1;
    for (int k = 0; k < dims; k++) {
        t->dims[t->n_dims++] = shape[k];
        count *= (size_t)shape[k];
    }
    float *values = x->weights + x->used;
    x->used += count;
    t->has_raw_data = true;
    t->raw_data = (ProtobufCBinaryData){count * sizeof *values, (uint8_t *)values};
    x->graph.initializer =
        xgrow(x->graph.initializer, x->graph.n_initializer, sizeof *x->graph.initializer);
    x->graph.initializer[x->graph.n_initializer++] = t;
    return values;
}

static const float *values_of(const struct export *x, size_t param)
{
    return net_values(x->net, net_param(x->net, param));
}

// Parameter `param` under its own name, each value times scale[its first index] if not NULL.
static char *weight(struct export *x, size_t param, const float *scale)
{
    const struct param *p = net_param(x->net, param);
    const float *values = values_of(x, param);
    float *to = initializer(x, text(x, p->name), p->dims, p->shape);
    size_t per = p->count / (size_t)p->shape[0];
    for (size_t i = 0; i < p->count; i++)
        to[i] = values[param_index(p, i)] * (scale ? scale[i / per] : 1);
    return text(x, p->name);
}

static char *vector(struct export *x, char *name, const float *values, int n)
{
    memcpy(initializer(x, name, 1, &n), values, (size_t)n * sizeof *values);
    return name;
}

// ---- operations -------------------------------------------------------------------------

// The activation of the tensor `name`, as `output`; what reads it.
static void activate(struct export *x, enum activation act, char *name, char *output)
{
    if (act == ACT_RELU) {
        reads(node(x, "Relu", output), name);
        return;
    }
    assert(act == ACT_SILU);
    char *gate = fresh(x, "sigmoid");
    reads(node(x, "Sigmoid", gate), name);
    Onnx__NodeProto *n = node(x, "Mul", output);
    reads(n, name);
    reads(n, gate);
}

static Onnx__NodeProto *convolution(struct export *x, char *in, char *out, int R, int S,
                                    int G)
{
    Onnx__NodeProto *n = node(x, "Conv", out);
    reads(n, in);
    set_ints(x, n, "kernel_shape", 2, R);
    set_ints(x, n, "strides", 2, S);
    set_ints(x, n, "pads", 4, R / 2);
    set_int(x, n, "group", G);
    return n;
}

// A convolution and its norm, which is the operation after it.
static void conv(struct export *x, const struct op *o)
{
    const struct op *norm = o + 1;
    assert(norm->kind == OP_NORM && norm->in == o->out);
    int K = x->plan->tensors[o->out].C;
    const float *gamma = values_of(x, norm->param), *beta = values_of(x, norm->param + 1),
                *mean = values_of(x, norm->param + 2), *var = values_of(x, norm->param + 3);
    bool last = norm->add == NONE && norm->act == ACT_NONE;
    char *done = of_tensor(x, norm->out), *y = last ? done : fresh(x, "norm");
    if (x->o->fold) {
        float *scale = keep(x, (size_t)K * sizeof *scale);
        float *shift = keep(x, (size_t)K * sizeof *shift);
        for (int k = 0; k < K; k++) {
            scale[k] = gamma[k] / sqrtf(var[k] + NET_NORM_EPS);
            shift[k] = beta[k] - mean[k] * scale[k];
        }
        Onnx__NodeProto *n = convolution(x, of_tensor(x, o->in), y, o->R, o->S, o->G);
        reads(n, weight(x, o->param, scale));
        reads(n, vector(x, join(x, o->name, ".bias"), shift, K));
    } else {
        char *plain = fresh(x, "conv");
        Onnx__NodeProto *n = convolution(x, of_tensor(x, o->in), plain, o->R, o->S, o->G);
        reads(n, weight(x, o->param, NULL));
        n = node(x, "BatchNormalization", y);
        reads(n, plain);
        for (size_t k = 0; k < 4; k++)
            reads(n, weight(x, norm->param + k, NULL));
        set_float(x, n, "epsilon", NET_NORM_EPS);
    }
    if (norm->add != NONE) {
        char *sum = norm->act == ACT_NONE ? done : fresh(x, "add");
        Onnx__NodeProto *n = node(x, "Add", sum);
        reads(n, y);
        reads(n, of_tensor(x, norm->add));
        y = sum;
    }
    if (norm->act != ACT_NONE)
        activate(x, norm->act, y, done);
}

static void squeeze(struct export *x, const struct op *o)
{
    char *mean = fresh(x, "mean"), *squeezed = fresh(x, "squeeze"),
         *hidden = fresh(x, "hidden");
    char *pre = fresh(x, "excite"), *gate = fresh(x, "gate"), *in = of_tensor(x, o->in);
    reads(node(x, "GlobalAveragePool", mean), in);
    Onnx__NodeProto *n = convolution(x, mean, squeezed, 1, 1, 1);
    reads(n, weight(x, o->param, NULL));
    reads(n, weight(x, o->param + 1, NULL));
    activate(x, o->act, squeezed, hidden);
    n = convolution(x, hidden, pre, 1, 1, 1);
    reads(n, weight(x, o->param + 2, NULL));
    reads(n, weight(x, o->param + 3, NULL));
    reads(node(x, "Sigmoid", gate), pre);
    n = node(x, "Mul", of_tensor(x, o->out));
    reads(n, in);
    reads(n, gate);
}

static void operations(struct export *x)
{
    for (int i = 0; i < x->plan->n; i++) {
        const struct op *o = &x->plan->ops[i];
        char *in = of_tensor(x, o->in);
        char *out = o->out == x->plan->logits ? text(x, "logits") : of_tensor(x, o->out);
        Onnx__NodeProto *n;
        switch (o->kind) {
        case OP_CONV:
            conv(x, o);
            break;
        case OP_SE:
            squeeze(x, o);
            break;
        case OP_MAXPOOL:
            reads(n = node(x, "MaxPool", out), in);
            set_ints(x, n, "kernel_shape", 2, 3);
            set_ints(x, n, "strides", 2, 2);
            set_ints(x, n, "pads", 4, 1);
            break;
        case OP_GAP:
            reads(node(x, "GlobalAveragePool", out), in);
            break;
        case OP_LINEAR: {
            char *flat = fresh(x, "flat");
            reads(node(x, "Flatten", flat), in);
            reads(n = node(x, "Gemm", out), flat);
            reads(n, weight(x, o->param, NULL));
            reads(n, weight(x, o->param + 1, NULL));
            set_int(x, n, "transB", 1);
            break;
        }
        case OP_NORM: // with its convolution
        case OP_KINDS:
            break;
        }
    }
}

// The input of the plan from the image of 0 to 255, or from the one that is normalised.
static void input(struct export *x)
{
    char *image = text(x, "image"), *ready = of_tensor(x, x->plan->input);
    if (!x->o->mean) {
        reads(node(x, "Identity", ready), image);
        return;
    }
    int shape[4] = {1, x->plan->arch.channels, 1, 1};
    char *mean = text(x, "mean"), *std = text(x, "std"), *centred = fresh(x, "centred");
    size_t bytes = (size_t)shape[1] * sizeof(float);
    memcpy(initializer(x, mean, 4, shape), x->o->mean, bytes);
    memcpy(initializer(x, std, 4, shape), x->o->std, bytes);
    Onnx__NodeProto *n = node(x, "Sub", centred);
    reads(n, image);
    reads(n, mean);
    n = node(x, "Div", ready);
    reads(n, centred);
    reads(n, std);
}

// ---- the model --------------------------------------------------------------------------

// Input or output: name and shape, whose first side is free.
static Onnx__ValueInfoProto **described(struct export *x, const char *name, int dims,
                                        const int *shape)
{
    Onnx__ValueInfoProto *v = keep(x, sizeof *v);
    Onnx__TypeProto *type = keep(x, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = keep(x, sizeof *tensor);
    Onnx__TensorShapeProto *s = keep(x, sizeof *s);
    onnx__value_info_proto__init(v);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(s);
    s->dim = keep(x, 4 * sizeof *s->dim);
    for (int k = 0; k < dims; k++) {
        Onnx__TensorShapeProto__Dimension *d = keep(x, sizeof *d);
        onnx__tensor_shape_proto__dimension__init(d);
        if (k == 0) {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            d->dim_param = text(x, "N");
        } else {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            d->dim_value = shape[k];
        }
        s->dim[s->n_dim++] = d;
    }
    tensor->has_elem_type = true;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = s;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    v->name = text(x, name);
    v->type = type;
    Onnx__ValueInfoProto **list = keep(x, sizeof *list);
    *list = v;
    return list;
}

static Onnx__StringStringEntryProto *pair(struct export *x, const char *key,
                                          const char *value)
{
    Onnx__StringStringEntryProto *p = keep(x, sizeof *p);
    onnx__string_string_entry_proto__init(p);
    p->key = text(x, key);
    p->value = text(x, value);
    return p;
}

// Moves the values of all tensors into a file beside the model, which is named in each of them.
static bool move_weights(struct export *x, const char *path, struct error *e)
{
    char *beside = join(x, path, ".data"), number[32];
    const char *slash = strrchr(beside, '/'), *name = slash ? slash + 1 : beside;
    for (size_t i = 0; i < x->graph.n_initializer; i++) {
        Onnx__TensorProto *t = x->graph.initializer[i];
        t->external_data = keep(x, 3 * sizeof *t->external_data);
        t->n_external_data = 3;
        t->external_data[0] = pair(x, "location", name);
        snprintf(number, sizeof number, "%zu",
                 (size_t)(t->raw_data.data - (uint8_t *)x->weights));
        t->external_data[1] = pair(x, "offset", number);
        snprintf(number, sizeof number, "%zu", t->raw_data.len);
        t->external_data[2] = pair(x, "length", number);
        t->has_data_location = true;
        t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
        t->has_raw_data = false;
    }
    struct new_file out;
    if (!file_begin(&out, beside, e))
        return false;
    fwrite(x->weights, sizeof *x->weights, x->used, out.f);
    return file_commit(&out, e);
}

struct to_file {
    ProtobufCBuffer base;
    FILE *f;
};

static void append(ProtobufCBuffer *b, size_t n, const uint8_t *data)
{
    fwrite(data, 1, n, ((struct to_file *)b)->f);
}

static bool write_model(struct export *x, const char *path, struct error *e)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    opset.domain = text(x, ""), opset.has_version = true, opset.version = OPSET;
    model.has_ir_version = true, model.ir_version = IR_VERSION;
    model.opset_import = &opsets, model.n_opset_import = 1;
    model.producer_name = text(x, "netspace");
    model.producer_version = text(x, NETSPACE_VERSION);
    model.graph = &x->graph;
    model.metadata_props = keep(x, (x->o->n_metadata + 1) * sizeof *model.metadata_props);
    for (size_t i = 0; i < x->o->n_metadata; i++)
        model.metadata_props[model.n_metadata_props++] =
            pair(x, x->o->metadata[i][0], x->o->metadata[i][1]);
    if (x->used * sizeof *x->weights > x->o->inside && !move_weights(x, path, e))
        return false;
    struct new_file out;
    if (!file_begin(&out, path, e))
        return false;
    struct to_file buffer = {{append}, out.f};
    protobuf_c_message_pack_to_buffer(&model.base, &buffer.base);
    return file_commit(&out, e);
}

bool onnx_there(void)
{
    return true;
}

bool onnx_write(struct net *n, const char *path, const struct onnx_options *o,
                struct error *e)
{
    const struct plan *plan = net_plan(n);
    const struct arch *a = &plan->arch;
    struct export x = {.net = n, .plan = plan, .o = o};
    size_t floats = 2 * (size_t)a->channels; // of mean and deviation
    for (size_t i = 0; i < net_params(n); i++)
        floats += net_param(n, i)->count;
    size_t bytes = floats * sizeof *x.weights;
    x.weights = block_alloc(bytes);
    if (!x.weights)
        return error_set(e, "%s: no memory for a copy of %zu weights", path, floats);
    onnx__graph_proto__init(&x.graph);
    x.graph.name = text(&x, "netspace");
    x.graph.input = described(&x, "image", 4, (int[]){0, a->channels, a->image, a->image});
    x.graph.output = described(&x, "logits", 2, (int[]){0, a->classes});
    x.graph.n_input = x.graph.n_output = 1;
    input(&x);
    operations(&x);
    assert(x.used <= floats);
    bool good = write_model(&x, path, e);
    for (size_t i = 0; i < x.n_kept; i++)
        free(x.kept[i]);
    free(x.kept);
    free(x.graph.node);
    free(x.graph.initializer);
    block_free(x.weights, bytes);
    return good;
}

#endif
