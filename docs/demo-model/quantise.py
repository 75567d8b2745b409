"""Affine quantisation in PyTorch, to the bit what `mx.quantize` stores: for training against the rounded weights.

Scales and biases are rounded to bfloat16, as the checkpoint holds them. Which parameters are quantised, and how,
`geometry.py` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from geometry import GROUP, bits_of
from torch import Tensor, nn


def rounded(weight: Tensor, bits: int) -> Tensor:
    """`weight` after quantisation and back, float32; groups of 64 along the last axis."""
    levels = float(2**bits - 1)
    groups = weight.float().unflatten(-1, (-1, GROUP))
    low, high = groups.amin(-1, keepdim=True), groups.amax(-1, keepdim=True)
    low_is_larger = low.abs() > high.abs()
    scale = ((high - low) / levels).clamp(min=1e-7)
    scale = torch.where(low_is_larger, scale, -scale)
    edge = torch.where(low_is_larger, low, high)
    steps = torch.round(edge / scale)
    zero = steps == 0
    scale = torch.where(zero, scale, edge / torch.where(zero, torch.ones_like(steps), steps))
    bias = torch.where(zero, torch.zeros_like(edge), edge)
    codes = torch.round((groups - bias) / scale).clamp(0, levels)
    back = codes * scale.bfloat16().float() + bias.bfloat16().float()
    return back.flatten(-2)


@contextmanager
def quantised(model: nn.Module) -> Iterator[None]:
    """Within it the model computes with quantised weights; gradients then belong to the weights as they were.

    That is the straight-through estimator without a line in the model: forward and backward inside, the step outside.
    """
    kept: list[tuple[nn.Parameter, Tensor]] = []
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            bits = bits_of(name, parameter.dim())
            if bits is not None:
                kept.append((parameter, parameter.detach().clone()))
                parameter.copy_(rounded(parameter, bits))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in kept:
                parameter.copy_(value)
