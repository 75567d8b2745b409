"""A prefill chunk's large products on the CPU, through NumPy, at once instead of lazily.

MLX's Linux wheel carries the reference BLAS, which multiplies about 1 to 3 billion pairs a second, and takes its
exponentials one by one; NumPy's own wheel brings OpenBLAS, which does 30 to 80, and vectorised exponentials. A prefill
chunk consists of little else, so on the CPU it is worth leaving the lazy graph for it: inputs are looked at in place,
only results are copied. Decode, whose products are thin, stays lazy. Never used on a GPU.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import mlx.core as mx
import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

ROWS = 16
"""Rows of the left side from which the trip to NumPy is worth its two waits."""

SCORES = 2**20
"""Attention scores that are computed at a time, so that they stay in the processor's caches: 4 MiB."""

_own = threading.local()  # engines have a thread each


def pays(x: mx.array) -> bool:
    """Whether products of x (..., rows, in) should come here."""
    return x.shape[-2] >= ROWS and here(x)


def here(x: mx.array) -> bool:
    """Whether x is float32 on the CPU, which all of this is for."""
    return x.dtype == mx.float32 and mx.default_device() == mx.Device(mx.cpu)


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
    return mx.array(np.matmul(view(a), view(b)))


def grouped_product(x: mx.array, weights: mx.array, groups: mx.array) -> mx.array:
    """Each row of x (n, in) through the matrix that `groups` (n,) names: weights (groups, in, out), to (n, out).

    `groups` must be sorted, so that each matrix is one product.
    """
    mx.eval(x, weights, groups)
    rows, matrices = view(x), view(weights)
    out = np.empty((len(rows), matrices.shape[-1]), np.float32)
    for matrix, begin, end in stretches(groups, len(matrices)):
        np.matmul(rows[begin:end], matrices[matrix], out=out[begin:end])
    return mx.array(out)


def stretches(groups: mx.array, count: int) -> Iterator[tuple[int, int, int]]:
    """Where each of the numbers 0 to `count` lies in sorted `groups`: (number, begin, end), of those that do."""
    edges = np.searchsorted(np.asarray(groups), np.arange(count + 1)).tolist()
    for matrix, (begin, end) in enumerate(pairwise(edges)):
        if begin < end:
            yield matrix, begin, end


def attention(queries: mx.array, keys: mx.array, values: mx.array, sinks: mx.array, window: int | None) -> mx.array:
    """Attention with sinks of the last L of T tokens: queries (kv_heads, G, L, D), keys and values (kv_heads, T, D),
    sinks (heads,).

    Returns (L, heads * D). Scores come scaled. A sliding layer is given what its first query sees and all after it.
    """
    mx.eval(queries, keys, values, sinks)
    rows, keys_here, values_here, sink = view(queries), view(keys), view(values), np.asarray(sinks)
    groups, share, count, dim = rows.shape
    seen = keys_here.shape[1]
    mixed = np.empty((count, groups, share, dim), np.float32)
    most = max(1, SCORES // (share * seen))
    blocks = -(-count // (most if window is None else min(most, window)))
    edges = [count * block // blocks for block in range(blocks + 1)]
    for begin, end in pairwise(edges):
        # What the block's queries see together; of the rest, no score is computed.
        size, last = end - begin, seen - count + end
        first = 0 if window is None else max(0, last - size - window + 1)
        # In a full layer only the block's own keys may be hidden from some of its queries.
        hiding = _hidden(size, size if window is None else last - first, window)
        sunk = np.repeat(sink, size).reshape(groups, -1, 1)
        for group in range(groups):
            scores = _scratch(share * size, last - first)
            np.matmul(rows[group, :, begin:end].reshape(-1, dim), keys_here[group, first:last].T, out=scores)
            edge = scores.reshape(share, size, -1)[..., -hiding.shape[1] :]
            np.add(edge, hiding, out=edge)
            peak = np.maximum(scores.max(axis=-1, keepdims=True), sunk[group])
            np.subtract(scores, peak, out=scores)
            np.exp(scores, out=scores)
            total = scores.sum(axis=-1, keepdims=True) + np.exp(sunk[group] - peak)
            block = scores @ values_here[group, first:last]
            np.divide(block, total, out=block)
            mixed[begin:end, group] = block.reshape(share, size, dim).swapaxes(0, 1)
    return mx.array(mixed.reshape(count, -1))


def _hidden(count: int, seen: int, window: int | None) -> npt.NDArray[np.float32]:
    """What to add to the scores of the last `count` tokens over the last `seen`: minus infinity where one does not see
    the other."""
    query, key = np.arange(seen - count, seen)[:, None], np.arange(seen)
    visible = (key <= query) if window is None else (key <= query) & (key > query - window)
    return np.where(visible, np.float32(0), np.float32(-np.inf))


def _scratch(rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Memory for scores, the same each time: fresh pages would cost more than what is computed in them."""
    flat: npt.NDArray[np.float32] | None = getattr(_own, "scores", None)
    if flat is None or flat.size < rows * columns:
        flat = _own.scores = np.empty(max(SCORES, rows * columns), np.float32)
    return flat[: rows * columns].reshape(rows, columns)


def view(array: mx.array) -> npt.NDArray[np.float32]:
    """The array's own memory, strides and all; it must be evaluated."""
    return np.array(array, copy=None)
