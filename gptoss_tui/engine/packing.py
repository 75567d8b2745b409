"""How a stored matrix is packed, from the shapes of its parts alone: bits, group size and mode. No mlx, no files.

MLX keeps a quantised matrix as `weight` (uint32 words), `scales` (one a group) and, where it is affine, `biases`. What
a config says about it is not needed, so that settings per tensor need no table.
"""

from __future__ import annotations

from dataclasses import dataclass

_MICROSCALING = {(4, 32): "mxfp4", (8, 32): "mxfp8", (4, 16): "nvfp4"}
_AFFINE_BITS = (2, 3, 4, 5, 6, 8)


@dataclass(frozen=True, slots=True)
class Packing:
    """The format of one quantised matrix."""

    bits: int
    """Bits of each number, its share of the scale not counted."""
    group: int
    """Numbers that share a scale."""
    mode: str
    """`affine`, `mxfp4`, `mxfp8` or `nvfp4`."""

    def __str__(self) -> str:
        return f"affine {self.bits}-bit, group {self.group}" if self.mode == "affine" else self.mode


def packing(weight: tuple[int, ...], scales: tuple[int, ...], shape: tuple[int, ...], affine: bool) -> Packing | None:
    """The format in which words of shape `weight` and `scales` hold a matrix of `shape`; None where they cannot.

    `affine` says whether there are biases.
    """
    lead, inputs = shape[:-1], shape[-1]
    bits, rest = divmod(32 * weight[-1], inputs) if weight[:-1] == lead else (0, 1)
    groups = scales[-1] if scales[:-1] == lead else 0
    group = inputs // groups if groups and inputs % groups == 0 else 0
    mode = "affine" if affine else _MICROSCALING.get((bits, group), "")
    if rest or not group or not mode or (affine and bits not in _AFFINE_BITS):
        return None
    return Packing(bits, group, mode)
