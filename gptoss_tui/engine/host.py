"""A prefill chunk's large products on the CPU, through NumPy, at once instead of lazily.

MLX's Linux wheel carries the reference BLAS, which multiplies about 1 to 3 billion pairs a second, and takes its
exponentials one by one; NumPy's own wheel brings OpenBLAS, which does 30 to 80, and vectorised exponentials. A prefill
chunk consists of little else, so on the CPU it is worth leaving the lazy graph for it: inputs are looked at in place,
only results are copied. Decode, whose products are thin, stays lazy. Never used on a GPU.
"""

from __future__ import annotations

import os
from functools import cache

import mlx.core as mx
import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

ROWS = 16
"""Rows of the left side from which the trip to NumPy is worth its two waits."""


def pays(x: mx.array) -> bool:
    """Whether products of x (..., rows, in) should come here."""
    return x.shape[-2] >= ROWS and x.dtype == mx.float32 and mx.default_device() == mx.Device(mx.cpu)


@cache
def share_cores() -> None:
    """Leaves half of the cores to the rest of the machine, once for the process.

    OpenBLAS's threads spin while they wait for each other: on a machine that is busy otherwise, one thread a core takes
    twenty times as long as half as many.
    """
    ThreadpoolController().limit(limits=max(1, (os.cpu_count() or 1) // 2), user_api="blas")


def product(a: mx.array, b: mx.array) -> mx.array:
    """a @ b for float32 arrays (..., rows, in) and (..., in, out): evaluated now."""
    mx.eval(a, b)
    return mx.array(np.matmul(_view(a), _view(b)))


def grouped_product(x: mx.array, weights: mx.array, groups: mx.array) -> mx.array:
    """Each row of x (n, in) through the matrix that `groups` (n,) names: weights (groups, in, out), to (n, out).

    `groups` must be sorted, so that each matrix is one product.
    """
    mx.eval(x, weights, groups)
    rows, matrices = _view(x), _view(weights)
    edges = np.searchsorted(np.asarray(groups), np.arange(len(matrices) + 1))
    out = np.empty((len(rows), matrices.shape[-1]), np.float32)
    for matrix, begin, end in zip(matrices, edges[:-1], edges[1:], strict=True):
        if begin < end:
            np.matmul(rows[begin:end], matrix, out=out[begin:end])
    return mx.array(out)


def attention(queries: mx.array, keys: mx.array, values: mx.array, sinks: mx.array, mask: mx.array | None) -> mx.array:
    """Attention with sinks: queries (kv_heads, G, L, D), keys and values (kv_heads, T, D), sinks (heads,), mask (L, T).

    Returns (heads, L, D). Scores come scaled.
    """
    mx.eval(queries, keys, values, sinks, *([] if mask is None else [mask]))
    groups, share, count, dim = queries.shape
    rows, keys_here, values_here = _view(queries).reshape(groups, share * count, dim), _view(keys), _view(values)
    mixed = np.empty((groups, share * count, dim), np.float32)
    sink = np.repeat(np.asarray(sinks), count).reshape(groups, share * count, 1)
    hidden = None if mask is None else np.tile(~np.asarray(mask), (share, 1))
    # One KV head at a time, so that a head's scores, the largest thing here, stay in the processor's caches.
    for group in range(groups):
        scores = rows[group] @ keys_here[group].T
        if hidden is not None:
            np.putmask(scores, hidden, -np.inf)
        peak = np.maximum(scores.max(axis=-1, keepdims=True), sink[group])
        weights = np.exp(scores - peak, out=scores)
        total = weights.sum(axis=-1, keepdims=True) + np.exp(sink[group] - peak)
        np.divide(weights @ values_here[group], total, out=mixed[group])
    return mx.array(mixed.reshape(groups * share, count, dim))


def _view(array: mx.array) -> npt.NDArray[np.float32]:
    """The array's own memory, strides and all."""
    return np.array(array, copy=None)
