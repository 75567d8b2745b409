"""A prefill chunk's products with quantised weights on the CPU: a block of rows is unpacked, multiplied, forgotten.

MLX's quantised kernels there unpack a weight anew for every token that meets it, so that a long prompt would be read no
faster than an answer is written. Here a weight is unpacked once a chunk, by a table that has every byte's numbers, and
NumPy's BLAS does the rest. Only one block is ever plain, and it stays in the processor's caches; the numbers are the
very ones that MLX's own `dequantize` gives. Never used on a GPU.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np
import numpy.typing as npt

from gptoss_tui.engine import host

if TYPE_CHECKING:
    from gptoss_tui.engine.matrices import Quantised

ROWS = 4
"""Rows of the left side for each matrix, on the average, from which unpacking takes less time than MLX's kernels."""

CHUNK = 128
"""Tokens that a prefill chunk should have at least: for fewer, unpacking is most of the work and takes as long."""

_BLOCK = 2**18
"""Numbers that are plain at a time: 1 MiB."""

_WHOLE: dict[int, type[np.generic]] = {8: np.float32, 4: np.uint64, 2: np.complex128}
"""By bits: what is as wide as the numbers of one byte, so that they move as one."""

_UNIT_SCALES = {"mxfp4": 127, "mxfp8": 127, "nvfp4": 0x38}
_UNIT_CODES = {"mxfp4": 0x22, "mxfp8": 0x38, "nvfp4": 0x22}
"""A byte whose numbers are 1."""

_own = threading.local()  # engines have a thread each


def known(bits: int) -> bool:
    """Whether a byte holds whole numbers of so many bits, which a table can tell."""
    return bits in _WHOLE


def product(x: mx.array, matrix: Quantised) -> mx.array:
    """x (rows, in) through one matrix, (rows, out): evaluated now."""
    parts = _Parts.of(matrix)
    mx.eval(x)
    out = np.empty((len(x), parts.codes.shape[-2]), np.float32)
    _multiply(host.view(x), parts, out)
    return mx.array(out)


def grouped_product(x: mx.array, matrix: Quantised, groups: mx.array) -> mx.array:
    """As `host.grouped_product`: each row of x (n, in) through the matrix that `groups` (n,), sorted, names."""
    parts = _Parts.of(matrix)
    mx.eval(x, groups)
    rows = host.view(x)
    out = np.empty((len(rows), parts.codes.shape[-2]), np.float32)
    for group, begin, end in host.stretches(groups, len(parts.codes)):
        _multiply(rows[begin:end], parts.of_one(group), out[begin:end])
    return mx.array(out)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts as NumPy sees them, in place."""

    codes: npt.NDArray[np.uint8]
    """(..., out, in * bits / 8)."""
    scales: npt.NDArray[Any]
    biases: npt.NDArray[np.float32] | None
    matrix: Quantised

    @classmethod
    def of(cls, matrix: Quantised) -> _Parts:
        """Those of a matrix or a stack."""
        mx.eval(matrix.arrays())
        codes = np.array(matrix.weight, copy=None).view(np.uint8)
        biases = None if matrix.biases is None else host.view(matrix.biases)
        return cls(codes, np.array(matrix.scales, copy=None), biases, matrix)

    def of_one(self, at: int) -> _Parts:
        """Those of one matrix of a stack."""
        return _Parts(self.codes[at], self.scales[at], None if self.biases is None else self.biases[at], self.matrix)

    def unpack(self, begin: int, end: int, out: npt.NDArray[np.float32]) -> None:
        """Fills `out` (end - begin, in) with rows of one matrix."""
        bits, mode = self.matrix.bits, self.matrix.mode
        np.take(_numbers(bits, mode), self.codes[begin:end], out=out.view(_WHOLE[bits]), mode="clip")
        scales = self.scales[begin:end]
        by_group = out.reshape(len(out), scales.shape[-1], -1)
        by_group *= (scales if self.biases is not None else _scales(self.matrix.group, bits, mode)[scales])[..., None]
        if self.biases is not None:
            by_group += self.biases[begin:end, :, None]


def _multiply(rows: npt.NDArray[np.float32], parts: _Parts, out: npt.NDArray[np.float32]) -> None:
    """rows (n, in) through one matrix into `out` (n, out)."""
    inputs, outputs = rows.shape[-1], out.shape[-1]
    step = max(1, _BLOCK // inputs)
    plain = _scratch(min(step, outputs), inputs)
    for begin in range(0, outputs, step):
        end = min(begin + step, outputs)
        block = plain[: end - begin]
        parts.unpack(begin, end, block)
        np.matmul(rows, block.T, out=out[:, begin:end])


def _scratch(rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Memory for a block, the same each time."""
    flat: npt.NDArray[np.float32] | None = getattr(_own, "block", None)
    if flat is None or flat.size < rows * columns:
        flat = _own.block = np.empty(max(_BLOCK, rows * columns), np.float32)
    return flat[: rows * columns].reshape(rows, columns)


@cache
def _numbers(bits: int, mode: str) -> npt.NDArray[Any]:
    """The numbers that each byte stands for, at a scale of 1: (256,), as many side by side as a byte has."""
    codes = np.arange(256, dtype=np.uint8)
    if mode == "affine":
        table = (codes[:, None] >> np.arange(0, 8, bits, dtype=np.uint8)) & (2**bits - 1)
    else:
        group = 16 if mode == "nvfp4" else 32
        scales = mx.full((1, 256 * 8 // bits // group), _UNIT_SCALES[mode], mx.uint8)
        table = _by_mlx(codes[None], scales, group, bits, mode)
    return np.ascontiguousarray(table, np.float32).reshape(256, -1).view(_WHOLE[bits])[:, 0]


@cache
def _scales(group: int, bits: int, mode: str) -> npt.NDArray[np.float32]:
    """What each byte of a microscaling format's scales stands for: (256,)."""
    ones = np.full((256, group * bits // 8), _UNIT_CODES[mode], np.uint8)
    return _by_mlx(ones, mx.arange(256).astype(mx.uint8)[:, None], group, bits, mode)[:, 0]


def _by_mlx(codes: npt.NDArray[np.uint8], scales: mx.array, group: int, bits: int, mode: str) -> npt.NDArray[Any]:
    plain = mx.dequantize(mx.array(codes.view(np.uint32)), scales, None, group_size=group, bits=bits, mode=mode)
    return np.array(plain.astype(mx.float32))
