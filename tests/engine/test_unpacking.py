"""Products of prefill with quantised matrices on the CPU: MLX's own numbers, in every format, unpacked once a chunk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from gptoss_tui.engine import unpacking
from gptoss_tui.engine.generator import CHUNKS, Generator
from gptoss_tui.engine.loading import load_model
from gptoss_tui.engine.matrices import Quantised

FORMATS = [
    ("affine", 2, 64), ("affine", 3, 64), ("affine", 4, 32), ("affine", 4, 64), ("affine", 5, 64), ("affine", 6, 64),
    ("affine", 8, 128), ("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16),
]  # fmt: skip
BY_TABLE = [each for each in FORMATS if each[1] in (2, 4, 8)]

Make = Callable[..., Path]


def quantised(mode: str, bits: int, group: int, *shape: int) -> Quantised:
    """Random weights in a format."""
    plain = mx.random.normal(shape, key=mx.random.key(3))
    weight, scales, *biases = mx.quantize(plain, group_size=group, bits=bits, mode=mode)
    return Quantised(weight, scales, biases[0] if biases else None, group, bits, mode)


def plain(matrix: Quantised) -> mx.array:
    """What MLX unpacks."""
    return matrix.dequantised().astype(mx.float32)


@pytest.mark.parametrize(("mode", "bits", "group"), BY_TABLE)
def test_the_very_numbers_that_mlx_unpacks(mode: str, bits: int, group: int) -> None:
    matrix = quantised(mode, bits, group, 40, 256)
    # One row of the left side for each number of the matrix: the product is the matrix itself, bit for bit.
    found = unpacking.product(mx.eye(256), matrix)
    assert np.array_equal(np.array(found.T), np.array(plain(matrix)))


@pytest.mark.parametrize(("mode", "bits", "group"), FORMATS)
def test_one_matrix(mode: str, bits: int, group: int) -> None:
    # 3,000 rows of 256: several blocks, the last of them shorter.
    matrix, x = quantised(mode, bits, group, 3000, 256), mx.random.normal((20, 256), key=mx.random.key(4))
    assert mx.allclose(matrix(x), x @ plain(matrix).T, atol=1e-3)


@pytest.mark.parametrize(("mode", "bits", "group"), FORMATS)
def test_one_of_several(mode: str, bits: int, group: int) -> None:
    matrix, x = quantised(mode, bits, group, 5, 48, 256), mx.random.normal((24, 1, 256), key=mx.random.key(4))
    experts = [0] * 9 + [2] * 14 + [4]  # none for two of them, one for the last
    expected = mx.stack([row @ plain(matrix)[which].T for row, which in zip(x, experts, strict=True)])
    assert mx.allclose(matrix.gather(x, mx.array(experts), True), expected, atol=1e-3)


def test_a_chunk_is_long_enough_to_share_the_unpacking(checkpoint: Make) -> None:
    folder, ids = checkpoint(), tuple(range(2, 2 + unpacking.CHUNK + 5))

    def first_chunk(dense: bool) -> int:
        generator = Generator(load_model(folder, dense=dense).model, "", 0)
        generator.prefill(ids, lambda: bool(generator.context.tokens))
        return len(generator.context.tokens)

    assert first_chunk(dense=True) == CHUNKS[0]
    assert first_chunk(dense=False) == unpacking.CHUNK
