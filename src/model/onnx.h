/* A network as an ONNX model, for runtimes that know nothing of netspace: opset 17, IR version 8.
 *
 * Input "image": float (N, channels, image, image), N free; red first.  Output "logits": float
 * (N, classes).  Operators: Conv, BatchNormalization, Relu, Sigmoid, Mul, Add, MaxPool,
 * GlobalAveragePool, Flatten, Gemm; Sub and Div where the input is normalised inside.
 * Source: onnx.proto and Operators.md of ONNX (https://github.com/onnx/onnx), opset 17. */
#ifndef MODEL_ONNX_H
#define MODEL_ONNX_H
#include "model/net.h"

struct onnx_options {
    bool fold; // batch norm into the convolution before it
    /* (channels) each, or NULL: the input is normalised already.  Else it has values from 0 to
     * 255. */
    const float *mean, *std;
    const char *const (*metadata)[2]; // key and value
    size_t n_metadata;
    /* Most bytes of weights inside the model; more lie in a file beside it, path + ".data",
     * because a message of protobuf has at most 2 GiB. */
    size_t inside;
};

bool onnx_there(void); // whether this build has protobuf-c and ONNX's schema
/* False with a message, also where it is not there. */
bool onnx_write(struct net *n, const char *path, const struct onnx_options *o,
                struct error *e);

#endif
