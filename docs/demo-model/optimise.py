"""Muon for the matrices of the layers, Adam for everything else, in one object.

Muon's update is scaled to the size of an Adam update (0.2 times the root of the longer side), so that one learning rate
serves both. Knows parameter names only as far as it must tell matrices of layers from tables.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_QUINTIC = (3.4445, -4.7750, 2.0315)


def _orthogonal(batch: Tensor, steps: int = 5) -> Tensor:
    """The nearest half-orthogonal matrices to a batch (n, rows, columns), roughly: Newton-Schulz in bfloat16."""
    a, b, c = _QUINTIC
    x = batch.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.transpose(-1, -2)
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.transpose(-1, -2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(-1, -2) if tall else x


class Optimiser:
    """One step for the whole model at a learning rate given each time."""

    def __init__(self, model: nn.Module, *, decay: float = 0.1, momentum: float = 0.95) -> None:
        matrices: dict[torch.Size, list[nn.Parameter]] = {}
        others: list[nn.Parameter] = []
        tables: list[nn.Parameter] = []
        for name, parameter in model.named_parameters():
            is_matrix = name.endswith("weight") and parameter.dim() >= 2
            if is_matrix and ".layers." in name and ".router." not in name:
                matrices.setdefault(parameter.shape[-2:], []).append(parameter)
            elif is_matrix:
                tables.append(parameter)
            else:
                others.append(parameter)
        self._matrices = list(matrices.values())
        self._momentum, self._decay = momentum, decay
        self._buffers = [
            torch.zeros(sum(p.numel() // (p.shape[-1] * p.shape[-2]) for p in group), *shape, device=group[0].device)
            for shape, group in matrices.items()
        ]
        fused = next(model.parameters()).is_cuda
        self._adam = torch.optim.AdamW(
            [{"params": tables, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}],
            betas=(0.9, 0.95),
            eps=1e-9,
            fused=fused,
        )

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Moves the weights by their gradients and clears these."""
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        for group, buffer in zip(self._matrices, self._buffers, strict=True):
            shape = buffer.shape[-2:]
            gradient = torch.cat([_gradient(p).reshape(-1, *shape) for p in group]).float()
            buffer.lerp_(gradient, 1 - self._momentum)
            update = _orthogonal(gradient.lerp(buffer, self._momentum)).float() * (0.2 * max(shape) ** 0.5 * rate)
            pieces = update.split([p.numel() // (shape[0] * shape[1]) for p in group])
            for parameter, piece in zip(group, pieces, strict=True):
                parameter.mul_(1 - rate * self._decay).sub_(piece.view_as(parameter))
                parameter.grad = None


def _gradient(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
