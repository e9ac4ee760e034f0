#!/usr/bin/env python3
"""make compare-operators: models of single operators, and little nets of many kinds, for compare.py.

    python3 nets.py FOLDER [KIND]      KIND: operators (default), nets, or halves (the nets in f16)

Sizes are those at which users meet the operators. What is slow here runs on no kernel, or on one that does not fit. Weights are random.
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
TYPES = {'f4': TensorProto.FLOAT, 'f2': TensorProto.FLOAT16, 'i8': TensorProto.INT64, 'u1': TensorProto.UINT8, 'b1': TensorProto.BOOL}


def normal(*shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype('f4')


class Net:
    """Nodes and weights; inputs are (type, shape) by name."""

    def __init__(self, **inputs):
        self.inputs, self.nodes, self.weights, self.kind = inputs, [], {}, 'f4'

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f'{kind}_{len(self.nodes)}_{i}' for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, [self.name(x) for x in inputs], names, **attributes))
        return names[0] if outputs == 1 else names

    def name(self, x):
        if isinstance(x, str):
            return x
        x = np.asarray(x)
        if x.dtype == np.float64:
            x = x.astype('f4')
        name = f'w{len(self.weights)}'
        self.weights[name] = x.astype(self.kind) if x.dtype == np.float32 else x
        return name

    def save(self, folder, *results):
        values = [numpy_helper.from_array(w, k) for k, w in self.weights.items()]
        inputs = [helper.make_tensor_value_info(k, TYPES[t if t != 'f4' else self.kind], s) for k, (t, s) in self.inputs.items()]
        graph = helper.make_graph(self.nodes, 'net', inputs, [onnx.ValueInfoProto(name=r) for r in results], values)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
        os.makedirs(folder, exist_ok=True)
        onnx.save(onnx.shape_inference.infer_shapes(model), f'{folder}/model.onnx')

    # ---- what nets are made of ----
    def conv(self, x, channels, out, size=1, stride=1, groups=1, act='silu'):
        fan = channels // groups * size * size
        y = self.op('Conv', x, normal(out, channels // groups, size, size, scale=(1.5 / fan) ** .5), normal(out, scale=.1), strides=[stride, stride],
                    pads=[size // 2] * 4, group=groups)
        if act == 'silu':
            return self.op('Mul', y, self.op('Sigmoid', y))
        return self.op(act, y) if act else y

    def linear(self, x, channels, out):
        return self.op('Add', self.op('MatMul', x, normal(channels, out, scale=channels ** -.5)), normal(out, scale=.1))

    def layer_norm(self, x, channels):
        d = self.op('Sub', x, self.op('ReduceMean', x, axes=[-1]))
        v = self.op('ReduceMean', self.op('Pow', d, 2.0), axes=[-1])
        y = self.op('Div', d, self.op('Sqrt', self.op('Add', v, 1e-5)))
        return self.op('Add', self.op('Mul', y, normal(channels)), normal(channels))

    def gelu(self, x):
        return self.op('Mul', self.op('Mul', x, self.op('Add', self.op('Erf', self.op('Div', x, 2 ** .5)), 1.0)), 0.5)


# ---- single operators: name, operator, inputs ("x" is f32 of this shape), weights, attributes ----
def operators():
    image, whole = (1, 64, 56, 56), np.array
    rows = [('d2s', 'DepthToSpace', [image], dict(blocksize=2)), ('s2d', 'SpaceToDepth', [image], dict(blocksize=2)),
            ('argmax', 'ArgMax', [(1, 21, 128, 128)], dict(axis=1)), ('topk', 'TopK', [(32, 8400), whole([100])], dict(axis=-1), 2),
            ('softmax_channels', 'Softmax', [(1, 21, 128, 128)], dict(axis=1)), ('softmax', 'Softmax', [(8, 12, 128, 128)], dict(axis=-1)),
            ('logsoftmax', 'LogSoftmax', [(128, 5000)], dict(axis=-1)),
            ('layernorm', 'LayerNormalization', [(1, 197, 768), normal(768), normal(768)], {}),
            ('instancenorm', 'InstanceNormalization', [image, normal(64), normal(64)], {}), ('lrn', 'LRN', [image], dict(size=5)),
            ('lpnorm', 'LpNormalization', [(512, 512)], dict(axis=-1)),
            ('conv_transpose2', 'ConvTranspose', [(1, 64, 64, 64), normal(64, 32, 2, 2)], dict(strides=[2, 2])),
            ('conv_transpose4', 'ConvTranspose', [(1, 64, 32, 32), normal(64, 32, 4, 4)], dict(strides=[2, 2], pads=[1] * 4)),
            ('conv_dilated', 'Conv', [image, normal(64, 64, 3, 3)], dict(dilations=[2, 2], pads=[2] * 4)),
            ('conv7', 'Conv', [(1, 3, 224, 224), normal(64, 3, 7, 7)], dict(strides=[2, 2], pads=[3] * 4)),
            ('conv3d', 'Conv', [(1, 16, 16, 32, 32), normal(16, 16, 3, 3, 3)], dict(pads=[1] * 6)),
            ('conv1d', 'Conv', [(1, 64, 4000), normal(64, 64, 7)], dict(pads=[3, 3])),
            ('conv1d_first', 'Conv', [(1, 1, 16000), normal(128, 1, 10)], dict(strides=[5])),
            ('depthwise7', 'Conv', [(1, 96, 56, 56), normal(96, 1, 7, 7)], dict(pads=[3] * 4, group=96)),
            ('groups32', 'Conv', [(1, 128, 56, 56), normal(128, 4, 3, 3)], dict(pads=[1] * 4, group=32)),
            ('gru', 'GRU', [(100, 1, 128), normal(1, 384, 128, scale=.06), normal(1, 384, 128, scale=.06), normal(1, 768)],
             dict(hidden_size=128, linear_before_reset=1), 2),
            ('lstm', 'LSTM', [(50, 8, 256), normal(1, 1024, 256, scale=.06), normal(1, 1024, 256, scale=.06), normal(1, 2048)],
             dict(hidden_size=256), 3),
            ('pad_reflect', 'Pad', [image, whole([0, 0, 3, 3, 0, 0, 3, 3])], dict(mode='reflect')), ('cumsum', 'CumSum', [(64, 4096), whole(1)], {}),
            ('expand', 'Expand', [(64, 1, 256), whole([64, 16, 256])], {}), ('tile', 'Tile', [(64, 1, 256), whole([1, 16, 2])], {}),
            ('gather', 'Gather', [(30000, 256), rng.integers(0, 30000, (4, 128))], {}),
            ('gathernd', 'GatherND', [(64, 512, 32), rng.integers(0, 60, (999, 2))], {}),
            ('gather_elements', 'GatherElements', [(256, 512), rng.integers(0, 512, (256, 300))], dict(axis=1)),
            ('scatternd', 'ScatterND', [(512, 512), np.arange(0, 300).reshape(300, 1), normal(300, 512)], {}),
            ('onehot', 'OneHot', [('i8', (512,)), whole(1000), whole([0, 1], 'f4')], {}),
            ('einsum', 'Einsum', [(8, 128, 64), (8, 128, 64)], dict(equation='bid,bjd->bij')),
            ('transpose_channels', 'Transpose', [image], dict(perm=[0, 2, 3, 1])),
            ('transpose_heads', 'Transpose', [(8, 128, 12, 64)], dict(perm=[0, 2, 1, 3])),
            ('transpose_last', 'Transpose', [(8, 512, 512)], dict(perm=[0, 2, 1])), ('concat_channels', 'Concat', [image, image], dict(axis=1)),
            ('concat_last', 'Concat', [image, image], dict(axis=3)),
            ('maxpool', 'MaxPool', [(1, 64, 112, 112)], dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)),
            ('averagepool', 'AveragePool', [image], dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)),
            ('global', 'GlobalAveragePool', [image], {}),
            ('matmul', 'MatMul', [(128, 768), normal(768, 3072)], {}), ('matmul_batch', 'MatMul', [(12, 197, 64), (12, 64, 197)], {}),
            ('matmul_vector', 'MatMul', [(1, 1024), normal(1024, 4096)], {}), ('add_broadcast', 'Add', [(64, 1, 512), (1, 64, 512)], {}),
            ('prelu', 'PRelu', [image, normal(64, 1, 1)], {}), ('trilu', 'Trilu', [(512, 512)], dict(upper=0)),
            ('grid_sample', 'GridSample', [(1, 32, 64, 64), rng.uniform(-1, 1, (1, 64, 64, 2)).astype('f4')], {}),
            ('less', 'Less', [image, image], {}),
            ('cast_u8', 'Cast', [('u1', (1, 3, 640, 640))], dict(to=1)), ('cast_i64', 'Cast', [('i8', (64, 4096))], dict(to=1)),
            ('where', 'Where', [('b1', (64, 4096)), (64, 4096), (64, 4096)], {})]
    for mode, at in (('nearest', 'asymmetric'), ('linear', 'half_pixel'), ('linear', 'align_corners'), ('cubic', 'half_pixel')):
        rows.append((f'resize_{mode}_{at}', 'Resize', [image, '', whole([1, 1, 2, 2], 'f4')], dict(mode=mode, coordinate_transformation_mode=at)))
    for op in ('ReduceMean', 'ReduceMax'):
        rows += [(f'{op.lower()}_{i}', op, [(1, 64, 56, 56)], dict(axes=axes)) for i, axes in enumerate(([2, 3], [1], [3]))]
    for op in 'Erf Exp Sin Cos Tanh Sigmoid Softplus Floor Neg Abs HardSwish Elu Sign Round Atan'.split():
        rows.append((f'e_{op.lower()}', op, [image], {}))
    for name, op, given, attributes, *outputs in rows:
        inputs, values = {}, []
        for x in given:
            if isinstance(x, tuple):
                kind, shape = x if isinstance(x[0], str) else ('f4', x)
                values.append(f'x{len(inputs)}')
                inputs[values[-1]] = (kind, shape)
            else:
                values.append(x)
        net = Net(**inputs)
        y = net.op(op, *values, outputs=outputs[0] if outputs else 1, **attributes)
        yield name, net, [y] if isinstance(y, str) else y[:2]


# ---- nets ----
def c2f(net, x, channels, out, n):
    half = out // 2
    parts = list(net.op('Split', net.conv(x, channels, out), np.array([half, half]), outputs=2, axis=1))
    for _ in range(n):
        parts.append(net.op('Add', parts[-1], net.conv(net.conv(parts[-1], half, half, 3), half, half, 3)))
    return net.conv(net.op('Concat', *parts, axis=1), half * (n + 2), out)


def detector(net):
    """A backbone, a pyramid with upsampling, and a head for each of three scales."""
    def up(x):
        return net.op('Resize', x, '', np.array([1, 1, 2, 2], 'f4'), mode='nearest',
                      coordinate_transformation_mode='asymmetric', nearest_mode='floor')
    x = c2f(net, net.conv(net.conv('x', 3, 16, 3, 2), 16, 32, 3, 2), 32, 32, 1)
    p3 = c2f(net, net.conv(x, 32, 64, 3, 2), 64, 64, 2)
    p4 = c2f(net, net.conv(p3, 64, 128, 3, 2), 128, 128, 2)
    pools = [net.conv(c2f(net, net.conv(p4, 128, 256, 3, 2), 256, 256, 1), 256, 128)]
    for _ in range(3):
        pools.append(net.op('MaxPool', pools[-1], kernel_shape=[5, 5], pads=[2] * 4))
    p5 = net.conv(net.op('Concat', *pools, axis=1), 512, 256)
    u4 = c2f(net, net.op('Concat', up(p5), p4, axis=1), 384, 128, 1)
    u3 = c2f(net, net.op('Concat', up(u4), p3, axis=1), 192, 64, 1)
    heads = [net.op("Reshape", net.conv(net.conv(t, c, 64, 3), 64, 84, act=""), np.array([1, 84, -1]))
             for t, c in ((u3, 64), (u4, 128), (p5, 256))]
    boxes, classes = net.op('Split', net.op('Concat', *heads, axis=2), np.array([4, 80]), outputs=2, axis=1)
    return net.op('Concat', boxes, net.op('Sigmoid', classes), axis=1)


def segmenter(net):
    x, channels, sides = 'x', 3, []
    for c in (16, 32, 64, 128):
        x = net.conv(net.conv(x, channels, c, 3, act='Relu'), c, c, 3, act='Relu')
        sides.append((x, c))
        x, channels = net.op('MaxPool', x, kernel_shape=[2, 2], strides=[2, 2]), c
    x, channels = net.conv(x, 128, 256, 3, act='Relu'), 256
    for side, c in reversed(sides):
        x = net.op('Concat', net.op('ConvTranspose', x, normal(channels, c, 2, 2, scale=.05), strides=[2, 2]), side, axis=1)
        x, channels = net.conv(net.conv(x, 2 * c, c, 3, act='Relu'), c, c, 3, act='Relu'), c
    return net.conv(x, 16, 5, act='')


def convnext(net):
    x = net.op('Conv', 'x', normal(64, 3, 4, 4, scale=.1), strides=[4, 4])
    for _ in range(4):
        y = net.op('Transpose', net.op('Conv', x, normal(64, 1, 7, 7, scale=.1), group=64, pads=[3] * 4), perm=[0, 2, 3, 1])
        y = net.linear(net.gelu(net.linear(net.layer_norm(y, 64), 64, 256)), 256, 64)
        x = net.op('Add', x, net.op('Transpose', net.op('Mul', y, normal(64)), perm=[0, 3, 1, 2]))
    return net.op('GlobalAveragePool', x)


def decoder(net, width=256, heads=8, length=64):
    """Blocks with RMS norms, rotary embeddings, causal attention and gated products."""
    angle = net.op('Mul', np.arange(length, dtype='f4')[:, None], (100.0 ** (-np.arange(16) / 16)).astype('f4')[None])
    angle = net.op('Concat', angle, angle, axis=-1)
    cos, sin = net.op('Cos', angle), net.op('Sin', angle)
    mask = np.triu(np.full((length, length), -1e4, 'f4'), 1)

    def rms(x):
        mean = net.op('ReduceMean', net.op('Mul', x, x), axes=[-1])
        return net.op('Mul', net.op('Mul', x, net.op('Reciprocal', net.op('Sqrt', net.op('Add', mean, 1e-5)))), normal(width))

    def turned(x):
        a, b = net.op('Split', x, np.array([16, 16]), outputs=2, axis=-1)
        return net.op('Add', net.op('Mul', x, cos), net.op('Mul', net.op('Concat', net.op('Neg', b), a, axis=-1), sin))

    def product(x, n, m):
        return net.op('MatMul', x, normal(n, m, scale=n ** -.5))

    def split(x):
        return net.op('Transpose', net.op('Reshape', product(x, width, width), np.array([1, length, heads, 32])), perm=[0, 2, 1, 3])
    x = 'x'
    for _ in range(4):
        y = rms(x)
        scores = net.op('MatMul', turned(split(y)), net.op('Transpose', turned(split(y)), perm=[0, 1, 3, 2]))
        weights = net.op('Softmax', net.op('Add', net.op('Mul', scores, 32 ** -.5), mask), axis=-1)
        y = net.op('Reshape', net.op('Transpose', net.op('MatMul', weights, split(y)), perm=[0, 2, 1, 3]), np.array([1, length, width]))
        x = net.op('Add', x, product(y, width, width))
        y = rms(x)
        gate = product(y, width, 704)
        x = net.op('Add', x, product(net.op('Mul', net.op('Mul', gate, net.op('Sigmoid', gate)), product(y, width, 704)), 704, width))
    return x


def upscaler(net):
    x = net.conv('x', 3, 32, 3, act='Relu')
    for _ in range(4):
        x = net.op('Add', x, net.conv(net.conv(x, 32, 32, 3, act='Relu'), 32, 32, 3, act=''))
    return net.op('DepthToSpace', net.conv(x, 32, 48, 3, act=''), blocksize=4, mode='CRD')


def grouped(net):
    x = net.op('MaxPool', net.conv('x', 3, 64, 7, 2, act='Relu'), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for c, stride in ((128, 1), (256, 2)):
        y = net.conv(net.conv(net.conv(x, channels, c, act='Relu'), c, c, 3, stride, groups=32, act='Relu'), c, 2 * c, act='')
        x, channels = net.op('Relu', net.op('Add', y, net.conv(x, channels, 2 * c, 1, stride, act=''))), 2 * c
    return net.op('GlobalAveragePool', x)


def reader(net):
    """Columns of a line of text through two bidirectional LSTMs."""
    x = net.op('MaxPool', net.conv('x', 1, 32, 3, act='Relu'), kernel_shape=[2, 2], strides=[2, 2])
    x = net.op('MaxPool', net.conv(x, 32, 64, 3, act='Relu'), kernel_shape=[2, 2], strides=[2, 2])
    x = net.op('Relu', net.op('Conv', x, normal(128, 64, 8, 3, scale=.03), pads=[0, 1, 0, 1]))
    x = net.op('Transpose', net.op('Squeeze', x, np.array([2])), perm=[2, 0, 1])
    for channels in (128, 256):
        y = net.op('LSTM', x, normal(2, 512, channels, scale=.05), normal(2, 512, 128, scale=.05), normal(2, 1024, scale=.05),
                   outputs=3, hidden_size=128, direction='bidirectional')[0]
        x = net.op('Reshape', net.op('Transpose', y, perm=[0, 2, 1, 3]), np.array([0, 0, -1]))
    return net.op('Softmax', net.linear(x, 256, 97), axis=-1)


NETS = [(detector, (1, 3, 320, 320)), (segmenter, (1, 3, 192, 192)), (convnext, (1, 3, 224, 224)), (decoder, (1, 64, 256)),
        (upscaler, (1, 3, 128, 128)), (grouped, (1, 3, 224, 224)), (reader, (1, 1, 32, 160))]


def nets(kind):
    for build, shape in NETS:
        net = Net(x=('f4', shape))
        net.kind = kind
        yield build.__name__, net, [build(net)]


def main():
    folder, kind = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else 'operators'
    for name, net, results in operators() if kind == 'operators' else nets('f2' if kind == 'halves' else 'f4'):
        net.save(f'{folder}/{name}', *results)


if __name__ == '__main__':
    main()
