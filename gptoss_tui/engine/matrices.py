"""The model's weight matrices: dense or quantised, one or one per expert, behind one way of calling them.

A matrix maps x (..., in) to (..., out). It knows its storage and nothing of the model around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import mlx.core as mx

from gptoss_tui.engine import host, unpacking


class Matrix(Protocol):
    """A weight (in -> out), or a stack of one per expert."""

    def __call__(self, x: mx.array) -> mx.array:
        """x (..., in) to (..., out)."""
        ...

    def gather(self, x: mx.array, experts: mx.array, in_order: bool) -> mx.array:
        """x (..., 1, in) through the matrices named by `experts` (int, broadcast to x's leading axes): (..., 1, out).

        `in_order` says that `experts` is sorted, which lets the kernels read each matrix once.
        """
        ...

    def rows(self, ids: mx.array) -> mx.array:
        """Row `ids` of the matrix seen as a table (out, in): an embedding, (..., in)."""
        ...

    def arrays(self) -> list[mx.array]:
        """What lies in memory."""
        ...


@dataclass(frozen=True, slots=True)
class Dense:
    """Plain floating-point weights, kept as (in, out) so that a product reads them in order."""

    weight: mx.array
    """(in, out) or (experts, in, out)."""

    def __call__(self, x: mx.array) -> mx.array:
        return host.product(x, self.weight) if host.pays(x) else x @ self.weight

    def gather(self, x: mx.array, experts: mx.array, in_order: bool) -> mx.array:
        if in_order and host.pays(x.swapaxes(0, -2)):
            return host.grouped_product(x[:, 0], self.weight, experts)[:, None]
        return mx.gather_mm(x, self.weight, rhs_indices=experts, sorted_indices=in_order)

    def rows(self, ids: mx.array) -> mx.array:
        return mx.take(self.weight, ids, axis=-1).T

    def arrays(self) -> list[mx.array]:
        return [self.weight]


@dataclass(frozen=True, slots=True)
class Quantised:
    """Weights of a few bits each, with a scale (and, for affine, a bias) a group of `group` neighbours along the
    input."""

    weight: mx.array
    """(out, in * bits / 32) uint32, or with a leading axis of experts."""
    scales: mx.array
    """(out, in / group)."""
    biases: mx.array | None
    """As the scales, for mode affine only."""
    group: int
    bits: int
    mode: str

    def __call__(self, x: mx.array) -> mx.array:
        if x.ndim == 2 and host.pays(x) and unpacking.known(self.bits):
            return unpacking.product(x, self)
        return mx.quantized_matmul(
            x, self.weight, self.scales, self.biases,
            transpose=True, group_size=self.group, bits=self.bits, mode=self.mode,
        )  # fmt: skip

    def gather(self, x: mx.array, experts: mx.array, in_order: bool) -> mx.array:
        if in_order and len(x) >= unpacking.ROWS * len(self.weight) and host.here(x) and unpacking.known(self.bits):
            return unpacking.grouped_product(x[:, 0], self, experts)[:, None]
        return mx.gather_qmm(
            x, self.weight, self.scales, self.biases, rhs_indices=experts, sorted_indices=in_order,
            transpose=True, group_size=self.group, bits=self.bits, mode=self.mode,
        )  # fmt: skip

    def rows(self, ids: mx.array) -> mx.array:
        biases = None if self.biases is None else self.biases[ids]
        return self._plain(self.weight[ids], self.scales[ids], biases)

    def arranged(self, order: Callable[[mx.array], mx.array]) -> Quantised:
        """The same rows in another order, which `order` gives to each of the arrays."""
        biases = None if self.biases is None else order(self.biases)
        return Quantised(order(self.weight), order(self.scales), biases, self.group, self.bits, self.mode)

    def dequantised(self) -> mx.array:
        """The weights as plain numbers: (out, in), or with a leading axis of experts."""
        return self._plain(self.weight, self.scales, self.biases)

    def _plain(self, weight: mx.array, scales: mx.array, biases: mx.array | None) -> mx.array:
        return mx.dequantize(weight, scales, biases, group_size=self.group, bits=self.bits, mode=self.mode)

    def arrays(self) -> list[mx.array]:
        return [self.weight, self.scales] + ([] if self.biases is None else [self.biases])


@dataclass(frozen=True, slots=True)
class Beside:
    """Matrices that cannot be fused (their modes, bits or groups differ): one input, outputs side by side."""

    parts: tuple[Matrix, ...]

    def __call__(self, x: mx.array) -> mx.array:
        return mx.concatenate([part(x) for part in self.parts], axis=-1)

    def gather(self, x: mx.array, experts: mx.array, in_order: bool) -> mx.array:
        return mx.concatenate([part.gather(x, experts, in_order) for part in self.parts], axis=-1)

    def rows(self, ids: mx.array) -> mx.array:
        raise TypeError("matrices of different formats side by side are no table")

    def arrays(self) -> list[mx.array]:
        return [array for part in self.parts for array in part.arrays()]


def fuse(parts: Sequence[Matrix]) -> Matrix:
    """One matrix whose output is the parts' outputs side by side: one product instead of several.

    Quantised parts are joined without touching a weight, where mode, bits and group agree; the rest stay `Beside`.
    """
    dense = [part for part in parts if isinstance(part, Dense)]
    if len(dense) == len(parts):
        return Dense(mx.concatenate([part.weight for part in dense], axis=-1))
    packed = [part for part in parts if isinstance(part, Quantised)]
    if len(packed) == len(parts) and len({(part.mode, part.bits, part.group) for part in packed}) == 1:
        first = packed[0]
        biases = [part.biases for part in packed if part.biases is not None]
        return Quantised(
            mx.concatenate([part.weight for part in packed], axis=-2),
            mx.concatenate([part.scales for part in packed], axis=-2),
            mx.concatenate(biases, axis=-2) if biases else None,
            first.group, first.bits, first.mode,
        )  # fmt: skip
    return Beside(tuple(parts))
