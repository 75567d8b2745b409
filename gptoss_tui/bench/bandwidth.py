"""How fast this machine's memory is, measured by a large copy on the device that models run on.

On a GPU the copy is MLX's. On the CPU it is NumPy's, on one thread and on more: MLX's own elementwise kernels there are
bound by arithmetic, not by memory, and would make a slow model look well.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import mlx.core as mx
import numpy as np

CPU_BYTES = 2**27
GPU_BYTES = 2**30
ROUNDS = 7


def memory_bandwidth() -> float:
    """Bytes a second, read and written together: the best of several copies of what no cache holds."""
    if mx.default_device() == mx.Device(mx.cpu):
        return max(_on_cpu(threads) for threads in {1, 2, os.cpu_count() or 1})
    return _on_gpu()


def _on_cpu(threads: int) -> float:
    source = np.ones(CPU_BYTES, np.uint8)
    target = np.zeros_like(source)
    pairs = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    with ThreadPoolExecutor(threads) as pool:
        return 2 * CPU_BYTES / _best(lambda: list(pool.map(lambda pair: np.copyto(*pair), pairs)))


def _on_gpu() -> float:
    source = mx.zeros((GPU_BYTES // 4,), mx.uint32)
    mx.eval(source)
    rate = 2 * GPU_BYTES / _best(lambda: mx.eval(mx.bitwise_invert(source)))
    mx.clear_cache()
    return rate


def _best(work: Callable[[], object]) -> float:
    """Seconds of the quickest of several times."""
    work()
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
