#!/usr/bin/env python3
"""Trains the digit net of this demo and writes everything that the demo needs.

    pip install numpy scikit-learn openvino
    python3 train.py            writes model.xml, model.bin, images/*.png and images/labels.txt beside this file

The net is small enough to be trained by plain numpy: conv 3x3 (16) - relu - conv 3x3 (32) - relu - max pool - conv 3x3 (32) - relu - full (10) - softmax
on 8x8 pixels. 200 of the 1797 images, 20 of each digit, are put aside before training and never looked at until the end; they become the PNG files,
enlarged to 32x32. Same seed, same files.
"""
import os
import struct
import zlib

import numpy as np
from sklearn.datasets import load_digits

HERE = os.path.dirname(os.path.abspath(__file__))
HELD_OUT_PER_DIGIT, EPOCHS, BATCH, SEED = 20, 40, 64, 7


# ---- layers: forward keeps what backward needs; every layer lists its parameters and fills their gradients ----
class Conv:
    """3x3, stride 1, padding 1, by unfolding the neighbourhoods into columns."""

    def __init__(self, rng, c_in, c_out):
        self.w = rng.normal(0, np.sqrt(2 / (c_in * 9)), (c_out, c_in, 3, 3)).astype('f4')
        self.b = np.zeros(c_out, 'f4')

    def forward(self, x):
        n, c, h, w = x.shape
        p = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        self.cols = np.stack([p[:, :, dy:dy + h, dx:dx + w] for dy in range(3) for dx in range(3)], 2)  # n c 9 h w
        self.cols = self.cols.transpose(0, 3, 4, 1, 2).reshape(n * h * w, c * 9)
        self.shape = x.shape
        y = self.cols @ self.w.reshape(len(self.w), -1).T + self.b
        return y.reshape(n, h, w, -1).transpose(0, 3, 1, 2)

    def backward(self, dy):
        n, c, h, w = self.shape
        d = dy.transpose(0, 2, 3, 1).reshape(n * h * w, -1)
        self.gw, self.gb = (d.T @ self.cols).reshape(self.w.shape), d.sum(0)
        dcols = (d @ self.w.reshape(len(self.w), -1)).reshape(n, h, w, c, 9).transpose(0, 3, 4, 1, 2)
        dp = np.zeros((n, c, h + 2, w + 2), 'f4')
        for k in range(9):
            dp[:, :, k // 3:k // 3 + h, k % 3:k % 3 + w] += dcols[:, :, k]
        return dp[:, :, 1:-1, 1:-1]


class Relu:
    def forward(self, x):
        self.on = x > 0
        return x * self.on

    def backward(self, dy):
        return dy * self.on


class MaxPool:
    def forward(self, x):
        n, c, h, w = x.shape
        v = x.reshape(n, c, h // 2, 2, w // 2, 2)
        y = v.max((3, 5))
        self.first = v == y[:, :, :, None, :, None]
        return y

    def backward(self, dy):
        d = self.first * dy[:, :, :, None, :, None]
        n, c, h, _, w, _ = d.shape
        return d.reshape(n, c, h * 2, w * 2)


class Full:
    def __init__(self, rng, n_in, n_out):
        self.w = rng.normal(0, np.sqrt(1 / n_in), (n_in, n_out)).astype('f4')
        self.b = np.zeros(n_out, 'f4')

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1)
        return self.x @ self.w + self.b

    def backward(self, dy):
        self.gw, self.gb = self.x.T @ dy, dy.sum(0)
        return (dy @ self.w.T).reshape(self.shape)


class Adam:
    def __init__(self, layers):
        self.slots = [(l, p, np.zeros_like(getattr(l, p)), np.zeros_like(getattr(l, p))) for l in layers for p in ('w', 'b') if hasattr(l, p)]
        self.t = 0

    def step(self, rate):
        self.t += 1
        for layer, p, m, v in self.slots:
            g = getattr(layer, 'g' + p)
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            fixed_m, fixed_v = m / (1 - 0.9 ** self.t), v / (1 - 0.999 ** self.t)
            w = getattr(layer, p)
            w -= (rate * (fixed_m / (np.sqrt(fixed_v) + 1e-8) + 1e-3 * w)).astype('f4')


def logits(layers, x):
    for layer in layers:
        x = layer.forward(x)
    return x


def wobble(rng, x):
    """The same digits a little elsewhere: shifted by up to one pixel, with noise and another contrast."""
    p = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.empty_like(x)
    for i, (dy, dx) in enumerate(rng.integers(0, 3, (len(x), 2)) if rng.random() < 0.7 else np.ones((len(x), 2), int)):
        out[i] = p[i, :, dy:dy + 8, dx:dx + 8]
    return np.clip(out * rng.uniform(0.85, 1.15, (len(x), 1, 1, 1)) + rng.normal(0, 0.03, x.shape), 0, 1).astype('f4')


def train(x, y):
    rng = np.random.default_rng(SEED)
    layers = [Conv(rng, 1, 16), Relu(), Conv(rng, 16, 32), Relu(), MaxPool(), Conv(rng, 32, 32), Relu(), Full(rng, 32 * 4 * 4, 10)]
    adam, steps, step = Adam(layers), EPOCHS * (len(x) // BATCH), 0
    for epoch in range(EPOCHS):
        order, total = rng.permutation(len(x)), 0.0
        for at in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[at:at + BATCH]
            z = logits(layers, wobble(rng, x[rows]))
            p = np.exp(z - z.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            total -= np.log(p[np.arange(BATCH), y[rows]] + 1e-9).sum()
            p[np.arange(BATCH), y[rows]] -= 1
            d = p / BATCH
            for layer in reversed(layers):
                d = layer.backward(d)
            adam.step(3e-3 * 0.5 * (1 + np.cos(np.pi * step / steps)))
            step += 1
        if epoch % 5 == 4:
            print(f'epoch {epoch + 1:3}: loss {total / len(x):.4f}')
    return layers


# ---- what the demo reads ----
def save_ir(layers, path):
    import openvino as ov
    from openvino import opset13 as op
    convs, full = [l for l in layers if isinstance(l, Conv)], layers[-1]

    def conv(x, layer, name):
        y = op.convolution(x, op.constant(layer.w), [1, 1], [1, 1], [1, 1], [1, 1])
        y = op.add(y, op.constant(layer.b.reshape(1, -1, 1, 1)))
        return op.relu(y, name=name)

    image = op.parameter([1, 1, 8, 8], np.float32, name='image')
    image.output(0).set_names({'image'})
    x = conv(conv(image, convs[0], 'conv1'), convs[1], 'conv2')
    x = op.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
    x = op.reshape(conv(x, convs[2], 'conv3'), op.constant(np.array([1, -1], np.int64)), False)
    x = op.add(op.matmul(x, op.constant(full.w), False, False), op.constant(full.b.reshape(1, -1)))
    x = op.softmax(x, 1)
    x.output(0).set_names({'probabilities'})
    ov.save_model(ov.Model([x], [image], 'digits'), path, compress_to_fp16=False)


def png(pixels):
    """A grayscale PNG of h x w bytes."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    h, w = pixels.shape
    rows = b''.join(b'\0' + row.tobytes() for row in pixels)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 0, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(rows, 9)) + chunk(b'IEND', b'')


def save_images(x, y):
    folder = os.path.join(HERE, 'images')
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'labels.txt'), 'w') as labels:
        for i, (image, digit) in enumerate(zip(x, y)):
            pixels = np.round(image[0] * 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)
            with open(os.path.join(folder, f'{i + 1:03}.png'), 'wb') as f:
                f.write(png(pixels))
            labels.write(f'{i + 1:03}.png {digit}\n')


def main():
    data = load_digits()
    x, y = (data.images / 16).astype('f4')[:, None], data.target
    order = np.random.default_rng(SEED).permutation(len(x))
    held = np.concatenate([order[y[order] == d][:HELD_OUT_PER_DIGIT] for d in range(10)])
    held = np.random.default_rng(SEED).permutation(held)
    rest = np.setdiff1d(order, held)
    layers = train(x[rest], y[rest])
    for name, rows in (('training', rest), ('held-out', held)):
        right = int((logits(layers, x[rows]).argmax(1) == y[rows]).sum())
        print(f'{name}: {right} of {len(rows)} right ({100 * right / len(rows):.1f} %)')
    save_ir(layers, os.path.join(HERE, 'model.xml'))
    save_images(x[held], y[held])


main()
